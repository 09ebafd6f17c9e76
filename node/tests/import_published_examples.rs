//! The published examples of the national guides, and our own two bundles, go in as a coordinator would expect.
//!
//! Published examples are looked for in `MAILLON_EXAMPLES`, else in `../shared/examples` beside the repository. Where they are
//! absent, their tests say so and pass; those on our own bundles always run.

use std::path::PathBuf;

use maillon_node::fhir::{
    Cause, Doubt, Fate, Import, ImportError, ImportLimits, Item, KeptReason, RefusedReason,
    Subject, SubjectIdentity, WarningKind, read,
};
use maillon_protocol::content::{
    CareTeam, CodeSystem, Contact, Content, IdentifierSystem, IdentityStatus, InsKey, InsKind,
    LiaisonNote, NoteKind, PartialDate, Participation, Party, PatientIdentity, Period, Sex,
};
use serde_json::Value;

const CIRCLE: &str = "cds/Bundle-cds-bundle-transaction-creation-example.json";
const NOTEBOOK: &str = "cdl/Bundle-cdl-bundle-creation-note.json";

fn own(name: &str) -> Vec<u8> {
    let path = PathBuf::from(env!("CARGO_MANIFEST_DIR"))
        .join("../tests/data/fhir")
        .join(name);
    std::fs::read(path).expect("our own examples are in the repository")
}

fn published_folder() -> PathBuf {
    let beside = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("../../shared/examples");
    std::env::var_os("MAILLON_EXAMPLES")
        .map_or(beside, PathBuf::from)
        .join("fhir")
}

#[allow(clippy::print_stderr)]
fn published(name: &str) -> Option<Vec<u8>> {
    let bytes = std::fs::read(published_folder().join(name)).ok();
    if bytes.is_none() {
        eprintln!("skipped: published examples are not here (MAILLON_EXAMPLES)");
    }
    bytes
}

fn import(bytes: &[u8]) -> Import {
    read(bytes, &ImportLimits::default()).unwrap_or_else(|error| panic!("goes in: {error}"))
}

fn problems(bytes: &[u8]) -> Vec<(String, Cause)> {
    match read(bytes, &ImportLimits::default()) {
        Err(ImportError::Refused(problems)) => problems
            .into_iter()
            .map(|problem| (problem.path, problem.cause))
            .collect(),
        other => panic!("refused with its problems: {other:?}"),
    }
}

fn identity(subject: &Subject) -> &PatientIdentity {
    match &subject.identity {
        SubjectIdentity::Inline(identity) => identity,
        SubjectIdentity::Reference(_) => panic!("the identity is in the file"),
    }
}

fn teams(subject: &Subject) -> Vec<(&Item, &CareTeam)> {
    let items = subject.items.iter();
    items
        .filter_map(|item| match &item.content {
            Content::CareTeam(content) => Some((item, content)),
            _ => None,
        })
        .collect()
}

fn terms(subject: &Subject) -> Vec<(&Item, &Participation)> {
    let items = subject.items.iter();
    items
        .filter_map(|item| match &item.content {
            Content::Participation(content) => Some((item, content)),
            _ => None,
        })
        .collect()
}

fn notes(subject: &Subject) -> Vec<(&Item, &LiaisonNote)> {
    let items = subject.items.iter();
    items
        .filter_map(|item| match &item.content {
            Content::LiaisonNote(content) => Some((item, content)),
            _ => None,
        })
        .collect()
}

fn leaves(value: &Value) -> u64 {
    match value {
        Value::Array(list) if !list.is_empty() => list.iter().map(leaves).sum(),
        Value::Object(object) if !object.is_empty() => object.values().map(leaves).sum(),
        _ => 1,
    }
}

fn texts(value: &Value, under: &str, found: &mut Vec<String>) {
    match value {
        Value::String(text)
            if matches!(
                under,
                "family"
                    | "given"
                    | "value"
                    | "valueString"
                    | "birthDate"
                    | "line"
                    | "city"
                    | "display"
                    | "data"
                    | "div"
            ) =>
        {
            found.push(text.clone());
        }
        Value::Array(list) => list.iter().for_each(|value| texts(value, under, found)),
        Value::Object(object) => object
            .iter()
            .for_each(|(name, value)| texts(value, name, found)),
        _ => {}
    }
}

fn shown(period: &Period) -> (String, String) {
    let day = |date: &Option<PartialDate>| date.clone().map(String::from).unwrap_or_default();
    (day(&period.start), day(&period.end))
}

fn days(start: &str, end: &str) -> (String, String) {
    (start.to_owned(), end.to_owned())
}

/// Every file that can go in: ours, and the published ones where they are.
fn all() -> Vec<(String, Vec<u8>)> {
    let mut all = vec![
        (
            "cercle-de-soins.json".to_owned(),
            own("cercle-de-soins.json"),
        ),
        (
            "cahier-de-liaison.json".to_owned(),
            own("cahier-de-liaison.json"),
        ),
    ];
    for name in [
        CIRCLE,
        NOTEBOOK,
        "cds/CareTeam-cds-careteam-example.json",
        "cds/Patient-cds-patient-example.json",
        "cdl/Patient-0d920958-b596-4b91-af67-9bafc707820b.json",
        "frcore-2.1.0/Patient-ExampleFRCorePatient001.json",
    ] {
        all.extend(published(name).map(|bytes| (name.to_owned(), bytes)));
    }
    all
}

#[test]
fn the_two_published_bundles_are_two_people_who_carry_one_wrong_number() {
    let (Some(circle), Some(notebook)) = (published(CIRCLE), published(NOTEBOOK)) else {
        return;
    };
    let (circle, notebook) = (import(&circle), import(&notebook));
    for import in [&circle, &notebook] {
        assert_eq!(import.subjects.len(), 1);
        let subject = &import.subjects[0];
        let ins = identity(subject).ins.as_ref().expect("the number is kept");
        assert_eq!(
            (ins.number.as_str(), ins.kind, ins.key),
            ("123456789012244", InsKind::Nir, InsKey::Wrong)
        );
        assert!(!ins.may_match());
        assert_eq!(identity(subject).status, IdentityStatus::Provisional);
        assert_eq!(
            subject.doubts,
            [Doubt::WrongKey {
                register: InsKind::Nir
            }]
        );
        assert!(
            !subject
                .aliases
                .iter()
                .any(|alias| alias.contains("123456789012244"))
        );
    }
    let (one, other) = (&circle.subjects[0], &notebook.subjects[0]);
    assert_eq!(
        (
            identity(one).birth_name.as_str(),
            identity(other).birth_name.as_str()
        ),
        ("Thobois", "ROUBINOWITZ")
    );
    assert!(
        one.aliases
            .iter()
            .all(|alias| !other.aliases.contains(alias)),
        "nobody is merged"
    );
}

#[test]
fn the_published_note_is_a_request_for_advice_by_sophie_brooks_in_readable_french() {
    let Some(bytes) = published(NOTEBOOK) else {
        return;
    };
    let import = import(&bytes);
    let notes = notes(&import.subjects[0]);
    let [(item, note)] = notes.as_slice() else {
        panic!("one note")
    };
    assert_eq!(note.note, NoteKind::AdviceRequest);
    assert_eq!(
        note.text,
        "Maman est fatiguée. Elle n'a pas voulu sortir ce matin."
    );
    assert!(
        import.report.warns(WarningKind::CharsetGuessed),
        "the published bytes are Latin-1 without saying so"
    );
    let [author] = note.written_by.as_slice() else {
        panic!("named as person and in a role, and still one author")
    };
    assert_eq!(author.name, "Sophie Brooks");
    let profession = author.profession.as_ref().expect("a nurse");
    assert_eq!(
        (
            &profession.system,
            profession.code.as_str(),
            profession.label.as_str()
        ),
        (&CodeSystem::ProfessionSante, "60", "Infirmier")
    );
    assert_eq!(item.occurred_ms, Some(1_551_648_600_000), "08:30 at +11:00");
    assert!(!note.emergency && item.parent.is_none());
}

#[test]
fn the_published_care_team_has_its_neighbour_and_its_practice_with_their_terms() {
    let Some(bytes) = published(CIRCLE) else {
        return;
    };
    let import = import(&bytes);
    let subject = &import.subjects[0];
    let teams = teams(subject);
    let [(team_item, team)] = teams.as_slice() else {
        panic!("one team")
    };
    assert_eq!(team.name, "Cercle de soins de Mr Jacques Thobois");
    assert_eq!(team.managed_by[0].name, "Cabinet médical CC CC");
    let terms = terms(subject);
    let [(neighbour, near), (practice, far)] = terms.as_slice() else {
        panic!("two members")
    };
    let Party::RelatedPerson {
        name,
        relationship,
        contacts,
        ..
    } = &near.party
    else {
        panic!("the neighbour")
    };
    let codes: Vec<_> = relationship
        .iter()
        .map(|code| (&code.system, code.code.as_str()))
        .collect();
    assert_eq!(name, "CHIBOUT Lamine");
    assert_eq!(
        codes,
        [
            (&CodeSystem::RoleClass, "ECON"),
            (&CodeSystem::RoleCode, "NBOR")
        ]
    );
    assert_eq!(contacts[0], Contact::Phone("0602143212".to_owned()));
    assert_eq!(shown(&near.period), days("2013-01-12", ""));
    assert!(
        matches!(&far.party, Party::Organisation(structure, _) if structure.name == "Cabinet médical CC CC")
    );
    assert_eq!(shown(&far.period), days("2013-01-12", "2032-12-18"));
    for item in [neighbour, practice] {
        assert_eq!(item.parent.as_ref(), Some(&team_item.source_key));
    }
    assert!(
        import.report.warns(WarningKind::Empty),
        "the translations are empty"
    );
}

#[test]
fn a_published_care_team_without_its_bundle_names_somebody_whom_the_bundle_made_known() {
    let (Some(bundle), Some(team)) = (
        published(CIRCLE),
        published("cds/CareTeam-cds-careteam-example.json"),
    ) else {
        return;
    };
    let (bundle, team) = (import(&bundle), import(&team));
    let SubjectIdentity::Reference(key) = &team.subjects[0].identity else {
        panic!("only a reference")
    };
    assert!(bundle.subjects[0].aliases.contains(key));
    assert_eq!(
        team.subjects[0].items[0].source_key,
        bundle.subjects[0].items[0].source_key
    );
    assert_eq!(
        team.report
            .warnings
            .iter()
            .filter(|warning| warning.kind == WarningKind::MemberLeftOut)
            .count(),
        2
    );
}

#[test]
fn the_published_patient_of_the_french_core_maps() {
    let Some(bytes) = published("frcore-2.1.0/Patient-ExampleFRCorePatient001.json") else {
        return;
    };
    let import = import(&bytes);
    let pierre = identity(&import.subjects[0]);
    assert_eq!(pierre.birth_name, "Durand");
    assert_eq!(pierre.birth_given_names, ["Pierre", "Yves"]);
    assert_eq!(
        pierre.birth_date.as_ref().map(|date| date.as_str()),
        Some("1974-12-25")
    );
    assert_eq!(
        (pierre.sex, pierre.birth_place.as_str()),
        (Sex::Male, "01006")
    );
    assert_eq!(pierre.contacts.len(), 4);
    let lines = vec!["367 rue Troussier".to_owned(), "45100 Orléans".to_owned()];
    assert_eq!(pierre.contacts[3], Contact::Address(lines));
    assert_eq!(
        import.report.fate_of("Patient.address[0].text"),
        Some(Fate::Kept(KeptReason::SaidElsewhere))
    );
}

#[test]
fn a_published_resource_that_means_nothing_by_itself_is_refused_and_the_error_says_what_is_imported()
 {
    for name in [
        "cds/Organization-cds-organization-example.json",
        "frcore-2.1.0/Slot-FRCoreSlotExample.json",
    ] {
        let Some(bytes) = published(name) else { return };
        let error = read(&bytes, &ImportLimits::default()).expect_err("refused");
        assert!(matches!(error, ImportError::Unsupported { .. }));
        assert!(
            error
                .to_string()
                .contains("Bundle, Patient, CareTeam, DocumentReference")
        );
    }
}

#[test]
fn every_leaf_of_every_example_is_accounted_for_and_no_value_stands_in_the_report() {
    for (name, bytes) in all() {
        let report = import(&bytes).report;
        let value: Value = serde_json::from_slice(&bytes).expect("JSON");
        assert_eq!(report.leaves(), leaves(&value), "{name}");
        let mapped = report.count(|fate| fate == Fate::Mapped);
        let kept = report.count(|fate| matches!(fate, Fate::Kept(_)));
        let refused = report.count(|fate| matches!(fate, Fate::Refused(_)));
        assert_eq!(mapped + kept + refused, leaves(&value), "{name}");
        let written = serde_json::to_string(&report).expect("JSON");
        let mut values = Vec::new();
        texts(&value, "", &mut values);
        for value in values.iter().filter(|value| value.len() > 2) {
            assert!(
                !written.contains(value.as_str()),
                "{name}: a value stands in the report"
            );
        }
    }
}

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

mod hostile {
    //! Whatever somebody hands over: an answer, and the account is right.

    use proptest::prelude::*;

    use super::*;

    /// One change to a JSON tree: at which of its values, and how.
    fn change(value: &mut Value, at: usize, how: u8) {
        let mut left = at;
        fn nth<'v>(value: &'v mut Value, left: &mut usize) -> Option<&'v mut Value> {
            if *left == 0 {
                return Some(value);
            }
            *left -= 1;
            match value {
                Value::Array(list) => list.iter_mut().find_map(|value| nth(value, left)),
                Value::Object(object) => object.values_mut().find_map(|value| nth(value, left)),
                _ => None,
            }
        }
        let Some(place) = nth(value, &mut left) else {
            return;
        };
        *place = match how {
            0 => Value::Null,
            1 => Value::Bool(true),
            2 => serde_json::json!(-1.5e300),
            3 => Value::String(String::new()),
            4 => Value::String("Patient/odette-marchand".to_owned()),
            5 => serde_json::json!([]),
            6 => serde_json::json!({}),
            7 => serde_json::json!([place.clone(), place.clone()]),
            8 => serde_json::json!({"extension": place.clone(), "reference": "#", "value": [[]]}),
            9 => Value::String("é€\u{202e}\u{0}|/#urn:".repeat(9)),
            10 => (0..40).fold(place.clone(), |inner, _| Value::Array(vec![inner])),
            _ => {
                if let Value::Object(object) = place {
                    let first = object.keys().next().cloned();
                    first.map(|key| object.remove(&key));
                }
                place.take()
            }
        };
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(1500))]

        #[test]
        fn whatever_stands_where_something_else_should_there_is_an_answer(
            which in any::<prop::sample::Index>(),
            changes in prop::collection::vec((0usize..700, 0u8..12), 1..6),
        ) {
            let all = all();
            let mut value: Value = serde_json::from_slice(&which.get(&all).1).expect("JSON");
            for (at, how) in changes {
                change(&mut value, at, how);
            }
            if let Ok(import) = read(value.to_string().as_bytes(), &ImportLimits::default()) {
                prop_assert_eq!(import.report.leaves(), leaves(&value));
                for subject in &import.subjects {
                    let keys: std::collections::HashSet<_> = subject.items.iter().map(|item| &item.source_key).collect();
                    prop_assert_eq!(keys.len(), subject.items.len());
                }
            }
        }

        #[test]
        fn whatever_the_bytes_are_there_is_an_answer(
            which in any::<prop::sample::Index>(),
            flips in prop::collection::vec((any::<prop::sample::Index>(), any::<u8>()), 1..20),
            cut in any::<prop::sample::Index>(),
        ) {
            let all = all();
            let mut bytes = which.get(&all).1.clone();
            for (at, byte) in flips {
                let at = at.index(bytes.len());
                bytes[at] = byte;
            }
            let _ = read(&bytes, &ImportLimits::default());
            bytes.truncate(cut.index(bytes.len()));
            prop_assert!(read(&bytes, &ImportLimits::default()).is_err());
        }
    }

    #[test]
    fn a_file_that_nests_or_repeats_without_end_hits_a_limit_that_is_named() {
        let limits = ImportLimits::default();
        let deep = format!(
            r#"{{"resourceType":"Bundle","entry":{}"#,
            "[".repeat(200_000)
        );
        let wide = format!(
            r#"{{"resourceType":"Bundle","type":"transaction","entry":[{}]}}"#,
            vec![r#"{"resource":{"resourceType":"Organization"}}"#; 800].join(",")
        );
        let ImportError::Limit { limit, path } =
            read(deep.as_bytes(), &limits).expect_err("too deep")
        else {
            panic!("a limit")
        };
        assert_eq!(limit.what, "the depth of a file");
        assert!(path.starts_with("?.entry[0]"));
        let found = problems(wide.as_bytes());
        assert!(found.iter().any(|(_, cause)| matches!(
            cause,
            Cause::Limit {
                what: "the resources of a file",
                limit: 500,
                ..
            }
        )));
    }

    #[test]
    fn one_large_structure_named_a_thousand_times_does_not_fill_the_memory() {
        let member = r##"{"member":{"reference":"#o"},"period":{"start":"2020"}}"##;
        let team = format!(
            r##"{{"resourceType":"CareTeam","status":"active","name":"Cercle","subject":{{"reference":"Patient/1"}},
               "contained":[{{"resourceType":"Organization","id":"o","name":"{}"}}],"participant":[{}]}}"##,
            "a".repeat(60_000),
            vec![member; 1000].join(",")
        );
        let found = problems(team.as_bytes());
        assert!(found.iter().any(|(_, cause)| matches!(
            cause,
            Cause::Limit {
                what: "the contents and attachments of a file in bytes",
                ..
            }
        )));
    }
}
