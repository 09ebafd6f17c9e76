//! The example files, and what tests ask about them.

#![allow(dead_code, unreachable_pub)]

use std::path::PathBuf;

use maillon_node::fhir::{
    Cause, Import, ImportError, ImportLimits, Item, Subject, SubjectIdentity, read,
};
use maillon_protocol::content::{
    CareTeam, Content, LiaisonNote, PartialDate, Participation, PatientIdentity, Period,
};
use serde_json::Value;

pub const CIRCLE: &str = "cds/Bundle-cds-bundle-transaction-creation-example.json";
pub const NOTEBOOK: &str = "cdl/Bundle-cdl-bundle-creation-note.json";

/// One of our own bundles.
pub fn own(name: &str) -> Vec<u8> {
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

/// A published example; says so where it is not here.
#[allow(clippy::print_stderr)]
pub fn published(name: &str) -> Option<Vec<u8>> {
    let bytes = std::fs::read(published_folder().join(name)).ok();
    if bytes.is_none() {
        eprintln!("skipped: published examples are not here (MAILLON_EXAMPLES)");
    }
    bytes
}

/// The problems of a file that is refused.
pub fn problems(bytes: &[u8]) -> Vec<(String, Cause)> {
    match read(bytes, &ImportLimits::default()) {
        Err(ImportError::Refused(problems)) => problems
            .into_iter()
            .map(|problem| (problem.path, problem.cause))
            .collect(),
        other => panic!("refused with its problems: {other:?}"),
    }
}

/// Scalars, and empty lists and objects, counted without our code.
pub fn leaves(value: &Value) -> u64 {
    match value {
        Value::Array(list) if !list.is_empty() => list.iter().map(leaves).sum(),
        Value::Object(object) if !object.is_empty() => object.values().map(leaves).sum(),
        _ => 1,
    }
}

/// Every file that can go in: ours, and the published ones where they are.
pub fn all() -> Vec<(String, Vec<u8>)> {
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

/// What comes out of a file that goes in.
pub fn import(bytes: &[u8]) -> Import {
    read(bytes, &ImportLimits::default()).unwrap_or_else(|error| panic!("goes in: {error}"))
}

/// The identity that a subject carries.
pub fn identity(subject: &Subject) -> &PatientIdentity {
    match &subject.identity {
        SubjectIdentity::Inline(identity) => identity,
        SubjectIdentity::Reference(_) => panic!("the identity is in the file"),
    }
}

pub fn teams(subject: &Subject) -> Vec<(&Item, &CareTeam)> {
    let items = subject.items.iter();
    items
        .filter_map(|item| match &item.content {
            Content::CareTeam(content) => Some((item, content)),
            _ => None,
        })
        .collect()
}

pub fn terms(subject: &Subject) -> Vec<(&Item, &Participation)> {
    let items = subject.items.iter();
    items
        .filter_map(|item| match &item.content {
            Content::Participation(content) => Some((item, content)),
            _ => None,
        })
        .collect()
}

pub fn notes(subject: &Subject) -> Vec<(&Item, &LiaisonNote)> {
    let items = subject.items.iter();
    items
        .filter_map(|item| match &item.content {
            Content::LiaisonNote(content) => Some((item, content)),
            _ => None,
        })
        .collect()
}

/// First and last day of a term.
pub fn shown(period: &Period) -> (String, String) {
    let day = |date: &Option<PartialDate>| date.clone().map(String::from).unwrap_or_default();
    (day(&period.start), day(&period.end))
}

pub fn days(start: &str, end: &str) -> (String, String) {
    (start.to_owned(), end.to_owned())
}
