//! Addresses of terminologies and registers, both ways. Source: `ehealth.md`, sections 1 to 7.

use maillon_protocol::content::{Code, CodeSystem, Identifier, IdentifierSystem};

use super::{report::KeptReason, source::At};

/// Terminologies: the address to write, then what else is read as the same.
const SYSTEMS: [(CodeSystem, &str, &[&str]); 10] = [
    (
        CodeSystem::ProfessionSante,
        "https://mos.esante.gouv.fr/NOS/TRE_G15-ProfessionSante/FHIR/TRE-G15-ProfessionSante",
        &["urn:oid:1.2.250.1.213.1.1.5.5"],
    ),
    (
        CodeSystem::ProfessionSocial,
        "https://mos.esante.gouv.fr/NOS/TRE_R94-ProfessionSocial/FHIR/TRE-R94-ProfessionSocial",
        &["urn:oid:1.2.250.1.213.1.6.1.4"],
    ),
    (
        CodeSystem::UsagerTitre,
        "https://mos.esante.gouv.fr/NOS/TRE_R95-UsagerTitre/FHIR/TRE-R95-UsagerTitre",
        &["urn:oid:1.2.250.1.213.1.6.1.109"],
    ),
    (
        CodeSystem::RolePriseCharge,
        "https://mos.esante.gouv.fr/NOS/TRE_R85-RolePriseCharge/FHIR/TRE-R85-RolePriseCharge",
        &["urn:oid:1.2.250.1.213.1.6.1.107"],
    ),
    (
        CodeSystem::RoleClass,
        "https://mos.esante.gouv.fr/NOS/TRE_R260-HL7RoleClass/FHIR/TRE-R260-HL7RoleClass",
        &[],
    ),
    (
        CodeSystem::RoleCode,
        "https://mos.esante.gouv.fr/NOS/TRE_R216-HL7RoleCode/FHIR/TRE-R216-HL7RoleCode",
        &[],
    ),
    (
        CodeSystem::ParticipationFunction,
        "https://mos.esante.gouv.fr/NOS/TRE_R259-HL7ParticipationFunction/FHIR/TRE-R259-HL7ParticipationFunction",
        &[],
    ),
    (
        CodeSystem::DocumentType,
        "http://loinc.org",
        &[
            "urn:oid:2.16.840.1.113883.6.1",
            "urn:oid:1.2.250.1.213.1.1.4.12",
        ],
    ),
    (
        CodeSystem::DocumentClass,
        "https://mos.esante.gouv.fr/NOS/TRE_A03-ClasseDocument/FHIR/TRE-A03-ClasseDocument",
        &[],
    ),
    (
        CodeSystem::Confidentiality,
        "http://terminology.hl7.org/CodeSystem/v3-Confidentiality",
        &[
            "urn:oid:2.16.840.1.113883.5.25",
            "urn:oid:1.2.250.1.213.1.1.4.13",
        ],
    ),
];

/// Terminologies of the national server whose full name varies: what stands after `/NOS/`, up to the hyphen.
const NATIONAL: [(&str, CodeSystem); 10] = [
    ("TRE_G15", CodeSystem::ProfessionSante),
    ("TRE_R94", CodeSystem::ProfessionSocial),
    ("TRE_R95", CodeSystem::UsagerTitre),
    ("TRE_R85", CodeSystem::RolePriseCharge),
    ("TRE_R260", CodeSystem::RoleClass),
    ("TRE_R216", CodeSystem::RoleCode),
    ("TRE_R259", CodeSystem::ParticipationFunction),
    ("TRE_A05", CodeSystem::DocumentType),
    ("TRE_A03", CodeSystem::DocumentClass),
    ("TRE_A07", CodeSystem::Confidentiality),
];

/// Registers that identify professionals and structures.
const REGISTERS: [(IdentifierSystem, &str); 5] = [
    (IdentifierSystem::Rpps, "https://rpps.esante.gouv.fr"),
    (IdentifierSystem::Adeli, "https://adeli.esante.gouv.fr"),
    (IdentifierSystem::IdNatPs, "urn:oid:1.2.250.1.71.4.2.1"),
    (IdentifierSystem::Finess, "https://finess.esante.gouv.fr"),
    (IdentifierSystem::Sirene, "https://sirene.fr"),
];

/// The terminology at an address.
pub fn code_system(url: &str) -> CodeSystem {
    let listed = SYSTEMS
        .iter()
        .find(|(_, written, others)| *written == url || others.contains(&url))
        .map(|(system, ..)| system);
    let national = || {
        let name = url
            .strip_prefix("https://mos.esante.gouv.fr/NOS/")?
            .split('-')
            .next()?;
        NATIONAL
            .iter()
            .find(|(known, _)| *known == name)
            .map(|(_, system)| system)
    };
    listed
        .or_else(national)
        .cloned()
        .unwrap_or_else(|| CodeSystem::Other(url.to_owned()))
}

/// The address to write for a terminology.
pub fn code_system_url(system: &CodeSystem) -> &str {
    match system {
        CodeSystem::Other(url) => url,
        known => SYSTEMS
            .iter()
            .find(|(system, ..)| system == known)
            .map_or("", |(_, url, _)| url),
    }
}

/// The register at an address.
pub fn identifier_system(url: &str) -> IdentifierSystem {
    REGISTERS
        .iter()
        .find(|(_, known)| *known == url)
        .map_or_else(
            || IdentifierSystem::Other(url.to_owned()),
            |(system, _)| system.clone(),
        )
}

/// The address to write for a register; `None` for what a structure gives out itself.
pub fn identifier_system_url(system: &IdentifierSystem) -> Option<&str> {
    match system {
        IdentifierSystem::Other(url) => Some(url),
        known => REGISTERS
            .iter()
            .find(|(system, _)| system == known)
            .map(|(_, url)| *url),
    }
}

/// The code of a CodeableConcept: of its codings the first one whose system is among `wanted`, else the first one; else its text.
pub(crate) fn code(concept: At<'_>, wanted: &[CodeSystem]) -> Option<Code> {
    let codings = concept.list("coding");
    let chosen = codings
        .iter()
        .find(|coding| coding.peek("code").is_some() && wanted.contains(&system_of(**coding)))
        .or_else(|| codings.iter().find(|coding| coding.peek("code").is_some()));
    let code = match chosen {
        Some(coding) => read(*coding, concept.peek("text")),
        None => concept.text("text").map(|text| Code {
            system: CodeSystem::Other(String::new()),
            code: String::new(),
            label: text.to_owned(),
        }),
    };
    concept.keep_at("coding", KeptReason::SaidElsewhere);
    concept.keep_at("text", KeptReason::SaidElsewhere);
    code
}

fn system_of(coding: At<'_>) -> CodeSystem {
    code_system(coding.peek("system").unwrap_or_default())
}

fn read(coding: At<'_>, text: Option<&str>) -> Option<Code> {
    coding.map_at("system");
    Some(Code {
        system: system_of(coding),
        code: coding.text("code")?.to_owned(),
        label: coding
            .text("display")
            .or(text)
            .unwrap_or_default()
            .to_owned(),
    })
}

/// Identifiers of anybody but a patient: those with register and value, RPPS first. Old ones stay in the original.
pub(crate) fn identifiers(of: At<'_>) -> Vec<Identifier> {
    let mut identifiers: Vec<Identifier> = of
        .list("identifier")
        .into_iter()
        .filter_map(|at| {
            if at.peek("use") == Some("old") {
                at.keep(KeptReason::NotCurrent);
                return None;
            }
            identifier(at)
        })
        .collect();
    identifiers.sort();
    identifiers.dedup();
    identifiers
}

/// One identifier, where it has register and value.
pub(crate) fn identifier(at: At<'_>) -> Option<Identifier> {
    let (system, value) = (at.peek("system")?, at.peek("value")?);
    at.map_at("system");
    at.map_at("value");
    Some(Identifier {
        system: identifier_system(system),
        value: value.to_owned(),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_terminology_that_is_written_is_read_back_as_itself() {
        for (system, url, others) in SYSTEMS {
            assert_eq!(code_system(url), system);
            assert_eq!(code_system_url(&system), url);
            assert!(others.iter().all(|other| code_system(other) == system));
        }
        for (system, url) in REGISTERS {
            assert_eq!(identifier_system(url), system);
            assert_eq!(identifier_system_url(&system), Some(url));
        }
    }

    #[test]
    fn an_unknown_terminology_keeps_its_address() {
        let url = "https://exemple.fr/nomenclature";
        assert_eq!(code_system(url), CodeSystem::Other(url.to_owned()));
        assert_eq!(code_system_url(&code_system(url)), url);
    }
}
