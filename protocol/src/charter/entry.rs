//! The bytes of a charter entry.

use minicbor::{Decode, Encode};
use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};

use crate::{
    cbor::{self, Bytes},
    ids::{CircleId, EntryHash, Hash, Incarnation, LogId, NodeId, RecordId},
    sign::Signed,
    time::Timestamp,
};

/// What a circle is about.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Encode, Decode, Serialize, Deserialize)]
#[cbor(index_only)]
#[serde(rename_all = "kebab-case")]
pub enum Subject {
    /// One patient: their coordination file.
    #[n(0)]
    Patient,
    /// A territory's professionals.
    #[n(1)]
    Community,
}

/// How much of the past a member may read.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Encode, Decode, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Grant {
    /// Nothing written before the admission.
    #[n(0)]
    Nothing,
    /// Everything.
    #[n(1)]
    Whole,
    /// From the epoch that this entry started.
    #[n(2)]
    From(#[n(0)] u64),
}

/// A member, as the state lists it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Encode, Decode)]
#[cbor(array)]
pub struct Member {
    /// The node.
    #[n(0)]
    pub node: NodeId,
    /// Number of the entry that admitted it.
    #[n(1)]
    pub since: u64,
    /// What it may read of what was written before.
    #[n(2)]
    pub grant: Grant,
}

/// Where the current epoch began, and the commitment to its secret.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Encode, Decode)]
#[cbor(array)]
pub struct EpochStart {
    /// Number of the entry.
    #[n(0)]
    pub number: u64,
    /// See [`super::EpochSecret::commitment`].
    #[n(1)]
    pub commitment: Hash,
}

/// The circle that another one continues, up to the last entry that its members have in common. The one that continues it holds a commitment to
/// this ([`Self::commitment`]): its members that were in the old circle can check it, those who came later do not learn which circle that was.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Encode, Decode)]
#[cbor(array)]
pub struct Predecessor {
    /// The circle.
    #[n(0)]
    pub circle: CircleId,
    /// Number of the entry.
    #[n(1)]
    pub entry: u64,
    /// Its hash.
    #[n(2)]
    pub hash: EntryHash,
}

impl Predecessor {
    /// SHA-256 of the deterministic encoding of `["maillon/1 predecessor", the new circle's founding bytes, circle, entry, hash]`.
    pub fn commitment(&self, founding: &Hash) -> Hash {
        let said = (
            "maillon/1 predecessor",
            founding,
            self.circle,
            self.entry,
            self.hash,
        );
        Hash(Sha256::digest(cbor::encode(&said)).into())
    }
}

/// What holds after an entry.
#[derive(Debug, Clone, PartialEq, Eq, Encode, Decode)]
#[cbor(array)]
pub struct State {
    /// What the circle is about; never changes.
    #[n(0)]
    pub subject: Subject,
    /// 32 random bytes that make the circle's id unguessable; never change.
    #[n(1)]
    pub founding: Hash,
    /// Who signs entries.
    #[n(2)]
    pub steward: NodeId,
    /// Who may found a successor that the others' nodes accept by themselves.
    #[n(3)]
    pub deputies: Vec<NodeId>,
    /// Commitment to the circle that this one continues, whose steward was lost or whose charter forked ([`Predecessor`]); never changes.
    #[n(4)]
    pub predecessor: Option<Hash>,
    /// Members in the order of their admission.
    #[n(5)]
    pub members: Vec<Member>,
    /// The epoch in which members write.
    #[n(6)]
    pub epoch: EpochStart,
    /// Whether the circle is closed: nothing more is written.
    #[n(7)]
    pub closed: bool,
}

/// Where a log begins for a new member.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Encode, Decode)]
#[cbor(array)]
pub struct LogStart {
    /// The log.
    #[n(0)]
    pub log: LogId,
    /// First sequence that the member receives.
    #[n(1)]
    pub sequence: u64,
}

/// Up to where a removed member's log counts.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Encode, Decode)]
#[cbor(array)]
pub struct Cut {
    /// Incarnation of the removed node's log.
    #[n(0)]
    pub incarnation: Incarnation,
    /// The last sequence that counts.
    #[n(1)]
    pub sequence: u64,
    /// Its record.
    #[n(2)]
    pub id: RecordId,
}

/// Why a member is removed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Encode, Decode, Serialize, Deserialize)]
#[cbor(index_only)]
#[serde(rename_all = "kebab-case")]
pub enum RemovalReason {
    /// It no longer takes part in the person's care.
    #[n(0)]
    Ended,
    /// It asked to leave.
    #[n(1)]
    Left,
    /// Its key or machine may be in other hands.
    #[n(2)]
    Compromised,
}

/// Why a new epoch begins without a change of members.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Encode, Decode, Serialize, Deserialize)]
#[cbor(index_only)]
#[serde(rename_all = "kebab-case")]
pub enum RotationReason {
    /// Somebody asked for it.
    #[n(0)]
    Precaution,
    /// The secret may be known to others.
    #[n(1)]
    Suspected,
}

/// What an entry changes.
#[derive(Debug, Clone, PartialEq, Eq, Encode, Decode)]
pub enum Change {
    /// The circle begins, with its founder alone.
    #[n(1)]
    Found {
        /// The founder's signed descriptor.
        #[n(0)]
        descriptor: Bytes,
    },
    /// A node becomes a member.
    #[n(2)]
    Admit {
        /// The node.
        #[n(0)]
        node: NodeId,
        /// Its signed descriptor.
        #[n(1)]
        descriptor: Bytes,
        /// Its signed acceptance of the steward's invitation.
        #[n(2)]
        acceptance: Bytes,
        /// What it may read of the past.
        #[n(3)]
        grant: Grant,
        /// Where logs start for it; a log that is not named starts at its first record that names this entry or a later one.
        /// Empty with [`Grant::Whole`]: every log starts at 1.
        #[n(4)]
        starts: Vec<LogStart>,
    },
    /// A node is a member no more.
    #[n(3)]
    Remove {
        /// The node.
        #[n(0)]
        node: NodeId,
        /// Why.
        #[n(1)]
        reason: RemovalReason,
        /// Up to where its logs count; a log that is not named counts for nothing.
        #[n(2)]
        cuts: Vec<Cut>,
    },
    /// A new epoch begins.
    #[n(4)]
    Rotate {
        /// Why.
        #[n(0)]
        reason: RotationReason,
    },
    /// The circle is closed.
    #[n(5)]
    Close {
        /// Coded reason for closing the file: 0 end of care, 1 moved away, 2 death, 3 opposition, 4 other.
        #[n(0)]
        reason: u64,
    },
    /// Another member is the steward from now on, and signs the next entry.
    #[n(6)]
    HandOver {
        /// The member.
        #[n(0)]
        to: NodeId,
    },
    /// The deputies are now these.
    #[n(7)]
    Appoint {
        /// All of them: members, without the steward; at most [`limits::DEPUTIES`](crate::limits::DEPUTIES).
        #[n(0)]
        deputies: Vec<NodeId>,
    },
    /// A closed circle is open again.
    #[n(8)]
    Reopen {
        /// Coded reason: 0 care begins again, 1 closed by mistake, 2 other.
        #[n(0)]
        reason: u64,
    },
    /// A member has another identity: one node is a member no more, another one is, with as much of the past.
    #[n(9)]
    Replace {
        /// The identity that is given up.
        #[n(0)]
        old: NodeId,
        /// Up to where its logs count; a log that is not named counts for nothing.
        #[n(1)]
        cuts: Vec<Cut>,
        /// The identity in its place.
        #[n(2)]
        new: NodeId,
        /// The signed descriptor of the new one.
        #[n(3)]
        descriptor: Bytes,
        /// The recovery keys' signed statements that lead from the old identity, as the charter knows it, to the new one.
        #[n(4)]
        statements: Vec<Bytes>,
    },
    /// More counts of what a removed node wrote than its removal said.
    #[n(10)]
    MoveCuts {
        /// The removed node.
        #[n(0)]
        node: NodeId,
        /// The entry that removed it, or put another identity in its place.
        #[n(1)]
        removal: u64,
        /// Up to where its logs count now; one that is not named counts as before.
        #[n(2)]
        cuts: Vec<Cut>,
    },
}

impl Change {
    /// Whether a new epoch begins with this change.
    pub const fn starts_epoch(&self) -> bool {
        !matches!(
            self,
            Self::Close { .. }
                | Self::HandOver { .. }
                | Self::Appoint { .. }
                | Self::Reopen { .. }
                | Self::MoveCuts { .. }
        )
    }

    /// Whether this is signed in a closed circle too: its opening, the removal of who has left, whose word counts there as anywhere, and what counts
    /// of what was written before.
    pub const fn may_follow_closing(&self) -> bool {
        matches!(
            self,
            Self::Reopen { .. }
                | Self::MoveCuts { .. }
                | Self::Remove {
                    reason: RemovalReason::Left,
                    ..
                }
        )
    }

    /// Whether this may use the last entries of a full charter.
    pub const fn may_use_reserve(&self) -> bool {
        matches!(
            self,
            Self::Remove { .. } | Self::HandOver { .. } | Self::Close { .. }
        )
    }
}

/// One entry of a charter.
#[derive(Debug, Clone, PartialEq, Eq, Encode, Decode)]
#[cbor(array)]
pub struct Entry {
    /// 1.
    #[n(0)]
    pub version: u64,
    /// The circle; none in the founding entry, whose hash it is.
    #[n(1)]
    pub circle: Option<CircleId>,
    /// From 1, without gaps.
    #[n(2)]
    pub number: u64,
    /// Hash of the entry before; none in the founding entry.
    #[n(3)]
    pub previous: Option<EntryHash>,
    /// When it was made.
    #[n(4)]
    pub time: Timestamp,
    /// The steward.
    #[n(5)]
    pub signer: NodeId,
    /// What changes.
    #[n(6)]
    pub change: Change,
    /// What holds now.
    #[n(7)]
    pub state: State,
}

impl Signed for Entry {
    const DOMAIN: &'static str = "entry";
    fn signer(&self) -> NodeId {
        self.signer
    }
}
