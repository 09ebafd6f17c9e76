//! Erasures: which of them wait for this node's word, and how a record loses its body.
//!
//! An erasure is a record ([`Erasure`]); it counts if its author's node wrote what is to be erased, or was the steward by the charter entry that it
//! names. It waits ([`Row::Erasing`]) until this node has answered, for each structure answers for what it keeps itself. Carried out
//! ([`Row::Erased`]), the body and the files that nothing else names are gone in the commit of the answer; the header stays, and with it what the
//! erasure says of the record ([`Facts`]): the file shows the same versions as before, and the same as a node that kept the body, without the text.
//! A body that comes later is dropped. Where the header came without its body, from a member that had erased it, there is nothing to decide: it is
//! erased as soon as the erasure is here; where this node has refused it, as soon as no other member may have the body either. Who never had the body has to believe what the erasure says of it.
//!
//! A node whose disk went back hears its own earlier answer from the others, and carries it out again with the commit that brings it.
//!
//! - `waiting` which erasures wait for this node's word
//! - `carry` what stands here of the record that one names, and how its body goes
//! - `refused` what becomes of a refusal where the body is not here any more

mod carry;
mod refused;
mod waiting;

pub(super) use refused::tells_of_missing;
pub(super) use waiting::{about, erasures_of};

use minicbor::{Decode, Encode};
use rand_core::CryptoRng;

use super::{Draft, Replica, Row, RowPrefix, Rows, StorageError, WriteFailed, Written, rows::read};
use crate::{
    circle::Reason,
    content::{Content, Erased, Erasure, ErasureAnswer, ErasureReason, Facts, Professional},
    ids::{CircleId, NodeId, RecordId, ThingId},
};
use carry::Stand;

/// An erasure that waits for this node's word.
#[derive(Debug, Clone, PartialEq, Eq, Encode, Decode)]
#[cbor(array)]
pub struct Erasing {
    /// The erasure: what answers name as their parent.
    #[n(0)]
    pub thing: ThingId,
    /// Its record.
    #[n(1)]
    pub asked: RecordId,
    /// The node that asked.
    #[n(2)]
    pub node: NodeId,
    /// What is to be erased, and why.
    #[n(3)]
    pub erasure: Erasure,
    /// The circle.
    #[n(4)]
    pub circle: CircleId,
}

/// Why nothing is erased, or asked to be.
#[derive(Debug, thiserror::Error)]
pub enum EraseFailed {
    /// No such record here.
    #[error(
        "there is no such record at this node: `maillonctl circle show CIRCLE` names those that there are"
    )]
    NoRecord,
    /// It is neither this node's nor this node the steward.
    #[error(
        "only the structure that wrote a record, and the circle's steward, may ask for its erasure: ask one of them"
    )]
    NotYours,
    /// Of a kind that is not erased.
    #[error("a record of this kind says nothing of the person and is not erased")]
    Kind,
    /// It has no body here.
    #[error("the record's text is not here: it was erased, or never came")]
    NoBody,
    /// It cannot be read here yet.
    #[error("the record's key has not arrived yet: it comes with the next contact with a member")]
    NotOpened,
    /// There is no such erasure, or it was answered.
    #[error("this erasure does not wait here: `maillonctl erasure list` shows those that do")]
    Ended,
    /// What the erasure says of the record is not what the record says.
    #[error(
        "what the erasure says of the record is not what the record says: it can only be refused"
    )]
    Differs,
    /// The record that it names is not here yet.
    #[error(
        "the record that is to be erased has not arrived yet: it comes with the next contact with a member"
    )]
    NotHereYet,
    /// The answer, or the wish, cannot be written.
    #[error(transparent)]
    Write(#[from] WriteFailed),
    /// Storage.
    #[error(transparent)]
    Storage(#[from] StorageError),
}

impl Replica {
    /// Writes that a record is to be erased. It waits here too until [`Self::erase`].
    ///
    /// # Errors
    /// [`EraseFailed`]; nothing is staged then.
    #[allow(
        clippy::too_many_arguments,
        reason = "rows, time and chance come from the driver"
    )]
    pub fn ask_erasure(
        &mut self,
        rows: &impl Rows,
        id: &CircleId,
        record: RecordId,
        reason: ErasureReason,
        author: Professional,
        now_ms: u64,
        rng: &mut impl CryptoRng,
    ) -> Result<Written, EraseFailed> {
        let circle = self.circles.get(id).ok_or(WriteFailed::NoCircle)?;
        let (log, sequence, held) = self
            .placed(rows, circle, record)?
            .ok_or(EraseFailed::NoRecord)?;
        let own = self.own();
        if log.node != own && circle.charter.state().steward != own {
            return Err(EraseFailed::NotYours);
        }
        let opened = circle.read(&held).map_err(|reason| match reason {
            Reason::NotOpened => EraseFailed::NotOpened,
            _ => EraseFailed::NoBody,
        })?;
        let facts = Facts::of(&opened.envelope, &opened.content);
        if !facts.are_erasable() {
            return Err(EraseFailed::Kind);
        }
        let content = Content::Erasure(Erasure {
            record,
            log,
            sequence,
            facts,
            reason,
        });
        Ok(self.say(rows, id, content, None, author, now_ms, rng)?)
    }

    /// Carries out an erasure that waits here, and answers that it is done.
    ///
    /// # Errors
    /// [`EraseFailed`]; nothing is staged then.
    pub fn erase(
        &mut self,
        rows: &impl Rows,
        id: &CircleId,
        thing: ThingId,
        author: Professional,
        now_ms: u64,
        rng: &mut impl CryptoRng,
    ) -> Result<RecordId, EraseFailed> {
        let erasing = self.erasing(rows, id, thing)?.ok_or(EraseFailed::Ended)?;
        let circle = self.circles.get(id).ok_or(WriteFailed::NoCircle)?;
        let (record, opened) = match self.stands_here(rows, circle, &erasing.erasure)? {
            Stand::Absent => return Err(EraseFailed::NotHereYet),
            Stand::Differs => return Err(EraseFailed::Differs),
            Stand::NotOpened => return Err(EraseFailed::NotOpened),
            Stand::Bare(record) => (record, None),
            Stand::Same(record, opened) => (record, Some(opened)),
        };
        self.answer_erasure(rows, id, &erasing, Erased::Done, author, now_ms, rng)?;
        self.carry_out(rows, id, record, opened.as_deref(), erasing.erasure.facts)?;
        Ok(erasing.erasure.record)
    }

    /// Answers an erasure that waits here with no: the body stays.
    ///
    /// # Errors
    /// [`EraseFailed`]; nothing is staged then.
    pub fn refuse_erasure(
        &mut self,
        rows: &impl Rows,
        id: &CircleId,
        thing: ThingId,
        author: Professional,
        now_ms: u64,
        rng: &mut impl CryptoRng,
    ) -> Result<RecordId, EraseFailed> {
        let erasing = self.erasing(rows, id, thing)?.ok_or(EraseFailed::Ended)?;
        let circle = self.circles.get(id).ok_or(WriteFailed::NoCircle)?;
        if let Stand::Bare(_) = self.stands_here(rows, circle, &erasing.erasure)? {
            return Err(EraseFailed::NoBody);
        }
        self.answer_erasure(rows, id, &erasing, Erased::Refused, author, now_ms, rng)?;
        Ok(erasing.erasure.record)
    }

    /// Answers the erasures of a circle about which there is nothing to decide: those of records that have no body here are done, those that say
    /// something else of a record than it says are refused. How many that were.
    ///
    /// # Errors
    /// [`EraseFailed`] where nothing can be written now.
    pub fn settle_erasures(
        &mut self,
        rows: &impl Rows,
        id: &CircleId,
        author: &Professional,
        now_ms: u64,
        rng: &mut impl CryptoRng,
    ) -> Result<usize, EraseFailed> {
        let waiting = self.over(rows).scan(&RowPrefix::Erasing(*id))?;
        let mut settled = 0;
        for bytes in &waiting {
            let erasing: Erasing = read(bytes)?;
            let Some(circle) = self.circles.get(id) else {
                break;
            };
            match self.stands_here(rows, circle, &erasing.erasure)? {
                Stand::Bare(_) => {
                    self.erase(rows, id, erasing.thing, author.clone(), now_ms, rng)?;
                }
                Stand::Differs => {
                    let no = Erased::Differs;
                    self.answer_erasure(rows, id, &erasing, no, author.clone(), now_ms, rng)?;
                }
                Stand::Absent | Stand::Same(..) | Stand::NotOpened => continue,
            }
            settled += 1;
        }
        Ok(settled)
    }

    fn erasing(
        &self,
        rows: &impl Rows,
        circle: &CircleId,
        thing: ThingId,
    ) -> Result<Option<Erasing>, StorageError> {
        self.read_row(rows, &Row::Erasing(*circle, thing))
    }

    #[allow(
        clippy::too_many_arguments,
        reason = "rows, time and chance come from the driver"
    )]
    fn answer_erasure(
        &mut self,
        rows: &impl Rows,
        id: &CircleId,
        erasing: &Erasing,
        answer: Erased,
        author: Professional,
        now_ms: u64,
        rng: &mut impl CryptoRng,
    ) -> Result<Written, WriteFailed> {
        let content = Content::ErasureAnswer(ErasureAnswer {
            record: erasing.erasure.record,
            answer,
        });
        let parent = Some(erasing.thing);
        self.say(rows, id, content, parent, author, now_ms, rng)
    }

    #[allow(
        clippy::too_many_arguments,
        reason = "rows, time and chance come from the driver"
    )]
    fn say(
        &mut self,
        rows: &impl Rows,
        id: &CircleId,
        content: Content,
        parent: Option<ThingId>,
        author: Professional,
        now_ms: u64,
        rng: &mut impl CryptoRng,
    ) -> Result<Written, WriteFailed> {
        let draft = Draft {
            thing: None,
            parent,
            supersedes: Vec::new(),
            author,
            occurred_ms: now_ms,
            content,
        };
        let written = self.write(rows, id, vec![draft], now_ms, rng)?;
        Ok(written[0])
    }
}
