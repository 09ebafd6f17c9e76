//! Which erasures wait for this node's word: a list that each record changes which is one, or answers one.

use std::collections::BTreeSet;

use super::Erasing;
use crate::{
    cbor,
    circle::{Accepted, Circle, Opened, Reason},
    content::{Content, Kind},
    dossier::{Thing, Version},
    ids::{CircleId, RecordId, ThingId},
    replica::{Replica, Row, RowPrefix, Rows, StorageError, rows::read},
};

impl Replica {
    /// The erasures of a circle that wait for this node's word.
    ///
    /// # Errors
    /// [`StorageError`].
    pub fn erasures(rows: &impl Rows, circle: &CircleId) -> Result<Vec<Erasing>, StorageError> {
        let all = rows.scan(&RowPrefix::Erasing(*circle))?;
        all.iter().map(|bytes| read(bytes)).collect()
    }

    /// Those of all circles, this node's member or not.
    ///
    /// # Errors
    /// [`StorageError`].
    pub fn all_erasures(rows: &impl Rows) -> Result<Vec<Erasing>, StorageError> {
        let all = rows.scan(&RowPrefix::AllErasing)?;
        all.iter().map(|bytes| read(bytes)).collect()
    }

    /// Stages what a thing, as it is now, changes in the list of what waits: as an erasure, or as an answer to one.
    pub(in crate::replica) fn index_erasure(
        &mut self,
        rows: &impl Rows,
        circle: &Circle,
        id: ThingId,
        thing: &Thing,
    ) -> Result<(), StorageError> {
        if thing.has(Kind::Erasure) {
            self.index_wish(rows, circle, id, thing, None)?;
        }
        if thing.has(Kind::ErasureAnswer) {
            for wish in &thing.parent {
                if let Some(held) = self.thing(rows, &circle.id(), wish)? {
                    self.index_wish(rows, circle, *wish, &held, Some(thing))?;
                }
            }
        }
        Ok(())
    }

    fn index_wish(
        &mut self,
        rows: &impl Rows,
        circle: &Circle,
        id: ThingId,
        thing: &Thing,
        fresh: Option<&Thing>,
    ) -> Result<(), StorageError> {
        let row = Row::Erasing(circle.id(), id);
        let answered = !self.own_words(rows, &circle.id(), thing, fresh)?.is_empty();
        let wish = match answered {
            true => None,
            false => self.wish(rows, circle, id, thing)?,
        };
        match wish {
            Some(wish) => self.stage(row, cbor::encode(&wish)),
            None if self.row(rows, &row)?.is_some() => self.stage_delete(row),
            None => {}
        }
        Ok(())
    }

    /// The erasures that wait here of records whose bodies have just not come.
    pub(in crate::replica) fn asked_of(
        &self,
        rows: &impl Rows,
        circle: &CircleId,
        records: &BTreeSet<RecordId>,
    ) -> Result<BTreeSet<ThingId>, StorageError> {
        let mut asked = BTreeSet::new();
        if !records.is_empty() {
            for bytes in self.over(rows).scan(&RowPrefix::Erasing(*circle))? {
                let Erasing { thing, erasure, .. } = read(&bytes)?;
                if records.contains(&erasure.record) {
                    asked.insert(thing);
                }
            }
        }
        Ok(asked)
    }

    /// The erasure that a thing is, if its author may ask for it.
    pub(super) fn wish(
        &self,
        rows: &impl Rows,
        circle: &Circle,
        thing: ThingId,
        held: &Thing,
    ) -> Result<Option<Erasing>, StorageError> {
        let counts =
            |version: &&Version| version.kind == Kind::Erasure as u64 && !version.after_removal;
        let Some(version) = held.first().filter(counts) else {
            return Ok(None);
        };
        let Some((log, _, record)) = self.placed(rows, circle, version.record)? else {
            return Ok(None);
        };
        let Ok(Opened {
            content: Content::Erasure(erasure),
            ..
        }) = circle.read(&record)
        else {
            return Ok(None);
        };
        let steward = circle.charter.steward_at(record.header.object.entry);
        let may = log.node == erasure.log.node || Some(log.node) == steward;
        Ok(may.then_some(Erasing {
            thing,
            asked: version.record,
            node: log.node,
            erasure,
            circle: circle.id(),
        }))
    }

    /// What this node has answered to an erasure, as codes of [`Erased`]; `fresh` is an answer that is not among the rows yet.
    pub(super) fn own_words(
        &self,
        rows: &impl Rows,
        circle: &CircleId,
        wish: &Thing,
        fresh: Option<&Thing>,
    ) -> Result<BTreeSet<u64>, StorageError> {
        let own = self.own();
        let mut words = BTreeSet::new();
        let mut add = |answer: &Thing| {
            let ours = answer.versions.iter().filter(|version| {
                version.kind == Kind::ErasureAnswer as u64 && version.node == own
            });
            words.extend(ours.map(|version| version.code));
        };
        if let Some(fresh) = fresh {
            add(fresh);
        }
        for child in &wish.children {
            if let Some(answer) = self.thing(rows, circle, child)? {
                add(&answer);
            }
        }
        Ok(words)
    }
}

/// The erasures that records which came are, or answer; and the records that came without a body that this node may have.
pub(in crate::replica) fn erasures_of<'a>(
    came: impl Iterator<Item = &'a Accepted>,
) -> (BTreeSet<ThingId>, BTreeSet<RecordId>) {
    let (mut erasures, mut bare) = (BTreeSet::new(), BTreeSet::new());
    for accepted in came {
        match &accepted.opened {
            Ok(opened) => erasures.extend(about(opened)),
            Err(Reason::Missing) => {
                bare.insert(accepted.record.id());
            }
            Err(_) => {}
        }
    }
    (erasures, bare)
}

/// The erasure that an opened record is, or answers.
pub(in crate::replica) fn about(opened: &Opened) -> Option<ThingId> {
    match opened.content {
        Content::Erasure(_) => Some(opened.envelope.thing),
        Content::ErasureAnswer(_) => opened.envelope.parent,
        _ => None,
    }
}
