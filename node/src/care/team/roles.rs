//! As what somebody takes part, with the national codes (`ehealth.md`, sections 2 and 3): the value sets that the circle of care names (JDV_J265, JDV_J47,
//! JDV_J11), as far as pages offer them.

use maillon_protocol::content::{Code, CodeSystem, Professional};

fn code(system: CodeSystem, code: &str, label: &str) -> Code {
    Code {
        system,
        code: code.to_owned(),
        label: label.to_owned(),
    }
}

/// What a professional is for this person, beside their profession.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum MemberRole {
    /// Médecin traitant.
    AttendingPhysician,
    /// Correspondant: is told, and does not lead.
    Correspondent,
    /// Coordonnateur de parcours.
    Coordinator,
    /// Mandataire judiciaire à la protection des majeurs.
    Guardian,
    /// Membre de l'équipe de soins.
    CareTeam,
}

impl MemberRole {
    /// All of them, in the order in which they are offered.
    pub const ALL: [Self; 5] = [
        Self::AttendingPhysician,
        Self::Coordinator,
        Self::CareTeam,
        Self::Correspondent,
        Self::Guardian,
    ];

    /// Its code.
    pub fn code(self) -> Code {
        use CodeSystem::{ParticipationFunction as Function, RolePriseCharge as Role};
        match self {
            Self::AttendingPhysician => code(Function, "PCP", "Médecin traitant"),
            Self::Correspondent => code(Function, "CORRE", "Correspondant"),
            Self::Coordinator => code(Role, "330", "Coordonnateur de parcours"),
            Self::Guardian => code(
                Role,
                "307",
                "Mandataire judiciaire à la protection des majeurs",
            ),
            Self::CareTeam => code(Role, "353", "Membre de l’équipe de soins"),
        }
    }

    /// Whether somebody can be it: only a physician is a médecin traitant (TRE_G15 10).
    pub fn suits(self, professional: &Professional) -> bool {
        let physician =
            |code: &Code| code.system == CodeSystem::ProfessionSante && code.code.as_str() == "10";
        self != Self::AttendingPhysician || professional.profession.as_ref().is_some_and(physician)
    }
}

/// What somebody close to the person is for (TRE_R260).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum RelativeRole {
    /// Personne de confiance (code de la santé publique, L. 1111-6).
    Trusted,
    /// Aidant.
    Carer,
    /// Personne à prévenir.
    Emergency,
    /// Responsable légal.
    Guardian,
}

impl RelativeRole {
    /// All of them; the first of those that somebody has is their role where a profile has room for one.
    pub const ALL: [Self; 4] = [Self::Guardian, Self::Trusted, Self::Carer, Self::Emergency];

    /// Its code.
    pub fn code(self) -> Code {
        let (word, label) = match self {
            Self::Trusted => ("NOK", "Personne de confiance"),
            Self::Carer => ("CAREGIVER", "Aidant"),
            Self::Emergency => ("ECON", "Personne à prévenir en cas d’urgence"),
            Self::Guardian => ("GUARD", "Responsable légal"),
        };
        code(CodeSystem::RoleClass, word, label)
    }
}

/// How somebody is related to the person (TRE_R216): the code and its label.
pub const KIN: [(&str, &str); 16] = [
    ("WIFE", "Épouse"),
    ("HUSB", "Époux"),
    ("DOMPART", "Concubin(e) ou partenaire de PACS"),
    ("DAUC", "Fille"),
    ("SONC", "Fils"),
    ("SIS", "Sœur"),
    ("BRO", "Frère"),
    ("MTH", "Mère"),
    ("FTH", "Père"),
    ("GRNDDAU", "Petite-fille"),
    ("GRNDSO", "Petit-fils"),
    ("NIECE", "Nièce"),
    ("NEPHEW", "Neveu"),
    ("FAMMEMB", "Autre membre de la famille"),
    ("NBOR", "Voisin(e)"),
    ("FRND", "Autre proche"),
];

/// How somebody is related, one of [`KIN`].
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Kin(&'static str, &'static str);

impl Kin {
    /// The relation of a code; none where pages offer no such.
    pub fn of(word: &str) -> Option<Self> {
        let found = KIN.iter().find(|(code, _)| *code == word);
        found.map(|(code, label)| Self(code, label))
    }

    /// Its code.
    pub fn code(self) -> Code {
        code(CodeSystem::RoleCode, self.0, self.1)
    }
}
