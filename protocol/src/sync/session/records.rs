//! Ranges of records: asked for, answered, and taken.

use std::{
    collections::{BTreeMap, BTreeSet, btree_map::Entry},
    sync::Arc,
};

use super::{Asked, Pending, Session, states::own_word};
use crate::{
    cbor::Bytes,
    charter::Start,
    circle::{Circle, Exception, Reason},
    ids::{CircleId, EntryHash, LogId, NodeId, RecordId},
    record::{Header, Record, log::LogTip},
    sign::Unverified,
    sync::{Batch, CircleState, Message, Outcome, Problem, SentRecord, View},
};

/// Records of one log after a sequence, up to another one.
pub(super) type Range = (CircleId, LogId, u64, u64);

/// Ranges of one peer that wait to be answered. An honest one asks for [`Limits::wants`](crate::sync::Limits::wants) at a time, and for
/// the proofs of forks.
pub(super) const WAITING_ANSWERS: usize = 1024;

impl Session {
    /// Asks for a log up to a place, when it is its turn. A peer may name logs without end, and nothing shows which of them there are: what is
    /// wanted beyond the limit is left to a later round.
    pub(super) fn want(&mut self, circle: CircleId, log: LogId, up_to: u64) {
        let full = self.targets.len() >= self.limits.wanted;
        match self.targets.entry((circle, log)) {
            Entry::Occupied(mut target) => {
                let target = target.get_mut();
                *target = (*target).max(up_to);
            }
            Entry::Vacant(_) if full => self.round.incomplete = true,
            Entry::Vacant(target) => {
                target.insert(up_to);
                self.waiting.push_back((circle, log));
            }
        }
    }

    pub(super) fn ask(&mut self, view: &impl View) {
        while self.asked.len() < self.limits.wants {
            let Some(key) = self.waiting.pop_front() else {
                return;
            };
            let (id, log) = key;
            let Some(up_to) = self.targets.get(&key).copied() else {
                continue;
            };
            let ways = (&self.peer, &view.own());
            let Some(circle) = self.passing(&id, &log, ways, view) else {
                self.targets.remove(&key);
                continue;
            };
            let after = circle.logs.get(&log).map_or(0, |tip| tip.height);
            if after >= up_to {
                self.targets.remove(&key);
                continue;
            }
            let turn = self.next_ask;
            self.next_ask += 1;
            self.asked.insert(
                key,
                Asked {
                    after,
                    turn,
                    answered: false,
                },
            );
            self.send(Message::Want {
                circle: id,
                log,
                after,
                up_to,
            });
        }
    }

    /// The peer wants a range. It is answered when there is room: what waits is a few bytes, an answer is many.
    pub(super) fn wanted(&mut self, range: Range) {
        if self.to_answer.len() >= WAITING_ANSWERS {
            return self.report(Problem::TooMany("wants", WAITING_ANSWERS));
        }
        self.to_answer.push_back(range);
    }

    /// Answers until about [`Limits::answer_bytes`](crate::sync::Limits::answer_bytes) bytes wait to leave. So a peer that asks and does not
    /// read costs no memory, and two nodes that have much for each other never wait for each other.
    pub(super) fn answer_some(&mut self, view: &impl View) {
        while self.unflushed < self.limits.answer_bytes
            && let Some(range) = self.to_answer.pop_front()
        {
            self.answer(range, view);
        }
        while self.unflushed < self.limits.answer_bytes
            && let Some(range) = self.chunks_to_answer.pop_front()
        {
            self.answer_chunks(&range, view);
        }
    }

    fn answer(&mut self, (id, log, after, up_to): Range, view: &impl View) {
        let records = self.answerable(&id, &log, after, up_to, view);
        self.unflushed += records.iter().map(SentRecord::about_bytes).sum::<usize>();
        let (entry, entry_hash) = view
            .circle(&id)
            .filter(|circle| circle.charter.is_member(&self.peer))
            .map_or((0, EntryHash([0; 32])), |circle| {
                (circle.charter.number(), circle.charter.head())
            });
        self.send(Message::Records {
            circle: id,
            entry,
            entry_hash,
            records,
            wanted: true,
        });
    }

    /// Whether the peer asks for what it may not have any more because it has not said yet that it knows of its removal: nobody's fault.
    fn asks_unknowing(&self, id: &CircleId, view: &impl View) -> bool {
        let removal = view
            .circle(id)
            .and_then(|circle| circle.charter.removed_by(&self.peer));
        removal.is_some_and(|removal| {
            let said = self.stated.get(id);
            said.is_none_or(|(entry, _)| *entry < removal)
        })
    }

    pub(super) fn answerable(
        &mut self,
        id: &CircleId,
        log: &LogId,
        after: u64,
        up_to: u64,
        view: &impl View,
    ) -> Vec<SentRecord> {
        let ways = (&view.own(), &self.peer);
        let Some(circle) = self.passing(id, log, ways, view) else {
            if !self.asks_unknowing(id, view) {
                self.not_shared(id, "want", view);
            }
            return Vec::new();
        };
        if self.behind.contains(id) {
            return Vec::new();
        }
        let Some(tip) = circle.logs.get(log) else {
            return Vec::new();
        };
        let Some(first) = tip.first_for(&self.peer, log, &circle.charter) else {
            return Vec::new();
        };
        let from = first.max(after.saturating_add(1));
        // Where this node's own part of the log begins later than the peer's, another member has what lies between.
        if from < tip.first {
            return Vec::new();
        }
        let last = up_to.min(circle.given_up_to(&view.own(), &self.peer, log));
        if from > last {
            return Vec::new();
        }
        view.records(id, log, from, last, self.limits.answer_bytes)
            .into_iter()
            .map_while(|record| sent(&record, &circle, &self.peer))
            .collect()
    }

    pub(super) fn records(
        &mut self,
        id: CircleId,
        head: (u64, EntryHash),
        records: Vec<SentRecord>,
        wanted: bool,
        view: &impl View,
    ) {
        let mut parsed = Vec::with_capacity(records.len());
        let mut logs = BTreeSet::new();
        for record in records {
            match Unverified::<Header>::parse(record.header.0) {
                Ok(header) if header.object.circle == id => {
                    logs.insert(header.object.log);
                    let body = (!record.body.0.is_empty()).then_some(record.body.0);
                    parsed.push((header, body));
                }
                Ok(_) => self.report(Problem::NotShared("records")),
                Err(error) => self.report(error.into()),
            }
        }
        if wanted && logs.is_empty() {
            // The peer has nothing (more) for what was asked: the oldest range of this circle is answered.
            self.nothing_came(&id, head.1, view);
            return;
        }
        if wanted {
            for log in &logs {
                if let Some(asked) = self.asked.get_mut(&(id, *log)) {
                    asked.answered = true;
                }
            }
        }
        let own = view.own();
        let pass = |circle: &Arc<Circle>| {
            let passes = |log| circle.charter.passes(log, &self.peer, &own);
            logs.iter().all(passes)
        };
        let Some(circle) = view.circle(&id).filter(pass) else {
            self.give_up(&id);
            // Said before it knew of its removal, and on its way since: of no use, and nobody's fault.
            let circle = view.circle(&id);
            let removal = circle.and_then(|circle| circle.charter.removed_by(&self.peer));
            if removal.is_some_and(|removal| head.0 < removal) {
                return;
            }
            return self.not_shared(&id, "records", view);
        };
        let last = self.last_told(&circle.charter);
        let hash = last.and_then(|last| circle.charter.hash_of(last));
        let same = Some(head.0) == last && Some(head.1) == hash;
        if !same && !circle.charter.is_rival(head.0, head.1) {
            self.behind.insert(id);
            self.give_up(&id);
            self.told.remove(&id);
            return self.tell(&id, view);
        }
        if wanted {
            self.compare_branches(&circle, &mut parsed, view);
        } else {
            self.ask_for_beginnings(&circle, &own, &mut parsed, &mut logs);
        }
        self.pass_over_branches(&circle, &mut parsed, view);
        // What is held already costs no signature check.
        parsed.retain(|(header, body)| {
            let Header { log, sequence, .. } = &header.object;
            let held = circle
                .logs
                .get(log)
                .is_some_and(|tip| *sequence <= tip.height && *sequence >= tip.first);
            let missing = || circle.excepted(log, *sequence) == Some(Reason::Missing);
            let fills = body.is_some() && held && missing();
            !held || fills || view.record_id(&id, log, *sequence) != Some(RecordId(header.id))
        });
        if parsed.is_empty() {
            for log in logs {
                self.progress(id, log, view);
            }
            return;
        }
        self.commit(
            Batch::Records {
                circle: id,
                records: parsed,
            },
            Pending::Records {
                circle: id,
                logs,
                wanted,
            },
        );
    }

    /// Gives the peer the bodies that it may have and says are missing there: somebody who had erased them gave it the headers.
    pub(super) fn send_bodies(&mut self, theirs: &CircleState, circle: &Circle, view: &impl View) {
        let (id, peer) = (circle.id(), self.peer);
        let said = own_word(theirs, &peer);
        let missing = |exception: &&Exception| exception.reason == Reason::Missing;
        let exceptions = said.map(|ack| ack.exceptions).unwrap_or_default();
        for range in exceptions.iter().filter(missing) {
            if self.unflushed >= self.limits.answer_bytes {
                return;
            }
            let held = self.answerable(
                &id,
                &range.log,
                range.from.saturating_sub(1),
                range.to,
                view,
            );
            let records: Vec<_> = held
                .into_iter()
                .filter(|record| !record.body.0.is_empty())
                .collect();
            if records.is_empty() {
                continue;
            }
            self.unflushed += records.iter().map(SentRecord::about_bytes).sum::<usize>();
            self.send(Message::Records {
                circle: id,
                entry: circle.charter.number(),
                entry_hash: circle.charter.head(),
                records,
                wanted: false,
            });
        }
    }

    /// Asks who is in the circle no more for the bodies of what it wrote itself: members may have only the headers.
    pub(super) fn ask_for_bodies(&mut self, circle: &Circle, own: &NodeId) {
        let ours = circle
            .missing(own)
            .filter(|range| range.log.node == self.peer);
        let ranges: Vec<Exception> = ours.copied().collect();
        for range in ranges {
            self.send(Message::Want {
                circle: circle.id(),
                log: range.log,
                after: range.from.saturating_sub(1),
                up_to: range.to,
            });
        }
    }

    /// Where a log begins for this node only the answer to a question says: a first record that is pushed may be a later one.
    fn ask_for_beginnings(
        &mut self,
        circle: &Circle,
        own: &NodeId,
        parsed: &mut Vec<(Unverified<Header>, Option<Vec<u8>>)>,
        logs: &mut BTreeSet<LogId>,
    ) {
        let mut first: BTreeMap<LogId, (u64, u64)> = BTreeMap::new();
        for (header, _) in &*parsed {
            let Header { log, sequence, .. } = header.object;
            let (least, last) = first.entry(log).or_insert((sequence, sequence));
            *least = sequence.min(*least);
            *last = sequence.max(*last);
        }
        first.retain(|log, (least, _)| {
            let tip = circle.logs.get(log);
            let next = tip.map_or(1, |tip| tip.height + 1);
            let unknown = match circle.charter.start_for(own, log) {
                Some(Start::Entry(entry)) => LogTip::begins_with(tip, entry),
                Some(Start::Sequence(_)) | None => false,
            };
            unknown && *least > next
        });
        parsed.retain(|(header, _)| !first.contains_key(&header.object.log));
        logs.retain(|log| !first.contains_key(log));
        for (log, (_, last)) in first {
            self.want(circle.id(), log, last);
        }
    }

    /// The peer, whose charter has this head, has nothing of what was asked for: the oldest question about a circle is answered.
    fn nothing_came(&mut self, id: &CircleId, head: EntryHash, view: &impl View) {
        let open = self.asked.iter();
        let oldest = open
            .filter(|((circle, _), asked)| circle == id && !asked.answered)
            .map(|(key, asked)| (asked.turn, *key))
            .min();
        let branch = self.oldest_branch(id);
        if let Some((_, key)) = branch.filter(|branch| oldest.is_none_or(|asked| *branch < asked)) {
            let same = view
                .circle(id)
                .is_some_and(|held| held.charter.head() == head);
            return self.nothing_of_branch(&key, same);
        }
        self.round.incomplete = true;
        if let Some((_, key)) = oldest {
            self.asked.remove(&key);
            self.targets.remove(&key);
        }
    }

    pub(super) fn give_up(&mut self, id: &CircleId) {
        self.round.incomplete |= self.targets.keys().any(|(circle, _)| circle == id);
        self.asked.retain(|(circle, _), _| circle != id);
        self.targets.retain(|(circle, _), _| circle != id);
        self.round.incomplete |= self.oldest_branch(id).is_some();
        self.branches.retain(|(circle, _), _| circle != id);
    }

    /// After records of a log were handled: asks for the rest, or lets go.
    pub(super) fn progress(&mut self, id: CircleId, log: LogId, view: &impl View) {
        let key = (id, log);
        let before = self.asked.remove(&key).map(|asked| asked.after);
        let Some(target) = self.targets.get(&key).copied() else {
            return;
        };
        let height = view
            .circle(&id)
            .and_then(|circle| circle.logs.get(&log).map(|tip| tip.height))
            .unwrap_or(0);
        if height >= target {
            self.targets.remove(&key);
        } else if before.is_some_and(|before| height <= before) {
            self.round.incomplete = true;
            self.targets.remove(&key);
        } else if !self.waiting.contains(&key) {
            self.waiting.push_back(key);
        }
    }

    pub(super) fn done(&mut self, number: u64, outcome: &Outcome, view: &impl View, now_ms: u64) {
        let (circle, logs, wanted) = match self.commits.remove(&number) {
            Some(Pending::Records {
                circle,
                logs,
                wanted,
            }) => (circle, logs, wanted),
            Some(Pending::Chunks(address)) => {
                return self.chunks_done(address, outcome, view, now_ms);
            }
            Some(Pending::Other) | None => return,
        };
        for log in &logs {
            if wanted && outcome.late.contains_key(log) {
                self.is_not_taken((circle, *log));
            }
            let parted = outcome.parted.contains_key(log) || outcome.branched.contains_key(log);
            if wanted && !parted {
                self.progress(circle, *log, view);
            }
        }
        let answered = if wanted { logs } else { BTreeSet::new() };
        self.branches_done(&circle, &answered, outcome, view);
        self.round.incomplete |= outcome.refused;
        for (log, (expected, last)) in &outcome.gaps {
            // An answer with a gap would only be given again.
            if wanted || outcome.refused {
                self.round.incomplete = true;
            } else if *last >= *expected {
                self.want(circle, *log, *last);
            }
        }
        if outcome.unknown_entry {
            self.told.remove(&circle);
            self.tell(&circle, view);
        }
    }
}

/// A record as `peer` may have it: without its body where its epoch is not granted, or where the body was erased, here or at whom it came from. None
/// where the peer may have the body and this node may not: another member has it.
pub(super) fn sent(record: &Record, circle: &Circle, peer: &NodeId) -> Option<SentRecord> {
    let header = &record.header.object;
    let granted = circle
        .charter
        .may_read(peer, (header.entry, header.entry_hash));
    let gone = || circle.excepted(&header.log, header.sequence);
    if granted && record.body.is_none() && !matches!(gone(), Some(Reason::Erased | Reason::Missing))
    {
        return None;
    }
    Some(SentRecord {
        header: Bytes(record.header.bytes.clone()),
        body: Bytes(record.body.clone().filter(|_| granted).unwrap_or_default()),
    })
}
