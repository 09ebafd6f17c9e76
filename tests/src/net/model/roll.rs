//! Who is a member of a circle when, and of what past: from the bare list of what its steward signed.

use std::collections::{BTreeMap, BTreeSet};

use maillon_protocol::ids::{EntryHash, Incarnation, LogId};

/// How much of the past somebody is admitted to.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Past {
    /// All of it.
    Whole,
    /// None of it.
    Nothing,
    /// From the epoch with this number on.
    From(u64),
}

/// What an entry changes, as far as it matters for who may know what.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Change {
    /// The circle begins with this node.
    Found(usize),
    /// A node comes in; where the logs begin for it that had begun.
    Admit(usize, Past, BTreeMap<LogId, u64>),
    /// A node goes; up to where its logs count, and whether its care has only ended: then what others hold beyond comes to count.
    Remove(usize, BTreeMap<Incarnation, u64>, bool),
    /// Of a node that went by this entry more counts than was said then.
    MoveCuts(usize, u64, BTreeMap<Incarnation, u64>),
    /// Only the key changes.
    Rotate,
    /// Nothing of that kind.
    Other,
}

/// A time during which a node was a member.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Term {
    /// The entry that admitted it.
    pub since: u64,
    /// The entry that removed it; none where it is a member.
    pub until: Option<u64>,
    /// The past that it was granted.
    pub past: Past,
    /// Where the logs began for it that had begun.
    pub starts: BTreeMap<LogId, u64>,
    /// Up to where its own logs count, where it was removed.
    pub cuts: BTreeMap<Incarnation, u64>,
    /// Whether its care had only ended then.
    pub ended: bool,
}

/// A circle's entries by number.
#[derive(Debug, Clone, Default)]
pub struct Roll {
    entries: BTreeMap<u64, (EntryHash, Change)>,
    /// Everybody whom any entry ever named, of a branch that was given up too.
    ever: BTreeSet<usize>,
}

impl Roll {
    /// An entry was signed. Whether another one of this number was signed before.
    pub fn signed(&mut self, number: u64, hash: EntryHash, change: Change) -> bool {
        if let Change::Found(node) | Change::Admit(node, ..) = &change {
            self.ever.insert(*node);
        }
        let (first, _) = self.entries.entry(number).or_insert((hash, change));
        *first != hash
    }

    /// Whether this entry is known.
    pub fn knows(&self, number: u64, hash: &EntryHash) -> bool {
        self.entries.get(&number).is_some_and(|(at, _)| at == hash)
    }

    /// Whether any entry is known.
    pub fn is_begun(&self) -> bool {
        !self.entries.is_empty()
    }

    /// Whether a node was named by any entry.
    pub fn ever(&self, node: usize) -> bool {
        self.ever.contains(&node)
    }

    /// The same circle, for those who know its entries up to this one.
    pub fn up_to(&self, number: u64) -> Self {
        let mut roll = self.clone();
        roll.entries.retain(|at, _| *at <= number);
        roll
    }

    /// The entry that began the epoch in which whoever knows entry `number` writes.
    pub fn epoch(&self, number: u64) -> u64 {
        let begins = |change: &Change| !matches!(change, Change::Other | Change::MoveCuts(..));
        let mut before = self.entries.range(..=number).rev();
        before
            .find(|(_, (_, change))| begins(change))
            .map_or(0, |(number, _)| *number)
    }

    /// When a node was a member.
    pub fn terms(&self, node: usize) -> Vec<Term> {
        let mut terms: Vec<Term> = Vec::new();
        for (number, (_, change)) in &self.entries {
            match change {
                Change::Found(who) if *who == node => {
                    terms.push(begun(*number, Past::Whole, &BTreeMap::new()));
                }
                Change::Admit(who, past, starts) if *who == node => {
                    terms.push(begun(*number, *past, starts));
                }
                Change::Remove(who, cuts, ended) if *who == node => {
                    if let Some(term) = terms.last_mut().filter(|term| term.until.is_none()) {
                        term.until = Some(*number);
                        term.cuts.clone_from(cuts);
                        term.ended = *ended;
                    }
                }
                Change::MoveCuts(who, removal, cuts) if *who == node => {
                    let mut of_it = terms.iter_mut();
                    if let Some(term) = of_it.find(|term| term.until == Some(*removal)) {
                        term.cuts.extend(cuts);
                    }
                }
                _ => {}
            }
        }
        terms
    }

    /// Whether what whoever knew this entry wrote may have been written again before a term began, for somebody else who came with less than all: of the
    /// epoch in which that is done it says what it said, to whoever is granted that epoch.
    pub fn is_retold(&self, term: &Term, entry: u64) -> bool {
        let others = self.ever.iter().flat_map(|node| self.terms(*node));
        let mut others = others.filter(|other| other.past != Past::Whole);
        matches!(term.past, Past::From(_))
            && others.any(|other| entry < other.since && other.since < term.since)
    }

    /// The term that lasts.
    pub fn term(&self, node: usize) -> Option<Term> {
        self.terms(node).pop().filter(|term| term.until.is_none())
    }
}

fn begun(since: u64, past: Past, starts: &BTreeMap<LogId, u64>) -> Term {
    Term {
        since,
        until: None,
        past,
        starts: starts.clone(),
        cuts: BTreeMap::new(),
        ended: false,
    }
}

impl Term {
    /// Whether the entry falls into it.
    pub fn holds(&self, entry: u64) -> bool {
        entry >= self.since && self.until.is_none_or(|until| entry < until)
    }

    /// Whether its node may open what was written in an epoch, of those that began before it went.
    pub fn opens(&self, epoch: u64) -> bool {
        let granted = match self.past {
            Past::Whole => true,
            Past::Nothing => false,
            Past::From(first) => epoch >= first,
        };
        (epoch >= self.since || granted) && self.until.is_none_or(|until| epoch < until)
    }

    /// Whether a place of a log lies before what its node is given.
    pub fn is_before(&self, log: &LogId, sequence: u64) -> bool {
        let from_the_first = self.past == Past::Whole;
        let start = self.starts.get(log);
        !from_the_first && start.is_some_and(|start| sequence < *start)
    }

    /// Whether the admission names where a log begins for its node. One that it does not name begins with what knew of the admission.
    pub fn names(&self, log: &LogId) -> bool {
        self.past == Past::Whole || self.starts.contains_key(log)
    }
}
