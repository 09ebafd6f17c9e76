//! Why the store refused or failed, each with what to do next.

use std::io;
use std::path::{Path, PathBuf};

use rocksdb::ErrorKind;

use super::Table;

/// What can go wrong with the store. No variant shows a value; row keys are opaque.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum StoreError {
    /// Another process, or another part of this one, has the database open.
    #[error(
        "the database is in use: another maillond runs on this data folder; stop it first, or give this one another folder"
    )]
    InUse,
    /// The storage key is not the one under which the database was sealed.
    #[error(
        "the database was sealed under another storage key: the keystore and the database are not of the same node or backup; restore both from the same backup"
    )]
    WrongKey,
    /// Written by a newer version of the program.
    #[error(
        "the database has format {found}, this program knows up to {known}: install the version that wrote it, or a newer one"
    )]
    Newer {
        /// The format found.
        found: u32,
        /// The newest format that this program reads.
        known: u32,
    },
    /// A row does not unseal: it was changed, moved, or damaged.
    #[error(
        "a row of the table {table} is damaged ({row}): run `maillonctl doctor` to see how much is, then restore the last good backup"
    )]
    Damaged {
        /// The row's table.
        table: Table,
        /// The beginning of the row's key, in hexadecimal.
        row: String,
    },
    /// The database's files are damaged or incomplete.
    #[error("the database's files are damaged: restore the last good backup ({detail})")]
    FilesDamaged {
        /// What was found, for support.
        detail: String,
    },
    /// There is no room on the disk, or the quota is used up.
    #[error(
        "the disk is full: make room; maillond then goes on by itself, or starts again; nothing that was confirmed is lost"
    )]
    DiskFull,
    /// The disk takes no writes.
    #[error(
        "the disk takes no writes any more: it was mounted read-only, or turned so after an error ({detail}); see `dmesg`, make it a disk that can be written, then restart maillond"
    )]
    ReadOnly {
        /// The file or folder, or RocksDB's words.
        detail: String,
    },
    /// The operating system refuses access.
    #[error(
        "access to {path} is refused: the folder must belong to the user that runs maillond, on a disk that can be written"
    )]
    Permission {
        /// The file or folder, or RocksDB's words.
        path: String,
    },
    /// There is something where a new folder was to be made.
    #[error("{path} exists already: choose a folder that does not")]
    Exists {
        /// The place.
        path: PathBuf,
    },
    /// The batch would be larger than one commit may be.
    #[error("a commit holds at most {limit} bytes: split it")]
    BatchTooLarge {
        /// [`super::MAX_BATCH_BYTES`].
        limit: usize,
    },
    /// The key of a row is empty or too long.
    #[error("the key of a row has 1 to {limit} bytes, this one {bytes}")]
    KeyLength {
        /// The key's length.
        bytes: usize,
        /// [`super::MAX_KEY_BYTES`].
        limit: usize,
    },
    /// The batch was made by another store, and sealed under its key.
    #[error(
        "this batch belongs to another store: make it with `batch()` of the store that commits it"
    )]
    OtherStore,
    /// The caller stopped a long work.
    #[error("stopped before the end, as asked")]
    Stopped,
    /// The operating system gave no random bytes.
    #[error("the operating system gave no random bytes: restart the machine and try again")]
    Randomness,
    /// A file or folder could not be read or written.
    #[error("{path}: {source}; check the disk and the data folder")]
    Io {
        /// The file or folder.
        path: PathBuf,
        /// What the operating system said.
        source: io::Error,
    },
    /// RocksDB failed in another way.
    #[error(
        "the database failed ({message}): restart maillond; if it happens again, restore the last good backup"
    )]
    Engine {
        /// RocksDB's words.
        message: String,
    },
}

impl StoreError {
    pub(super) fn io(path: &Path, source: io::Error) -> StoreError {
        use io::ErrorKind::{
            PermissionDenied, QuotaExceeded, ReadOnlyFilesystem, StorageFull, WouldBlock,
        };
        match source.kind() {
            StorageFull | QuotaExceeded => StoreError::DiskFull,
            ReadOnlyFilesystem => StoreError::ReadOnly {
                detail: path.display().to_string(),
            },
            PermissionDenied => StoreError::Permission {
                path: path.display().to_string(),
            },
            WouldBlock => StoreError::InUse,
            _ => StoreError::Io {
                path: path.to_owned(),
                source,
            },
        }
    }

    /// RocksDB tells causes apart by its words only, which come from `strerror` in the C locale.
    pub(super) fn from_words(kind: &ErrorKind, words: &str) -> StoreError {
        let says = |any: &[&str]| any.iter().any(|text| words.contains(text));
        if says(&["No space left on device", "Disk quota exceeded"]) {
            return StoreError::DiskFull;
        }
        if says(&["lock hold by current process", "While lock file"]) {
            return StoreError::InUse;
        }
        if says(&["Read-only file system"]) {
            return StoreError::ReadOnly {
                detail: words.to_owned(),
            };
        }
        if says(&["Permission denied", "Operation not permitted"]) {
            return StoreError::Permission {
                path: words.to_owned(),
            };
        }
        // A file or a column family that is not there.
        let incomplete = says(&["No such file or directory", "Column family not found"]);
        if incomplete || matches!(kind, ErrorKind::Corruption | ErrorKind::NotFound) {
            return StoreError::FilesDamaged {
                detail: words.to_owned(),
            };
        }
        StoreError::Engine {
            message: words.to_owned(),
        }
    }
}

impl From<rocksdb::Error> for StoreError {
    fn from(error: rocksdb::Error) -> StoreError {
        StoreError::from_words(&error.kind(), error.as_ref())
    }
}
