//! A member that is not the steward asks for a change of who is in the circle, and the steward answers.

use minicbor::{Decode, Encode};
use serde::{Deserialize, Serialize};

use crate::{
    charter::{Grant, RemovalReason, RotationReason},
    ids::NodeId,
    invite::InvitationReason,
};

/// What a member asks for.
#[derive(Debug, Clone, PartialEq, Eq, Encode, Decode, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case", tag = "change")]
pub enum AskedChange {
    /// A structure is to be invited.
    #[n(1)]
    Invite {
        /// Its node, which the steward's node must know.
        #[n(0)]
        node: NodeId,
        /// Why.
        #[n(1)]
        reason: InvitationReason,
        /// The past that it is to read.
        #[n(2)]
        grant: Grant,
    },
    /// A member is to be removed.
    #[n(2)]
    Remove {
        /// Its node.
        #[n(0)]
        node: NodeId,
        /// Why.
        #[n(1)]
        reason: RemovalReason,
    },
    /// A new epoch is to begin.
    #[n(3)]
    Rotate {
        /// Why.
        #[n(0)]
        reason: RotationReason,
    },
    /// The circle is to be closed.
    #[n(4)]
    Close {
        /// As in [`Change::Close`](crate::charter::Change::Close).
        #[n(0)]
        reason: u64,
    },
    /// Another member is to be the steward.
    #[n(5)]
    HandOver {
        /// Its node.
        #[n(0)]
        to: NodeId,
    },
}

/// A request to the circle's steward (demande de changement).
#[derive(Debug, Clone, PartialEq, Eq, Encode, Decode, Serialize, Deserialize)]
#[cbor(array)]
pub struct MembershipRequest {
    /// What is asked.
    #[n(0)]
    pub asked: AskedChange,
    /// Why, in words.
    #[n(1)]
    pub why: String,
    /// It is not asked any more.
    #[n(2)]
    pub withdrawn: bool,
}

/// What a steward answers.
#[derive(
    Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Encode, Decode, Serialize, Deserialize,
)]
#[cbor(index_only)]
#[serde(rename_all = "kebab-case")]
pub enum Answered {
    /// It is done: the entry is made, or the invitation sent.
    #[n(0)]
    Granted,
    /// It is not done.
    #[n(1)]
    Refused,
}

/// The steward's answer: a thing whose parent is the request.
#[derive(Debug, Clone, PartialEq, Eq, Encode, Decode, Serialize, Deserialize)]
#[cbor(array)]
pub struct RequestAnswer {
    /// What becomes of it.
    #[n(0)]
    pub answer: Answered,
    /// In words.
    #[n(1)]
    pub comment: String,
}
