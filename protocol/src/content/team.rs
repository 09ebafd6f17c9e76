//! The care team: professionals, organisations and people close to the patient.
//!
//! Source: volet Cercle de soins (CDS 2.0.1), `ehealth.md`, section 3. Each participation is a thing of its own whose parent is the team; the
//! same person who comes back has a second participation.

use minicbor::{Decode, Encode};
use serde::{Deserialize, Serialize};

use super::{Code, Identifier, PartialDate, Professional, Structure};

/// A way to reach somebody.
#[derive(Debug, Clone, PartialEq, Eq, Encode, Decode, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Contact {
    /// Telephone.
    #[n(0)]
    Phone(#[n(0)] String),
    /// Mail.
    #[n(1)]
    Mail(#[n(0)] String),
    /// MSSanté mail.
    #[n(2)]
    SecureMail(#[n(0)] String),
    /// Postal address, its lines.
    #[n(3)]
    Address(#[n(0)] Vec<String>),
}

/// From when to when, both included; open where absent.
#[derive(Debug, Clone, PartialEq, Eq, Encode, Decode, Serialize, Deserialize)]
#[cbor(array)]
pub struct Period {
    /// First day.
    #[n(0)]
    pub start: Option<PartialDate>,
    /// Last day.
    #[n(1)]
    pub end: Option<PartialDate>,
}

/// The care team as a whole.
#[derive(Debug, Clone, PartialEq, Eq, Encode, Decode, Serialize, Deserialize)]
#[cbor(array)]
pub struct CareTeam {
    /// Its name.
    #[n(0)]
    pub name: String,
    /// Its identifiers in other systems.
    #[n(1)]
    pub identifiers: Vec<Identifier>,
    /// Its period.
    #[n(2)]
    pub period: Period,
    /// Who manages it.
    #[n(3)]
    pub managed_by: Vec<Structure>,
}

/// Who takes part.
#[derive(Debug, Clone, PartialEq, Eq, Encode, Decode, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Party {
    /// A professional, in the name of a structure.
    #[n(0)]
    Professional(#[n(0)] Professional),
    /// An organisation as such.
    #[n(1)]
    Organisation(#[n(0)] Structure, #[n(1)] Vec<Contact>),
    /// Somebody close to the patient (aidant, personne de confiance).
    #[n(2)]
    RelatedPerson {
        /// Name as shown.
        #[n(0)]
        name: String,
        /// What they are for and how they are related.
        #[n(1)]
        relationship: Vec<Code>,
        /// How to reach them.
        #[n(2)]
        contacts: Vec<Contact>,
        /// Their identifiers in other systems.
        #[n(3)]
        identifiers: Vec<Identifier>,
    },
}

/// One term of one member.
#[derive(Debug, Clone, PartialEq, Eq, Encode, Decode, Serialize, Deserialize)]
#[cbor(array)]
pub struct Participation {
    /// Who.
    #[n(0)]
    pub party: Party,
    /// As what.
    #[n(1)]
    pub roles: Vec<Code>,
    /// From when to when.
    #[n(2)]
    pub period: Period,
    /// Whether this is the person's referent (référent).
    #[n(3)]
    pub referent: bool,
}
