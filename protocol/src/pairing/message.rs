//! What the two nodes say to each other while they pair. `protocol/maillon.cddl` is the normative form.

use minicbor::{Decode, Encode, bytes::ByteArray};

use super::PairingError;
use crate::{
    cbor::{self, Bytes},
    ids::{Hash, PairingId},
    limits,
};

/// One message: an array that starts with its number.
#[derive(Debug, Clone, PartialEq, Eq, Encode, Decode)]
#[cbor(flat)]
pub enum Message {
    /// Accepter → inviter, first of every connection.
    #[n(0)]
    Open {
        /// 1.
        #[n(0)]
        version: u64,
        /// Which invitation.
        #[n(1)]
        invitation: PairingId,
        /// The transcript of the exchange that bound these two nodes earlier, where there was one: only confirmations
        /// are left to be exchanged. Not the last field: a missing last one would shorten the array.
        #[n(2)]
        resume: Option<Hash>,
        /// The accepter's signed descriptor.
        #[n(3)]
        descriptor: Bytes,
    },
    /// Inviter → accepter: who I am, and a commitment to the nonce that I shall reveal.
    #[n(1)]
    Commit {
        /// The inviter's signed descriptor.
        #[n(0)]
        descriptor: Bytes,
        /// [`super::proof::commitment`] of the inviter's nonce.
        #[n(1)]
        commitment: Hash,
    },
    /// Accepter → inviter: 32 random bytes.
    #[n(2)]
    Nonce {
        /// Fresh in each connection.
        #[n(0)]
        nonce: ByteArray<32>,
    },
    /// Inviter → accepter: the 32 random bytes that were committed to.
    #[n(3)]
    Reveal {
        /// Fresh in each connection.
        #[n(0)]
        nonce: ByteArray<32>,
    },
    /// Both ways, the accepter first: the sender knows the invitation's secret.
    #[n(4)]
    Proof {
        /// HMAC-SHA256.
        #[n(0)]
        mac: ByteArray<32>,
    },
    /// Inviter → accepter, in answer to an [`Message::Open`] that resumes: this is the exchange that I stored too.
    #[n(5)]
    Resume {
        /// Its transcript.
        #[n(0)]
        transcript: Hash,
    },
    /// Both ways: the sender's administrator has compared the words and confirmed.
    #[n(6)]
    Confirm {
        /// Whether the sender holds the receiver's confirmation, too.
        #[n(0)]
        seen: bool,
        /// HMAC-SHA256.
        #[n(1)]
        mac: ByteArray<32>,
    },
    /// Both ways, last of a connection.
    #[n(7)]
    Refuse {
        /// Why.
        #[n(0)]
        code: RefuseCode,
    },
}

/// Why the other side stops.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Encode, Decode)]
#[cbor(index_only)]
pub enum RefuseCode {
    /// It speaks another version of this protocol.
    #[n(0)]
    Version,
    /// It has no such invitation.
    #[n(1)]
    Unknown,
    /// The invitation's time is over.
    #[n(2)]
    Expired,
    /// The invitation was withdrawn, or ended by wrong proofs.
    #[n(3)]
    Ended,
    /// The invitation belongs to another node, or is used up.
    #[n(4)]
    Taken,
    /// The descriptor is not valid, or not that of the connected node.
    #[n(5)]
    Descriptor,
    /// The revealed nonce is not the one committed to.
    #[n(6)]
    Commitment,
    /// The proof is wrong.
    #[n(7)]
    Proof,
    /// The confirmation is wrong, or belongs to another exchange.
    #[n(8)]
    Confirmation,
    /// An administrator said that the words differ.
    #[n(9)]
    Rejected,
    /// Not an expected message, or not a message.
    #[n(10)]
    Unexpected,
}

impl Message {
    /// The bytes to send in one frame.
    pub fn to_bytes(&self) -> Vec<u8> {
        cbor::encode(self)
    }

    /// Reads one frame. Where this fails, the driver sends a [`RefuseCode::Unexpected`] and closes; nothing is stored.
    ///
    /// # Errors
    /// [`PairingError::Limit`] or [`PairingError::Message`].
    pub fn from_bytes(bytes: &[u8]) -> Result<Self, PairingError> {
        limits::within(
            "a pairing message in bytes",
            bytes.len() as u64,
            limits::PAIRING_MESSAGE as u64,
        )?;
        Ok(cbor::decode(bytes)?)
    }

    /// Name of the message, for errors and logs.
    pub const fn name(&self) -> &'static str {
        match self {
            Self::Open { .. } => "open",
            Self::Commit { .. } => "commit",
            Self::Nonce { .. } => "nonce",
            Self::Reveal { .. } => "reveal",
            Self::Proof { .. } => "proof",
            Self::Resume { .. } => "resume",
            Self::Confirm { .. } => "confirm",
            Self::Refuse { .. } => "refuse",
        }
    }
}
