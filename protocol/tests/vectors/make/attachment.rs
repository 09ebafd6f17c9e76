//! Attachments, and what somebody who carries one, or who has its key, can do to it.

use maillon_protocol::{
    attachment::{Named, Sealer},
    content::AttachmentRef,
};
use rand::SeedableRng;
use rand_chacha::ChaCha20Rng;
use serde_json::{Value, json};

use crate::{
    attachment::{judge, plain},
    file::{File, hex},
};

const CHUNK: usize = 65_536;

fn sealed(length: usize) -> AttachmentRef {
    let mut sealer = Sealer::new(&mut ChaCha20Rng::seed_from_u64(length as u64));
    sealer
        .add(&plain(length), &mut |_| {})
        .expect("short enough");
    let named = Named {
        media_type: String::new(),
        name: String::new(),
    };
    sealer.finish(named, &mut |_| {}).expect("short enough")
}

/// All chunks in order, as the record says.
fn right(length: usize) -> Value {
    let named = sealed(length);
    let count = length.div_ceil(CHUNK).max(1);
    let chunks: Vec<_> = (0..count)
        .map(|number| json!({ "number": number }))
        .collect();
    json!({
        "plain": length,
        "key": hex(&named.key),
        "chunks": chunks,
        "said": {
            "address": hex(named.address),
            "key": hex(&named.key),
            "length": named.length,
            "plaintext_hash": hex(named.plaintext_hash),
        },
    })
}

pub(crate) fn make() -> Value {
    let mut file = File::new(
        "Attachments. The byte of the plaintext at place i is i mod 251, its length is `plain`; it is sealed under `key`. \
         `chunks` are those that are opened, in this order: the number of the sealed one, cut to `keep` bytes, with the \
         lowest bit of the byte at `flip` changed, with a zero byte `more`. `said` is what the record says.",
    );
    for length in [0, 1, 65_535, 65_536, 65_537, 131_072, 200_000] {
        let given = right(length);
        let gives = judge(&given).expect("right");
        file.valid(&format!("{length} bytes"), given, gives);
    }
    let said = |field: &str, value: Value| {
        let mut given = right(65_537);
        given["said"][field] = value;
        given
    };
    let chunks = |chunks: Value| {
        let mut given = right(200_000);
        given["chunks"] = chunks;
        given
    };
    let number = |number: usize| json!({ "number": number });
    let all = |change: Value| json!([number(0), change, number(2), number(3)]);
    for (name, given, error) in [
        ("nothing", chunks(json!([])), "truncated"),
        (
            "without the last chunk",
            chunks(json!([number(0), number(1), number(2)])),
            "truncated",
        ),
        (
            "a chunk that is cut",
            chunks(all(json!({ "number": 1, "keep": 65_000 }))),
            "truncated",
        ),
        (
            "an empty chunk",
            chunks(all(json!({ "number": 1, "keep": 0 }))),
            "truncated",
        ),
        (
            "a chunk with a byte more",
            chunks(all(json!({ "number": 1, "more": true }))),
            "longer",
        ),
        (
            "a chunk behind the last one",
            chunks(json!([
                number(0),
                number(1),
                number(2),
                number(3),
                number(3)
            ])),
            "longer",
        ),
        (
            "two chunks in each other's places",
            chunks(json!([number(0), number(2), number(1), number(3)])),
            "reordered",
        ),
        (
            "a chunk that is left out",
            chunks(json!([number(0), number(2), number(3)])),
            "reordered",
        ),
        (
            "a bit of the ciphertext changed",
            chunks(all(json!({ "number": 1, "flip": 40_000 }))),
            "chunk-open",
        ),
        (
            "a bit of the tag changed",
            chunks(all(json!({ "number": 1, "flip": 65_540 }))),
            "chunk-open",
        ),
        ("another key", said("key", hex([7; 32])), "chunk-open"),
        (
            "a key of 16 bytes",
            said("key", hex([7; 16])),
            "attachment-key",
        ),
        ("another address", said("address", hex([7; 32])), "address"),
        (
            "another plaintext",
            said("plaintext_hash", hex([7; 32])),
            "plaintext",
        ),
        (
            "a record that says less by a chunk",
            said("length", 65_536.into()),
            "chunk-open",
        ),
        (
            "a record that says less by a byte",
            {
                let mut given = right(200_000);
                given["said"]["length"] = 199_999.into();
                given
            },
            "longer",
        ),
        (
            "a record that says more",
            said("length", 65_538.into()),
            "truncated",
        ),
        (
            "a record that says more than 25 MiB",
            said("length", (25 * 1024 * 1024 + 1).into()),
            "limit",
        ),
    ] {
        file.invalid(name, given, error);
    }
    file.json()
}
