//! A document with a large file, put in and taken out again.

use std::{fs, path::Path};

use maillon_protocol::ids::{CircleId, RecordId};
use maillon_tests::daemon::{Daemon, Trouble, add_document, noise, save_document};

/// Bytes of which no two pieces are alike.
pub(crate) fn letter(bytes: usize) -> Vec<u8> {
    noise().flatten().take(bytes).collect()
}

/// Adds a letter to a circle.
pub(crate) fn add(
    root: &Path,
    daemon: &Daemon,
    actor: &str,
    circle: CircleId,
    letter: &[u8],
) -> Result<RecordId, Trouble> {
    add_document(root, daemon, actor, circle, "Courrier", letter)
}

/// The bytes that a node saves as a document's file, or the words with which it refuses.
pub(crate) fn save(
    root: &Path,
    daemon: &Daemon,
    actor: &str,
    record: RecordId,
) -> Result<Result<Vec<u8>, String>, Trouble> {
    let to = root.join("saved.bin");
    if to.exists() {
        fs::remove_file(&to).map_err(Trouble::io("what was saved before"))?;
    }
    let ended = save_document(daemon, actor, record, &to)?;
    if !ended.status.success() {
        return Ok(Err(ended.words));
    }
    fs::read(&to).map(Ok).map_err(Trouble::io("what was saved"))
}
