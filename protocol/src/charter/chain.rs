//! The verified chain.

use std::collections::{BTreeMap, BTreeSet};

use minicbor::{Decode, Encode};

use super::{
    Change, Cut, Entry, Grant, Member, RemovalReason, State,
    apply::check_descriptor,
    departure::Departed,
    entry::{EpochStart, LogStart},
};
use crate::{
    descriptor::DescriptorError,
    identity::ReplacementError,
    ids::{CircleId, EntryHash, Hash, NodeId},
    invite::InviteError,
    limits::{self, LimitError},
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
    pub(super) circle: CircleId,
    #[n(1)]
    pub(super) hashes: Vec<EntryHash>,
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
}
