//! Everything the node knows, on disk: RocksDB with sealed values, and commits that are all or nothing.
//!
//! # Layout
//!
//! In the data folder that [`Store::open`] is given:
//!
//! | name | what |
//! |---|---|
//! | `FORMAT` | the version of the database and a fingerprint of its storage key; plain text |
//! | `rocksdb/` | the database: one column family for each [`Table`] |
//! | `rocksdb/MARK` | how far RocksDB's list of files had come; plain text |
//!
//! A row is a key of opaque bytes (ids, or names made by [`Namer`], with a sequence number where rows have an order)
//! and a sealed value. The `default` column family holds one row of its own, which proves the storage key.
//!
//! # Sealing
//!
//! A value is stored as version byte ‖ 24-byte random nonce ‖ XChaCha20-Poly1305 ciphertext. The key comes from the
//! storage key by HKDF-SHA256 (RFC 5869, info `maillon/1 store value`); the associated data is the table's name ‖
//! 0x00 ‖ the row's key. So a value that was changed, or moved to another row or table, does not open.
//!
//! # What it promises
//!
//! - [`Store::commit`] is one write with one sync of the write-ahead log. When it returns, all of the [`Batch`]
//!   survives a power cut; when the machine stops before, all of it or nothing is there afterwards.
//! - An unfinished last write is dropped when the database is opened again. Damage elsewhere is an error, not a silent
//!   loss; the one exception is a damaged length field in the last 32 KiB of the last log, which RocksDB cannot tell
//!   from an unfinished write. RocksDB's list of files, cut short, is damage too (`MARK`).
//! - A database of a newer version, one under another storage key, and one in use by another process are refused
//!   before anything is written.
//! - Everything is bounded: batches, keys, caches, write buffers, open files.
//!
//! # What somebody who holds the disk sees
//!
//! The number of rows in each table, the length of their keys and values, which rows share a prefix, the sequence
//! numbers in keys, and when files were written. RocksDB's own `LOG` and `OPTIONS` files say its settings, and the
//! machine's paths. No name, number or text of a patient, in no file.
//!
//! They could also put back an old copy of the whole folder, or of a row: a sealed value is bound to its place, not
//! to its time. The protocol's signed logs reveal that, this room does not.
//!
//! # What it does not
//!
//! A deleted value stays in the files, sealed, until RocksDB compacts them: [`Store::compact`] does so now. Copies in
//! backups are the backups' affair. Several reads do not see one instant together, except the rows of one
//! [`Store::scan`].

mod batch;
mod engine;
mod error;
mod format;
mod mark;
mod names;
mod open;
mod read;
mod sealing;
mod stats;
mod table;
#[cfg(test)]
mod tests;
mod verify;

use std::fmt;
use std::fs::{self, File};
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, PoisonError};

use rocksdb::checkpoint::Checkpoint;
use rocksdb::{BottommostLevelCompaction, ColumnFamily, CompactOptions, DB, WriteBatch};

pub use batch::Batch;
pub use engine::Options;
pub use error::StoreError;
pub use format::{FILE_NAME as FORMAT_FILE_NAME, VERSION};
pub use names::{Namer, row_key, sequence_of};
pub use read::{Range, Row, Scan};
pub use sealing::StorageKey;
pub use stats::{Stats, TableStats};
pub use table::Table;
pub use verify::{Progress, TableCheck, Verification};

use sealing::Sealer;

/// Name of RocksDB's folder in the data folder.
pub const FOLDER_NAME: &str = "rocksdb";

/// The longest row key, bytes.
pub const MAX_KEY_BYTES: usize = 512;

/// The largest [`Batch`], bytes of keys and sealed values: the largest import with its original, and what waits for the same commit.
pub const MAX_BATCH_BYTES: usize = 96 * 1024 * 1024;

/// The open database. A clone is another handle to the same one; the last to go closes it.
#[derive(Clone)]
pub struct Store {
    inner: Arc<Inner>,
}

/// Fields in the order in which they must go: the lock last.
struct Inner {
    db: DB,
    settings: rocksdb::Options,
    cache: rocksdb::Cache,
    sync: bool,
    sealer: Arc<Sealer>,
    namer: Namer,
    folder: PathBuf,
    mark: mark::Mark,
    /// Why the last commit failed, where it did.
    trouble: Mutex<Option<String>>,
    _lock: File,
}

impl Drop for Inner {
    fn drop(&mut self) {
        self.mark.at_rest(&self.folder.join(FOLDER_NAME), self.sync);
    }
}

impl Store {
    /// Opens the database in the data folder `dir`; makes an empty one when there is none.
    ///
    /// # Errors
    ///
    /// Before anything in the folder is written: [`StoreError::Newer`], [`StoreError::InUse`],
    /// [`StoreError::WrongKey`]. Then [`StoreError::FilesDamaged`], [`StoreError::DiskFull`], [`StoreError::ReadOnly`],
    /// [`StoreError::Permission`] and [`StoreError::Io`].
    pub fn open(dir: &Path, key: &StorageKey, options: Options) -> Result<Store, StoreError> {
        open::open(dir, key, &options).map(|inner| Store {
            inner: Arc::new(inner),
        })
    }

    /// Makes the names of rows whose key would otherwise say something readable.
    #[must_use]
    pub fn namer(&self) -> &Namer {
        &self.inner.namer
    }

    /// An empty batch. It seals what is put into it at once, on the caller's thread.
    #[must_use]
    pub fn batch(&self) -> Batch {
        Batch::new(Arc::clone(&self.inner.sealer))
    }

    /// Writes the whole batch or nothing of it, with one sync of the write-ahead log. An empty one costs nothing.
    ///
    /// Blocks for as long as the disk needs: call it from the writer's own thread.
    ///
    /// # Errors
    ///
    /// [`StoreError::OtherStore`] for a batch of another store. After [`StoreError::DiskFull`] or an I/O error
    /// RocksDB may refuse every write until the database is opened again; what was committed stays readable.
    pub fn commit(&self, batch: Batch) -> Result<(), StoreError> {
        if !batch.belongs_to(&self.inner.sealer) {
            return Err(StoreError::OtherStore);
        }
        if batch.is_empty() {
            return Ok(());
        }
        let mut write = WriteBatch::with_capacity_bytes(batch.bytes() + 16 * batch.len() + 64);
        for step in batch.into_steps() {
            step.apply(&self.inner, &mut write)?;
        }
        let mut options = rocksdb::WriteOptions::default();
        options.set_sync(self.inner.sync);
        let written = self.inner.db.write_opt(write, &options);
        self.inner.note(written.as_ref().err());
        written?;
        self.inner
            .mark
            .after_commit(&self.inner.folder.join(FOLDER_NAME));
        Ok(())
    }

    /// Writes down how far the write-ahead log is on the disk, so that a log that is cut short afterwards is seen at the next start. To be called
    /// every few seconds; costs a sync where something was written since.
    pub fn mark(&self) {
        if self.inner.sync {
            let folder = self.inner.folder.join(FOLDER_NAME);
            self.inner.mark.look_at_log(&folder);
        }
    }

    /// How many bytes of the write-ahead log were missing at the start that were on the disk before; nothing where none were, or where
    /// [`Self::begun_anew`] was said since.
    #[must_use]
    pub fn cut(&self) -> Option<u64> {
        mark::cut(&self.inner.folder.join(FOLDER_NAME))
    }

    /// The node has begun anew: what was missing is known.
    ///
    /// # Errors
    ///
    /// [`StoreError::Io`].
    pub fn begun_anew(&self) -> Result<(), StoreError> {
        let folder = self.inner.folder.join(FOLDER_NAME);
        mark::forget_cut(&folder).map_err(|source| StoreError::io(&folder, source))
    }

    /// Why the last commit failed, where it did: what was refused is not kept, and the next commit may fail too.
    #[must_use]
    pub fn trouble(&self) -> Option<String> {
        self.inner
            .trouble
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .clone()
    }

    /// Makes a consistent copy of the database, with its `FORMAT`, in the new folder `dest`; it opens with the same
    /// storage key. Files are linked where `dest` is on the same file system, else copied. Commits go on meanwhile.
    ///
    /// # Errors
    ///
    /// [`StoreError::Exists`] when there is something at `dest`. When it fails, `dest` is removed.
    pub fn checkpoint(&self, dest: &Path) -> Result<(), StoreError> {
        let there = dest
            .try_exists()
            .map_err(|source| StoreError::io(dest, source))?;
        if there {
            return Err(StoreError::Exists {
                path: dest.to_owned(),
            });
        }
        crate::durable::make_folder(dest).map_err(|source| StoreError::io(dest, source))?;
        self.checkpoint_into(dest).inspect_err(|_| {
            // The first error is the one to tell.
            let _ = fs::remove_dir_all(dest);
        })
    }

    fn checkpoint_into(&self, dest: &Path) -> Result<(), StoreError> {
        let folder = dest.join(FOLDER_NAME);
        Checkpoint::new(&self.inner.db)?.create_checkpoint(&folder)?;
        // A copy of the copy that was cut short is damage, too.
        mark::Mark::default().at_rest(&folder, false);
        // Last: a copy without it is an unfinished one.
        format::copy(&self.inner.folder, dest)
    }

    /// Rewrites a table's files without what was deleted or replaced, so that an erased value leaves the disk now.
    /// Takes time in proportion to the table.
    pub fn compact(&self, table: Table) -> Result<(), StoreError> {
        let rows = self.inner.family(table.name())?;
        // All tables: a log file goes when none of them needs it any more, and it holds the value too.
        self.inner.db.flush()?;
        for other in Table::ALL {
            self.inner.db.flush_cf(self.inner.family(other.name())?)?;
        }
        let mut options = CompactOptions::default();
        options.set_bottommost_level_compaction(BottommostLevelCompaction::ForceOptimized);
        options.set_exclusive_manual_compaction(false);
        self.inner
            .db
            .compact_range_cf_opt(rows, None::<&[u8]>, None::<&[u8]>, &options);
        Ok(())
    }
}

impl Inner {
    fn note(&self, failed: Option<&rocksdb::Error>) {
        let trouble =
            failed.map(|error| StoreError::from_words(&error.kind(), error.as_ref()).to_string());
        *self.trouble.lock().unwrap_or_else(PoisonError::into_inner) = trouble;
    }

    fn family(&self, name: &str) -> Result<&ColumnFamily, StoreError> {
        // Opening fails when one is missing, so that only a defect of ours leads here.
        self.db.cf_handle(name).ok_or(StoreError::Engine {
            message: String::from("a column family is missing"),
        })
    }
}

impl fmt::Debug for Store {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Store")
            .field("folder", &self.inner.folder)
            .finish_non_exhaustive()
    }
}
