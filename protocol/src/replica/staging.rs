//! How jobs see rows: what is staged or in flight ([`Layers`]) above what is committed, so that each sees what the ones before it have done,
//! whether in the same commit or in one before it. Nobody else sees what is not committed.

use std::collections::{BTreeMap, BTreeSet};

use super::{Layer, Layers, Row, RowPrefix, Rows, StorageError};

/// Rows of the replica and what becomes of them.
pub type Changes = Layer<Row>;

/// What is not durable yet.
pub(super) type Staging = Layers<Row>;

fn within<'a>(staging: &'a Staging, prefix: &RowPrefix) -> BTreeMap<Row, &'a Option<Vec<u8>>> {
    staging.within(prefix.first(), |row| prefix.holds(row))
}

/// Committed rows, with everything above them.
pub(super) struct Overlay<'a, R> {
    pub(super) rows: &'a R,
    pub(super) staging: &'a Staging,
}

impl<R: Rows> Overlay<'_, R> {
    pub(super) fn get(&self, row: &Row) -> Result<Option<Vec<u8>>, StorageError> {
        match self.staging.get(row) {
            Some(change) => Ok(change.clone()),
            None => self.rows.get(row),
        }
    }

    /// Values of a prefix until `more` says no: first committed ones that stay as they are, in their order; then those that are not durable
    /// yet, in theirs.
    pub(super) fn each(
        &self,
        prefix: &RowPrefix,
        more: &mut dyn FnMut(Vec<u8>) -> bool,
    ) -> Result<(), StorageError> {
        let changes = within(self.staging, prefix);
        let changed: BTreeSet<Row> = changes.keys().copied().collect();
        let mut going = true;
        self.rows.each_but(prefix, &changed, &mut |value| {
            going = more(value);
            going
        })?;
        for value in changes.into_values().flatten() {
            if !going {
                break;
            }
            going = more(value.clone());
        }
        Ok(())
    }

    /// All values of a prefix, in no order that means anything.
    pub(super) fn scan(&self, prefix: &RowPrefix) -> Result<Vec<Vec<u8>>, StorageError> {
        let mut found = Vec::new();
        self.each(prefix, &mut |value| {
            found.push(value);
            true
        })?;
        Ok(found)
    }

    /// The first value of a prefix among committed ones that stay as they are, and the first among those that are not durable yet.
    pub(super) fn firsts(&self, prefix: &RowPrefix) -> Result<Vec<Vec<u8>>, StorageError> {
        let changes = within(self.staging, prefix);
        let changed: BTreeSet<Row> = changes.keys().copied().collect();
        let mut committed = None;
        self.rows.each_but(prefix, &changed, &mut |value| {
            committed = Some(value);
            false
        })?;
        let fresh = changes.into_values().flatten().next().cloned();
        Ok(committed.into_iter().chain(fresh).collect())
    }
}
