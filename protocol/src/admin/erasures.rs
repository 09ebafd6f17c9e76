//! Erasures: what is asked for, what waits for this node's word, who has done what.

use serde::{Deserialize, Serialize};

use super::Named;
use crate::{
    content::{Erased, ErasureReason},
    ids::{CircleId, NodeId, RecordId},
};

/// A call about erasures. All of them are care content.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum ErasureCall {
    /// Erases a record here, and asks the other structures to do the same. → [`super::Answer::Written`].
    Ask {
        /// Which record.
        record: Named,
        /// Why.
        reason: ErasureReason,
    },
    /// What waits for this node's word. → [`super::Answer::Erasures`].
    List {
        /// In which circle; none: in all.
        circle: Option<Named>,
    },
    /// Who has done what about a record. → [`super::Answer::Erasures`].
    Show {
        /// Which record.
        record: Named,
    },
    /// Does it here. → [`super::Answer::Ok`].
    CarryOut {
        /// Which erasure: its record.
        erasure: Named,
    },
    /// Does not. → [`super::Answer::Ok`].
    Refuse {
        /// Which erasure.
        erasure: Named,
    },
}

/// An erasure.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ErasureLine {
    /// Its record.
    pub erasure: RecordId,
    /// The circle.
    pub circle: CircleId,
    /// The record that is to be erased.
    pub record: RecordId,
    /// Number of that record's kind.
    pub kind: u64,
    /// When what it says happened, Unix milliseconds.
    pub occurred_ms: u64,
    /// The structure that wrote it.
    pub written_by: String,
    /// Why.
    pub reason: ErasureReason,
    /// The professional who asks.
    pub by: String,
    /// Of which structure.
    pub structure: String,
    /// When, Unix milliseconds.
    pub at_ms: u64,
    /// Whether this node has not answered.
    pub waits: bool,
    /// What each member of the circle has answered.
    pub answers: Vec<ErasureWord>,
}

/// What one structure has answered.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ErasureWord {
    /// Its node.
    pub node: NodeId,
    /// Its name.
    pub structure: String,
    /// What it did; none while it has not answered.
    pub answer: Option<Erased>,
    /// When, Unix milliseconds.
    pub at_ms: Option<u64>,
}
