//! How far RocksDB's files had come, kept beside them.
//!
//! RocksDB takes the end of its list (`MANIFEST-…`) for the end of what happened. A list that was cut short leaves out the newest table files,
//! whose write-ahead logs are gone: RocksDB would open without a word, without those rows, and delete their files. So the list's name and
//! length are written down when the database has opened, now and then while it is used, and when it closes; a list that is older or
//! shorter than that is damage, seen before RocksDB touches anything.
//!
//! The newest write-ahead log (`….log`) may end in the middle of a write, after a power cut; what is missing behind that, RocksDB cannot know. So its
//! length is written down, too, every few seconds while something is written. One that is shorter has lost commits that were on the disk: the database opens all
//! the same, and the file `CUT` says so until the node has begun anew ([`cut`]).
//!
//! Only what the disk has is written down, so that a power cut never makes a good database look damaged. What was gained since the
//! last mark is not covered: at most [`EVERY`] commits of the list, and some seconds of the log, of a life that did not end well.

use std::fs::{self, File};
use std::io;
use std::path::Path;
use std::sync::atomic::{AtomicU32, Ordering::Relaxed};
use std::sync::{Mutex, PoisonError};

use super::StoreError;

/// Name of the file in RocksDB's folder.
const FILE_NAME: &str = "MARK";
/// Name of the file that says how many bytes of a log are missing.
const CUT: &str = "CUT";
/// Commits between two looks at the list.
const EVERY: u32 = 64;
const MAX_BYTES: u64 = 256;

/// A file, and its length in bytes.
#[derive(Debug, Clone, PartialEq, Eq)]
struct Seen {
    name: String,
    bytes: u64,
}

impl Seen {
    fn number(&self) -> u64 {
        let digits = self.name.trim_start_matches("MANIFEST-");
        digits.trim_end_matches(".log").parse().unwrap_or(0)
    }

    /// The list that `CURRENT` names.
    fn list(folder: &Path) -> io::Result<Self> {
        let name = fs::read_to_string(folder.join("CURRENT"))?;
        Self::of(folder, name.trim_end().to_owned())
    }

    /// The newest write-ahead log.
    fn log(folder: &Path) -> io::Result<Self> {
        let mut newest: Option<(u64, String)> = None;
        for entry in fs::read_dir(folder)? {
            let name = entry?.file_name().to_string_lossy().into_owned();
            let number = name
                .strip_suffix(".log")
                .and_then(|digits| digits.parse().ok());
            newest = newest.max(number.map(|number| (number, name)));
        }
        let (_, name) = newest.ok_or(io::ErrorKind::NotFound)?;
        Self::of(folder, name)
    }

    fn of(folder: &Path, name: String) -> io::Result<Self> {
        let bytes = fs::metadata(folder.join(&name))?.len();
        Ok(Self { name, bytes })
    }

    fn parse(line: &str) -> Option<Self> {
        let (name, bytes) = line.split_once(' ')?;
        Some(Self {
            name: name.to_owned(),
            bytes: bytes.parse().ok()?,
        })
    }
}

/// Refuses a list of files that is older or shorter than the mark says, and notes a log that is shorter. Without a mark, or with one that cannot be
/// read, there is nothing to compare, and RocksDB judges alone.
pub(super) fn check(folder: &Path) -> Result<(), StoreError> {
    let path = folder.join(FILE_NAME);
    let text = crate::durable::read(&path, MAX_BYTES)
        .map_err(|source| StoreError::io(&path, source))?
        .and_then(|bytes| String::from_utf8(bytes).ok())
        .unwrap_or_default();
    let mut lines = text.lines().map(Seen::parse);
    let (Some(Some(mark)), Ok(now)) = (lines.next(), Seen::list(folder)) else {
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
    // One that is not there any more has been read into tables, which the list names.
    if let Some(Some(log)) = lines.next()
        && let Ok(left) = Seen::of(folder, log.name)
        && left.bytes < log.bytes
    {
        let path = folder.join(CUT);
        let missing = (log.bytes - left.bytes).saturating_add(cut(folder).unwrap_or(0));
        crate::durable::replace(&path, format!("{missing}\n").as_bytes())
            .map_err(|source| StoreError::io(&path, source))?;
    }
    Ok(())
}

/// How many bytes of write-ahead logs are missing that were on the disk, where that has not been dealt with yet.
pub(super) fn cut(folder: &Path) -> Option<u64> {
    let text = crate::durable::read(&folder.join(CUT), MAX_BYTES).ok()??;
    let text = String::from_utf8(text).ok()?;
    // That it is there says enough.
    Some(text.trim_end().parse().unwrap_or(0))
}

/// It has been dealt with.
pub(super) fn forget_cut(folder: &Path) -> io::Result<()> {
    fs::remove_file(folder.join(CUT))?;
    crate::durable::sync_folder(folder)
}

/// What was last written down.
#[derive(Debug, Default)]
pub(super) struct Mark {
    last: Mutex<Option<(Seen, Option<Seen>)>>,
    /// The log as the last look saw it, and the commits until then.
    seen: Mutex<Option<(Seen, u32)>>,
    commits: AtomicU32,
}

impl Mark {
    /// After a commit: looks at the list now and then.
    pub(super) fn after_commit(&self, folder: &Path) {
        if self.commits.fetch_add(1, Relaxed) % EVERY == EVERY - 1 {
            self.write(folder, None);
        }
    }

    /// Looks at the log, and writes down how long it was at the look before: each commit that has returned since has waited for the disk to have
    /// all of that.
    pub(super) fn look_at_log(&self, folder: &Path) {
        let mut seen = self.seen.lock().unwrap_or_else(PoisonError::into_inner);
        let commits = self.commits.load(Relaxed);
        let Ok(now) = Seen::log(folder) else { return };
        let before = seen.replace((now.clone(), commits));
        let synced = before.filter(|(log, then)| commits != *then || *log == now);
        if let Some((log, _)) = synced {
            self.write(folder, Some(log));
        }
    }

    /// Writes down where the list is, and the log if its length is known to be on the disk: what was known of it stays otherwise. A mark that cannot be
    /// written leaves the one before, which still holds.
    fn write(&self, folder: &Path, log: Option<Seen>) {
        let mut last = self.last.lock().unwrap_or_else(PoisonError::into_inner);
        let Ok(now) = Seen::list(folder) else { return };
        let log = log.or_else(|| last.as_ref().and_then(|(_, log)| log.clone()));
        let next = (now, log);
        if last.as_ref() == Some(&next) {
            return;
        }
        let (now, log) = &next;
        let synced = File::open(folder.join(&now.name)).and_then(|list| list.sync_all());
        let mut text = format!("{} {}\n", now.name, now.bytes);
        if let Some(log) = log {
            text += &format!("{} {}\n", log.name, log.bytes);
        }
        let written =
            synced.and_then(|()| crate::durable::replace(&folder.join(FILE_NAME), text.as_bytes()));
        if written.is_ok() {
            *last = Some(next);
        }
    }

    /// Writes down all of it where nothing is written any more, or not yet.
    pub(super) fn at_rest(&self, folder: &Path, synced: bool) {
        let log = Seen::log(folder).ok().filter(|_| synced);
        self.write(folder, log);
    }
}
