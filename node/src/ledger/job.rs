//! What a job is, and what it works on.

use std::sync::Arc;

use maillon_protocol::replica::{Layer, Layers, Replica};

use super::StoreRows;
use crate::{
    random::RandomPool,
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
    pub rng: &'a mut RandomPool,
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
        self.own.put((table, key), Some(value));
    }

    /// Bytes of all rows that the next commit writes as things stand, sealing and keys included.
    pub fn bytes(&self) -> usize {
        let (rows, bytes) = self.replica.staged_size();
        let own = self.own.staged();
        let own_bytes: usize = own.values().flatten().map(Vec::len).sum();
        own_bytes + bytes + (rows + own.len()) * ROW
    }

    /// Stages the end of such a row.
    pub fn delete(&mut self, table: Table, key: Vec<u8>) {
        self.own.put((table, key), None);
    }
}

/// More than a row's key and its sealing take, bytes.
const ROW: usize = 256;

/// Rows of the node's own that are not durable yet, as the replica's are.
pub(super) type OwnRows = Layers<(Table, Vec<u8>)>;
/// What a commit does to them.
pub(super) type OwnChanges = Layer<(Table, Vec<u8>)>;

/// Tells whoever asked, once the commit is done or has failed.
pub(super) type Answer = Box<dyn FnOnce(Result<(), Arc<StoreError>>) + Send>;
/// Runs, and says whether what it staged is to be kept.
pub(super) type Job = Box<dyn FnOnce(&mut Tx<'_>) -> (bool, Answer) + Send>;
