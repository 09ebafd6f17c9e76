//! The published examples of the national guides go in as a coordinator would expect.
//!
//! They are looked for in `MAILLON_EXAMPLES`, else in `../shared/examples` beside the repository. Where they are absent, each test says
//! so and passes; `import_own_bundles` always runs.

mod examples;

use examples::{
    CIRCLE, NOTEBOOK, all, days, identity, import, leaves, notes, published, shown, teams, terms,
};
use maillon_node::fhir::{
    Doubt, Fate, ImportError, ImportLimits, KeptReason, SubjectIdentity, WarningKind, read,
};
use maillon_protocol::content::{
    CodeSystem, Contact, IdentityStatus, InsKey, InsKind, NoteKind, Party, Sex,
};
use serde_json::Value;

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
