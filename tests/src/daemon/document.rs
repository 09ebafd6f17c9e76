//! Documents with a file, by the administrator's own command.

use std::{ffi::OsStr, fs, path::Path};

use maillon_protocol::ids::{CircleId, RecordId};

use super::{Daemon, Ended, Trouble};

/// Bytes of which no two pieces are alike, the same each time.
pub fn noise() -> impl Iterator<Item = [u8; 8]> {
    let mut state = 0x9e37_79b9_7f4a_7c15_u64;
    std::iter::repeat_with(move || {
        state ^= state << 13;
        state ^= state >> 7;
        state ^= state << 17;
        state.to_le_bytes()
    })
}

/// Writes a letter to a file in `root`, outside all nodes, and adds it to a circle under a title.
///
/// # Errors
/// [`Trouble::Wrong`] with what the command said, where it names no record.
pub fn add_document(
    root: &Path,
    daemon: &Daemon,
    actor: &str,
    circle: CircleId,
    title: &str,
    letter: &[u8],
) -> Result<RecordId, Trouble> {
    let (file, circle) = (root.join("courrier.pdf"), circle.to_string());
    fs::write(&file, letter).map_err(Trouble::io("a letter"))?;
    let words = [
        "--json", "document", "add", "--circle", &circle, "--title", title,
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

/// Has a node save a document's file at a place where nothing stands.
///
/// # Errors
/// As [`Daemon::ctl`].
pub fn save_document(
    daemon: &Daemon,
    actor: &str,
    record: RecordId,
    to: &Path,
) -> Result<Ended, Trouble> {
    let record = record.to_string();
    let mut words = ["document", "save", &record].map(OsStr::new).to_vec();
    words.push(to.as_os_str());
    daemon.ctl(actor, &words)
}
