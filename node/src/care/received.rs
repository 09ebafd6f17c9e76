//! What each structure of a circle has received, as this node knows it.

use std::collections::BTreeMap;

use maillon_protocol::{
    circle::{Ack, Circle},
    ids::{CircleId, NodeId},
    sync::View,
};

use super::{
    Actor, Care, CareError,
    read::{acks, waiting},
};

/// How far another structure is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Received {
    /// Records here that it has not acknowledged.
    pub waiting: u64,
    /// When the oldest of them was written, Unix milliseconds; none where nothing waits.
    pub oldest_ms: Option<u64>,
    /// When it said last what it has, by its own clock, Unix milliseconds; none where it never did.
    pub said_ms: Option<u64>,
}

impl Care {
    /// What each other structure of a circle has received, for whoever may open the file.
    ///
    /// # Errors
    /// [`CareError::NotInTeam`], [`CareError::NoCircle`].
    pub fn received(
        &self,
        actor: &Actor,
        circle: &CircleId,
    ) -> Result<BTreeMap<NodeId, Received>, CareError> {
        self.may_open(actor, circle)?;
        let shared = self.shared();
        let held = shared.circle(circle).ok_or(CareError::NoCircle)?;
        let (own, acks) = (shared.own(), acks(shared, circle)?);
        let others = held.charter.members().filter(|member| member.node != own);
        let received = |node: NodeId| {
            let ack = acks.get(&node);
            let waiting = waiting(shared, &held, &node, ack);
            Received {
                waiting,
                oldest_ms: (waiting > 0).then(|| self.oldest_waiting(&held, &node, ack)),
                said_ms: ack.map(|ack| ack.time_ms),
            }
        };
        Ok(others.map(|one| (one.node, received(one.node))).collect())
    }

    /// When the oldest record was written that a member has not acknowledged, Unix milliseconds; 0 where there is none.
    pub(super) fn oldest_waiting(&self, circle: &Circle, node: &NodeId, ack: Option<&Ack>) -> u64 {
        let shared = self.shared();
        let owed = shared.read(|view| view.owed(circle, node, ack)).into_iter();
        let written = owed.filter_map(|(log, next, _)| {
            let records = shared.read(|view| view.records(&circle.id(), &log, next, next, 1));
            records.first().map(|one| one.header.object.time.ms())
        });
        written.min().unwrap_or(0)
    }
}
