//! Floors that need RocksDB or the records themselves: `maillond floor` measures them.

use std::{ffi::OsStr, path::Path, time::Duration};

use serde::{Deserialize, de::DeserializeOwned};

use crate::daemon::{Daemon, Trouble, maillond};

/// Ten times what the slowest of them takes.
const BOUND: Duration = Duration::from_secs(1_200);

/// Synced writes of one size, milliseconds.
#[derive(Clone, Copy, Debug, Deserialize)]
pub(super) struct Wal {
    pub(super) p50_ms: f64,
    pub(super) p95_ms: f64,
    pub(super) p99_ms: f64,
}

#[derive(Clone, Copy, Debug, Deserialize)]
struct CatchUp {
    seconds: f64,
}

#[derive(Clone, Copy, Debug, Deserialize)]
struct Compacted {
    bytes: u64,
}

/// Synced RocksDB writes of so many bytes, one by one, in a new folder.
pub(super) fn wal(dir: &Path, bytes: u64, count: u64) -> Result<Wal, Trouble> {
    let (bytes, count) = (bytes.to_string(), count.to_string());
    floor(
        "wal",
        dir,
        &["--bytes", &bytes, "--count", &count].map(OsStr::new),
    )
}

/// Verification, decryption and synced raw writes of the records of a stopped node, in seconds.
pub(super) fn catch_up(stopped: &Daemon) -> Result<f64, Trouble> {
    let key_file = stopped.key_file();
    let unlock = ["--key-file".as_ref(), key_file.as_os_str()];
    floor("catch-up", &stopped.folder(), &unlock).map(|floor: CatchUp| floor.seconds)
}

/// Bytes of a stopped node's database without anything that was replaced.
pub(super) fn compacted(stopped: &Daemon) -> Result<u64, Trouble> {
    let key_file = stopped.key_file();
    let unlock = ["--key-file".as_ref(), key_file.as_os_str()];
    floor("compacted", &stopped.folder(), &unlock).map(|compacted: Compacted| compacted.bytes)
}

fn floor<T: DeserializeOwned>(which: &str, dir: &Path, more: &[&OsStr]) -> Result<T, Trouble> {
    let words = [
        "floor".as_ref(),
        which.as_ref(),
        "--dir".as_ref(),
        dir.as_os_str(),
    ];
    let ended = maillond(&[&words, more].concat(), BOUND)?;
    if !ended.status.success() {
        return Err(Trouble::Exited {
            name: format!("maillond floor {which}"),
            status: ended.status,
            words: ended.words,
        });
    }
    let json = ended.words.lines().rev().find(|line| line.starts_with('{'));
    json.and_then(|line| serde_json::from_str(line).ok())
        .ok_or_else(|| Trouble::wrong(format!("maillond floor {which} said {}", ended.words)))
}
