//! Patient (FR Core, INS profile) to the identity of the person.

use maillon_protocol::content::{IdentityStatus, PatientIdentity, Sex};

use super::{contact, ins, time};
use crate::fhir::{
    Cause, Doubt, Trait,
    report::{KeptReason, RefusedReason, WarningKind},
    source::{At, Resource},
};

const BIRTH_PLACE: &str = "http://hl7.org/fhir/StructureDefinition/patient-birthPlace";
const INSEE: &str = "https://hl7.fr/ig/fhir/core/StructureDefinition/fr-core-address-insee-code";
const GIVEN_NAMES: &str =
    "https://hl7.fr/ig/fhir/core/StructureDefinition/fr-core-patient-birth-list-given-name";

/// The identity, and what gives reason to doubt it. A person without any name is a problem.
pub(crate) fn patient(at: At<'_>) -> (PatientIdentity, Vec<Doubt>) {
    let mut doubts = Vec::new();
    let names = names(at);
    let sex = sex(at);
    let birth_date = time::day_at(at, "birthDate");
    let birth_place = birth_place(at).unwrap_or_default();
    let (ins, identifiers) = ins::numbers(at, &mut doubts);
    let (mut status, validated_by) = ins::status(at, ins.as_ref(), &mut doubts);
    let missing = [
        (Trait::BirthName, names.birth.is_empty()),
        (Trait::BirthGivenNames, names.given.is_empty()),
        (Trait::BirthDate, birth_date.is_none()),
        (Trait::Sex, at.peek("gender").is_none()),
        (Trait::BirthPlace, birth_place.is_empty()),
    ];
    // Somebody provisional may lack traits; whoever is called more than that must have all five.
    if status != IdentityStatus::Provisional {
        let missing = missing.into_iter().filter(|(_, missing)| *missing);
        doubts.extend(missing.map(|(which, _)| Doubt::MissingTrait { which }));
    }
    if !doubts.is_empty() {
        status = IdentityStatus::Provisional;
    }
    warn_of_what_is_not_carried(at);
    let identity = PatientIdentity {
        birth_name: names.birth,
        birth_given_names: names.given,
        used_name: names.used,
        used_given_name: names.used_given,
        birth_date,
        sex,
        birth_place,
        ins,
        status,
        validated_by,
        contacts: contact::contacts(at),
        identifiers,
    };
    (identity, doubts)
}

/// Every text under which the same source may name this patient. A number with a wrong key is none: the published examples carry one
/// such number for two people.
pub(crate) fn aliases(resource: &Resource<'_>) -> Vec<String> {
    let mut aliases: Vec<String> = Vec::new();
    for at in resource.at.list("identifier") {
        let (Some(system), Some(value)) = (at.peek("system"), at.peek("value")) else {
            continue;
        };
        // Neither a wrong number, nor an insured person's number that a parent and a child may share, nor a former identifier.
        let number = system.starts_with("urn:oid:1.2.250.1.213.1.4.");
        let old = at.peek("use") == Some("old");
        if !old && !number {
            aliases.push(format!("{system}|{value}"));
        }
    }
    if resource.within.is_none() {
        aliases.extend(resource.id.map(|id| format!("Patient/{id}")));
    }
    let url = resource.full_url.filter(|url| url.starts_with("http"));
    aliases.extend(url.map(str::to_owned));
    if aliases.is_empty() {
        aliases.push(resource.key());
    }
    aliases.dedup();
    aliases
}

#[derive(Default)]
struct Names {
    birth: String,
    given: Vec<String>,
    used: String,
    used_given: String,
}

fn names(at: At<'_>) -> Names {
    let list = at.list("name");
    let of = |wanted: Option<&str>| list.iter().copied().find(|name| name.peek("use") == wanted);
    let mut names = Names::default();
    let birth = of(Some("official"))
        .or_else(|| of(Some("maiden")))
        .or_else(|| of(None).inspect(|name| name.warn(WarningKind::NameUseAssumed)));
    if let Some(name) = birth {
        name.map_at("use");
        names.birth = name.text("family").unwrap_or_default().to_owned();
        names.given = birth_given_names(name);
        name.keep_at("text", KeptReason::SaidElsewhere);
    }
    if let Some(name) = of(Some("usual")) {
        name.map_at("use");
        let given = name.texts("given").join(" ");
        let family = name.text("family").unwrap_or_default();
        names.used = Some(family)
            .filter(|family| *family != names.birth)
            .unwrap_or_default()
            .to_owned();
        names.used_given = Some(given)
            .filter(|given| names.given.first() != Some(given))
            .unwrap_or_default();
        name.keep_at("text", KeptReason::SaidElsewhere);
    }
    for name in &list {
        if matches!(
            name.peek("use"),
            Some("old" | "temp" | "nickname" | "anonymous")
        ) {
            name.keep(KeptReason::NotCurrent);
        }
    }
    if names.birth.is_empty() && names.used.is_empty() {
        // Some sources give the name only as it is shown.
        names.used = list
            .iter()
            .find_map(|name| name.text("text"))
            .unwrap_or_default()
            .to_owned();
    }
    if names.birth.is_empty() && names.used.is_empty() {
        at.get("name").unwrap_or(at).problem(Cause::Missing);
    }
    names
}

/// The given names of birth, the first one first: the profile gives the first one in the name and all of them in an extension.
fn birth_given_names(name: At<'_>) -> Vec<String> {
    let given: Vec<String> = name.texts("given").into_iter().map(str::to_owned).collect();
    let Some(all) = name
        .extension(GIVEN_NAMES)
        .and_then(|list| list.text("valueString"))
    else {
        return given;
    };
    let words = |text: &str| {
        text.split_whitespace()
            .map(str::to_owned)
            .collect::<Vec<_>>()
    };
    let (all, first) = (
        words(all),
        given.first().map(|first| words(first)).unwrap_or_default(),
    );
    if given.len() > 1 {
        return given;
    }
    // A first name of several words ("Marie Claire") stays one name.
    match (given.into_iter().next(), all.get(first.len()..)) {
        (None, _) => all,
        (Some(own), Some(rest)) if all.starts_with(&first) => [vec![own], rest.to_vec()].concat(),
        (Some(own), _) => {
            name.warn(WarningKind::GivenNamesDisagree);
            let rest = all.into_iter().filter(|word| !first.contains(word));
            std::iter::once(own).chain(rest).collect()
        }
    }
}

fn sex(at: At<'_>) -> Sex {
    match at.peek("gender") {
        None => Sex::Unknown,
        Some(code) => {
            let sex = match code {
                "male" => Sex::Male,
                "female" => Sex::Female,
                "unknown" | "other" => Sex::Unknown,
                _ => {
                    at.get("gender")
                        .unwrap_or(at)
                        .refuse(RefusedReason::UnknownCode);
                    return Sex::Unknown;
                }
            };
            at.map_at("gender");
            sex
        }
    }
}

fn birth_place(at: At<'_>) -> Option<String> {
    let address = at.extension(BIRTH_PLACE)?.object("valueAddress")?;
    let coding = address.extension(INSEE)?.object("valueCoding")?;
    coding.map_at("system");
    Some(coding.text("code")?.to_owned())
}

fn warn_of_what_is_not_carried(at: At<'_>) {
    contact::warn_inactive(at);
    at.warn_at("link", WarningKind::StatusNotCarried);
    if at.flag("deceasedBoolean") == Some(true) {
        at.warn_at("deceasedBoolean", WarningKind::DeceasedNotCarried);
    }
    at.warn_at("deceasedDateTime", WarningKind::DeceasedNotCarried);
    at.warn_at("contact", WarningKind::ContactPersonNotCarried);
    at.warn_at("generalPractitioner", WarningKind::ContactPersonNotCarried);
}

/// Whether a key by identifier names an INS: such a reference finds nobody, because keys are not checked there.
pub(crate) fn is_number(key: &str) -> bool {
    key.split_once('|')
        .is_some_and(|(system, _)| ins::register(system).is_some())
}

#[cfg(test)]
mod tests;
