//! Bodies that are not right under headers that are: what a member who has the secret can do.

use chacha20poly1305::{
    ChaCha20Poly1305, KeyInit,
    aead::{Aead, Payload},
};
use hkdf::Hkdf;
use maillon_protocol::{
    cbor,
    ids::Hash,
    record::{self, Header},
    sign,
};
use serde_json::json;
use sha2::{Digest, Sha256};

use crate::{
    file::{File, hex},
    forge::{array, bstr, tstr},
    world::World,
};

/// `{1: 24}`.
const PROTECTED: [u8; 4] = [0xa1, 0x01, 0x18, 0x18];

pub(super) fn wrong(world: &World, file: &mut File) {
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
