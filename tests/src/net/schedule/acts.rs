//! What people do in a circle.

use maillon_protocol::{
    charter::Grant,
    content::{Content, PatientIdentity},
    ids::RecordId,
    invite::InvitationReason,
};

use super::{Past, Player};
use crate::net::{
    Node, identity,
    model::{self, Fate, Note},
    note,
};

impl Player<'_> {
    /// A text that nobody else has written.
    pub(super) fn text(&mut self) -> String {
        self.notes += 1;
        format!("Note {}.", self.notes)
    }

    pub(super) fn write(&mut self, node: usize) {
        let (text, circle) = (self.text(), self.circle);
        let written = self
            .net
            .act(node, |node, now| node.write(&circle, note(&text), now));
        if let Ok(record) = written {
            self.was_written((node, self.reached(node)), text, record);
        }
    }

    /// The model hears of a note that its author's node has taken.
    pub(super) fn was_written(
        &mut self,
        (author, machine): (usize, usize),
        text: String,
        record: RecordId,
    ) {
        self.staged.insert(record, self.model.notes.len());
        self.model.notes.push(Note {
            circle: self.circle,
            author,
            machine,
            text,
            record,
            fate: Fate::Staged,
            kept: true,
            readers: Default::default(),
            erasing: false,
        });
    }

    pub(super) fn crash_before_commit(&mut self, node: usize) {
        let (text, circle) = (self.text(), self.circle);
        let now = self.net.clock(node);
        let written = self.net.nodes[node].write(&circle, note(&text), now);
        if let Ok(record) = written {
            self.was_written((node, self.reached(node)), text, record);
        }
        self.crash(node);
    }

    /// A new version of the identity that supersedes those which the node shows.
    pub(super) fn amend(&mut self, node: usize) {
        let circle = self.circle;
        let name = self.text();
        self.net.act(node, |node, now| {
            let Some((thing, standing)) = node.identity_thing(&circle) else {
                return;
            };
            let content = Content::PatientIdentity(PatientIdentity {
                used_name: name,
                ..identity()
            });
            let _ = node.supersede(&circle, thing, standing, content, now);
        });
    }

    pub(super) fn invite(&mut self, guest: usize, past: Past) {
        let (to, circle) = (self.net.id(guest), self.circle);
        let invited = self.rules(|replica, rows, rng, now| {
            let held = replica.circle(&circle)?;
            let (grant, past) = match past {
                Past::Whole => (Grant::Whole, model::Past::Whole),
                Past::Nothing => (Grant::Nothing, model::Past::Nothing),
                Past::Now => {
                    let epoch = held.charter.state().epoch.number;
                    (Grant::From(epoch), model::Past::From(epoch))
                }
            };
            let who = identity();
            let reason = InvitationReason::CareTeam;
            let id = replica.invite(rows, &circle, to, reason, Some(&who), grant, now, rng);
            Some((id.ok()?, past))
        });
        if let Some((id, past)) = invited {
            self.model.orders.invite(id, circle, guest, past);
        }
    }

    pub(super) fn remove(&mut self, guest: usize) {
        let (circle, steward, gone) = (self.circle, self.steward(), self.net.id(guest));
        self.model.orders.go(circle, guest);
        self.net.act(steward, |node, now| {
            let _ = node.try_remove(&circle, gone, now);
        });
    }

    pub(super) fn leave(&mut self, node: usize) {
        let circle = self.circle;
        self.model.orders.go(circle, node);
        let held = self.net.nodes[node].circles.get(&circle);
        let known = held.map_or(0, |held| held.charter.number());
        let left = self.net.act(node, |node, now| {
            node.with(|replica, rows, _| replica.depart(rows, &circle, now))
        });
        if let Some(expected) = self.model.circles.get_mut(&circle).filter(|_| left.is_ok()) {
            expected.left.insert(node, known);
        }
    }

    /// Asks that the newest note of a node be erased; the steward sometimes asks for that of another.
    pub(super) fn erase(&mut self, place: usize) {
        let (steward, writer, circle) = (self.steward(), self.member(place), self.circle);
        let asks = if place.is_multiple_of(2) {
            writer
        } else {
            steward
        };
        let Some(record) = self.net.nodes[asks].newest_note(&circle, self.net.id(writer)) else {
            return;
        };
        // What was written again for a new member says the same: the model knows a note by what it says.
        let says = says(&self.net.nodes[asks], &circle, record);
        let notes = self.model.notes.iter_mut();
        for note in notes.filter(|note| says.as_ref() == Some(&note.text)) {
            note.erasing = true;
        }
        self.net.act(asks, |node, now| {
            let _ = node.ask_erasure(&circle, record, now);
        });
    }

    /// A node lets go of the circle. Before what is left of it is swept away, it may crash.
    pub(super) fn finish(&mut self, place: usize) {
        let (node, circle) = (self.member(place), self.circle);
        self.hear();
        let finished = self.net.act(node, |node, now| {
            node.with(|replica, rows, _| replica.finish(rows, &circle, now))
        });
        if finished.is_err() {
            return;
        }
        if let Some(expected) = self.model.circles.get_mut(&circle) {
            expected.finished.insert(node);
        }
        let notes = self.model.notes.iter_mut();
        for note in notes.filter(|note| note.author == node && note.circle == circle) {
            note.kept = false;
        }
        self.net.run(self.schedule.commit_ms);
        if place.is_multiple_of(2) {
            self.crash(node);
        }
    }

    pub(super) fn rotate(&mut self) {
        let (circle, steward) = (self.circle, self.steward());
        let rotated = self.net.act(steward, |node, now| node.rotate(&circle, now));
        if rotated.is_ok() {
            self.model.orders.rotate(circle);
        }
    }
}

fn says(node: &Node, circle: &maillon_protocol::ids::CircleId, record: RecordId) -> Option<String> {
    let held = node.record(circle, record)?;
    match node.circles.get(circle)?.read(&held).ok()?.content {
        Content::LiaisonNote(note) => Some(note.text),
        _ => None,
    }
}
