//! What an import did.

use serde::{Deserialize, Serialize};

use crate::{
    content::IdentityStatus,
    ids::{CircleId, RecordId},
};

/// What an import did.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Imported {
    /// Circles that were opened or found again, with what was written in each.
    pub circles: Vec<ImportedCircle>,
    /// Paths that were mapped.
    pub mapped: Vec<String>,
    /// Paths that are kept in the sealed original only, with the reason.
    pub kept: Vec<(String, String)>,
    /// Paths that were refused, with the reason.
    pub refused: Vec<(String, String)>,
    /// Warnings, such as empty strings.
    pub warnings: Vec<String>,
    /// Paths and warnings that did not fit into the answer; mapped ones first.
    #[serde(default)]
    pub left_out: u64,
    /// The same file had been imported before, and nothing changed.
    pub unchanged: bool,
}

/// What an import did in one circle.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ImportedCircle {
    /// The circle.
    pub circle: CircleId,
    /// Whether it was opened by this import.
    pub opened: bool,
    /// Records written.
    pub records: Vec<RecordId>,
    /// How many of them take the place of what an earlier file said under the same address.
    #[serde(default)]
    pub replaced: u64,
    /// The identity's status after the import.
    pub status: IdentityStatus,
    /// Doubts about the identity.
    pub doubts: Vec<String>,
}
