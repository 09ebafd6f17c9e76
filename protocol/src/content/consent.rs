//! What the person was told, and what they answered.

use minicbor::{Decode, Encode};
use serde::{Deserialize, Serialize};

/// What the law asks for: information without opposition inside the care team, consent outside it (code de la santé publique,
/// articles L1110-4 and R1110-1).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Encode, Decode, Serialize, Deserialize)]
#[cbor(index_only)]
#[serde(rename_all = "kebab-case")]
pub enum ConsentKind {
    /// Information et non-opposition.
    #[n(0)]
    NonOpposition,
    /// Consentement.
    #[n(1)]
    Consent,
}

/// The person's answer.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Encode, Decode, Serialize, Deserialize)]
#[cbor(index_only)]
#[serde(rename_all = "kebab-case")]
pub enum ConsentDecision {
    /// Agrees, or does not oppose.
    #[n(0)]
    Given,
    /// Refuses, or opposes.
    #[n(1)]
    Refused,
    /// Withdraws what was given.
    #[n(2)]
    Withdrawn,
}

/// Information, non-opposition or consent to share.
#[derive(Debug, Clone, PartialEq, Eq, Encode, Decode, Serialize, Deserialize)]
#[cbor(array)]
pub struct Consent {
    /// Which.
    #[n(0)]
    pub kind: ConsentKind,
    /// The answer.
    #[n(1)]
    pub decision: ConsentDecision,
    /// Who answered, where it was not the person: a legal representative, in words; may be empty.
    #[n(2)]
    pub answered_by: String,
    /// How the person was informed, in words; may be empty.
    #[n(3)]
    pub how: String,
}

impl Consent {
    /// Whether this allows sharing.
    pub fn allows_sharing(&self) -> bool {
        self.decision == ConsentDecision::Given
    }
}
