//! The admin API: what `maillond` serves on its Unix socket and `maillonctl` calls. One typed API, three faces: the command line, its `--json`,
//! and the administrator's pages.
//!
//! # The stream
//!
//! The daemon speaks first: one frame with [`Greeting`]. Then the client sends frames with a [`Request`] and reads, for each, frames with a
//! [`Reply`] until one whose [`Outcome`] is not [`Outcome::Event`] or [`Outcome::Progress`]. A frame is four bytes of length, big-endian, and so
//! many bytes of JSON, [`crate::limits::FRAME`] at most. A frame that cannot be read is answered at once with an [`AdminError`] and the
//! connection is closed. The socket has mode 0600, and the daemon checks the peer's user: who is neither its own user nor root finds the
//! connection closed without a greeting.
//!
//! # Names
//!
//! Circles, records, nodes, invitations, pairings and professionals may be named by the beginning of their printed form, of [`LEAST_DIGITS`]
//! at least (a record: [`LEAST_RECORD_DIGITS`]), as long as it fits one only; the daemon resolves it ([`Named`]).

mod accounts;
mod answers;
mod calls;
mod documents;
mod erasures;
mod requests;
mod team;

pub use accounts::*;
pub use answers::*;
pub use calls::*;
pub use documents::*;
pub use erasures::*;
pub use requests::*;
pub use team::*;

use serde::{Deserialize, Serialize};

/// Version of this API.
pub const VERSION: u32 = 1;

/// The fewest digits of an id that name something.
pub const LEAST_DIGITS: usize = 4;

/// The fewest digits of a record's id that name it: so many are what the daemon's index of records goes by.
pub const LEAST_RECORD_DIGITS: usize = 12;

/// First frame of a connection.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Greeting {
    /// [`VERSION`] of the daemon.
    pub maillon_admin: u32,
    /// Version of the daemon's program.
    pub program: String,
}

/// What a client asks.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Request {
    /// Chosen by the client; the replies carry it.
    pub id: u64,
    /// The professional in whose name care content is read or written: their id at this node, or its beginning.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub actor: Option<String>,
    /// The call.
    pub call: Call,
}

/// One frame of an answer.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Reply {
    /// The request's.
    pub id: u64,
    /// What it came to.
    pub outcome: Outcome,
}

/// What a request came to.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
#[allow(clippy::large_enum_variant, reason = "one lives at a time")]
pub enum Outcome {
    /// Done; the last frame.
    Done(Answer),
    /// Refused; the last frame.
    Failed(AdminError),
    /// Something happened; more frames follow.
    Event(WatchEvent),
    /// A long call goes on; more frames follow.
    Progress {
        /// Steps done.
        done: u64,
        /// All steps, where known.
        of: Option<u64>,
        /// What is being done.
        what: String,
    },
}

/// Why a call was refused. `cause` says what is wrong and `action` what to do next; neither names a patient, and a professional is named only
/// where what they did before is the cause.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, thiserror::Error)]
#[error("{cause}")]
pub struct AdminError {
    /// A fixed word that programs can act on.
    pub code: ErrorCode,
    /// What is wrong.
    pub cause: String,
    /// What to do next.
    pub action: String,
    /// To quote when asking for help.
    pub request: String,
}

/// Fixed words for what went wrong, and the command line's exit code for each.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum ErrorCode {
    /// The request is not well formed, or a value is out of range.
    BadRequest,
    /// Client and daemon speak different versions.
    Version,
    /// Nothing has that name, or several things have.
    NotFound,
    /// A professional is needed (`--as`), care commands are switched off, or the person's information is not recorded.
    NotAllowed,
    /// The state of things does not allow it now.
    Conflict,
    /// A limit.
    Limit,
    /// The data folder cannot take it: disk full, read-only, damaged.
    Storage,
    /// The other node cannot be reached; also where its peering is suspended or has ended here.
    Unreachable,
    /// A defect of this program.
    Internal,
}

impl ErrorCode {
    /// Exit code of `maillonctl`.
    pub const fn exit_code(self) -> i32 {
        match self {
            Self::BadRequest => 64,
            Self::NotFound => 66,
            Self::Unreachable => 69,
            Self::Internal => 70,
            Self::Storage => 74,
            Self::Conflict => 75,
            Self::Version => 76,
            Self::NotAllowed => 77,
            Self::Limit => 78,
        }
    }
}
