//! What stands here of a record that is to be erased, and how its body goes.

use std::collections::BTreeSet;

use super::Erasing;
use crate::{
    cbor,
    circle::{Circle, Opened, Reason},
    content::{Erased, Erasure, Facts},
    ids::{CircleId, Hash, RecordId, ThingId},
    record::Record,
    replica::{
        Location, Notice, Replica, Row, Rows, StorageError, project::record_row, rows::read,
    },
    sync::{Change, News},
};

/// How what an erasure names stands here.
pub(super) enum Stand {
    /// It is not here.
    Absent,
    /// Its header is, without a body that says anything.
    Bare(Record),
    /// It is here, and is what the erasure says.
    Same(Record, Box<Opened>),
    /// It is here and something else.
    Differs,
    /// It is here and cannot be opened yet.
    NotOpened,
}

impl Replica {
    /// What stays of a record whose erasure was carried out here, as of the last commit.
    ///
    /// # Errors
    /// [`StorageError`].
    pub fn erasure_of(
        rows: &impl Rows,
        circle: &CircleId,
        record: &RecordId,
    ) -> Result<Option<Facts>, StorageError> {
        let row = rows.get(&Row::Erased(*circle, *record))?;
        row.map(|bytes| read(&bytes)).transpose()
    }

    /// What stays of a record whose erasure was carried out here, staged changes included; none where none was.
    ///
    /// # Errors
    /// [`StorageError`].
    pub fn erased(
        &self,
        rows: &impl Rows,
        circle: &CircleId,
        record: &RecordId,
    ) -> Result<Option<Facts>, StorageError> {
        self.read_row(rows, &Row::Erased(*circle, *record))
    }

    pub(super) fn stands_here(
        &self,
        rows: &impl Rows,
        circle: &Circle,
        erasure: &Erasure,
    ) -> Result<Stand, StorageError> {
        let Some(place) = self.read_row::<Location>(rows, &Row::Place(erasure.record))? else {
            return Ok(Stand::Absent);
        };
        let named = Location {
            circle: circle.id(),
            log: erasure.log,
            sequence: erasure.sequence,
        };
        if place != named || !erasure.facts.are_erasable() {
            return Ok(Stand::Differs);
        }
        let Some((_, _, record)) = self.placed(rows, circle, erasure.record)? else {
            return Ok(Stand::Absent);
        };
        Ok(match circle.read(&record) {
            Ok(opened) if Facts::of(&opened.envelope, &opened.content) == erasure.facts => {
                Stand::Same(record, Box::new(opened))
            }
            Ok(_) => Stand::Differs,
            Err(Reason::NotOpened) => Stand::NotOpened,
            Err(_) => Stand::Bare(record),
        })
    }

    /// Takes the body away, and the files that only this record names.
    pub(super) fn carry_out(
        &mut self,
        rows: &impl Rows,
        id: &CircleId,
        record: Record,
        opened: Option<&Opened>,
        facts: Facts,
    ) -> Result<(), StorageError> {
        let erased = record.id();
        if self.erased(rows, id, &erased)?.is_some() {
            return Ok(());
        }
        let Some(circle) = self.circles.get(id) else {
            return Ok(());
        };
        let mut next = Circle::clone(circle);
        let bare = Record {
            body: None,
            ..record
        };
        let (log, sequence) = (bare.header.object.log, bare.header.object.sequence);
        self.stage(Row::Erased(*id, erased), cbor::encode(&facts));
        if self.is_branch(rows, id, &erased)? {
            self.keep_bare(*id, &bare);
        } else {
            self.stage(Row::Record(*id, log, sequence), record_row(&bare));
            while let Some(reason) = next.excepted(&log, sequence) {
                next.clear_exception(&log, sequence, reason);
            }
            next.except(log, sequence, Reason::Erased);
        }
        next.erasures += 1;
        if let Some(opened) = opened {
            self.drop_files(rows, &mut next, &bare, opened)?;
        }
        let next = self.put_circle(next);
        self.unalert(rows, &next, erased, &facts)?;
        self.project_facts(rows, &next, &bare, facts)?;
        self.no_longer_awaited(&next, log, sequence);
        self.published.notices.push(Notice::Erased {
            circle: *id,
            record: erased,
        });
        self.published.news.push(News {
            circle: Some(*id),
            change: Change::Attachment,
            from: None,
        });
        Ok(())
    }

    fn drop_files(
        &mut self,
        rows: &impl Rows,
        next: &mut Circle,
        record: &Record,
        opened: &Opened,
    ) -> Result<(), StorageError> {
        let (id, header) = (next.id(), &record.header.object);
        let named = opened.content.attachments();
        if named.is_empty() {
            return Ok(());
        }
        let others = self.named_by_others(rows, next, record.id(), opened.envelope.thing)?;
        for file in named {
            let wanted = Row::Wanted(id, header.log, header.sequence, file.address);
            self.stage_delete(wanted);
            if !others.contains(&file.address) {
                self.drop_file(rows, id, file.address)?;
            }
        }
        self.look_what_is_lacking(rows, next, header.log)
    }

    /// The files that other versions of a thing name.
    fn named_by_others(
        &self,
        rows: &impl Rows,
        circle: &Circle,
        but: RecordId,
        thing: ThingId,
    ) -> Result<BTreeSet<Hash>, StorageError> {
        let held = self.thing(rows, &circle.id(), &thing)?.unwrap_or_default();
        let mut named = BTreeSet::new();
        for version in held.versions.iter().filter(|other| other.record != but) {
            if let Some((_, _, other)) = self.placed(rows, circle, version.record)?
                && let Ok(opened) = circle.read(&other)
            {
                named.extend(opened.content.attachments().iter().map(|file| file.address));
            }
        }
        Ok(named)
    }

    /// Carries out what there is nothing to decide about, of these erasures: what this node has answered before its disk went back, and that which
    /// has no body here. To be called when what came is projected.
    pub(in crate::replica) fn follow_erasures(
        &mut self,
        rows: &impl Rows,
        id: &CircleId,
        things: BTreeSet<ThingId>,
    ) -> Result<(), StorageError> {
        for thing in things {
            let Some(circle) = self.circles.get(id).cloned() else {
                return Ok(());
            };
            let Some(held) = self.thing(rows, id, &thing)? else {
                continue;
            };
            let Some(Erasing { erasure, .. }) = self.wish(rows, &circle, thing, &held)? else {
                continue;
            };
            let said = self.own_words(rows, id, &held, None)?;
            let done = said.contains(&(Erased::Done as u64));
            let kept = !done && !said.is_empty();
            match self.stands_here(rows, &circle, &erasure)? {
                Stand::Bare(record)
                    if kept && self.somebody_may_keep(rows, &circle, &record)? => {}
                Stand::Bare(record) => self.carry_out(rows, id, record, None, erasure.facts)?,
                Stand::Same(record, opened) if done => {
                    self.carry_out(rows, id, record, Some(&opened), erasure.facts)?;
                }
                Stand::Absent if done => self.erase_when_it_comes(rows, &circle, &erasure)?,
                _ => {}
            }
        }
        Ok(())
    }

    fn erase_when_it_comes(
        &mut self,
        rows: &impl Rows,
        circle: &Circle,
        erasure: &Erasure,
    ) -> Result<(), StorageError> {
        let id = circle.id();
        if self.erased(rows, &id, &erasure.record)?.is_none() {
            let mut next = circle.clone();
            next.erasures += 1;
            self.put_circle(next);
            self.stage(
                Row::Erased(id, erasure.record),
                cbor::encode(&erasure.facts),
            );
        }
        Ok(())
    }
}
