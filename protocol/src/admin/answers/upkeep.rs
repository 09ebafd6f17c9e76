//! What keeps a node going: the outbox, background work, digests, keys.

use serde::{Deserialize, Serialize};

use crate::ids::{CircleId, Hash, KeyId, NodeId};

/// What waits for one node in one circle.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct OutboxLine {
    /// For whom.
    pub node: NodeId,
    /// Its structure.
    pub structure: String,
    /// In which circle.
    pub circle: CircleId,
    /// How many records.
    pub records: u64,
    /// The oldest of them, Unix milliseconds.
    pub oldest_ms: u64,
    /// Whether an alert is among them.
    pub alert: bool,
}

/// A background loop.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Worker {
    /// Its name.
    pub name: String,
    /// What it does, in one sentence.
    pub does: String,
    /// `idle`, `busy`, `throttled` or `stopped`.
    pub state: String,
    /// How much waits for it.
    pub queue: u64,
    /// Last success, Unix milliseconds.
    pub last_success_ms: Option<u64>,
    /// Last error, with its time.
    pub last_error: Option<(u64, String)>,
    /// Sleeps so many times the work's own duration.
    pub tranquillity: u32,
}

/// Where this node stands in one circle.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct CircleDigest {
    /// The circle.
    pub circle: CircleId,
    /// Number of the charter's head.
    pub entry: u64,
    /// Records held.
    pub records: u64,
    /// SHA-256 over the canonical views, where asked for.
    pub digest: Option<Hash>,
}

/// A copy of the whole node.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Checkpoint {
    /// Its folder, on the node's machine.
    pub folder: String,
    /// Bytes of its files. Those that the database has not changed since are shared with it.
    pub bytes: u64,
}

/// This node's keys.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Keys {
    /// Its name, which is its signing key.
    pub node: NodeId,
    /// Receive keys, newest first: id, made, expires (Unix milliseconds).
    pub receive: Vec<(KeyId, u64, u64)>,
    /// SHA-256 of the offline recovery public key.
    pub recovery: Hash,
}
