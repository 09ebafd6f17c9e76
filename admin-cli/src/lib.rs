//! `maillonctl`: the administrator's command of a Maillon node.
//!
//! A thin face of the admin API ([`maillon_protocol::admin`]): it parses a command, makes one call or a few through [`client`], and shows the
//! answer to a person, or as JSON to a program (`--json`: the answer's own value, one line for each). It decides nothing about care or
//! peering; the daemon does. What it adds is manners: destructive commands show what will happen and ask, long calls show a bar, and
//! whatever others wrote is shown with its control characters made harmless.
//!
//! Exit codes are in one table, [`EXIT_CODES`], which the long help prints.
#![forbid(unsafe_code)]

mod arguments;
pub mod client;
mod commands;
mod failure;
mod session;
mod terminal;
#[cfg(test)]
mod tests;
mod usage;

pub use failure::EXIT_CODES;

use std::{
    ffi::OsString,
    io::{self, IsTerminal},
    process::ExitCode,
};

use arguments::Arguments;
use clap::Parser;
use session::{Ends, Session};
use terminal::{Clock, View};

/// Runs the program with the process's arguments, standard streams, clock and time zone.
pub fn main() -> ExitCode {
    let code = run(
        std::env::args_os(),
        Ends {
            out: &mut io::stdout().lock(),
            notes: &mut io::stderr().lock(),
            input: &mut io::stdin().lock(),
            asks: io::stdin().is_terminal() && io::stderr().is_terminal(),
            bars: io::stderr().is_terminal(),
        },
        View {
            clock: Clock::of_this_machine(),
            terminal: io::stdout().is_terminal(),
        },
    );
    ExitCode::from(code)
}

/// Runs one command line and returns the exit code.
fn run(words: impl IntoIterator<Item = OsString>, mut ends: Ends<'_>, view: View) -> u8 {
    let words: Vec<OsString> = words.into_iter().collect();
    let arguments = match Arguments::try_parse_from(&words) {
        Ok(arguments) => arguments,
        Err(error) if error.use_stderr() && usage::asks_for_json(&words) => {
            return usage::failure(&error).show(ends.notes, true);
        }
        Err(error) => {
            let text = error.render();
            let shown = if error.use_stderr() {
                write!(ends.notes, "{text}")
            } else {
                write!(ends.out, "{text}")
            };
            // Nothing is left to tell a closed terminal.
            drop(shown);
            return if error.use_stderr() {
                failure::USAGE
            } else {
                0
            };
        }
    };
    let json = arguments.globals.json;
    let outcome = {
        let mut session = Session::new(&arguments.globals, &mut ends, view);
        arguments
            .command
            .run(&mut session)
            .and_then(|code| session.finish().map(|()| code))
    };
    match outcome {
        Ok(code) => code,
        Err(failure) => failure.show(ends.notes, json),
    }
}
