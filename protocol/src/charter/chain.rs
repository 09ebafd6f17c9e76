//! The verified chain.

use std::collections::{BTreeMap, BTreeSet};

use minicbor::{Decode, Encode};
use rand_core::CryptoRng;

use super::{
    Change, Cut, Entry, EpochSecret, Grant, Member, RemovalReason, SealedSecret, SecretError,
    State,
    apply::check_descriptor,
    departure::Departed,
    entry::{EpochStart, LogStart},
    epoch::EpochPlace,
};
use crate::{
    descriptor::DescriptorError,
    identity::ReplacementError,
    ids::{CircleId, EntryHash, Hash, LogId, NodeId, RecordId},
    invite::InviteError,
    keys::{SealKey, SealPublic},
    limits::{self, LimitError},
    seal::SealError,
    sign::Verified,
};

/// Why an entry does not extend a charter.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum CharterError {
    /// Written by a later version of the protocol.
    #[error("the entry has version {0}, this node reads version 1: update this node")]
    Version(u64),
    /// Of another circle.
    #[error("the entry belongs to another circle")]
    Circle,
    /// Not the next one.
    #[error("entry {found} does not follow entry {head}")]
    Number {
        /// The charter's head.
        head: u64,
        /// The entry's number.
        found: u64,
    },
    /// Does not name the head before it: a fork, where its signature is right.
    #[error("entry {0} names another entry before it: the charter forks")]
    Fork(u64),
    /// Not signed by the steward.
    #[error("entry {0} is not signed by the circle's steward")]
    Steward(u64),
    /// The stated state is not what the change makes of the one before.
    #[error("entry {0} states something else than what its change makes")]
    State(u64),
    /// The change cannot be made: the node is a member already, is none, or is the steward.
    #[error("entry {number}: {cause}")]
    Change {
        /// The entry.
        number: u64,
        /// Why, in words.
        cause: &'static str,
    },
    /// The circle is closed: it is opened again, or who has left is removed, and nothing else.
    #[error("the circle is closed; entry {0} comes after")]
    Closed(u64),
    /// The quoted acceptance.
    #[error("entry {number}: {error}")]
    Acceptance {
        /// The entry.
        number: u64,
        /// What is wrong with it.
        error: InviteError,
    },
    /// A quoted statement of a recovery key.
    #[error("entry {number}: {error}")]
    Replacement {
        /// The entry.
        number: u64,
        /// What is wrong with it.
        error: ReplacementError,
    },
    /// The quoted descriptor.
    #[error("entry {number}: {error}")]
    Descriptor {
        /// The entry.
        number: u64,
        /// What is wrong with it.
        error: DescriptorError,
    },
    /// A limit.
    #[error(transparent)]
    Limit(#[from] LimitError),
}

/// Where a log begins for a member.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Start {
    /// At this sequence.
    Sequence(u64),
    /// At its first record that names this entry or a later one.
    Entry(u64),
}

#[derive(Debug, Clone, PartialEq, Eq, Encode, Decode)]
#[cbor(array)]
pub(super) struct Term {
    #[n(0)]
    pub(super) from: u64,
    /// Number of the removing entry; 0 while it lasts.
    #[n(1)]
    pub(super) until: u64,
}

impl Term {
    /// Whether entry `number` lies in it.
    pub(super) const fn holds(&self, number: u64) -> bool {
        self.from <= number && (self.until == 0 || number < self.until)
    }
}

/// What one removal cut.
#[derive(Debug, Clone, PartialEq, Eq, Encode, Decode)]
#[cbor(array)]
pub(super) struct CutAt {
    #[n(0)]
    pub(super) entry: u64,
    #[n(1)]
    pub(super) cuts: Vec<Cut>,
    /// None where an identity was replaced, and in charters that were kept before this was.
    #[n(2)]
    pub(super) reason: Option<RemovalReason>,
    /// How often its cuts have moved.
    #[n(3)]
    #[cbor(default)]
    pub(super) moves: u64,
}

/// A verified charter: the head's state and what records of any age are checked against.
#[derive(Debug, Clone, PartialEq, Eq, Encode, Decode)]
#[cbor(array)]
pub struct Charter {
    #[n(0)]
    circle: CircleId,
    #[n(1)]
    hashes: Vec<EntryHash>,
    #[n(2)]
    pub(super) state: State,
    #[n(3)]
    pub(super) epochs: Vec<EpochStart>,
    #[n(4)]
    pub(super) terms: BTreeMap<NodeId, Vec<Term>>,
    #[n(5)]
    pub(super) cuts: BTreeMap<NodeId, Vec<CutAt>>,
    #[n(6)]
    pub(super) starts: BTreeMap<NodeId, Vec<LogStart>>,
    #[n(7)]
    pub(super) acceptances: Vec<Hash>,
    /// Members that have left, until an entry says so.
    #[n(8)]
    pub(super) departed: BTreeMap<NodeId, Departed>,
    /// Who was the steward from which entry on, in order.
    #[n(9)]
    pub(super) stewards: Vec<(u64, NodeId)>,
    /// Hash of the recovery key of whoever is or was listed, by the entry that listed it last, and the counter of the statement that led to it.
    #[n(10)]
    #[cbor(default)]
    pub(super) recoveries: BTreeMap<NodeId, (Hash, u64)>,
    /// Of those who took the place of another identity: the entry from which on logs begin that no start names, as for the one before.
    #[n(11)]
    #[cbor(default)]
    pub(super) inherited: BTreeMap<NodeId, u64>,
    /// Identities in whose place another one came: never members again.
    #[n(12)]
    #[cbor(default)]
    pub(super) replaced: BTreeSet<NodeId>,
    /// Other branches, where it has forked.
    #[n(13)]
    #[cbor(default)]
    pub(super) rivals: Vec<Charter>,
    /// Members that another branch removes: all but the node itself whose charter this is.
    #[n(14)]
    #[cbor(default)]
    pub(super) shunned: BTreeSet<NodeId>,
}

impl Charter {
    /// Begins a charter with its founding entry.
    ///
    /// # Errors
    /// [`CharterError`] where the entry founds nothing.
    pub fn found(entry: &Verified<Entry>) -> Result<Self, CharterError> {
        let Entry {
            version,
            circle,
            number,
            previous,
            signer,
            change,
            state,
            ..
        } = &entry.object;
        if *version != 1 {
            return Err(CharterError::Version(*version));
        }
        let Change::Found { descriptor } = change else {
            return Err(CharterError::Number {
                head: 0,
                found: *number,
            });
        };
        if *number != 1 || previous.is_some() || circle.is_some() {
            return Err(CharterError::Number {
                head: 0,
                found: *number,
            });
        }
        let said = check_descriptor(1, descriptor.0.clone(), *signer)?;
        let expected = State {
            subject: state.subject,
            founding: state.founding,
            steward: *signer,
            deputies: Vec::new(),
            predecessor: state.predecessor,
            members: vec![Member {
                node: *signer,
                since: 1,
                grant: Grant::Whole,
            }],
            epoch: EpochStart {
                number: 1,
                commitment: state.epoch.commitment,
            },
            closed: false,
        };
        if expected != *state {
            return Err(CharterError::State(1));
        }
        Ok(Self {
            circle: CircleId(entry.id),
            hashes: vec![EntryHash(entry.id)],
            epochs: vec![expected.epoch],
            terms: BTreeMap::from([(*signer, vec![Term { from: 1, until: 0 }])]),
            state: expected,
            cuts: BTreeMap::new(),
            starts: BTreeMap::new(),
            acceptances: Vec::new(),
            departed: BTreeMap::new(),
            stewards: vec![(1, *signer)],
            recoveries: BTreeMap::from([(*signer, (said.recovery, 0))]),
            inherited: BTreeMap::new(),
            replaced: BTreeSet::new(),
            rivals: Vec::new(),
            shunned: BTreeSet::new(),
        })
    }

    /// The charter with `entry` at its head.
    ///
    /// # Errors
    /// [`CharterError`]; the charter itself is as before.
    pub fn extend(&self, entry: &Verified<Entry>) -> Result<Self, CharterError> {
        let Entry {
            version,
            circle,
            number,
            previous,
            signer,
            change,
            state,
            ..
        } = &entry.object;
        let number = *number;
        if *version != 1 {
            return Err(CharterError::Version(*version));
        }
        if *circle != Some(self.circle) {
            return Err(CharterError::Circle);
        }
        if number != self.number() + 1 {
            return Err(CharterError::Number {
                head: self.number(),
                found: number,
            });
        }
        if *previous != Some(self.head()) {
            return Err(CharterError::Fork(number));
        }
        if *signer != self.state.steward {
            return Err(CharterError::Steward(number));
        }
        if self.state.closed && !change.may_follow_closing() {
            return Err(CharterError::Closed(number));
        }
        let reserve = if change.may_use_reserve() {
            0
        } else {
            limits::RESERVED_ENTRIES
        };
        limits::within(
            "the entries of a charter",
            number,
            limits::ENTRIES - reserve,
        )?;
        limits::within(
            "a charter entry in bytes",
            entry.bytes.len() as u64,
            limits::ENTRY as u64,
        )?;

        let mut next = self.clone();
        next.hashes.push(EntryHash(entry.id));
        if change.starts_epoch() {
            next.state.epoch = EpochStart {
                number,
                commitment: state.epoch.commitment,
            };
            next.epochs.push(next.state.epoch);
        }
        next.apply(number, *signer, change)?;
        if next.state != *state {
            return Err(CharterError::State(number));
        }
        Ok(next)
    }

    /// The circle.
    pub const fn circle(&self) -> CircleId {
        self.circle
    }

    /// Number of the head, from 1.
    pub const fn number(&self) -> u64 {
        self.hashes.len() as u64
    }

    /// Hash of the head.
    pub fn head(&self) -> EntryHash {
        *self
            .hashes
            .last()
            .expect("a charter has its founding entry")
    }

    /// The steward once entry `number` stood.
    pub fn steward_at(&self, number: u64) -> Option<NodeId> {
        let mut known = self.stewards.iter().rev();
        let then = known.find(|(since, _)| *since <= number);
        then.map(|(_, steward)| *steward)
            .filter(|_| number <= self.number())
    }

    /// Hash of the entry with this number.
    pub fn hash_of(&self, number: u64) -> Option<EntryHash> {
        let index = usize::try_from(number.checked_sub(1)?).ok()?;
        self.hashes.get(index).copied()
    }

    /// What holds at the head.
    pub const fn state(&self) -> &State {
        &self.state
    }

    /// Whether `node` is a member at the head, has not left, and no other branch of the charter removes it.
    pub fn is_member(&self, node: &NodeId) -> bool {
        self.member(node).is_some()
    }

    /// The member at the head that has not left.
    pub fn member(&self, node: &NodeId) -> Option<&Member> {
        let here = |_: &&Member| !self.has_left(node) && !self.shuns(node);
        self.listed(node).filter(here)
    }

    /// The members at the head that have not left.
    pub fn members(&self) -> impl Iterator<Item = &Member> {
        let here = |member: &&Member| !self.has_left(&member.node) && !self.shuns(&member.node);
        self.state.members.iter().filter(here)
    }

    /// The member that the head lists, whether it has left or not.
    pub fn listed(&self, node: &NodeId) -> Option<&Member> {
        self.state
            .members
            .iter()
            .find(|member| member.node == *node)
    }

    /// Whether the head or any earlier entry lists `node`.
    pub fn ever_listed(&self, node: &NodeId) -> bool {
        self.terms.contains_key(node)
    }

    /// Every node that the head or any earlier entry lists.
    pub fn ever(&self) -> impl Iterator<Item = &NodeId> {
        self.terms.keys()
    }

    /// Number of the entry that removed `node` last, where it is no member now.
    pub fn removed_by(&self, node: &NodeId) -> Option<u64> {
        let last = self.terms.get(node)?.last()?;
        (last.until != 0).then_some(last.until)
    }

    /// Whether entry `number` lists `node` as a member.
    pub fn was_member(&self, node: &NodeId, number: u64) -> bool {
        self.terms
            .get(node)
            .is_some_and(|terms| terms.iter().any(|term| term.holds(number)))
    }

    /// Number and hash of the entry whose epoch entry `number` fixes.
    pub fn epoch_of(&self, number: u64) -> Option<(u64, EntryHash)> {
        if number > self.number() {
            return None;
        }
        let start = self
            .epochs
            .iter()
            .rev()
            .find(|epoch| epoch.number <= number)?;
        Some((start.number, self.hash_of(start.number)?))
    }

    /// Numbers of the entries that start epochs.
    pub fn epochs(&self) -> impl Iterator<Item = u64> + '_ {
        self.epochs.iter().map(|epoch| epoch.number)
    }

    /// Whether `node`, as a member at the head, may read the epoch that entry `number` starts.
    pub fn is_granted(&self, node: &NodeId, number: u64) -> bool {
        self.member(node).is_some_and(|member| {
            number >= member.since
                || match member.grant {
                    Grant::Whole => true,
                    Grant::From(from) => number >= from,
                    Grant::Nothing => false,
                }
        })
    }

    /// Where `log` starts for `node`, a member at the head.
    pub fn start_for(&self, node: &NodeId, log: &LogId) -> Option<Start> {
        let member = self.member(node)?;
        if member.grant == Grant::Whole || *node == log.node {
            return Some(Start::Sequence(1));
        }
        let named = self
            .starts
            .get(node)
            .and_then(|starts| starts.iter().find(|start| start.log == *log));
        let since = self.inherited.get(node).copied();
        let rest = Start::Entry(since.unwrap_or(member.since));
        Some(named.map_or(rest, |start| Start::Sequence(start.sequence)))
    }

    /// Up to where `log` counts, for a record that names entry `number`, if its node was removed in the term in which that was
    /// written: `Some(None)` means that nothing of it counts.
    pub fn cut_of(&self, log: &LogId, number: u64) -> Option<Option<(u64, RecordId)>> {
        let removals = self.cuts.get(&log.node)?;
        let mut terms = self.terms.get(&log.node)?.iter();
        let term = terms.find(|term| term.holds(number));
        let until = term.map_or(u64::MAX, |term| term.until);
        let lasts = until == 0;
        // What an earlier removal cut stays cut there; a later one says nothing of what was written before the one that ended this term.
        let said = removals.iter().filter(|at| lasts || at.entry <= until);
        let mut cuts = said.flat_map(|at| &at.cuts);
        let named = cuts.find(|cut| cut.incarnation == log.incarnation);
        if named.is_none() && lasts {
            // Readmitted: a new incarnation that no removal has cut.
            return None;
        }
        Some(named.map(|cut| (cut.sequence, cut.id)))
    }

    /// The hashes of the acceptances that entries quote.
    pub fn quoted(&self) -> impl Iterator<Item = &Hash> {
        self.acceptances.iter()
    }

    fn place(&self, number: u64) -> Option<EpochPlace> {
        let start = self.epochs.iter().find(|epoch| epoch.number == number)?;
        Some(EpochPlace {
            circle: self.circle,
            number,
            previous: self.hash_of(number - 1),
            epoch: self.hash_of(number)?,
            commitment: start.commitment,
        })
    }

    /// Seals the secret of the epoch that entry `number` starts to `recipient`.
    ///
    /// # Errors
    /// [`SealError`]. `None` where the recipient is not granted that epoch: nothing is sealed then.
    #[allow(
        clippy::too_many_arguments,
        reason = "a seal names its epoch, both ends and its time"
    )]
    pub fn seal_secret(
        &self,
        number: u64,
        secret: &EpochSecret,
        sealer: NodeId,
        recipient: NodeId,
        key: &SealPublic,
        now_ms: u64,
        rng: &mut impl CryptoRng,
    ) -> Option<Result<SealedSecret, SealError>> {
        if !self.is_granted(&recipient, number) {
            return None;
        }
        Some(
            self.place(number)?
                .seal(secret, sealer, recipient, key, now_ms, rng),
        )
    }

    /// Opens a sealed copy meant for `own`.
    ///
    /// # Errors
    /// [`SecretError`].
    pub fn open_secret(
        &self,
        copy: &SealedSecret,
        own: NodeId,
        keys: &[SealKey],
    ) -> Result<EpochSecret, SecretError> {
        self.place(copy.number)
            .ok_or(SecretError::Misplaced)?
            .open(copy, own, keys)
    }

    /// Whether `secret` is the one that the entry `number` committed to.
    pub fn committed(&self, number: u64, secret: &EpochSecret) -> bool {
        self.place(number)
            .is_some_and(|place| secret.commitment(place.previous, number) == place.commitment)
    }
}
