//! Reading everything once, to know that a backup is good before it is needed.

use std::ops::ControlFlow;

use rocksdb::{IteratorMode, ReadOptions};

use super::sealing::row_name;
use super::{Store, StoreError, Table};

/// Damaged rows that are named for each table; the others are only counted.
const NAMED_ROWS: usize = 10;
/// Rows between two calls of the progress callback.
const STEP_ROWS: u64 = 1024;

/// Where a verification stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Progress {
    /// The table that is being read.
    pub table: Table,
    /// Rows read so far, in all tables.
    pub rows: u64,
    /// RocksDB's estimate of all rows, for a progress bar.
    pub estimated_rows: u64,
}

/// What was found in one table. Never a value.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TableCheck {
    /// The table.
    pub table: Table,
    /// Rows read, damaged ones included.
    pub rows: u64,
    /// Bytes of their keys and sealed values.
    pub bytes: u64,
    /// Rows that did not unseal.
    pub damaged: u64,
    /// The beginnings of the first damaged rows' keys, in hexadecimal.
    pub first_damaged: Vec<String>,
    /// Why the rest of the table could not be read at all.
    pub broken_off: Option<String>,
}

/// What was found in all tables.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Verification {
    /// One for each table, in the order of [`Table::ALL`].
    pub tables: Vec<TableCheck>,
}

impl Verification {
    /// Whether every row of every table was read and unsealed.
    #[must_use]
    pub fn is_good(&self) -> bool {
        self.tables
            .iter()
            .all(|check| check.damaged == 0 && check.broken_off.is_none())
    }

    /// Rows read, in all tables.
    #[must_use]
    pub fn rows(&self) -> u64 {
        self.tables.iter().map(|check| check.rows).sum()
    }
}

impl Store {
    /// Reads and unseals every row of every table. Other reads and commits go on meanwhile; the cache is spared.
    ///
    /// `progress` is called every thousand rows or so and at each table's end; it may stop the work.
    ///
    /// # Errors
    ///
    /// [`StoreError::Stopped`] when `progress` says so. Damage is no error here, it is the result.
    pub fn verify(
        &self,
        mut progress: impl FnMut(Progress) -> ControlFlow<()>,
    ) -> Result<Verification, StoreError> {
        let estimated_rows = self.stats()?.rows();
        let mut before = 0;
        let mut tables = Vec::with_capacity(Table::ALL.len());
        for table in Table::ALL {
            let check = self.check_table(table, |rows| {
                progress(Progress {
                    table,
                    rows: before + rows,
                    estimated_rows,
                })
            })?;
            before += check.rows;
            tables.push(check);
        }
        Ok(Verification { tables })
    }

    fn check_table(
        &self,
        table: Table,
        mut progress: impl FnMut(u64) -> ControlFlow<()>,
    ) -> Result<TableCheck, StoreError> {
        let mut options = ReadOptions::default();
        options.fill_cache(false);
        options.set_verify_checksums(true);
        options.set_readahead_size(1024 * 1024);
        let rows = self.inner.family(table.name())?;
        let mut check = TableCheck {
            table,
            rows: 0,
            bytes: 0,
            damaged: 0,
            first_damaged: Vec::new(),
            broken_off: None,
        };
        for row in self
            .inner
            .db
            .iterator_cf_opt(rows, options, IteratorMode::Start)
        {
            let (key, stored) = match row {
                Ok(row) => row,
                Err(error) => {
                    check.broken_off = Some(error.into_string());
                    break;
                }
            };
            check.rows += 1;
            check.bytes += (key.len() + stored.len()) as u64;
            if self
                .inner
                .sealer
                .unseal(table.name(), &key, &stored)
                .is_err()
            {
                check.damaged += 1;
                if check.first_damaged.len() < NAMED_ROWS {
                    check.first_damaged.push(row_name(&key));
                }
            }
            if check.rows.is_multiple_of(STEP_ROWS) && progress(check.rows).is_break() {
                return Err(StoreError::Stopped);
            }
        }
        if progress(check.rows).is_break() {
            return Err(StoreError::Stopped);
        }
        Ok(check)
    }
}
