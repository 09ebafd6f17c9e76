//! One resource to one professional, structure or person close to the patient.

use maillon_protocol::content::{Code, CodeSystem, Identifier, Party, Professional, Structure};

use super::contact;
use crate::fhir::{
    codes,
    report::KeptReason,
    source::{At, ResourceKind},
};

/// Terminologies that say a profession.
pub(crate) const PROFESSIONS: [CodeSystem; 4] = [
    CodeSystem::ProfessionSante,
    CodeSystem::ProfessionSocial,
    CodeSystem::UsagerTitre,
    CodeSystem::RolePriseCharge,
];

/// A professional of whom nothing is known yet.
pub(crate) fn nobody() -> Professional {
    Professional {
        name: String::new(),
        identifiers: Vec::new(),
        profession: None,
        structure: Structure {
            name: String::new(),
            identifiers: Vec::new(),
        },
    }
}

/// As an author is written: everybody is a professional there, a person close to the patient by what they are for.
pub(crate) fn as_author(party: Party) -> Professional {
    let nowhere = Structure {
        name: String::new(),
        identifiers: Vec::new(),
    };
    match party {
        Party::Professional(professional) => professional,
        Party::Organisation(structure, _) => Professional {
            name: structure.name.clone(),
            identifiers: Vec::new(),
            profession: None,
            structure,
        },
        Party::RelatedPerson {
            name,
            relationship,
            identifiers,
            ..
        } => Professional {
            name,
            identifiers,
            profession: relationship.into_iter().next(),
            structure: nowhere,
        },
    }
}

/// What a patient is for in their own file.
pub(crate) fn the_patient() -> Code {
    Code {
        system: CodeSystem::RoleClass,
        code: "PAT".to_owned(),
        label: "Patient".to_owned(),
    }
}

/// Somebody of whom the file has only the name beside the reference.
pub(crate) fn named(reference: At<'_>, name: &str, kind: Option<ResourceKind>) -> Party {
    let name = name.to_owned();
    let identifiers: Vec<Identifier> = reference
        .object("identifier")
        .and_then(codes::identifier)
        .into_iter()
        .collect();
    match kind {
        Some(ResourceKind::Organization | ResourceKind::Device) => {
            Party::Organisation(Structure { name, identifiers }, Vec::new())
        }
        Some(ResourceKind::RelatedPerson | ResourceKind::Patient) => Party::RelatedPerson {
            name,
            relationship: if kind == Some(ResourceKind::Patient) {
                vec![the_patient()]
            } else {
                Vec::new()
            },
            contacts: Vec::new(),
            identifiers: Vec::new(),
        },
        _ => Party::Professional(Professional {
            name,
            identifiers,
            profession: None,
            structure: Structure {
                name: String::new(),
                identifiers: Vec::new(),
            },
        }),
    }
}

/// A Practitioner.
pub(crate) fn practitioner(at: At<'_>) -> Professional {
    contact::warn_inactive(at);
    let name = contact::shown_name(at).unwrap_or_default();
    let qualifications = at.list("qualification");
    let profession = qualifications
        .into_iter()
        .filter_map(|qualification| qualification.object("code"))
        .find(|concept| {
            let codings = concept.list("coding");
            codings.iter().any(|coding| {
                PROFESSIONS.contains(&codes::code_system(
                    coding.peek("system").unwrap_or_default(),
                ))
            })
        })
        .and_then(|concept| codes::code(concept, &PROFESSIONS));
    Professional {
        name,
        identifiers: codes::identifiers(at),
        profession,
        structure: Structure {
            name: String::new(),
            identifiers: Vec::new(),
        },
    }
}

/// An Organization.
pub(crate) fn structure(at: At<'_>) -> Structure {
    contact::warn_inactive(at);
    let name = at.text("name").map(str::to_owned);
    Structure {
        name: name
            .or_else(|| at.texts("alias").first().map(|alias| (*alias).to_owned()))
            .unwrap_or_default(),
        identifiers: codes::identifiers(at),
    }
}

/// A device that writes is shown under its name, as a structure is.
pub(crate) fn device(at: At<'_>) -> Structure {
    let name = at
        .list("deviceName")
        .into_iter()
        .find_map(|name| name.text("name"));
    Structure {
        name: name
            .or_else(|| at.text("modelNumber"))
            .unwrap_or("Dispositif")
            .to_owned(),
        identifiers: codes::identifiers(at),
    }
}

/// A RelatedPerson.
pub(crate) fn related(at: At<'_>) -> Party {
    contact::warn_inactive(at);
    let wanted = [CodeSystem::RoleClass, CodeSystem::RoleCode];
    at.keep_at("patient", KeptReason::SaidElsewhere);
    Party::RelatedPerson {
        name: contact::shown_name(at).unwrap_or_default(),
        relationship: at
            .list("relationship")
            .into_iter()
            .filter_map(|concept| codes::code(concept, &wanted))
            .collect(),
        contacts: contact::contacts(at),
        identifiers: codes::identifiers(at),
    }
}
