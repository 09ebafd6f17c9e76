//! Which recovery key rules this node's identity (clé de secours), and how another one comes to.
//!
//! The keystore says which one ruled first. Another one rules by the word of the one before: `maillond recovery-key` leaves that word in the folder, the node
//! takes it at its next start, its descriptor names the new key from then on, and its peers hear the word before they read that descriptor.

use std::path::{Path, PathBuf};

use maillon_protocol::{
    identity::{Replacement, ReplacementError, recovery_hash},
    ids::{Hash, NodeId},
    keys::NodeKey,
    limits,
    replica::{Replica, Rows, StorageError},
    sign::sign,
};

use crate::{
    clock::now_ms,
    durable,
    keystore::{Keystore, KeystoreError, Unlock},
    ledger::StoreRows,
    random::SystemRandom,
    store::{Options, StorageKey, Store, StoreError},
};

/// The file with the statement of the recovery key that another one rules from now on. It holds no secret.
pub const ROTATES: &str = "rotates";

/// Why no other recovery key was made.
#[derive(Debug, thiserror::Error)]
pub enum RotateError {
    /// The keys of this node.
    #[error(transparent)]
    Keystore(#[from] KeystoreError),
    /// The node runs.
    #[error(
        "the node runs: stop it first, with Ctrl-C where it runs or by the service that started it"
    )]
    InUse,
    /// Its database.
    #[error(transparent)]
    Store(StoreError),
    /// A row of it.
    #[error(transparent)]
    Storage(#[from] StorageError),
    /// Another key was typed.
    #[error(
        "this is not the recovery key that rules the node {0}: compare it with the paper letter by letter; nothing has changed"
    )]
    OtherKey(NodeId),
    /// Others remember so many changes.
    #[error(
        "the recovery key of this node was changed {0} times, and others remember no more: make a new node in its place (`maillond init --recover`)"
    )]
    TooOften(usize),
    /// The statement.
    #[error(transparent)]
    Statement(#[from] ReplacementError),
    /// The folder.
    #[error("the statement cannot be kept in {path}: {cause}")]
    Folder {
        /// Which folder.
        path: PathBuf,
        /// What the system says.
        cause: std::io::Error,
    },
}

/// Another recovery key, made and not yet in force.
pub struct Rotation {
    /// The node.
    pub node: NodeId,
    /// The new key: for paper.
    pub next: NodeKey,
    statement: Vec<u8>,
}

impl Rotation {
    /// Makes another recovery key for the stopped node in `dir`, by the one that rules now.
    ///
    /// # Errors
    /// [`RotateError`]; nothing has changed, then or otherwise, before [`Self::keep`].
    pub fn prepare(dir: &Path, unlock: &Unlock, held: &NodeKey) -> Result<Self, RotateError> {
        let (_, secrets) = Keystore::open(dir, unlock)?;
        let node = NodeKey::from_seed(secrets.identity_seed.expose()).id();
        let key = StorageKey::new(secrets.storage_key.expose());
        // Open it alone: nobody may answer for the node meanwhile.
        let store = match Store::open(dir, &key, Options::default()) {
            Err(StoreError::InUse) => return Err(RotateError::InUse),
            opened => opened.map_err(RotateError::Store)?,
        };
        let first = Hash(secrets.recovery_public_sha256);
        let rules = recovery_that_rules(&StoreRows(store), &node, first)?;
        if rules.recovery != recovery_hash(&held.id()) {
            return Err(RotateError::OtherKey(node));
        }
        // One place is kept for the statement that names another node.
        if rules.changes + 1 >= limits::REPLACEMENTS {
            return Err(RotateError::TooOften(rules.changes));
        }
        let next = NodeKey::generate(&mut SystemRandom);
        let statement = Replacement {
            version: 1,
            recovery: held.id(),
            old: node,
            new: None,
            next: recovery_hash(&next.id()),
            counter: now_ms().max(rules.counter + 1),
        };
        let statement = Replacement::verify(sign(statement, held).bytes)?;
        Ok(Self {
            node,
            next,
            statement: statement.bytes,
        })
    }

    /// Leaves the statement in the folder: the new key rules from the next start on.
    ///
    /// # Errors
    /// [`RotateError::Folder`]; the old key rules then.
    pub fn keep(&self, dir: &Path) -> Result<(), RotateError> {
        let cannot = |cause| RotateError::Folder {
            path: dir.to_owned(),
            cause,
        };
        durable::replace(&dir.join(ROTATES), &self.statement).map_err(cannot)
    }
}

/// What rules a node's identity: the recovery key of its keystore, or one that has followed.
pub(crate) struct Rules {
    pub(crate) recovery: Hash,
    counter: u64,
    changes: usize,
}

/// Reads it; `first` is what the keystore says.
pub(crate) fn recovery_that_rules(
    rows: &impl Rows,
    node: &NodeId,
    first: Hash,
) -> Result<Rules, StorageError> {
    let fate = Replica::fates(rows)?
        .into_iter()
        .find(|fate| fate.node == *node);
    Ok(Rules {
        recovery: fate.as_ref().map_or(first, |fate| fate.recovery),
        counter: fate.as_ref().map_or(0, |fate| fate.counter),
        changes: fate.map_or(0, |fate| fate.rotations.len()),
    })
}
