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

impl<R: Rows> Rows for Overlay<'_, R> {
    fn get(&self, row: &Row) -> Result<Option<Vec<u8>>, StorageError> {
        match self.staging.get(row) {
            Some(change) => Ok(change.clone()),
            None => self.rows.get(row),
        }
    }

    /// First committed ones that stay as they are, in their order; then those that are not durable yet, in theirs: together in no order that means
    /// anything.
    fn each_but(
        &self,
        prefix: &RowPrefix,
        but: &BTreeSet<Row>,
        more: &mut dyn FnMut(Vec<u8>) -> bool,
    ) -> Result<(), StorageError> {
        let changes = within(self.staging, prefix);
        let mut passed_over: BTreeSet<Row> = changes.keys().copied().collect();
        passed_over.extend(but);
        let mut going = true;
        self.rows.each_but(prefix, &passed_over, &mut |value| {
            going = more(value);
            going
        })?;
        let fresh = changes.into_iter().filter(|(row, _)| !but.contains(row));
        for value in fresh.filter_map(|(_, value)| value.as_ref()) {
            if !going {
                break;
            }
            going = more(value.clone());
        }
        Ok(())
    }
}

impl<R: Rows> Overlay<'_, R> {
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
