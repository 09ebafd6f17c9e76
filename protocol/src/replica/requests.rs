//! Requests for changes of a circle's membership that its steward has not answered.
//!
//! One row for each ([`Row::Request`]), staged with the record that makes or ends it, in whatever order request and answer come. An answer ends a
//! request if its author's node was the steward by the charter entry that it names.

use super::{Replica, Row, RowPrefix, Rows, StorageError, branches::find, rows::read};
use crate::{
    cbor,
    circle::Circle,
    content::Kind,
    dossier::{Thing, Version},
    ids::{CircleId, RecordId, ThingId},
};

impl Replica {
    /// The requests of a circle that wait for its steward: each with the record in which it stands.
    ///
    /// # Errors
    /// [`StorageError`].
    pub fn requests(
        rows: &impl Rows,
        circle: &CircleId,
    ) -> Result<Vec<(ThingId, RecordId)>, StorageError> {
        let all = rows.scan(&RowPrefix::Requests(*circle))?;
        all.iter().map(|bytes| read(bytes)).collect()
    }

    /// Whether a request waits for the steward, staged changes included: the record in which it stands.
    ///
    /// # Errors
    /// [`StorageError`].
    pub fn request(
        &self,
        rows: &impl Rows,
        circle: &CircleId,
        thing: &ThingId,
    ) -> Result<Option<RecordId>, StorageError> {
        let row: Option<(ThingId, RecordId)> =
            self.read_row(rows, &Row::Request(*circle, *thing))?;
        Ok(row.map(|(_, record)| record))
    }

    /// Stages what a thing, as it is now, changes in the index: as a request, or as an answer to one.
    pub(super) fn index_request(
        &mut self,
        rows: &impl Rows,
        circle: &Circle,
        id: ThingId,
        thing: &Thing,
    ) -> Result<(), StorageError> {
        if thing.has(Kind::MembershipRequest) {
            self.index_one(rows, circle, id, thing, None)?;
        }
        if thing.has(Kind::RequestAnswer) {
            for request in &thing.parent {
                if let Some(held) = self.thing(rows, &circle.id(), request)? {
                    self.index_one(rows, circle, *request, &held, Some(thing))?;
                }
            }
        }
        Ok(())
    }

    /// The same for one request; `fresh` is an answer that is not among the rows yet.
    fn index_one(
        &mut self,
        rows: &impl Rows,
        circle: &Circle,
        id: ThingId,
        request: &Thing,
        fresh: Option<&Thing>,
    ) -> Result<(), StorageError> {
        let stands = request
            .newest()
            .filter(|version| version.kind == Kind::MembershipRequest as u64 && version.code == 0);
        let mut answered = match fresh {
            Some(answer) => self.is_answer(rows, circle, answer)?,
            None => false,
        };
        for child in &request.children {
            if answered {
                break;
            }
            if let Some(answer) = self.thing(rows, &circle.id(), child)? {
                answered = self.is_answer(rows, circle, &answer)?;
            }
        }
        let row = Row::Request(circle.id(), id);
        match stands.filter(|_| !answered) {
            Some(version) => self.stage(row, cbor::encode(&(id, version.record))),
            None if self.row(rows, &row)?.is_some() => self.stage_delete(row),
            None => {}
        }
        Ok(())
    }

    fn is_answer(
        &self,
        rows: &impl Rows,
        circle: &Circle,
        thing: &Thing,
    ) -> Result<bool, StorageError> {
        let answers = thing.versions.iter();
        for version in answers.filter(|version| version.kind == Kind::RequestAnswer as u64) {
            if !version.after_removal && self.ruled(rows, circle, version)? {
                return Ok(true);
            }
        }
        Ok(false)
    }

    /// Whether a version's node was the steward by the entry that its record names.
    fn ruled(
        &self,
        rows: &impl Rows,
        circle: &Circle,
        version: &Version,
    ) -> Result<bool, StorageError> {
        let Some((_, record)) = find(&self.over(rows), &version.record)? else {
            return Ok(false);
        };
        let entry = record.header.object.entry;
        Ok(circle.charter.steward_at(entry) == Some(version.node))
    }
}
