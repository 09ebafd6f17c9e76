//! How far RocksDB's list of files had come, kept beside it.
//!
//! RocksDB takes the end of its list (`MANIFEST-…`) for the end of what happened. A list that was cut short leaves out the newest table files,
//! whose write-ahead logs are gone: RocksDB would open without a word, without those rows, and delete their files. So the list's name and
//! length are written down when the database has opened, now and then while it is used, and when it closes; a list that is older or
//! shorter than that is damage, seen before RocksDB touches anything.
//!
//! Only what the disk has is written down, so that a power cut never makes a good database look damaged. What the list gained since the
//! last mark is not covered: at most [`EVERY`] commits of a life that did not end well.

use std::fs::{self, File};
use std::io;
use std::path::Path;
use std::sync::Mutex;
use std::sync::atomic::{AtomicU32, Ordering::Relaxed};

use super::StoreError;

/// Name of the file in RocksDB's folder.
const FILE_NAME: &str = "MARK";
/// Commits between two looks at the list.
const EVERY: u32 = 64;
const MAX_BYTES: u64 = 256;

/// A list of files, and its length in bytes.
#[derive(Debug, Clone, PartialEq, Eq)]
struct Seen {
    name: String,
    bytes: u64,
}

impl Seen {
    fn number(&self) -> u64 {
        let digits = self.name.strip_prefix("MANIFEST-");
        digits.and_then(|digits| digits.parse().ok()).unwrap_or(0)
    }

    /// The list that `CURRENT` names.
    fn now(folder: &Path) -> io::Result<Self> {
        let name = fs::read_to_string(folder.join("CURRENT"))?;
        let name = name.trim_end().to_owned();
        let bytes = fs::metadata(folder.join(&name))?.len();
        Ok(Self { name, bytes })
    }

    fn parse(text: &[u8]) -> Option<Self> {
        let (name, bytes) = std::str::from_utf8(text).ok()?.trim_end().split_once(' ')?;
        Some(Self {
            name: name.to_owned(),
            bytes: bytes.parse().ok()?,
        })
    }
}

/// Refuses a list of files that is older or shorter than the mark says. Without a mark, or with one that cannot be read, there is nothing to
/// compare, and RocksDB judges alone.
pub(super) fn check(folder: &Path) -> Result<(), StoreError> {
    let path = folder.join(FILE_NAME);
    let mark = crate::durable::read(&path, MAX_BYTES)
        .map_err(|source| StoreError::io(&path, source))?
        .and_then(|text| Seen::parse(&text));
    let (Some(mark), Ok(now)) = (mark, Seen::now(folder)) else {
        return Ok(());
    };
    let older = now.number() < mark.number();
    let shorter = now.name == mark.name && now.bytes < mark.bytes;
    if older || shorter {
        return Err(StoreError::FilesDamaged {
            detail: format!(
                "{} has {} bytes, and it was {} with {} bytes when it was last used",
                now.name, now.bytes, mark.name, mark.bytes
            ),
        });
    }
    Ok(())
}

/// What was last written down.
#[derive(Debug, Default)]
pub(super) struct Mark {
    last: Mutex<Option<Seen>>,
    commits: AtomicU32,
}

impl Mark {
    /// After a commit: looks now and then.
    pub(super) fn after_commit(&self, folder: &Path) {
        if self.commits.fetch_add(1, Relaxed) % EVERY == EVERY - 1 {
            self.write(folder);
        }
    }

    /// Writes down where the list is. A mark that cannot be written leaves the one before, which still holds.
    pub(super) fn write(&self, folder: &Path) {
        let mut last = self
            .last
            .lock()
            .unwrap_or_else(std::sync::PoisonError::into_inner);
        let Ok(now) = Seen::now(folder) else { return };
        if last.as_ref() == Some(&now) {
            return;
        }
        let synced = File::open(folder.join(&now.name)).and_then(|list| list.sync_all());
        let text = format!("{} {}\n", now.name, now.bytes);
        let written =
            synced.and_then(|()| crate::durable::replace(&folder.join(FILE_NAME), text.as_bytes()));
        if written.is_ok() {
            *last = Some(now);
        }
    }
}
