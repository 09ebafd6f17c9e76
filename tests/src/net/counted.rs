//! Rows whose reading is counted: what a node's work costs, the same on every machine.

use std::{cell::Cell, collections::BTreeSet};

use maillon_protocol::replica::{Memory, Row, RowPrefix, Rows, StorageError};

/// The rows of a node; each that is asked for, or passed in a scan, counts as one.
pub struct Counted<'a> {
    pub(super) rows: &'a Memory,
    pub(super) read: &'a Cell<u64>,
}

impl Counted<'_> {
    fn count(&self) {
        self.read.set(self.read.get() + 1);
    }
}

impl Rows for Counted<'_> {
    fn get(&self, row: &Row) -> Result<Option<Vec<u8>>, StorageError> {
        self.count();
        self.rows.get(row)
    }

    fn each_but(
        &self,
        prefix: &RowPrefix,
        but: &BTreeSet<Row>,
        more: &mut dyn FnMut(Vec<u8>) -> bool,
    ) -> Result<(), StorageError> {
        self.count();
        self.rows.each_but(prefix, but, &mut |value| {
            self.count();
            more(value)
        })
    }
}
