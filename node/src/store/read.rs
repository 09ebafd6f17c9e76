//! Reading: one row, several, or those under a prefix.

use std::fmt;

use rocksdb::{DBIterator, Direction, IteratorMode, PrefixRange, ReadOptions};

use super::sealing::Sealer;
use super::{Store, StoreError, Table};

/// Which rows of a prefix, and in which order. The default is all of them, upwards.
#[derive(Debug, Clone, Copy, Default)]
pub struct Range<'a> {
    /// The whole key of the row to begin with, included if there is one; else the next in the order asked for.
    pub from: Option<&'a [u8]>,
    /// Downwards, from the last row (or from `from`).
    pub reverse: bool,
}

impl<'a> Range<'a> {
    /// All rows, upwards.
    #[must_use]
    pub fn all() -> Range<'a> {
        Range::default()
    }

    /// From this key on, upwards.
    #[must_use]
    pub fn from(key: &'a [u8]) -> Range<'a> {
        Range {
            from: Some(key),
            reverse: false,
        }
    }

    /// All rows, the last first.
    #[must_use]
    pub fn backwards() -> Range<'a> {
        Range {
            from: None,
            reverse: true,
        }
    }

    /// From this key on, downwards.
    #[must_use]
    pub fn backwards_from(key: &'a [u8]) -> Range<'a> {
        Range {
            from: Some(key),
            reverse: true,
        }
    }
}

impl Store {
    /// The value of a row, `None` when there is no such row.
    ///
    /// # Errors
    ///
    /// [`StoreError::Damaged`] when it does not unseal.
    pub fn get(&self, table: Table, key: &[u8]) -> Result<Option<Vec<u8>>, StoreError> {
        let rows = self.inner.family(table.name())?;
        match self
            .inner
            .db
            .get_pinned_cf_opt(rows, key, &options(table))?
        {
            Some(stored) => self.inner.sealer.read(table, key, &stored).map(Some),
            None => Ok(None),
        }
    }

    /// The values of several rows, in the order of `keys`.
    ///
    /// # Errors
    ///
    /// As [`Store::get`], for the first row that fails.
    pub fn multi_get<K: AsRef<[u8]>>(
        &self,
        table: Table,
        keys: &[K],
    ) -> Result<Vec<Option<Vec<u8>>>, StoreError> {
        let rows = self.inner.family(table.name())?;
        let wanted: Vec<&[u8]> = keys.iter().map(AsRef::as_ref).collect();
        let options = options(table);
        let found = self
            .inner
            .db
            .batched_multi_get_cf_opt(rows, &wanted, false, &options);
        wanted
            .iter()
            .zip(found)
            .map(|(key, stored)| match stored? {
                Some(stored) => self.inner.sealer.read(table, key, &stored).map(Some),
                None => Ok(None),
            })
            .collect()
    }

    /// The rows whose keys begin with `prefix` (every row for an empty one), in the order of their keys, as they
    /// were when this was called. Rows are read as they are asked for; nothing outside the prefix ever is.
    ///
    /// # Errors
    ///
    /// A row that does not unseal is a [`StoreError::Damaged`] item, and the scan can go on; any other error is the
    /// last item.
    pub fn scan<'a>(
        &'a self,
        table: Table,
        prefix: &[u8],
        range: Range<'_>,
    ) -> Result<Scan<'a>, StoreError> {
        let rows = self.inner.family(table.name())?;
        let mut options = options(table);
        options.set_iterate_range(PrefixRange(prefix));
        let mode = match (range.from, range.reverse) {
            (None, false) => IteratorMode::Start,
            (None, true) => IteratorMode::End,
            (Some(key), false) => IteratorMode::From(key, Direction::Forward),
            (Some(key), true) => IteratorMode::From(key, Direction::Reverse),
        };
        Ok(Scan {
            rows: self.inner.db.iterator_cf_opt(rows, options, mode),
            table,
            sealer: &self.inner.sealer,
        })
    }
}

/// How rows of a table are read: those that are large and read once take no room from what is read again.
fn options(table: Table) -> ReadOptions {
    let mut options = ReadOptions::default();
    options.fill_cache(!table.is_large());
    options
}

/// A row: its key and its value in the clear.
pub type Row = (Box<[u8]>, Vec<u8>);

/// The rows of a [`Store::scan`], unsealed one by one as they are asked for.
pub struct Scan<'a> {
    rows: DBIterator<'a>,
    table: Table,
    sealer: &'a Sealer,
}

impl Iterator for Scan<'_> {
    type Item = Result<Row, StoreError>;

    fn next(&mut self) -> Option<Result<Row, StoreError>> {
        let row = self.rows.next()?;
        Some(row.map_err(StoreError::from).and_then(|(key, stored)| {
            let value = self.sealer.read(self.table, &key, &stored)?;
            Ok((key, value))
        }))
    }
}

impl fmt::Debug for Scan<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Scan")
            .field("table", &self.table)
            .finish_non_exhaustive()
    }
}
