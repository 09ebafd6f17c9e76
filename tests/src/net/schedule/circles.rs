//! Circles that are founded, continued, handed over, closed and opened again.

use maillon_protocol::{charter::Grant, ids::CircleId};

use super::Player;
use crate::net::model;

/// Circles of one schedule.
const MOST: usize = 4;

impl Player<'_> {
    pub(super) fn found(&mut self, node: usize) {
        if self.circles.len() >= MOST || !self.model.is_honest(node) {
            return;
        }
        let circle = self.net.act(node, |node, now| node.found(now));
        self.take_in_hand(circle);
    }

    /// A member goes on without the steward, and asks all others, that one too.
    pub(super) fn succeed(&mut self, node: usize) {
        if self.circles.len() >= MOST || !self.model.is_honest(node) {
            return;
        }
        let old = self.circle;
        let succession = self.net.act(node, |node, now| {
            node.with(|replica, rows, rng| replica.succeed(rows, &old, &[], now, rng))
        });
        let Ok(succession) = succession else {
            return;
        };
        self.take_in_hand(succession.circle);
        // Staged, until the commit.
        let founder = &self.net.nodes[node];
        let asked = founder.replica.outgoing(&founder.memory);
        for (id, row) in asked.into_iter().flatten() {
            let who = self.net.nodes.iter().position(|node| node.id() == row.to);
            if let Some(who) = who.filter(|_| row.circle == succession.circle) {
                let (orders, past) = (&mut self.model.orders, model::Past::Whole);
                orders.invite(id, succession.circle, who, past);
            }
        }
    }

    fn take_in_hand(&mut self, circle: CircleId) {
        self.circles.push(circle);
        self.circle = circle;
        self.model.circles.entry(circle).or_default();
    }

    pub(super) fn hand_over(&mut self, guest: usize) {
        let (to, circle) = (self.net.id(guest), self.circle);
        self.rules(|replica, rows, rng, now| {
            let held = replica.circle(&circle);
            let member = held.and_then(|held| held.charter.member(&to));
            if member.is_some_and(|member| member.grant == Grant::Whole) {
                let _ = replica.hand_over(rows, &circle, to, now, rng);
            }
        });
    }

    pub(super) fn close(&mut self) {
        let circle = self.circle;
        self.rules(|replica, rows, rng, now| {
            let _ = replica.close(rows, &circle, 0, now, rng);
        });
    }

    pub(super) fn reopen(&mut self) {
        let circle = self.circle;
        self.rules(|replica, rows, rng, now| {
            let _ = replica.reopen(rows, &circle, 0, now, rng);
        });
    }
}
