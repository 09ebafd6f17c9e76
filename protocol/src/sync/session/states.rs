//! Comparing where the two nodes stand in one circle.

use super::{Pending, Session};
use crate::{
    circle::Circle,
    ids::{CircleId, EntryHash},
    limits,
    sync::{Batch, CircleState, Message, Problem, View},
};

impl Session {
    /// What may be said of a circle to this peer. Remembers that it was said.
    pub(super) fn own_state(&mut self, id: &CircleId, view: &impl View) -> Option<CircleState> {
        let circle = view.circle(id)?;
        let charter = &circle.charter;
        if charter.is_member(&self.peer) {
            self.told.insert(*id, circle.changed);
            return Some(CircleState {
                circle: *id,
                entry: charter.number(),
                entry_hash: charter.head(),
                heights: circle.heights(),
                acks: view.acks(id),
            });
        }
        // A removed node learns of its removal, and nothing after it.
        let removal = charter.removed_by(&self.peer)?;
        self.told.insert(*id, circle.changed);
        Some(CircleState {
            circle: *id,
            entry: removal,
            entry_hash: charter.hash_of(removal)?,
            heights: Vec::new(),
            acks: Vec::new(),
        })
    }

    pub(super) fn tell(&mut self, id: &CircleId, view: &impl View) {
        let changed = view.circle(id).map(|circle| circle.changed);
        if changed.is_some() && self.told.get(id).copied() == changed {
            return;
        }
        if let Some(state) = self.own_state(id, view) {
            self.send(Message::States(vec![state]));
        }
    }

    pub(super) fn tell_nothing(&mut self, id: &CircleId) {
        if self.told.insert(*id, 0) != Some(0) {
            self.send(Message::States(vec![CircleState {
                circle: *id,
                entry: 0,
                entry_hash: EntryHash([0; 32]),
                heights: Vec::new(),
                acks: Vec::new(),
            }]));
        }
    }

    pub(super) fn state(&mut self, theirs: &CircleState, view: &impl View) {
        let id = theirs.circle;
        let Some(circle) = view.circle(&id) else {
            if theirs.entry > 0 {
                self.tell_nothing(&id);
            }
            return;
        };
        let charter = &circle.charter;
        if !charter.ever_listed(&self.peer) {
            // "Unknown" and "not a member" are the same answer.
            if theirs.entry > 0 {
                self.tell_nothing(&id);
            }
            return;
        }
        let limit = charter.removed_by(&self.peer).unwrap_or(charter.number());
        if theirs.entry < limit {
            self.behind.insert(id);
            if theirs.entry == 0 || charter.hash_of(theirs.entry) == Some(theirs.entry_hash) {
                self.send_entries(&id, theirs.entry, limit, &circle, view);
            } else {
                self.report(Problem::CharterFork {
                    circle: id,
                    entry: theirs.entry,
                });
            }
            return;
        }
        if !charter.is_member(&self.peer) || !charter.is_member(&view.own()) {
            return;
        }
        self.take_acks(&circle, theirs, view);
        self.tell(&id, view);
        if theirs.entry > charter.number() {
            self.behind.insert(id);
            return;
        }
        if theirs.entry_hash != charter.head() {
            self.behind.insert(id);
            return self.report(Problem::CharterFork {
                circle: id,
                entry: theirs.entry,
            });
        }
        self.behind.remove(&id);
        for height in &theirs.heights {
            let (mine, head) = circle
                .logs
                .get(&height.log)
                .map_or((0, None), |tip| (tip.height, Some(tip.head)));
            // Of our own log, the peer may hold another record at a lower place: we wrote on an older copy of our disk.
            let forked = height.log.node == view.own()
                && height.height > 0
                && height.height < mine
                && view.record_id(&id, &height.log, height.height) != Some(height.head);
            if height.height > mine {
                self.want(id, height.log, height.height);
            } else if forked {
                self.send(Message::Want {
                    circle: id,
                    log: height.log,
                    after: height.height - 1,
                    up_to: height.height,
                });
            } else if height.height == mine && head != Some(height.head) {
                // Same height, another record: ask for it, as the proof of a fork.
                self.send(Message::Want {
                    circle: id,
                    log: height.log,
                    after: mine - 1,
                    up_to: mine,
                });
            }
        }
    }

    pub(super) fn take_acks(&mut self, circle: &Circle, theirs: &CircleState, view: &impl View) {
        let held = view.acks(&circle.id());
        let fresh: Vec<_> = theirs
            .acks
            .iter()
            .filter(|ack| !held.contains(ack))
            .take(limits::MEMBERS)
            .map(|ack| ack.0.clone())
            .collect();
        if !fresh.is_empty() {
            self.commit(Batch::Acks(circle.id(), fresh), Pending::Other);
        }
    }
}
