//! Machines that stop, go back, run twice and are lost.

use maillon_protocol::{
    cbor,
    charter::Charter,
    ids::CircleId,
    replica::{Row, Rows},
};

use super::{Player, Twin};
use crate::net::{model::Fate, note};

impl Player<'_> {
    /// Connects two nodes, where both are there.
    pub(super) fn connect(&mut self, a: usize, b: usize) {
        let lost = &self.model.lost;
        if !lost.contains(&a) && !lost.contains(&b) {
            self.net.connect(a, b);
        }
    }

    /// Connects everybody with everybody that is there.
    pub(super) fn connect_all(&mut self) {
        for a in 0..self.net.nodes.len() {
            for b in a + 1..self.net.nodes.len() {
                self.connect(a, b);
            }
        }
    }

    pub(super) fn crash(&mut self, place: usize) {
        let node = place % self.net.nodes.len();
        if self.model.lost.contains(&node) {
            return;
        }
        self.hear();
        let lines = self.net.lines_of(node);
        self.net.crash(node);
        self.drop_staged(node, self.reached(node));
        // Its peers dial it again at once.
        for (a, b) in lines {
            self.connect(a, b);
        }
    }

    /// What the machine of a node had not committed when it stopped is nowhere.
    fn drop_staged(&mut self, node: usize, machine: usize) {
        let notes = &mut self.model.notes;
        self.staged.retain(|_, number| {
            let note = &mut notes[*number];
            let gone = note.author == node && note.machine == machine;
            if gone {
                note.fate = Fate::Dropped;
            }
            !gone
        });
    }

    pub(super) fn restore(&mut self, place: usize) {
        let node = place % self.net.nodes.len();
        if self.model.lost.contains(&node) || self.would_split(node) {
            return;
        }
        self.hear();
        let lines = self.net.lines_of(node);
        self.net.nodes[node].memory = self.copies[node].clone();
        self.committed[node].clear();
        self.net.crash(node);
        self.drop_staged(node, self.reached(node));
        self.went_back(node);
        // Before it says anything to anybody.
        self.know_restored(node);
        for (a, b) in lines {
            self.connect(a, b);
        }
    }

    /// The node hears that what it holds is from before.
    fn know_restored(&mut self, node: usize) {
        let now = self.net.clock(node);
        let restored = &mut self.net.nodes[node];
        restored
            .with(|replica, rows, rng| replica.restored(rows, now, rng))
            .map(drop)
            .unwrap_or_default();
        restored.commit();
    }

    /// What the disk of a node does not have any more is not kept there.
    fn went_back(&mut self, node: usize) {
        let memory = &self.net.nodes[node].memory;
        for note in &mut self.model.notes {
            let row = Row::Place(note.record);
            if note.author == node && !memory.get(&row).is_ok_and(|row| row.is_some()) {
                note.kept = false;
            }
        }
    }

    /// Whether a node that is put back has forgotten an entry that it signed. Only some may have heard of it, and whoever confirms to it what it
    /// remembers lets it sign another: the circle splits, and people go on in a successor.
    fn would_split(&self, node: usize) -> bool {
        let mut circles = self.circles.iter();
        circles.any(|circle| self.has_forgotten_what_it_signed(node, circle))
    }

    fn has_forgotten_what_it_signed(&self, node: usize, circle: &CircleId) -> bool {
        let row = Row::Charter(*circle);
        let then = self.copies[node].get(&row).ok().flatten();
        let now = self.net.nodes[node].memory.get(&row).ok().flatten();
        let rules = |bytes: &Option<Vec<u8>>| {
            let charter = bytes.as_deref().map(cbor::decode::<Charter>);
            charter.is_some_and(|charter| {
                charter.is_ok_and(|charter| charter.state().steward == self.net.id(node))
            })
        };
        then != now && (rules(&then) || rules(&now))
    }

    /// A second machine starts from a copy of the disk as it is now.
    pub(super) fn clone_machine(&mut self, node: usize) {
        if self.twins.contains_key(&node) || !self.model.is_honest(node) {
            return;
        }
        let seed = self.schedule.seed ^ (0x7719 + node as u64);
        let twin = Twin {
            node: self.net.nodes[node].twin(seed),
            number: 1,
            committed: self.committed[node].clone(),
            copy: self.copies[node].clone(),
        };
        self.twins.insert(node, twin);
    }

    /// Which of its two machines is reached, where a node has two.
    pub(super) fn reached(&self, node: usize) -> usize {
        self.twins.get(&node).map_or(0, Twin::other)
    }

    /// The machine that is not reached is found and switched off: what only its disk had is gone. The other one goes on as one whose disk went
    /// back, because it does not know what that one did in its name.
    pub(super) fn switch_off(&mut self, node: usize) {
        self.hear();
        let Some(twin) = self.twins.remove(&node) else {
            return;
        };
        self.switched_off = true;
        for circle in self.model.circles.values_mut() {
            // It left on one machine and wrote on the other: members do not all count the same of that log. Not looked at any closer yet.
            circle.split |= circle.left.contains_key(&node);
        }
        for note in &mut self.model.notes {
            note.kept &= (note.author, note.machine) != (node, twin.number);
        }
        self.net.crash(node);
        self.know_restored(node);
        self.connect_all();
    }

    /// The other one of two machines takes the place of the one that is reached, and goes on from what it has committed.
    pub(super) fn swap(&mut self, node: usize) {
        let Some(mut twin) = self.twins.remove(&node) else {
            return;
        };
        self.hear();
        let lines = self.net.lines_of(node);
        for (a, b) in &lines {
            self.net.cut(*a, *b);
        }
        // What the one that goes has staged waits for its own commit, and is lost with its memory.
        self.net.crash(node);
        self.drop_staged(node, twin.other());
        twin.number = twin.other();
        std::mem::swap(&mut self.net.nodes[node], &mut twin.node);
        std::mem::swap(&mut self.committed[node], &mut twin.committed);
        std::mem::swap(&mut self.copies[node], &mut twin.copy);
        self.twins.insert(node, twin);
        for (a, b) in lines {
            self.connect(a, b);
        }
    }

    /// Somebody writes at the machine that nobody reaches.
    pub(super) fn write_apart(&mut self, node: usize) {
        let (text, circle) = (self.text(), self.circle);
        let now = self.net.clock(node);
        let Some(twin) = self.twins.get_mut(&node) else {
            return;
        };
        let machine = twin.number;
        let written = twin.node.write(&circle, note(&text), now);
        twin.node.commit();
        if let Ok(record) = written {
            self.was_written((node, machine), text, record);
        }
    }

    /// A machine is gone for good. Two of those that may be members stay.
    pub(super) fn lose(&mut self, node: usize) {
        let left = (0..self.schedule.nodes).filter(|place| self.model.is_honest(*place));
        if left.count() <= 2 || !self.model.is_honest(node) {
            return;
        }
        self.hear();
        for (a, b) in self.net.lines_of(node) {
            self.net.cut(a, b);
        }
        self.twins.remove(&node);
        self.net.crash(node);
        self.drop_staged(node, 0);
        self.drop_staged(node, 1);
        self.model.lost.insert(node);
        for note in &mut self.model.notes {
            note.kept &= note.author != node;
        }
    }
}

impl Twin {
    const fn other(&self) -> usize {
        1 - self.number
    }
}
