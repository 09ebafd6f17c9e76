//! Records: header and body, with the epoch's secret, the salt's key and the content.

use chacha20poly1305::{
    ChaCha20Poly1305, KeyInit,
    aead::{Aead, Payload},
};
use hkdf::Hkdf;
use maillon_protocol::{
    cbor,
    ids::{CircleId, EntryHash, Hash, RecordId},
    record::{self, Header, Previous},
    sign,
};
use serde_json::{Value, json};
use sha2::{Digest, Sha256};

use super::entry::charter;
use crate::{
    file::{File, hex},
    forge::{array, bstr, forgeries, tstr},
    world::{Node, World, Written},
};

/// `{1: 24}`.
const PROTECTED: [u8; 4] = [0xa1, 0x01, 0x18, 0x18];

pub(crate) fn make(world: &World) -> Value {
    let mut file = File::new(
        "Records: the header is COSE_Sign1, external_aad [\"maillon/1 record\"]; the body is COSE_Encrypt0 under \
         HKDF-SHA256(secret, [\"maillon/1 body\", circle, epoch, log, sequence, salt]), external_aad [\"maillon/1 \
         body\", circle, log, sequence, epoch], nonce the sequence. Salt is HMAC-SHA256(fresh, padded content). The \
         reader `own` holds the first `charter` entries and the first `before` headers of `log`.",
    );
    file.share(json!({
        "charter": charter(world),
        "log": world.log().iter().map(|one| hex(&one.record.header.bytes)).collect::<Vec<_>>(),
    }));
    for (before, (written, name)) in world
        .log()
        .iter()
        .zip([
            "a log opened, empty content",
            "a short note",
            "a long note, in the next epoch",
        ])
        .enumerate()
    {
        valid(world, &mut file, name, written, 6, before);
    }
    valid(
        world,
        &mut file,
        "the last record of a removed node that counts",
        world.cut(),
        6,
        0,
    );

    let note = &world.log()[1];
    let [first, _, _] = &world.nodes;
    file.forged(
        forgeries(&note.record.header.bytes, &first.seed, "record"),
        |object| {
            let mut given = given(world, note, 3, 1, 2);
            given["object"] = hex(object);
            given
        },
    );
    wrong_headers(world, &mut file);
    wrong_bodies(world, &mut file);
    file.json()
}

/// As node 1 reads it, with the secret of epoch `epoch`.
fn given(world: &World, written: &Written, charter: usize, before: usize, epoch: usize) -> Value {
    json!({
        "charter": charter,
        "before": before,
        "own": hex(world.nodes[0].id()),
        "object": hex(&written.record.header.bytes),
        "body": hex(written.record.body.as_deref().expect("a body")),
        "secret": hex(world.secret(epoch).expose()),
        "fresh": hex(written.fresh),
    })
}

fn valid(
    world: &World,
    file: &mut File,
    name: &str,
    written: &Written,
    charter: usize,
    before: usize,
) {
    let header = &written.record.header;
    let epoch = usize::try_from(header.object.entry).expect("few");
    file.valid(
        name,
        given(world, written, charter, before, epoch),
        json!({
            "id": hex(header.id),
            "sequence": header.object.sequence,
            "content": hex(&written.content),
        }),
    );
}

fn wrong_headers(world: &World, file: &mut File) {
    let [first, second, third] = &world.nodes;
    let [opening, note, _] = world.log() else {
        panic!("three records");
    };
    let entry = |number: u64| world.charter(6).hash_of(number).expect("an entry");
    // The note again, with one field changed before it was sealed and signed.
    let changed = |change: &dyn Fn(&mut Header)| {
        let mut header = world.header(first, Some(opening), 2);
        change(&mut header);
        let written = world.write_header(first, header, 2, b"note", 65);
        given(world, &written, 3, 1, 2)
    };
    let by = |node: &Node, before, number, charter, held| {
        let written = world.write(node, before, number, b"note", 66);
        given(world, &written, charter, held, number)
    };
    for (name, given, error) in [
        (
            "of a later version",
            changed(&|header| header.version = 2),
            "version",
        ),
        (
            "of another circle",
            changed(&|header| header.circle = CircleId([0xee; 32])),
            "circle",
        ),
        (
            "names another epoch than its entry fixes",
            changed(&|header| header.epoch = entry(3)),
            "epoch",
        ),
        (
            "names the epoch before its entry's",
            changed(&|header| header.epoch = entry(1)),
            "epoch",
        ),
        (
            "names an entry by another hash",
            changed(&|header| header.entry_hash = EntryHash([0xee; 32])),
            "entry",
        ),
        (
            "names another record before it",
            changed(&|header| header.previous = Previous::Record(RecordId([0xee; 32]))),
            "previous",
        ),
        (
            "opens a log in its second record",
            changed(&|header| header.previous = Previous::Opening(Vec::new())),
            "opening",
        ),
        (
            "the first record names one before it",
            changed(&|header| header.sequence = 1),
            "opening",
        ),
        (
            "sequence 0",
            changed(&|header| header.sequence = 0),
            "opening",
        ),
        (
            "a record left out",
            changed(&|header| header.sequence = 3),
            "gap",
        ),
        (
            "a record that is held",
            given(world, opening, 3, 1, 2),
            "held",
        ),
        (
            "names an entry that the reader has not",
            by(first, Some(opening), 3, 2, 1),
            "unknown-entry",
        ),
        (
            "names an older entry than the one before it",
            {
                let later = &world.log()[2];
                by(first, Some(later), 2, 4, 3)
            },
            "entry-decreases",
        ),
        (
            "by a node that was no member yet",
            by(third, None, 2, 4, 0),
            "not-member",
        ),
        (
            "by a node that was removed",
            by(second, Some(world.cut()), 4, 4, 0),
            "not-member",
        ),
        (
            "written before the removal was known, beyond the cut",
            by(second, Some(world.cut()), 3, 4, 0),
            "after-removal",
        ),
        (
            "another record at the cut",
            by(second, None, 2, 4, 0),
            "after-removal",
        ),
    ] {
        file.invalid(name, given, error);
    }
    let mut other_secret = given(world, note, 3, 1, 2);
    other_secret["secret"] = hex(world.secret(1).expose());
    file.invalid(
        "opened with another epoch's secret",
        other_secret,
        "body-open",
    );
    let mut other_body = given(world, note, 3, 1, 2);
    other_body["body"] = hex(opening.record.body.as_deref().expect("a body"));
    file.invalid("the body of another header", other_body, "other-body");
}

fn wrong_bodies(world: &World, file: &mut File) {
    let first = &world.nodes[0];
    let opening = &world.log()[0];
    let header = {
        let mut header = world.header(first, Some(opening), 2);
        header.salt = Hash([0x5a; 32]);
        header
    };
    // Signed rightly around a body that is not right: what a member with the secret can do.
    let around = |body: Vec<u8>| {
        let mut header = header.clone();
        header.body_hash = Hash(Sha256::digest(&body).into());
        header.body_length = body.len() as u64;
        json!({
            "charter": 3,
            "before": 1,
            "own": hex(first.id()),
            "object": hex(sign::sign(header, &first.key()).bytes),
            "body": hex(body),
            "secret": hex(world.secret(2).expose()),
            "fresh": hex([0; 32]),
        })
    };
    let padded = record::pad(b"note").to_vec();
    let sealed =
        |header: &Header, padded: &[u8]| ciphertext(header, world.secret(2).expose(), padded);
    let body = |ciphertext: &[u8]| array(&[bstr(&PROTECTED), vec![0xa0], bstr(ciphertext)]);
    let right = sealed(&header, &padded);
    let with = |place: usize, byte| {
        let mut changed = padded.clone();
        changed[place] = byte;
        body(&sealed(&header, &changed))
    };
    let mut flipped = right.clone();
    flipped[0] ^= 1;
    let other_sequence = Header {
        sequence: 3,
        ..header.clone()
    };
    let other_salt = Header {
        salt: Hash([0; 32]),
        ..header.clone()
    };
    for (name, body, error) in [
        ("padding without its mark", with(4, 0), "padding"),
        ("padding with another mark", with(4, 0x81), "padding"),
        (
            "something behind the padding's zeros",
            with(255, 1),
            "padding",
        ),
        (
            "padding a step too long",
            body(&sealed(&header, &[&padded[..], &[0; 256]].concat())),
            "padding",
        ),
        (
            "no padding at all",
            body(&sealed(&header, b"note")),
            "padding",
        ),
        ("nothing sealed", body(&sealed(&header, b"")), "padding"),
        (
            "sealed for another sequence",
            body(&sealed(&other_sequence, &padded)),
            "body-open",
        ),
        (
            "sealed with another salt",
            body(&sealed(&other_salt, &padded)),
            "body-open",
        ),
        (
            "one bit of the ciphertext changed",
            body(&flipped),
            "body-open",
        ),
        (
            "body tagged as COSE_Encrypt0",
            [&[0xd0], &body(&right)[..]].concat(),
            "body-envelope",
        ),
        (
            "body with an unprotected header",
            array(&[bstr(&PROTECTED), vec![0xa1, 0x04, 0x41, 0x00], bstr(&right)]),
            "body-envelope",
        ),
        (
            "body with another algorithm",
            array(&[bstr(&[0xa1, 0x01, 0x03]), vec![0xa0], bstr(&right)]),
            "body-envelope",
        ),
        (
            "body with a longer form of its algorithm",
            array(&[
                bstr(&[0xa1, 0x01, 0x19, 0x00, 0x18]),
                vec![0xa0],
                bstr(&right),
            ]),
            "body-envelope",
        ),
        (
            "body of indefinite length",
            [&[0x9f], &body(&right)[1..], &[0xff]].concat(),
            "body-envelope",
        ),
        (
            "a byte behind the body",
            [&body(&right)[..], &[0]].concat(),
            "body-envelope",
        ),
        (
            "body without ciphertext",
            array(&[bstr(&PROTECTED), vec![0xa0], vec![0xf6]]),
            "body-envelope",
        ),
        (
            "ciphertext's length in a longer form",
            array(&[
                bstr(&PROTECTED),
                vec![0xa0],
                [&[0x5a, 0, 0, 1, 0x10], &right[..]].concat(),
            ]),
            "body-envelope",
        ),
    ] {
        file.invalid(name, around(body), error);
    }
}

/// A body's ciphertext, from the formulas and not with the crate.
fn ciphertext(header: &Header, secret: &[u8; 32], padded: &[u8]) -> Vec<u8> {
    let log = cbor::encode(&header.log);
    let info = array(&[
        tstr("maillon/1 body"),
        bstr(header.circle.as_ref()),
        bstr(header.epoch.as_ref()),
        log.clone(),
        vec![u8::try_from(header.sequence).expect("below 24")],
        bstr(header.salt.as_ref()),
    ]);
    let external = array(&[
        tstr("maillon/1 body"),
        bstr(header.circle.as_ref()),
        log,
        vec![u8::try_from(header.sequence).expect("below 24")],
        bstr(header.epoch.as_ref()),
    ]);
    let aad = array(&[tstr("Encrypt0"), bstr(&PROTECTED), bstr(&external)]);
    let mut key = [0; 32];
    Hkdf::<Sha256>::new(None, secret)
        .expand(&info, &mut key)
        .expect("32 bytes");
    let mut nonce = [0; 12];
    nonce[4..].copy_from_slice(&header.sequence.to_be_bytes());
    ChaCha20Poly1305::new((&key).into())
        .encrypt(
            (&nonce).into(),
            Payload {
                msg: padded,
                aad: &aad,
            },
        )
        .expect("short")
}
