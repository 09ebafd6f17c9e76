//! Leaving a circle (sortie du cercle): a member's own word, which needs nobody's entry to count.

use std::collections::BTreeSet;

use minicbor::{Decode, Encode};

use super::{Charter, Cut};
use crate::{
    cbor::Bytes,
    ids::{CircleId, EntryHash, Hash, LogId, NodeId, RecordId},
    limits::{self, LimitError},
    sign::{SignError, Signed, Unverified, Verified},
};

/// A member's signed word that it leaves. It counts as soon as it is known, as a removal with its cuts; the entry of the steward follows.
#[derive(Debug, Clone, PartialEq, Eq, Encode, Decode)]
#[cbor(array)]
pub struct Departure {
    /// 1.
    #[n(0)]
    pub version: u64,
    /// The circle.
    #[n(1)]
    pub circle: CircleId,
    /// Who leaves; it signs.
    #[n(2)]
    pub node: NodeId,
    /// Number of the charter entry that it knew.
    #[n(3)]
    pub entry: u64,
    /// Its hash.
    #[n(4)]
    pub entry_hash: EntryHash,
    /// The last record of each of its logs.
    #[n(5)]
    pub cuts: Vec<Cut>,
    /// When, Unix milliseconds.
    #[n(6)]
    pub time_ms: u64,
}

impl Signed for Departure {
    const DOMAIN: &'static str = "departure";
    fn signer(&self) -> NodeId {
        self.node
    }
}

/// Why a word that a member leaves is not taken.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum DepartureError {
    /// Form or signature.
    #[error(transparent)]
    Sign(#[from] SignError),
    /// A limit.
    #[error(transparent)]
    Limit(#[from] LimitError),
    /// Written by a later version of the protocol.
    #[error("the departure has version {0}, this node reads version 1: update this node")]
    Version(u64),
    /// One log, two ends.
    #[error("the departure names one log twice")]
    Twice,
    /// Of another circle.
    #[error("the departure is from another circle")]
    Circle,
    /// The charter is not here that far.
    #[error("the departure names a charter entry that is not here yet")]
    UnknownEntry,
    /// Names a charter entry that the charter has otherwise.
    #[error("the departure names a charter entry that is not in the charter")]
    Entry,
    /// The others would be without a steward.
    #[error("who leaves was the circle's steward, or became it: it hands over first, or closes")]
    Steward,
    /// No member, or one that was admitted again since.
    #[error("who leaves was no member then, or was admitted again since")]
    NotMember,
}

impl Departure {
    /// Reads and verifies.
    ///
    /// # Errors
    /// [`DepartureError::Sign`], [`DepartureError::Limit`], [`DepartureError::Version`], [`DepartureError::Twice`].
    pub fn verify(bytes: Vec<u8>) -> Result<Verified<Self>, DepartureError> {
        limits::within(
            "a departure in bytes",
            bytes.len() as u64,
            limits::DEPARTURE as u64,
        )?;
        let parsed = Unverified::<Self>::parse(bytes)?;
        let Self { version, cuts, .. } = &parsed.object;
        if *version != 1 {
            return Err(DepartureError::Version(*version));
        }
        let distinct: BTreeSet<_> = cuts.iter().map(|cut| cut.incarnation).collect();
        if distinct.len() != cuts.len() {
            return Err(DepartureError::Twice);
        }
        Ok(parsed.verify()?)
    }
}

/// A departure that no entry has followed yet, as a charter keeps it.
#[derive(Debug, Clone, PartialEq, Eq, Encode, Decode)]
#[cbor(array)]
pub(super) struct Departed {
    /// The departure's hash.
    #[n(0)]
    id: Hash,
    #[n(1)]
    cuts: Vec<Cut>,
    #[n(2)]
    signed: Bytes,
}

impl Charter {
    /// The charter in which `departure` counts; none where it counts already, or another one of the same member does: of two, the one with the
    /// lower hash, in whatever order they come.
    ///
    /// # Errors
    /// [`DepartureError`].
    pub fn depart(&self, departure: &Verified<Departure>) -> Result<Option<Self>, DepartureError> {
        let Departure {
            circle,
            node,
            entry,
            entry_hash,
            cuts,
            ..
        } = &departure.object;
        if *circle != self.circle() {
            return Err(DepartureError::Circle);
        }
        match self.hash_of(*entry) {
            None => return Err(DepartureError::UnknownEntry),
            Some(hash) if hash != *entry_hash => return Err(DepartureError::Entry),
            Some(_) => {}
        }
        let member = self.listed(node).filter(|member| member.since <= *entry);
        if member.is_none() {
            return Err(DepartureError::NotMember);
        }
        let mut later = self.stewards.iter().rev();
        let ruled = later.find(|(since, steward)| since <= entry || steward == node);
        if ruled.is_some_and(|(_, steward)| steward == node) {
            return Err(DepartureError::Steward);
        }
        let id = Hash(departure.id);
        if self.departed.get(node).is_some_and(|held| held.id <= id) {
            return Ok(None);
        }
        let mut next = self.clone();
        next.departed.insert(
            *node,
            Departed {
                id,
                cuts: cuts.clone(),
                signed: Bytes(departure.bytes.clone()),
            },
        );
        Ok(Some(next))
    }

    /// Whether `node` has left and no entry has followed yet.
    pub fn has_left(&self, node: &NodeId) -> bool {
        self.departed.contains_key(node)
    }

    /// When `node` has left, by its own word, Unix milliseconds; none where an entry has followed.
    pub fn departed_ms(&self, node: &NodeId) -> Option<u64> {
        let signed = self.departed.get(node)?.signed.0.clone();
        let word = Unverified::<Departure>::parse(signed).ok()?;
        Some(word.object.time_ms)
    }

    /// The departures that no entry has followed yet: who has left, and its signed bytes.
    pub fn departures(&self) -> impl Iterator<Item = (&NodeId, &Bytes)> {
        self.departed
            .iter()
            .map(|(node, held)| (node, &held.signed))
    }

    /// The last records of its logs that `node` named when it left.
    pub fn parting_cuts(&self, node: &NodeId) -> Option<&[Cut]> {
        self.departed.get(node).map(|held| held.cuts.as_slice())
    }

    /// Up to where records of `log` that name entry `number` are taken: as [`cut_of`](Self::cut_of), and as its node said when it left.
    pub fn taken_up_to(&self, log: &LogId, number: u64) -> Option<Option<(u64, RecordId)>> {
        let cut = self.cut_of(log, number);
        let left = self.departed.get(&log.node).filter(|_| cut.is_none());
        let Some(left) = left else {
            return cut;
        };
        let mut named = left.cuts.iter();
        let last = named.find(|cut| cut.incarnation == log.incarnation);
        Some(last.map(|cut| (cut.sequence, cut.id)))
    }

    /// Whether records of `log` pass from `giver` to `taker`: between members, and from who is no member any more what it wrote itself, as far as
    /// that counts.
    pub fn passes(&self, log: &LogId, giver: &NodeId, taker: &NodeId) -> bool {
        let own_of_old = || log.node == *giver && self.ever_listed(giver) && !self.shuns(giver);
        self.is_member(taker) && (self.is_member(giver) || own_of_old())
    }
}
