//! The corpora of the fuzzers (tests/fuzz), run as ordinary tests: whatever the bytes are, there is an answer.
//!
//! `MAILLON_WRITE_CORPORA=1` writes what they begin with, from the known answers of `protocol/vectors`. What the fuzzers found to be worth keeping
//! lies beside it.

#[path = "../fuzz/targets.rs"]
mod targets;
#[path = "../fuzz/targets_node.rs"]
mod targets_node;

use std::{
    collections::BTreeMap,
    fs,
    path::{Path, PathBuf},
};

use maillon_protocol::{
    admin::{Call, Request, RequestCall},
    cbor,
    charter::Entry,
    sign::Unverified,
};
use serde_json::Value;
use sha2::{Digest, Sha256};
use targets::{TARGETS, Target};
use targets_node::NODE_TARGETS;

fn folder() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("fuzz/corpus")
}

fn all() -> impl Iterator<Item = &'static Target> {
    TARGETS.iter().chain(&NODE_TARGETS)
}

/// The bytes under one of these names in a vector.
fn given(vector: &Value, names: &[&str]) -> Option<Vec<u8>> {
    let text = names
        .iter()
        .find_map(|name| vector["given"][*name].as_str())?;
    data_encoding::HEXLOWER.decode(text.as_bytes()).ok()
}

/// What each target begins with.
fn seeds() -> BTreeMap<&'static str, Vec<Vec<u8>>> {
    let vectors = Path::new(env!("CARGO_MANIFEST_DIR")).join("../protocol/vectors");
    let mut seeds: BTreeMap<&'static str, Vec<Vec<u8>>> = BTreeMap::new();
    for (target, kinds) in [
        ("frame", &["message"][..]),
        ("presentation", &["presentation"]),
        ("header", &["record"]),
        ("body", &["content", "padding"]),
        ("letter", &["invitation", "acceptance", "departure"]),
        ("descriptor", &["descriptor"]),
        ("ack", &["ack"]),
        ("pairing", &["pairing"]),
        ("charter", &["entry"]),
    ] {
        let kept = seeds.entry(target).or_default();
        for kind in kinds {
            let text = fs::read(vectors.join(format!("{kind}.json"))).expect("a file of vectors");
            let file: Value = serde_json::from_slice(&text).expect("JSON");
            for part in ["valid", "invalid"] {
                let found = file[part].as_array().expect("a list").iter();
                // The forged ones are many, and much alike.
                for vector in found.take(24) {
                    let names = ["object", "frame", "plaintext", "padded"];
                    kept.extend(given(vector, &names));
                    if let Some(text) = vector["given"]["text"].as_str() {
                        kept.push(text.as_bytes().to_vec());
                    }
                }
            }
        }
    }
    // One after another: what a charter is made of.
    let entries = seeds.remove("charter").expect("entries");
    let mut whole = Vec::new();
    let mut single = Vec::new();
    for entry in entries {
        let Ok(entry) = Unverified::<Entry>::parse(entry) else {
            continue;
        };
        let payload = cbor::encode(&entry.object);
        let Ok(length) = u16::try_from(payload.len()) else {
            continue;
        };
        let piece = [&length.to_be_bytes()[..], &payload].concat();
        whole.extend_from_slice(&piece);
        single.push(piece);
    }
    single.push(whole);
    seeds.insert("charter", single);
    let calls = [
        Call::Status,
        Call::CircleList {
            after: None,
            limit: 50,
        },
        Call::CircleShow {
            circle: "5f3a09c1d2e4".to_owned(),
            before: None,
        },
        Call::Request(RequestCall::List { circle: None }),
    ];
    let requests = calls.into_iter().zip(1..).map(|(call, id)| {
        let actor = Some("7b21".to_owned());
        serde_json::to_vec(&Request { id, actor, call }).expect("JSON")
    });
    seeds.insert("admin", requests.collect());
    let bundles = Path::new(env!("CARGO_MANIFEST_DIR")).join("data/fhir");
    let own = ["cercle-de-soins.json", "cahier-de-liaison.json"];
    let whole = own
        .iter()
        .filter_map(|name| fs::read(bundles.join(name)).ok());
    let small = [
        "{}",
        "[]",
        r#"{"resourceType":"Bundle","type":"collection","entry":[]}"#,
    ];
    let small = small.iter().map(|text| text.as_bytes().to_vec());
    seeds.insert("bundle", whole.chain(small).collect());
    let example = maillon_node::config::example();
    let lines: Vec<&str> = example.lines().collect();
    let half = lines[..lines.len() / 2].join("\n");
    let short = "[structure]\nname = \"DAC\"\nkind = \"dac\"\n";
    let texts = [example.as_str(), &half, short, "", "[circles]\nx = 1\n"];
    let texts = texts.iter().map(|text| text.as_bytes().to_vec());
    seeds.insert("configuration", texts.collect());
    seeds
}

#[test]
fn whatever_a_fuzzer_kept_there_is_an_answer() {
    if std::env::var_os("MAILLON_WRITE_CORPORA").is_some_and(|value| value == "1") {
        for (target, pieces) in seeds() {
            let folder = folder().join(target);
            fs::create_dir_all(&folder).expect("a folder");
            for piece in pieces.iter().filter(|piece| piece.len() <= 24_000) {
                let name = data_encoding::HEXLOWER.encode(&Sha256::digest(piece)[..10]);
                fs::write(folder.join(name), piece).expect("a file");
            }
        }
    }
    for (name, run) in all() {
        let folder = folder().join(name);
        let files = fs::read_dir(&folder).unwrap_or_else(|_| panic!("no corpus of {name}"));
        let mut count = 0;
        for file in files {
            let path = file.expect("an entry").path();
            let data = fs::read(&path).expect("a file");
            let done = std::panic::catch_unwind(|| run(&data));
            assert!(done.is_ok(), "{}", path.display());
            count += 1;
        }
        assert!(count > 3, "{name} has {count} files");
    }
}

#[test]
fn every_target_has_a_fuzzer_and_every_fuzzer_a_target() {
    let fuzzers = Path::new(env!("CARGO_MANIFEST_DIR")).join("fuzz/fuzz_targets");
    let mut found: Vec<String> = fs::read_dir(fuzzers)
        .expect("the fuzzers")
        .map(|file| file.expect("an entry").path())
        .filter_map(|path| Some(path.file_stem()?.to_string_lossy().into_owned()))
        .collect();
    found.sort();
    let mut named: Vec<String> = all().map(|(name, _)| (*name).to_owned()).collect();
    named.sort();
    assert_eq!(found, named);
}
