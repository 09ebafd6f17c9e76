//! What a job is, and what it works on.

use std::{collections::BTreeMap, sync::Arc};

use maillon_protocol::replica::Replica;

use super::StoreRows;
use crate::{
    random::SystemRandom,
    store::{StoreError, Table},
};

/// Why a job was not done.
#[derive(Debug, thiserror::Error)]
pub enum LedgerError<E> {
    /// The job itself.
    #[error(transparent)]
    Job(E),
    /// The commit. Nothing of the batch is kept.
    #[error("nothing was kept: {0}")]
    Commit(Arc<StoreError>),
    /// The node is stopping.
    #[error("the node is stopping: try again when it has started")]
    Stopped,
}

/// What a job works on.
pub struct Tx<'a> {
    /// The rules.
    pub replica: &'a mut Replica,
    /// Committed rows of the replica.
    pub rows: &'a StoreRows,
    /// Now, Unix milliseconds: the same for all of a job.
    pub now_ms: u64,
    /// Randomness.
    pub rng: SystemRandom,
    pub(super) own: &'a mut OwnRows,
}

impl Tx<'_> {
    /// A row of the node's own, staged, in flight or committed.
    ///
    /// # Errors
    /// [`StoreError`].
    pub fn get(&self, table: Table, key: &[u8]) -> Result<Option<Vec<u8>>, StoreError> {
        match self.own.get(&(table, key.to_vec())) {
            Some(change) => Ok(change.clone()),
            None => self.rows.0.get(table, key),
        }
    }

    /// Stages a row of the node's own, beside those of the replica.
    pub fn put(&mut self, table: Table, key: Vec<u8>, value: Vec<u8>) {
        self.own.stage(table, key, Some(value));
    }

    /// Bytes of all rows that the next commit writes as things stand, sealing and keys included.
    pub fn bytes(&self) -> usize {
        let (rows, bytes) = self.replica.staged_size();
        let own = self.own.staged.values().flatten().map(Vec::len);
        own.sum::<usize>() + bytes + (rows + self.own.staged.len()) * ROW
    }

    /// Stages the end of such a row.
    pub fn delete(&mut self, table: Table, key: Vec<u8>) {
        self.own.stage(table, key, None);
    }
}

/// More than a row's key and its sealing take, bytes.
const ROW: usize = 256;

type Place = (Table, Vec<u8>);

/// Rows of the node's own, and what becomes of them.
pub(super) type OwnChanges = BTreeMap<Place, Option<Vec<u8>>>;

/// Rows of the node's own that are not durable yet: staged, and in flight below them, as the replica's are. And how a job's are taken back.
#[derive(Default)]
pub(super) struct OwnRows {
    staged: OwnChanges,
    in_flight: Option<Arc<OwnChanges>>,
    /// What each row that the job under way has touched was before.
    before: Vec<(Place, Option<Option<Vec<u8>>>)>,
    /// About how many bytes are staged, and how many of them by the job under way.
    bytes: (usize, usize),
}

impl OwnRows {
    fn stage(&mut self, table: Table, key: Vec<u8>, value: Option<Vec<u8>>) {
        let place = (table, key);
        let length = value.as_ref().map_or(0, Vec::len);
        self.bytes = (self.bytes.0 + length, self.bytes.1 + length);
        let before = self.staged.insert(place.clone(), value);
        self.before.push((place, before));
    }

    fn get(&self, place: &Place) -> Option<&Option<Vec<u8>>> {
        let in_flight = || self.in_flight.as_ref().and_then(|rows| rows.get(place));
        self.staged.get(place).or_else(in_flight)
    }

    /// The job is good.
    pub(super) fn keep(&mut self) {
        self.before.clear();
        self.bytes.1 = 0;
    }

    /// The job failed: its rows are as they were.
    pub(super) fn take_back(&mut self) {
        for (place, before) in self.before.drain(..).rev() {
            match before {
                Some(value) => self.staged.insert(place, value),
                None => self.staged.remove(&place),
            };
        }
        self.bytes = (self.bytes.0 - self.bytes.1, 0);
    }

    /// What is staged is now in flight.
    pub(super) fn take_off(&mut self) -> Arc<OwnChanges> {
        self.bytes = (0, 0);
        let rows = Arc::new(std::mem::take(&mut self.staged));
        self.in_flight = Some(Arc::clone(&rows));
        rows
    }

    /// What was in flight is durable.
    pub(super) fn landed(&mut self) {
        self.in_flight = None;
    }

    /// Neither what was in flight nor what was staged above it is kept.
    pub(super) fn clear(&mut self) {
        self.staged.clear();
        self.in_flight = None;
        self.bytes = (0, 0);
    }

    /// About how many bytes are staged.
    pub(super) const fn bytes(&self) -> usize {
        self.bytes.0
    }
}

/// Tells whoever asked, once the commit is done or has failed.
pub(super) type Answer = Box<dyn FnOnce(Result<(), Arc<StoreError>>) + Send>;
/// Runs, and says whether what it staged is to be kept.
pub(super) type Job = Box<dyn FnOnce(&mut Tx<'_>) -> (bool, Answer) + Send>;
