//! Files on their way through the socket: in parts, since a frame does not hold them.
//!
//! To add one: [`Call::DocumentAdd`](super::Call::DocumentAdd), then [`Call::DocumentPart`](super::Call::DocumentPart) with
//! [`PART`] bytes each, then [`Call::DocumentEnd`](super::Call::DocumentEnd), which writes the record. To read one:
//! [`Call::DocumentShow`](super::Call::DocumentShow), then [`Call::DocumentRead`](super::Call::DocumentRead) until it says that nothing follows; who reads
//! checks length and SHA-256 at the end.
//!
//! A FHIR file to import goes in the same way: [`Call::ImportBegin`](super::Call::ImportBegin), [`Call::ImportPart`](super::Call::ImportPart),
//! [`Call::ImportEnd`](super::Call::ImportEnd). It waits in memory, and nothing of it is kept before its end.

use serde::{Deserialize, Serialize};

use crate::{
    ids::{Hash, Token},
    limits,
};

/// Bytes of a part in either way: four chunks. As base64 it fits into a frame well.
pub const PART: usize = 4 * limits::CHUNK;

/// A file that is being added.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Upload {
    /// Its name among the daemon's uploads. It ends when nothing comes for ten minutes, and when the daemon stops.
    pub upload: Token,
    /// Bytes that are here.
    pub received: u64,
}

/// One file of a document.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct FileState {
    /// Its name.
    pub name: String,
    /// Its media type.
    pub media_type: String,
    /// Its length in bytes.
    pub bytes: u64,
    /// SHA-256 of its bytes.
    pub sha256: Hash,
    /// Chunks that are here, and all.
    pub chunks: (u64, u64),
    /// Whether all of it is here.
    pub complete: bool,
}

/// A part of a document's file.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct DocumentBytes {
    /// Base64.
    pub bytes: String,
    /// The chunk to ask for next; none at the end.
    pub next: Option<u64>,
}
