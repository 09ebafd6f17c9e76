//! What is to be written together.

use std::fmt;
use std::sync::Arc;

use rocksdb::WriteBatch;

use super::sealing::{OVERHEAD, Sealer};
use super::{Inner, MAX_BATCH_BYTES, MAX_KEY_BYTES, StoreError, Table};
use crate::random::RandomPool;

/// Steps that [`super::Store::commit`] writes all together or not at all, in the order in which they were added.
///
/// Values are sealed when they are put, on the caller's thread, so that the writer's thread only writes. A batch may
/// be sent to another thread, and several joined with [`Batch::append`].
pub struct Batch {
    sealer: Arc<Sealer>,
    random: RandomPool,
    steps: Vec<Step>,
    bytes: usize,
}

pub(super) enum Step {
    Put {
        table: Table,
        key: Box<[u8]>,
        sealed: Vec<u8>,
    },
    Delete {
        table: Table,
        key: Box<[u8]>,
    },
    DeletePrefix {
        table: Table,
        prefix: Box<[u8]>,
    },
}

impl Batch {
    pub(super) fn new(sealer: Arc<Sealer>) -> Batch {
        Batch {
            sealer,
            random: RandomPool::default(),
            steps: Vec::new(),
            bytes: 0,
        }
    }

    /// Sets the value of a row.
    ///
    /// # Errors
    ///
    /// [`StoreError::KeyLength`], [`StoreError::BatchTooLarge`], [`StoreError::Randomness`]; the batch is then as it
    /// was before.
    pub fn put(&mut self, table: Table, key: &[u8], value: &[u8]) -> Result<(), StoreError> {
        check_key(key)?;
        self.make_room(
            key.len()
                .saturating_add(value.len())
                .saturating_add(OVERHEAD),
        )?;
        let sealed = self
            .sealer
            .seal(table.name(), key, value, &mut self.random)?;
        self.add(
            key.len() + sealed.len(),
            Step::Put {
                table,
                key: key.into(),
                sealed,
            },
        );
        Ok(())
    }

    /// Removes a row, if there is one.
    ///
    /// # Errors
    ///
    /// As [`Batch::put`].
    pub fn delete(&mut self, table: Table, key: &[u8]) -> Result<(), StoreError> {
        check_key(key)?;
        self.make_room(key.len())?;
        self.add(
            key.len(),
            Step::Delete {
                table,
                key: key.into(),
            },
        );
        Ok(())
    }

    /// Removes every row whose key begins with `prefix`, also those put earlier in this batch; all rows of the table
    /// for an empty one. Costs the same however many there are.
    ///
    /// # Errors
    ///
    /// As [`Batch::put`].
    pub fn delete_prefix(&mut self, table: Table, prefix: &[u8]) -> Result<(), StoreError> {
        if !prefix.is_empty() {
            check_key(prefix)?;
        }
        let bytes = 2 * prefix.len() + 1;
        self.make_room(bytes)?;
        self.add(
            bytes,
            Step::DeletePrefix {
                table,
                prefix: prefix.into(),
            },
        );
        Ok(())
    }

    /// Adds the steps of `other` after those of this batch, so that one commit takes both.
    ///
    /// # Errors
    ///
    /// [`StoreError::BatchTooLarge`], [`StoreError::OtherStore`]; `other` is lost then, so that a caller that goes
    /// on asks [`Batch::bytes`] before.
    pub fn append(&mut self, other: Batch) -> Result<(), StoreError> {
        if !other.belongs_to(&self.sealer) {
            return Err(StoreError::OtherStore);
        }
        self.make_room(other.bytes)?;
        self.bytes += other.bytes;
        self.steps.extend(other.steps);
        Ok(())
    }

    /// Number of steps.
    #[must_use]
    pub fn len(&self) -> usize {
        self.steps.len()
    }

    /// Whether there is nothing to write.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.steps.is_empty()
    }

    /// Bytes of keys and sealed values, at most [`MAX_BATCH_BYTES`].
    #[must_use]
    pub fn bytes(&self) -> usize {
        self.bytes
    }

    pub(super) fn belongs_to(&self, sealer: &Arc<Sealer>) -> bool {
        Arc::ptr_eq(&self.sealer, sealer)
    }

    pub(super) fn into_steps(self) -> impl Iterator<Item = Step> {
        self.steps.into_iter()
    }

    fn make_room(&self, bytes: usize) -> Result<(), StoreError> {
        if bytes > MAX_BATCH_BYTES - self.bytes {
            return Err(StoreError::BatchTooLarge {
                limit: MAX_BATCH_BYTES,
            });
        }
        Ok(())
    }

    fn add(&mut self, bytes: usize, step: Step) {
        self.bytes += bytes;
        self.steps.push(step);
    }
}

impl Step {
    pub(super) fn apply(self, store: &Inner, write: &mut WriteBatch) -> Result<(), StoreError> {
        match self {
            Step::Put { table, key, sealed } => {
                write.put_cf(store.family(table.name())?, key, sealed);
            }
            Step::Delete { table, key } => write.delete_cf(store.family(table.name())?, key),
            Step::DeletePrefix { table, prefix } => {
                let end = after_prefix(&prefix);
                write.delete_range_cf(store.family(table.name())?, &*prefix, &*end);
            }
        }
        Ok(())
    }
}

/// The first key after all those that begin with `prefix`: the next prefix of its length, or, where there is none,
/// a key that is longer than any.
pub(super) fn after_prefix(prefix: &[u8]) -> Vec<u8> {
    let mut end = prefix.to_vec();
    while let Some(last) = end.pop() {
        if last < u8::MAX {
            end.push(last + 1);
            return end;
        }
    }
    vec![u8::MAX; MAX_KEY_BYTES + 1]
}

fn check_key(key: &[u8]) -> Result<(), StoreError> {
    if key.is_empty() || key.len() > MAX_KEY_BYTES {
        return Err(StoreError::KeyLength {
            bytes: key.len(),
            limit: MAX_KEY_BYTES,
        });
    }
    Ok(())
}

impl fmt::Debug for Batch {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Batch")
            .field("steps", &self.steps.len())
            .field("bytes", &self.bytes)
            .finish()
    }
}
