//! Floors: what this machine does at best, for the ratios of the benchmarks.
//!
//! A figure of the node means little alone on a shared machine. Each is told beside a floor that was measured in the same run: the same bytes,
//! the same promises of durability, and nothing of the node around them. [`wal`](wal()) is one synced write after another;
//! [`catch_up`](catch_up()) is the least that somebody who takes over records must do. [`compacted`](compacted()) is no floor and says how much of
//! the disk a node's records take once nothing that was replaced is left in its files.
//!
//! Floors use RocksDB directly, with a synced write-ahead log and without compression, in folders of their own that are gone afterwards or
//! were empty before. They are no part of a node and touch nothing that it keeps.

mod catch_up;
mod compacted;
mod wal;

use std::{
    io,
    path::{Path, PathBuf},
};

use maillon_protocol::{record::BodyError, replica::StorageError, sign::SignError};

pub use catch_up::{CatchUp, catch_up};
pub use compacted::{Compacted, compacted};
pub use wal::{Wal, wal};

use crate::{keystore::KeystoreError, store::StoreError};

/// Why there is no floor.
#[derive(Debug, thiserror::Error)]
pub enum FloorError {
    /// A count or a size out of range.
    #[error("{what} is {found}; it must be from {least} to {most}")]
    Range {
        /// What.
        what: &'static str,
        /// The value.
        found: u64,
        /// Least.
        least: u64,
        /// Most.
        most: u64,
    },
    /// The folder is not fresh.
    #[error("the folder {0} is not empty: name one that does not exist")]
    NotEmpty(PathBuf),
    /// The folder cannot be made.
    #[error("the folder {path} cannot be used: {source}; check its owner and its disk")]
    Folder {
        /// Which.
        path: PathBuf,
        /// What the system says.
        source: io::Error,
    },
    /// RocksDB.
    #[error("RocksDB does not write: {0}; check the disk")]
    Engine(#[from] rocksdb::Error),
    /// The keys.
    #[error(transparent)]
    Keystore(#[from] KeystoreError),
    /// The node's database; a running node has it.
    #[error(transparent)]
    Store(#[from] StoreError),
    /// Rows.
    #[error(transparent)]
    Rows(#[from] StorageError),
    /// A row that cannot be read.
    #[error("a stored {0} cannot be read: run `maillonctl doctor`")]
    Damaged(&'static str),
    /// A signature.
    #[error("a stored record's signature is not right: {0}")]
    Signature(#[from] SignError),
    /// A body.
    #[error("a stored body does not open: {0}")]
    Body(#[from] BodyError),
    /// A body under a secret that is not here: nothing to compare with.
    #[error(
        "the folder holds records that this node cannot open: measure with a node that was granted all of them"
    )]
    NotGranted,
}

/// Refuses a value out of range.
const fn within(what: &'static str, found: u64, least: u64, most: u64) -> Result<(), FloorError> {
    if found < least || found > most {
        return Err(FloorError::Range {
            what,
            found,
            least,
            most,
        });
    }
    Ok(())
}

/// An empty RocksDB in a fresh folder, and how it is written: synced.
fn fresh(dir: &Path) -> Result<(rocksdb::DB, rocksdb::WriteOptions), FloorError> {
    let cannot = |source| FloorError::Folder {
        path: dir.to_owned(),
        source,
    };
    crate::durable::make_folder(dir).map_err(cannot)?;
    if std::fs::read_dir(dir).map_err(cannot)?.next().is_some() {
        return Err(FloorError::NotEmpty(dir.to_owned()));
    }
    let mut settings = rocksdb::Options::default();
    settings.create_if_missing(true);
    settings.set_compression_type(rocksdb::DBCompressionType::None);
    let mut synced = rocksdb::WriteOptions::default();
    synced.set_sync(true);
    Ok((rocksdb::DB::open(&settings, dir)?, synced))
}
