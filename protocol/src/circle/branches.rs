//! The branches of logs that have forked, and how much is kept aside of what does not fit.
//!
//! A log forks where its node has signed two records for one place: its disk went back, was copied, or its key is in other hands. A member goes
//! on with the branch that came first. What is known of others is kept aside, shown all the same, and given to the members; how much of it is
//! bounded for each node that signs, because a node can fork its own logs as often as it likes.

use std::collections::{BTreeMap, BTreeSet};

use minicbor::{Decode, Encode};

use crate::{
    ids::{LogId, NodeId},
    limits::{self, LimitError},
};

/// How much is kept aside of what one node has signed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Encode, Decode)]
#[cbor(array)]
pub struct Kept {
    /// Pieces.
    #[n(0)]
    pub pieces: u64,
    /// Their bytes.
    #[n(1)]
    pub bytes: u64,
    /// Something more was not kept, and that was said.
    #[n(2)]
    pub full: bool,
}

/// What is known of forked logs of a circle, and of what is kept aside there; node-local.
#[derive(Debug, Clone, PartialEq, Eq, Default, Encode, Decode)]
#[cbor(array)]
pub struct Branches {
    /// Logs that have forked: the first place for which two records are known.
    #[n(0)]
    pub from: BTreeMap<LogId, u64>,
    /// The node's change counter when a record of another branch was last kept.
    #[n(1)]
    pub changed: u64,
    /// What is kept aside, by the node that signed it.
    #[n(2)]
    pub kept: BTreeMap<NodeId, Kept>,
    /// Logs of removed nodes of which another branch counts than the one that came first here: other members give them.
    #[n(3)]
    pub beside: BTreeSet<LogId>,
}

impl Branches {
    /// Whether the record at a place of a log is one of several that its node has signed for it, or follows such a one.
    pub fn parted(&self, log: &LogId, sequence: u64) -> bool {
        self.from.get(log).is_some_and(|from| *from <= sequence)
    }

    /// Notes that a log has forked at or before a place.
    pub fn part(&mut self, log: LogId, sequence: u64) {
        let from = self.from.entry(log).or_insert(sequence);
        *from = sequence.min(*from);
    }

    /// Counts a piece of evidence of so many bytes against the node that signed it.
    ///
    /// # Errors
    /// [`LimitError`] where no more of that node is kept; nothing is counted then.
    pub fn keep(&mut self, node: NodeId, bytes: usize) -> Result<(), LimitError> {
        let kept = self.kept.entry(node).or_default();
        let (pieces, bytes) = (kept.pieces + 1, kept.bytes + bytes as u64);
        limits::within(
            "the evidence against one node in a circle",
            pieces,
            limits::ASIDE as u64,
        )?;
        limits::within(
            "the evidence against one node in a circle, in bytes,",
            bytes,
            limits::ASIDE_BYTES as u64,
        )?;
        (kept.pieces, kept.bytes) = (pieces, bytes);
        Ok(())
    }

    /// Notes that something of a node was not kept; whether that is new.
    pub fn overflow(&mut self, node: NodeId) -> bool {
        let kept = self.kept.entry(node).or_default();
        !std::mem::replace(&mut kept.full, true)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const NODE: NodeId = NodeId([1; 32]);

    #[test]
    fn evidence_against_one_node_is_bounded_by_number_and_by_size() {
        let mut branches = Branches::default();
        for _ in 0..limits::ASIDE {
            assert_eq!(branches.keep(NODE, 1), Ok(()));
        }
        let full = branches.clone();
        let error = branches.keep(NODE, 1).expect_err("one too many");
        assert_eq!(error.limit, limits::ASIDE as u64);
        assert_eq!(branches, full);
        // Another node has a measure of its own.
        let other = NodeId([2; 32]);
        assert_eq!(branches.keep(other, limits::ASIDE_BYTES), Ok(()));
        let error = branches.keep(other, 1).expect_err("a byte too many");
        assert_eq!(error.limit, limits::ASIDE_BYTES as u64);
        assert!(branches.overflow(NODE));
        assert!(!branches.overflow(NODE));
    }

    #[test]
    fn a_log_is_parted_from_the_first_place_that_is_known() {
        let log = LogId {
            node: NODE,
            incarnation: crate::ids::Incarnation([3; 16]),
        };
        let mut branches = Branches::default();
        assert!(!branches.parted(&log, 9));
        branches.part(log, 7);
        branches.part(log, 5);
        branches.part(log, 6);
        assert!(!branches.parted(&log, 4));
        assert!(branches.parted(&log, 5));
    }
}
