//! Stories of one patient.

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
        SubjectIdentity::Inline(identity) => (*identity, import.subjects[0].doubts.clone(), import),
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
