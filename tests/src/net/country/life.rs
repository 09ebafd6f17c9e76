//! What people do, and what befalls their machines.
//!
//! A circle is founded by somebody at one structure, who invites people at others that it is peered with; they accept within a day, write notes, alert each
//! other and answer, correct the person's identity, hand the circle over, leave, are removed. A machine that is off lets its people wait. A
//! quarter of the machines are off at night, each is restarted twice, and one region is cut off for two days, in which its people go on.

use maillon_protocol::{
    charter::Grant,
    content::{Alert, AlertAnswer, AlertStep, Content, Kind, PatientIdentity, Severity},
    ids::{CircleId, InvitationId, RecordId, ThingId},
    invite::InvitationReason,
    replica::Notice,
};
use rand::RngExt;

use super::{Country, DAY, HOUR, MINUTE, Told};
use crate::net::{identity, note};

/// Something that is going to happen.
#[derive(Debug, Clone, Copy)]
pub(super) enum Deed {
    /// A circle is opened.
    Found(usize),
    /// The steward asks a node.
    Invite(usize, usize),
    /// A person there says yes.
    Accept(usize, InvitationId),
    /// Somebody of a circle writes a note.
    Note(usize),
    /// Somebody alerts the others.
    Alert(usize),
    /// Somebody who was alerted says that they have seen it.
    Answer(usize, usize, ThingId),
    /// Somebody corrects the identity.
    Amend(usize),
    /// The steward removes a member.
    Remove(usize),
    /// A member leaves.
    Leave(usize),
    /// The steward hands over to a member.
    HandOver(usize),
    /// The steward begins a new epoch.
    Rotate(usize),
    /// A machine goes off.
    Off(usize),
    /// It comes back.
    On(usize),
    /// It stops and starts.
    Restart(usize),
    /// A region is cut off.
    Dark(usize),
    /// It is back.
    Light,
}

impl Country {
    /// What is known before the month begins: when circles are opened, and what befalls machines.
    pub(super) fn plan_the_month(&mut self) {
        let last = self.size.days * DAY - 3 * DAY;
        // Some structures have ten times as many circles as others.
        let mut hats = Vec::new();
        for node in 0..self.size.nodes {
            let chance: f64 = self.rng.random();
            hats.extend(vec![node; 2 + (18.0 * chance * chance) as usize]);
        }
        for _ in 0..self.size.circles {
            let founder = hats[self.rng.random_range(0..hats.len())];
            let at = self.at_work(0, last);
            self.plan_at(at, Deed::Found(founder));
        }
        for node in 0..self.size.nodes {
            let at_night = self.rng.random_range(0..4) == 0;
            for day in (0..self.size.days).filter(|_| at_night) {
                let off = self.began + day * DAY + 20 * HOUR + self.rng.random_range(0..HOUR);
                let on = self.began + (day + 1) * DAY + 7 * HOUR + self.rng.random_range(0..HOUR);
                self.plan_at(off, Deed::Off(node));
                self.plan_at(on, Deed::On(node));
            }
            for _ in 0..2 {
                let at = self.at_work(0, last);
                self.plan_at(at, Deed::Restart(node));
            }
        }
        let region = self.rng.random_range(0..self.map.regions);
        let dark = self.began + self.size.days / 2 * DAY + 10 * HOUR;
        self.plan_at(dark, Deed::Dark(region));
        self.plan_at(dark + 2 * DAY, Deed::Light);
    }

    pub(super) fn act(&mut self, deed: Deed) {
        match deed {
            Deed::Found(node) if self.on[node] => self.found(node),
            Deed::Found(node) => self.later(Deed::Found(node)),
            Deed::Invite(told, guest) => self.invite(told, guest),
            Deed::Accept(node, id) if self.on[node] => self.accept(node, id),
            Deed::Accept(node, id) => self.later(Deed::Accept(node, id)),
            Deed::Note(told) => {
                let text = self.words();
                self.write(deed, told, "notes", |_| Some((None, note(&text))));
            }
            Deed::Alert(told) => {
                let alert = Content::Alert(Alert {
                    severity: Severity::High,
                    text: self.words(),
                    addressees: Vec::new(),
                    answer_by_ms: self.net.now + 4 * HOUR,
                });
                self.write(deed, told, "alerts", |_| Some((None, alert)));
            }
            Deed::Amend(told) => {
                let name = self.words();
                let id = self.circles[told].id;
                self.write(deed, told, "corrections", |node| {
                    let content = Content::PatientIdentity(PatientIdentity {
                        used_name: name[..20].to_owned(),
                        ..identity()
                    });
                    Some((Some(node.identity_thing(&id)?), content))
                });
            }
            Deed::Answer(node, told, alert) if self.on[node] => self.answer(node, told, alert),
            Deed::Answer(node, told, alert) => self.later(Deed::Answer(node, told, alert)),
            Deed::Remove(told) | Deed::HandOver(told) | Deed::Rotate(told) => {
                self.rule(deed, told);
            }
            Deed::Leave(told) => self.leave(told),
            Deed::Off(node) => self.switch_off(node),
            Deed::On(node) => self.switch_on(node),
            Deed::Restart(node) if self.on[node] => {
                self.switch_off(node);
                self.switch_on(node);
                self.count("restarts");
            }
            Deed::Restart(_) => {}
            Deed::Dark(region) => self.set_dark(Some(region)),
            Deed::Light => self.set_dark(None),
        }
    }

    /// The machine is off: tomorrow, or in some hours.
    fn later(&mut self, deed: Deed) {
        let at = self.at_work(HOUR, 6 * HOUR);
        self.plan_at(at, deed);
    }

    fn found(&mut self, node: usize) {
        let id = self.net.act(node, |node, now| node.found(now));
        let told = self.circles.len();
        self.by_id.insert(id, told);
        self.circles.push(Told {
            id,
            ever: vec![node],
            written: Vec::new(),
            answered: Vec::new(),
        });
        self.count("circles");
        // Two to six members: most have two or three.
        let size = match self.rng.random_range(0..100) {
            0..42 => 2,
            42..72 => 3,
            72..88 => 4,
            88..96 => 5,
            _ => 6,
        };
        let mut guests = self.map.liked[node].clone();
        for _ in 1..size {
            if guests.is_empty() {
                break;
            }
            // Most often with the same few.
            let chance: f64 = self.rng.random();
            let guest = guests.remove((guests.len() as f64 * chance * chance) as usize);
            let at = self.at_work(10 * MINUTE, DAY);
            self.plan_at(at, Deed::Invite(told, guest));
        }
        let rest = self.began + self.size.days * DAY - self.net.now;
        self.some(1, 3, rest, Deed::Note(told));
        self.some(0, 2, rest, Deed::Alert(told));
        self.some(0, 1, rest, Deed::Amend(told));
        let rare = [
            (4, Deed::HandOver(told)),
            (4, Deed::Rotate(told)),
            (4, Deed::Remove(told)),
            (4, Deed::Leave(told)),
        ];
        for (of_hundred, deed) in rare {
            if self.rng.random_range(0..100) < of_hundred && rest > 3 * DAY {
                let at = self.at_work(2 * DAY, rest);
                self.plan_at(at, deed);
            }
        }
    }

    /// Something happens so many times within the time that is left.
    fn some(&mut self, least: u32, most: u32, rest: u64, deed: Deed) {
        for _ in 0..self.rng.random_range(least..=most) {
            let at = self.at_work(HOUR, rest.max(2 * HOUR));
            self.plan_at(at, deed);
        }
    }

    /// Who is the circle's steward as far as it knows itself.
    pub(super) fn steward(&self, told: usize) -> Option<usize> {
        let Told { id, ever, .. } = &self.circles[told];
        let rules = |node: &&usize| {
            let held = self.net.nodes[**node].circles.get(id);
            held.is_some_and(|held| held.charter.state().steward == self.net.id(**node))
        };
        ever.iter().find(rules).copied()
    }

    /// A node that is up and in the circle as far as it knows, the steward or not.
    fn somebody(&mut self, told: usize, steward_too: bool) -> Option<usize> {
        let Told { id, ever, .. } = &self.circles[told];
        let here = |node: &usize| {
            let own = self.net.id(*node);
            let held = self.net.nodes[*node].circles.get(id);
            self.on[*node]
                && held.is_some_and(|held| {
                    held.charter.is_member(&own)
                        && (steward_too || held.charter.state().steward != own)
                })
        };
        let all: Vec<usize> = ever.iter().copied().filter(here).collect();
        (!all.is_empty()).then(|| all[self.rng.random_range(0..all.len())])
    }

    fn invite(&mut self, told: usize, guest: usize) {
        let Some(steward) = self.steward(told).filter(|node| self.on[*node]) else {
            return self.later(Deed::Invite(told, guest));
        };
        let (id, to) = (self.circles[told].id, self.net.id(guest));
        let chance = self.rng.random_range(0..100);
        let invited = self.net.act(steward, |node, now| {
            node.with(|replica, rows, rng| {
                let newest = replica.circle(&id)?.charter.state().epoch.number;
                let grant = match chance {
                    0..6 => Grant::Nothing,
                    6..12 => Grant::From(newest),
                    _ => Grant::Whole,
                };
                let (who, why) = (identity(), InvitationReason::CareTeam);
                let made = replica.invite(rows, &id, to, why, Some(&who), grant, now, rng);
                made.ok()
            })
        });
        match invited {
            Some(invitation) => {
                self.invitations.insert(invitation, told);
                self.count("invitations");
            }
            None => self.count("invitations refused"),
        }
    }

    fn accept(&mut self, node: usize, id: InvitationId) {
        let told = self.invitations[&id];
        let accepted = self.net.act(node, |node, now| {
            node.with(|replica, rows, _| replica.accept(rows, &id, None, now))
        });
        match accepted {
            Ok(()) => {
                self.circles[told].ever.push(node);
                self.count("acceptances");
            }
            Err(_) => self.count("acceptances refused"),
        }
    }

    /// About a hundred to six hundred letters.
    fn words(&mut self) -> String {
        let length = self.rng.random_range(10..60);
        let words = (0..length).map(|_| format!("{:010} ", self.rng.random::<u32>()));
        words.collect()
    }

    /// Somebody writes; `what` says which thing and versions it replaces, and what it says.
    fn write(
        &mut self,
        deed: Deed,
        told: usize,
        name: &'static str,
        what: impl FnOnce(&crate::net::Node) -> Option<(Option<(ThingId, Vec<RecordId>)>, Content)>,
    ) {
        let Some(writer) = self.somebody(told, true) else {
            return self.later(deed);
        };
        let id = self.circles[told].id;
        let Some((replaces, content)) = what(&self.net.nodes[writer]) else {
            return;
        };
        let written = self.net.act(writer, |node, now| match replaces {
            Some((thing, standing)) => node.supersede(&id, thing, standing, content, now),
            None => node.write(&id, content, now),
        });
        self.note_written(told, writer, name, written.ok());
    }

    fn note_written(
        &mut self,
        told: usize,
        writer: usize,
        name: &'static str,
        written: Option<RecordId>,
    ) {
        match written {
            Some(record) => {
                self.circles[told].written.push((writer, record));
                self.count(name);
            }
            None => self.count("writing refused"),
        }
    }

    fn answer(&mut self, node: usize, told: usize, alert: ThingId) {
        let id = self.circles[told].id;
        let answer = Content::AlertAnswer(AlertAnswer {
            step: AlertStep::Acknowledge,
            comment: String::new(),
        });
        let written = self
            .net
            .act(node, |node, now| node.answer(&id, alert, answer, now));
        if written.is_ok() {
            self.circles[told].answered.push((alert, node));
        }
        self.note_written(told, node, "answers", written.ok());
    }

    /// The steward changes the circle.
    fn rule(&mut self, deed: Deed, told: usize) {
        let Some(steward) = self.steward(told).filter(|node| self.on[*node]) else {
            return self.later(deed);
        };
        let id = self.circles[told].id;
        let own = self.net.id(steward);
        let held = &self.net.nodes[steward].circles[&id];
        let others: Vec<_> = held
            .charter
            .members()
            .map(|member| member.node)
            .filter(|node| *node != own)
            .collect();
        if others.is_empty() {
            return self.count("stewards alone");
        }
        let other = others[self.rng.random_range(0..others.len())];
        let (name, ruled) = self.net.act(steward, |node, now| match deed {
            Deed::Remove(_) => ("removals", node.try_remove(&id, other, now)),
            Deed::HandOver(_) => {
                let handed =
                    node.with(|replica, rows, rng| replica.hand_over(rows, &id, other, now, rng));
                ("hand-overs", handed)
            }
            _ => ("rotations", node.rotate(&id, now)),
        });
        self.count(if ruled.is_ok() {
            name
        } else {
            "changes refused"
        });
    }

    fn leave(&mut self, told: usize) {
        let Some(member) = self.somebody(told, false) else {
            return self.count("nobody to leave");
        };
        let id = self.circles[told].id;
        let left = self.net.act(member, |node, now| {
            node.with(|replica, rows, _| replica.depart(rows, &id, now))
        });
        self.count(if left.is_ok() {
            "departures"
        } else {
            "changes refused"
        });
    }

    /// What people are told, and what they will do about it.
    pub(super) fn hear(&mut self) {
        for node in 0..self.size.nodes {
            if !self.net.nodes[node].problems.is_empty() {
                for problem in std::mem::take(&mut self.net.nodes[node].problems) {
                    *self.complaints.entry(problem.to_string()).or_default() += 1;
                }
            }
            if self.net.nodes[node].notices.is_empty() {
                continue;
            }
            for notice in std::mem::take(&mut self.net.nodes[node].notices) {
                self.heed(node, notice);
            }
        }
    }

    fn heed(&mut self, node: usize, notice: Notice) {
        match notice {
            Notice::Charter { circle, .. } => self.meet(node, &circle),
            Notice::Invited(id) if !self.over => {
                let at = self.at_work(10 * MINUTE, DAY);
                self.plan_at(at, Deed::Accept(node, id));
            }
            Notice::Recorded {
                circle,
                thing,
                kind,
                node: writer,
                ..
            } if kind == Kind::Alert as u64 && writer != self.net.id(node) && !self.over => {
                self.alerted(node, &circle, thing);
            }
            Notice::Aside { what, .. } => {
                *self.complaints.entry(format!("aside: {what}")).or_default() += 1;
            }
            Notice::NewIncarnation => self.count("new incarnations"),
            _ => {}
        }
    }

    /// Three of four look at once, the others leave it to them.
    fn alerted(&mut self, node: usize, circle: &CircleId, alert: ThingId) {
        if self.rng.random_range(0..4) > 0 {
            let at = self.net.now + self.rng.random_range(MINUTE..3 * HOUR);
            let told = self.by_id[circle];
            self.plan_at(at, Deed::Answer(node, told, alert));
        }
    }
}
