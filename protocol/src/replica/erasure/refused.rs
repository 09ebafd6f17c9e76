//! Erasures that this node refused of records that it has no body of any more: its disk went back, or it answered before the record came.
//!
//! It refused because it keeps the record, so the body is waited for as long as some member may give it. Where every other member has said that it has
//! none either, there is nothing to keep: the record is shown as erased, as the others show it.

use std::collections::BTreeSet;

use crate::{
    circle::{Ack, Circle, Reason},
    content::Kind,
    dossier::Thing,
    ids::{CircleId, ThingId},
    record::Record,
    replica::{Replica, Row, RowPrefix, Rows, StorageError, rows::read},
    sign::Unverified,
};

/// Whether an acknowledgement says something new about what is missing here: of a place among that, that its member has no body there, or of the members,
/// that they may have changed.
pub(in crate::replica) fn tells_of_missing(circle: &Circle, ack: &Ack, held: Option<&Ack>) -> bool {
    let missing = || {
        let all = circle.exceptions.iter();
        all.filter(|one| one.reason == Reason::Missing)
    };
    if missing().next().is_none() {
        return false;
    }
    let Some(held) = held else {
        return true;
    };
    let mut fresh = ack
        .exceptions
        .iter()
        .filter(|one| !held.exceptions.contains(one));
    held.entry != ack.entry || fresh.any(|said| missing().any(|one| one.meets(said)))
}

impl Replica {
    /// Whether another member may have the body of a record: it was granted it, and has not said that it holds the record without it.
    pub(super) fn somebody_may_keep(
        &self,
        rows: &impl Rows,
        circle: &Circle,
        record: &Record,
    ) -> Result<bool, StorageError> {
        let (own, header) = (self.own(), &record.header.object);
        let (log, sequence) = (&header.log, header.sequence);
        let epoch = circle.charter.epoch_of(header.entry);
        for member in circle.charter.members() {
            let granted = |(epoch, _)| circle.charter.is_granted(&member.node, epoch);
            if member.node == own || !epoch.is_some_and(granted) {
                continue;
            }
            let Some(ack) = self.row(rows, &Row::Ack(circle.id(), member.node))? else {
                return Ok(true);
            };
            let ack: Unverified<Ack> =
                Unverified::parse(ack).map_err(|_| StorageError::damaged("acknowledgement"))?;
            let without = [Reason::Erased, Reason::Missing, Reason::NotGranted];
            let mut said = ack.object.exceptions.iter();
            if !said.any(|one| one.holds(log, sequence) && without.contains(&one.reason)) {
                return Ok(true);
            }
        }
        Ok(false)
    }

    /// Looks again at the erasures of what is missing here, whatever this node has answered. Reads all things of the circle.
    pub(in crate::replica) fn follow_what_is_missing(
        &mut self,
        rows: &impl Rows,
        id: &CircleId,
    ) -> Result<(), StorageError> {
        let Some(circle) = self.circles.get(id).cloned() else {
            return Ok(());
        };
        let mut asked = BTreeSet::new();
        for bytes in self.over(rows).scan(&RowPrefix::Things(*id))? {
            let (thing, held): (ThingId, Thing) = read(&bytes)?;
            if !held.has(Kind::Erasure) {
                continue;
            }
            let wish = self.wish(rows, &circle, thing, &held)?;
            let names = wish.map(|wish| (wish.erasure.log, wish.erasure.sequence));
            let missing = |(log, at)| circle.excepted(&log, at) == Some(Reason::Missing);
            if names.is_some_and(missing) {
                asked.insert(thing);
            }
        }
        self.follow_erasures(rows, id, asked)
    }
}
