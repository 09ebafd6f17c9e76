//! The liaison notebook.

use minicbor::{Decode, Encode};
use serde::{Deserialize, Serialize};

use super::{AttachmentRef, Professional};

/// The five national kinds of notes (TRE_R234-TypeNote; `ehealth.md`, section 4).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Encode, Decode, Serialize, Deserialize)]
#[cbor(index_only)]
#[serde(rename_all = "kebab-case")]
pub enum NoteKind {
    /// Note générale, GEN.
    #[n(0)]
    General,
    /// Observation, OBS.
    #[n(1)]
    Observation,
    /// Instruction, INST.
    #[n(2)]
    Instruction,
    /// Note d'intervention, INTERV.
    #[n(3)]
    Intervention,
    /// Demande d'avis, DEM-AVIS.
    #[n(4)]
    AdviceRequest,
}

impl NoteKind {
    /// The national code.
    pub const fn code(self) -> &'static str {
        match self {
            Self::General => "GEN",
            Self::Observation => "OBS",
            Self::Instruction => "INST",
            Self::Intervention => "INTERV",
            Self::AdviceRequest => "DEM-AVIS",
        }
    }

    /// The kind of a national code.
    pub fn from_code(code: &str) -> Option<Self> {
        [
            Self::General,
            Self::Observation,
            Self::Instruction,
            Self::Intervention,
            Self::AdviceRequest,
        ]
        .into_iter()
        .find(|kind| kind.code() == code)
    }
}

/// A note. Corrected by superseding it, never overwritten; a reply names its note as parent.
#[derive(Debug, Clone, PartialEq, Eq, Encode, Decode, Serialize, Deserialize)]
#[cbor(array)]
pub struct LiaisonNote {
    /// Which kind.
    #[n(0)]
    pub note: NoteKind,
    /// What it says.
    #[n(1)]
    pub text: String,
    /// Whether it is an emergency (CDL extension isEmergency).
    #[n(2)]
    pub emergency: bool,
    /// Who wrote it elsewhere, where it was imported; empty where the record's author wrote it.
    #[n(3)]
    pub written_by: Vec<Professional>,
    /// Photos and files.
    #[n(4)]
    pub attachments: Vec<AttachmentRef>,
    /// The reason why it is withdrawn; empty while it stands.
    #[n(5)]
    pub withdrawn: String,
}
