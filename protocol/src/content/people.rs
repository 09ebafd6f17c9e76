//! Professionals and structures, as records name them.

use minicbor::{Decode, Encode};
use serde::{Deserialize, Serialize};

use super::Code;

/// Who gives out an identifier. Shapes: `ehealth.md`, section 2.
#[derive(
    Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Encode, Decode, Serialize, Deserialize,
)]
#[serde(rename_all = "kebab-case")]
pub enum IdentifierSystem {
    /// Répertoire partagé des professionnels de santé, 11 digits.
    #[n(0)]
    Rpps,
    /// Répertoire ADELI, 9 characters, being retired.
    #[n(1)]
    Adeli,
    /// National identifier of a professional (IDNPS), first digit says the kind.
    #[n(2)]
    IdNatPs,
    /// Fichier national des établissements, 9 characters.
    #[n(3)]
    Finess,
    /// SIREN or SIRET, 9 or 14 digits.
    #[n(4)]
    Sirene,
    /// Given by the structure that hosts the node.
    #[n(5)]
    Local,
    /// Any other system, by its address.
    #[n(6)]
    Other(#[n(0)] String),
}

/// An identifier and who gave it.
#[derive(
    Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Encode, Decode, Serialize, Deserialize,
)]
#[cbor(array)]
pub struct Identifier {
    /// Who gave it.
    #[n(0)]
    pub system: IdentifierSystem,
    /// Its value.
    #[n(1)]
    pub value: String,
}

/// A structure, as a record names it.
#[derive(Debug, Clone, PartialEq, Eq, Encode, Decode, Serialize, Deserialize)]
#[cbor(array)]
pub struct Structure {
    /// Its name.
    #[n(0)]
    pub name: String,
    /// Its identifiers.
    #[n(1)]
    pub identifiers: Vec<Identifier>,
}

/// A professional, as a record names them: who wrote, who answers, who is in the team.
#[derive(Debug, Clone, PartialEq, Eq, Encode, Decode, Serialize, Deserialize)]
#[cbor(array)]
pub struct Professional {
    /// Given and family name, as shown.
    #[n(0)]
    pub name: String,
    /// RPPS first, where there is one.
    #[n(1)]
    pub identifiers: Vec<Identifier>,
    /// Profession or role (codes of `ehealth.md`, section 2).
    #[n(2)]
    pub profession: Option<Code>,
    /// The structure in whose name they act.
    #[n(3)]
    pub structure: Structure,
}
