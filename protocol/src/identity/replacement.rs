//! The recovery key's statement, and what stands after it.

use minicbor::{Decode, Encode};
use sha2::{Digest, Sha256};

use crate::{
    descriptor::Descriptor,
    ids::{Hash, NodeId},
    limits::{self, LimitError},
    sign::{SignError, Signed, Unverified, Verified},
};

/// What a recovery key says of the identity that it rules.
#[derive(Debug, Clone, PartialEq, Eq, Encode, Decode)]
#[cbor(array)]
pub struct Replacement {
    /// 1.
    #[n(0)]
    pub version: u64,
    /// The recovery public key; it signs. It is no node: nobody connects as it.
    #[n(1)]
    pub recovery: NodeId,
    /// The identity that is replaced.
    #[n(2)]
    pub old: NodeId,
    /// The identity in its place; none where only the recovery key becomes another one.
    #[n(3)]
    pub new: Option<NodeId>,
    /// SHA-256 of the recovery public key that rules from now on: of `new`, or of `old` where there is no new one.
    #[n(4)]
    pub next: Hash,
    /// The greater of the one before plus one and Unix milliseconds.
    #[n(5)]
    pub counter: u64,
}

impl Signed for Replacement {
    const DOMAIN: &'static str = "replacement";
    fn signer(&self) -> NodeId {
        self.recovery
    }
}

/// Why a recovery key's statement is not taken.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum ReplacementError {
    /// Form or signature.
    #[error(transparent)]
    Sign(#[from] SignError),
    /// A limit.
    #[error(transparent)]
    Limit(#[from] LimitError),
    /// Written by a later version of the protocol.
    #[error("the replacement has version {0}, this node reads version 1: update this node")]
    Version(u64),
    /// Two of its keys are one.
    #[error("the replacement names one key in two places: identities and recovery key differ")]
    SameKey,
    /// Neither the identity nor the recovery key becomes another one.
    #[error("the replacement changes nothing")]
    Nothing,
    /// Of another identity than the one that stands.
    #[error("the replacement is of another identity")]
    Identity,
    /// Signed by another key than the one whose hash stands.
    #[error("the replacement is not signed by the recovery key that the node had named")]
    Recovery,
    /// Not after the statement before it: somebody replays.
    #[error("the replacement is not newer than the one before it: somebody replays")]
    Older,
}

/// SHA-256 of a recovery public key, as descriptors name it.
pub fn recovery_hash(recovery: &NodeId) -> Hash {
    Hash(Sha256::digest(recovery.0).into())
}

impl Replacement {
    /// Reads, checks and verifies. Whether the signer is the recovery key of `old` is for [`Identity::after`] to say.
    ///
    /// # Errors
    /// [`ReplacementError`], without [`Identity`](ReplacementError::Identity), [`Recovery`](ReplacementError::Recovery) and
    /// [`Older`](ReplacementError::Older).
    pub fn verify(bytes: Vec<u8>) -> Result<Verified<Self>, ReplacementError> {
        limits::within(
            "a replacement in bytes",
            bytes.len() as u64,
            limits::REPLACEMENT as u64,
        )?;
        let parsed = Unverified::<Self>::parse(bytes)?;
        let Self {
            version,
            recovery,
            old,
            new,
            next,
            ..
        } = &parsed.object;
        if *version != 1 {
            return Err(ReplacementError::Version(*version));
        }
        if old == recovery || *new == Some(*old) || *new == Some(*recovery) {
            return Err(ReplacementError::SameKey);
        }
        if new.is_none() && *next == recovery_hash(recovery) {
            return Err(ReplacementError::Nothing);
        }
        Ok(parsed.verify()?)
    }
}

/// An identity, and the recovery key that rules it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Identity {
    /// The node.
    pub node: NodeId,
    /// SHA-256 of its recovery public key.
    pub recovery: Hash,
    /// Counter of the statement that made it so; 0 where a descriptor did.
    pub counter: u64,
}

impl Identity {
    /// As the node says itself, before any statement.
    pub const fn of(descriptor: &Descriptor) -> Self {
        Self {
            node: descriptor.node,
            recovery: descriptor.recovery,
            counter: 0,
        }
    }

    /// What stands after a verified statement.
    ///
    /// # Errors
    /// [`ReplacementError::Identity`], [`ReplacementError::Recovery`], [`ReplacementError::Older`].
    pub fn after(&self, statement: &Verified<Replacement>) -> Result<Self, ReplacementError> {
        let said = &statement.object;
        if said.old != self.node {
            return Err(ReplacementError::Identity);
        }
        if recovery_hash(&said.recovery) != self.recovery {
            return Err(ReplacementError::Recovery);
        }
        if said.counter <= self.counter {
            return Err(ReplacementError::Older);
        }
        Ok(Self {
            node: said.new.unwrap_or(self.node),
            recovery: said.next,
            counter: said.counter,
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{keys::NodeKey, sign::sign};

    fn key(seed: u8) -> NodeKey {
        NodeKey::from_seed(&[seed; 32])
    }

    fn hash(seed: u8) -> Hash {
        recovery_hash(&key(seed).id())
    }

    /// Node 1, ruled by the recovery key 9.
    fn first() -> Identity {
        Identity {
            node: key(1).id(),
            recovery: hash(9),
            counter: 0,
        }
    }

    fn said(by: u8, old: u8, new: Option<u8>, next: u8, counter: u64) -> Verified<Replacement> {
        let statement = Replacement {
            version: 1,
            recovery: key(by).id(),
            old: key(old).id(),
            new: new.map(|new| key(new).id()),
            next: hash(next),
            counter,
        };
        sign(statement, &key(by))
    }

    #[test]
    fn an_identity_is_followed_through_a_new_recovery_key_to_a_new_one() {
        let other_key = first().after(&said(9, 1, None, 8, 10)).expect("by 9");
        assert_eq!(other_key.node, key(1).id());
        let second = other_key.after(&said(8, 1, Some(2), 8, 11)).expect("by 8");
        assert_eq!((second.node, second.recovery), (key(2).id(), hash(8)));
        assert!(second.after(&said(8, 2, Some(3), 7, 12)).is_ok());
    }

    #[test]
    fn neither_the_identity_nor_a_key_that_was_given_up_nor_a_replay_moves_it() {
        let by_itself = first().after(&said(1, 1, Some(2), 9, 10));
        assert_eq!(by_itself, Err(ReplacementError::Recovery));
        let away = said(9, 1, None, 8, 10);
        let back = said(8, 1, None, 9, 11);
        let now = first().after(&away).expect("by 9");
        let given_up = now.after(&said(9, 1, Some(2), 9, 12));
        assert_eq!(given_up, Err(ReplacementError::Recovery));
        let again = now.after(&back).expect("by 8");
        assert_eq!(again.after(&away), Err(ReplacementError::Older));
        let of_another = again.after(&said(9, 3, Some(2), 9, 12));
        assert_eq!(of_another, Err(ReplacementError::Identity));
    }

    #[test]
    fn one_key_cannot_stand_in_two_places() {
        for wrong in [
            said(1, 1, Some(2), 9, 10),
            said(9, 1, Some(1), 9, 10),
            said(9, 1, Some(9), 8, 10),
        ] {
            let refused = Replacement::verify(wrong.bytes);
            assert_eq!(refused, Err(ReplacementError::SameKey));
        }
        let nothing = Replacement::verify(said(9, 1, None, 9, 10).bytes);
        assert_eq!(nothing, Err(ReplacementError::Nothing));
        assert!(Replacement::verify(said(9, 1, Some(2), 9, 10).bytes).is_ok());
    }
}
