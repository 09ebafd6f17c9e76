//! From a record that was taken to what the file shows: places, things, deliveries, notices.

use minicbor::{Decode, Encode};

use super::{Notice, Replica, Row, Rows, StorageError, rows::read};
use crate::{
    cbor,
    circle::{Accepted, Circle, Opened},
    content::{Content, Facts, Kind},
    dossier::{Thing, Version},
    ids::{CircleId, LogId, RecordId, ThingId},
    record::{Record, log::LogTip},
};

/// Where a record is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Encode, Decode)]
#[cbor(array)]
pub struct Location {
    /// The circle.
    #[n(0)]
    pub circle: CircleId,
    /// The log.
    #[n(1)]
    pub log: LogId,
    /// The sequence.
    #[n(2)]
    pub sequence: u64,
}

/// A record as a row: header and body.
#[derive(Encode, Decode)]
#[cbor(array)]
pub(super) struct RecordRow {
    #[n(0)]
    pub(super) header: cbor::Bytes,
    /// Empty where only the header is held.
    #[n(1)]
    pub(super) body: cbor::Bytes,
}

pub(super) fn record_row(record: &Record) -> Vec<u8> {
    cbor::encode(&RecordRow {
        header: cbor::Bytes(record.header.bytes.clone()),
        body: cbor::Bytes(record.body.clone().unwrap_or_default()),
    })
}

pub(super) fn read_record(bytes: &[u8]) -> Result<Record, StorageError> {
    let row: RecordRow = read(bytes)?;
    let header = crate::sign::Unverified::parse(row.header.0)
        .map_err(|_| StorageError::damaged("record"))?;
    Ok(Record {
        header: header.trust_stored(),
        body: (!row.body.0.is_empty()).then_some(row.body.0),
    })
}

impl Replica {
    /// A thing, staged or committed.
    ///
    /// # Errors
    /// [`StorageError`].
    pub fn thing(
        &self,
        rows: &impl Rows,
        circle: &CircleId,
        thing: &ThingId,
    ) -> Result<Option<Thing>, StorageError> {
        match self.row(rows, &Row::Thing(*circle, *thing))? {
            Some(bytes) => Ok(Some(read::<(ThingId, Thing)>(&bytes)?.1)),
            None => Ok(None),
        }
    }

    fn put_thing(&mut self, circle: CircleId, id: ThingId, thing: Thing) {
        self.stage(Row::Thing(circle, id), cbor::encode(&(id, thing)));
    }

    /// Marks a version as beyond what its node's removal lets count.
    pub(super) fn mark_after_removal(
        &mut self,
        rows: &impl Rows,
        circle: &Circle,
        id: &ThingId,
        record: &RecordId,
    ) -> Result<(), StorageError> {
        if let Some(mut thing) = self.thing(rows, &circle.id(), id)? {
            thing.mark_after_removal(|held| held != record);
            self.index_alert(rows, circle, *id, &thing, None)?;
            self.put_thing(circle.id(), *id, thing.clone());
            self.index_request(rows, circle, *id, &thing)?;
            self.index_erasure(rows, circle, *id, &thing)?;
        }
        Ok(())
    }

    /// Stages everything that follows from a record that is now part of its log.
    pub(super) fn project(
        &mut self,
        rows: &impl Rows,
        circle: &Circle,
        accepted: &Accepted,
        now_ms: u64,
    ) -> Result<(), StorageError> {
        let id = circle.id();
        let record = accepted.record.id();
        let header = &accepted.record.header.object;
        self.stage(
            Row::Record(id, header.log, header.sequence),
            record_row(&accepted.record),
        );
        let place = Location {
            circle: id,
            log: header.log,
            sequence: header.sequence,
        };
        self.stage(Row::Place(record), cbor::encode(&place));
        if accepted.ahead {
            self.stage(Row::Ahead(id, record), cbor::encode(&(record, now_ms)));
            self.published.notices.push(Notice::ClockAhead {
                circle: id,
                record,
                node: header.log.node,
            });
        }
        match &accepted.opened {
            Ok(opened) => {
                self.await_delivery(circle, &accepted.record, opened);
                self.project_opened(rows, circle, &accepted.record, opened, accepted.fresh)
            }
            Err(reason) => {
                self.published.notices.push(Notice::NotShown {
                    circle: id,
                    record,
                    reason: *reason,
                });
                match self.facts(rows, circle, &accepted.record)? {
                    Some(facts) => self.project_facts(rows, circle, &accepted.record, facts),
                    None => Ok(()),
                }
            }
        }
    }

    /// What is known of a record: what it says, or what stays of it where it was erased here.
    pub(super) fn facts(
        &self,
        rows: &impl Rows,
        circle: &Circle,
        record: &Record,
    ) -> Result<Option<Facts>, StorageError> {
        match circle.read(record) {
            Ok(opened) => Ok(Some(Facts::of(&opened.envelope, &opened.content))),
            Err(_) if circle.erasures > 0 => self.erased(rows, &circle.id(), &record.id()),
            Err(_) => Ok(None),
        }
    }

    /// Adds what stays of an erased record to its thing, where it is not there already.
    pub(super) fn project_facts(
        &mut self,
        rows: &impl Rows,
        circle: &Circle,
        record: &Record,
        facts: Facts,
    ) -> Result<(), StorageError> {
        let thing = self
            .thing(rows, &circle.id(), &facts.thing)?
            .unwrap_or_default();
        let mut versions = thing.versions.iter();
        if versions.any(|version| version.record == record.id()) {
            return Ok(());
        }
        self.put_version(rows, circle, record, facts, thing, None)
    }

    /// Adds a version to a thing, and the thing to what it belongs to; `said` is the record's content where it is open.
    fn put_version(
        &mut self,
        rows: &impl Rows,
        circle: &Circle,
        record: &Record,
        facts: Facts,
        mut thing: Thing,
        said: Option<&Content>,
    ) -> Result<(), StorageError> {
        let (id, of, parent) = (circle.id(), facts.thing, facts.parent);
        let version = Version::of(record.id(), &record.header.object, facts);
        thing.add(version, parent);
        let said = said.map(|content| (record.id(), content));
        self.index_alert(rows, circle, of, &thing, said)?;
        self.put_thing(id, of, thing);
        if let Some(parent) = parent.filter(|parent| *parent != of) {
            let mut above = self.thing(rows, &id, &parent)?.unwrap_or_default();
            if above.children.insert(of) {
                self.put_thing(id, parent, above);
            }
        }
        Ok(())
    }

    pub(super) fn project_opened(
        &mut self,
        rows: &impl Rows,
        circle: &Circle,
        record: &Record,
        opened: &Opened,
        fresh: bool,
    ) -> Result<(), StorageError> {
        let Opened { envelope, content } = opened;
        if matches!(content, Content::LogOpened) {
            return Ok(());
        }
        let id = circle.id();
        let header = &record.header.object;
        let held = if fresh {
            None
        } else {
            self.thing(rows, &id, &envelope.thing)?
        };
        let (facts, thing) = (Facts::of(envelope, content), held.unwrap_or_default());
        self.put_version(rows, circle, record, facts, thing, Some(content))?;
        self.index_what_waits(rows, circle, envelope.thing, content)?;
        self.published.notices.push(Notice::Recorded {
            circle: id,
            record: record.id(),
            thing: envelope.thing,
            parent: envelope.parent,
            kind: envelope.kind,
            node: header.log.node,
        });
        Ok(())
    }

    /// What waits for somebody's word: requests for the steward's, erasures for this node's.
    fn index_what_waits(
        &mut self,
        rows: &impl Rows,
        circle: &Circle,
        id: ThingId,
        content: &Content,
    ) -> Result<(), StorageError> {
        let request = matches!(
            content,
            Content::MembershipRequest(_) | Content::RequestAnswer(_)
        );
        let erasure = matches!(content, Content::Erasure(_) | Content::ErasureAnswer(_));
        if !request && !erasure {
            return Ok(());
        }
        let thing = self.thing(rows, &circle.id(), &id)?.unwrap_or_default();
        if request {
            self.index_request(rows, circle, id, &thing)
        } else {
            self.index_erasure(rows, circle, id, &thing)
        }
    }
}

impl Replica {
    /// Projects a circle's things again from its records. What is shown is the same afterwards, unless the views were damaged or of an older
    /// version. Returns how many things there are.
    ///
    /// # Errors
    /// [`StorageError`].
    pub fn reproject(&mut self, rows: &impl Rows, id: &CircleId) -> Result<u64, StorageError> {
        let Some(circle) = self.circles.get(id).cloned() else {
            return Ok(0);
        };
        let mut things: std::collections::BTreeMap<ThingId, Thing> =
            std::collections::BTreeMap::new();
        for (log, tip) in &circle.logs {
            let mut failed = None;
            let counted = match circle.cut(log) {
                None => tip.height,
                Some(cut) => cut.map_or(0, |(sequence, _)| sequence),
            };
            let counts = |record: &Record| {
                record.header.object.sequence <= counted
                    || record.header.object.sequence > tip.height
            };
            self.over(rows).each(
                // From the beginning: a node that was admitted again shows what it had before.
                &super::RowPrefix::Records(*id, *log, 1),
                &mut |bytes| match read_record(&bytes) {
                    Ok(record) => match self.facts(rows, &circle, &record) {
                        Ok(Some(facts)) => {
                            let of = facts.thing;
                            add(&mut things, &record, facts);
                            if !counts(&record) {
                                let thing = things.entry(of).or_default();
                                thing.mark_after_removal(|held| *held != record.id());
                            }
                            true
                        }
                        Ok(None) => true,
                        Err(error) => {
                            failed = Some(error);
                            false
                        }
                    },
                    Err(error) => {
                        failed = Some(error);
                        false
                    }
                },
            )?;
            if let Some(error) = failed {
                return Err(error);
            }
        }
        for record in super::branches::branches(&self.over(rows), id)? {
            let Some(facts) = self.facts(rows, &circle, &record)? else {
                continue;
            };
            let of = facts.thing;
            add(&mut things, &record, facts);
            if LogTip::is_after_cut(&circle.charter, &record.header)
                && let Some(thing) = things.get_mut(&of)
            {
                thing.mark_after_removal(|held| *held != record.id());
            }
        }
        for bytes in self.over(rows).scan(&super::RowPrefix::Things(*id))? {
            if let Ok((old, _)) = read::<(ThingId, Thing)>(&bytes)
                && !things.contains_key(&old)
            {
                self.stage_delete(Row::Thing(*id, old));
            }
        }
        let count = things.len() as u64;
        self.index_circle(rows, &circle, things.iter())?;
        for (thing, value) in &things {
            self.put_thing(*id, *thing, value.clone());
        }
        for (thing, value) in &things {
            self.index_request(rows, &circle, *thing, value)?;
            self.index_erasure(rows, &circle, *thing, value)?;
        }
        Ok(count)
    }
}

/// What a record does to the things of its circle.
fn add(things: &mut std::collections::BTreeMap<ThingId, Thing>, record: &Record, facts: Facts) {
    if facts.kind == Kind::LogOpened as u64 {
        return;
    }
    let (of, parent) = (facts.thing, facts.parent);
    let version = Version::of(record.id(), &record.header.object, facts);
    things.entry(of).or_default().add(version, parent);
    if let Some(parent) = parent.filter(|parent| *parent != of) {
        things.entry(parent).or_default().children.insert(of);
    }
}
