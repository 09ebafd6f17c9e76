//! That members agree with each other, once everything is healed and quiet.

use std::collections::BTreeMap;

use maillon_protocol::{
    charter::{Grant, Start},
    circle::{Ack, Circle},
    ids::{CircleId, LogId, NodeId},
    record::Record,
    replica::{Row, Rows},
};

use super::{Manner, Player};
use crate::net::{Weather, model::Tally};

/// Virtual time within which a healed federation must agree, milliseconds.
const AGREE_MS: u64 = 600_000;
/// The same where a malign node may alone have what is missing: it keeps back a part of what it is asked for, and is asked again once a minute.
const WITHHELD_MS: u64 = 3 * AGREE_MS;
/// The same where connections lose frames and go on: the sweep must have come.
const SWEPT_MS: u64 = 3 * 3_600_000;
const DAY_MS: i64 = 24 * 3_600_000;
/// For so long each of two machines with one key is reached at last, milliseconds.
const TWIN_MS: u64 = 150_000;

impl Player<'_> {
    /// Heals everything, waits until all agree, then until nobody says anything any more. How much of it the model could say for sure.
    pub(super) fn heal(&mut self) -> Result<Tally, String> {
        self.net.weather = Weather::FINE;
        self.net.mute.clear();
        self.net.liars.clear();
        self.net.cut_all();
        self.net.run(self.schedule.commit_ms);
        self.hear();
        self.note_readers();
        self.connect_all();
        self.switch_off_twins();
        self.confirm_alone();
        let end = self.net.now
            + match (self.schedule.ordered, self.model.malign.is_empty()) {
                (false, _) => SWEPT_MS,
                (true, true) => AGREE_MS,
                (true, false) => WITHHELD_MS,
            };
        while let Err(different) = self.agree().and_then(|()| self.is_swept()) {
            if self.net.now >= end {
                return Err(format!("healed, and still: {different}"));
            }
            self.net.run(1_000);
            self.answer();
            // Stewards let count what comes late.
            self.hear();
            // Whoever threw a malign node out is dialled by it again.
            self.dial_for_malign();
            self.net.invariants()?;
        }
        self.stop_malign();
        self.fall_silent()?;
        self.look()?;
        self.agree()
            .map_err(|different| format!("agreed, and no longer: {different}"))?;
        self.views_follow_from_records()?;
        self.strangers_know_nothing()?;
        self.forks_are_named()?;
        self.as_the_model_says()
    }

    /// Where connections lose frames and go on, the last that somebody wrote before they left may come with the sweep, and nobody who agrees misses it.
    fn is_swept(&self) -> Result<(), String> {
        if self.schedule.ordered {
            return Ok(());
        }
        self.as_the_model_says().map(drop)
    }

    fn dial_for_malign(&mut self) {
        for node in self.model.malign.clone() {
            for peer in (0..self.net.nodes.len()).filter(|peer| *peer != node) {
                self.connect(node, peer);
            }
        }
    }

    /// The others agree: what a malign node would go on saying for ever ends here.
    fn stop_malign(&mut self) {
        for node in self.model.malign.clone() {
            for (a, b) in self.net.lines_of(node) {
                self.net.cut(a, b);
            }
        }
    }

    /// Of two machines with one key each is reached for a while; then one of them is found and switched off.
    fn switch_off_twins(&mut self) {
        let twice: Vec<usize> = self.twins.keys().copied().collect();
        for node in twice {
            for _ in 0..2 {
                self.net.run(TWIN_MS);
                self.answer();
                self.swap(node);
                self.connect_all();
            }
            self.net.run(TWIN_MS);
            self.switch_off(node);
        }
    }

    /// A steward whose disk went back and whom nobody could tell the head meanwhile is told by its administrator.
    fn confirm_alone(&mut self) {
        self.net.run(60_000);
        for circle in self.circles.clone() {
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
    }

    /// Acknowledgements of acknowledgements come to an end.
    fn fall_silent(&mut self) -> Result<(), String> {
        // Two heads of one circle, or of one log, are compared once a minute, for ever; and where the beginning of a log is gone, with a machine that was
        // switched off, with one that is lost, or because its author's disk went back, the rest of it is asked for as often.
        // Who lacks a secret that nobody gives, because its steward's program is somebody else's, says so once a minute too; and so is offered a charter
        // whoever takes no invitation because its clock is wrong.
        let without = |place: usize| {
            let (own, mut held) = (self.net.id(place), self.net.nodes[place].circles.values());
            self.model.is_honest(place) && held.any(|circle| circle.lacks_a_secret(&own))
        };
        let without = (0..self.net.nodes.len()).any(without) && !self.model.malign.is_empty();
        let mut circles = self.model.circles.values();
        if self.switched_off
            || without
            || self.net.clocks.values().any(|wrong| *wrong < -DAY_MS)
            || !self.model.lost.is_empty()
            || self.a_beginning_is_gone()
            || circles.any(|circle| circle.split || !circle.forked.is_empty())
        {
            return Ok(());
        }
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

    /// Whether nobody has what comes next for somebody in a log, though somebody has what comes later.
    fn a_beginning_is_gone(&self) -> bool {
        let circles = self.net.nodes.iter().flat_map(|node| node.circles.values());
        let ends = circles.flat_map(|held| {
            let logs = held.logs.iter();
            logs.map(|(log, tip)| (held.id(), *log, tip.height))
        });
        let mut furthest = BTreeMap::new();
        for (circle, log, height) in ends {
            let known = furthest.entry((circle, log)).or_insert(height);
            *known = height.max(*known);
        }
        furthest.iter().any(|((circle, log), furthest)| {
            let holders = self
                .net
                .nodes
                .iter()
                .filter_map(|node| node.circles.get(circle));
            let mut heights = holders.map(|held| held.logs.get(log).map_or(0, |tip| tip.height));
            heights
                .any(|height| height < *furthest && !self.somebody_stores(circle, log, height + 1))
        })
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

    /// Whether every member of every circle holds and shows what it must, and knows that the others do.
    fn agree(&self) -> Result<(), String> {
        for (number, circle) in self.circles.iter().enumerate() {
            self.agree_in(circle)
                .map_err(|different| format!("in circle {number}: {different}"))?;
        }
        Ok(())
    }

    fn agree_in(&self, id: &CircleId) -> Result<(), String> {
        let expected = &self.model.circles[id];
        if expected.split {
            return Ok(());
        }
        let nodes = &self.net.nodes;
        let first = self.furthest_of(id);
        let Some(steward) = nodes[first].circles.get(id) else {
            // The steward is who knows most: nobody has it, because it was let go of, lost, or never committed.
            let gone = (0..self.schedule.nodes)
                .any(|place| self.has_finished(place, id) || !self.model.is_honest(place));
            return if gone || self.switched_off || !expected.roll.is_begun() {
                Ok(())
            } else {
                Err("no circle".to_owned())
            };
        };
        let here = nodes.iter().enumerate();
        for (place, node) in here.filter(|(place, _)| self.model.is_honest(*place)) {
            let own = node.id();
            let held = node.circles.get(id);
            // One machine accepted, and on the other, which is left, people say no: there it never comes in.
            let refuses = self.manners[place] != Manner::Accepts;
            // Of a clock that is more than a day behind an invitation is from too far ahead.
            let wrong = self.net.clocks.get(&place).copied().unwrap_or(0);
            let refuses = refuses || wrong < -DAY_MS;
            if held.is_none() && (refuses || self.has_finished(place, id)) {
                continue;
            }
            if !steward.charter.is_member(&own) {
                // A removed node that ever held the charter knows of its removal. Where nodes are lost, nobody may be left whom it would hear.
                if let (Some(held), Some(removed)) = (held, steward.charter.removed_by(&own))
                    && held.charter.number() != removed
                    && self.model.lost.is_empty()
                {
                    return Err(format!("node {place} does not know of its removal"));
                }
                continue;
            }
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
                let somewhere = nodes.iter().enumerate().any(|(place, node)| {
                    let held = node.circles.get(id);
                    self.model.is_honest(place)
                        && steward.charter.is_member(&node.id())
                        && held.is_some_and(|held| held.secret(epoch).is_some())
                });
                let granted = steward.charter.is_granted(&own, epoch);
                if somewhere && granted && held.secret(epoch).is_none() {
                    return Err(format!("node {place} has not opened epoch {epoch}"));
                }
            }
            self.logs_agree(place, steward, held)?;
            // Of a log that forked, each shows the branch that it saw first.
            if !expected.forked.is_empty() {
                continue;
            }
            // Where the steward is lost, who knows the charter best may have been granted less.
            let whole = |node| {
                let member = steward.charter.member(node);
                member.is_some_and(|member| member.grant == Grant::Whole)
            };
            let both = whole(&own) && whole(&nodes[first].id());
            if both && node.digest(id) != nodes[first].digest(id) {
                return Err(format!(
                    "node {place} shows something else than the steward"
                ));
            }
            self.acks_agree(place, id)?;
        }
        self.what_came_late_counts(id, steward)
    }

    /// What reached a member in good time counts, though its author was removed before it reached the steward.
    fn what_came_late_counts(&self, id: &CircleId, held: &Circle) -> Result<(), String> {
        let who = held.charter.state().steward;
        let mut places = 0..self.net.nodes.len();
        let Some(steward) = places.find(|place| self.net.id(*place) == who) else {
            return Ok(());
        };
        let known = held.charter.number();
        let mut notes = self.model.notes.iter().filter(|note| note.circle == *id);
        match notes.find(|note| self.model.is_overlooked(note, known, steward)) {
            Some(late) => Err(format!(
                "what node {} wrote in good time does not count: {}",
                late.author, late.text
            )),
            None => Ok(()),
        }
    }

    fn logs_agree(&self, place: usize, steward: &Circle, held: &Circle) -> Result<(), String> {
        let id = held.id();
        let expected = &self.model.circles[&id];
        let first = self.furthest_of(&id);
        for log in held.logs.keys().chain(steward.logs.keys()) {
            if expected.forked.contains_key(log) {
                continue;
            }
            let (theirs, ours) = (counted(steward, log), counted(held, log));
            let starts = |place| starts_at(steward, &self.net.id(place), log, theirs);
            let (Some(start), from) = (starts(place), starts(first)) else {
                continue;
            };
            if theirs < start {
                continue;
            }
            // Where its author is lost, those who were granted less hold it without the beginning.
            let lost = |place: &usize| self.net.id(*place) == log.node;
            let next_at = |place: usize| self.net.nodes[place].stored(&id, log, ours + 1);
            let mut others = (0..self.net.nodes.len()).filter(|place| self.model.is_honest(*place));
            if self.model.lost.iter().any(lost) && !others.any(|one| next_at(one).is_some()) {
                continue;
            }
            // An author whose disk went back does not get again what lies behind a body that only who is lost could give.
            if ours > theirs && !self.model.lost.is_empty() {
                continue;
            }
            if ours != theirs {
                return Err(format!(
                    "node {place} holds {ours} of {theirs} records of a log, from {start} on"
                ));
            }
            for sequence in start..=theirs {
                let right = self.net.nodes[first].stored(&id, log, sequence);
                let found = self.net.nodes[place].stored(&id, log, sequence);
                let Some(found) = found else {
                    return Err(format!("node {place} lacks record {sequence} of a log"));
                };
                let Some(right) = right else {
                    // Who knows the charter best was granted less, where the steward is lost.
                    if from.is_none_or(|from| sequence < from) {
                        continue;
                    }
                    return Err(format!("node {first} lacks record {sequence} of a log"));
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
                let erased = self.net.nodes[place].has_erased(&id, &found.id());
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
    pub(super) fn has_finished(&self, place: usize, circle: &CircleId) -> bool {
        let memory = &self.net.nodes[place].memory;
        memory
            .get(&Row::Finished(*circle))
            .is_ok_and(|row| row.is_some())
    }

    /// Whether some member has a record's body and its key.
    fn somebody_reads(&self, record: &Record) -> bool {
        let header = &record.header.object;
        let id = &header.circle;
        let steward = &self.net.nodes[self.furthest_of(id)].circles[id];
        self.net.nodes.iter().enumerate().any(|(place, node)| {
            let held = node.stored(id, &header.log, header.sequence);
            let (Some(held), Some(circle)) = (held, node.circles.get(id)) else {
                return false;
            };
            self.model.is_honest(place)
                && steward.charter.is_member(&node.id())
                && held.id() == record.id()
                && circle.read(&held).is_ok()
        })
    }

    /// Whether any node has the record at a place of a log on its disk.
    fn somebody_stores(&self, id: &CircleId, log: &LogId, sequence: u64) -> bool {
        let mut nodes = self.net.nodes.iter();
        nodes.any(|node| node.stored(id, log, sequence).is_some())
    }

    /// What each member holds of the others' acknowledgements is what they hold.
    fn acks_agree(&self, place: usize, id: &CircleId) -> Result<(), String> {
        let node = &self.net.nodes[place];
        let acks: Vec<Ack> = node
            .replica
            .acks(&node.memory, id)
            .map_err(|error| error.to_string())?;
        for (other, fellow) in self.net.nodes.iter().enumerate() {
            let Some(held) = fellow.circles.get(id) else {
                continue;
            };
            if other == place
                || !self.model.is_honest(other)
                || !node.circles[id].charter.is_member(&fellow.id())
            {
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
            // Where somebody is lost, who was granted less may hold a log without its beginning or without bodies in it, and cannot give the rest. The
            // same is so where the author's disk went back before what it had written.
            let mut owed = node.owed(id, &fellow.id());
            owed.retain(|(log, ..)| {
                let next = held.logs.get(log).map_or(0, |tip| tip.height) + 1;
                self.somebody_stores(id, log, next)
            });
            if !owed.is_empty() && self.model.lost.is_empty() {
                return Err(format!("node {place} waits for node {other}: {owed:?}"));
            }
        }
        Ok(())
    }

    /// What is shown is what the records make, whatever the way that they came.
    fn views_follow_from_records(&mut self) -> Result<(), String> {
        for circle in self.circles.clone() {
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
        }
        Ok(())
    }
}

/// Where a log starts for a member; none where it has none of it.
fn starts_at(circle: &Circle, node: &NodeId, log: &LogId, height: u64) -> Option<u64> {
    match circle.charter.start_for(node, log)? {
        Start::Sequence(sequence) => Some(sequence),
        Start::Entry(entry) => {
            let tip = circle.logs.get(log);
            Some(
                tip.and_then(|tip| tip.first_naming(entry))
                    .unwrap_or(height + 1),
            )
        }
    }
}

/// Up to where a log counts at a node.
fn counted(circle: &Circle, log: &LogId) -> u64 {
    circle.counted(log).map_or(0, |counted| counted.height)
}
