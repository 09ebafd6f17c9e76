//! What somebody may do to which part of a file (habilitation): a matrix of professions and categories (services.md, "Habilitations").
//!
//! This is the rule alone: no store, no clock. Which *files* somebody opens is another question, that of the care team; this one is what they read and write
//! in those. Who has access may be narrower than what the law allows (code de la santé publique, L. 1110-4), never wider: it is each structure's decision.

use maillon_protocol::content::{CodeSystem, Professional};
use minicbor::{Decode, Encode};

/// A part of a file.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Category {
    /// Who the person is (identité).
    Identity,
    /// Home, carers, social situation (social).
    Social,
    /// What is medical (médical).
    Medical,
    /// The plan of care (plan).
    Plan,
    /// Appointments (agenda).
    Agenda,
    /// Liaison notebook, alerts, conversations (messages).
    Messages,
    /// Documents (documents).
    Documents,
    /// The file itself: opening, closing, the person's information, team and circle (gestion du dossier).
    Administration,
}

impl Category {
    /// All of them, in the order of the matrix.
    pub const ALL: [Self; 8] = [
        Self::Identity,
        Self::Social,
        Self::Medical,
        Self::Plan,
        Self::Agenda,
        Self::Messages,
        Self::Documents,
        Self::Administration,
    ];

    const fn place(self) -> usize {
        self as usize
    }
}

/// How far a right goes. Who writes reads.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Encode, Decode)]
#[cbor(index_only)]
pub enum Level {
    /// Neither reads nor writes.
    #[n(0)]
    Nothing,
    /// Reads.
    #[n(1)]
    Read,
    /// Reads and writes.
    #[n(2)]
    Write,
}

impl Level {
    /// As the audit trail writes it.
    pub const fn letter(self) -> char {
        match self {
            Self::Nothing => '-',
            Self::Read => 'r',
            Self::Write => 'w',
        }
    }
}

/// A row of the matrix: professions that do alike.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Encode, Decode)]
#[cbor(index_only)]
pub enum Role {
    /// Physicians, dentists, midwives (TRE_G15 10, 40, 50).
    #[n(0)]
    Physician,
    /// Nurses (TRE_G15 60).
    #[n(1)]
    Nurse,
    /// Pharmacists (TRE_G15 21).
    #[n(2)]
    Pharmacist,
    /// Nursing auxiliaries (TRE_G15 35).
    #[n(3)]
    Auxiliary,
    /// Every other health profession.
    #[n(4)]
    OtherHealth,
    /// Who coordinates (TRE_R85).
    #[n(5)]
    Coordinator,
    /// Social work (TRE_R94).
    #[n(6)]
    Social,
    /// Help at home (TRE_R94 42, TRE_R85 350).
    #[n(7)]
    HomeHelp,
    /// Nobody has said what they are: a secretary, say.
    #[n(8)]
    Other,
}

impl Role {
    /// All of them, in the order of the matrix.
    pub const ALL: [Self; 9] = [
        Self::Physician,
        Self::Nurse,
        Self::Pharmacist,
        Self::Auxiliary,
        Self::OtherHealth,
        Self::Coordinator,
        Self::Social,
        Self::HomeHelp,
        Self::Other,
    ];

    /// The row of a professional. A code that nobody foresaw gives the row of its nomenclature's others.
    pub fn of(professional: &Professional) -> Self {
        let Some(profession) = &professional.profession else {
            return Self::Other;
        };
        match (&profession.system, profession.code.as_str()) {
            (CodeSystem::ProfessionSante, "10" | "40" | "50") => Self::Physician,
            (CodeSystem::ProfessionSante, "60") => Self::Nurse,
            (CodeSystem::ProfessionSante, "21") => Self::Pharmacist,
            (CodeSystem::ProfessionSante, "35") => Self::Auxiliary,
            (CodeSystem::ProfessionSante, _) => Self::OtherHealth,
            (CodeSystem::ProfessionSocial, "42") | (CodeSystem::RolePriseCharge, "350") => {
                Self::HomeHelp
            }
            (CodeSystem::ProfessionSocial, _) => Self::Social,
            (CodeSystem::RolePriseCharge, "330") => Self::Coordinator,
            _ => Self::Other,
        }
    }

    /// Its name in addresses and in the audit trail.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Physician => "physician",
            Self::Nurse => "nurse",
            Self::Pharmacist => "pharmacist",
            Self::Auxiliary => "auxiliary",
            Self::OtherHealth => "other-health",
            Self::Coordinator => "coordinator",
            Self::Social => "social",
            Self::HomeHelp => "home-help",
            Self::Other => "other",
        }
    }

    /// The row of a name; none where there is no such.
    pub fn named(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|role| role.name() == name)
    }
}

/// The rights of one row, by category.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Habilitation(pub(super) [Level; 8]);

impl Habilitation {
    /// A right for each category, in their order.
    pub const fn new(levels: [Level; 8]) -> Self {
        Self(levels)
    }

    /// How far it goes in a category.
    pub fn level(&self, category: Category) -> Level {
        self.0[category.place()]
    }

    /// What the audit trail says: a letter for each category, in their order.
    pub fn letters(&self) -> [char; 8] {
        self.0.map(Level::letter)
    }
}

/// What a node is shipped with: what each profession needs for its part and no more. Home help reads who somebody is and what the team tells each other,
/// nothing medical and no document; those who coordinate read what is medical and write the rest; nobody but health professions writes what is medical.
pub(super) const fn shipped(role: Role) -> Habilitation {
    use Level::{Nothing as N, Read as R, Write as W};
    //  identity, social, medical, plan, agenda, messages, documents, administration
    Habilitation(match role {
        Role::Physician | Role::Nurse => [W, W, W, W, W, W, W, W],
        Role::Pharmacist => [R, N, W, R, R, W, W, R],
        Role::Auxiliary => [R, W, R, R, W, W, R, R],
        Role::OtherHealth => [R, R, W, W, W, W, W, R],
        Role::Coordinator => [W, W, R, W, W, W, W, W],
        Role::Social => [W, W, N, W, W, W, W, W],
        Role::HomeHelp => [R, R, N, R, W, W, N, R],
        Role::Other => [W, R, N, N, W, W, W, W],
    })
}

/// A role and its rights, as they are kept.
type Kept = (Role, Vec<Level>);

/// The whole matrix.
#[derive(Debug, Clone, PartialEq, Eq, Encode, Decode)]
#[cbor(array)]
pub struct Habilitations {
    /// How often it was changed: who changes it says which one they saw.
    #[n(0)]
    pub revision: u64,
    /// When it was changed last, Unix milliseconds; none where it is as shipped.
    #[n(1)]
    pub changed_ms: Option<u64>,
    /// What differs from what was shipped.
    #[n(2)]
    changed: Vec<Kept>,
}

impl Habilitations {
    /// As shipped.
    pub const fn shipped() -> Self {
        Self {
            revision: 0,
            changed_ms: None,
            changed: Vec::new(),
        }
    }

    /// A role's rights. Categories that came after a row was kept are as shipped.
    pub fn row(&self, role: Role) -> Habilitation {
        let mut row = shipped(role);
        let kept = self.changed.iter().find(|(kept, _)| *kept == role);
        if let Some((_, levels)) = kept {
            for (place, level) in row.0.iter_mut().zip(levels) {
                *place = *level;
            }
        }
        row
    }

    /// The same with another row.
    pub(super) fn with(&self, role: Role, row: Habilitation, now_ms: u64) -> Self {
        let others = self.changed.iter().filter(|(kept, _)| *kept != role);
        let mut changed: Vec<Kept> = others.cloned().collect();
        changed.push((role, row.0.to_vec()));
        Self {
            revision: self.revision + 1,
            changed_ms: Some(now_ms),
            changed,
        }
    }
}

#[cfg(test)]
mod tests {
    use maillon_protocol::{
        cbor,
        content::{Code, Structure},
    };

    use super::*;

    fn of(system: CodeSystem, code: &str) -> Role {
        Role::of(&Professional {
            name: "Camille Roux".to_owned(),
            identifiers: Vec::new(),
            profession: Some(Code {
                system,
                code: code.to_owned(),
                label: String::new(),
            }),
            structure: Structure {
                name: String::new(),
                identifiers: Vec::new(),
            },
        })
    }

    #[test]
    fn a_profession_that_nobody_foresaw_has_what_its_field_has_and_not_more() {
        assert_eq!(of(CodeSystem::ProfessionSante, "60"), Role::Nurse);
        assert_eq!(of(CodeSystem::ProfessionSante, "99"), Role::OtherHealth);
        assert_eq!(of(CodeSystem::ProfessionSocial, "60"), Role::Social);
        assert_eq!(of(CodeSystem::RolePriseCharge, "60"), Role::Other);
    }

    #[test]
    fn only_health_professions_write_what_is_medical_as_shipped() {
        for role in [Role::Coordinator, Role::Social, Role::HomeHelp, Role::Other] {
            assert!(shipped(role).level(Category::Medical) < Level::Write);
        }
    }

    #[test]
    fn a_row_that_was_changed_is_read_back_and_the_others_stay_as_shipped() {
        let row = Habilitation::new([Level::Read; 8]);
        let rights = Habilitations::shipped().with(Role::Nurse, row, 7);
        let back: Result<Habilitations, _> = cbor::decode(&cbor::encode(&rights));
        let back = back.unwrap_or_else(|_| Habilitations::shipped());
        assert_eq!(back, rights);
        assert_eq!(back.row(Role::Nurse), row);
        assert_eq!(back.row(Role::Social), shipped(Role::Social));
        assert_eq!((back.revision, back.changed_ms), (1, Some(7)));
    }

    #[test]
    fn every_role_is_found_by_its_name_and_nothing_else_is() {
        for role in Role::ALL {
            assert_eq!(Role::named(role.name()), Some(role));
        }
        assert_eq!(Role::named("Nurse"), None);
    }
}
