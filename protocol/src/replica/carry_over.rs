//! What a circle's predecessor says, told again in the one that continues it (reprise de l'historique).
//!
//! The old circle's records stay where they are, and whoever joins its successor later was never in it: of a file of years it would see what was written
//! since the steward was lost. So a person may have their structure tell again, in the successor, what it wrote in the old circle and still
//! stands there; the successor's steward also what structures wrote that are not in it. Each version keeps its thing, its author and its date, and is
//! under the successor's own secrets: no node hears of a circle in which it never was, and none gets a secret of one.
//!
//! - Not told again: who the person is and what they answered about sharing, which were there from the beginning; alerts and their answers, read marks,
//!   requests and erasures, which are about a moment that has passed. The old circle goes on showing them to those who were in it.
//! - What was told again goes on here: the old circle takes no newer version of it.
//! - Nothing is told where a member was admitted without the whole past, here or in the old circle: it would get by this what it was not granted.
//! - Whom the steward has asked into the successor tells for itself, once it is there. What it said and another node told, it could not correct.
//!
//! Told is told, whoever told it: the same words of the same author at the same date are not written twice. A version that took the place of one that was told follows
//! it. One step writes a hundred records at most, or one document, and says where to go on.

use rand_core::CryptoRng;

use super::{
    Draft, Outgoing, OutgoingState, Replica, Row, RowPrefix, Rows, StorageError, WriteFailed,
    Written,
    project::read_record,
    standing::{again, standing},
};
use crate::{
    charter::Grant,
    circle::Circle,
    content::{Content, Kind},
    ids::{CircleId, Hash, LogId, NodeId, RecordId, ThingId},
    limits,
    record::Record,
};
use std::sync::Arc;

/// Records that one step tells again at most.
const WRITTEN: usize = 100;
/// Records that one step looks at.
const LOOKED_AT: usize = 2000;
/// Sealed bytes of attachments from which on a step ends.
const COPIED: u64 = 4 << 20;
/// Bytes of one record's attachments beyond which it is left: they are copied in one commit.
const LARGEST: u64 = 2 * limits::ATTACHMENT;

/// Where the next step begins: this place of a log of the old circle.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Further(LogId, u64);

/// What a step did.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CarriedOver {
    /// What was written.
    pub written: Vec<Written>,
    /// Documents that were left out, because not all of their attachments are here, or they are too large together.
    pub left: u64,
    /// Where to go on; none where all has been told.
    pub further: Option<Further>,
}

/// Why nothing is told again.
#[derive(Debug, thiserror::Error)]
pub enum CarryOverError {
    /// No such circle.
    #[error(
        "there is no such circle at this node: `maillonctl circle list` shows those that there are"
    )]
    NoCircle,
    /// It continues none, or none that is here.
    #[error(
        "the circle continues no other one that is at this node: there is nothing to tell again"
    )]
    NothingBefore,
    /// A member may not read the past.
    #[error(
        "a member was admitted without the whole past: what was written before would be told to it, too"
    )]
    NotWhole(NodeId),
    /// It could not be written.
    #[error(transparent)]
    Write(#[from] WriteFailed),
    /// Storage.
    #[error(transparent)]
    Storage(#[from] StorageError),
}

/// What one record becomes.
enum Told {
    Draft(Box<Draft>),
    /// A document that cannot be told: not all of it is here.
    Left,
    Nothing,
}

/// A version of a thing in one of the two circles.
struct VersionIn {
    record: RecordId,
    stands: bool,
    draft: Draft,
}

impl VersionIn {
    /// Whether it is the same, said by the same at the same time.
    fn says_the_same(&self, other: &Draft) -> bool {
        let draft = &self.draft;
        draft.content == other.content
            && draft.author == other.author
            && draft.occurred_ms == other.occurred_ms
    }
}

impl Replica {
    /// Tells again in `id` what stands in the circle that it continues, from where an earlier step ended. Asked again at the end it tells nothing
    /// twice.
    ///
    /// # Errors
    /// [`CarryOverError`]; nothing is staged then.
    pub fn carry_over(
        &mut self,
        rows: &impl Rows,
        id: &CircleId,
        from: Option<Further>,
        now_ms: u64,
        rng: &mut impl CryptoRng,
    ) -> Result<CarriedOver, CarryOverError> {
        let next = self.circles.get(id).ok_or(CarryOverError::NoCircle)?;
        let next = Arc::clone(next);
        let before = next.continues.and_then(|old| self.circles.get(&old.circle));
        let old = Arc::clone(before.ok_or(CarryOverError::NothingBefore)?);
        let partly = |grant: &Grant| *grant != Grant::Whole;
        let withheld = |node| {
            old.charter
                .listed(node)
                .is_some_and(|one| partly(&one.grant))
        };
        let mut members = next.charter.members();
        if let Some(one) = members.find(|one| partly(&one.grant) || withheld(&one.node)) {
            return Err(CarryOverError::NotWhole(one.node));
        }
        let asked = self.outgoing(rows)?.into_iter().map(|(_, row)| row);
        let waits = |row: &Outgoing| {
            row.circle == *id && row.state == OutgoingState::Waiting && row.expires_ms > now_ms
        };
        let asked: Vec<NodeId> = asked.filter(waits).map(|row| row.to).collect();
        let mut step = CarriedOver {
            written: Vec::new(),
            left: 0,
            further: None,
        };
        let (mut drafts, mut looked_at, mut copied) = (Vec::new(), 0, 0);
        'all: for (log, tip) in &old.logs {
            let ours = self.is_ours_to_tell(&next, &log.node) && !asked.contains(&log.node);
            if !ours || from.is_some_and(|from| *log < from.0) {
                continue;
            }
            let begin = from.filter(|from| from.0 == *log).map_or(0, |from| from.1);
            for sequence in begin.max(tip.first)..=tip.height {
                if looked_at == LOOKED_AT || drafts.len() == WRITTEN || copied >= COPIED {
                    step.further = Some(Further(*log, sequence));
                    break 'all;
                }
                looked_at += 1;
                let Some(bytes) = self.row(rows, &Row::Record(old.id(), *log, sequence))? else {
                    continue;
                };
                match self.told_again(rows, &old, &next, &read_record(&bytes)?)? {
                    Told::Draft(draft) => {
                        for named in draft.content.attachments() {
                            copied += self.copy_file(rows, &old.id(), id, named.address)?;
                        }
                        drafts.push(*draft);
                    }
                    Told::Left => step.left += 1,
                    Told::Nothing => {}
                }
            }
        }
        if !drafts.is_empty() {
            step.written = self.write(rows, id, drafts, now_ms, rng)?;
        }
        Ok(step)
    }

    /// Its own, and for the steward what nobody in the new circle wrote.
    fn is_ours_to_tell(&self, next: &Circle, author: &NodeId) -> bool {
        let orphaned = next.charter.state().steward == self.own();
        *author == self.own() || (orphaned && !next.charter.is_member(author))
    }

    fn told_again(
        &self,
        rows: &impl Rows,
        old: &Circle,
        next: &Circle,
        record: &Record,
    ) -> Result<Told, StorageError> {
        let Some((thing, draft)) = again(old, record) else {
            return Ok(Told::Nothing);
        };
        if !is_told(&draft.content) || !self.stands(rows, &old.id(), thing, record.id())? {
            return Ok(Told::Nothing);
        }
        let there = self.versions_in(rows, next, thing)?;
        if there.iter().any(|told| told.says_the_same(&draft)) {
            return Ok(Told::Nothing);
        }
        let mut bytes = 0;
        for named in draft.content.attachments() {
            bytes += named.length;
            if bytes > LARGEST || !self.file(rows, &old.id(), &named.address)?.complete {
                return Ok(Told::Left);
            }
        }
        let here = match there.is_empty() {
            true => Vec::new(),
            false => self.versions_in(rows, old, thing)?,
        };
        let passed = |told: &&VersionIn| {
            let mut same = here.iter().filter(|one| one.says_the_same(&told.draft));
            told.stands && same.next().is_some_and(|one| !one.stands)
        };
        let supersedes = there.iter().filter(passed).map(|told| told.record);
        Ok(Told::Draft(Box::new(Draft {
            supersedes: supersedes.collect(),
            ..draft
        })))
    }

    /// The versions of a thing that can be read in a circle.
    fn versions_in(
        &self,
        rows: &impl Rows,
        circle: &Circle,
        thing: ThingId,
    ) -> Result<Vec<VersionIn>, StorageError> {
        let Some(held) = self.thing(rows, &circle.id(), &thing)? else {
            return Ok(Vec::new());
        };
        let stand: Vec<RecordId> = standing(&held).iter().map(|one| one.record).collect();
        let mut found = Vec::new();
        for version in &held.versions {
            let placed = self.placed(rows, circle, version.record)?;
            let read = placed.and_then(|(_, _, record)| again(circle, &record));
            found.extend(read.map(|(_, draft)| VersionIn {
                record: version.record,
                stands: stand.contains(&version.record),
                draft,
            }));
        }
        Ok(found)
    }

    /// The attachment's chunks, for the new circle; about how many bytes that is.
    fn copy_file(
        &mut self,
        rows: &impl Rows,
        old: &CircleId,
        id: &CircleId,
        address: Hash,
    ) -> Result<u64, StorageError> {
        let file = self.file(rows, old, &address)?;
        if self.file(rows, id, &address)?.complete {
            return Ok(0);
        }
        let (mut number, mut bytes) = (0, 0);
        let mut chunks = Vec::new();
        self.over(rows)
            .each(&RowPrefix::Chunks(*old, address, 0), &mut |chunk| {
                chunks.push(chunk);
                true
            })?;
        for chunk in chunks {
            bytes += chunk.len() as u64;
            self.stage(Row::Chunk(*id, address, number), chunk);
            number += 1;
        }
        self.stage(Row::File(*id, address), crate::cbor::encode(&file));
        Ok(bytes)
    }
}

/// Kinds that are about the person and not about a moment.
fn is_told(content: &Content) -> bool {
    let kind = content.kind().0;
    let kinds = [
        Kind::CareTeam,
        Kind::Participation,
        Kind::LiaisonNote,
        Kind::Document,
    ];
    kinds.into_iter().any(|told| told as u64 == kind)
}
