//! Why a pairing does not come about.

use super::{End, RefuseCode};
use crate::{cbor::CborError, descriptor::DescriptorError, limits::LimitError};

/// Why an attempt or a pairing ends. What becomes of the invitation stands in [`super::Pending`].
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum PairingError {
    /// The bytes are no message.
    #[error("not a pairing message: {0}")]
    Message(#[from] CborError),
    /// A limit.
    #[error(transparent)]
    Limit(#[from] LimitError),
    /// A message at the wrong moment.
    #[error("the message {0:?} does not belong here")]
    Unexpected(&'static str),
    /// The other side speaks a later version.
    #[error(
        "the other node pairs with version {0}, this node with version 1: update the older one"
    )]
    Version(u64),
    /// No invitation of this id.
    #[error("this node has no such invitation: make a new one")]
    Unknown,
    /// The time is over.
    #[error("the invitation has expired: make a new one")]
    Expired,
    /// The invitation has ended here.
    #[error("the invitation has ended ({0}): make a new one")]
    Ended(End),
    /// Another node has proved the secret before, or the invitation is used up.
    #[error(
        "the invitation was already used: if your partner did not use it, reject the pairing and make a new invitation"
    )]
    Taken,
    /// A node cannot peer with itself.
    #[error("this invitation was made by this very node: paste it at the other one")]
    Itself,
    /// The other's descriptor.
    #[error("the other node's descriptor is refused: {0}")]
    Descriptor(#[from] DescriptorError),
    /// The descriptor is somebody else's.
    #[error("the descriptor is not that of the node at the other end of the connection")]
    OtherNode,
    /// Connected to somebody else than the inviter.
    #[error("the connected node is not the one that made the invitation")]
    NotTheInviter,
    /// The inviter did not keep to its commitment.
    #[error("the other node revealed another number than it committed to")]
    Commitment,
    /// At the inviter: the accepter does not know the secret.
    #[error(
        "the other node does not know the invitation's secret; {left} wrong proofs more end the invitation"
    )]
    Proof {
        /// How many more wrong proofs the invitation bears.
        left: u64,
    },
    /// At the accepter: the inviter does not know the secret.
    #[error(
        "the node that calls itself the inviter does not know the invitation's secret: ask your partner for a new invitation"
    )]
    Impostor,
    /// A confirmation of another exchange, or a forged one.
    #[error("the other side's confirmation does not belong to this exchange")]
    Confirmation,
    /// The other side remembers another exchange: one of the two was restored from an older backup.
    #[error(
        "the two nodes remember different exchanges: reject the pairing on both sides and make a new invitation"
    )]
    OtherExchange,
    /// Confirming words that are not, or no longer, the ones to compare.
    #[error(
        "these are not the words to compare now: read the present ones over the phone, then confirm"
    )]
    OtherWords,
    /// Nothing to confirm yet.
    #[error("no words to confirm yet: the two nodes have not met")]
    NotBound,
    /// Rejecting what both have confirmed.
    #[error("the two nodes are already peers: end the peering instead")]
    AlreadyPaired,
    /// The other side said no.
    #[error("the other node refuses: {0:?}")]
    Refused(RefuseCode),
}

impl PairingError {
    /// What the other side is told; nothing in answer to its own refusal.
    pub const fn code(&self) -> Option<RefuseCode> {
        Some(match self {
            Self::Refused(_) => return None,
            Self::Version(_) => RefuseCode::Version,
            Self::Unknown => RefuseCode::Unknown,
            Self::Expired => RefuseCode::Expired,
            Self::Ended(End::RejectedHere) => RefuseCode::Rejected,
            Self::Ended(_) => RefuseCode::Ended,
            Self::Taken | Self::AlreadyPaired => RefuseCode::Taken,
            Self::Itself | Self::Descriptor(_) | Self::OtherNode | Self::NotTheInviter => {
                RefuseCode::Descriptor
            }
            Self::Commitment => RefuseCode::Commitment,
            Self::Proof { .. } | Self::Impostor => RefuseCode::Proof,
            Self::Confirmation | Self::OtherExchange | Self::OtherWords | Self::NotBound => {
                RefuseCode::Confirmation
            }
            Self::Message(_) | Self::Limit(_) | Self::Unexpected(_) => RefuseCode::Unexpected,
        })
    }
}
