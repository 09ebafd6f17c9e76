//! An identity's last word.

use minicbor::{Decode, Encode};

use crate::{
    ids::NodeId,
    limits::{self, LimitError},
    sign::{SignError, Signed, Unverified, Verified},
};

/// A node's signed word that its key is used no more. There is no way back: not by this key, and not by another.
#[derive(Debug, Clone, PartialEq, Eq, Encode, Decode)]
#[cbor(array)]
pub struct Revocation {
    /// 1.
    #[n(0)]
    pub version: u64,
    /// The identity; it signs.
    #[n(1)]
    pub node: NodeId,
    /// When, Unix milliseconds.
    #[n(2)]
    pub time_ms: u64,
}

impl Signed for Revocation {
    const DOMAIN: &'static str = "revocation";
    fn signer(&self) -> NodeId {
        self.node
    }
}

/// Why a revocation is not taken.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum RevocationError {
    /// Form or signature.
    #[error(transparent)]
    Sign(#[from] SignError),
    /// A limit.
    #[error(transparent)]
    Limit(#[from] LimitError),
    /// Written by a later version of the protocol.
    #[error("the revocation has version {0}, this node reads version 1: update this node")]
    Version(u64),
}

impl Revocation {
    /// Reads and verifies.
    ///
    /// # Errors
    /// [`RevocationError`].
    pub fn verify(bytes: Vec<u8>) -> Result<Verified<Self>, RevocationError> {
        limits::within(
            "a revocation in bytes",
            bytes.len() as u64,
            limits::REVOCATION as u64,
        )?;
        let parsed = Unverified::<Self>::parse(bytes)?;
        if parsed.object.version != 1 {
            return Err(RevocationError::Version(parsed.object.version));
        }
        Ok(parsed.verify()?)
    }
}
