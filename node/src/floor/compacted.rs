//! What a node's records take on the disk once nothing that was replaced is left in the files.

use std::path::Path;

use serde::Serialize;

use super::FloorError;
use crate::{
    keystore::{Keystore, Unlock},
    store::{Options, StorageKey, Store, Table},
};

/// Bytes of a database without anything that was replaced.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Compacted {
    /// Bytes of all files of tables.
    pub bytes: u64,
    /// Of them, of each table.
    pub tables: Vec<(&'static str, u64)>,
}

/// Rewrites every table of the stopped node in `data` without what was deleted or replaced, and says what is left. No row changes.
///
/// # Errors
/// [`FloorError`]; [`StoreError::InUse`](crate::store::StoreError::InUse) within while the node runs.
pub fn compacted(data: &Path, unlock: &Unlock) -> Result<Compacted, FloorError> {
    let (_, secrets) = Keystore::open(data, unlock)?;
    let key = StorageKey::new(secrets.storage_key.expose());
    let store = Store::open(data, &key, Options::default())?;
    Table::ALL
        .into_iter()
        .try_for_each(|table| store.compact(table))?;
    let stats = store.stats()?;
    Ok(Compacted {
        bytes: stats.file_bytes(),
        tables: stats
            .tables
            .iter()
            .map(|table| (table.table.name(), table.file_bytes))
            .collect(),
    })
}
