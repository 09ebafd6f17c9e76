//! Codes of national and international terminologies.

use minicbor::{Decode, Encode};
use serde::{Deserialize, Serialize};

/// Where a code comes from. Addresses: `ehealth.md`, sections 1 to 7.
#[derive(
    Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Encode, Decode, Serialize, Deserialize,
)]
#[serde(rename_all = "kebab-case")]
pub enum CodeSystem {
    /// TRE_G15, professions de santé.
    #[n(0)]
    ProfessionSante,
    /// TRE_R94, professions du social.
    #[n(1)]
    ProfessionSocial,
    /// TRE_R95, usagers de titre.
    #[n(2)]
    UsagerTitre,
    /// TRE_R85, rôles de prise en charge.
    #[n(3)]
    RolePriseCharge,
    /// TRE_R260, HL7 role class: what a related person is for.
    #[n(4)]
    RoleClass,
    /// TRE_R216, HL7 role code: how a related person is related.
    #[n(5)]
    RoleCode,
    /// TRE_R259, participation function (médecin traitant).
    #[n(6)]
    ParticipationFunction,
    /// JDV_J07, kinds of documents (LOINC and TRE_A05).
    #[n(7)]
    DocumentType,
    /// TRE_A03, classes of documents.
    #[n(8)]
    DocumentClass,
    /// JDV_J08, confidentiality.
    #[n(9)]
    Confidentiality,
    /// Any other system, by its address.
    #[n(10)]
    Other(#[n(0)] String),
}

/// One code with the label that its sender showed.
#[derive(Debug, Clone, PartialEq, Eq, Encode, Decode, Serialize, Deserialize)]
#[cbor(array)]
pub struct Code {
    /// The terminology.
    #[n(0)]
    pub system: CodeSystem,
    /// The code.
    #[n(1)]
    pub code: String,
    /// Its label in French; may be empty.
    #[n(2)]
    pub label: String,
}
