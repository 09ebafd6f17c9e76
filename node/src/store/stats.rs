//! Sizes, for the status page and the metrics.

use std::ffi::OsStr;
use std::fs;
use std::io;

use rocksdb::properties;
use rocksdb::statistics::Ticker;

use super::{FOLDER_NAME, Store, StoreError, Table};

/// What the database takes, in bytes and rows.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Stats {
    /// One for each table, in the order of [`Table::ALL`].
    pub tables: Vec<TableStats>,
    /// Write-ahead log files, bytes.
    pub wal_bytes: u64,
    /// Syncs of the write-ahead log since the database was opened.
    pub wal_syncs: u64,
    /// Memory that the block cache holds, bytes; bounded by its option.
    pub block_cache_bytes: u64,
}

/// What one table takes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct TableStats {
    /// The table.
    pub table: Table,
    /// RocksDB's estimate of its rows.
    pub rows: u64,
    /// Its files, bytes.
    pub file_bytes: u64,
    /// Its write buffers in memory, bytes.
    pub memtable_bytes: u64,
}

impl Stats {
    /// Estimated rows of all tables.
    #[must_use]
    pub fn rows(&self) -> u64 {
        self.tables.iter().map(|table| table.rows).sum()
    }

    /// Bytes of all tables' files.
    #[must_use]
    pub fn file_bytes(&self) -> u64 {
        self.tables.iter().map(|table| table.file_bytes).sum()
    }

    /// Bytes of all tables' write buffers.
    #[must_use]
    pub fn memtable_bytes(&self) -> u64 {
        self.tables.iter().map(|table| table.memtable_bytes).sum()
    }
}

impl Store {
    /// The sizes now. Reads some properties and one folder's listing, no rows.
    pub fn stats(&self) -> Result<Stats, StoreError> {
        let tables = Table::ALL
            .into_iter()
            .map(|table| self.table_stats(table))
            .collect::<Result<_, _>>()?;
        let inner = &self.inner;
        Ok(Stats {
            tables,
            wal_bytes: self.wal_bytes()?,
            wal_syncs: inner.settings.get_ticker_count(Ticker::WalFileSynced),
            block_cache_bytes: inner.cache.get_usage() as u64,
        })
    }

    fn table_stats(&self, table: Table) -> Result<TableStats, StoreError> {
        let rows = self.inner.family(table.name())?;
        let property = |name| -> Result<u64, StoreError> {
            Ok(self
                .inner
                .db
                .property_int_value_cf(rows, name)?
                .unwrap_or(0))
        };
        Ok(TableStats {
            table,
            rows: property(properties::ESTIMATE_NUM_KEYS)?,
            file_bytes: property(properties::TOTAL_SST_FILES_SIZE)?,
            memtable_bytes: property(properties::SIZE_ALL_MEM_TABLES)?,
        })
    }

    fn wal_bytes(&self) -> Result<u64, StoreError> {
        let folder = self.inner.folder.join(FOLDER_NAME);
        let failed = |source| StoreError::io(&folder, source);
        let mut bytes = 0;
        for file in fs::read_dir(&folder).map_err(failed)? {
            let path = file.map_err(failed)?.path();
            if path.extension() != Some(OsStr::new("log")) {
                continue;
            }
            match fs::metadata(&path) {
                Ok(metadata) => bytes += metadata.len(),
                // RocksDB removed it meanwhile.
                Err(error) if error.kind() == io::ErrorKind::NotFound => {}
                Err(source) => return Err(failed(source)),
            }
        }
        Ok(bytes)
    }
}
