//! What people do when they are asked, and what the daemon's workers do by themselves.

use std::collections::BTreeSet;

use maillon_protocol::replica::{IncomingState, Replica};

use super::{Manner, Player};

impl Player<'_> {
    /// Whoever has been invited answers, and whoever is asked to erase decides.
    pub(super) fn answer(&mut self) {
        self.decide();
        self.sweep();
        for node in 0..self.schedule.nodes {
            if !self.model.lost.contains(&node) {
                self.answer_invitations(node);
            }
        }
    }

    fn answer_invitations(&mut self, node: usize) {
        let mut tried = BTreeSet::new();
        loop {
            let asked = &self.net.nodes[node];
            let all = asked.replica.incoming(&asked.memory).unwrap_or_default();
            let next = all
                .into_iter()
                .find(|(id, row)| row.state == IncomingState::Waiting && !tried.contains(id));
            let Some((id, _)) = next else {
                return;
            };
            tried.insert(id);
            match self.manners[node] {
                Manner::Accepts => {
                    let accepted = self.net.act(node, |node, now| {
                        node.with(|replica, rows, _| replica.accept(rows, &id, None, now))
                    });
                    // Expired, or it goes on in another circle already: it stays where it is.
                    if accepted.is_ok() {
                        self.model.orders.accept(id);
                    }
                }
                Manner::Declines => {
                    self.net.act(node, |node, _| {
                        let _ = node.with(|replica, rows, _| replica.decline(rows, &id));
                    });
                }
                Manner::Waits => continue,
            }
            self.net.run(self.schedule.commit_ms);
        }
    }

    /// Goes on sweeping away what was let go of, as the daemon's worker does.
    fn sweep(&mut self) {
        for place in 0..self.schedule.nodes {
            let left = Replica::finishing(&self.net.nodes[place].memory).unwrap_or_default();
            for circle in left {
                self.net.act(place, |node, _| {
                    let _ = node.with(|replica, rows, _| replica.sweep(rows, &circle));
                });
            }
        }
    }

    /// Each node decides about what is to be erased; some refuse.
    fn decide(&mut self) {
        for circle in self.circles.clone() {
            for place in 0..self.schedule.nodes {
                let node = &self.net.nodes[place];
                let idle = Replica::erasures(&node.memory, &circle).is_ok_and(|all| all.is_empty());
                if idle || self.model.lost.contains(&place) {
                    continue;
                }
                self.net.act(place, |node, now| {
                    node.decide_erasures(
                        &circle,
                        |record| !(record.0[0] as usize + place).is_multiple_of(3),
                        now,
                    );
                });
            }
        }
    }
}
