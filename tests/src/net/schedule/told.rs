//! What the model is told of: what stewards signed, and where what was written lies. And what must hold after each step.

use std::collections::BTreeSet;

use maillon_protocol::{
    cbor,
    charter::{Change, Entry, Grant, RemovalReason},
    ids::{CircleId, EntryHash, InvitationId, LogId, NodeId, RecordId},
    invite::Acceptance,
    replica::{Location, Row, Rows},
    sign::Unverified,
};

use super::Player;
use crate::net::{
    Node,
    model::{self, Fate},
};

impl Player<'_> {
    /// The first circle is there, with two members; nobody was asked.
    pub(super) fn was_opened(&mut self) {
        self.model.circles.entry(self.circle).or_default();
        self.hear();
        self.unwanted = None;
    }

    /// Tells the model what has been signed and written since the last time, on whatever disk it lies.
    pub(super) fn hear(&mut self) {
        for circle in self.circles.clone() {
            for place in 0..self.net.nodes.len() {
                self.hear_of_entries(place, &circle);
            }
        }
        self.hear_of_records();
    }

    fn hear_of_entries(&mut self, place: usize, circle: &CircleId) {
        let entries = self.machines(place).flat_map(|node| {
            let number = node.circles.get(circle).map(|held| held.charter.number());
            let expected = &self.model.circles[circle];
            // From the newest one back to one that is known.
            let signed = (1..=number.unwrap_or(0)).rev();
            signed
                .filter_map(|number| entry(node, circle, number))
                .take_while(|(number, hash, ..)| !expected.roll.knows(*number, hash))
                .collect::<Vec<_>>()
        });
        let mut fresh: Vec<_> = entries.collect();
        fresh.sort_by_key(|(number, ..)| *number);
        for (number, hash, signer, change) in fresh {
            let (change, quoted) = self.in_words(signer, change);
            if self.model.circles[circle].roll.knows(number, &hash) {
                continue;
            }
            let uncounted = self.model.uncounted(circle, &change, |record| {
                let steward = self.net.nodes.iter().position(|node| node.id() == signer);
                steward.is_some_and(|steward| self.committed[steward].contains(record))
            });
            if let Some(text) = uncounted {
                self.unwanted.get_or_insert(format!(
                    "a removal does not count what the steward held: {text}"
                ));
            }
            if let model::Change::MoveCuts(who, removal, _) = &change {
                let terms = self.model.circles[circle].roll.terms(*who);
                let mut ended = terms.iter().filter(|term| term.ended);
                if !ended.any(|term| term.until == Some(*removal)) {
                    self.unwanted
                        .get_or_insert(format!("more counts of node {who}, and nobody said so"));
                }
            }
            let wanted = self.model.orders.wanted(circle, &change, quoted);
            let expected = self.model.circles.get_mut(circle).expect("a known circle");
            if let Err(unwanted) = wanted
                && !expected.split
            {
                self.unwanted.get_or_insert(unwanted);
            }
            expected.split |= expected.roll.signed(number, hash, change);
        }
    }

    /// Both machines of a node that has two.
    fn machines(&self, place: usize) -> impl Iterator<Item = &Node> {
        let twin = self.twins.get(&place).map(|twin| &twin.node);
        [&self.net.nodes[place]].into_iter().chain(twin)
    }

    /// An entry in the model's words, and the invitation that it quotes.
    fn in_words(&self, signer: NodeId, change: Change) -> (model::Change, Option<InvitationId>) {
        let place = |id: &NodeId| {
            let mut nodes = self.net.nodes.iter();
            nodes
                .position(|node| node.id() == *id)
                .expect("a node of this federation")
        };
        match change {
            Change::Admit {
                node,
                grant,
                acceptance,
                starts,
                ..
            } => {
                let past = match grant {
                    Grant::Whole => model::Past::Whole,
                    Grant::Nothing => model::Past::Nothing,
                    Grant::From(epoch) => model::Past::From(epoch),
                };
                let starts = starts.iter().map(|start| (start.log, start.sequence));
                let quoted = Acceptance::verify(acceptance.0).ok();
                let quoted = quoted.map(|quoted| quoted.object.invitation);
                let admitted = model::Change::Admit(place(&node), past, starts.collect());
                (admitted, quoted)
            }
            Change::Remove { node, cuts, reason } => {
                let cuts = cuts.iter().map(|cut| (cut.incarnation, cut.sequence));
                let ended = reason == RemovalReason::Ended;
                let removed = model::Change::Remove(place(&node), cuts.collect(), ended);
                (removed, None)
            }
            Change::MoveCuts {
                node,
                removal,
                cuts,
            } => {
                let cuts = cuts.iter().map(|cut| (cut.incarnation, cut.sequence));
                let moved = model::Change::MoveCuts(place(&node), removal, cuts.collect());
                (moved, None)
            }
            Change::Found { .. } => (model::Change::Found(place(&signer)), None),
            Change::Rotate { .. } => (model::Change::Rotate, None),
            _ => (model::Change::Other, None),
        }
    }

    fn hear_of_records(&mut self) {
        for place in 0..self.net.nodes.len() {
            let now = places(&self.net.nodes[place]);
            let fresh: Vec<_> = now.difference(&self.committed[place]).copied().collect();
            self.committed[place].extend(&fresh);
            self.lie(place, &fresh, false);
            let Some(twin) = self.twins.get_mut(&place) else {
                continue;
            };
            let now = places(&twin.node);
            let fresh: Vec<_> = now.difference(&twin.committed).copied().collect();
            twin.committed.extend(&fresh);
            self.lie(place, &fresh, true);
        }
    }

    /// These records lie on a disk of a node.
    fn lie(&mut self, place: usize, fresh: &[RecordId], apart: bool) {
        let node = match self.twins.get(&place).filter(|_| apart) {
            Some(twin) => &twin.node,
            None => &self.net.nodes[place],
        };
        for record in fresh {
            let row = node.memory.get(&Row::Place(*record)).ok().flatten();
            let Some(at) = row.and_then(|bytes| cbor::decode::<Location>(&bytes).ok()) else {
                continue;
            };
            let (log, sequence): (LogId, u64) = (at.log, at.sequence);
            if let Some(expected) = self.model.circles.get_mut(&at.circle) {
                expected.lies(log, sequence, *record);
            }
            let entry = || Some(node.stored(&at.circle, &log, sequence)?.header.object.entry);
            if let Some(number) = self.staged.get(record).copied()
                && let Some(entry) = entry()
            {
                self.staged.remove(record);
                self.model.notes[number].fate = Fate::Committed {
                    log,
                    sequence,
                    entry,
                };
            }
        }
    }

    /// What must hold at every moment, and that nothing that was committed has gone.
    pub(super) fn look(&mut self) -> Result<(), String> {
        self.net.invariants()?;
        self.hear();
        if let Some(unwanted) = &self.unwanted {
            return Err(unwanted.clone());
        }
        for index in 0..self.net.nodes.len() {
            let now = places(&self.net.nodes[index]);
            let held = &mut self.committed[index];
            // What a node has let go of goes.
            let mut circles = self.model.circles.values();
            let finished = circles.any(|circle| circle.finished.contains(&index));
            if !finished && !now.is_superset(held) {
                return Err(format!("node {index} has lost a committed record"));
            }
            *held = now;
        }
        Ok(())
    }
}

/// The records that lie on a node's disk.
fn places(node: &Node) -> BTreeSet<RecordId> {
    let rows = node.memory.rows().keys();
    rows.filter_map(|row| match row {
        Row::Place(record) => Some(*record),
        _ => None,
    })
    .collect()
}

/// An entry as a node holds it, and its hash.
fn entry(node: &Node, circle: &CircleId, number: u64) -> Option<(u64, EntryHash, NodeId, Change)> {
    let bytes = node.memory.get(&Row::Entry(*circle, number)).ok()??;
    let entry = Unverified::<Entry>::parse(bytes).ok()?.trust_stored();
    let hash = EntryHash(entry.id);
    Some((number, hash, entry.object.signer, entry.object.change))
}
