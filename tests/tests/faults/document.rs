//! A document with a file, by the administrator's own command.

use std::{ffi::OsStr, fs, path::Path};

use maillon_protocol::ids::{CircleId, RecordId};
use maillon_tests::daemon::{Daemon, Trouble};

/// Bytes of which no two pieces are alike.
pub(crate) fn letter(bytes: usize) -> Vec<u8> {
    let mut state = 0x9e37_79b9_7f4a_7c15_u64;
    let mut letter = Vec::with_capacity(bytes + 8);
    while letter.len() < bytes {
        state ^= state << 13;
        state ^= state >> 7;
        state ^= state << 17;
        letter.extend_from_slice(&state.to_le_bytes());
    }
    letter.truncate(bytes);
    letter
}

/// Adds a letter to a circle.
pub(crate) fn add(
    root: &Path,
    daemon: &Daemon,
    actor: &str,
    circle: CircleId,
    letter: &[u8],
) -> Result<RecordId, Trouble> {
    let (file, circle) = (root.join("courrier.bin"), circle.to_string());
    fs::write(&file, letter).map_err(Trouble::io("a letter"))?;
    let words = [
        "--json", "document", "add", "--circle", &circle, "--title", "Courrier",
    ];
    let mut words = words.map(OsStr::new).to_vec();
    words.push(file.as_os_str());
    let ended = daemon.ctl(actor, &words)?;
    let wrong = || Trouble::wrong(format!("maillonctl said {}", ended.words));
    let answer: serde_json::Value =
        serde_json::from_str(ended.words.trim()).map_err(|_| wrong())?;
    let record = answer["record"].as_str().unwrap_or_default();
    record.parse().map_err(|_| wrong())
}

/// The bytes that a node saves as a document's file, or the words with which it refuses.
pub(crate) fn save(
    root: &Path,
    daemon: &Daemon,
    actor: &str,
    record: RecordId,
) -> Result<Result<Vec<u8>, String>, Trouble> {
    let (to, record) = (root.join("saved.bin"), record.to_string());
    let mut words = ["document", "save", "--force", &record]
        .map(OsStr::new)
        .to_vec();
    words.push(to.as_os_str());
    let ended = daemon.ctl(actor, &words)?;
    if !ended.status.success() {
        return Ok(Err(ended.words));
    }
    fs::read(&to).map(Ok).map_err(Trouble::io("what was saved"))
}
