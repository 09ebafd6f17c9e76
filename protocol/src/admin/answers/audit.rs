//! Who did what.

use serde::{Deserialize, Serialize};

use crate::ids::{CircleId, NodeId, RecordId, ThingId};

/// One line of the audit trail: ids and fixed words, nothing that was written.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct AuditLine {
    /// Its number, from 1 on.
    pub number: u64,
    /// When, Unix milliseconds.
    pub at_ms: u64,
    /// The professional in whose name it was done; none: the administrator, or the daemon by itself.
    pub professional: Option<ThingId>,
    /// That professional's name, where they are known here; `this node` for what the daemon did by itself.
    pub name: Option<String>,
    /// The number of the local user whose process asked.
    pub user: u64,
    /// What was done: a fixed word, such as `note.add`.
    pub action: String,
    /// The circle that it was about.
    pub circle: Option<CircleId>,
    /// The record that it was about.
    pub record: Option<RecordId>,
    /// The other node that it was about.
    pub node: Option<NodeId>,
    /// What else it was about: a word and an id, such as `pairing 5f3a…`.
    #[serde(default)]
    pub object: Option<String>,
}

/// Lines of the trail, page by page, the newest first.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct AuditPage {
    /// The lines.
    pub lines: Vec<AuditLine>,
    /// The number before which the next page goes on; none at the beginning of the trail. A page may be empty and not the last.
    pub next: Option<u64>,
}

/// What reading the whole trail came to.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct AuditVerified {
    /// How many lines it has, where it holds.
    pub lines: u64,
    /// Where it does not hold, in one sentence; none where every line follows the one before it.
    pub broken: Option<String>,
    /// How often the node has signed it.
    #[serde(default)]
    pub signatures: u64,
    /// The last line that was signed.
    #[serde(default)]
    pub signed_to: Option<u64>,
    /// When that was, Unix milliseconds.
    #[serde(default)]
    pub signed_ms: Option<u64>,
}
