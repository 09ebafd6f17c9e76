//! Whatever somebody hands over: an answer, and the account is right.

mod examples;

use examples::{all, leaves, problems};
use maillon_node::fhir::{Cause, ImportError, ImportLimits, read};
use serde_json::Value;

use proptest::prelude::*;

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
    let ImportError::Limit { limit, path } = read(deep.as_bytes(), &limits).expect_err("too deep")
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
