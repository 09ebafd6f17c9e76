//! Where an alert stands: one rule, for every node and every face.
//!
//! # The rule
//!
//! People do three things about an alert, each of more weight than the one before: they acknowledge it (seen), take charge of it (they see to
//! it), and close it with an outcome. Each is an answer, a thing of its own whose parent is the alert.
//!
//! - **What arrives always counts.** Two structures act at the same time without knowing of each other, and both did what they did. Where the
//!   alert stands is the weightiest step of the answers that stand, and a structure stands where its own weightiest one does. It is a function
//!   of the answers alone: neither the order of arrival nor a clock decides it. Where several took the same step, the earliest is named (by
//!   the writers' clocks, then by record).
//! - **No step needs the one before it.** Who takes charge has seen it, and what is settled at once is closed at once.
//! - **Closed is the end.** What others did before they heard of it stands beside it and opens nothing again. Something new is a new alert.
//! - **Open** is an alert that nobody has closed, and that nobody of a structure that must answer has acknowledged or taken charge of. Those
//!   that it names must answer; where it names none, or where all whom it names have left the circle, every structure but the one that sent
//!   it. A colleague of the sender who has seen it answers for nobody else.
//! - **Overdue** is one that is open at its deadline or after it.
//! - **Only a command at this node is refused**, by what is known here: any answer to a closed alert, and a step that the same person has taken
//!   at this node already, or that weighs less than what they took ([`AlertEntry::said_already`]). Others may still take the same step.

use std::collections::{BTreeMap, BTreeSet};

use minicbor::{Decode, Encode};

use super::{Thing, Version};
use crate::{
    content::{Alert, AlertStep, Kind, Severity},
    ids::{NodeId, RecordId, ThingId},
    limits,
    time::Timestamp,
};

/// An answer that stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Encode, Decode)]
#[cbor(array)]
pub struct Answer {
    /// Its record.
    #[n(0)]
    pub record: RecordId,
    /// The node that wrote it.
    #[n(1)]
    pub node: NodeId,
    /// What was done.
    #[n(2)]
    pub step: AlertStep,
    /// The writer's clock.
    #[n(3)]
    pub time: Timestamp,
}

impl Answer {
    /// What stands of a thing, if it is an answer.
    pub fn of(thing: &Thing) -> Option<Self> {
        let version = thing
            .newest()
            .filter(|version| version.kind == Kind::AlertAnswer as u64)?;
        let step = match version.code {
            0 => AlertStep::Acknowledge,
            1 => AlertStep::TakeCharge,
            2 => AlertStep::Close,
            _ => return None,
        };
        Some(Self {
            record: version.record,
            node: version.node,
            step,
            time: version.time,
        })
    }
}

/// What an alert asks, as it stands.
#[derive(Debug, Clone, PartialEq, Eq, Encode, Decode)]
#[cbor(array)]
pub struct Asked {
    /// Its record.
    #[n(0)]
    pub record: RecordId,
    /// The node that sent it.
    #[n(1)]
    pub node: NodeId,
    /// The writer's clock.
    #[n(2)]
    pub time: Timestamp,
    /// How much it matters.
    #[n(3)]
    pub severity: Severity,
    /// The deadline, Unix milliseconds; 0: none.
    #[n(4)]
    pub answer_by_ms: u64,
    /// The structures that it names, as many as a circle may have.
    #[n(5)]
    pub addressees: BTreeSet<NodeId>,
}

impl Asked {
    /// What a version of an alert asks.
    pub fn of(version: &Version, alert: &Alert) -> Self {
        let named: BTreeSet<NodeId> = alert.addressees.iter().copied().collect();
        Self {
            record: version.record,
            node: version.node,
            time: version.time,
            severity: alert.severity,
            answer_by_ms: alert.answer_by_ms,
            addressees: named.into_iter().take(limits::MEMBERS).collect(),
        }
    }

    /// Whether all whom it names have left the circle; not where it names nobody.
    pub fn is_orphaned(&self, is_member: impl Fn(&NodeId) -> bool) -> bool {
        !self.addressees.is_empty() && !self.addressees.iter().any(is_member)
    }

    /// Whether a structure must answer; `is_member` tells who is in the circle now.
    pub fn must_answer(&self, node: &NodeId, is_member: impl Fn(&NodeId) -> bool) -> bool {
        if self.addressees.is_empty() || self.is_orphaned(is_member) {
            *node != self.node
        } else {
            self.addressees.contains(node)
        }
    }
}

/// An alert with its answers, without their text: what is kept so that alerts are found without opening records. Each part is a function of
/// one thing, so the order in which things came plays no part.
#[derive(Debug, Clone, PartialEq, Eq, Encode, Decode)]
#[cbor(array)]
pub struct AlertEntry {
    /// The alert.
    #[n(0)]
    pub thing: ThingId,
    /// What it asks; none while only answers are here, or where nothing of it stands.
    #[n(1)]
    pub asked: Option<Asked>,
    /// The answers that stand.
    #[n(2)]
    pub answers: BTreeMap<ThingId, Answer>,
}

impl AlertEntry {
    /// Without anything yet.
    pub const fn new(thing: ThingId) -> Self {
        Self {
            thing,
            asked: None,
            answers: BTreeMap::new(),
        }
    }

    /// The weightiest answer of those that `which` lets through; the earliest of several.
    fn weightiest(&self, which: impl Fn(&Answer) -> bool) -> Option<&Answer> {
        self.answers
            .values()
            .filter(|answer| which(answer))
            .min_by_key(|answer| (std::cmp::Reverse(answer.step), answer.time, answer.record))
    }

    /// The weightiest step that anybody took.
    pub fn step(&self) -> Option<AlertStep> {
        self.weightiest(|_| true).map(|answer| answer.step)
    }

    /// Where each structure that has answered stands.
    pub fn structures(&self) -> BTreeMap<NodeId, Answer> {
        let nodes: BTreeSet<NodeId> = self.answers.values().map(|answer| answer.node).collect();
        nodes
            .into_iter()
            .filter_map(|node| Some((node, *self.weightiest(|answer| answer.node == node)?)))
            .collect()
    }

    /// Every answer, in the order of the writers' clocks.
    pub fn in_order(&self) -> Vec<Answer> {
        let mut all: Vec<Answer> = self.answers.values().copied().collect();
        all.sort_by_key(|answer| (answer.time, answer.record));
        all
    }

    /// Whether it waits for somebody: see the rule. `is_member` tells who is in the circle now.
    pub fn is_open(&self, is_member: impl Fn(&NodeId) -> bool) -> bool {
        self.asked.as_ref().is_some_and(|asked| {
            !self.answers.values().any(|answer| {
                answer.step == AlertStep::Close || asked.must_answer(&answer.node, &is_member)
            })
        })
    }

    /// Whether it is open at its deadline or after it.
    pub fn is_overdue(&self, now_ms: u64, is_member: impl Fn(&NodeId) -> bool) -> bool {
        self.is_open(is_member)
            && (self.asked.as_ref())
                .is_some_and(|asked| asked.answer_by_ms != 0 && asked.answer_by_ms <= now_ms)
    }

    /// The answer after which one more of `step` at the node `own` would say nothing, if there is one: the one that closed the alert, or one of
    /// the same person. `is_theirs` tells whether they wrote a record of that node.
    ///
    /// # Errors
    /// Those of `is_theirs`.
    pub fn said_already<E>(
        &self,
        own: &NodeId,
        step: AlertStep,
        mut is_theirs: impl FnMut(&RecordId) -> Result<bool, E>,
    ) -> Result<Option<Answer>, E> {
        if let Some(closed) = self.weightiest(|answer| answer.step == AlertStep::Close) {
            return Ok(Some(*closed));
        }
        for answer in self.in_order() {
            if answer.node == *own && answer.step >= step && is_theirs(&answer.record)? {
                return Ok(Some(answer));
            }
        }
        Ok(None)
    }
}

#[cfg(test)]
mod tests {
    use std::convert::Infallible;

    use super::*;

    const SENDER: NodeId = NodeId([1; 32]);
    const CPTS: NodeId = NodeId([2; 32]);
    const HOSPITAL: NodeId = NodeId([3; 32]);

    /// Nobody has left.
    fn all(_: &NodeId) -> bool {
        true
    }

    fn answer(id: u8, node: NodeId, step: AlertStep, time: u64) -> Answer {
        Answer {
            record: RecordId([id; 32]),
            node,
            step,
            time: Timestamp::from_ms(time),
        }
    }

    fn entry(addressees: &[NodeId], answers: &[Answer]) -> AlertEntry {
        let mut entry = AlertEntry::new(ThingId([9; 16]));
        entry.asked = Some(Asked {
            record: RecordId([9; 32]),
            node: SENDER,
            time: Timestamp::from_ms(1),
            severity: Severity::High,
            answer_by_ms: 100,
            addressees: addressees.iter().copied().collect(),
        });
        for answer in answers {
            entry
                .answers
                .insert(ThingId([answer.record.0[0]; 16]), *answer);
        }
        entry
    }

    #[test]
    fn the_order_in_which_answers_arrive_changes_nothing() {
        let answers = [
            answer(1, CPTS, AlertStep::Close, 30),
            answer(2, HOSPITAL, AlertStep::Close, 20),
            answer(3, HOSPITAL, AlertStep::Acknowledge, 40),
        ];
        let mut other = answers;
        other.reverse();
        let [one, two] = [entry(&[], &answers), entry(&[], &other)];
        assert_eq!(crate::cbor::encode(&one), crate::cbor::encode(&two));
        // Acknowledged after it was closed elsewhere: it stays closed, by the one who was first.
        assert_eq!(one.step(), Some(AlertStep::Close));
        assert_eq!(one.structures()[&HOSPITAL].record, RecordId([2; 32]));
        assert!(!one.is_open(all));
        let Ok(said) = one.said_already(&SENDER, AlertStep::Acknowledge, |_| {
            Ok::<_, Infallible>(false)
        });
        assert_eq!(said.map(|said| said.record), Some(RecordId([2; 32])));
    }

    #[test]
    fn an_alert_is_open_until_somebody_who_must_answer_has_answered_or_anybody_closed_it() {
        let seen = |node| answer(1, node, AlertStep::Acknowledge, 20);
        assert!(entry(&[], &[]).is_open(all));
        assert!(entry(&[], &[seen(SENDER)]).is_open(all));
        assert!(!entry(&[], &[seen(CPTS)]).is_open(all));
        assert!(entry(&[HOSPITAL], &[seen(CPTS)]).is_open(all));
        assert!(!entry(&[HOSPITAL], &[seen(HOSPITAL)]).is_open(all));
        assert!(!entry(&[SENDER], &[seen(SENDER)]).is_open(all));
        let closed = answer(1, SENDER, AlertStep::Close, 20);
        assert!(!entry(&[HOSPITAL], &[closed]).is_open(all));
        // Answers without the alert ask nobody for anything.
        assert!(!AlertEntry::new(ThingId([9; 16])).is_open(all));
    }

    #[test]
    fn an_alert_to_a_structure_that_has_left_waits_for_everybody_else() {
        let seen = |node| answer(1, node, AlertStep::Acknowledge, 20);
        let without_hospital = |node: &NodeId| *node != HOSPITAL;
        assert!(entry(&[HOSPITAL], &[]).is_open(without_hospital));
        assert!(entry(&[HOSPITAL], &[seen(SENDER)]).is_open(without_hospital));
        assert!(!entry(&[HOSPITAL], &[seen(CPTS)]).is_open(without_hospital));
        // It answered before it left; and of two that are named, the other one stays.
        assert!(!entry(&[HOSPITAL], &[seen(HOSPITAL)]).is_open(without_hospital));
        assert!(!entry(&[HOSPITAL, CPTS], &[seen(CPTS)]).is_open(without_hospital));
        assert!(entry(&[HOSPITAL, SENDER], &[seen(CPTS)]).is_open(without_hospital));
    }

    #[test]
    fn only_what_is_open_is_overdue_and_only_from_its_deadline_on() {
        let waiting = entry(&[], &[]);
        assert!(!waiting.is_overdue(99, all) && waiting.is_overdue(100, all));
        let seen = answer(1, CPTS, AlertStep::Acknowledge, 500);
        assert!(!entry(&[], &[seen]).is_overdue(1_000, all));
        let mut endless = entry(&[], &[]);
        endless.asked.as_mut().expect("asked").answer_by_ms = 0;
        assert!(!endless.is_overdue(u64::MAX, all));
    }

    #[test]
    fn a_person_takes_each_step_once_and_goes_no_step_back_and_others_may_follow() {
        let taken = answer(1, CPTS, AlertStep::TakeCharge, 20);
        let entry = entry(&[], &[taken]);
        let said = |own: &NodeId, step, theirs: bool| {
            let Ok(said) = entry.said_already(own, step, |_| Ok::<_, Infallible>(theirs));
            said
        };
        for step in [AlertStep::Acknowledge, AlertStep::TakeCharge] {
            assert_eq!(said(&CPTS, step, true), Some(taken));
            // A colleague, and whoever works at another structure.
            assert_eq!(said(&CPTS, step, false), None);
            assert_eq!(said(&HOSPITAL, step, true), None);
        }
        assert_eq!(said(&CPTS, AlertStep::Close, true), None);
    }
}
