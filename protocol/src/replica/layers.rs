//! Rows that are not durable yet, and how they are taken back.
//!
//! Above what is committed lie the rows *in flight*, one layer for each commit that the driver has under way, and above those the rows that are
//! *staged* by the jobs that run meanwhile. A row is what the highest layer says that names it. Layers land in the order in which they took
//! off; where one cannot be made durable, it takes those above it with it.

use std::{
    collections::{BTreeMap, VecDeque},
    sync::Arc,
};

/// Rows by their names, and what becomes of each: a new value, or none where the row goes.
pub type Layer<K> = BTreeMap<K, Option<Vec<u8>>>;

/// What is not durable yet.
#[derive(Debug)]
pub struct Layers<K> {
    staged: Layer<K>,
    /// About how many bytes are staged, and how many of them by the job under way.
    bytes: (usize, usize),
    /// Oldest first.
    in_flight: VecDeque<Arc<Layer<K>>>,
    /// What each row that the job under way has staged was before; none where nothing was staged of it.
    journal: Vec<(K, Option<Option<Vec<u8>>>)>,
}

impl<K> Default for Layers<K> {
    fn default() -> Self {
        Self {
            staged: Layer::new(),
            bytes: (0, 0),
            in_flight: VecDeque::new(),
            journal: Vec::new(),
        }
    }
}

impl<K: Ord + Clone> Layers<K> {
    /// Stages what becomes of a row.
    pub fn put(&mut self, row: K, value: Option<Vec<u8>>) {
        let length = value.as_ref().map_or(0, Vec::len);
        self.bytes = (self.bytes.0 + length, self.bytes.1 + length);
        let before = self.staged.insert(row.clone(), value);
        self.journal.push((row, before));
    }

    /// What is staged.
    pub const fn staged(&self) -> &Layer<K> {
        &self.staged
    }

    /// About how many bytes are staged.
    pub const fn bytes(&self) -> usize {
        self.bytes.0
    }

    /// The job under way is good, and another one begins.
    pub fn keep(&mut self) {
        self.journal.clear();
        self.bytes.1 = 0;
    }

    /// The job under way failed: its rows are as they were.
    pub fn take_back(&mut self) {
        for (row, before) in self.journal.drain(..).rev() {
            match before {
                Some(value) => self.staged.insert(row, value),
                None => self.staged.remove(&row),
            };
        }
        self.bytes = (self.bytes.0 - self.bytes.1, 0);
    }

    /// What is staged is now in flight, above all that is.
    pub fn take_off(&mut self) -> Arc<Layer<K>> {
        self.keep();
        self.bytes = (0, 0);
        let rows = Arc::new(std::mem::take(&mut self.staged));
        self.in_flight.push_back(Arc::clone(&rows));
        rows
    }

    /// The oldest layer in flight is durable.
    pub fn landed(&mut self) {
        self.in_flight.pop_front();
    }

    /// Nothing of what is in flight or staged is kept.
    pub fn clear(&mut self) {
        *self = Self::default();
    }

    /// What is to become of a row, where anything is.
    pub fn get(&self, row: &K) -> Option<&Option<Vec<u8>>> {
        let in_flight = || self.in_flight.iter().rev().find_map(|rows| rows.get(row));
        self.staged.get(row).or_else(in_flight)
    }

    /// What is to become of the rows from `first` on for which `holds` is true.
    pub fn within(&self, first: K, holds: impl Fn(&K) -> bool) -> BTreeMap<K, &Option<Vec<u8>>> {
        let layers = self.in_flight.iter().map(|rows| &**rows);
        // Of a row that is in several layers, the last one stays.
        layers
            .chain([&self.staged])
            .flat_map(|rows| rows.range(first.clone()..))
            .filter(|(row, _)| holds(row))
            .map(|(row, value)| (row.clone(), value))
            .collect()
    }
}
