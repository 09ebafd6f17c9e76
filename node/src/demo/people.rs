//! The people of the demonstration: the professionals, and the person whom they look after. None of them exists: the RPPS numbers are of the
//! range for tests, the INS is a test NIR, the commune of birth has no such code, the telephone numbers are those kept for fiction.

use maillon_protocol::content::{
    Code, CodeSystem, Contact, IdentityStatus, Ins, InsKind, PartialDate, PatientIdentity, Sex,
};

use super::{
    DemoError,
    territory::{Place, Territory},
};
use crate::{audit::By, care::Actor};

/// Who speaks in the demonstration.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Voice {
    /// Coordinates the person's care at the DAC.
    Coordinator,
    /// Social worker at the DAC.
    SocialWorker,
    /// General practitioner of the CPTS.
    Doctor,
    /// Nurse of the CPTS.
    Nurse,
    /// Physiotherapist of the CPTS.
    Physiotherapist,
    /// Geriatrician at the hospital.
    Geriatrician,
    /// Nurse of its ward.
    WardNurse,
}

impl Voice {
    pub(super) const ALL: [Self; 7] = [
        Self::Coordinator,
        Self::SocialWorker,
        Self::Doctor,
        Self::Nurse,
        Self::Physiotherapist,
        Self::Geriatrician,
        Self::WardNurse,
    ];

    /// Where they work.
    pub(super) const fn place(self) -> Place {
        match self {
            Self::Coordinator | Self::SocialWorker => Place::Dac,
            Self::Doctor | Self::Nurse | Self::Physiotherapist => Place::Cpts,
            Self::Geriatrician | Self::WardNurse => Place::Hospital,
        }
    }

    /// As pages show them.
    pub(super) const fn name(self) -> &'static str {
        match self {
            Self::Coordinator => "Maëlle Le Goasduff",
            Self::SocialWorker => "Bastien Corlay",
            Self::Doctor => "Dr Hélène Tréguer-Morin",
            Self::Nurse => "Yann Pérennou",
            Self::Physiotherapist => "Inès Bodéan",
            Self::Geriatrician => "Dr Soizic Kervadec-Louis",
            Self::WardNurse => "Corentin Bothorel",
        }
    }

    const fn rpps(self) -> Option<&'static str> {
        match self {
            Self::Coordinator | Self::SocialWorker => None,
            Self::Doctor => Some("99700991013"),
            Self::Nurse => Some("99700991021"),
            Self::Physiotherapist => Some("99700991039"),
            Self::Geriatrician => Some("99700991047"),
            Self::WardNurse => Some("99700991054"),
        }
    }

    /// TRE_G15, TRE_R94 or TRE_R85.
    const fn profession(self) -> &'static str {
        match self {
            Self::Coordinator => "330",
            Self::SocialWorker => "41",
            Self::Doctor | Self::Geriatrician => "10",
            Self::Nurse | Self::WardNurse => "60",
            Self::Physiotherapist => "70",
        }
    }

    /// What they type to sign in.
    pub(super) const fn login(self) -> &'static str {
        match self {
            Self::Coordinator => "maelle",
            Self::SocialWorker => "bastien",
            Self::Doctor => "helene",
            Self::Nurse => "yann",
            Self::Physiotherapist => "ines",
            Self::Geriatrician => "soizic",
            Self::WardNurse => "corentin",
        }
    }

    /// What they are, in a word for whoever reads the guide.
    pub(super) const fn trade(self) -> &'static str {
        match self {
            Self::Coordinator => "coordinator",
            Self::SocialWorker => "social worker",
            Self::Doctor => "general practitioner",
            Self::Nurse => "nurse",
            Self::Physiotherapist => "physiotherapist",
            Self::Geriatrician => "geriatrician",
            Self::WardNurse => "ward nurse",
        }
    }

    /// Whether they take invitations of other territories: the habilitation of their profession lets them.
    pub(super) const fn accepts(self) -> bool {
        !matches!(self, Self::Physiotherapist)
    }
}

/// A code with its label.
fn code(system: CodeSystem, code: &str, label: &str) -> Code {
    Code {
        system,
        code: code.to_owned(),
        label: label.to_owned(),
    }
}

/// The professionals, each at the node of their structure.
pub(super) struct Cast(Vec<(Voice, Actor)>);

impl Cast {
    /// Adds them.
    pub(super) async fn engage(territories: &[Territory]) -> Result<Self, DemoError> {
        let mut cast = Vec::new();
        for territory in territories {
            for voice in Voice::ALL
                .into_iter()
                .filter(|voice| voice.place() == territory.place)
            {
                let care = &territory.node.care;
                let added = care.add_professional(
                    By::itself(),
                    voice.name(),
                    voice.rpps(),
                    Some(voice.profession()),
                );
                cast.push((voice, added.await?.at_page()));
            }
        }
        Ok(Self(cast))
    }

    /// Finds them again.
    pub(super) fn meet_again(territories: &[Territory]) -> Result<Self, DemoError> {
        let mut cast = Vec::new();
        for territory in territories {
            for actor in territory.node.care.professionals()? {
                let known = Voice::ALL.into_iter().find(|voice| {
                    voice.place() == territory.place && voice.name() == actor.professional.name
                });
                cast.extend(known.map(|voice| (voice, actor.at_page())));
            }
        }
        Ok(Self(cast))
    }

    /// One of them, as they act on pages: in whose team they are is asked.
    pub(super) fn actor(&self, voice: Voice) -> Result<&Actor, DemoError> {
        self.0
            .iter()
            .find(|(known, _)| *known == voice)
            .map(|(_, actor)| actor)
            .ok_or(DemoError::Missing("professional of that name"))
    }
}

/// The person whom the file is about.
pub(super) fn patient() -> PatientIdentity {
    PatientIdentity {
        birth_name: "QUINTRIC".to_owned(),
        birth_given_names: vec!["ROZENN".to_owned(), "MARIE".to_owned()],
        used_name: "LE DANTEC-ABAUTRET".to_owned(),
        used_given_name: "ROZENN".to_owned(),
        birth_date: PartialDate::try_from("1941-07-19".to_owned()).ok(),
        sex: Sex::Female,
        birth_place: "29232".to_owned(),
        // No commune has the code that this number says: it is nobody's.
        ins: Some(Ins::new("241072999831740", InsKind::TestNir)),
        // A test number was retrieved from nowhere: a document was seen, no more.
        status: IdentityStatus::Validated,
        validated_by: "CN".to_owned(),
        contacts: vec![
            Contact::Phone("02 61 91 40 17".to_owned()),
            Contact::Address(vec![
                "4 venelle du Lavoir".to_owned(),
                "Saint-Kermoor-des-Landes".to_owned(),
            ]),
        ],
        identifiers: Vec::new(),
    }
}

/// The person's daughter, who is whom to call.
pub(super) fn daughter() -> maillon_protocol::content::Party {
    maillon_protocol::content::Party::RelatedPerson {
        name: "Gwenola Abautret".to_owned(),
        relationship: vec![
            code(CodeSystem::RoleClass, "CAREGIVER", "Aidante"),
            code(
                CodeSystem::RoleClass,
                "ECON",
                "Personne à prévenir en cas d'urgence",
            ),
        ],
        contacts: vec![Contact::Phone("06 39 98 12 64".to_owned())],
        identifiers: Vec::new(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_person_has_a_test_number_with_a_right_key() {
        let ins = patient().ins.expect("a number");
        assert_eq!(ins.kind, InsKind::TestNir);
        assert!(ins.may_match());
        assert!(patient().birth_date.is_some());
    }
}
