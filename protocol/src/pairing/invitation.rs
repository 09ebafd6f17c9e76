//! What one administrator hands to the other: where the node is, and a secret that only the two of them know.

use minicbor::{Decode, Encode};
use rand_core::CryptoRng;

use super::Secret;
use crate::{
    ids::{NodeId, PairingId},
    limits::{self, LimitError},
};

/// Version of the invitation, of the messages and of the stored form.
pub const VERSION: u64 = 1;

/// An invitation to peer. Whoever holds it may try once; [`Self::to_text`] is what people copy.
#[derive(Debug, Clone, PartialEq, Eq, Encode, Decode)]
#[cbor(array)]
pub struct Invitation {
    /// 1.
    #[n(0)]
    pub version: u64,
    /// The node that invites.
    #[n(1)]
    pub inviter: NodeId,
    /// Where it is reached: multiaddresses without the peer part, one to [`limits::INVITATION_ADDRESSES`].
    #[n(2)]
    pub addresses: Vec<String>,
    /// Names the invitation on the wire. Not secret.
    #[n(3)]
    pub id: PairingId,
    /// 128 random bits.
    #[n(4)]
    pub secret: Secret<16>,
    /// Refused at or after this moment, Unix milliseconds.
    #[n(5)]
    pub expires_ms: u64,
}

/// Why an invitation cannot be made or read. Every variant says what the person at the keyboard does next.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum InvitationError {
    /// Another text than an invitation.
    #[error(
        "this is no invitation: it starts with maillon1: and is copied whole from the other administrator's message"
    )]
    NotAnInvitation,
    /// Made by a later version.
    #[error("this invitation was made by a newer node: update this node, then paste it again")]
    Version,
    /// A character that no invitation contains.
    #[error(
        "character {position} after the colon is {found:?}, which no invitation contains: only letters and the digits 2 to 7 occur, so 0 is read as the letter O and 1 as I or L"
    )]
    Character {
        /// What stands there.
        found: char,
        /// Where, counted from 1 after the colon, spaces and hyphens left out.
        position: usize,
    },
    /// Cut off.
    #[error("the invitation is incomplete: copy it again, to its last character")]
    Incomplete,
    /// At least one character is wrong or missing.
    #[error(
        "the invitation has a typing error: its check characters do not match; copy it again or scan the QR code"
    )]
    Checksum,
    /// The checksum is right, the content is not: made by no node of ours.
    #[error("the invitation was not made by a Maillon node: ask for a new one")]
    Content,
    /// Nowhere to dial.
    #[error("an invitation needs at least one address at which this node is reached")]
    NoAddress,
    /// Not the text of a multiaddress.
    #[error(
        "an address of the invitation is not a multiaddress such as /ip4/192.0.2.1/udp/4001/quic-v1"
    )]
    Address,
    /// A limit.
    #[error(transparent)]
    Limit(#[from] LimitError),
}

impl Invitation {
    /// A new invitation to the node `inviter`, for `life_ms` milliseconds from `now_ms`.
    ///
    /// # Errors
    /// [`InvitationError::NoAddress`], [`InvitationError::Address`], or [`InvitationError::Limit`] where `life_ms` is
    /// longer than [`limits::INVITATION_LIFE_MS`] or there are too many or too long addresses.
    pub fn new(
        inviter: NodeId,
        addresses: Vec<String>,
        now_ms: u64,
        life_ms: u64,
        rng: &mut impl CryptoRng,
    ) -> Result<Self, InvitationError> {
        limits::within(
            "an invitation's life in milliseconds",
            life_ms,
            limits::INVITATION_LIFE_MS,
        )?;
        let mut id = PairingId([0; 16]);
        rng.fill_bytes(&mut id.0);
        let invitation = Self {
            version: VERSION,
            inviter,
            addresses,
            id,
            secret: Secret::generate(rng),
            expires_ms: now_ms.saturating_add(life_ms),
        };
        invitation.check()?;
        Ok(invitation)
    }

    /// Checks version and addresses; both ends do.
    pub(super) fn check(&self) -> Result<(), InvitationError> {
        if self.version != VERSION {
            return Err(InvitationError::Version);
        }
        if self.addresses.is_empty() {
            return Err(InvitationError::NoAddress);
        }
        limits::within(
            "an invitation's addresses",
            self.addresses.len() as u64,
            limits::INVITATION_ADDRESSES as u64,
        )?;
        for address in &self.addresses {
            limits::within(
                "an invitation's address in bytes",
                address.len() as u64,
                limits::INVITATION_ADDRESS as u64,
            )?;
            if !address.starts_with('/') || !address.bytes().all(|byte| byte.is_ascii_graphic()) {
                return Err(InvitationError::Address);
            }
        }
        Ok(())
    }
}
