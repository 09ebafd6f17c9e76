//! Erasures: this structure asks for one, and decides about those that others ask for. Each structure answers for what it keeps itself, so nothing
//! is erased here without a person's word, or the configuration's.

use std::{collections::BTreeMap, sync::Arc};

use maillon_protocol::{
    admin::{ErasureLine, ErasureWord},
    cbor,
    circle::Circle,
    content::{Content, Erased, Erasure, ErasureReason, Kind},
    dossier::{Thing, Version},
    ids::{CircleId, NodeId, RecordId, ThingId},
    replica::{EraseFailed, Erasing, Replica, Row, Rows, Written},
};

use super::{Actor, Care, CareError, Category, audit, names::Names, origin, read};
use crate::audit::About;

/// An erasure as it was found.
struct Found {
    circle: CircleId,
    thing: ThingId,
}

impl Care {
    /// Asks that a record be erased, and erases it here.
    ///
    /// # Errors
    /// [`CareError::Erase`]; those of writing.
    pub async fn ask_erasure(
        &self,
        actor: &Actor,
        record: RecordId,
        reason: ErasureReason,
    ) -> Result<Written, CareError> {
        self.may_write(actor, &[Category::Administration])?;
        let (held, _) =
            read::record(self.shared(), &record)?.ok_or_else(|| super::no_record(&record))?;
        self.in_team(actor, &held.id())?;
        let (circle, actor) = (held.id(), actor.clone());
        let job = self.ledger.run(move |tx| {
            let (replica, rows, now, rng) = (&mut *tx.replica, tx.rows, tx.now_ms, &mut *tx.rng);
            let author = || actor.professional.clone();
            let asked = replica.ask_erasure(rows, &circle, record, reason, author(), now, rng)?;
            replica.erase(rows, &circle, asked.thing, author(), now, rng)?;
            origin::empty(tx, circle, Some(record))?;
            audit::note(tx, &actor, "erasure.ask", About::record(circle, record))?;
            Ok::<_, CareError>(asked)
        });
        Ok(job.await?)
    }

    /// The erasures that wait for this node's word, in one circle or in all, oldest first.
    ///
    /// # Errors
    /// [`CareError`].
    pub fn erasures(&self, circle: Option<&CircleId>) -> Result<Vec<ErasureLine>, CareError> {
        let shared = self.shared();
        let waiting = match circle {
            Some(one) if shared.circle(one).is_none() => return Err(CareError::NoCircle),
            Some(one) => Replica::erasures(shared.rows(), one)?,
            None => Replica::all_erasures(shared.rows())?,
        };
        if waiting.is_empty() {
            return Ok(Vec::new());
        }
        let names = self.names();
        let mut lines = Vec::new();
        for one in waiting {
            if let Some(circle) = self.member_of(&one.circle) {
                lines.extend(self.erasure_line(&circle, one.thing, &names, true)?);
            }
        }
        lines.sort_by_key(|line| (line.at_ms, line.erasure));
        Ok(lines)
    }

    /// How many erasures wait for this node's word.
    ///
    /// # Errors
    /// [`CareError`].
    pub fn erasures_here(&self) -> Result<usize, CareError> {
        let waiting = Replica::all_erasures(self.shared().rows())?;
        let here = |one: &&Erasing| self.member_of(&one.circle).is_some();
        Ok(waiting.iter().filter(here).count())
    }

    /// A circle, if this node is a member: who is in it no more can answer nothing.
    fn member_of(&self, circle: &CircleId) -> Option<Arc<Circle>> {
        let shared = self.shared();
        let member = |held: &Arc<Circle>| held.charter.is_member(&shared.own());
        shared.circle(circle).filter(member)
    }

    /// Every erasure of a record that somebody who may has asked for, with what each structure did.
    ///
    /// # Errors
    /// [`CareError`].
    pub fn erasures_of(&self, record: &RecordId) -> Result<Vec<ErasureLine>, CareError> {
        let shared = self.shared();
        let (circle, _) = read::record(shared, record)?.ok_or_else(|| super::no_record(record))?;
        let waiting = Replica::erasures(shared.rows(), &circle.id())?;
        let names = self.names();
        let mut lines = Vec::new();
        for (id, thing) in &read::things(shared, &circle.id())? {
            if thing.kind() != Some(Kind::Erasure as u64) {
                continue;
            }
            let waits = waiting.iter().any(|one| one.thing == *id);
            let line = self.erasure_line(&circle, *id, &names, waits)?;
            lines.extend(line.filter(|line| line.record == *record));
        }
        lines.sort_by_key(|line| (line.at_ms, line.erasure));
        Ok(lines)
    }

    fn erasure_line(
        &self,
        circle: &Circle,
        thing: ThingId,
        names: &Names,
        waits: bool,
    ) -> Result<Option<ErasureLine>, CareError> {
        let shared = self.shared();
        let Some(held) = self.thing_here(&circle.id(), &thing)? else {
            return Ok(None);
        };
        let Some(version) = held.first() else {
            return Ok(None);
        };
        let Some((_, opened)) = read::opened(shared, &version.record)? else {
            return Ok(None);
        };
        let Content::Erasure(erasure) = opened.content else {
            return Ok(None);
        };
        Ok(Some(ErasureLine {
            erasure: version.record,
            circle: circle.id(),
            record: erasure.record,
            kind: erasure.facts.kind,
            occurred_ms: erasure.facts.occurred_ms,
            written_by: names.of(&erasure.log.node),
            reason: erasure.reason,
            by: opened.envelope.author.name,
            structure: names.of(&version.node),
            at_ms: opened.envelope.occurred_ms,
            waits,
            answers: self.words(circle, &held, names)?,
        }))
    }

    /// What each member has answered to an erasure.
    fn words(
        &self,
        circle: &Circle,
        wish: &Thing,
        names: &Names,
    ) -> Result<Vec<ErasureWord>, CareError> {
        let mut said: BTreeMap<NodeId, Version> = BTreeMap::new();
        for child in &wish.children {
            let Some(answer) = self.thing_here(&circle.id(), child)? else {
                continue;
            };
            for version in answer.versions {
                if version.kind == Kind::ErasureAnswer as u64 && !version.after_removal {
                    said.insert(version.node, version);
                }
            }
        }
        let members = circle.charter.members().map(|member| member.node);
        let word = |node: NodeId| {
            let version = said.get(&node);
            ErasureWord {
                node,
                structure: names.of(&node),
                answer: version.and_then(|version| answer_of(version.code)),
                at_ms: version.map(|version| version.time.ms()),
            }
        };
        Ok(members.map(word).collect())
    }

    fn thing_here(&self, circle: &CircleId, thing: &ThingId) -> Result<Option<Thing>, CareError> {
        let Some(bytes) = self.shared().rows().get(&Row::Thing(*circle, *thing))? else {
            return Ok(None);
        };
        let read = cbor::decode::<(ThingId, Thing)>(&bytes);
        let (_, thing) = read
            .map_err(|_| CareError::Text("a view cannot be read: run `maillonctl sync rebuild`"))?;
        Ok(Some(thing))
    }

    fn found_erasure(&self, erasure: &RecordId) -> Result<Found, CareError> {
        let (circle, opened) =
            read::opened(self.shared(), erasure)?.ok_or_else(|| super::no_record(erasure))?;
        match opened.content {
            Content::Erasure(Erasure { .. }) => Ok(Found {
                circle,
                thing: opened.envelope.thing,
            }),
            _ => Err(EraseFailed::Ended.into()),
        }
    }

    /// Erases here what another structure asks for, and says so.
    ///
    /// # Errors
    /// [`CareError::Erase`].
    pub async fn erase(&self, actor: &Actor, erasure: RecordId) -> Result<(), CareError> {
        self.may_write(actor, &[Category::Administration])?;
        let found = self.found_erasure(&erasure)?;
        self.in_team(actor, &found.circle)?;
        let actor = actor.clone();
        let job = self.ledger.run(move |tx| {
            let (replica, rows, now, rng) = (&mut *tx.replica, tx.rows, tx.now_ms, &mut *tx.rng);
            let author = actor.professional.clone();
            let record = replica.erase(rows, &found.circle, found.thing, author, now, rng)?;
            origin::empty(tx, found.circle, Some(record))?;
            let about = About::record(found.circle, record);
            audit::note(tx, &actor, "erasure.carry-out", about)
        });
        Ok(job.await?)
    }

    /// Keeps what another structure asks to erase, and says so.
    ///
    /// # Errors
    /// [`CareError::Erase`].
    pub async fn refuse_erasure(&self, actor: &Actor, erasure: RecordId) -> Result<(), CareError> {
        self.may_write(actor, &[Category::Administration])?;
        let found = self.found_erasure(&erasure)?;
        self.in_team(actor, &found.circle)?;
        let actor = actor.clone();
        let job = self.ledger.run(move |tx| {
            let (replica, rows, now, rng) = (&mut *tx.replica, tx.rows, tx.now_ms, &mut *tx.rng);
            let author = actor.professional.clone();
            let record =
                replica.refuse_erasure(rows, &found.circle, found.thing, author, now, rng)?;
            let about = About::record(found.circle, record);
            audit::note(tx, &actor, "erasure.refuse", about)
        });
        Ok(job.await?)
    }

    /// Empties the imported files from which an erased record came, or all that is left of a circle.
    ///
    /// # Errors
    /// [`CareError`].
    pub async fn forget_origin(
        &self,
        circle: CircleId,
        record: Option<RecordId>,
    ) -> Result<(), CareError> {
        let job = self.ledger.run(move |tx| origin::empty(tx, circle, record));
        Ok(job.await?)
    }

    /// Answers what needs no person: what has no body here, what says something else of a record than it says, and all that may be carried out where
    /// the configuration says so. What cannot be done now is tried again with the next news.
    ///
    /// # Errors
    /// [`CareError`] where rows cannot be read.
    pub async fn settle_erasures(&self, all: bool) -> Result<(), CareError> {
        for line in self.erasures(None)? {
            let circle = line.circle;
            let job = self.ledger.run(move |tx| {
                let actor = Actor::itself();
                let (replica, rows, now, rng) =
                    (&mut *tx.replica, tx.rows, tx.now_ms, &mut *tx.rng);
                let author = &actor.professional;
                match replica.settle_erasures(rows, &circle, author, now, rng)? {
                    0 => Ok::<_, CareError>(()),
                    _ => audit::note(tx, &actor, "erasure.settle", About::circle(circle)),
                }
            });
            let mut done = job.await.map_err(CareError::from);
            if all && done.is_ok() {
                done = match self.erase(&Actor::itself(), line.erasure).await {
                    // Settled just now.
                    Err(CareError::Erase(EraseFailed::Ended)) => Ok(()),
                    other => other,
                };
            }
            if let Err(error) = done {
                tracing::info!(circle = %circle.short(), %error, "an erasure waits");
            }
        }
        Ok(())
    }
}

/// An answer by its code.
const fn answer_of(code: u64) -> Option<Erased> {
    match code {
        0 => Some(Erased::Done),
        1 => Some(Erased::Refused),
        2 => Some(Erased::Differs),
        _ => None,
    }
}
