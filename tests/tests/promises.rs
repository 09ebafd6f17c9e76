//! Each test that SECURITY.md names stands where it says.

use std::{
    fs,
    path::{Path, PathBuf},
};

/// The folders of the workspace in which tests stand.
const FOLDERS: [&str; 4] = ["protocol/", "node/", "admin-cli/", "tests/"];

fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("..")
}

/// A test, the place that is said of it, and the number of the line.
#[derive(Debug, PartialEq, Eq)]
struct Named {
    test: String,
    place: Option<String>,
    line: usize,
}

/// Names stand in backticks; the place that follows is that of all names since the last place or semicolon. `(same)` is the last place that
/// was named, and the head of a table may give one for names without any.
fn named(text: &str) -> (Vec<Named>, Vec<String>) {
    let (mut all, mut places): (Vec<Named>, Vec<String>) = (Vec::new(), Vec::new());
    let mut usual = None;
    for (line, text) in (1..).zip(text.lines()) {
        let head = text.starts_with("| promise |");
        if head || !text.starts_with('|') {
            usual = None;
        }
        let mut waiting = Vec::new();
        let mut settle = |waiting: &mut Vec<String>, place: Option<&String>| {
            all.extend(waiting.drain(..).map(|test| Named {
                test,
                place: place.cloned(),
                line,
            }));
        };
        for word in text.split_whitespace() {
            let bare = word
                .trim_start_matches('(')
                .trim_end_matches([')', ',', ';', ':', '.', '|']);
            if let Some(name) = bare
                .strip_prefix('`')
                .and_then(|rest| rest.strip_suffix('`'))
            {
                let is_part = |letter: char| {
                    letter.is_ascii_lowercase() || letter.is_ascii_digit() || letter == '_'
                };
                if name.chars().all(is_part) && name.matches('_').count() > 1 {
                    waiting.push(name.to_owned());
                }
            } else if FOLDERS.iter().any(|folder| bare.starts_with(folder)) {
                places.push(bare.to_owned());
                settle(&mut waiting, places.last());
            } else if word.starts_with("(same)") {
                settle(&mut waiting, places.last());
            }
            if word.ends_with(';') {
                settle(&mut waiting, usual.as_ref());
            }
        }
        if head {
            usual = places
                .last()
                .filter(|place| text.contains(place.as_str()))
                .cloned();
        }
        settle(&mut waiting, usual.as_ref());
    }
    (all, places)
}

/// The sources at a place: a file, or all below a folder.
fn sources(place: &Path, found: &mut Vec<String>) {
    if place.is_dir() {
        for entry in fs::read_dir(place).expect("a folder") {
            sources(&entry.expect("an entry").path(), found);
        }
    } else if place.extension().is_some_and(|ending| ending == "rs") {
        found.push(fs::read_to_string(place).expect("a source"));
    }
}

/// Whether a function of this name is a test here.
fn is_test(source: &str, name: &str) -> bool {
    let Some((before, _)) = source.split_once(&format!("fn {name}(")) else {
        return false;
    };
    let before = before.trim_end().trim_end_matches("async").trim_end();
    let attributes = before.lines().rev().map(str::trim);
    attributes
        .take_while(|line| line.starts_with("#["))
        .any(|line| line.contains("test"))
}

#[test]
fn every_test_that_security_names_stands_where_it_says() {
    let text = fs::read_to_string(root().join("SECURITY.md")).expect("SECURITY.md");
    let (all, places) = named(&text);
    assert!(all.len() > 80, "only {} names were understood", all.len());
    for place in &places {
        assert!(root().join(place).exists(), "SECURITY.md names {place}");
    }
    let astray = all.iter().filter(|named| {
        let mut found = Vec::new();
        if let Some(place) = &named.place {
            sources(&root().join(place), &mut found);
        }
        !found.iter().any(|source| is_test(source, &named.test))
    });
    let astray: Vec<&Named> = astray.collect();
    assert!(astray.is_empty(), "no such tests: {astray:#?}");
}

#[test]
fn a_name_takes_the_place_behind_it_or_that_of_its_table() {
    let text = "| promise | test (tests/tests/replication.rs unless said) |\n|---|---|\n\
        | One | `first_of_all`, `second_of_all`; `third_of_all` (node/tests/peering.rs: both), `care_commands` |\n\
        | Two | `fourth_of_all` (same), `fifth_of_all` |\n\nAnd `sixth_of_all`.";
    let (all, places) = named(text);
    let said: Vec<_> = all
        .iter()
        .map(|named| {
            (
                named.test.split_once('_').expect("words").0,
                named.place.as_deref(),
            )
        })
        .collect();
    let (usual, other) = (
        Some("tests/tests/replication.rs"),
        Some("node/tests/peering.rs"),
    );
    assert_eq!(
        said,
        [
            ("first", usual),
            ("second", usual),
            ("third", other),
            ("fourth", other),
            ("fifth", usual),
            ("sixth", None),
        ]
    );
    assert_eq!(
        places,
        ["tests/tests/replication.rs", "node/tests/peering.rs"]
    );
    let source = "#[test]\nfn one_of_two() {}\n\nfn two_of_two() {}\n\n#[tokio::test]\nasync fn three_of_two() {}\n";
    let tests = ["one_of_two", "two_of_two", "three_of_two", "four_of_two"];
    assert_eq!(
        tests.map(|name| is_test(source, name)),
        [true, false, true, false]
    );
}
