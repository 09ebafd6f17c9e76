//! What the file says, as of the last commit.

mod alerts;
mod records;
mod show;

pub use alerts::{AlertMark, AlertsWanted};
pub(super) use show::ThingsWanted;
pub use show::{NoMark, ThingMark};

use std::collections::BTreeMap;

use maillon_protocol::{
    admin::{AlertView, CircleLine, RecordView},
    cbor,
    circle::{Ack, Circle, Opened},
    content::{Content, Kind, PatientIdentity, Structure},
    dossier::{Delivery, DossierDigest, Standing, Thing, Version},
    ids::{CircleId, Hash, LogId, NodeId, RecordId, ThingId},
    record::Record,
    replica::{DeliveryRow, Location, Row, RowPrefix, Rows},
    sign::Unverified,
};

use super::{Care, CareError, names::Names};
use crate::ledger::{Shared, records_of};
use alerts::Shown;

/// Most records, things or circles in one page.
pub const DEEPEST_PAGE: usize = 500;

/// Where a page of records ended: a log and a sequence.
pub(super) type RecordMark = (LogId, u64);

fn damaged(what: &'static str) -> CareError {
    CareError::Text(what)
}

/// Where a record is.
pub(super) fn locate(shared: &Shared, record: &RecordId) -> Result<Option<Location>, CareError> {
    match shared.rows().get(&Row::Place(*record))? {
        Some(bytes) => Ok(Some(cbor::decode(&bytes).map_err(|_| {
            damaged("a record's place cannot be read: run `maillonctl doctor`")
        })?)),
        None => Ok(None),
    }
}

/// Where a record stands.
enum Branch {
    /// In its log.
    First,
    /// Aside, on a branch that came later.
    Other,
}

/// A committed record with its place, read once.
fn placed(shared: &Shared, id: &RecordId) -> Result<Option<(Location, Record, Branch)>, CareError> {
    let Some(place) = locate(shared, id)? else {
        return Ok(None);
    };
    let held = shared.read(|view| view.record(&place.circle, &place.log, place.sequence))?;
    if let Some(held) = held.filter(|held| held.id() == *id) {
        return Ok(Some((place, held, Branch::First)));
    }
    let aside = shared.read(|view| view.find(id))?;
    Ok(aside.map(|(_, record)| (place, record, Branch::Other)))
}

/// A committed record with its circle.
pub(super) fn record(
    shared: &Shared,
    id: &RecordId,
) -> Result<Option<(std::sync::Arc<Circle>, Record)>, CareError> {
    let Some((circle, record)) = shared.read(|view| view.find(id))? else {
        return Ok(None);
    };
    Ok(shared.circle(&circle).map(|circle| (circle, record)))
}

/// A record's content, where it can be read here.
pub(super) fn opened(
    shared: &Shared,
    id: &RecordId,
) -> Result<Option<(CircleId, Opened)>, CareError> {
    let Some((circle, record)) = record(shared, id)? else {
        return Ok(None);
    };
    Ok(circle
        .read(&record)
        .ok()
        .map(|opened| (circle.id(), opened)))
}

/// All things of a circle, in the order of their ids.
pub(super) fn things(
    shared: &Shared,
    circle: &CircleId,
) -> Result<BTreeMap<ThingId, Thing>, CareError> {
    let mut all = BTreeMap::new();
    for bytes in shared.rows().scan(&RowPrefix::Things(*circle))? {
        let (id, thing): (ThingId, Thing) = cbor::decode(&bytes)
            .map_err(|_| damaged("a view cannot be read: run `maillonctl sync rebuild`"))?;
        all.insert(id, thing);
    }
    Ok(all)
}

/// One thing of a circle; none where there is no such.
pub(super) fn thing(
    shared: &Shared,
    circle: &CircleId,
    id: &ThingId,
) -> Result<Option<Thing>, CareError> {
    let Some(bytes) = shared.rows().get(&Row::Thing(*circle, *id))? else {
        return Ok(None);
    };
    let (_, thing): (ThingId, Thing) = cbor::decode(&bytes)
        .map_err(|_| damaged("a view cannot be read: run `maillonctl sync rebuild`"))?;
    Ok(Some(thing))
}

/// The versions that stand, newest first.
pub(super) fn standing(thing: &Thing) -> Vec<&Version> {
    match thing.standing() {
        Standing::Nothing => Vec::new(),
        Standing::One(one) => vec![one],
        Standing::Conflict(several) => several,
    }
}

/// What is shown of a thing: what stands, newest first; where nothing does, what came after its author's removal. It had been shown before that was known.
pub(super) fn shown(thing: &Thing) -> Vec<&Version> {
    let stands = standing(thing);
    if !stands.is_empty() {
        return stands;
    }
    let late = || thing.contested().filter(|version| version.after_removal);
    let newest = late().max_by_key(|version| (version.time, version.record));
    newest.into_iter().collect()
}

/// Identities that stand in a circle, newest first.
pub(super) fn identities(
    shared: &Shared,
    circle: &CircleId,
) -> Result<Vec<PatientIdentity>, CareError> {
    let mut found = Vec::new();
    for thing in things(shared, circle)?.values() {
        if thing.kind() != Some(Kind::PatientIdentity as u64) {
            continue;
        }
        for version in standing(thing) {
            if let Some((_, opened)) = opened(shared, &version.record)?
                && let Content::PatientIdentity(identity) = opened.content
            {
                found.push(identity);
            }
        }
    }
    Ok(found)
}

/// What each member of a circle said last that it has.
pub(super) fn acks(shared: &Shared, circle: &CircleId) -> Result<BTreeMap<NodeId, Ack>, CareError> {
    let mut found = BTreeMap::new();
    for bytes in shared.rows().scan(&RowPrefix::Acks(*circle))? {
        let ack = Unverified::<Ack>::parse(bytes)
            .map_err(|_| damaged("an acknowledgement cannot be read: run `maillonctl doctor`"))?;
        found.insert(ack.object.node, ack.object);
    }
    Ok(found)
}

/// What every view of a circle's records needs, read once.
pub(super) struct Around {
    acks: BTreeMap<NodeId, Ack>,
    names: Names,
}

impl Care {
    pub(super) fn around(&self, circle: &CircleId) -> Result<Around, CareError> {
        Ok(Around {
            acks: acks(self.shared(), circle)?,
            names: self.names(),
        })
    }

    /// Far-reaching facts of one circle, without anything about the person.
    pub fn line(&self, circle: &Circle) -> CircleLine {
        let own = self.shared().own();
        let state = circle.charter.state();
        CircleLine {
            circle: circle.id(),
            subject: state.subject,
            steward: state.steward == own,
            member: circle.charter.is_member(&own),
            members: circle.charter.members().count() as u64,
            entry: circle.charter.number(),
            records: records_of(circle),
            closed: state.closed,
            continues: circle.continues.map(|old| old.circle),
            continued: circle.continued,
            unconfirmed: circle.unconfirmed,
        }
    }

    /// Circles, page by page, in the order of their names.
    pub fn circles(&self, after: Option<&CircleId>, limit: usize) -> Vec<CircleLine> {
        let mut all = self.shared().circles();
        all.sort_by_key(|circle| circle.id());
        all.iter()
            .filter(|circle| after.is_none_or(|after| circle.id() > *after))
            .take(limit.clamp(1, DEEPEST_PAGE))
            .map(|circle| self.line(circle))
            .collect()
    }

    /// How far a record got, structure by structure, as this node knows it.
    fn delivery_of(
        &self,
        circle: &Circle,
        id: &RecordId,
        author: NodeId,
        written_ms: u64,
        around: &Around,
    ) -> Result<Vec<(NodeId, String, Delivery)>, CareError> {
        let placed = placed(self.shared(), id)?;
        // Acknowledgements speak of the branch that came first.
        let Some((place, _, Branch::First)) = placed else {
            return Ok(Vec::new());
        };
        self.delivery_from(circle, id, &place, (author, written_ms), around)
    }

    /// The same of a record that is there.
    fn delivery_from(
        &self,
        circle: &Circle,
        id: &RecordId,
        place: &Location,
        (author, written_ms): (NodeId, u64),
        around: &Around,
    ) -> Result<Vec<(NodeId, String, Delivery)>, CareError> {
        let shared = self.shared();
        if circle.charter.members().all(|member| member.node == author) {
            return Ok(Vec::new());
        }
        let kept: Option<DeliveryRow> = shared
            .rows()
            .get(&Row::Delivery(circle.id(), *id))?
            .and_then(|bytes| cbor::decode(&bytes).ok());
        let first = |node: &NodeId| {
            kept.as_ref()
                .and_then(|row| row.delivered.iter().find(|(reached, _)| reached == node))
                .map(|(_, at_ms)| *at_ms)
        };
        let own = shared.own();
        Ok(circle
            .charter
            .members()
            .filter(|member| member.node != author)
            .map(|member| {
                let node = member.node;
                let delivery = if node == own {
                    Delivery::Delivered { at_ms: written_ms }
                } else {
                    Delivery::of(
                        around.acks.get(&node).filter(|ack| {
                            let reached = shared.read(|view| view.reached(circle, ack, &place.log));
                            // Beyond what it reached there may be the reason why it is not shown.
                            place.sequence <= reached || ack.height_of(&place.log) < place.sequence
                        }),
                        &place.log,
                        place.sequence,
                        written_ms,
                        first(&node),
                    )
                };
                (node, around.names.of(&node), delivery)
            })
            .collect())
    }

    /// What a record says; none where it is not here or cannot be read here.
    ///
    /// # Errors
    /// [`CareError`].
    pub fn view(&self, id: &RecordId) -> Result<Option<RecordView>, CareError> {
        let Some(place) = locate(self.shared(), id)? else {
            return Ok(None);
        };
        let around = self.around(&place.circle)?;
        let Some(mut view) = self.view_with(id, &around)? else {
            return Ok(None);
        };
        if matches!(view.content, Content::Alert(_)) {
            view.alert = self.alert_of(&view.circle, &view.thing, &around, Shown::All)?;
        }
        Ok(Some(view))
    }

    /// Where the alert of a thing stands.
    fn alert_of(
        &self,
        circle: &CircleId,
        thing: &ThingId,
        around: &Around,
        shown: Shown,
    ) -> Result<Option<AlertView>, CareError> {
        let circle = self.shared().circle(circle).ok_or(CareError::NoCircle)?;
        let entry = self.alert_entry(&circle.id(), thing)?;
        let asked = entry.as_ref().and_then(|entry| entry.asked.as_ref());
        match (&entry, asked) {
            (Some(entry), Some(asked)) => self
                .alert_view(&circle, entry, asked, around, shown)
                .map(Some),
            _ => Ok(None),
        }
    }

    fn view_with(&self, id: &RecordId, around: &Around) -> Result<Option<RecordView>, CareError> {
        let shared = self.shared();
        let Some((place, record, branch)) = placed(shared, id)? else {
            return Ok(None);
        };
        let Some(circle) = shared.circle(&place.circle) else {
            return Ok(None);
        };
        let Ok(opened) = circle.read(&record) else {
            return Ok(None);
        };
        let header = &record.header.object;
        let node = header.log.node;
        let from = (node, header.time.ms());
        let delivery = match branch {
            Branch::First => self.delivery_from(&circle, id, &place, from, around)?,
            Branch::Other => Vec::new(),
        };
        let structure = around.names.of(&node);
        let mut author = opened.envelope.author;
        if node != shared.own() {
            // A record says of its author's structure what it likes; the log says which node wrote it.
            author.structure = Structure {
                name: structure.clone(),
                identifiers: Vec::new(),
            };
        }
        Ok(Some(RecordView {
            circle: circle.id(),
            record: *id,
            thing: opened.envelope.thing,
            node,
            structure,
            author,
            time: header.time,
            occurred_ms: opened.envelope.occurred_ms,
            delivery: super::document::with_files(
                delivery,
                &opened.content,
                header,
                &around.acks,
                &circle,
            ),
            content: opened.content,
            alert: None,
            ahead: ahead(shared, &circle.id(), id)?,
            forked: circle.branches.parted(&header.log, header.sequence),
        }))
    }

    /// SHA-256 over what a circle shows: equal at nodes that show the same.
    ///
    /// # Errors
    /// [`CareError`].
    pub fn digest(&self, id: &CircleId) -> Result<Hash, CareError> {
        let mut digest = DossierDigest::default();
        for (thing, value) in &things(self.shared(), id)? {
            digest.add(thing, value);
        }
        Ok(digest.finish())
    }
}

/// Records here that a member may have and has not acknowledged.
pub(super) fn waiting(shared: &Shared, circle: &Circle, member: &NodeId, ack: Option<&Ack>) -> u64 {
    shared
        .read(|view| view.owed(circle, member, ack))
        .into_iter()
        .map(|(_, from, to)| to - from + 1)
        .sum()
}

fn ahead(shared: &Shared, circle: &CircleId, record: &RecordId) -> Result<Option<u64>, CareError> {
    Ok(shared
        .rows()
        .get(&Row::Ahead(*circle, *record))?
        .and_then(|bytes| cbor::decode::<(RecordId, u64)>(&bytes).ok())
        .map(|(_, at_ms)| at_ms))
}
