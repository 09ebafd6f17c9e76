//! The command line against a small daemon of the tests' own.

mod alerts;
mod asking;
pub(crate) mod daemon;
mod documents;
mod errors;
mod help;
mod paging;
mod sharing;
mod shown;
mod status;

use std::{io::Cursor, path::Path};

use jiff::tz::TimeZone;

use crate::{
    run,
    session::Ends,
    terminal::{Clock, View},
};

/// 2026-11-22 12:00 UTC: now, in these tests.
pub(crate) const NOON: u64 = 1_795_348_800_000;

/// What a run left behind.
#[derive(Debug)]
struct Ran {
    code: u8,
    out: String,
    notes: String,
}

/// Runs the program with what a person types; `typed` is `None` where nobody is there.
fn maillonctl(socket: &Path, words: &[&str], typed: Option<&str>) -> Ran {
    let (mut out, mut notes) = (Vec::new(), Vec::new());
    let mut input = Cursor::new(typed.unwrap_or("").to_owned());
    let all = ["maillonctl", "--socket"]
        .map(Into::into)
        .into_iter()
        .chain([socket.as_os_str().to_owned()])
        .chain(words.iter().map(Into::into));
    let code = run(
        all,
        Ends {
            out: &mut out,
            notes: &mut notes,
            input: &mut input,
            asks: typed.is_some(),
            bars: false,
        },
        View {
            clock: Clock::at(NOON as i64, TimeZone::UTC),
            terminal: false,
        },
    );
    Ran {
        code,
        out: String::from_utf8(out).expect("text"),
        notes: String::from_utf8(notes).expect("text"),
    }
}
