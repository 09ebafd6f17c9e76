//! What this node writes itself.

use rand_core::CryptoRng;

use super::{Replica, Rows, StorageError};
use crate::{
    circle::{Accepted, Circle, WriteError},
    content::{Content, Envelope, Professional, Structure},
    ids::{CircleId, RecordId, ThingId},
    limits,
    record::{Record, random_token},
    sync::{Change, News},
};
use std::sync::Arc;

/// One version of one thing, to be written.
#[derive(Debug, Clone)]
pub struct Draft {
    /// What it is about; none for something new.
    pub thing: Option<ThingId>,
    /// What that belongs to.
    pub parent: Option<ThingId>,
    /// The versions that it supersedes.
    pub supersedes: Vec<RecordId>,
    /// Who writes.
    pub author: Professional,
    /// When it happened, Unix milliseconds.
    pub occurred_ms: u64,
    /// What is said.
    pub content: Content,
}

/// A record that was written.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Written {
    /// The record.
    pub record: RecordId,
    /// Its thing.
    pub thing: ThingId,
}

/// Why nothing was written.
#[derive(Debug, thiserror::Error)]
pub enum WriteFailed {
    /// No such circle here.
    #[error(
        "there is no such circle at this node: `maillonctl circle list` shows those that there are"
    )]
    NoCircle,
    /// The circle does not take it.
    #[error(transparent)]
    Write(#[from] WriteError),
    /// This node's own identity was revoked.
    #[error(
        "this node's identity was revoked: it signs nothing more. A new node takes its place (`maillond init --recover`)"
    )]
    Revoked,
    /// Content of an unknown kind is passed on, never written.
    #[error("content of a kind that this node does not know cannot be written")]
    UnknownKind,
    /// Storage.
    #[error(transparent)]
    Storage(#[from] StorageError),
}

impl Replica {
    /// Writes `drafts`, all or none, as the next records of this node's log; the log opens first where it has not.
    ///
    /// # Errors
    /// [`WriteFailed`]; nothing is staged then.
    pub fn write(
        &mut self,
        rows: &impl Rows,
        circle: &CircleId,
        drafts: Vec<Draft>,
        now_ms: u64,
        rng: &mut impl CryptoRng,
    ) -> Result<Vec<Written>, WriteFailed> {
        let held = self.circles.get(circle).ok_or(WriteFailed::NoCircle)?;
        // An answer, or a newer version, stands where that stands which it is about.
        let fresh = |draft: &Draft| draft.thing.is_none() && draft.parent.is_none();
        if let Some(successor) = held.continued.filter(|_| self.goes_on_elsewhere(held)) {
            // What was told again there goes on there, too.
            for draft in &drafts {
                let told = |thing| self.thing(rows, &successor, &thing);
                let told = draft.thing.map(told).transpose()?.flatten();
                if fresh(draft) || told.is_some() {
                    return Err(WriteError::Continued.into());
                }
            }
        }
        self.write_here(rows, circle, drafts, now_ms, rng)
    }

    /// The same in a circle that goes on elsewhere: what this node writes again by itself has its place here.
    pub(super) fn write_here(
        &mut self,
        rows: &impl Rows,
        circle: &CircleId,
        drafts: Vec<Draft>,
        now_ms: u64,
        rng: &mut impl CryptoRng,
    ) -> Result<Vec<Written>, WriteFailed> {
        let held = self.circles.get(circle).ok_or(WriteFailed::NoCircle)?;
        if self.is_revoked(rows)? {
            return Err(WriteFailed::Revoked);
        }
        let mut next: Circle = (**held).clone();
        let (lives, branches) = if next.logs.contains_key(&self.own_log()) {
            (0, Vec::new())
        } else {
            (
                self.lives(rows, now_ms)?.len() as u64,
                self.own_branches(rows, circle)?,
            )
        };
        // Something new is looked up nowhere: 128 random bits are not there yet.
        let things: Vec<(ThingId, bool)> = drafts
            .iter()
            .map(|draft| match draft.thing {
                Some(thing) => (thing, false),
                None => (ThingId(random_token(rng).0), true),
            })
            .collect();
        let mut made: Vec<(Accepted, ThingId)> = Vec::with_capacity(drafts.len() + 1);
        let clock = self.clock;
        let mut step =
            |replica: &mut Self, next: &mut Circle, envelope: Envelope, content: Content, fresh| {
                let time = replica.clock.tick(now_ms);
                let record = next.write(
                    &envelope,
                    &replica.keys.node,
                    replica.incarnation,
                    &branches,
                    time,
                    rng,
                )?;
                let thing = envelope.thing;
                made.push((Accepted::own(record, envelope, content, fresh), thing));
                Ok::<(), WriteError>(())
            };
        let mut all = Ok(());
        if !next.logs.contains_key(&self.own_log()) {
            limits::within(
                "the incarnations of this node in a day",
                lives,
                limits::INCARNATIONS_A_DAY as u64,
            )
            .map_err(WriteError::from)?;
            let opening = opening(self);
            all =
                step(self, &mut next, opening, Content::LogOpened, true).map_err(WriteFailed::from);
        }
        for (draft, (thing, fresh)) in drafts.into_iter().zip(things) {
            if all.is_err() {
                break;
            }
            let (kind, version) = draft.content.kind();
            let Some(payload) = draft.content.payload() else {
                all = Err(WriteFailed::UnknownKind);
                break;
            };
            if let Err(error) = limits::within(
                "the attachments of a record",
                draft.content.attachments().len() as u64,
                limits::ATTACHMENTS as u64,
            ) {
                all = Err(WriteError::from(error).into());
                break;
            }
            let envelope = Envelope {
                kind,
                version,
                thing,
                parent: draft.parent,
                supersedes: draft.supersedes,
                author: draft.author,
                occurred_ms: draft.occurred_ms,
                payload,
            };
            all = step(self, &mut next, envelope, draft.content, fresh).map_err(WriteFailed::from);
        }
        if let Err(error) = all {
            self.clock = clock;
            return Err(error);
        }
        self.finish_write(rows, next, &made, now_ms)?;
        Ok(made
            .iter()
            .filter(|(accepted, _)| {
                !matches!(&accepted.opened, Ok(opened) if matches!(opened.content, Content::LogOpened))
            })
            .map(|(accepted, thing)| Written { record: accepted.record.id(), thing: *thing })
            .collect())
    }

    fn finish_write(
        &mut self,
        rows: &impl Rows,
        next: Circle,
        made: &[(Accepted, ThingId)],
        now_ms: u64,
    ) -> Result<(), StorageError> {
        let circle = self.put_circle(next);
        for (accepted, _) in made {
            self.project(rows, &circle, accepted, now_ms)?;
        }
        let last = self.clock.last();
        self.stage(super::Row::Clock, crate::cbor::encode(&last));
        let records: Vec<Record> = made
            .iter()
            .map(|(accepted, _)| accepted.record.clone())
            .collect();
        self.published.news.push(News {
            circle: Some(circle.id()),
            change: Change::Records(Arc::new(records)),
            from: None,
        });
        Ok(())
    }
}

/// "Log opened": says nothing but that the log begins; its thing is the incarnation.
fn opening(replica: &Replica) -> Envelope {
    Envelope {
        kind: crate::content::Kind::LogOpened as u64,
        version: 1,
        thing: ThingId(replica.incarnation.0),
        parent: None,
        supersedes: Vec::new(),
        author: Professional {
            name: String::new(),
            identifiers: Vec::new(),
            profession: None,
            structure: Structure {
                name: replica.descriptor.object.name.clone(),
                identifiers: Vec::new(),
            },
        },
        occurred_ms: replica.clock.last().ms(),
        payload: Content::LogOpened.payload().unwrap_or_default(),
    }
}
