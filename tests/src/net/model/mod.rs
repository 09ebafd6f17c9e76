//! A reference of what each node must know and must not know: the rules of the protocol in their simplest form, beside the system that is tested.
//!
//! The model is told what people did, what stewards signed, and where what was written lies in its log. It shares no code with
//! `protocol::replica`, `protocol::charter` or `protocol::circle`, knows no frames, no heights and no acknowledgements, and is not told what a
//! node holds, but for two questions that only a disk answers: whether a note reached its author's disk, and who else could read it where that
//! disk went back or was lost. From that it says of each note and each node: it *must* show it once all is healed; it must *never* be able to
//! read it; or that hung on who was faster ([`Open`]), which is counted, so that a test can say that this is a small part.
//!
//! - [`roll`]: who is a member when, and of what past, from the bare list of changes.
//! - [`notes`]: what was written, and the verdict over each note at each node.
//! - [`orders`]: what people wanted; nothing is signed that nobody ordered.

pub mod notes;
pub mod orders;
pub mod roll;

use std::collections::{BTreeMap, BTreeSet};

use maillon_protocol::ids::{CircleId, LogId, RecordId};

pub use notes::{Fate, Note, Open, Tally, Verdict};
pub use orders::Orders;
pub use roll::{Change, Past, Roll};

/// What is to be expected of a federation.
#[derive(Debug, Default)]
pub struct Model {
    /// Every circle that was opened.
    pub circles: BTreeMap<CircleId, Expected>,
    /// Every note that somebody wrote, in the order of time.
    pub notes: Vec<Note>,
    /// What people wanted.
    pub orders: Orders,
    /// Machines that are gone for good.
    pub lost: BTreeSet<usize>,
    /// Nodes whose program is somebody else's: nothing is expected of them, but that they learn no more than others in their place.
    pub malign: BTreeSet<usize>,
}

/// What is to be expected of one circle.
#[derive(Debug, Default)]
pub struct Expected {
    /// Who is in it when.
    pub roll: Roll,
    /// Two entries of one number were signed: each member stays with the one that it saw first, and people go on in a successor.
    pub split: bool,
    /// Logs that forked: two machines with one key wrote at the same place; from which sequence on.
    pub forked: BTreeMap<LogId, u64>,
    /// Nodes that said that they leave, and the entry that they knew then.
    pub left: BTreeMap<usize, u64>,
    /// Nodes that have let go of the circle at some time.
    pub finished: BTreeSet<usize>,
    /// What lies at each place of each log.
    places: BTreeMap<(LogId, u64), RecordId>,
}

impl Expected {
    /// A record lies at this place at some node.
    pub fn lies(&mut self, log: LogId, sequence: u64, record: RecordId) {
        let first = *self.places.entry((log, sequence)).or_insert(record);
        if first != record {
            let from = self.forked.entry(log).or_insert(sequence);
            *from = sequence.min(*from);
        }
    }

    /// Whether a place of a log lies beyond where that forked.
    pub fn is_forked(&self, log: &LogId, sequence: u64) -> bool {
        self.forked.get(log).is_some_and(|from| sequence >= *from)
    }
}

impl Model {
    /// A note of a node that is removed which the steward held when it signed that, and which the removal does not let count; `held` says what
    /// lay on the steward's disk before.
    pub fn uncounted(
        &self,
        circle: &CircleId,
        change: &Change,
        held: impl Fn(&RecordId) -> bool,
    ) -> Option<&str> {
        let Change::Remove(who, cuts, _) = change else {
            return None;
        };
        let expected = &self.circles[circle];
        let since = expected.roll.term(*who)?.since;
        let mut notes = self.notes.iter();
        let uncounted = notes.find(|note| match note.fate {
            Fate::Committed {
                log,
                sequence,
                entry,
            } => {
                let theirs = note.author == *who && note.circle == *circle && entry >= since;
                let beyond = cuts.get(&log.incarnation).is_none_or(|cut| sequence > *cut);
                theirs && beyond && !expected.is_forked(&log, sequence) && held(&note.record)
            }
            Fate::Staged | Fate::Dropped => false,
        });
        uncounted.map(|note| note.text.as_str())
    }

    /// Whether anything is expected of a node: it is there, and its program is ours.
    pub fn is_honest(&self, node: usize) -> bool {
        !self.lost.contains(&node) && !self.malign.contains(&node)
    }
}
