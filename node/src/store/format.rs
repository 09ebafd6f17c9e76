//! The file `FORMAT`: which version wrote the database, and under which key.
//!
//! Two lines of text, `maillon database 2` and `key <32 hexadecimal digits>`. The digits come from the storage key by
//! HKDF and say nothing about it; they let a wrong key be refused before RocksDB touches a file. Later versions keep
//! the first line's form, so that this one can say that they are newer.
//!
//! | version | what is new |
//! |---|---|
//! | 1 | |
//! | 2 | the table `access`; made empty where version 1 wrote the database, when it is opened |

use std::path::Path;

use data_encoding::HEXLOWER;

use super::{StorageKey, StoreError};

/// Name of the file in the data folder.
pub const FILE_NAME: &str = "FORMAT";

/// The version of the database that this program writes, and the newest that it reads.
pub const VERSION: u32 = 2;

/// The oldest that it reads, and makes one of its own of.
const OLDEST: u32 = 1;

const MAX_BYTES: u64 = 4096;
const FIRST_WORDS: &str = "maillon database ";

/// Checks version and key against the file, and gives the version; none when there is no file.
pub(super) fn check(dir: &Path, key: &StorageKey) -> Result<Option<u32>, StoreError> {
    let Some(bytes) = read(dir)? else {
        return Ok(None);
    };
    let text = std::str::from_utf8(&bytes).map_err(|_| unreadable())?;
    let mut lines = text.lines();
    let found = lines
        .next()
        .and_then(|line| line.strip_prefix(FIRST_WORDS))
        .and_then(|number| number.parse::<u32>().ok())
        .ok_or_else(unreadable)?;
    if found > VERSION {
        return Err(StoreError::Newer {
            found,
            known: VERSION,
        });
    }
    let fingerprint = lines
        .next()
        .and_then(|line| line.strip_prefix("key "))
        .filter(|digits| digits.len() == 32)
        .ok_or_else(unreadable)?;
    if found < OLDEST || lines.next().is_some() {
        return Err(unreadable());
    }
    if fingerprint != self::fingerprint(key) {
        return Err(StoreError::WrongKey);
    }
    Ok(Some(found))
}

/// Writes the file for a new database, or for one that has become of this version.
pub(super) fn write(dir: &Path, key: &StorageKey) -> Result<(), StoreError> {
    let text = format!("{FIRST_WORDS}{VERSION}\nkey {}\n", fingerprint(key));
    put(dir, text.as_bytes())
}

/// Puts the file of one data folder into another.
pub(super) fn copy(from: &Path, to: &Path) -> Result<(), StoreError> {
    let bytes = read(from)?.ok_or_else(unreadable)?;
    put(to, &bytes)
}

fn put(dir: &Path, bytes: &[u8]) -> Result<(), StoreError> {
    let path = dir.join(FILE_NAME);
    crate::durable::replace(&path, bytes).map_err(|source| StoreError::io(&path, source))
}

fn read(dir: &Path) -> Result<Option<Vec<u8>>, StoreError> {
    let path = dir.join(FILE_NAME);
    crate::durable::read(&path, MAX_BYTES).map_err(|source| StoreError::io(&path, source))
}

fn fingerprint(key: &StorageKey) -> String {
    HEXLOWER.encode(&key.derive("maillon/1 store fingerprint")[..16])
}

fn unreadable() -> StoreError {
    StoreError::FilesDamaged {
        detail: String::from("the file FORMAT is missing or not understood"),
    }
}
