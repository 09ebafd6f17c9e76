//! The store's promises, on real databases in temporary folders.

mod commits;
mod crash;
mod damage;
mod opening;
mod reading;
mod secrecy;

use std::collections::BTreeMap;
use std::fs;
use std::path::Path;

use tempfile::TempDir;

use super::*;

fn folder() -> TempDir {
    tempfile::tempdir().expect("a temporary folder")
}

fn key() -> StorageKey {
    StorageKey::new(&[0x5A; 32])
}

fn open(dir: &Path) -> Store {
    Store::open(dir, &key(), Options::default()).expect("the store opens")
}

fn refusal(dir: &Path) -> StoreError {
    Store::open(dir, &key(), Options::default()).expect_err("must be refused")
}

fn put(store: &Store, table: Table, key: &[u8], value: &[u8]) {
    let mut batch = store.batch();
    batch.put(table, key, value).expect("there is room");
    store.commit(batch).expect("committed");
}

/// Every file under a folder, by its path.
fn files(dir: &Path) -> BTreeMap<String, Vec<u8>> {
    let mut found = BTreeMap::new();
    for entry in fs::read_dir(dir).expect("the folder") {
        let path = entry.expect("an entry").path();
        if path.is_dir() {
            found.extend(files(&path));
        } else {
            let content = fs::read(&path).expect("the file");
            found.insert(path.display().to_string(), content);
        }
    }
    found
}

fn contains(content: &[u8], needle: &[u8]) -> bool {
    content.windows(needle.len()).any(|window| window == needle)
}
