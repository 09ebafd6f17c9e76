//! What must be true when the month is over, every machine is up and nothing is under way any more.

use std::collections::{BTreeMap, BTreeSet};

use maillon_protocol::{
    charter::Grant,
    circle::Circle,
    ids::{CircleId, NodeId},
    replica::{Row, Rows},
};

use super::{Country, HOUR, MINUTE, Told};

/// Within which all must agree once everything is up, milliseconds.
const AGREE_MS: u64 = 12 * HOUR;

impl Country {
    /// Everything is up again; waits until all agree, and looks at everything.
    pub(super) fn settle(&mut self) -> Result<(), String> {
        self.over = true;
        self.set_dark(None);
        for node in 0..self.size.nodes {
            self.switch_on(node);
        }
        let healed = self.net.now;
        while let Err(different) = self.agree() {
            let passed = self.net.now - healed;
            if passed >= AGREE_MS {
                return Err(format!("all is up, and still: {different}"));
            }
            let pause = if passed < HOUR { MINUTE } else { 10 * MINUTE };
            self.net.run(pause);
            self.hear();
        }
        self.settled_ms = self.net.now - healed;
        (0..self.circles.len()).try_for_each(|told| self.look(told))?;
        (0..self.size.nodes).try_for_each(|node| self.knows_only_its_own(node))?;
        match self.complaints.first_key_value() {
            Some((what, times)) => Err(format!("{times} times a node complained: {what}")),
            None => Ok(()),
        }
    }

    /// The members of a circle by the charter that is furthest, with what each holds.
    fn members(&self, told: &Told) -> Result<Vec<(usize, &Circle)>, String> {
        let held = |node: &usize| self.net.nodes[*node].circles.get(&told.id);
        let furthest = told.ever.iter().filter_map(held);
        let furthest = furthest
            .max_by_key(|held| held.charter.number())
            .ok_or("a circle that nobody holds")?;
        let nodes = furthest.charter.members();
        nodes
            .map(|member| {
                let node = self.places[&member.node];
                let held = held(&node).ok_or(format!("node {node} has not got the charter"))?;
                if held.charter.head() != furthest.charter.head() {
                    return Err(format!("node {node} has another charter"));
                }
                Ok((node, &**held))
            })
            .collect()
    }

    /// Whether all members of every circle hold the same charter and what each may have of every log.
    fn agree(&self) -> Result<(), String> {
        for (number, told) in self.circles.iter().enumerate() {
            self.agree_on(told)
                .map_err(|different| format!("circle {number}: {different}"))?;
        }
        Ok(())
    }

    fn agree_on(&self, told: &Told) -> Result<(), String> {
        let members = self.members(told)?;
        for (one, here) in &members {
            if here.lacks_a_secret(&self.net.id(*one)) {
                return Err(format!("node {one} has not opened every epoch"));
            }
            for (other, there) in members.iter().filter(|(other, _)| other != one) {
                for height in here.heights_for(&self.net.id(*other)) {
                    if there.counted(&height.log) != Some(height) {
                        return Err(format!("node {other} lacks what node {one} holds"));
                    }
                }
                if !self.net.nodes[*one]
                    .owed(&told.id, &self.net.id(*other))
                    .is_empty()
                {
                    return Err(format!("node {one} waits for node {other}"));
                }
            }
        }
        Ok(())
    }

    /// What a circle has come to.
    fn look(&self, number: usize) -> Result<(), String> {
        let told = &self.circles[number];
        self.look_at(told)
            .map_err(|broken| format!("circle {number}: {broken}"))
    }

    fn look_at(&self, told: &Told) -> Result<(), String> {
        let members = self.members(told)?;
        let is_whole = |node: usize, held: &Circle| {
            let member = held.charter.member(&self.net.id(node));
            member.is_some_and(|member| member.grant == Grant::Whole)
        };
        let mut shown = BTreeSet::new();
        for (node, held) in &members {
            self.acknowledged_is_there(*node, held)?;
            if !is_whole(*node, held) {
                continue;
            }
            shown.insert(self.net.nodes[*node].digest(&told.id));
            if shown.len() > 1 {
                return Err(format!("node {node} shows something else than another one"));
            }
            self.written_is_there(*node, held, told)?;
            self.answered_is_answered(*node, held, told)?;
        }
        for node in &told.ever {
            if let Some(held) = self.net.nodes[*node].circles.get(&told.id)
                && let Some(removed) = held.charter.removed_by(&self.net.id(*node))
                && held.charter.number() > removed
            {
                return Err(format!("node {node} knows what came after its removal"));
            }
        }
        Ok(())
    }

    /// What others hold a node's word for having, it has.
    fn acknowledged_is_there(&self, node: usize, held: &Circle) -> Result<(), String> {
        let (own, id) = (self.net.id(node), held.id());
        for member in held.charter.members() {
            let other = &self.net.nodes[self.places[&member.node]];
            let acks = other.replica.acks(&other.memory, &id);
            let acks = acks.map_err(|error| error.to_string())?;
            for height in acks
                .iter()
                .filter(|ack| ack.node == own)
                .flat_map(|ack| &ack.heights)
            {
                let here = self.net.nodes[node].record_at(&id, &height.log, height.height);
                if here != Some(height.head) {
                    return Err(format!("node {node} has not got what it acknowledged"));
                }
            }
        }
        Ok(())
    }

    /// What was written by who is still a member is at a node.
    fn written_is_there(&self, node: usize, held: &Circle, told: &Told) -> Result<(), String> {
        for (writer, record) in &told.written {
            let place = self.net.nodes[node].memory.get(&Row::Place(*record));
            let is_here = place.is_ok_and(|place| place.is_some());
            if self.stayed(*writer, held) && !is_here {
                return Err(format!("node {node} lacks what node {writer} wrote"));
            }
        }
        Ok(())
    }

    /// An alert that somebody answered waits for nobody at a node.
    fn answered_is_answered(&self, node: usize, held: &Circle, told: &Told) -> Result<(), String> {
        let here = &self.net.nodes[node];
        for (alert, answerer) in &told.answered {
            if !self.stayed(*answerer, held) {
                continue;
            }
            let entry = here.replica.alert(&here.memory, &told.id, alert);
            let entry = entry.map_err(|error| error.to_string())?;
            let entry = entry.ok_or(format!("node {node} lacks an alert"))?;
            let is_member = |node: &NodeId| held.charter.is_member(node);
            let by = self.net.id(*answerer);
            let answered = entry.answers.values().any(|answer| answer.node == by);
            if !answered || entry.asked.is_some() && entry.is_open(is_member) {
                return Err(format!(
                    "node {node} does not know that an alert was answered"
                ));
            }
        }
        Ok(())
    }

    /// Whether a node is a member and has been ever since it came.
    fn stayed(&self, node: usize, held: &Circle) -> bool {
        let id = self.net.id(node);
        let since = held.charter.member(&id).map(|member| member.since);
        let before = |since| (1..since).any(|entry| held.charter.was_member(&id, entry));
        since.is_some_and(|since| !before(since))
    }

    /// No row of a node names a circle to which nobody there ever said yes.
    fn knows_only_its_own(&self, node: usize) -> Result<(), String> {
        let mut named: BTreeMap<CircleId, u64> = BTreeMap::new();
        for row in self.net.nodes[node].memory.rows().keys() {
            if let Some(circle) = circle_of(row) {
                *named.entry(circle).or_default() += 1;
            }
        }
        let strange = named.keys().find(|circle| {
            let told = self.by_id.get(circle).map(|told| &self.circles[*told]);
            !told.is_some_and(|told| told.ever.contains(&node))
        });
        match strange {
            Some(_) => Err(format!(
                "node {node} holds something of a circle in which it never was"
            )),
            None => Ok(()),
        }
    }
}

/// The circle that a row's name says.
const fn circle_of(row: &Row) -> Option<CircleId> {
    match row {
        Row::Charter(circle)
        | Row::Circle(circle)
        | Row::Finishing(circle)
        | Row::Finished(circle)
        | Row::Entry(circle, _)
        | Row::Seal(circle, ..)
        | Row::Record(circle, ..)
        | Row::Thing(circle, _)
        | Row::Alert(circle, _)
        | Row::Request(circle, _)
        | Row::Erasing(circle, _)
        | Row::Erased(circle, _)
        | Row::Ack(circle, _)
        | Row::Delivery(circle, _)
        | Row::Awaited(_, circle, ..)
        | Row::Aside(circle, _)
        | Row::Ahead(circle, _)
        | Row::Chunk(circle, ..)
        | Row::File(circle, _)
        | Row::Wanted(circle, ..)
        | Row::Upload(circle, _)
        | Row::Renewing(circle) => Some(*circle),
        Row::Clock
        | Row::Counter
        | Row::Incarnation
        | Row::Lives
        | Row::Restored
        | Row::Place(_)
        | Row::AlertsIndexed
        | Row::LettersIndexed
        | Row::Descriptor(_)
        | Row::Fate(_)
        | Row::Marks(_)
        | Row::Outgoing(_)
        | Row::Incoming(_)
        | Row::Letter(..) => None,
    }
}
