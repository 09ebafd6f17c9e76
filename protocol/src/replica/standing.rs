//! Which records are to be written again: what of a thing stands, whose it is, and who of those who came may read it.

use super::{Draft, Replica, Row, RowPrefix, Rows, StorageError, branches::find, rows::read};
use crate::{
    charter::Start,
    circle::{Circle, Opened},
    content::{Content, Envelope, Kind},
    dossier::{Standing, Thing, Version},
    ids::{CircleId, LogId, NodeId, RecordId, ThingId},
    record::Record,
};

impl Replica {
    /// Whether a member may read the next record of this node. Not so where its admit entry says that this log starts for it far ahead: writing
    /// again would give it nothing, and would be asked for again with each entry.
    pub(super) fn reads_what_comes(&self, circle: &Circle, member: &NodeId) -> bool {
        let (charter, log) = (&circle.charter, self.own_log());
        let next = circle.logs.get(&log).map_or(1, |tip| tip.height + 1);
        let has_header = match charter.start_for(member, &log) {
            Some(Start::Sequence(first)) => first <= next,
            Some(Start::Entry(first)) => first <= charter.number(),
            None => false,
        };
        has_header && charter.is_granted(member, charter.state().epoch.number)
    }

    /// The person's identity and their answer, where one of these members may not read it and this node is to write it.
    pub(super) fn what_everybody_reads(
        &self,
        rows: &impl Rows,
        circle: &Circle,
        partly: &[NodeId],
    ) -> Result<Vec<Draft>, StorageError> {
        let mut drafts = Vec::new();
        for bytes in self.over(rows).scan(&RowPrefix::Things(circle.id()))? {
            let (_, held): (ThingId, Thing) = read(&bytes)?;
            for version in standing(&held) {
                if !is_for_everybody(version.kind) || !self.is_ours_to_renew(circle, version) {
                    continue;
                }
                let Some((log, sequence, record)) = self.placed(rows, circle, version.record)?
                else {
                    continue;
                };
                let read_by = |member: &NodeId| {
                    self.reads(circle, member, &log, sequence, &record) == (true, true)
                };
                if !partly.iter().all(read_by) {
                    drafts.extend(again(circle, &record).map(|(_, draft)| draft));
                }
            }
        }
        Ok(drafts)
    }

    pub(super) fn is_ours_to_renew(&self, circle: &Circle, version: &Version) -> bool {
        let orphaned = version.kind == Kind::PatientIdentity as u64
            && circle.charter.state().steward == self.own()
            && !circle.charter.is_member(&version.node);
        version.node == self.own() || orphaned
    }

    /// Whether a record is what stands of its thing, or one of several that do.
    pub(super) fn stands(
        &self,
        rows: &impl Rows,
        circle: &CircleId,
        thing: ThingId,
        record: RecordId,
    ) -> Result<bool, StorageError> {
        let Some((_, held)) =
            self.read_row::<(ThingId, Thing)>(rows, &Row::Thing(*circle, thing))?
        else {
            return Ok(false);
        };
        Ok(standing(&held)
            .iter()
            .any(|version| version.record == record))
    }

    /// Whether a member has a record's header, and whether it may read its body.
    pub(super) fn reads(
        &self,
        circle: &Circle,
        member: &NodeId,
        log: &LogId,
        sequence: u64,
        record: &Record,
    ) -> (bool, bool) {
        let first =
            (circle.logs.get(log)).and_then(|tip| tip.first_for(member, log, &circle.charter));
        let epoch = circle.charter.epoch_of(record.header.object.entry);
        (
            first.is_some_and(|first| first <= sequence),
            epoch.is_some_and(|(number, _)| circle.charter.is_granted(member, number)),
        )
    }

    /// Whether somebody who reads what comes may not know this record: it lies before what they were given, and its epoch is not granted to them. What is
    /// written again is written for all, so then it is not: who lacks it has its header, and asks.
    pub(super) fn is_kept_from_some(
        &self,
        circle: &Circle,
        partly: &[NodeId],
        log: &LogId,
        sequence: u64,
        record: &Record,
    ) -> bool {
        let mut all = partly.iter();
        all.any(|member| self.reads(circle, member, log, sequence, record) == (false, false))
    }

    /// Whether a record says again what somebody who reads what comes may not know. Written again for one member it lies in an epoch of its own; beside the
    /// admission of the next it would be written again for them, and they would know what the steward kept from them.
    pub(super) fn repeats_what_is_kept(
        &self,
        rows: &impl Rows,
        circle: &Circle,
        partly: &[NodeId],
        record: &Record,
    ) -> Result<bool, StorageError> {
        let mut saying = circle.read(record).ok();
        while let Some(opened) = saying {
            let [before] = opened.envelope.supersedes[..] else {
                return Ok(false);
            };
            let Some((log, sequence, record)) = self.placed(rows, circle, before)? else {
                return Ok(false);
            };
            // One that says something else was corrected: that is new to everybody. Of one that cannot be read any more nobody knows.
            let earlier = circle.read(&record).ok();
            let says_else = |earlier: &Opened| earlier.content != opened.content;
            if log.node != self.own() || earlier.as_ref().is_some_and(says_else) {
                return Ok(false);
            }
            if self.is_kept_from_some(circle, partly, &log, sequence, &record) {
                return Ok(true);
            }
            saying = earlier;
        }
        Ok(false)
    }

    pub(super) fn placed(
        &self,
        rows: &impl Rows,
        circle: &Circle,
        id: RecordId,
    ) -> Result<Option<(LogId, u64, Record)>, StorageError> {
        let found = find(&self.over(rows), &id)?;
        let here = found.filter(|(place, _)| place.circle == circle.id());
        Ok(here.map(|(place, record)| (place.log, place.sequence, record)))
    }
}

/// Who is admitted reads it whatever it is granted of the past.
pub(super) const fn is_for_everybody(kind: u64) -> bool {
    kind == Kind::PatientIdentity as u64 || kind == Kind::Consent as u64
}

pub(super) fn standing(held: &Thing) -> Vec<&Version> {
    match held.standing() {
        Standing::Nothing => Vec::new(),
        Standing::One(one) => vec![one],
        Standing::Conflict(several) => several,
    }
}

/// A record's thing, and the record once more; nothing where it cannot be read here, or says nothing.
pub(super) fn again(circle: &Circle, record: &Record) -> Option<(ThingId, Draft)> {
    let opened = circle.read(record).ok()?;
    if matches!(opened.content, Content::LogOpened) {
        return None;
    }
    opened.content.payload()?;
    let Envelope {
        thing,
        parent,
        author,
        occurred_ms,
        ..
    } = opened.envelope;
    let draft = Draft {
        thing: Some(thing),
        parent,
        supersedes: vec![record.id()],
        author,
        occurred_ms,
        content: opened.content,
    };
    Some((thing, draft))
}
