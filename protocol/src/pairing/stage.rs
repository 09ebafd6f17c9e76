//! How far one invitation has come at one side.

use minicbor::{Decode, Encode};

use super::Secret;
use crate::{
    cbor::Bytes,
    ids::{Hash, NodeId},
};

/// How an invitation ended without a pairing.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Encode, Decode)]
#[cbor(index_only)]
pub enum End {
    /// [`crate::limits::BAD_PROOFS`] wrong proofs.
    #[n(0)]
    BadProofs,
    /// This node's administrator withdrew it before anybody used it.
    #[n(1)]
    Withdrawn,
    /// This node's administrator said that the words differ.
    #[n(2)]
    RejectedHere,
    /// The other node's administrator said so.
    #[n(3)]
    RejectedThere,
}

impl std::fmt::Display for End {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(match self {
            Self::BadProofs => "too many wrong proofs",
            Self::Withdrawn => "withdrawn here",
            Self::RejectedHere => "rejected here",
            Self::RejectedThere => "rejected by the other side",
        })
    }
}

/// How far an invitation has come.
#[derive(Debug, Clone, PartialEq, Eq, Encode, Decode)]
#[cbor(flat)]
pub(super) enum Stage {
    /// Nobody has proved the secret.
    #[n(0)]
    Offered,
    /// Both nodes have proved the secret to each other.
    #[n(1)]
    Bound(#[n(0)] Bound),
    /// Over, without a pairing.
    #[n(2)]
    Ended(#[n(0)] End),
}

/// Two nodes that have proved the secret to each other, and how far their administrators are.
#[derive(Debug, Clone, PartialEq, Eq, Encode, Decode)]
#[cbor(array)]
pub(super) struct Bound {
    #[n(0)]
    pub(super) remote: NodeId,
    /// The remote's descriptor, verified before it came here.
    #[n(1)]
    pub(super) descriptor: Bytes,
    #[n(2)]
    pub(super) transcript: Hash,
    #[n(3)]
    pub(super) key: Secret<32>,
    #[n(4)]
    pub(super) confirmed_here: bool,
    #[n(5)]
    pub(super) confirmed_there: bool,
    /// The other side holds our confirmation.
    #[n(6)]
    pub(super) settled: bool,
}
