//! What the file says, as of the last commit.

use std::collections::BTreeMap;

use maillon_protocol::{
    admin::{AlertView, CircleLine, CircleView, MemberLine, RecordLine, RecordView, ThingView},
    cbor,
    circle::{Ack, Circle, Opened, Reason},
    content::{Alert, AlertStep, Content, Kind, PatientIdentity},
    dossier::{Delivery, DossierDigest, Standing, Thing, Version},
    ids::{CircleId, Hash, LogId, NodeId, RecordId, ThingId},
    record::Record,
    replica::{DeliveryRow, Location, Row, RowPrefix, Rows},
    sign::Unverified,
    sync::View,
};

use super::{Care, CareError};
use crate::{
    clock::now_ms,
    ledger::{Shared, record_head, records_of},
    store::{Range, Table},
};

/// Most records, things or circles in one page.
pub const DEEPEST_PAGE: usize = 500;

/// Most things in one answer; more are counted.
const MOST_THINGS: usize = 300;
/// About how many bytes of them.
const MOST_BYTES: usize = 600 << 10;

/// About how many bytes of text a content has.
fn size_of_text(content: &Content) -> usize {
    content.payload().map_or(0, |payload| payload.0.len())
}

/// Where a page of records ended: a log and a sequence.
pub(super) type RecordMark = (LogId, u64);

fn damaged(what: &'static str) -> CareError {
    CareError::Text(what)
}

/// Where a record is.
fn locate(shared: &Shared, record: &RecordId) -> Result<Option<Location>, CareError> {
    match shared.rows().get(&Row::Place(*record))? {
        Some(bytes) => Ok(Some(cbor::decode(&bytes).map_err(|_| {
            damaged("a record's place cannot be read: run `maillonctl doctor`")
        })?)),
        None => Ok(None),
    }
}

/// A committed record with its circle.
pub(super) fn record(
    shared: &Shared,
    id: &RecordId,
) -> Result<Option<(std::sync::Arc<Circle>, Record)>, CareError> {
    let Some(place) = locate(shared, id)? else {
        return Ok(None);
    };
    let Some(circle) = shared.circle(&place.circle) else {
        return Ok(None);
    };
    let record = shared.look(now_ms(), |view| {
        view.record(&place.circle, &place.log, place.sequence)
    })?;
    Ok(record.map(|record| (circle, record)))
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

/// The versions that stand, newest first.
pub(super) fn standing(thing: &Thing) -> Vec<&Version> {
    match thing.standing() {
        Standing::Nothing => Vec::new(),
        Standing::One(one) => vec![one],
        Standing::Conflict(several) => several,
    }
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

fn acks(shared: &Shared, circle: &CircleId) -> Result<BTreeMap<NodeId, Ack>, CareError> {
    let mut found = BTreeMap::new();
    for bytes in shared.rows().scan(&RowPrefix::Acks(*circle))? {
        let ack = Unverified::<Ack>::parse(bytes)
            .map_err(|_| damaged("an acknowledgement cannot be read: run `maillonctl doctor`"))?;
        found.insert(ack.object.node, ack.object);
    }
    Ok(found)
}

impl Care {
    /// The name of a node's structure, as its descriptor says.
    pub fn structure_of(&self, node: &NodeId) -> String {
        let shared = self.shared();
        if *node == shared.own() {
            return shared.descriptor().object.name;
        }
        shared
            .rows()
            .get(&Row::Descriptor(*node))
            .ok()
            .flatten()
            .and_then(|bytes| {
                Unverified::<maillon_protocol::descriptor::Descriptor>::parse(bytes).ok()
            })
            .map_or_else(
                || format!("…{}", node.short()),
                |descriptor| descriptor.object.name,
            )
    }

    /// Records whose printed ids begin with `text` (twelve digits or more).
    ///
    /// # Errors
    /// [`CareError`].
    pub fn records_named(&self, text: &str) -> Result<Vec<RecordId>, CareError> {
        if let Ok(id) = text.parse::<RecordId>() {
            return Ok(vec![id]);
        }
        let Some(six) = text
            .get(..12)
            .and_then(|head| data_encoding::HEXLOWER.decode(head.as_bytes()).ok())
        else {
            return Ok(Vec::new());
        };
        let store = &self.shared().rows().0;
        let mut found = Vec::new();
        for row in store
            .scan(Table::Ids, &record_head(store, &six), Range::all())?
            .take(16)
        {
            let (_, bytes) = row?;
            let place: Location = cbor::decode(&bytes).map_err(|_| CareError::NoRecord)?;
            let id = self.shared().look(now_ms(), |view| {
                view.record_id(&place.circle, &place.log, place.sequence)
            });
            found.extend(id.filter(|id| id.to_string().starts_with(text)));
        }
        Ok(found)
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
            members: state.members.len() as u64,
            entry: circle.charter.number(),
            records: records_of(circle),
            closed: state.closed,
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

    /// One circle in full.
    ///
    /// # Errors
    /// [`CareError`].
    pub fn show(&self, id: &CircleId) -> Result<CircleView, CareError> {
        let shared = self.shared();
        let circle = shared.circle(id).ok_or(CareError::NoCircle)?;
        let acks = acks(shared, id)?;
        let members = circle
            .charter
            .state()
            .members
            .iter()
            .map(|member| MemberLine {
                node: member.node,
                structure: self.structure_of(&member.node),
                steward: member.node == circle.charter.state().steward,
                since: member.since,
                grant: member.grant,
                waiting: if member.node == shared.own() {
                    0
                } else {
                    waiting(shared, &circle, &member.node, acks.get(&member.node))
                },
            })
            .collect();
        let things = things(shared, id)?;
        let mut order: Vec<(&ThingId, &Thing)> = things.iter().collect();
        // Newest first, so that what does not fit into one answer is the oldest.
        order.sort_by_key(|(_, thing)| {
            std::cmp::Reverse(
                thing
                    .newest()
                    .map(|newest| (newest.occurred_ms, newest.time, newest.record)),
            )
        });
        let mut identity = Vec::new();
        let mut shown = Vec::new();
        let mut older = 0;
        let mut bytes = 0;
        for (thing_id, thing) in order {
            let is_identity = thing.kind() == Some(Kind::PatientIdentity as u64);
            if !is_identity && (shown.len() >= MOST_THINGS || bytes >= MOST_BYTES) {
                older += u64::from(thing.newest().is_some());
                continue;
            }
            let mut views = Vec::new();
            for version in standing(thing) {
                views.extend(self.view_with(&version.record, &acks)?);
            }
            if is_identity {
                identity.extend(views.into_iter().filter_map(|view| match view.content {
                    Content::PatientIdentity(identity) => Some(identity),
                    _ => None,
                }));
                continue;
            }
            if views.is_empty() {
                continue;
            }
            bytes += views
                .iter()
                .map(|view| 1024 + size_of_text(&view.content))
                .sum::<usize>();
            let alert = match &views[0].content {
                Content::Alert(alert) => {
                    Some(self.alert(&circle, &things, thing, alert, &views[0], &acks)?)
                }
                _ => None,
            };
            let contested = thing.contested().count();
            shown.push(ThingView {
                thing: *thing_id,
                parent: thing.parent.first().copied(),
                superseded: (thing.versions.len().saturating_sub(views.len() + contested)) as u64,
                contested: contested as u64,
                standing: views,
                alert,
            });
        }
        shown.reverse();
        let doubts = identity.iter().flat_map(doubts_of).collect();
        Ok(CircleView {
            line: self.line(&circle),
            members,
            identity,
            consent: self.allows_sharing(id)?,
            things: shown,
            older,
            doubts,
        })
    }

    fn alert(
        &self,
        circle: &Circle,
        things: &BTreeMap<ThingId, Thing>,
        thing: &Thing,
        alert: &Alert,
        view: &RecordView,
        acks: &BTreeMap<NodeId, Ack>,
    ) -> Result<AlertView, CareError> {
        let mut furthest: BTreeMap<NodeId, (AlertStep, u64)> = BTreeMap::new();
        for child in &thing.children {
            let Some(answer) = things.get(child).and_then(Thing::newest) else {
                continue;
            };
            let Some(step) = step_of(answer) else {
                continue;
            };
            let entry = furthest
                .entry(answer.node)
                .or_insert((step, answer.time.ms()));
            if step > entry.0 {
                *entry = (step, answer.time.ms());
            }
        }
        let step = furthest.values().map(|(step, _)| *step).max();
        let mut structures =
            self.delivery_of(circle, &view.record, view.node, view.time.ms(), acks)?;
        for (node, _, delivery) in &mut structures {
            if let Some((step, at_ms)) = furthest.get(node) {
                *delivery = Delivery::Answered {
                    step: *step,
                    at_ms: *at_ms,
                };
            }
        }
        Ok(AlertView {
            severity: alert.severity,
            step,
            structures,
        })
    }

    /// How far a record got, structure by structure, as this node knows it.
    fn delivery_of(
        &self,
        circle: &Circle,
        id: &RecordId,
        author: NodeId,
        written_ms: u64,
        acks: &BTreeMap<NodeId, Ack>,
    ) -> Result<Vec<(NodeId, String, Delivery)>, CareError> {
        let shared = self.shared();
        let Some(place) = locate(shared, id)? else {
            return Ok(Vec::new());
        };
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
            .state()
            .members
            .iter()
            .filter(|member| member.node != author)
            .map(|member| {
                let node = member.node;
                let delivery = if node == own {
                    Delivery::Delivered { at_ms: written_ms }
                } else {
                    Delivery::of(
                        acks.get(&node).filter(|ack| {
                            let reached =
                                shared.look(0, |view| view.reached(circle, ack, &place.log));
                            // Beyond what it reached there may be the reason why it is not shown.
                            place.sequence <= reached || ack.height_of(&place.log) < place.sequence
                        }),
                        &place.log,
                        place.sequence,
                        written_ms,
                        first(&node),
                    )
                };
                (node, self.structure_of(&node), delivery)
            })
            .collect())
    }

    /// What a record says; none where it is not here or cannot be read here.
    ///
    /// # Errors
    /// [`CareError`].
    pub fn view(&self, id: &RecordId) -> Result<Option<RecordView>, CareError> {
        match locate(self.shared(), id)? {
            Some(place) => self.view_with(id, &acks(self.shared(), &place.circle)?),
            None => Ok(None),
        }
    }

    fn view_with(
        &self,
        id: &RecordId,
        acks: &BTreeMap<NodeId, Ack>,
    ) -> Result<Option<RecordView>, CareError> {
        let shared = self.shared();
        let Some((circle, record)) = record(shared, id)? else {
            return Ok(None);
        };
        let Ok(opened) = circle.read(&record) else {
            return Ok(None);
        };
        let header = &record.header.object;
        Ok(Some(RecordView {
            circle: circle.id(),
            record: *id,
            thing: opened.envelope.thing,
            node: header.log.node,
            structure: self.structure_of(&header.log.node),
            author: opened.envelope.author,
            time: header.time,
            occurred_ms: opened.envelope.occurred_ms,
            content: opened.content,
            ahead: ahead(shared, &circle.id(), id)?,
            delivery: self.delivery_of(&circle, id, header.log.node, header.time.ms(), acks)?,
        }))
    }

    /// Why a record that is here cannot be read here.
    ///
    /// # Errors
    /// [`CareError::NoRecord`].
    pub fn unreadable(&self, id: &RecordId) -> Result<Option<Reason>, CareError> {
        let (circle, record) = record(self.shared(), id)?.ok_or(CareError::NoRecord)?;
        Ok(circle.read(&record).err())
    }

    /// A record's sealed bytes: deterministic CBOR `[header, body]`.
    ///
    /// # Errors
    /// [`CareError::NoRecord`].
    pub fn sealed(&self, id: &RecordId) -> Result<Vec<u8>, CareError> {
        let (_, record) = record(self.shared(), id)?.ok_or(CareError::NoRecord)?;
        Ok(cbor::encode(&maillon_protocol::sync::SentRecord {
            header: cbor::Bytes(record.header.bytes),
            body: cbor::Bytes(record.body.unwrap_or_default()),
        }))
    }

    /// Records of a circle, log by log, page by page.
    ///
    /// # Errors
    /// [`CareError`].
    pub fn records(
        &self,
        id: &CircleId,
        after: Option<(LogId, u64)>,
        limit: usize,
    ) -> Result<(Vec<RecordLine>, Option<RecordMark>), CareError> {
        let shared = self.shared();
        let circle = shared.circle(id).ok_or(CareError::NoCircle)?;
        let limit = limit.clamp(1, DEEPEST_PAGE);
        let mut lines = Vec::new();
        for (log, tip) in &circle.logs {
            let from = match after {
                Some((at, _)) if *log < at => continue,
                Some((at, sequence)) if *log == at => sequence + 1,
                _ => tip.first,
            };
            let up_to = tip.height.min(
                from.saturating_add((limit - lines.len()) as u64)
                    .saturating_sub(1),
            );
            if from > up_to {
                continue;
            }
            for record in shared.look(now_ms(), |view| {
                view.records(id, log, from, up_to, usize::MAX)
            }) {
                let header = &record.header.object;
                lines.push(RecordLine {
                    record: record.id(),
                    log: header.log,
                    sequence: header.sequence,
                    time: header.time,
                    entry: header.entry,
                    bytes: header.body_length,
                    ahead: ahead(shared, id, &record.id())?,
                });
            }
            if lines.len() >= limit {
                break;
            }
        }
        let next = (lines.len() >= limit)
            .then(|| lines.last().map(|line| (line.log, line.sequence)))
            .flatten();
        Ok((lines, next))
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
        .look(0, |view| view.owed(circle, member, ack))
        .into_iter()
        .map(|(_, from, to)| to - from + 1)
        .sum()
}

fn step_of(version: &Version) -> Option<AlertStep> {
    if version.kind != Kind::AlertAnswer as u64 {
        return None;
    }
    match version.code {
        0 => Some(AlertStep::Acknowledge),
        1 => Some(AlertStep::TakeCharge),
        2 => Some(AlertStep::Close),
        _ => None,
    }
}

fn ahead(shared: &Shared, circle: &CircleId, record: &RecordId) -> Result<Option<u64>, CareError> {
    Ok(shared
        .rows()
        .get(&Row::Ahead(*circle, *record))?
        .and_then(|bytes| cbor::decode::<(RecordId, u64)>(&bytes).ok())
        .map(|(_, at_ms)| at_ms))
}

/// Doubts that an identity carries by itself.
fn doubts_of(identity: &PatientIdentity) -> Vec<String> {
    match &identity.ins {
        Some(ins) if !ins.may_match() => {
            vec!["the control key of the INS is wrong: the number is kept as unverified and matches nobody".to_owned()]
        }
        _ => Vec::new(),
    }
}
