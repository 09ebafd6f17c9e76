//! What a charter must say, without hashes or signatures: a set of members and a list of epochs.

use std::collections::BTreeMap;

use super::{Act, world::Past};

/// A member: since which entry, and the first epoch that it may read.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Membership {
    pub since: u64,
    pub reads_from: u64,
}

/// What holds after each entry.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Model {
    pub number: u64,
    pub epochs: Vec<u64>,
    pub closed: bool,
    pub steward: usize,
    pub deputies: Vec<usize>,
    /// Members after each entry, by its number.
    pub members: BTreeMap<u64, BTreeMap<usize, Membership>>,
    /// Up to where one log counts, by whose it is and the removal that says so; 0 where that does not name it.
    pub cuts: BTreeMap<usize, BTreeMap<u64, u64>>,
}

impl Model {
    pub fn founded() -> Self {
        let founder = Membership {
            since: 1,
            reads_from: 1,
        };
        Self {
            number: 1,
            epochs: vec![1],
            closed: false,
            steward: 0,
            deputies: Vec::new(),
            members: BTreeMap::from([(1, BTreeMap::from([(0, founder)]))]),
            cuts: BTreeMap::new(),
        }
    }

    pub fn now(&self) -> &BTreeMap<usize, Membership> {
        &self.members[&self.number]
    }

    /// The epoch that entry `number` fixes.
    pub fn epoch_of(&self, number: u64) -> u64 {
        *self
            .epochs
            .iter()
            .rev()
            .find(|epoch| **epoch <= number)
            .expect("the founding entry starts an epoch")
    }

    /// Says whether it can be done, and does it.
    pub fn act(&mut self, act: Act) -> bool {
        let mut members = self.now().clone();
        let number = self.number + 1;
        let whatever = matches!(act, Act::MoveCut(..));
        if self.closed != (act == Act::Reopen) && !whatever {
            return false;
        }
        match act {
            Act::Admit(guest, _) if members.contains_key(&guest) => return false,
            Act::Admit(guest, past) => {
                let reads_from = match past {
                    Past::Whole => 1,
                    Past::Nothing => number,
                    Past::Now => self.epoch_of(self.number),
                };
                members.insert(
                    guest,
                    Membership {
                        since: number,
                        reads_from,
                    },
                );
            }
            Act::Remove(node) if node == self.steward || !members.contains_key(&node) => {
                return false;
            }
            Act::Remove(node) => {
                members.remove(&node);
                self.cuts.entry(node).or_default().insert(number, 0);
                self.deputies.retain(|deputy| *deputy != node);
            }
            Act::Rotate => {}
            Act::Close => self.closed = true,
            Act::HandOver(to) if to == self.steward || !members.contains_key(&to) => return false,
            Act::HandOver(to) => {
                self.steward = to;
                self.deputies.retain(|deputy| *deputy != to);
            }
            Act::Appoint(set) => {
                let chosen: Vec<usize> = (0..5).filter(|place| set & (1 << place) != 0).collect();
                let able = |place: &usize| *place != self.steward && members.contains_key(place);
                if !chosen.iter().all(able) {
                    return false;
                }
                self.deputies = chosen;
            }
            Act::Reopen => self.closed = false,
            Act::MoveCut(node, to) => {
                let removals = self.cuts.entry(node).or_default();
                let earlier: Vec<u64> = removals.values().rev().skip(1).copied().collect();
                match removals.values_mut().next_back() {
                    Some(cut) if *cut < to && earlier.iter().all(|cut| *cut == 0) => *cut = to,
                    _ => return false,
                }
            }
        }
        if matches!(act, Act::Admit(..) | Act::Remove(_) | Act::Rotate) {
            self.epochs.push(number);
        }
        self.number = number;
        self.members.insert(number, members);
        true
    }
}
