//! Known answers of the wire format, committed in `protocol/vectors/` and described in its README.
//!
//! Every file is made again in memory from fixed seeds and compared with what is committed, so that a change of the
//! wire format cannot pass unseen. Every vector, valid or not, is then read back from the committed file and judged
//! by the crate. `tests/vectors/check.py` judges the same files with other libraries.
//!
//! After a change that is meant: `MAILLON_WRITE_VECTORS=1 cargo test -p maillon-protocol --test vectors`, and read the
//! difference before it is committed.

mod attachment;
mod exchange;
mod file;
mod forge;
mod judge;
mod make;
mod node;
mod refused;
mod world;

use std::collections::BTreeSet;

use file::{committed, folder};
use serde_json::Value;

#[test]
fn every_vector_is_made_again_and_is_the_committed_one() {
    let write = std::env::var_os("MAILLON_WRITE_VECTORS").is_some_and(|value| value == "1");
    let made = make::all();
    for (kind, file) in &made {
        let path = folder().join(format!("{kind}.json"));
        if write {
            let mut text = serde_json::to_string_pretty(file).expect("JSON");
            text.push('\n');
            std::fs::write(&path, text).expect("the vectors' folder can be written");
        }
        assert!(
            committed(kind) == *file,
            "{} is not what the code makes now",
            path.display()
        );
    }
    let named: BTreeSet<String> = made
        .iter()
        .map(|(kind, _)| format!("{kind}.json"))
        .collect();
    let found: BTreeSet<String> = std::fs::read_dir(folder())
        .expect("the vectors' folder")
        .map(|entry| {
            entry
                .expect("an entry")
                .file_name()
                .to_string_lossy()
                .into_owned()
        })
        .filter(|name| name.ends_with(".json"))
        .collect();
    assert_eq!(
        found, named,
        "a file that nothing makes, or one that is missing"
    );
}

#[test]
fn every_valid_vector_gives_its_answer() {
    let mut count = 0;
    for (kind, file) in all_committed() {
        for vector in file::list(&file, "valid") {
            let gives = judge::judge(&kind, &file, &vector["given"]);
            assert_eq!(
                gives.as_ref(),
                Ok(&vector["gives"]),
                "{kind}: {}",
                vector["name"]
            );
            count += 1;
        }
    }
    assert!(count > 40, "only {count} valid vectors were found");
}

#[test]
fn every_invalid_vector_is_refused_for_its_reason() {
    let mut count = 0;
    for (kind, file) in all_committed() {
        for vector in file::list(&file, "invalid") {
            let refused = judge::judge(&kind, &file, &vector["given"]);
            let error = refused.expect_err(&format!("{kind}: {}", vector["name"]));
            assert_eq!(error.name, vector["error"], "{kind}: {}", vector["name"]);
            assert_eq!(
                Value::from(error.cause),
                vector["cause"],
                "{kind}: {}",
                vector["name"]
            );
            count += 1;
        }
    }
    assert!(count > 100, "only {count} invalid vectors were found");
}

#[test]
fn no_byte_of_a_signed_object_can_be_changed() {
    let mut count = 0;
    for kind in [
        "descriptor",
        "entry",
        "record",
        "ack",
        "invitation",
        "acceptance",
        "departure",
        "replacement",
        "revocation",
    ] {
        let file = committed(kind);
        for vector in file::list(&file, "valid") {
            let object = file::bytes(&vector["given"]["object"]);
            for place in 0..object.len() {
                // The two lowest bits, the highest, and all of them: forms, lengths and values.
                for mask in [0x01, 0x02, 0x80, 0xff] {
                    let mut changed = object.clone();
                    changed[place] ^= mask;
                    assert!(
                        !judge::is_signed(kind, changed),
                        "{kind}, {}: byte {place} ^ {mask:#x}",
                        vector["name"]
                    );
                    count += 1;
                }
            }
        }
    }
    assert!(count > 50_000, "only {count} changes were tried");
}

#[test]
fn a_small_order_signature_is_one_that_only_a_strict_check_refuses() {
    let mut count = 0;
    for (kind, file) in all_committed() {
        for vector in file::list(&file, "invalid") {
            if vector["plain_check_takes_it"] == true {
                let object = file::bytes(&vector["given"]["object"]);
                assert!(forge::plain_check(&kind, &object), "{}", vector["name"]);
                count += 1;
            }
        }
    }
    assert!(count > 0, "no such vector");
}

fn all_committed() -> Vec<(String, Value)> {
    let kinds = make::all().into_iter().map(|(kind, _)| kind);
    kinds
        .map(|kind| (kind.to_owned(), committed(kind)))
        .collect()
}
