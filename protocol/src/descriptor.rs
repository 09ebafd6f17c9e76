//! What a node says of itself, signed.
//!
//! Descriptors of one node are ordered by a counter. An older one, or another one with the same counter, is refused
//! and reported: [`order`] says which of two counts.

use minicbor::{Decode, Encode};
use serde::{Deserialize, Serialize};

use crate::{
    ids::{Hash, NodeId},
    keys::{KeyError, SealPublic},
    limits::{self, LimitError},
    sign::{SignError, Signed, Unverified, Verified},
};

/// The kind of structure that hosts a node.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Encode, Decode, Serialize, Deserialize)]
#[cbor(index_only)]
#[serde(rename_all = "kebab-case")]
pub enum StructureKind {
    /// Dispositif d'appui à la coordination.
    #[n(0)]
    Dac,
    /// Communauté professionnelle territoriale de santé.
    #[n(1)]
    Cpts,
    /// Établissement ou service social ou médico-social, home-care services included.
    #[n(2)]
    Esms,
    /// Établissement de santé.
    #[n(3)]
    Hospital,
    /// Groupe d'expérimentation « article 51 ».
    #[serde(rename = "article51")]
    #[n(4)]
    Article51,
    /// Any other structure that coordinates care.
    #[n(5)]
    Other,
}

/// A node's description of itself.
#[derive(Debug, Clone, PartialEq, Eq, Encode, Decode)]
#[cbor(array)]
pub struct Descriptor {
    /// 1.
    #[n(0)]
    pub version: u64,
    /// The node; it signs.
    #[n(1)]
    pub node: NodeId,
    /// The greater of the previous counter plus one and Unix milliseconds.
    #[n(2)]
    pub counter: u64,
    /// Name of the structure.
    #[n(3)]
    pub name: String,
    /// Its kind.
    #[n(4)]
    pub kind: StructureKind,
    /// FINESS number, nine characters, where there is one; else empty.
    #[n(5)]
    pub finess: String,
    /// The territory in words.
    #[n(6)]
    pub territory: String,
    /// Where it is reached: multiaddresses without the peer part; through a relay, `/…/p2p/RELAY/p2p-circuit`.
    #[n(7)]
    pub addresses: Vec<String>,
    /// Name of the sealing suite ([`crate::seal::SUITE`]).
    #[n(8)]
    pub suite: String,
    /// The receive key.
    #[n(9)]
    pub seal: SealPublic,
    /// Lowest and highest protocol version spoken.
    #[n(10)]
    pub protocols: (u64, u64),
    /// How to reach its administrator.
    #[n(11)]
    pub administrator: String,
    /// How to reach its data protection officer (délégué à la protection des données).
    #[n(12)]
    pub dpo: String,
    /// SHA-256 of the offline recovery public key.
    #[n(13)]
    pub recovery: Hash,
}

impl Signed for Descriptor {
    const DOMAIN: &'static str = "descriptor";
    fn signer(&self) -> NodeId {
        self.node
    }
}

/// Why a descriptor is refused.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum DescriptorError {
    /// Form or signature.
    #[error(transparent)]
    Sign(#[from] SignError),
    /// A limit.
    #[error(transparent)]
    Limit(#[from] LimitError),
    /// Its receive key.
    #[error(transparent)]
    Key(#[from] KeyError),
    /// Written by a later version of the protocol.
    #[error("the descriptor has version {0}, this node reads version 1: update this node")]
    Version(u64),
    /// Sealing suite that this node does not speak.
    #[error("the node seals with a suite that this node does not know: update this node")]
    Suite,
}

impl Descriptor {
    /// Reads, checks and verifies a signed descriptor.
    ///
    /// # Errors
    /// [`DescriptorError`].
    pub fn verify(bytes: Vec<u8>) -> Result<Verified<Self>, DescriptorError> {
        limits::within(
            "a descriptor in bytes",
            bytes.len() as u64,
            limits::DESCRIPTOR as u64,
        )?;
        let parsed = Unverified::<Self>::parse(bytes)?;
        if parsed.object.version != 1 {
            return Err(DescriptorError::Version(parsed.object.version));
        }
        if parsed.object.suite != crate::seal::SUITE {
            return Err(DescriptorError::Suite);
        }
        parsed.object.seal.check()?;
        Ok(parsed.verify()?)
    }
}

/// What a descriptor means to somebody who already holds one of the same node.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum DescriptorOrder {
    /// It replaces the one held.
    Newer,
    /// It is the one held.
    Same,
    /// Older than the one held: refused.
    Older,
    /// Same counter, other content: refused and reported.
    Conflict,
}

/// Orders `offered` against `held`, two verified descriptors of one node.
pub fn order(held: &Verified<Descriptor>, offered: &Verified<Descriptor>) -> DescriptorOrder {
    use std::cmp::Ordering::{Equal, Greater, Less};
    match offered.object.counter.cmp(&held.object.counter) {
        Greater => DescriptorOrder::Newer,
        Less => DescriptorOrder::Older,
        Equal if offered.id == held.id => DescriptorOrder::Same,
        Equal => DescriptorOrder::Conflict,
    }
}
