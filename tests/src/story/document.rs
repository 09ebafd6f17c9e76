//! A letter of several mebibytes.

use std::{ffi::OsStr, fs, path::Path};

use maillon_protocol::ids::RecordId;
use rand::Rng;

use super::{Stopped, Teller, World};
use crate::daemon::{Daemon, Trouble, wait};

/// Bytes of the letter.
const LETTER: usize = 3 << 20;

pub(super) fn tell(teller: &mut Teller, world: &mut World, root: &Path) -> Result<(), Stopped> {
    let (two, circle) = (&world.two, world.circle);
    teller.tell(
        "A adds a letter of 3 MiB, B saves it: the same SHA-256",
        || {
            let mut letter = vec![0; LETTER];
            rand::rng().fill_bytes(&mut letter);
            let [given, saved] = ["lettre.pdf", "lettre-de-a.pdf"].map(|name| root.join(name));
            fs::write(&given, &letter).map_err(Trouble::io("a letter"))?;
            let circle = circle.to_string();
            let words = [
                "--json".as_ref(),
                "document".as_ref(),
                "add".as_ref(),
                given.as_os_str(),
                "--circle".as_ref(),
                circle.as_ref(),
            ];
            let answer = said(&two.a, &two.at_a, &words)?;
            let answer: serde_json::Value = serde_json::from_str(answer.trim())
                .map_err(|error| Trouble::wrong(error.to_string()))?;
            let record: RecordId = answer["record"]
                .as_str()
                .and_then(|record| record.parse().ok())
                .ok_or_else(|| Trouble::wrong(format!("no record in {answer}")))?;

            let mut b = two.b.client()?.acting_as(&two.at_b);
            wait::until("the letter at B", wait::LONG, || {
                Ok(b.document_show(record).ok().filter(|state| state.complete))
            })?;
            let record = record.to_string();
            let words = ["document", "save", &record].map(OsStr::new);
            said(
                &two.b,
                &two.at_b,
                &[&words[..], &[saved.as_os_str()]].concat(),
            )?;
            let got = fs::read(&saved).map_err(Trouble::io("what B saved"))?;
            // The command has compared the SHA-256 that the record names with what it wrote.
            if got == letter {
                return Ok(());
            }
            Err(Trouble::wrong("B saved another letter"))
        },
    )
}

fn said(daemon: &Daemon, actor: &str, words: &[&OsStr]) -> Result<String, Trouble> {
    let ended = daemon.ctl(actor, words)?;
    if ended.status.success() {
        return Ok(ended.words);
    }
    Err(Trouble::wrong(format!("maillonctl said: {}", ended.words)))
}
