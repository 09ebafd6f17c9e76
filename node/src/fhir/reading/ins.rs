//! The number and how far the identity is trusted.
//!
//! The social security number and the INS share one address (`…4.8`): only the type tells them apart, and without a type it is
//! neither. Where type and address name two registers, the weaker claim is believed: a test number never becomes a real one.
//!
//! Our choices, beside the published rules: a wrong key, two numbers, or a missing strict trait make the identity provisional whatever
//! the source says; a number is not needed for "validée".

use maillon_protocol::content::{Identifier, IdentityStatus, Ins, InsKey, InsKind};

use crate::fhir::{
    Doubt,
    codes::{self},
    report::{KeptReason, RefusedReason, WarningKind},
    source::At,
};

const OLD_INS: &str = "urn:oid:1.2.250.1.213.1.4.2";
const RELIABILITY: &str =
    "https://hl7.fr/ig/fhir/core/StructureDefinition/fr-core-identity-reliability";
const RNIV_STATUSES: &str = "https://hl7.fr/ig/fhir/core/CodeSystem/fr-core-cs-identity-status";

/// The register that an address names.
pub(crate) fn register(system: &str) -> Option<InsKind> {
    match system.strip_prefix("urn:oid:1.2.250.1.213.1.4.")? {
        "8" => Some(InsKind::Nir),
        "9" => Some(InsKind::Nia),
        "10" => Some(InsKind::TestNir),
        "11" => Some(InsKind::DemoNir),
        _ => None,
    }
}

fn typed(identifier: At<'_>) -> Option<&str> {
    let codings = identifier.object("type")?.list("coding");
    codings.into_iter().find_map(|coding| coding.peek("code"))
}

/// Numbers and other identifiers of a patient.
pub(crate) fn numbers(patient: At<'_>, doubts: &mut Vec<Doubt>) -> (Option<Ins>, Vec<Identifier>) {
    let (mut numbers, mut others): (Vec<Ins>, Vec<Identifier>) = (Vec::new(), Vec::new());
    for at in patient.list("identifier") {
        let system = at.peek("system").unwrap_or_default();
        if at.peek("use") == Some("old") || system == OLD_INS {
            at.keep(KeptReason::NotCurrent);
            continue;
        }
        let by_type = match typed(at) {
            Some("INS-NIR") => Some(InsKind::Nir),
            Some("INS-NIA") => Some(InsKind::Nia),
            Some("INS-NIR-TEST") => Some(InsKind::TestNir),
            Some("INS-NIR-DEMO") => Some(InsKind::DemoNir),
            Some("NH") => {
                at.keep(KeptReason::SocialSecurityNumber);
                continue;
            }
            _ => None,
        };
        let kind = match (by_type, register(system)) {
            (None, Some(InsKind::Nir)) => {
                at.warn(WarningKind::AmbiguousNumber);
                continue;
            }
            (None, None) => {
                others.extend(codes::identifier(at));
                continue;
            }
            (Some(by_type), Some(by_system)) if by_type != by_system => {
                at.warn(WarningKind::TypeAndSystemDisagree);
                weaker(by_type, by_system)
            }
            (Some(kind), _) | (None, Some(kind)) => kind,
        };
        let Some(value) = at.text("value") else {
            continue;
        };
        for key in ["use", "type", "system"] {
            at.map_at(key);
        }
        let number: String = value
            .split_whitespace()
            .collect::<String>()
            .to_ascii_uppercase();
        let ins = Ins::new(&number, kind);
        if !numbers.contains(&ins) {
            numbers.push(ins);
        }
    }
    if numbers.len() > 1 {
        doubts.push(Doubt::SeveralNumbers);
    }
    numbers.sort_by_key(|ins| ins.key != InsKey::Right);
    let ins = numbers.into_iter().next();
    if let Some(ins) = ins.as_ref().filter(|ins| !ins.may_match()) {
        doubts.push(Doubt::WrongKey { register: ins.kind });
    }
    (ins, others)
}

fn weaker(one: InsKind, other: InsKind) -> InsKind {
    let rank = |kind: InsKind| match kind {
        InsKind::DemoNir => 0,
        InsKind::TestNir => 1,
        InsKind::Nia => 2,
        InsKind::Nir => 3,
    };
    if rank(one) <= rank(other) { one } else { other }
}

/// What the source says about the identity.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Claim {
    Provisional,
    Retrieved,
    /// Validated; qualified where there is a number.
    Validated,
    /// Validated, said by a system that has "qualifiée" beside it.
    ValidatedOnly,
    Qualified,
}

/// The status of the identity as the source claims it, and the code of the means that it rests on. Doubts lower it afterwards.
pub(crate) fn status(
    patient: At<'_>,
    ins: Option<&Ins>,
    doubts: &mut Vec<Doubt>,
) -> (IdentityStatus, String) {
    let mut claim = Claim::Provisional;
    let mut means = String::new();
    for at in patient.extensions(RELIABILITY) {
        if let Some(coding) = coding(at, "identityStatus") {
            let rniv = coding.peek("system") == Some(RNIV_STATUSES);
            claim = match (coding.peek("code"), rniv) {
                (Some("VALI"), false) => Claim::Validated,
                (Some("VALI"), true) => Claim::ValidatedOnly,
                (Some("RECUP"), true) => Claim::Retrieved,
                (Some("QUAL"), true) => Claim::Qualified,
                (Some("PROV" | "VIDE"), _) => Claim::Provisional,
                (Some(code), _) => match Doubt::SAID.iter().find(|known| **known == code) {
                    Some(known) => {
                        doubts.push(Doubt::SourceSays { code: known });
                        Claim::Provisional
                    }
                    None => {
                        coding.refuse(RefusedReason::UnknownCode);
                        Claim::Provisional
                    }
                },
                (None, _) => Claim::Provisional,
            };
            coding.map();
        }
        if let Some(coding) = coding(at, "validationMode") {
            coding.map_at("system");
            means = coding.text("code").unwrap_or_default().to_owned();
        }
    }
    let status = match (claim, ins.is_some_and(Ins::may_match)) {
        (Claim::Validated | Claim::Qualified, true) => IdentityStatus::Qualified,
        (Claim::Validated | Claim::ValidatedOnly | Claim::Qualified, _) => {
            IdentityStatus::Validated
        }
        (Claim::Retrieved, true) => IdentityStatus::Retrieved,
        (Claim::Retrieved | Claim::Provisional, _) => IdentityStatus::Provisional,
    };
    (status, means)
}

fn coding<'a>(reliability: At<'a>, name: &str) -> Option<At<'a>> {
    reliability.extension(name)?.object("valueCoding")
}
