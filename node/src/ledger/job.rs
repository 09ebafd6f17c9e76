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
    /// A row of the node's own, staged or committed.
    ///
    /// # Errors
    /// [`StoreError`].
    pub fn get(&self, table: Table, key: &[u8]) -> Result<Option<Vec<u8>>, StoreError> {
        match self.own.staged.get(&(table, key.to_vec())) {
            Some(staged) => Ok(staged.clone()),
            None => self.rows.0.get(table, key),
        }
    }

    /// Stages a row of the node's own, beside those of the replica.
    pub fn put(&mut self, table: Table, key: Vec<u8>, value: Vec<u8>) {
        self.own.stage(table, key, Some(value));
    }

    /// Bytes of all rows that the next commit writes as things stand, sealing and keys included.
    pub fn bytes(&self) -> usize {
        let replica = self.replica.staged().values().flatten().map(Vec::len);
        let own = self.own.iter().filter_map(|(_, _, value)| value);
        let rows = self.replica.staged().len() + self.own.staged.len();
        replica.chain(own.map(<[u8]>::len)).sum::<usize>() + rows * ROW
    }

    /// Stages the end of such a row.
    pub fn delete(&mut self, table: Table, key: Vec<u8>) {
        self.own.stage(table, key, None);
    }
}

/// More than a row's key and its sealing take, bytes.
const ROW: usize = 256;

type Place = (Table, Vec<u8>);

/// Rows of the node's own that the next commit writes, and how a job's are taken back.
#[derive(Default)]
pub(super) struct OwnRows {
    staged: BTreeMap<Place, Option<Vec<u8>>>,
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

    pub(super) fn clear(&mut self) {
        self.staged.clear();
        self.bytes = (0, 0);
    }

    /// About how many bytes are staged.
    pub(super) const fn bytes(&self) -> usize {
        self.bytes.0
    }

    pub(super) fn is_empty(&self) -> bool {
        self.staged.is_empty()
    }

    pub(super) fn iter(&self) -> impl Iterator<Item = (Table, &[u8], Option<&[u8]>)> {
        self.staged
            .iter()
            .map(|((table, key), value)| (*table, key.as_slice(), value.as_deref()))
    }
}

/// Tells whoever asked, once the commit is done or has failed.
pub(super) type Answer = Box<dyn FnOnce(Result<(), Arc<StoreError>>) + Send>;
/// Runs, and says whether what it staged is to be kept.
pub(super) type Job = Box<dyn FnOnce(&mut Tx<'_>) -> (bool, Answer) + Send>;
