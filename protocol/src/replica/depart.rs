//! Leaving a circle by this node's own word, and what follows where another member's word arrives.
//!
//! The word counts at once: who left is sent nothing more, and of what it wrote that counts which it named. What of that is not everywhere yet is
//! still taken from it. The entry that removes it is the steward's, whose node makes it by itself.

use rand_core::CryptoRng;

use super::{ArriveError, Notice, Replica, Rows, StewardshipError, StorageError};
use crate::{
    charter::{Charter, Cut, Departure, DepartureError, RemovalReason},
    circle::Circle,
    ids::{CircleId, Incarnation, NodeId},
    limits,
    sign::{self, Verified},
    sync::{Change, News},
};
use std::{collections::BTreeMap, sync::Arc};

/// Why this node does not leave a circle.
#[derive(Debug, thiserror::Error)]
pub enum DepartFailed {
    /// No such circle.
    #[error(
        "there is no such circle at this node: `maillonctl circle list` shows those that there are"
    )]
    NoCircle,
    /// It is no member, or has left before.
    #[error("this node is not in the circle any more")]
    NotMember,
    /// The others would be without a steward.
    #[error(
        "this node is the circle's steward: hand it over first (`maillonctl circle hand-over`), or close it (`maillonctl circle close`)"
    )]
    Steward,
    /// What was written in an epoch could not be read by the others any more.
    #[error(
        "the secret of what was written since entry {0} has come to no other member from this one yet: it comes to them with the next contact"
    )]
    OnlyHolder(u64),
    /// The word could not be taken.
    #[error(transparent)]
    Departure(#[from] DepartureError),
    /// Storage.
    #[error(transparent)]
    Storage(#[from] StorageError),
}

impl Replica {
    /// Leaves a circle. Nothing more is written in it here, and nothing more comes; what is here stays.
    ///
    /// # Errors
    /// [`DepartFailed`]; nothing is staged then.
    pub fn depart(
        &mut self,
        rows: &impl Rows,
        id: &CircleId,
        now_ms: u64,
    ) -> Result<(), DepartFailed> {
        let own = self.own();
        let circle = self.circles.get(id).ok_or(DepartFailed::NoCircle)?;
        let charter = &circle.charter;
        if !charter.is_member(&own) {
            return Err(DepartFailed::NotMember);
        }
        if charter.state().steward == own {
            return Err(DepartFailed::Steward);
        }
        if let Some(epoch) = self.held_here_alone(rows, circle)? {
            return Err(DepartFailed::OnlyHolder(epoch));
        }
        let departure = Departure {
            version: 1,
            circle: *id,
            node: own,
            entry: charter.number(),
            entry_hash: charter.head(),
            cuts: heads_of(circle, &own).into_values().collect(),
            time_ms: now_ms,
        };
        let departure = sign::sign(departure, &self.keys.node);
        limits::within(
            "a departure in bytes",
            departure.bytes.len() as u64,
            limits::DEPARTURE as u64,
        )
        .map_err(DepartureError::from)?;
        if let Some(charter) = charter.depart(&departure)? {
            self.put_departed(rows, (id, &own), charter, None)?;
        }
        Ok(())
    }

    /// Takes a member's word that it leaves, verified, from `peer`; where this node is the steward, the entry follows: who was removed so. What
    /// names an entry that is not here is passed over: it comes again with the charter.
    ///
    /// # Errors
    /// [`ArriveError`].
    pub fn take_departure(
        &mut self,
        rows: &impl Rows,
        peer: NodeId,
        departure: &Verified<Departure>,
        now_ms: u64,
        rng: &mut impl CryptoRng,
    ) -> Result<Vec<NodeId>, ArriveError> {
        let id = departure.object.circle;
        let Some(circle) = self.at_hand(rows, &id, &peer)? else {
            return Ok(Vec::new());
        };
        if !circle.charter.ever_listed(&peer) {
            return Err(ArriveError::NotShared);
        }
        // Obsolete, early, or wrong: of no use, and perhaps nobody's fault.
        let Ok(Some(charter)) = circle.charter.depart(departure) else {
            return Ok(Vec::new());
        };
        let node = departure.object.node;
        self.put_departed(rows, (&id, &node), charter, Some(peer))?;
        Ok(self.remove_who_left(rows, &id, now_ms, rng)?)
    }

    fn put_departed(
        &mut self,
        rows: &impl Rows,
        (id, node): (&CircleId, &NodeId),
        charter: Charter,
        from: Option<NodeId>,
    ) -> Result<(), StorageError> {
        let Some(circle) = self.circles.get(id) else {
            return Ok(());
        };
        let mut next = Circle::clone(circle);
        next.charter = Arc::new(charter);
        self.look_beside(rows, &mut next, node)?;
        let (entry, member) = (next.charter.number(), next.charter.is_member(&self.own()));
        self.put_circle(next);
        self.published.notices.push(Notice::Charter {
            circle: *id,
            entry,
            member,
        });
        self.published.news.push(News {
            circle: Some(*id),
            change: Change::Charter,
            from,
        });
        Ok(())
    }

    /// Where this node is the steward and may sign, makes the entries that follow from departures. A log counts up to what its node named, or up
    /// to what is here, if that is more: what came in good time is not taken back by leaving. Who was removed.
    pub(super) fn remove_who_left(
        &mut self,
        rows: &impl Rows,
        id: &CircleId,
        now_ms: u64,
        rng: &mut impl CryptoRng,
    ) -> Result<Vec<NodeId>, StorageError> {
        let mut removed = Vec::new();
        let Ok(circle) = self.steward_circle(id) else {
            return Ok(removed);
        };
        let left: Vec<NodeId> = circle.charter.departures().map(|(node, _)| *node).collect();
        for node in left {
            let mut cuts = heads_of(&circle, &node);
            for named in circle.charter.parting_cuts(&node).unwrap_or_default() {
                let cut = cuts.entry(named.incarnation).or_insert(*named);
                if cut.sequence < named.sequence {
                    *cut = *named;
                }
            }
            let cuts = cuts.into_values().collect();
            match self.remove_up_to(rows, id, node, RemovalReason::Left, cuts, now_ms, rng) {
                Ok(()) => removed.push(node),
                Err(StewardshipError::Storage(error)) => return Err(error),
                // A full charter: the word counts all the same.
                Err(_) => {}
            }
        }
        Ok(removed)
    }

    /// An epoch whose secret this node has and of which no other member has said that it has opened it, though some other may read it.
    fn held_here_alone(
        &self,
        rows: &impl Rows,
        circle: &Circle,
    ) -> Result<Option<u64>, StorageError> {
        let own = self.own();
        let charter = &circle.charter;
        let acks = self.acks(rows, &circle.id())?;
        let elsewhere = |epoch: &u64| {
            let mut others = acks.iter().filter(|ack| charter.is_member(&ack.node));
            others.any(|ack| ack.node != own && ack.opened.contains(epoch))
        };
        let wanted = |epoch: &u64| {
            let mut others = charter.members().filter(|member| member.node != own);
            others.any(|member| charter.is_granted(&member.node, *epoch))
        };
        let mut held = circle.secrets.keys();
        Ok(held
            .find(|epoch| wanted(epoch) && !elsewhere(epoch))
            .copied())
    }
}

/// The last record that is held of each of a node's logs, but of those that an earlier removal cut.
pub(super) fn heads_of(circle: &Circle, node: &NodeId) -> BTreeMap<Incarnation, Cut> {
    let charter = &circle.charter;
    let of_it = circle
        .logs
        .iter()
        .filter(|(log, tip)| log.node == *node && charter.cut_of(log, tip.last_entry()).is_none());
    of_it
        .map(|(log, tip)| Cut {
            incarnation: log.incarnation,
            sequence: tip.height,
            id: tip.head,
        })
        .map(|cut| (cut.incarnation, cut))
        .collect()
}
