//! A record is to be erased, and what each structure does about it.
//!
//! Erased is the body: what was said, its files, who said it. The header stays, so the log can still be checked, and so do the [`Facts`] that
//! this record carries in its own sealed body: without them an older version would stand again where the erased one had superseded it.

use minicbor::{Decode, Encode};
use serde::{Deserialize, Serialize};

use super::{Content, Envelope, Kind};
use crate::ids::{LogId, RecordId, ThingId};

/// What is known of a record without its text: what the file shows of it follows from this and its header.
#[derive(Debug, Clone, PartialEq, Eq, Encode, Decode, Serialize, Deserialize)]
#[cbor(array)]
pub struct Facts {
    /// Which kind ([`Kind`]), known here or not.
    #[n(0)]
    pub kind: u64,
    /// What it is about.
    #[n(1)]
    pub thing: ThingId,
    /// What that belongs to.
    #[n(2)]
    pub parent: Option<ThingId>,
    /// The versions of `thing` that it supersedes.
    #[n(3)]
    pub supersedes: Vec<RecordId>,
    /// [`Content::code`].
    #[n(4)]
    pub code: u64,
    /// When it happened, Unix milliseconds.
    #[n(5)]
    pub occurred_ms: u64,
}

impl Facts {
    /// Those of an opened record.
    pub fn of(envelope: &Envelope, content: &Content) -> Self {
        Self {
            kind: envelope.kind,
            thing: envelope.thing,
            parent: envelope.parent,
            supersedes: envelope.supersedes.clone(),
            code: content.code(),
            occurred_ms: envelope.occurred_ms,
        }
    }

    /// Whether a record of this kind can be erased. What a log begins with, requests and their answers, and erasures themselves say nothing of the
    /// person, and what was decided is to be found again. So is the person's answer about sharing: a new answer takes its place, and nobody makes a
    /// refusal vanish.
    pub const fn are_erasable(&self) -> bool {
        self.kind != Kind::LogOpened as u64
            && self.kind != Kind::Consent as u64
            && self.kind != Kind::MembershipRequest as u64
            && self.kind != Kind::RequestAnswer as u64
            && self.kind != Kind::Erasure as u64
            && self.kind != Kind::ErasureAnswer as u64
    }
}

/// Why something is to be erased.
#[derive(
    Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Encode, Decode, Serialize, Deserialize,
)]
#[cbor(index_only)]
#[serde(rename_all = "kebab-case")]
pub enum ErasureReason {
    /// It was written into another person's file (erreur de dossier).
    #[n(0)]
    WrongPerson,
    /// It is wrong, and correcting it is not enough: GDPR, article 16 and article 5(1)(d).
    #[n(1)]
    Inaccurate,
    /// The person asked, and may: right to erasure (droit à l'effacement), GDPR, article 17.
    #[n(2)]
    PersonAsked,
    /// A law or a court says so.
    #[n(3)]
    Law,
}

/// A record is to be erased (demande d'effacement). The structure that wrote it may ask, and the circle's steward; what anybody else asks counts
/// for nothing.
#[derive(Debug, Clone, PartialEq, Eq, Encode, Decode, Serialize, Deserialize)]
#[cbor(array)]
pub struct Erasure {
    /// The record.
    #[n(0)]
    pub record: RecordId,
    /// Its log.
    #[n(1)]
    pub log: LogId,
    /// Its sequence.
    #[n(2)]
    pub sequence: u64,
    /// What stays of it.
    #[n(3)]
    pub facts: Facts,
    /// Why.
    #[n(4)]
    pub reason: ErasureReason,
}

/// What a structure did about it. While it has said nothing, the erasure waits there for a person.
#[derive(
    Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Encode, Decode, Serialize, Deserialize,
)]
#[cbor(index_only)]
#[serde(rename_all = "kebab-case")]
pub enum Erased {
    /// The body is not there any more.
    #[n(0)]
    Done,
    /// It is kept: each structure answers for what it keeps itself (responsable de traitement).
    #[n(1)]
    Refused,
    /// It is kept: what the erasure says of the record is not what the record says.
    #[n(2)]
    Differs,
}

/// A structure's answer: a thing whose parent is the erasure.
#[derive(Debug, Clone, PartialEq, Eq, Encode, Decode, Serialize, Deserialize)]
#[cbor(array)]
pub struct ErasureAnswer {
    /// The record that was to be erased.
    #[n(0)]
    pub record: RecordId,
    /// What was done.
    #[n(1)]
    pub answer: Erased,
}
