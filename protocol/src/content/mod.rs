//! What a record says, once opened.
//!
//! Every body holds an [`Envelope`]: the kind and its version, the thing it is about, the versions that it supersedes, who wrote it and
//! when it happened, and the payload. The payload of a kind that this node does not know is kept as it came, passed on, and shown as
//! "received, not displayed" ([`Content::Unknown`]). One file for each family of kinds.

mod alert;
mod codes;
mod consent;
mod document;
mod erasure;
mod note;
mod patient;
mod people;
mod request;
mod team;

pub use alert::{Alert, AlertAnswer, AlertStep, Severity};
pub use codes::{Code, CodeSystem};
pub use consent::{Consent, ConsentDecision, ConsentKind};
pub use document::{AttachmentRef, Document, ReadMark};
pub use erasure::{Erased, Erasure, ErasureAnswer, ErasureReason, Facts};
pub use note::{LiaisonNote, NoteKind};
pub use patient::{
    IdentityStatus, Ins, InsKey, InsKind, PartialDate, PartialDateError, PatientIdentity, Sex,
    ins_key,
};
pub use people::{Identifier, IdentifierSystem, Professional, Structure};
pub use request::{Answered, AskedChange, MembershipRequest, RequestAnswer};
pub use team::{CareTeam, Contact, Participation, Party, Period};

use minicbor::{Decode, Encode};
use serde::{Deserialize, Serialize};

use crate::{
    cbor::{self, Bytes, CborError},
    ids::{RecordId, ThingId},
    limits::{self, LimitError},
};

/// What every body says before its payload.
#[derive(Debug, Clone, PartialEq, Eq, Encode, Decode)]
#[cbor(array)]
pub struct Envelope {
    /// Which kind ([`Kind`]), known here or not.
    #[n(0)]
    pub kind: u64,
    /// Version of that kind's payload, from 1.
    #[n(1)]
    pub version: u64,
    /// What it is about.
    #[n(2)]
    pub thing: ThingId,
    /// The thing that it belongs to: the alert of an answer, the note of a reply, the team of a participation.
    #[n(3)]
    pub parent: Option<ThingId>,
    /// The versions of `thing` that this one supersedes.
    #[n(4)]
    pub supersedes: Vec<RecordId>,
    /// The professional who wrote it.
    #[n(5)]
    pub author: Professional,
    /// When it happened, Unix milliseconds.
    #[n(6)]
    pub occurred_ms: u64,
    /// Deterministic CBOR of the kind's type.
    #[n(7)]
    pub payload: Bytes,
}

/// Kinds of content that this version writes and reads.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
#[repr(u64)]
pub enum Kind {
    /// First record of a log.
    LogOpened = 1,
    /// Identité de l'usager.
    PatientIdentity = 10,
    /// Information et non-opposition, or consentement.
    Consent = 11,
    /// The care team as a whole (équipe de prise en charge).
    CareTeam = 20,
    /// One member's term in the care team.
    Participation = 21,
    /// A note of the liaison notebook (cahier de liaison).
    LiaisonNote = 30,
    /// Alerte.
    Alert = 40,
    /// An answer to an alert.
    AlertAnswer = 41,
    /// Document.
    Document = 50,
    /// Somebody of a structure has read a thing.
    ReadMark = 60,
    /// A member asks the steward for a change of who is in the circle.
    MembershipRequest = 70,
    /// What the steward answers.
    RequestAnswer = 71,
    /// A record is to be erased.
    Erasure = 80,
    /// What a structure did about it.
    ErasureAnswer = 81,
}

impl Kind {
    /// Every kind.
    pub const ALL: [Self; 14] = [
        Self::LogOpened,
        Self::PatientIdentity,
        Self::Consent,
        Self::CareTeam,
        Self::Participation,
        Self::LiaisonNote,
        Self::Alert,
        Self::AlertAnswer,
        Self::Document,
        Self::ReadMark,
        Self::MembershipRequest,
        Self::RequestAnswer,
        Self::Erasure,
        Self::ErasureAnswer,
    ];

    /// The kind with this number, if known here.
    pub fn from_number(number: u64) -> Option<Self> {
        Self::ALL.into_iter().find(|kind| *kind as u64 == number)
    }
}

/// What was written: the payload, typed.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case", tag = "kind", content = "content")]
pub enum Content {
    /// The log begins.
    LogOpened,
    /// Who the person is.
    PatientIdentity(PatientIdentity),
    /// What the person was told and answered.
    Consent(Consent),
    /// The team.
    CareTeam(CareTeam),
    /// One term in the team.
    Participation(Participation),
    /// A note.
    LiaisonNote(LiaisonNote),
    /// An alert.
    Alert(Alert),
    /// An answer to one.
    AlertAnswer(AlertAnswer),
    /// A document.
    Document(Document),
    /// Read.
    ReadMark(ReadMark),
    /// A request to the steward.
    MembershipRequest(MembershipRequest),
    /// The steward's answer.
    RequestAnswer(RequestAnswer),
    /// A wish that a record be erased.
    Erasure(Erasure),
    /// A structure's answer to it.
    ErasureAnswer(ErasureAnswer),
    /// A kind, or a version of a kind, that this node does not know.
    Unknown {
        /// The kind's number.
        number: u64,
        /// The payload's version.
        version: u64,
    },
}

/// Why content is refused. Content that is merely newer is not refused: it is [`Content::Unknown`].
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum ContentError {
    /// Envelope or payload do not have their form.
    #[error(transparent)]
    Form(#[from] CborError),
    /// A limit.
    #[error(transparent)]
    Limit(#[from] LimitError),
}

macro_rules! kinds {
    ($($variant:ident),*) => {
        impl Content {
            /// The number and the version under which this is written.
            pub fn kind(&self) -> (u64, u64) {
                match self {
                    Self::LogOpened => (Kind::LogOpened as u64, 1),
                    $(Self::$variant(_) => (Kind::$variant as u64, 1),)*
                    Self::Unknown { number, version } => (*number, *version),
                }
            }

            /// The payload's only encoding.
            ///
            /// `None` for an unknown kind: nobody writes what they do not know.
            pub fn payload(&self) -> Option<Bytes> {
                match self {
                    Self::LogOpened => Some(Bytes(cbor::encode(&Vec::<u64>::new()))),
                    $(Self::$variant(value) => Some(Bytes(cbor::encode(value))),)*
                    Self::Unknown { .. } => None,
                }
            }
        }

        impl Envelope {
            /// The typed payload.
            ///
            /// # Errors
            /// [`ContentError`] where a kind that is known here has not its form.
            pub fn content(&self) -> Result<Content, ContentError> {
                let unknown = Content::Unknown { number: self.kind, version: self.version };
                if self.version != 1 {
                    return Ok(unknown);
                }
                match Kind::from_number(self.kind) {
                    None => unknown,
                    Some(Kind::LogOpened) => Content::LogOpened,
                    $(Some(Kind::$variant) => Content::$variant(cbor::decode(&self.payload.0)?),)*
                }
                .bounded()
            }
        }
    };
}

impl Content {
    /// A small code that lists and rules need without opening the record: the alert's step or severity, the note's kind; 0 otherwise.
    pub fn code(&self) -> u64 {
        match self {
            Self::AlertAnswer(answer) => answer.step as u64,
            Self::LiaisonNote(note) => note.note as u64,
            Self::Alert(alert) => alert.severity as u64,
            Self::MembershipRequest(request) => u64::from(request.withdrawn),
            Self::RequestAnswer(answer) => answer.answer as u64,
            Self::ErasureAnswer(answer) => answer.answer as u64,
            _ => 0,
        }
    }

    /// The files that this names.
    pub fn attachments(&self) -> &[AttachmentRef] {
        match self {
            Self::Document(document) => &document.attachments,
            Self::LiaisonNote(note) => &note.attachments,
            _ => &[],
        }
    }

    /// Whether what it names can be fetched, and kept.
    fn bounded(self) -> Result<Self, ContentError> {
        let named = self.attachments();
        limits::within(
            "the attachments of a record",
            named.len() as u64,
            limits::ATTACHMENTS as u64,
        )?;
        for attachment in named {
            limits::within(
                "an attachment in bytes",
                attachment.length,
                limits::ATTACHMENT,
            )?;
        }
        if let Self::Erasure(erasure) = &self {
            limits::within(
                "the versions that one version supersedes",
                erasure.facts.supersedes.len() as u64,
                limits::SUPERSEDES as u64,
            )?;
        }
        Ok(self)
    }
}

kinds!(
    PatientIdentity,
    Consent,
    CareTeam,
    Participation,
    LiaisonNote,
    Alert,
    AlertAnswer,
    Document,
    ReadMark,
    MembershipRequest,
    RequestAnswer,
    Erasure,
    ErasureAnswer
);

impl Envelope {
    /// Reads the plaintext of a body.
    ///
    /// # Errors
    /// [`ContentError`]; unknown kinds are not errors.
    pub fn read(plaintext: &[u8]) -> Result<Self, ContentError> {
        let envelope: Self = cbor::decode(plaintext)?;
        limits::within(
            "the versions that one version supersedes",
            envelope.supersedes.len() as u64,
            limits::SUPERSEDES as u64,
        )?;
        Ok(envelope)
    }

    /// The plaintext of a body.
    pub fn write(&self) -> Vec<u8> {
        cbor::encode(self)
    }
}
