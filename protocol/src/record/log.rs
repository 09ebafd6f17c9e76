//! What a header must be to extend a log.
//!
//! [`LogTip`] is what a node has committed of one log; [`LogTip::check`] is a pure function of the header, the tip and the charter. Arrival and clocks have no
//! part in it.

use minicbor::{Decode, Encode};

use super::{Header, Previous};
use crate::{
    charter::{Charter, Start},
    ids::{LogId, NodeId, RecordId},
    sign::Verified,
};

/// What is committed of one log.
#[derive(Debug, Clone, PartialEq, Eq, Encode, Decode)]
#[cbor(array)]
pub struct LogTip {
    /// First sequence that is held: 1, or where the log starts for this node.
    #[n(0)]
    pub first: u64,
    /// Last sequence that is held.
    #[n(1)]
    pub height: u64,
    /// The record at `height`.
    #[n(2)]
    pub head: RecordId,
    /// (charter entry, first sequence that names it), growing in both: where the log starts for members without the past.
    #[n(3)]
    pub entries: Vec<(u64, u64)>,
    /// The charter entry that the record before `first` named; 0 where that is 1.
    #[n(4)]
    pub before: u64,
}

/// What a valid header is to a log.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Place {
    /// The next record: the log with it.
    Next(LogTip),
    /// Below or at the height: held already, or the proof of a fork; the caller compares ids.
    Held,
    /// Later than the next: the range between is missing.
    Gap {
        /// The sequence that must come next.
        expected: u64,
    },
    /// Written after the cut of a removed node: kept aside.
    AfterRemoval,
    /// Names a charter entry that this node does not have yet.
    UnknownEntry,
}

/// Why a header is refused for ever.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum LogError {
    /// Written by a later version of the protocol.
    #[error("the record has version {0}, this node reads version 1: update this node")]
    Version(u64),
    /// Of another circle.
    #[error("the record belongs to another circle")]
    Circle,
    /// Names a charter entry that the charter has otherwise.
    #[error("the record names a charter entry that is not in the charter")]
    Entry,
    /// Its author was no member then.
    #[error("the author was not a member at the charter entry that the record names")]
    NotMember,
    /// Names another epoch than its entry fixes.
    #[error("the record names another epoch than its charter entry fixes")]
    Epoch,
    /// The entry named is older than that of the record before.
    #[error("the record names an older charter entry than the one before it")]
    EntryDecreases,
    /// Does not name the record before it.
    #[error("the record does not name the one before it: the log forks")]
    Link,
    /// Says of the record before it another charter entry than that names.
    #[error(
        "the record says of the one before it that it names another charter entry than it does"
    )]
    EntryBefore,
    /// Sequence 0, or sequence 1 without an opening, or a later one with it.
    #[error("sequence and previous record do not fit together")]
    Opening,
}

impl LogTip {
    /// Checks `header` against the charter, its log's tip (if the log is known) and what `own` is granted.
    ///
    /// # Errors
    /// [`LogError`] where the header can never become valid.
    pub fn check(
        tip: Option<&Self>,
        header: &Verified<Header>,
        charter: &Charter,
        own: &NodeId,
    ) -> Result<Place, LogError> {
        let object = &header.object;
        if object.version != 1 {
            return Err(LogError::Version(object.version));
        }
        if object.circle != charter.circle() {
            return Err(LogError::Circle);
        }
        match (&object.previous, object.sequence) {
            (_, 0) | (Previous::Record(_), 1) => return Err(LogError::Opening),
            (Previous::Opening(_), sequence) if sequence != 1 => return Err(LogError::Opening),
            _ => {}
        }
        if (object.sequence == 1) != (object.entry_before == 0) {
            return Err(LogError::EntryBefore);
        }
        let Some(named) = charter.naming(object.entry, object.entry_hash) else {
            return match charter.hash_of(object.entry) {
                None => Ok(Place::UnknownEntry),
                Some(_) => Err(LogError::Entry),
            };
        };
        if !named.was_member(&object.log.node, object.entry) {
            return Err(LogError::NotMember);
        }
        if named.epoch_of(object.entry).map(|(_, hash)| hash) != Some(object.epoch) {
            return Err(LogError::Epoch);
        }
        let after_cut = Self::is_after_cut(charter, header);
        let next = tip.map_or(1, |tip| tip.height + 1);
        let expected = match charter.start_for(own, &object.log) {
            Some(Start::Sequence(sequence)) => sequence.max(next),
            // The part that begins here for this node: what is before does not belong to it, or is held.
            Some(Start::Entry(entry))
                if Self::begins_with(tip, entry)
                    && object.entry >= entry
                    && object.entry_before < entry
                    && object.sequence >= next =>
            {
                object.sequence
            }
            Some(Start::Entry(_)) | None => next,
        };
        if after_cut {
            return Ok(Place::AfterRemoval);
        }
        match object.sequence.cmp(&expected) {
            std::cmp::Ordering::Less => Ok(Place::Held),
            std::cmp::Ordering::Greater => Ok(Place::Gap { expected }),
            std::cmp::Ordering::Equal => {
                // A node that was admitted again without all of the past goes on after a hole.
                Self::extend(tip, header, object.sequence > next).map(Place::Next)
            }
        }
    }

    /// Whether a record lies beyond what the removal, or the leaving, of its node lets count.
    pub fn is_after_cut(charter: &Charter, header: &Verified<Header>) -> bool {
        let object = &header.object;
        match charter.taken_up_to(&object.log, object.entry) {
            None => false,
            Some(None) => true,
            Some(Some((sequence, id))) => {
                object.sequence > sequence || (object.sequence == sequence && header.id != id.0)
            }
        }
    }

    /// Whether nothing is held yet of the part of a log that begins with the first record naming `entry`.
    pub fn begins_with(tip: Option<&Self>, entry: u64) -> bool {
        tip.and_then(|tip| tip.entries.last())
            .is_none_or(|(named, _)| *named < entry)
    }

    fn extend(tip: Option<&Self>, header: &Verified<Header>, hole: bool) -> Result<Self, LogError> {
        let object = &header.object;
        let mut next = match tip {
            Some(tip) => {
                if !hole && object.previous != Previous::Record(tip.head) {
                    return Err(LogError::Link);
                }
                if !hole && object.entry_before != tip.last_entry() {
                    return Err(LogError::EntryBefore);
                }
                if tip
                    .entries
                    .last()
                    .is_some_and(|(entry, _)| *entry > object.entry)
                {
                    return Err(LogError::EntryDecreases);
                }
                let (first, before) = if hole {
                    (object.sequence, object.entry_before)
                } else {
                    (tip.first, tip.before)
                };
                Self {
                    first,
                    before,
                    ..tip.clone()
                }
            }
            None => Self {
                first: object.sequence,
                height: 0,
                head: RecordId([0; 32]),
                entries: Vec::new(),
                before: object.entry_before,
            },
        };
        next.height = object.sequence;
        next.head = RecordId(header.id);
        if next
            .entries
            .last()
            .is_none_or(|(entry, _)| *entry < object.entry)
        {
            next.entries.push((object.entry, object.sequence));
        }
        Ok(next)
    }

    /// The charter entry that the newest record names; 0 where there is none.
    pub fn last_entry(&self) -> u64 {
        self.entries.last().map_or(0, |(entry, _)| *entry)
    }

    /// First sequence that names charter entry `number` or a later one; none where the log has no such record yet.
    pub fn first_naming(&self, number: u64) -> Option<u64> {
        self.entries
            .iter()
            .find(|(entry, _)| *entry >= number)
            .map(|(_, sequence)| *sequence)
    }

    /// First sequence of this log that `node`, a member at the charter's head, may be sent; none where it may be sent nothing yet.
    ///
    /// None, too, where this node does not hold what the other's part begins with: another member serves it.
    pub fn first_for(&self, node: &NodeId, log: &LogId, charter: &Charter) -> Option<u64> {
        match charter.start_for(node, log)? {
            Start::Sequence(sequence) => Some(sequence),
            Start::Entry(entry) => {
                let first = self.first_naming(entry)?;
                (first > self.first || self.before < entry).then_some(first)
            }
        }
    }
}
