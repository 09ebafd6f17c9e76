//! Comparing where the two nodes stand in one circle.

use std::collections::BTreeSet;

use super::{Pending, Session};
use crate::{
    cbor::Bytes,
    charter::Charter,
    circle::{Ack, Circle},
    ids::{CircleId, EntryHash, LogId, NodeId},
    limits,
    sign::Unverified,
    sync::{Batch, CircleState, Message, Problem, View},
};

impl Session {
    /// What may be said of a circle to this peer. Remembers that it was said.
    pub(super) fn own_state(&mut self, id: &CircleId, view: &impl View) -> Option<CircleState> {
        let circle = view.circle(id)?;
        let charter = &circle.charter;
        // A removed node learns of its removal, and nothing after it.
        let last = self.last_told(charter)?;
        let (own, there) = (view.own(), charter.is_member(&self.peer));
        let both = there && charter.is_member(&own);
        let heights = circle.offered_to(&own, &self.peer).into_iter();
        let theirs = |node: &NodeId| there || *node == self.peer;
        self.told.insert(*id, circle.changed);
        Some(CircleState {
            circle: *id,
            entry: last,
            entry_hash: charter.hash_of(last)?,
            // Of a circle in which this node is no more, it gives what it wrote there itself.
            heights: heights
                .filter(|height| charter.passes(&height.log, &own, &self.peer))
                .collect(),
            acks: if both {
                stated_acks(view, id)
            } else {
                Vec::new()
            },
            departures: charter
                .departures()
                .filter(|(node, _)| theirs(node))
                .map(|(_, signed)| signed.clone())
                .collect(),
            finished: false,
        })
    }

    /// Number of the last charter entry that the peer may have, if it was ever a member.
    pub(super) fn last_told(&self, charter: &Charter) -> Option<u64> {
        // Whom another branch of the charter removes is told nothing.
        let listed = charter.ever_listed(&self.peer) && !charter.shuns(&self.peer);
        listed.then(|| charter.removed_by(&self.peer).unwrap_or(charter.number()))
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

    /// Of a circle that is not here: that its time is over, to who was in it, or nothing. Nothing is remembered of it: a peer may name as many
    /// circles as it likes.
    pub(super) fn tell_nothing(&mut self, id: &CircleId, view: &impl View) {
        let finished = view.finished(id, &self.peer);
        let (entry, entry_hash) = finished.unwrap_or((0, EntryHash([0; 32])));
        self.send(Message::States(vec![CircleState {
            circle: *id,
            entry,
            entry_hash,
            heights: Vec::new(),
            acks: Vec::new(),
            departures: Vec::new(),
            finished: finished.is_some(),
        }]));
    }

    /// This node has let go of a circle: whoever was in it is told at once.
    pub(super) fn tell_the_end(&mut self, id: &CircleId, view: &impl View) {
        if view.finished(id, &self.peer).is_some() {
            self.tell_nothing(id, view);
        }
    }

    /// The peer has let go of a circle. Where a later entry admits it, it gets the whole charter, as a newcomer does.
    fn peer_has_finished(&mut self, theirs: &CircleState, circle: &Circle, view: &impl View) {
        let (id, charter) = (theirs.circle, &circle.charter);
        self.behind.remove(&id);
        self.let_go.insert(id);
        let anew = charter
            .member(&self.peer)
            .filter(|member| member.since > theirs.entry);
        if anew.is_some() {
            self.behind.insert(id);
            self.send_entries(&id, 0, charter.number(), &BTreeSet::new(), circle, view);
        }
    }

    pub(super) fn state(&mut self, theirs: &CircleState, view: &impl View) {
        let id = theirs.circle;
        let Some(circle) = view.circle(&id) else {
            if theirs.entry > 0 && !theirs.finished {
                self.tell_nothing(&id, view);
            }
            return;
        };
        let charter = &circle.charter;
        if charter.shuns(&self.peer) {
            return;
        }
        let Some(limit) = self.last_told(charter) else {
            // "Unknown" and "not a member" are the same answer.
            if theirs.entry > 0 && !theirs.finished {
                self.tell_nothing(&id, view);
            }
            return;
        };
        if theirs.finished {
            return self.peer_has_finished(theirs, &circle, view);
        }
        self.let_go.remove(&id);
        self.stated.insert(id, (theirs.entry, theirs.entry_hash));
        self.take_departures(charter, theirs);
        let rival = charter.is_rival(theirs.entry, theirs.entry_hash);
        if rival {
            self.send_branch(&circle, theirs.entry, view);
        }
        if theirs.entry < limit && !rival {
            self.behind.insert(id);
            if theirs.entry == 0 || charter.hash_of(theirs.entry) == Some(theirs.entry_hash) {
                let opened = opened_by(theirs, &self.peer);
                self.send_entries(&id, theirs.entry, limit, &opened, &circle, view);
            } else {
                self.forked.insert(id);
                self.report(Problem::CharterFork {
                    circle: id,
                    entry: theirs.entry,
                });
                self.send_branch(&circle, theirs.entry, view);
                self.tell(&id, view);
            }
            return;
        }
        if theirs.entry > charter.number() && !rival {
            // Told again even if nothing changed here: the peer sends what follows only to somebody who says where it stands. A node that
            // was removed asks in this way too, for it may have been admitted again.
            self.behind.insert(id);
            self.told.remove(&id);
            return self.tell(&id, view);
        }
        let own = view.own();
        if !charter.is_member(&self.peer) || !charter.is_member(&own) {
            self.tell(&id, view);
            // What who is no more in it wrote before it is taken from itself, too.
            if charter.hash_of(theirs.entry) == Some(theirs.entry_hash) {
                self.behind.remove(&id);
            }
            let peer = self.peer;
            self.ask_for_bodies(&circle, &own);
            let theirs = theirs.heights.iter();
            for height in theirs.filter(|at| charter.passes(&at.log, &peer, &own)) {
                let mine = circle.logs.get(&height.log).map_or(0, |tip| tip.height);
                if height.height > mine {
                    self.want(id, height.log, height.height);
                }
            }
            return;
        }
        self.take_acks(&circle, theirs, view);
        self.tell(&id, view);
        if theirs.entry_hash != charter.head() && !rival {
            self.behind.insert(id);
            self.forked.insert(id);
            self.send_branch(&circle, theirs.entry, view);
            return self.report(Problem::CharterFork {
                circle: id,
                entry: theirs.entry,
            });
        }
        self.send_rivals(&circle, view);
        if self.behind.remove(&id) {
            // Attachments were not asked for meanwhile.
            self.look_for_files(&circle);
        }
        self.forked.remove(&id);
        if circle.unconfirmed {
            self.commit(Batch::Confirmed(id, theirs.entry_hash), Pending::Other);
        }
        // Whoever lacks an epoch that it is granted gets it from any member.
        if !rival {
            let opened = opened_by(theirs, &self.peer);
            self.send_seals(&id, &opened, &circle, view);
        }
        self.send_bodies(theirs, &circle, view);
        // As it says now, and no more: a peer could name logs without end.
        self.late.retain(|(at, _), _| *at != id);
        for height in &theirs.heights {
            let mine = circle.logs.get(&height.log).map_or(0, |tip| tip.height);
            let head = (height.height, &height.head);
            let up_to = circle.asked_up_to(&own, &height.log, height.height);
            if up_to < height.height {
                self.late.insert((id, height.log), height.height);
            }
            let refused = self.not_taken.get(&(id, height.log));
            let refused = refused.is_some_and(|known| *known >= up_to);
            if up_to > mine && !refused && !self.is_known_branch(&id, &height.log, head, view) {
                self.want(id, height.log, up_to);
            }
        }
        self.compare_heads(theirs, &circle, view);
    }

    /// What the peer has of a log lies beyond what counts, and does not come to count: it is not asked for again on this connection until it is more.
    pub(super) fn is_not_taken(&mut self, key: (CircleId, LogId)) {
        if let Some(up_to) = self.targets.remove(&key) {
            self.not_taken.insert(key, up_to);
        }
        self.asked.remove(&key);
    }

    /// Asks for what the peer has of removed nodes' logs beyond what counts, where this node, the steward, lets it count now.
    pub(super) fn ask_for_late(&mut self, circle: &Circle, view: &impl View) {
        let (id, own) = (circle.id(), view.own());
        let of_it = self.late.iter().filter(|((at, _), _)| *at == id);
        self.not_taken.retain(|(at, _), _| *at != id);
        let all: Vec<_> = of_it.map(|((_, log), height)| (*log, *height)).collect();
        for (log, height) in all {
            if circle.asked_up_to(&own, &log, height) == height {
                self.late.remove(&(id, log));
                self.want(id, log, height);
            }
        }
    }

    /// Whether the last that the peer said of a circle is that its charter stands where this node's does.
    pub(super) fn peer_has_the_head(&self, id: &CircleId, view: &impl View) -> bool {
        view.circle(id).is_some_and(|circle| {
            let head = (circle.charter.number(), circle.charter.head());
            self.stated.get(id) == Some(&head)
        })
    }

    /// Departures that do not count here yet.
    fn take_departures(&mut self, charter: &Charter, theirs: &CircleState) {
        let held: BTreeSet<&Bytes> = charter.departures().map(|(_, signed)| signed).collect();
        let said = theirs.departures.iter().take(limits::MEMBERS);
        for signed in said.filter(|signed| !held.contains(signed)) {
            let batch = Batch::Departure(signed.0.clone());
            self.commit(batch, Pending::Other);
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

/// The acknowledgements that a state holds: this node's own first, then those of others, as long as a frame has room.
fn stated_acks(view: &impl View, id: &CircleId) -> Vec<Bytes> {
    let mut acks = view.acks(id);
    let last = usize::from(!acks.is_empty());
    acks.rotate_right(last);
    let mut bytes = 0;
    acks.retain(|ack| {
        bytes += ack.0.len();
        bytes <= limits::STATED_ACKS
    });
    acks
}

/// The epochs that the peer says it has opened, by the acknowledgement of its own in its state, which stands first.
fn opened_by(theirs: &CircleState, peer: &NodeId) -> BTreeSet<u64> {
    own_word(theirs, peer).map_or_else(BTreeSet::new, |ack| ack.opened.into_iter().collect())
}

/// The peer's own acknowledgement in a state. Its signature is checked by nobody here: what it asks for, it may have.
pub(super) fn own_word(theirs: &CircleState, peer: &NodeId) -> Option<Ack> {
    let acks = theirs.acks.iter();
    acks.filter_map(|ack| Unverified::<Ack>::parse(ack.0.clone()).ok())
        .map(|ack| ack.object)
        .find(|ack| ack.node == *peer)
}
