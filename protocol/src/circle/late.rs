//! What a removed node wrote beyond what counts: who is offered it, and who takes it.

use super::{Circle, LogHeight, Reason};
use crate::{
    charter::Removal,
    ids::{LogId, NodeId},
};

impl Circle {
    /// The removal that says up to where a log counts; of a log that is not held, the last one of its node.
    pub fn removal_of(&self, log: &LogId) -> Option<Removal> {
        match self.last_entry(log) {
            0 => self.charter.last_removal(&log.node),
            entry => self.charter.removal_of(log, entry),
        }
    }

    /// Whether what lies beyond the cut of a removal may come to count by this node's act: it is a matter of care that has ended, or somebody decided.
    pub fn takes_late(&self, own: &NodeId, removal: &Removal) -> bool {
        let decided = removal.movable && self.waived.contains(&removal.entry);
        let signs = self.charter.state().steward == *own
            && !self.unconfirmed
            && self.charter.rivals().is_empty();
        signs && (decided || removal.moves_by_itself())
    }

    /// How far a log is held beyond what counts; none where it has forked: which branch is the right one, nobody knows.
    pub fn beyond(&self, log: &LogId) -> Option<LogHeight> {
        let tip = self.logs.get(log)?;
        self.removal_of(log)?;
        let cut = self.cut(log)?.map_or(0, |(sequence, _)| sequence);
        let joins = tip.first <= cut + 1 && tip.height > cut;
        let ours = !self.branches.parted(log, tip.height) && !self.branches.beside.contains(log);
        (joins && ours).then_some(LogHeight {
            log: *log,
            height: tip.height,
            head: tip.head,
        })
    }

    /// Whether `own` offers `peer` what lies beyond: a member does, to the steward.
    fn offers_beyond(&self, own: &NodeId, peer: &NodeId) -> bool {
        self.charter.state().steward == *peer && self.charter.is_member(own)
    }

    /// Up to where `own` gives a log to `peer`: as far as it counts, and to the steward all of it.
    pub fn given_up_to(&self, own: &NodeId, peer: &NodeId, log: &LogId) -> u64 {
        let beyond = || self.beyond(log).filter(|_| self.offers_beyond(own, peer));
        let given = beyond().or_else(|| self.counted(log));
        given.map_or(0, |height| height.height)
    }

    /// The heights that `own` states to `peer`: those of [`heights_for`](Self::heights_for), and to the steward what lies beyond.
    pub fn offered_to(&self, own: &NodeId, peer: &NodeId) -> Vec<LogHeight> {
        let mut heights = self.heights_for(peer);
        if !self.offers_beyond(own, peer) {
            return heights;
        }
        for log in self.logs.keys() {
            let Some(beyond) = self.beyond(log) else {
                continue;
            };
            match heights.iter_mut().find(|height| height.log == *log) {
                Some(height) => *height = beyond,
                None => heights.push(beyond),
            }
        }
        heights
    }

    /// What counts of the logs of `node` is more than before: what is marked as beyond it.
    pub(crate) fn recount(&mut self, node: &NodeId) {
        let logs: Vec<LogId> = self.logs.keys().copied().collect();
        for log in logs.into_iter().filter(|log| log.node == *node) {
            let cut = self.cut(&log).flatten();
            let counted = cut.map_or(0, |(sequence, _)| sequence);
            for exception in &mut self.exceptions {
                if exception.log == log && exception.reason == Reason::AfterRemoval {
                    exception.from = exception.from.max(counted + 1);
                }
            }
        }
        self.exceptions.retain(|range| range.from <= range.to);
    }

    /// Up to where a log that a peer holds up to `height` is asked for: what lies beyond a cut only by a steward that lets it count.
    pub fn asked_up_to(&self, own: &NodeId, log: &LogId, height: u64) -> u64 {
        let steward = self.charter.state().steward == *own && self.charter.rivals().is_empty();
        let removal = self.removal_of(log).filter(|_| steward);
        match removal {
            Some(removal) if !self.takes_late(own, &removal) => {
                let cut = self.cut(log).flatten();
                height.min(cut.map_or(0, |(sequence, _)| sequence))
            }
            _ => height,
        }
    }
}
