//! Stories of one note.

use serde_json::{Value, json};

use super::*;
use crate::fhir::{Import, ImportError, read};

fn a_note() -> Value {
    json!({
        "resourceType": "DocumentReference", "id": "n1", "status": "current",
        "type": {"coding": [{"system": "https://mos.esante.gouv.fr/NOS/TRE_R234-TypeNote/FHIR/TRE-R234-TypeNote", "code": "GEN"}]},
        "subject": {"reference": "Patient/1"}, "date": "2026-01-05T10:00:00+01:00",
        "author": [{"reference": "Practitioner/7", "display": "Karim Benali"}],
        "content": [{"attachment": {"contentType": "text/plain", "data": "UGFzc2FnZSBmYWl0Lg=="}}],
    })
}

fn taken(file: &Value) -> Import {
    let limits = ImportLimits::default();
    read(file.to_string().as_bytes(), &limits).unwrap_or_else(|error| panic!("goes in: {error}"))
}

fn refused(file: &Value) -> Vec<Cause> {
    match read(file.to_string().as_bytes(), &ImportLimits::default()) {
        Err(ImportError::Refused(problems)) => {
            problems.iter().map(|problem| problem.cause).collect()
        }
        other => panic!("refused: {other:?}"),
    }
}

fn first(import: &Import) -> (&Item, &LiaisonNote) {
    let item = &import.subjects[0].items[0];
    match &item.content {
        Content::LiaisonNote(note) => (item, note),
        other => panic!("a note: {other:?}"),
    }
}

#[test]
fn an_answer_names_its_note_and_a_replacement_names_what_it_replaces() {
    let mut file = a_note();
    file["relatesTo"] = json!([
        {"code": "appends", "target": {"reference": "https://serveur.example/fhir/DocumentReference/n0/_history/3"}},
        {"code": "replaces", "target": {"reference": "DocumentReference/brouillon"}},
    ]);
    let import = taken(&file);
    let item = first(&import).0;
    assert_eq!(item.parent.as_deref(), Some("DocumentReference/n0"));
    assert_eq!(
        item.replaces.as_deref(),
        Some("DocumentReference/brouillon")
    );
    assert!(import.report.warns(WarningKind::Replaces));
}

#[test]
fn an_answer_that_stands_before_its_note_comes_out_after_it_and_a_ring_is_cut() {
    let entry = |id: &str, to: &str| {
        let mut note = a_note();
        note["id"] = id.into();
        note["relatesTo"] = json!([{"code": "appends", "target": {"reference": format!("DocumentReference/{to}")}}]);
        json!({"resource": note})
    };
    let patient = json!({"resource": {"resourceType": "Patient", "id": "1", "name": [{"use": "official", "family": "Roy"}]}});
    let bundle =
        |entries: Value| json!({"resourceType": "Bundle", "type": "transaction", "entry": entries});
    let keys = |import: &Import| -> Vec<_> {
        import.subjects[0]
            .items
            .iter()
            .map(|item| (item.source_key.clone(), item.parent.clone()))
            .collect()
    };
    let line = |id: &str, parent: Option<&str>| {
        (
            format!("DocumentReference/{id}"),
            parent.map(|id| format!("DocumentReference/{id}")),
        )
    };
    let import = taken(&bundle(json!([patient, entry("c", "b"), entry("b", "a")])));
    assert_eq!(keys(&import), [line("b", Some("a")), line("c", Some("b"))]);
    let import = taken(&bundle(json!([patient, entry("a", "b"), entry("b", "a")])));
    assert_eq!(keys(&import), [line("a", None), line("b", Some("a"))]);
    assert!(import.report.warns(WarningKind::AnswersInARing));
}

#[test]
fn a_note_that_nobody_wrote_does_not_go_in_as_if_the_importer_had_written_it() {
    let mut file = a_note();
    file["author"] = json!([{"reference": "Practitioner/7"}]);
    assert_eq!(refused(&file), [Cause::NoAuthor]);
    file["author"] = Value::Null;
    assert_eq!(refused(&file), [Cause::Missing]);
}

#[test]
fn a_note_by_a_relative_or_by_the_patient_says_what_they_are() {
    let mut file = a_note();
    file["contained"] = json!([{
        "resourceType": "RelatedPerson", "id": "fille", "name": [{"family": "Roy", "given": ["Claire"]}],
        "relationship": [{"coding": [{"system": "https://mos.esante.gouv.fr/NOS/TRE_R260-HL7RoleClass/FHIR/TRE-R260-HL7RoleClass", "code": "CAREGIVER"}]}],
    }]);
    file["author"] =
        json!([{"reference": "#fille"}, {"reference": "Patient/1", "display": "Jeanne Roy"}]);
    let import = taken(&file);
    let authors: Vec<_> = first(&import)
        .1
        .written_by
        .iter()
        .map(|author| {
            (
                author.name.as_str(),
                author.profession.as_ref().map(|code| code.code.as_str()),
            )
        })
        .collect();
    assert_eq!(
        authors,
        [
            ("Claire Roy", Some("CAREGIVER")),
            ("Jeanne Roy", Some("PAT"))
        ]
    );
}

#[test]
fn a_link_is_not_followed_and_a_note_with_nothing_at_all_is_refused() {
    let mut file = a_note();
    file["content"] = json!([{"attachment": {"contentType": "text/plain", "url": "https://serveur.example/Binary/1"}}]);
    let import = taken(&file);
    assert!(import.report.warns(WarningKind::LinkNotFollowed));
    file["content"] = json!([{"attachment": {"contentType": "text/plain"}}]);
    assert_eq!(refused(&file), [Cause::NothingToRead]);
    file["content"] =
        json!([{"attachment": {"contentType": "text/plain", "data": "pas du base64"}}]);
    assert!(refused(&file).contains(&Cause::NotBase64));
}

#[test]
fn a_kind_of_note_outside_the_national_list_is_refused_and_a_note_withdrawn_at_the_source_is_withdrawn_here()
 {
    let mut file = a_note();
    file["status"] = "entered-in-error".into();
    assert!(
        first(&taken(&file))
            .1
            .withdrawn
            .starts_with("Saisi par erreur")
    );
    file["type"]["coding"][0]["code"] = "AUTRE".into();
    assert_eq!(refused(&file), [Cause::UnknownCode]);
}

#[test]
fn what_may_turn_the_meaning_around_is_not_guessed() {
    let mut file = a_note();
    file["modifierExtension"] =
        json!([{"url": "https://exemple.fr/negation", "valueBoolean": true}]);
    assert_eq!(refused(&file), [Cause::UnknownModifier]);
}

#[test]
fn a_note_about_nobody_who_could_be_known_says_to_bring_the_patient() {
    let mut file = a_note();
    file["subject"] = json!({"display": "Mme Roy"});
    assert_eq!(refused(&file), [Cause::NoPatient]);
    assert!(
        Cause::NoPatient
            .remedy()
            .contains("together with its patient")
    );
    // A national number is no key: nobody has checked it yet.
    file["subject"] = json!({"type": "Patient", "identifier": {"system": "urn:oid:1.2.250.1.213.1.4.8", "value": "123456789012244"}});
    assert_eq!(refused(&file), [Cause::NoPatient]);
    file["subject"] = json!({"type": "Patient", "identifier": {"system": "https://ch.example/ipp", "value": "42"}});
    assert_eq!(taken(&file).subjects[0].key, "https://ch.example/ipp|42");
}
