//! What a peer can do wrong.

use super::{MessageError, VERSION};
use crate::{ids::CircleId, sign::SignError};

/// What a peer did wrong, for counters, the peer's line and `doctor`.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Problem {
    /// The frame is no message.
    #[error(transparent)]
    Message(#[from] MessageError),
    /// Something signed is not.
    #[error(transparent)]
    Sign(#[from] SignError),
    /// No common version.
    #[error(
        "the peer speaks versions {lowest} to {highest}, this node speaks {VERSION}: the older one must be updated"
    )]
    Version {
        /// Its lowest.
        lowest: u64,
        /// Its highest.
        highest: u64,
    },
    /// Something else came before the first message.
    #[error("the peer sent {0} before its hello")]
    BeforeHello(&'static str),
    /// Two charters with one number.
    #[error("the charters of circle {circle} differ at entry {entry}: it has forked")]
    CharterFork {
        /// The circle.
        circle: CircleId,
        /// The entry.
        entry: u64,
    },
    /// Something that nobody asked for, or more of it.
    #[error("the peer sent {0} that were not asked for")]
    Unasked(&'static str),
    /// An attachment whose bytes are not those that its address names.
    #[error("an attachment that the peer sent is not the one that its record names")]
    WrongAttachment,
    /// Something of a circle that the charter does not share with this peer.
    #[error("the peer sent {0} for a circle that is not shared with it")]
    NotShared(&'static str),
    /// Its identity was revoked, or another one stands in its place.
    #[error("the peer's identity was revoked or replaced: this node does not speak to it any more")]
    Refused,
    /// More of something than a peer may have waiting.
    #[error("the peer sent more than {1} {0} without reading the answers")]
    TooMany(&'static str, usize),
}
