//! Our own two bundles: one person of a territory, her care circle and a note about her.

mod examples;

use examples::{days, identity, import, notes, own, problems, shown, terms};
use maillon_node::fhir::{Cause, Fate, RefusedReason, WarningKind};
use maillon_protocol::content::{
    CodeSystem, IdentifierSystem, IdentityStatus, InsKind, NoteKind, Party,
};
use serde_json::{Value, json};

#[test]
fn our_own_circle_is_qualified_and_complete() {
    let import = import(&own("cercle-de-soins.json"));
    let subject = &import.subjects[0];
    let odette = identity(subject);
    assert_eq!(odette.status, IdentityStatus::Qualified);
    assert!(subject.doubts.is_empty());
    assert!(
        odette
            .ins
            .as_ref()
            .is_some_and(|ins| ins.kind == InsKind::TestNir && ins.may_match())
    );
    assert_eq!(
        (
            odette.birth_name.as_str(),
            odette.used_name.as_str(),
            odette.used_given_name.as_str()
        ),
        ("MARCHAND", "LEFEBVRE", "")
    );
    assert_eq!(odette.birth_given_names, ["Odette", "Marie", "Thérèse"]);
    assert_eq!(
        (odette.validated_by.as_str(), odette.identifiers.len()),
        ("CN", 1)
    );
    assert_eq!(
        subject.key,
        "https://dac-pays-de-caux.example/usagers|U-00417"
    );
    let terms = terms(subject);
    assert_eq!(terms.len(), 6);
    let doctor = terms.iter().find_map(|(_, term)| match &term.party {
        Party::Professional(doctor) if doctor.name == "Hélène Vasseur" => Some((doctor, term)),
        _ => None,
    });
    let (doctor, term) = doctor.expect("the attending doctor");
    assert_eq!(doctor.identifiers[0].system, IdentifierSystem::Rpps);
    assert_eq!(doctor.structure.name, "Maison de santé des Tilleuls");
    assert_eq!(
        (&term.roles[0].system, term.roles[0].code.as_str()),
        (&CodeSystem::ParticipationFunction, "PCP")
    );
    let neighbour: Vec<_> = terms
        .iter()
        .filter(|(_, term)| matches!(&term.party, Party::RelatedPerson { name, .. } if name == "Raymond Hauchecorne"))
        .map(|(item, term)| (item.source_key.as_str(), shown(&term.period)))
        .collect();
    let key = "CareTeam/cercle-odette-marchand/RelatedPerson/voisin";
    assert_eq!(
        neighbour,
        [
            (
                format!("{key}/1").as_str(),
                days("2025-11-17", "2025-12-20")
            ),
            (format!("{key}/2").as_str(), days("2026-02-10", "")),
        ],
        "who comes back has a second term"
    );
}

#[test]
fn our_own_note_has_its_photo_its_emergency_and_its_author_in_a_role() {
    let import = import(&own("cahier-de-liaison.json"));
    let notes = notes(&import.subjects[0]);
    let [(item, note)] = notes.as_slice() else {
        panic!("one note")
    };
    assert_eq!((note.note, note.emergency), (NoteKind::Observation, true));
    assert!(
        note.text
            .starts_with("Plaie du talon droit propre ce matin")
            && note.text.contains("à 8 h")
    );
    assert_eq!(note.written_by.len(), 1);
    assert_eq!(
        (
            note.written_by[0].name.as_str(),
            note.written_by[0].structure.name.as_str()
        ),
        ("Karim Benali", "Maison de santé des Tilleuls")
    );
    let [photo] = item.attachments.as_slice() else {
        panic!("one photo")
    };
    assert_eq!(
        (photo.media_type.as_str(), photo.name.as_str()),
        ("image/png", "Talon droit.png")
    );
    assert!(photo.bytes.starts_with(b"\x89PNG"));
    assert!(!import.report.warns(WarningKind::CharsetGuessed));
}

#[test]
fn the_same_patient_in_two_bundles_of_one_source_has_one_key() {
    let (circle, notebook) = (
        import(&own("cercle-de-soins.json")),
        import(&own("cahier-de-liaison.json")),
    );
    assert_eq!(circle.subjects[0].key, notebook.subjects[0].key);
}

#[test]
fn the_same_file_twice_gives_the_same_keys_and_another_order_of_members_does_too() {
    let bytes = own("cercle-de-soins.json");
    let keys = |bytes: &[u8]| {
        let import = import(bytes);
        let mut keys: Vec<_> = import.subjects[0]
            .items
            .iter()
            .map(|item| {
                (
                    item.source_key.clone(),
                    item.content.payload().map(|bytes| bytes.0),
                )
            })
            .collect();
        keys.sort();
        keys
    };
    assert_eq!(import(&bytes).source_hash, import(&bytes).source_hash);
    let mut turned: Value = serde_json::from_slice(&bytes).expect("JSON");
    turned["entry"][0]["resource"]["participant"]
        .as_array_mut()
        .expect("members")
        .reverse();
    assert_eq!(keys(&bytes), keys(turned.to_string().as_bytes()));
}

#[test]
fn a_bundle_with_one_bad_entry_goes_in_not_at_all_and_every_problem_is_listed() {
    let mut bundle: Value = serde_json::from_slice(&own("cercle-de-soins.json")).expect("JSON");
    bundle["entry"][0]["resource"]["participant"][1]["member"]["reference"] =
        "urn:uuid:nobody".into();
    bundle["entry"][1]["resource"]["name"] = "Odette".into();
    bundle["entry"][2]["request"]["method"] = "DELETE".into();
    bundle["entry"][9]["resource"]["resourceType"] = "Coverage".into();
    assert_eq!(
        problems(bundle.to_string().as_bytes()),
        [
            (
                "Bundle.entry[0].resource.participant[1].member".to_owned(),
                Cause::DanglingReference
            ),
            (
                "Bundle.entry[0].resource.participant[4].member".to_owned(),
                Cause::DanglingReference
            ),
            (
                "Bundle.entry[0].resource.participant[5].member".to_owned(),
                Cause::DanglingReference
            ),
            (
                "Bundle.entry[1].resource.name".to_owned(),
                Cause::WrongType { expected: "a list" }
            ),
            ("Bundle.entry[1].resource.name".to_owned(), Cause::Missing),
            (
                "Bundle.entry[2].request.method".to_owned(),
                Cause::NotAWrite
            ),
            (
                "Bundle.entry[9].resource.resourceType".to_owned(),
                Cause::UnsupportedResource
            ),
        ]
    );
}

#[test]
fn a_relative_of_one_patient_does_not_end_up_in_the_circle_of_another() {
    let mut bundle: Value = serde_json::from_slice(&own("cercle-de-soins.json")).expect("JSON");
    let mut other = bundle["entry"][1].clone();
    other["fullUrl"] = "urn:uuid:other".into();
    other["resource"]["id"] = "other".into();
    other["resource"]["identifier"]
        .as_array_mut()
        .expect("list")
        .clear();
    bundle["entry"].as_array_mut().expect("entries").push(other);
    assert_eq!(import(bundle.to_string().as_bytes()).subjects.len(), 2);
    bundle["entry"][8]["resource"]["patient"]["reference"] = "urn:uuid:other".into();
    let path = "Bundle.entry[8].resource.patient".to_owned();
    assert_eq!(
        problems(bundle.to_string().as_bytes()),
        [(path, Cause::OtherPatient)]
    );
}

#[test]
fn empty_strings_count_as_absent_and_are_told() {
    let mut bundle: Value = serde_json::from_slice(&own("cercle-de-soins.json")).expect("JSON");
    bundle["entry"][1]["resource"]["name"][1]["family"] = "  ".into();
    let import = import(bundle.to_string().as_bytes());
    assert_eq!(identity(&import.subjects[0]).used_name, "");
    let path = "Bundle.entry[1].resource.name[1].family";
    assert_eq!(
        import.report.fate_of(path),
        Some(Fate::Refused(RefusedReason::Empty))
    );
    assert!(
        import
            .report
            .warnings
            .iter()
            .any(|warning| warning.path == path && warning.kind == WarningKind::Empty)
    );
}

#[test]
fn a_reference_that_can_only_point_into_the_file_must_find_something_there() {
    let mut bundle: Value = serde_json::from_slice(&own("cercle-de-soins.json")).expect("JSON");
    let team = &mut bundle["entry"][0]["resource"];
    team["participant"][0]["member"]["reference"] = "#nobody".into();
    team["managingOrganization"][0]["reference"] = "urn:uuid:nowhere".into();
    let path = |rest: &str| format!("Bundle.entry[0].resource.{rest}");
    assert_eq!(
        problems(bundle.to_string().as_bytes()),
        [
            (path("managingOrganization[0]"), Cause::DanglingReference),
            (path("participant[0].member"), Cause::DanglingReference),
        ]
    );
}

#[test]
fn somebody_who_is_only_on_the_sources_server_is_taken_by_name_or_left_out_with_a_warning() {
    let mut bundle: Value = serde_json::from_slice(&own("cercle-de-soins.json")).expect("JSON");
    let members = &mut bundle["entry"][0]["resource"]["participant"];
    members[0]["member"] = json!({"reference": "https://annuaire.example/fhir/PractitionerRole/9", "display": "Dr Anne Morel"});
    members[1]["member"] = json!({"reference": "Organization/404"});
    let import = import(bundle.to_string().as_bytes());
    let terms = terms(&import.subjects[0]);
    assert_eq!(terms.len(), 5);
    assert!(terms.iter().any(
        |(_, term)| matches!(&term.party, Party::Professional(p) if p.name == "Dr Anne Morel")
    ));
    let left_out = import
        .report
        .warnings
        .iter()
        .find(|warning| warning.kind == WarningKind::MemberLeftOut);
    let path = "Bundle.entry[0].resource.participant[1].member";
    assert_eq!(left_out.map(|warning| warning.path.as_str()), Some(path));
    assert!(
        import.report.warns(WarningKind::NotReferenced),
        "who was in the file for that member is told too"
    );
}

#[test]
fn two_entries_with_one_address_are_refused() {
    let mut bundle: Value = serde_json::from_slice(&own("cercle-de-soins.json")).expect("JSON");
    let again = bundle["entry"][2].clone();
    bundle["entry"].as_array_mut().expect("entries").push(again);
    let path = "Bundle.entry[10].resource".to_owned();
    assert_eq!(
        problems(bundle.to_string().as_bytes()),
        [(path, Cause::Twice)]
    );
}
