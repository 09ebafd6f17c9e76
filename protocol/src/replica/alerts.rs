//! The index of alerts: what a list of them needs, found without opening records.
//!
//! One row for each alert ([`AlertEntry`]), staged with the record that changes it: the alert, an answer, or the removal of their author. A
//! database from before there was an index gets one when it is loaded.

use super::{Replica, Row, RowPrefix, Rows, StorageError, branches::find, rows::read};
use crate::{
    cbor,
    circle::{Circle, Opened},
    content::{Content, Facts, Kind},
    dossier::{AlertEntry, Answer, Asked, Thing, Version},
    ids::{CircleId, RecordId, ThingId},
};

impl Replica {
    /// An alert with its answers, staged or committed, by the alert's thing.
    ///
    /// # Errors
    /// [`StorageError`].
    pub fn alert(
        &self,
        rows: &impl Rows,
        circle: &CircleId,
        thing: &ThingId,
    ) -> Result<Option<AlertEntry>, StorageError> {
        self.read_row(rows, &Row::Alert(*circle, *thing))
    }

    /// What a record of a circle says, staged or committed; none where it is not here or cannot be read here.
    ///
    /// # Errors
    /// [`StorageError`].
    pub fn opened(
        &self,
        rows: &impl Rows,
        circle: &CircleId,
        record: &RecordId,
    ) -> Result<Option<Opened>, StorageError> {
        match self.circles.get(circle) {
            Some(circle) => self.opened_in(rows, circle, record),
            None => Ok(None),
        }
    }

    fn opened_in(
        &self,
        rows: &impl Rows,
        circle: &Circle,
        record: &RecordId,
    ) -> Result<Option<Opened>, StorageError> {
        let found = find(&self.over(rows), record)?;
        let here = found.filter(|(place, _)| place.circle == circle.id());
        Ok(here.and_then(|(_, record)| circle.read(&record).ok()))
    }

    /// Stages what a thing, as it is now, changes in the index: itself as an alert, or as an answer to one. `said` is a record that is open
    /// already, with what it says.
    pub(super) fn index_alert(
        &mut self,
        rows: &impl Rows,
        circle: &Circle,
        id: ThingId,
        thing: &Thing,
        said: Option<(RecordId, &Content)>,
    ) -> Result<(), StorageError> {
        if thing.has(Kind::Alert) {
            let mut entry = self.entry(rows, circle, id)?;
            let newest = thing
                .newest()
                .filter(|version| version.kind == Kind::Alert as u64);
            let known = entry.asked.as_ref().map(|asked| asked.record);
            if known != newest.map(|version| version.record) {
                entry.asked = match newest {
                    Some(version) => self.asked(rows, circle, version, said)?,
                    None => None,
                };
            }
            self.stage(Row::Alert(circle.id(), id), cbor::encode(&entry));
        }
        if thing.has(Kind::AlertAnswer) {
            let answer = Answer::of(thing);
            for alert in &thing.parent {
                let mut entry = self.entry(rows, circle, *alert)?;
                match answer {
                    Some(answer) => entry.answers.insert(id, answer),
                    None => entry.answers.remove(&id),
                };
                self.stage(Row::Alert(circle.id(), *alert), cbor::encode(&entry));
            }
        }
        Ok(())
    }

    /// What an erased record asked is asked no more: what it said of that is gone.
    pub(super) fn unalert(
        &mut self,
        rows: &impl Rows,
        circle: &Circle,
        erased: RecordId,
        facts: &Facts,
    ) -> Result<(), StorageError> {
        if facts.kind != Kind::Alert as u64 {
            return Ok(());
        }
        let mut entry = self.entry(rows, circle, facts.thing)?;
        entry.asked = entry.asked.filter(|asked| asked.record != erased);
        self.stage(Row::Alert(circle.id(), facts.thing), cbor::encode(&entry));
        Ok(())
    }

    fn entry(
        &self,
        rows: &impl Rows,
        circle: &Circle,
        alert: ThingId,
    ) -> Result<AlertEntry, StorageError> {
        Ok(self
            .alert(rows, &circle.id(), &alert)?
            .unwrap_or_else(|| AlertEntry::new(alert)))
    }

    fn asked(
        &self,
        rows: &impl Rows,
        circle: &Circle,
        version: &Version,
        said: Option<(RecordId, &Content)>,
    ) -> Result<Option<Asked>, StorageError> {
        if let Some((record, Content::Alert(alert))) = said
            && record == version.record
        {
            return Ok(Some(Asked::of(version, alert)));
        }
        let opened = self.opened_in(rows, circle, &version.record)?;
        Ok(opened.and_then(|opened| match opened.content {
            Content::Alert(alert) => Some(Asked::of(version, &alert)),
            _ => None,
        }))
    }

    /// Stages a circle's index anew, from its things.
    pub(super) fn index_circle<'a>(
        &mut self,
        rows: &impl Rows,
        circle: &Circle,
        things: impl Iterator<Item = (&'a ThingId, &'a Thing)>,
    ) -> Result<(), StorageError> {
        // An index that cannot be read is what this repairs.
        for bytes in self
            .over(rows)
            .scan(&RowPrefix::Alerts(circle.id()))
            .unwrap_or_default()
        {
            if let Ok(old) = read::<AlertEntry>(&bytes) {
                self.stage_delete(Row::Alert(circle.id(), old.thing));
            }
        }
        for (id, thing) in things {
            self.index_alert(rows, circle, *id, thing, None)?;
        }
        Ok(())
    }

    /// Stages the index of every circle, where the rows are of a time before there was one.
    pub(super) fn index_once(&mut self, rows: &impl Rows) -> Result<(), StorageError> {
        if rows.get(&Row::AlertsIndexed)?.is_some() {
            return Ok(());
        }
        let circles: Vec<_> = self.circles.values().cloned().collect();
        for circle in circles {
            let things = rows
                .scan(&RowPrefix::Things(circle.id()))?
                .iter()
                .map(|bytes| read::<(ThingId, Thing)>(bytes))
                .collect::<Result<Vec<_>, _>>()?;
            self.index_circle(rows, &circle, things.iter().map(|(id, thing)| (id, thing)))?;
        }
        self.stage(Row::AlertsIndexed, cbor::encode(&1_u64));
        Ok(())
    }
}
