//! What everybody must know, and what nobody else may, once everything is healed and quiet.

use maillon_protocol::{
    charter::{Grant, Start},
    circle::{Ack, Circle},
    ids::LogId,
    record::Record,
    replica::{Row, Rows},
};

use super::Player;
use crate::net::Weather;

/// Virtual time within which a healed federation must agree, milliseconds.
const AGREE_MS: u64 = 600_000;
/// The same where connections lose frames and go on: the sweep must have come.
const SWEPT_MS: u64 = 3 * 3_600_000;

impl Player<'_> {
    /// Heals everything, waits until all agree, then until nobody says anything any more.
    pub(super) fn heal(&mut self) -> Result<(), String> {
        self.net.weather = Weather::FINE;
        self.net.mute.clear();
        self.net.liars.clear();
        self.net.cut_all();
        self.net.connect_all();
        self.confirm_alone();
        let end = self.net.now
            + if self.schedule.ordered {
                AGREE_MS
            } else {
                SWEPT_MS
            };
        while let Err(different) = self.agree() {
            if self.net.now >= end {
                return Err(format!("healed, and still: {different}"));
            }
            self.net.run(1_000);
            self.answer();
            self.net.invariants()?;
        }
        self.fall_silent()?;
        self.look()?;
        self.agree()
            .map_err(|different| format!("agreed, and no longer: {different}"))?;
        self.views_follow_from_records()?;
        self.outsider_knows_nothing()
    }

    /// A steward whose disk went back and whom nobody could tell the head meanwhile is told by its administrator.
    fn confirm_alone(&mut self) {
        self.net.run(60_000);
        let circle = self.circle;
        for node in 0..self.net.nodes.len() {
            let held = self.net.nodes[node].circles.get(&circle);
            if held.is_some_and(|held| held.unconfirmed) {
                self.net.act(node, |node, now| {
                    node.with(|replica, rows, rng| replica.confirm(rows, &circle, now, rng))
                        .unwrap_or_default();
                });
            }
        }
    }

    /// Acknowledgements of acknowledgements come to an end.
    fn fall_silent(&mut self) -> Result<(), String> {
        for _ in 0..10 {
            let said = self.said();
            self.net.run(130_000);
            if self.said() == said {
                return Ok(());
            }
        }
        Err(format!(
            "everybody agrees and goes on talking: {}",
            self.last_words()
        ))
    }

    fn said(&self) -> usize {
        self.net.frames.values().map(Vec::len).sum()
    }

    /// The names of the last things that each said to each other.
    fn last_words(&self) -> String {
        let last = self.net.frames.iter().map(|((from, to), frames)| {
            let names: Vec<_> = frames
                .iter()
                .rev()
                .take(8)
                .rev()
                .filter_map(|frame| maillon_protocol::sync::Message::decode(frame).ok())
                .map(|message| message.name())
                .collect();
            format!("{from}→{to} {}", names.join(" "))
        });
        last.collect::<Vec<_>>().join(", ")
    }

    /// Whether every member holds and shows what it must, and knows that the others do.
    fn agree(&self) -> Result<(), String> {
        let nodes = &self.net.nodes;
        let first = self.steward();
        let Some(steward) = nodes[first].circles.get(&self.circle) else {
            // The steward is who knows most: nobody has it.
            let gone = (0..self.schedule.nodes).any(|place| self.has_finished(place));
            return if gone {
                Ok(())
            } else {
                Err("no circle".to_owned())
            };
        };
        for (place, node) in nodes.iter().enumerate() {
            let own = node.id();
            let held = node.circles.get(&self.circle);
            if held.is_none() && self.has_finished(place) {
                continue;
            }
            let Some(member) = steward.charter.member(&own) else {
                // A removed node that ever held the charter knows of its removal.
                if let (Some(held), Some(removed)) = (held, steward.charter.removed_by(&own))
                    && held.charter.number() != removed
                {
                    return Err(format!("node {place} does not know of its removal"));
                }
                continue;
            };
            let held = held.ok_or(format!("node {place} has not got the charter"))?;
            if held.charter.head() != steward.charter.head() {
                return Err(format!(
                    "node {place} stands at entry {} of {}",
                    held.charter.number(),
                    steward.charter.number()
                ));
            }
            for epoch in steward.charter.epochs() {
                // A secret that only a disk had which went back is lost.
                let somewhere = nodes.iter().any(|node| {
                    let held = node.circles.get(&self.circle);
                    steward.charter.is_member(&node.id())
                        && held.is_some_and(|held| held.secret(epoch).is_some())
                });
                let granted = steward.charter.is_granted(&own, epoch);
                if somewhere && granted && held.secret(epoch).is_none() {
                    return Err(format!("node {place} has not opened epoch {epoch}"));
                }
            }
            self.logs_agree(place, steward, held)?;
            if member.grant == Grant::Whole
                && node.digest(&self.circle) != nodes[first].digest(&self.circle)
            {
                return Err(format!(
                    "node {place} shows something else than the steward"
                ));
            }
            self.acks_agree(place)?;
        }
        Ok(())
    }

    fn logs_agree(&self, place: usize, steward: &Circle, held: &Circle) -> Result<(), String> {
        let first = self.steward();
        for log in held.logs.keys().chain(steward.logs.keys()) {
            let (theirs, ours) = (counted(steward, log), counted(held, log));
            let start = match steward.charter.start_for(&self.net.id(place), log) {
                Some(Start::Sequence(sequence)) => sequence,
                Some(Start::Entry(entry)) => steward
                    .logs
                    .get(log)
                    .and_then(|tip| tip.first_naming(entry))
                    .unwrap_or(theirs + 1),
                None => continue,
            };
            if theirs < start {
                continue;
            }
            if ours != theirs {
                return Err(format!(
                    "node {place} holds {ours} of {theirs} records of a log, from {start} on"
                ));
            }
            for sequence in start..=theirs {
                let right = self.net.nodes[first].stored(&self.circle, log, sequence);
                let found = self.net.nodes[place].stored(&self.circle, log, sequence);
                let (Some(right), Some(found)) = (right, found) else {
                    return Err(format!("node {place} lacks record {sequence} of a log"));
                };
                if right.id() != found.id() {
                    return Err(format!("node {place} has another record {sequence}"));
                }
                let granted = steward
                    .charter
                    .epoch_of(found.header.object.entry)
                    .is_some_and(|(epoch, _)| {
                        steward.charter.is_granted(&self.net.id(place), epoch)
                    });
                let erased = self.net.nodes[place].has_erased(&self.circle, &found.id());
                if granted && !erased && self.somebody_reads(&right) && held.read(&found).is_err() {
                    return Err(format!(
                        "node {place} cannot read record {sequence} of a log"
                    ));
                }
            }
        }
        Ok(())
    }

    /// Whether a node has let go of the circle.
    fn has_finished(&self, place: usize) -> bool {
        let memory = &self.net.nodes[place].memory;
        memory
            .get(&Row::Finished(self.circle))
            .is_ok_and(|row| row.is_some())
    }

    /// Whether some member has a record's body and its key.
    fn somebody_reads(&self, record: &Record) -> bool {
        let header = &record.header.object;
        let steward = &self.net.nodes[self.steward()].circles[&self.circle];
        self.net.nodes.iter().any(|node| {
            let held = node.stored(&self.circle, &header.log, header.sequence);
            let (Some(held), Some(circle)) = (held, node.circles.get(&self.circle)) else {
                return false;
            };
            steward.charter.is_member(&node.id())
                && held.id() == record.id()
                && circle.read(&held).is_ok()
        })
    }

    /// What each member holds of the others' acknowledgements is what they hold.
    fn acks_agree(&self, place: usize) -> Result<(), String> {
        let node = &self.net.nodes[place];
        let acks: Vec<Ack> = node
            .replica
            .acks(&node.memory, &self.circle)
            .map_err(|error| error.to_string())?;
        for (other, fellow) in self.net.nodes.iter().enumerate() {
            let Some(held) = fellow.circles.get(&self.circle) else {
                continue;
            };
            if other == place || !node.circles[&self.circle].charter.is_member(&fellow.id()) {
                continue;
            }
            let ack = acks.iter().find(|ack| ack.node == fellow.id());
            let said = ack.map(|ack| (ack.heights.clone(), ack.entry, ack.exceptions.clone()));
            let is = (
                held.heights(),
                held.charter.number(),
                held.exceptions.clone(),
            );
            if said != Some(is) {
                return Err(format!(
                    "node {place} has not the newest acknowledgement of node {other}"
                ));
            }
            let owed = node.owed(&self.circle, &fellow.id());
            if !owed.is_empty() {
                return Err(format!("node {place} waits for node {other}: {owed:?}"));
            }
        }
        Ok(())
    }

    /// What is shown is what the records make, whatever the way that they came.
    fn views_follow_from_records(&mut self) -> Result<(), String> {
        let circle = self.circle;
        for (place, node) in self.net.nodes.iter_mut().enumerate() {
            let before = node.digest(&circle);
            node.with(|replica, rows, _| replica.reproject(rows, &circle))
                .map_err(|error| error.to_string())?;
            node.commit();
            if node.digest(&circle) != before {
                return Err(format!(
                    "node {place} shows something else after projecting"
                ));
            }
        }
        Ok(())
    }

    fn outsider_knows_nothing(&self) -> Result<(), String> {
        let outsider = self.net.nodes.len() - 1;
        if self.net.knows(outsider, &self.circle.0) {
            return Err("the node that is in no circle has heard of it".to_owned());
        }
        let steward = &self.net.nodes[self.steward()];
        for record in steward.all_records(&self.circle) {
            let header = &record.header;
            if self.net.knows(outsider, &header.id)
                || self.net.knows(outsider, &header.object.salt.0)
            {
                return Err("the node that is in no circle has seen a header".to_owned());
            }
        }
        Ok(())
    }
}

/// Up to where a log counts at a node.
fn counted(circle: &Circle, log: &LogId) -> u64 {
    circle.counted(log).map_or(0, |counted| counted.height)
}
