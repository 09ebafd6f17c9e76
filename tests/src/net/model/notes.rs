//! What was written, and who must, may and must not know it.

use std::{
    collections::{BTreeMap, BTreeSet},
    ops::AddAssign,
};

use maillon_protocol::ids::{CircleId, LogId, RecordId};

use super::{
    Expected, Model,
    roll::{Past, Roll, Term},
};

/// A note. Its text is its own: no other note has it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Note {
    /// Where.
    pub circle: CircleId,
    /// The node that wrote it.
    pub author: usize,
    /// On which of its two machines, where it has two.
    pub machine: usize,
    /// What it says.
    pub text: String,
    /// Its record.
    pub record: RecordId,
    /// What became of it.
    pub fate: Fate,
    /// Whether the author's disk has had it ever since.
    pub kept: bool,
    /// Nodes that could read it when healing began.
    pub readers: BTreeSet<usize>,
    /// Somebody asked that it be erased.
    pub erasing: bool,
}

/// What became of a note at its author's node.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Fate {
    /// The author's disk does not have it yet, and the author was told nothing.
    Staged,
    /// It is on the author's disk, at this place of this log, and names the entry that the author knew.
    Committed {
        /// The log.
        log: LogId,
        /// Its place.
        sequence: u64,
        /// The charter entry.
        entry: u64,
    },
    /// The node stopped before the commit: nobody was told, and nobody ever knows.
    Dropped,
}

/// What a node must know of a note.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Verdict {
    /// It shows it.
    Must,
    /// It cannot read it, whatever it keeps of what it was ever sent.
    Never,
    /// Both are right.
    Open(Open),
}

/// What it hung on whether a node knows a note.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Open {
    /// The node is no member now: what it had got before, it may keep.
    Gone,
    /// The author was removed, and the steward did not count it: who had it shows it, marked.
    Cut,
    /// It was written by somebody who did not know of the admission yet.
    Beside,
    /// No disk that had it is there any more.
    Lost,
    /// The author wrote at the same place on another machine.
    Forked,
    /// The charter forked.
    Split,
    /// Each node decides about the erasure.
    Erasing,
    /// The node has let go of the circle.
    Finished,
    /// Its author's program is somebody else's, or the node's.
    Malign,
}

/// How many pairs of a note and a node had which verdict.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Tally {
    /// Notes that a node must show.
    pub must: usize,
    /// Notes that a node must never read.
    pub never: usize,
    /// The others, by why.
    pub open: BTreeMap<Open, usize>,
}

impl Tally {
    /// One more.
    pub fn count(&mut self, verdict: Verdict) {
        match verdict {
            Verdict::Must => self.must += 1,
            Verdict::Never => self.never += 1,
            Verdict::Open(why) => *self.open.entry(why).or_default() += 1,
        }
    }

    /// How many are open, of a hundred.
    pub fn open_of_hundred(&self) -> usize {
        let open: usize = self.open.values().sum();
        100 * open / (self.must + self.never + open).max(1)
    }
}

impl AddAssign for Tally {
    fn add_assign(&mut self, other: Self) {
        self.must += other.must;
        self.never += other.never;
        for (why, count) in other.open {
            *self.open.entry(why).or_default() += count;
        }
    }
}

impl Model {
    /// What a node must know of a note once all is healed; `known` is how far the members that are left know the charter.
    pub fn verdict(&self, note: &Note, node: usize, known: u64) -> Verdict {
        let Some(circle) = self.circles.get(&note.circle) else {
            return Verdict::Never;
        };
        let (log, sequence, entry) = match note.fate {
            Fate::Staged | Fate::Dropped => return Verdict::Never,
            Fate::Committed {
                log,
                sequence,
                entry,
            } => (log, sequence, entry),
        };
        if !circle.roll.ever(node) {
            return Verdict::Never;
        }
        if circle.split {
            return Verdict::Open(Open::Split);
        }
        let epoch = circle.roll.epoch(entry);
        let terms = circle.roll.terms(node);
        let may = node == note.author || terms.iter().any(|term| term.opens(epoch));
        if !may {
            let told = |term: &Term| {
                beside(term, entry, &log, sequence) || circle.roll.is_retold(term, entry)
            };
            let again = |term: &Term| matches!(term.past, Past::From(_)) && entry < term.since;
            return if terms.iter().any(told) {
                Verdict::Open(Open::Beside)
            } else if circle.is_forked(&log, sequence) && terms.iter().any(again) {
                Verdict::Open(Open::Forked)
            } else {
                Verdict::Never
            };
        }
        match self.why_not(note, circle, node, known, (log, sequence, entry)) {
            Some(why) => Verdict::Open(why),
            None => Verdict::Must,
        }
    }

    /// Whether a note that lies beyond where its author's log counts should have come to count: the author's care had only ended, its log never
    /// forked, and a member had the note whom the `steward` can ask.
    pub fn is_overlooked(&self, note: &Note, known: u64, steward: usize) -> bool {
        let Fate::Committed {
            log,
            sequence,
            entry,
        } = note.fate
        else {
            return false;
        };
        let Some(circle) = self.circles.get(&note.circle) else {
            return false;
        };
        let roll = circle.roll.up_to(known);
        let terms = roll.terms(note.author);
        let wrote = terms.iter().find(|term| term.holds(entry));
        let ended = wrote.is_some_and(|term| term.ended);
        let there = |node: usize| {
            let term = roll.term(node).filter(|term| term.past == Past::Whole);
            let stays = !circle.left.contains_key(&node) && !circle.finished.contains(&node);
            self.is_honest(node) && stays && term.is_some()
        };
        let had = |reader: &usize| *reader != note.author && there(*reader);
        let unclear = circle.split || note.erasing || circle.forked.contains_key(&log);
        ended
            && !unclear
            && self.is_honest(note.author)
            && there(steward)
            && note.readers.iter().any(had)
            && !counts(&roll, note.author, &log, sequence, entry)
    }

    /// Why a node that may know a note need not.
    fn why_not(
        &self,
        note: &Note,
        circle: &Expected,
        node: usize,
        known: u64,
        (log, sequence, entry): (LogId, u64, u64),
    ) -> Option<Open> {
        if !self.is_honest(node) || self.malign.contains(&note.author) {
            return Some(Open::Malign);
        }
        if circle.finished.contains(&node) {
            return Some(Open::Finished);
        }
        if circle.is_forked(&log, sequence) {
            return Some(Open::Forked);
        }
        if note.erasing {
            return Some(Open::Erasing);
        }
        let roll = circle.roll.up_to(known);
        let here = |node: usize| {
            let term = roll.term(node)?;
            let left = circle.left.get(&node);
            left.is_none_or(|left| *left < term.since).then_some(term)
        };
        let Some(term) = here(node).filter(|term| term.opens(roll.epoch(entry))) else {
            return Some(Open::Gone);
        };
        // Of an epoch that began before it came, it has what lies behind where the logs begin for it.
        if entry < term.since && (term.is_before(&log, sequence) || !term.names(&log)) {
            return Some(Open::Beside);
        }
        if !counts(&roll, note.author, &log, sequence, entry) {
            return Some(Open::Cut);
        }
        let kept = note.kept && self.is_honest(note.author);
        // A log is given from where it begins for the taker: whoever has less of it cannot give it back.
        let whole = |reader: usize| here(reader).is_some_and(|term| term.past == Past::Whole);
        let read = |reader: &usize| self.is_honest(*reader) && whole(*reader);
        (!kept && !note.readers.iter().any(read)).then_some(Open::Lost)
    }
}

/// Whether somebody wrote this who did not know of an admission: then they write it again for the new member.
fn beside(term: &Term, entry: u64, log: &LogId, sequence: u64) -> bool {
    entry < term.since && !term.is_before(log, sequence)
}

/// Whether what an author wrote counts: they are in it, or the steward that removed them let it count.
fn counts(roll: &Roll, author: usize, log: &LogId, sequence: u64, entry: u64) -> bool {
    let terms = roll.terms(author);
    let Some(term) = terms.iter().find(|term| term.holds(entry)) else {
        return false;
    };
    let cut = term.cuts.get(&log.incarnation);
    term.until.is_none() || cut.is_some_and(|cut| sequence <= *cut)
}
