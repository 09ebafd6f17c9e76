//! Logs that have forked: where two branches part, what the peer's branch holds, and what is known of others.
//!
//! A state names a log's head. Where this node has another record at that place, or what comes does not follow what is here, the peer stands on
//! another branch. Where the two part is found by halving, one record at a time; from there on the peer's branch is asked for in order, and kept
//! aside. Before a round is finished, the peer is given what was kept aside since the last common mark, so branches reach members that never meet
//! whoever stands on them.

use std::collections::{BTreeMap, BTreeSet};

use super::{Session, records::sent};
use crate::{
    charter::Start,
    circle::Circle,
    ids::{CircleId, LogId, RecordId},
    record::{Header, log::LogTip},
    sign::Unverified,
    sync::{CircleState, Message, Outcome, SentRecord, View},
};

/// The peer's branch of a log, while it is looked for and fetched.
#[derive(Debug, Clone, Copy)]
pub(super) struct Branch {
    /// The last place that is known to hold the same record on both branches.
    same: u64,
    /// The first one that is known to hold another.
    other: u64,
    /// Up to where the peer's branch is wanted.
    up_to: u64,
    /// The last place of it that has come, once it is known where it begins.
    come: Option<u64>,
    /// The turn of the last question.
    pub(super) turn: u64,
}

impl Branch {
    /// The place that is compared next.
    const fn middle(&self) -> u64 {
        self.same + (self.other - self.same) / 2
    }
}

impl Session {
    /// Compares the heads of logs that are not longer at the peer than here, and looks for the branches of those that are others.
    pub(super) fn compare_heads(
        &mut self,
        theirs: &CircleState,
        circle: &Circle,
        view: &impl View,
    ) {
        let id = theirs.circle;
        for height in &theirs.heights {
            let Some(tip) = circle.logs.get(&height.log) else {
                continue;
            };
            let comparable = (tip.first..=tip.height).contains(&height.height);
            let differs = || view.record_id(&id, &height.log, height.height) != Some(height.head);
            if comparable && differs() && !view.is_branch(&id, &height.head) {
                self.look_for_branch(circle, height.log, height.height, height.height);
            }
        }
    }

    /// Whether the peer's part of a log beyond ours is known to stand on another branch: then it is not the next part of ours.
    pub(super) fn is_known_branch(
        &self,
        id: &CircleId,
        log: &LogId,
        (height, head): (u64, &RecordId),
        view: &impl View,
    ) -> bool {
        let given_up = self.given_up.get(&(*id, *log));
        given_up.is_some_and(|known| *known >= height) || view.is_branch(id, head)
    }

    /// Begins to look for the place where the peer's branch parts from ours; `other` is a place at which it has another record.
    pub(super) fn look_for_branch(&mut self, circle: &Circle, log: LogId, other: u64, up_to: u64) {
        let key = (circle.id(), log);
        let given_up = self.given_up.get(&key).is_some_and(|known| *known >= up_to);
        let Some(tip) = circle.logs.get(&log) else {
            return;
        };
        if given_up || other <= tip.first.saturating_sub(1) {
            return;
        }
        self.targets.remove(&key);
        if let Some(branch) = self.branches.get_mut(&key) {
            branch.up_to = branch.up_to.max(up_to);
            return;
        }
        let branch = Branch {
            same: tip.first.saturating_sub(1),
            other: other.min(tip.height + 1),
            up_to,
            come: None,
            turn: 0,
        };
        self.branches.insert(key, branch);
        self.ask_for_branch(&key);
    }

    fn ask_for_branch(&mut self, key: &(CircleId, LogId)) {
        let Some(branch) = self.branches.get_mut(key) else {
            return;
        };
        branch.turn = self.next_ask;
        self.next_ask += 1;
        if branch.come.is_none() && branch.other <= branch.same + 1 {
            branch.come = Some(branch.same);
        }
        let (after, up_to) = match branch.come {
            Some(come) => (come, branch.up_to),
            None => {
                let middle = branch.middle();
                (middle - 1, middle)
            }
        };
        let (circle, log) = *key;
        self.send(Message::Want {
            circle,
            log,
            after,
            up_to,
        });
    }

    /// Takes the answers to what was asked about branches out of what came; the rest is records as others.
    pub(super) fn compare_branches(
        &mut self,
        circle: &Circle,
        parsed: &mut Vec<(Unverified<Header>, Option<Vec<u8>>)>,
        view: &impl View,
    ) {
        let id = circle.id();
        let mut answers: BTreeMap<LogId, (u64, bool)> = BTreeMap::new();
        parsed.retain(|(header, _)| {
            let Header { log, sequence, .. } = header.object;
            let Some(branch) = self.branches.get(&(id, log)) else {
                return true;
            };
            if branch.come.is_some() || sequence != branch.middle() {
                return true;
            }
            let same = view.record_id(&id, &log, sequence) == Some(RecordId(header.id));
            answers.insert(log, (sequence, same));
            false
        });
        for (log, (sequence, same)) in answers {
            if let Some(branch) = self.branches.get_mut(&(id, log)) {
                if same {
                    branch.same = sequence;
                } else {
                    branch.other = sequence;
                }
            }
            self.ask_for_branch(&(id, log));
        }
    }

    /// Passes over the records of branches that are known; where one of them came in answer to a question about the next part of ours, the peer stands
    /// on that branch.
    pub(super) fn pass_over_branches(
        &mut self,
        circle: &Circle,
        parsed: &mut Vec<(Unverified<Header>, Option<Vec<u8>>)>,
        view: &impl View,
    ) {
        let id = circle.id();
        if circle.branches.from.is_empty() {
            return;
        }
        let mut known: BTreeMap<LogId, (u64, u64)> = BTreeMap::new();
        parsed.retain(|(header, _)| {
            let Header { log, sequence, .. } = header.object;
            let is_known =
                circle.branches.parted(&log, sequence) && view.is_branch(&id, &RecordId(header.id));
            if is_known {
                let (first, last) = known.entry(log).or_insert((sequence, sequence));
                *first = sequence.min(*first);
                *last = sequence.max(*last);
            }
            !is_known
        });
        for (log, (first, last)) in known {
            let more = parsed.iter().any(|(header, _)| header.object.log == log);
            match self.branches.get_mut(&(id, log)) {
                Some(branch) if branch.come.is_some() => {
                    branch.come = branch.come.max(Some(last));
                    if !more {
                        self.go_on_with_branch(&(id, log));
                    }
                }
                Some(_) => {}
                None => {
                    if let Some(up_to) = self.targets.get(&(id, log)).copied() {
                        self.look_for_branch(circle, log, first, up_to);
                    }
                }
            }
        }
    }

    /// A part of the peer's branch is here: asks for the next one.
    fn go_on_with_branch(&mut self, key: &(CircleId, LogId)) {
        let Some(branch) = self.branches.get(key).copied() else {
            return;
        };
        if branch.come.is_some_and(|come| come < branch.up_to) {
            return self.ask_for_branch(key);
        }
        self.branches.remove(key);
    }

    /// What came of a batch, for the branches that it concerns.
    pub(super) fn branches_done(
        &mut self,
        id: &CircleId,
        answered: &BTreeSet<LogId>,
        outcome: &Outcome,
        view: &impl View,
    ) {
        for log in answered {
            let key = (*id, *log);
            let branch = self.branches.get(&key);
            let fetched = branch.is_some_and(|branch| branch.come.is_some());
            if fetched && !outcome.refused && !outcome.branched.contains_key(log) {
                self.give_up_branch(&key);
            }
        }
        let Some(circle) = view.circle(id) else {
            return;
        };
        for (log, last) in &outcome.branched {
            let key = (*id, *log);
            let whole = !outcome.parted.contains_key(log);
            if let Some(up_to) = self.targets.get(&key).copied()
                && whole
            {
                // What was asked for as the next part of ours parts from it right there.
                self.branches.entry(key).or_insert(Branch {
                    same: last - 1,
                    other: *last,
                    up_to,
                    come: Some(*last),
                    turn: 0,
                });
            }
            if let Some(branch) = self.branches.get_mut(&key)
                && branch.come.is_some()
            {
                branch.come = branch.come.max(Some(*last));
                self.go_on_with_branch(&key);
            }
        }
        for (log, before) in &outcome.parted {
            let up_to = self.targets.get(&(*id, *log)).copied();
            let fetched = self.branches.get(&(*id, *log));
            if fetched.is_some_and(|branch| branch.come.is_some()) {
                // What the peer gave does not hang together.
                self.give_up_branch(&(*id, *log));
            } else {
                self.look_for_branch(&circle, *log, *before, up_to.unwrap_or(*before));
            }
        }
        for log in outcome.branched.keys().chain(outcome.parted.keys()) {
            self.asked.remove(&(*id, *log));
            self.targets.remove(&(*id, *log));
        }
    }

    /// The turn of the oldest question about a branch of a circle, and which that is.
    pub(super) fn oldest_branch(&self, id: &CircleId) -> Option<(u64, (CircleId, LogId))> {
        let of_it = self.branches.iter().filter(|((circle, _), _)| circle == id);
        of_it.map(|(key, branch)| (branch.turn, *key)).min()
    }

    /// The peer has nothing at the place that was asked for. Where its charter is the same as ours, its part of the log begins later, and so does its
    /// branch as far as it can be had from there; otherwise it is looked for again when the charters are the same.
    pub(super) fn nothing_of_branch(&mut self, key: &(CircleId, LogId), same_charter: bool) {
        match self.branches.get_mut(key) {
            Some(branch) if same_charter && branch.come.is_none() => {
                branch.same = branch.middle();
                self.ask_for_branch(key);
            }
            Some(_) if same_charter => self.give_up_branch(key),
            Some(_) => {
                self.round.incomplete = true;
                self.branches.remove(key);
            }
            None => {}
        }
    }

    /// Nothing more comes of the peer's branch, or more of it is not kept: it is not asked for again on this connection until it is longer.
    pub(super) fn give_up_branch(&mut self, key: &(CircleId, LogId)) {
        if let Some(branch) = self.branches.remove(key) {
            self.given_up.insert(*key, branch.up_to);
        }
    }

    /// Gives the peer the records of other branches that were kept aside since the last common mark.
    pub(super) fn give_branches(&mut self, view: &impl View) {
        for id in view.changed_since(&self.peer, self.mark) {
            let Some(circle) = self.shared(&id, view) else {
                continue;
            };
            let given = self.given.get(&id).copied().unwrap_or(0).max(self.mark);
            if circle.branches.changed <= given || self.behind.contains(&id) {
                continue;
            }
            self.given.insert(id, circle.branches.changed);
            let records: Vec<SentRecord> = view
                .branches(&id)
                .iter()
                .filter(|record| self.may_have_branch(&record.header.object, &circle))
                // Beyond a cut nobody can say which branch is the right one: the steward's node would let this one count.
                .filter(|record| !LogTip::is_after_cut(&circle.charter, &record.header))
                .filter_map(|record| sent(record, &circle, &self.peer))
                .collect();
            let mut batch = Vec::new();
            let mut bytes = 0;
            for record in records {
                bytes += record.about_bytes();
                batch.push(record);
                if bytes >= self.limits.answer_bytes {
                    self.give_some(&circle, std::mem::take(&mut batch));
                    bytes = 0;
                }
            }
            self.give_some(&circle, batch);
        }
    }

    fn give_some(&mut self, circle: &Circle, records: Vec<SentRecord>) {
        if !records.is_empty() {
            self.send(Message::Records {
                circle: circle.id(),
                entry: circle.charter.number(),
                entry_hash: circle.charter.head(),
                records,
                wanted: false,
            });
        }
    }

    /// Whether a record of another branch belongs to the part of its log that the peer may have.
    fn may_have_branch(&self, header: &Header, circle: &Circle) -> bool {
        match circle.charter.start_for(&self.peer, &header.log) {
            Some(Start::Sequence(first)) => first <= header.sequence,
            Some(Start::Entry(entry)) => entry <= header.entry,
            None => false,
        }
    }
}
