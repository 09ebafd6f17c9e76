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
mod tests {
    use maillon_protocol::content::{InsKey, InsKind};
    use serde_json::{Value, json};

    use super::*;
    use crate::fhir::{Import, ImportLimits, SubjectIdentity, read};

    const RIGHT: &str = "279035121518989";
    const TYPES: &str = "https://hl7.fr/ig/fhir/core/CodeSystem/fr-core-cs-v2-0203";

    fn number(kind: &str, oid: &str, value: &str) -> Value {
        json!({"type": {"coding": [{"system": TYPES, "code": kind}]}, "system": format!("urn:oid:1.2.250.1.213.1.4.{oid}"), "value": value})
    }

    fn jeanne(status: &str, identifiers: Value) -> Value {
        json!({
            "resourceType": "Patient",
            "extension": [
                {"url": "https://hl7.fr/ig/fhir/core/StructureDefinition/fr-core-identity-reliability", "extension": [
                    {"url": "identityStatus", "valueCoding": {"system": "https://hl7.fr/ig/fhir/core/CodeSystem/fr-core-cs-v2-0445", "code": status}}]},
                {"url": BIRTH_PLACE, "valueAddress": {"extension": [{"url": INSEE, "valueCoding": {"code": "51215"}}]}},
            ],
            "identifier": identifiers,
            "name": [{"use": "official", "family": "Roy", "given": ["Jeanne"]}],
            "gender": "female", "birthDate": "1979-03-02",
        })
    }

    fn taken(file: &Value) -> (PatientIdentity, Vec<Doubt>, Import) {
        let import = read(file.to_string().as_bytes(), &ImportLimits::default())
            .unwrap_or_else(|error| panic!("goes in: {error}"));
        match import.subjects[0].identity.clone() {
            SubjectIdentity::Inline(identity) => {
                (*identity, import.subjects[0].doubts.clone(), import)
            }
            other => panic!("inline: {other:?}"),
        }
    }

    #[test]
    fn validated_with_a_right_number_is_qualified_and_without_one_validated() {
        let status = |code: &str, identifiers: Value| taken(&jeanne(code, identifiers)).0.status;
        let right = json!([number("INS-NIR-TEST", "10", RIGHT)]);
        assert_eq!(status("VALI", right.clone()), IdentityStatus::Qualified);
        assert_eq!(status("VALI", json!([])), IdentityStatus::Validated);
        assert_eq!(status("PROV", right.clone()), IdentityStatus::Provisional);
        let mut file = jeanne("RECUP", right);
        file["extension"][0]["extension"][0]["valueCoding"]["system"] =
            "https://hl7.fr/ig/fhir/core/CodeSystem/fr-core-cs-identity-status".into();
        assert_eq!(taken(&file).0.status, IdentityStatus::Retrieved);
    }

    #[test]
    fn a_wrong_key_two_numbers_or_a_doubt_of_the_source_make_the_identity_provisional() {
        let wrong = json!([number("INS-NIR", "8", "279035121518988")]);
        let (identity, doubts, _) = taken(&jeanne("VALI", wrong));
        assert_eq!(
            (identity.status, doubts),
            (
                IdentityStatus::Provisional,
                vec![Doubt::WrongKey {
                    register: InsKind::Nir
                }]
            )
        );
        assert_eq!(identity.ins.map(|ins| ins.key), Some(InsKey::Wrong));
        let two = json!([
            number("INS-NIR", "8", "279035121518988"),
            number("INS-NIR", "8", RIGHT)
        ]);
        let (identity, doubts, _) = taken(&jeanne("VALI", two));
        assert_eq!(
            (identity.status, doubts),
            (IdentityStatus::Provisional, vec![Doubt::SeveralNumbers])
        );
        assert_eq!(identity.ins.map(|ins| ins.number), Some(RIGHT.to_owned()));
        let (identity, doubts, _) = taken(&jeanne("DOUT", json!([number("INS-NIR", "8", RIGHT)])));
        assert_eq!(
            (identity.status, doubts),
            (
                IdentityStatus::Provisional,
                vec![Doubt::SourceSays { code: "DOUT" }]
            )
        );
    }

    #[test]
    fn the_social_security_number_shares_the_address_of_the_ins_and_is_none() {
        let nss = json!({"type": {"coding": [{"code": "NH"}]}, "system": "urn:oid:1.2.250.1.213.1.4.8", "value": RIGHT});
        let (identity, _, import) = taken(&jeanne("VALI", json!([nss])));
        assert_eq!(
            (identity.ins, identity.identifiers, identity.status),
            (None, Vec::new(), IdentityStatus::Validated)
        );
        let kept = crate::fhir::Fate::Kept(KeptReason::SocialSecurityNumber);
        assert_eq!(
            import.report.fate_of("Patient.identifier[0].value"),
            Some(kept)
        );
        let untyped = json!({"system": "urn:oid:1.2.250.1.213.1.4.8", "value": RIGHT});
        let (identity, _, import) = taken(&jeanne("VALI", json!([untyped])));
        assert!(identity.ins.is_none() && import.report.warns(WarningKind::AmbiguousNumber));
    }

    #[test]
    fn a_test_number_never_becomes_a_real_one() {
        for (kind, oid) in [("INS-NIR", "10"), ("INS-NIR-TEST", "8")] {
            let (identity, _, import) = taken(&jeanne("VALI", json!([number(kind, oid, RIGHT)])));
            assert_eq!(identity.ins.map(|ins| ins.kind), Some(InsKind::TestNir));
            assert!(import.report.warns(WarningKind::TypeAndSystemDisagree));
        }
    }

    #[test]
    fn a_trusted_identity_without_one_of_its_traits_is_provisional() {
        let mut file = jeanne("VALI", json!([number("INS-NIR", "8", RIGHT)]));
        file["birthDate"] = "1979-02-30".into();
        let (identity, doubts, import) = taken(&file);
        assert_eq!(
            (identity.status, doubts),
            (
                IdentityStatus::Provisional,
                vec![Doubt::MissingTrait {
                    which: Trait::BirthDate
                }]
            )
        );
        assert!(import.report.warns(WarningKind::NotADate));
    }

    #[test]
    fn a_first_name_of_two_words_stays_one_name() {
        let mut file = jeanne("PROV", json!([]));
        file["name"][0]["given"] = json!(["Marie Claire"]);
        file["name"][0]["extension"] =
            json!([{"url": GIVEN_NAMES, "valueString": "Marie Claire Anne"}]);
        assert_eq!(taken(&file).0.birth_given_names, ["Marie Claire", "Anne"]);
        file["name"][0]["given"] = json!(["Jeanne"]);
        let (identity, _, import) = taken(&file);
        assert_eq!(
            identity.birth_given_names,
            ["Jeanne", "Marie", "Claire", "Anne"]
        );
        assert!(import.report.warns(WarningKind::GivenNamesDisagree));
    }

    #[test]
    fn two_patients_whom_nothing_identifies_stay_two_and_one_identifier_for_both_is_refused() {
        let bundle = |two: [Value; 2]| json!({"resourceType": "Bundle", "type": "collection", "entry": two.map(|resource| json!({"resource": resource}))});
        let mut other = jeanne("PROV", json!([]));
        other["birthDate"] = "1980".into();
        let file = bundle([jeanne("PROV", json!([])), other.clone()]);
        let import = read(file.to_string().as_bytes(), &ImportLimits::default()).expect("goes in");
        assert_ne!(import.subjects[0].key, import.subjects[1].key);
        let local = json!([{"system": "https://ch.example/ipp", "value": "42"}]);
        other["identifier"] = local.clone();
        let file = bundle([jeanne("PROV", local), other]);
        assert!(read(file.to_string().as_bytes(), &ImportLimits::default()).is_err());
    }
}
