//! Rows that are not durable yet, how jobs see them, and how they are taken back.
//!
//! There are two layers above what is committed: rows *in flight*, which the driver is writing to the disk, and rows *staged* above them by
//! the jobs that run meanwhile. Jobs read through both ([`Overlay`]), so that each sees what the ones before it have done, whether in the same
//! commit or in the one before. Nobody else sees either.

use std::{
    collections::{BTreeMap, BTreeSet},
    sync::Arc,
};

use super::{Row, RowPrefix, Rows, StorageError};

/// Rows and what becomes of them: a new value, or none where the row goes.
pub type Changes = BTreeMap<Row, Option<Vec<u8>>>;

/// A row, and what was staged of it before; none where nothing was.
type Overwritten = (Row, Option<Option<Vec<u8>>>);

/// What is not durable yet.
#[derive(Debug, Default)]
pub(super) struct Staging {
    staged: Changes,
    bytes: usize,
    in_flight: Option<Arc<Changes>>,
    /// While a job runs: what each row that it staged was before.
    journal: Option<Vec<Overwritten>>,
}

impl Staging {
    pub(super) fn put(&mut self, row: Row, value: Option<Vec<u8>>) {
        self.bytes += value.as_ref().map_or(0, Vec::len);
        let old = self.staged.insert(row, value);
        if let Some(journal) = &mut self.journal {
            journal.push((row, old));
        }
    }

    pub(super) const fn staged(&self) -> &Changes {
        &self.staged
    }

    /// About how many bytes are staged.
    pub(super) const fn bytes(&self) -> usize {
        self.bytes
    }

    /// A job begins.
    pub(super) fn begin(&mut self) {
        self.journal = Some(Vec::new());
    }

    /// The job is good.
    pub(super) fn keep(&mut self) {
        self.journal = None;
    }

    /// The job failed: its rows are as they were.
    pub(super) fn take_back(&mut self) {
        for (row, old) in self.journal.take().unwrap_or_default().into_iter().rev() {
            match old {
                Some(old) => self.staged.insert(row, old),
                None => self.staged.remove(&row),
            };
        }
    }

    /// What is staged is now in flight.
    pub(super) fn take_off(&mut self) -> Arc<Changes> {
        self.bytes = 0;
        let rows = Arc::new(std::mem::take(&mut self.staged));
        self.in_flight = Some(Arc::clone(&rows));
        rows
    }

    /// What was in flight is durable.
    pub(super) fn landed(&mut self) {
        self.in_flight = None;
    }

    /// What is in flight could not be made durable: neither it nor what was staged above it is kept.
    pub(super) fn clear(&mut self) {
        self.staged.clear();
        self.bytes = 0;
        self.in_flight = None;
    }

    /// What is to become of a row, where anything is.
    fn get(&self, row: &Row) -> Option<&Option<Vec<u8>>> {
        let in_flight = || self.in_flight.as_ref().and_then(|rows| rows.get(row));
        self.staged.get(row).or_else(in_flight)
    }

    /// The changes within a prefix, staged ones before those in flight.
    fn within(&self, prefix: &RowPrefix) -> BTreeMap<Row, &Option<Vec<u8>>> {
        let layers = [self.in_flight.as_deref(), Some(&self.staged)];
        layers
            .into_iter()
            .flatten()
            .flat_map(|rows| rows.range(prefix.first()..))
            .filter(|(row, _)| prefix.holds(row))
            .map(|(row, value)| (*row, value))
            .collect()
    }
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
        let changes = self.staging.within(prefix);
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
        let changes = self.staging.within(prefix);
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
