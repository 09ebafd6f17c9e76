//! Attachments: those that records here name and that are missing are asked for, behind records, a few chunks at a time.
//!
//! What is missing is read from committed rows, so a new connection goes on where another one was cut. A session walks through the missing
//! attachments of its circles once, and again later for those that the peer had not, that were being fetched from another peer, or that came
//! wrong. It takes only what it has asked for.

use std::{collections::BTreeMap, sync::Arc};

use super::{Pending, Session, records::WAITING_ANSWERS};
use crate::{
    cbor::Bytes,
    charter::Charter,
    circle::{Circle, Fetched, Wanted},
    content::AttachmentRef,
    ids::{CircleId, Hash, RecordId},
    sync::{Batch, Message, Outcome, Problem, View},
};

/// How often one peer may give something wrong, for one attachment, in one session.
const PATIENCE: u32 = 3;
/// Until another try where the peer had not what was asked again and again, milliseconds.
const NOT_THERE_MS: u64 = 60_000;
/// Until another try where somebody else is being asked, where something came wrong, or where the peer had not what was asked for the first
/// time (it may not know yet that it may give it), milliseconds.
const SOON_MS: u64 = 2_000;
/// Attachments whose answers are remembered; beyond, all are forgotten.
const COUNTED: usize = 4096;

/// Chunks of an attachment that the peer wants, from a number on.
#[derive(Debug)]
pub(super) struct ChunkRange {
    pub(super) circle: CircleId,
    pub(super) record: RecordId,
    pub(super) address: Hash,
    pub(super) from: u64,
    pub(super) count: u64,
}

/// An attachment that the peer was asked for.
#[derive(Debug)]
pub(super) struct Asked {
    circle: CircleId,
    wanted: Wanted,
    named: AttachmentRef,
    from: u64,
    /// The answer is here and being committed.
    answered: bool,
}

/// What the peer had not when it was asked.
#[derive(Debug)]
struct Absent {
    /// It is not asked again before.
    until_ms: u64,
    /// How long it was waited for the last time; twice as long the next time.
    wait_ms: u64,
}

/// Where a session stands with attachments.
#[derive(Debug, Default)]
pub(super) struct Files {
    /// Circles to look through, each with the last attachment that was looked at.
    look: BTreeMap<CircleId, Option<Wanted>>,
    /// Circles to look through again, and when.
    again: BTreeMap<CircleId, u64>,
    pub(super) asked: BTreeMap<Hash, Asked>,
    absent: BTreeMap<(CircleId, Hash), Absent>,
    wrong: BTreeMap<Hash, u32>,
}

impl Files {
    /// When the next circle is to be looked through again.
    pub(super) fn due(&self) -> Option<u64> {
        self.again.values().min().copied()
    }

    /// The clock was put back by so many milliseconds.
    pub(super) fn clock_went_back(&mut self, by_ms: u64) {
        let absent = self.absent.values_mut().map(|absent| &mut absent.until_ms);
        for time in self.again.values_mut().chain(absent) {
            *time = time.saturating_sub(by_ms);
        }
    }

    /// What was put off until now is looked through again.
    pub(super) fn wake(&mut self, now_ms: u64) {
        let due: Vec<_> = self
            .again
            .iter()
            .filter(|(_, due)| **due <= now_ms)
            .map(|(circle, _)| *circle)
            .collect();
        for circle in due {
            self.again.remove(&circle);
            self.look.insert(circle, None);
        }
        self.absent
            .retain(|_, absent| absent.until_ms + NOT_THERE_MS > now_ms);
    }

    fn put_off(&mut self, circle: CircleId, until_ms: u64) {
        let due = self.again.entry(circle).or_insert(until_ms);
        *due = until_ms.min(*due);
    }

    fn not_there(&mut self, circle: CircleId, address: Hash, now_ms: u64) {
        if self.absent.len() >= COUNTED {
            self.absent.clear();
        }
        let before = self.absent.get(&(circle, address));
        let wait_ms = before.map_or(SOON_MS, |absent| NOT_THERE_MS.min(2 * absent.wait_ms));
        let until_ms = now_ms + wait_ms;
        self.absent
            .insert((circle, address), Absent { until_ms, wait_ms });
        self.put_off(circle, until_ms);
    }

    fn is_absent(&self, circle: CircleId, address: Hash, now_ms: u64) -> bool {
        let absent = self.absent.get(&(circle, address));
        absent.is_some_and(|absent| absent.until_ms > now_ms)
    }

    fn count_wrong(&mut self, address: Hash) {
        if self.wrong.len() >= COUNTED {
            self.wrong.clear();
        }
        *self.wrong.entry(address).or_insert(0) += 1;
    }
}

impl Session {
    /// Everything that is missing and that this peer may have.
    pub(super) fn look_for_all_files(&mut self, view: &impl View) {
        for circle in view.lacking(&self.peer) {
            self.files.look.insert(circle, None);
        }
    }

    /// What is missing of one circle.
    pub(super) fn look_for_files(&mut self, circle: &Circle) {
        if !circle.lacking.is_empty() {
            self.files.look.insert(circle.id(), None);
        }
    }

    /// The peer holds more of a circle than it did: what it had not, it may have now.
    pub(super) fn peer_has_more(&mut self, circle: &Circle, now_ms: u64) {
        if circle.lacking.is_empty() {
            return;
        }
        let soon = now_ms + SOON_MS;
        for ((id, _), absent) in &mut self.files.absent {
            if *id == circle.id() {
                absent.until_ms = soon.min(absent.until_ms);
            }
        }
        self.files.put_off(circle.id(), soon);
    }

    /// Records come first: while any are missing, no attachment is asked for.
    fn records_wait(&self) -> bool {
        let compared = self.round.got_compared || self.round.number > 1;
        !compared || !self.targets.is_empty() || !self.asked.is_empty()
    }

    pub(super) fn ask_files(&mut self, view: &impl View, now_ms: u64) {
        while self.files.asked.len() < self.limits.files && !self.records_wait() {
            let Some((id, after)) = self.files.look.first_key_value() else {
                return;
            };
            let (id, after) = (*id, *after);
            let circle = self.may_give_files(&id, view);
            let next = circle
                .filter(|circle| !circle.lacking.is_empty() && !self.behind.contains(&id))
                .and_then(|circle| Some((circle, view.wanted(&id, after)?)));
            let Some((circle, wanted)) = next else {
                self.files.look.remove(&id);
                continue;
            };
            self.files.look.insert(id, Some(wanted));
            self.ask_file(&circle, wanted, view, now_ms);
        }
    }

    fn ask_file(&mut self, circle: &Circle, wanted: Wanted, view: &impl View, now_ms: u64) {
        let (id, address) = (circle.id(), wanted.address);
        let passes = |charter: &Charter| charter.passes(&wanted.log, &self.peer, &view.own());
        let file = view.file(&id, &address);
        let wrong = self.files.wrong.get(&address).copied().unwrap_or(0);
        if !passes(&circle.charter)
            || self.files.asked.contains_key(&address)
            || self.files.is_absent(id, address, now_ms)
            || wrong >= PATIENCE
            || file.has_given_up_on(&self.peer)
        {
            return;
        }
        let Some(named) = named(circle, &wanted, view) else {
            return;
        };
        let asked = Asked {
            circle: id,
            wanted,
            named,
            from: file.here,
            answered: file.complete,
        };
        if file.complete {
            // Another record had named it, and it came for that one.
            let nothing = fetched(&asked, Vec::new());
            self.files.asked.insert(address, asked);
            return self.commit(Batch::Chunks(nothing), Pending::Chunks(address));
        }
        if !view.claim(address, self.peer) {
            return self.files.put_off(id, now_ms + SOON_MS);
        }
        self.files.asked.insert(address, asked);
        self.send(Message::WantChunks {
            circle: id,
            record: wanted.record,
            address,
            from: file.here,
            count: self.limits.chunks,
        });
    }

    /// Chunks have come.
    pub(super) fn chunks(
        &mut self,
        address: Hash,
        from: u64,
        chunks: Vec<Bytes>,
        view: &impl View,
        now_ms: u64,
    ) {
        let asked = self.files.asked.get_mut(&address);
        let Some(asked) = asked.filter(|asked| !asked.answered && asked.from == from) else {
            return self.report(Problem::Unasked("chunks of an attachment"));
        };
        if chunks.is_empty() {
            let circle = asked.circle;
            self.files.asked.remove(&address);
            view.free(&address, &self.peer);
            return self.files.not_there(circle, address, now_ms);
        }
        if chunks.len() as u64 > self.limits.chunks {
            self.report(Problem::Unasked("more chunks of an attachment"));
            return self.came_wrong(address, view, now_ms);
        }
        asked.answered = true;
        let batch = Batch::Chunks(fetched(asked, chunks));
        self.commit(batch, Pending::Chunks(address));
    }

    /// Chunks are committed, or refused.
    pub(super) fn chunks_done(
        &mut self,
        address: Hash,
        outcome: &Outcome,
        view: &impl View,
        now_ms: u64,
    ) {
        if outcome.wrong_file {
            self.report(Problem::WrongAttachment);
        }
        if outcome.refused {
            return self.came_wrong(address, view, now_ms);
        }
        let Some(Asked { circle, wanted, .. }) = self.files.asked.remove(&address) else {
            return;
        };
        if view.file(&circle, &address).complete {
            return view.free(&address, &self.peer);
        }
        match self.may_give_files(&circle, view) {
            Some(shared) if !self.records_wait() && !self.behind.contains(&circle) => {
                self.ask_file(&shared, wanted, view, now_ms);
            }
            _ => {
                view.free(&address, &self.peer);
                self.files.put_off(circle, now_ms);
            }
        }
    }

    fn came_wrong(&mut self, address: Hash, view: &impl View, now_ms: u64) {
        self.files.count_wrong(address);
        view.free(&address, &self.peer);
        if let Some(asked) = self.files.asked.remove(&address) {
            self.files.put_off(asked.circle, now_ms + SOON_MS);
        }
    }

    /// The peer wants chunks: answered after the ranges of records that it wants, when there is room.
    pub(super) fn chunks_wanted(&mut self, range: ChunkRange) {
        if self.chunks_to_answer.len() >= WAITING_ANSWERS {
            return self.report(Problem::TooMany("wants of chunks", WAITING_ANSWERS));
        }
        self.chunks_to_answer.push_back(range);
    }

    pub(super) fn answer_chunks(&mut self, range: &ChunkRange, view: &impl View) {
        let chunks = self.chunks_for(range, view);
        self.unflushed += chunks.iter().map(|chunk| chunk.0.len()).sum::<usize>();
        self.send(Message::Chunks {
            address: range.address,
            from: range.from,
            chunks,
        });
    }

    /// Chunks for the peer: of an attachment that the named record names, where the peer may have that record, body included.
    fn chunks_for(&self, range: &ChunkRange, view: &impl View) -> Vec<Bytes> {
        let ChunkRange {
            circle,
            record,
            address,
            from,
            count,
        } = range;
        if self.behind.contains(circle) || !self.may_have(circle, record, address, view) {
            return Vec::new();
        }
        if !view.file(circle, address).complete {
            return Vec::new();
        }
        view.chunks(circle, address, *from, (*count).min(self.limits.chunks))
    }

    /// The circle, if the peer may have files of records that this node may have.
    fn may_give_files(&self, id: &CircleId, view: &impl View) -> Option<Arc<Circle>> {
        let (own, peer) = (view.own(), self.peer);
        let may = |charter: &Charter| charter.is_member(&own) && charter.ever_listed(&peer);
        view.circle(id).filter(|circle| may(&circle.charter))
    }

    fn may_have(&self, id: &CircleId, record: &RecordId, address: &Hash, view: &impl View) -> bool {
        let granted = || {
            let (of, log, sequence) = view.place(record)?;
            let circle = self.passing(id, &log, (&view.own(), &self.peer), view)?;
            let first = circle
                .logs
                .get(&log)?
                .first_for(&self.peer, &log, &circle.charter)?;
            let held = view.records(id, &log, sequence, sequence, 1).pop()?;
            let (epoch, _) = circle.charter.epoch_of(held.header.object.entry)?;
            let opened = circle.read(&held).ok()?;
            let names = opened.content.attachments();
            Some(
                of == *id
                    && sequence >= first
                    && circle.charter.is_granted(&self.peer, epoch)
                    && names.iter().any(|named| named.address == *address),
            )
        };
        granted() == Some(true)
    }
}

/// What the record says of a wanted attachment.
fn named(circle: &Circle, wanted: &Wanted, view: &impl View) -> Option<AttachmentRef> {
    let Wanted { log, sequence, .. } = wanted;
    let record = view
        .records(&circle.id(), log, *sequence, *sequence, 1)
        .pop()?;
    let opened = circle.read(&record).ok()?;
    let mut names = opened.content.attachments().iter();
    names.find(|named| named.address == wanted.address).cloned()
}

fn fetched(asked: &Asked, chunks: Vec<Bytes>) -> Fetched {
    Fetched {
        circle: asked.circle,
        wanted: asked.wanted,
        key: asked.named.key.clone(),
        length: asked.named.length,
        from: asked.from,
        chunks,
    }
}
