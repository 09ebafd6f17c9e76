//! Opening: look first, lock, then let RocksDB in.

use std::fs::{File, TryLockError};
use std::io;
use std::path::Path;
use std::sync::{Arc, Mutex};

use rocksdb::{Cache, DB};

use super::sealing::Sealer;
use super::{FOLDER_NAME, Inner, Namer, Options, StorageKey, StoreError, Table, format, mark};
use crate::random::RandomPool;

/// The row in the default column family that proves the storage key.
const PROOF_PLACE: &str = rocksdb::DEFAULT_COLUMN_FAMILY_NAME;
const PROOF_KEY: &[u8] = b"proof";
const PROOF: &[u8] = b"sealed under the storage key of this node";

pub(super) fn open(dir: &Path, key: &StorageKey, options: &Options) -> Result<Inner, StoreError> {
    let known = format::check(dir, key)?;
    if known.is_none() {
        crate::durable::make_folder(dir).map_err(|source| StoreError::io(dir, source))?;
    }
    let lock = lock(dir)?;
    // Somebody else may have made the database between the look and the lock.
    let known = match known {
        None => format::check(dir, key)?,
        known => known,
    };
    let folder = dir.join(FOLDER_NAME);
    if known.is_none() {
        crate::durable::make_folder(&folder).map_err(|source| StoreError::io(&folder, source))?;
    }
    if known.is_some() && !folder.join("CURRENT").exists() {
        return Err(StoreError::FilesDamaged {
            detail: format!("the folder {FOLDER_NAME} is missing or empty"),
        });
    }
    if known.is_some() {
        mark::check(&folder)?;
    }
    let older = known.filter(|version| *version < format::VERSION);
    let settings = options.settings(known.is_none(), known.is_none() || older.is_some());
    let cache = Cache::new_lru_cache(options.block_cache_bytes);
    let db = DB::open_cf_descriptors(&settings, &folder, options.families(&cache))?;
    let inner = Inner {
        db,
        settings,
        cache,
        sync: options.sync,
        sealer: Arc::new(Sealer::new(key)),
        namer: Namer::new(key),
        folder: dir.to_owned(),
        mark: mark::Mark::default(),
        trouble: Mutex::new(None),
        _lock: lock,
    };
    if known.is_some() {
        check_proof(&inner)?;
        if older.is_some() {
            format::write(dir, key)?;
        }
    } else {
        finish_new(&inner, key)?;
    }
    inner.mark.at_rest(&folder, inner.sync);
    Ok(inner)
}

/// Locks the data folder itself, which leaves no file behind and ends with the process.
fn lock(dir: &Path) -> Result<File, StoreError> {
    let folder = File::open(dir).map_err(|source| StoreError::io(dir, source))?;
    match folder.try_lock() {
        Ok(()) => Ok(folder),
        Err(TryLockError::WouldBlock) => Err(StoreError::InUse),
        // A file system without locks: RocksDB's own lock file is the second line.
        Err(TryLockError::Error(error)) if error.kind() == io::ErrorKind::Unsupported => Ok(folder),
        Err(TryLockError::Error(source)) => Err(StoreError::io(dir, source)),
    }
}

/// `FORMAT` and the database may come from two backups: the proof is inside the database.
fn check_proof(inner: &Inner) -> Result<(), StoreError> {
    let stored = inner.db.get(PROOF_KEY)?.ok_or(StoreError::WrongKey)?;
    match inner.sealer.unseal(PROOF_PLACE, PROOF_KEY, &stored) {
        Ok(proof) if proof == PROOF => Ok(()),
        _ => Err(StoreError::WrongKey),
    }
}

/// Writes the proof, then `FORMAT`. Without `FORMAT` nobody was ever given the store, so that a database that holds
/// rows has lost the file, and one without rows is a beginning that was cut short.
fn finish_new(inner: &Inner, key: &StorageKey) -> Result<(), StoreError> {
    for table in Table::ALL {
        let rows = inner.family(table.name())?;
        if let Some(row) = inner
            .db
            .iterator_cf(rows, rocksdb::IteratorMode::Start)
            .next()
        {
            row?;
            return Err(StoreError::FilesDamaged {
                detail: String::from("the file FORMAT is missing"),
            });
        }
    }
    let proof = inner
        .sealer
        .seal(PROOF_PLACE, PROOF_KEY, PROOF, &mut RandomPool::default())?;
    let mut options = rocksdb::WriteOptions::default();
    options.set_sync(true);
    inner.db.put_opt(PROOF_KEY, proof, &options)?;
    crate::durable::sync_folder(&inner.folder)
        .map_err(|source| StoreError::io(&inner.folder, source))?;
    format::write(&inner.folder, key)
}
