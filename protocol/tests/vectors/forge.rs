//! Signed objects in every form but the right one, put together by hand and not with the crate.

use ed25519_dalek::{Signature, Signer, SigningKey, Verifier, VerifyingKey};

/// One object that must be refused.
pub(crate) struct Forged {
    pub(crate) name: &'static str,
    pub(crate) object: Vec<u8>,
    pub(crate) error: &'static str,
    /// What [`maillon_protocol::cbor::CborError`] says, where the payload is at fault.
    pub(crate) cause: Option<&'static str>,
    pub(crate) plain_check_takes_it: bool,
}

/// `{1: -8}`.
const PROTECTED: [u8; 3] = [0xa1, 0x01, 0x27];

/// The group's order, little-endian (RFC 8032, section 5.1).
const ORDER: [u8; 32] = [
    0xed, 0xd3, 0xf5, 0x5c, 0x1a, 0x63, 0x12, 0x58, 0xd6, 0x9c, 0xf7, 0xa2, 0xde, 0xf9, 0xde, 0x14,
    0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0x10,
];

/// A CBOR head in its shortest form.
pub(crate) fn head(major: u8, value: usize) -> Vec<u8> {
    let major = major << 5;
    match value {
        0..24 => vec![major | u8::try_from(value).expect("below 24")],
        24..0x100 => vec![major | 24, u8::try_from(value).expect("one byte")],
        0x100..0x1_0000 => {
            let value = u16::try_from(value).expect("two bytes").to_be_bytes();
            vec![major | 25, value[0], value[1]]
        }
        _ => {
            let value = u32::try_from(value).expect("four bytes").to_be_bytes();
            [&[major | 26], value.as_slice()].concat()
        }
    }
}

pub(crate) fn bstr(bytes: &[u8]) -> Vec<u8> {
    [head(2, bytes.len()), bytes.to_vec()].concat()
}

pub(crate) fn tstr(text: &str) -> Vec<u8> {
    [head(3, text.len()), text.as_bytes().to_vec()].concat()
}

pub(crate) fn array(items: &[Vec<u8>]) -> Vec<u8> {
    [head(4, items.len()), items.concat()].concat()
}

fn envelope(protected: &[u8], payload: &[u8], signature: &[u8]) -> Vec<u8> {
    array(&[bstr(protected), vec![0xa0], bstr(payload), bstr(signature)])
}

fn to_sign(domain: &str, protected: &[u8], payload: &[u8]) -> Vec<u8> {
    let external = array(&[tstr(&format!("maillon/1 {domain}"))]);
    array(&[
        tstr("Signature1"),
        bstr(protected),
        bstr(&external),
        bstr(payload),
    ])
}

/// A rightly signed object around any payload.
pub(crate) fn signed(seed: &[u8; 32], domain: &str, payload: &[u8]) -> Vec<u8> {
    signed_around(seed, domain, &PROTECTED, payload)
}

fn signed_around(seed: &[u8; 32], domain: &str, protected: &[u8], payload: &[u8]) -> Vec<u8> {
    let key = SigningKey::from_bytes(seed);
    let signature = key.sign(&to_sign(domain, protected, payload)).to_bytes();
    envelope(protected, payload, &signature)
}

/// Payload and signature of an object of ours.
fn parts(object: &[u8]) -> (Vec<u8>, [u8; 64]) {
    let mut decoder = minicbor::Decoder::new(object);
    let mut read = || -> Result<_, minicbor::decode::Error> {
        decoder.array()?;
        decoder.bytes()?;
        decoder.map()?;
        Ok((decoder.bytes()?.to_vec(), decoder.bytes()?.to_vec()))
    };
    let (payload, signature) = read().expect("an object of ours");
    (payload, signature.try_into().expect("64 bytes"))
}

/// Whether a check that is not strict takes the object's signature by the node that stands in it.
pub(crate) fn plain_check(kind: &str, object: &[u8]) -> bool {
    let (payload, signature) = parts(object);
    let domain = crate::judge::domain(kind);
    let key = VerifyingKey::from_bytes(&crate::judge::signer(kind, &payload)).expect("a point");
    key.verify(
        &to_sign(domain, &PROTECTED, &payload),
        &Signature::from_bytes(&signature),
    )
    .is_ok()
}

/// Puts `insert` in the place of `length` bytes at `place`.
fn splice(bytes: &[u8], place: usize, length: usize, insert: &[u8]) -> Vec<u8> {
    [&bytes[..place], insert, &bytes[place + length..]].concat()
}

/// Everything that must be refused about `object`, which `seed` signed in `domain`. The payload is an array of fewer
/// than 24 fields whose first one is the version 1.
pub(crate) fn forgeries(object: &[u8], seed: &[u8; 32], domain: &str) -> Vec<Forged> {
    let (payload, signature) = parts(object);
    assert_eq!(object, envelope(&PROTECTED, &payload, &signature), "ours");
    assert_eq!(object, signed(seed, domain, &payload), "signed as we sign");
    let fields = payload[0] & 0x1f;
    let length = bstr(&payload).len() - payload.len();
    let mut long_length = vec![0x5a];
    long_length.extend(u32::try_from(payload.len()).expect("short").to_be_bytes());
    let around = |protected: &[u8]| signed_around(seed, domain, protected, &payload);
    let holding = |payload: &[u8]| signed(seed, domain, payload);

    let envelopes = [
        ("tagged as COSE_Sign1", [&[0xd2], object].concat()),
        (
            "array of indefinite length",
            [&splice(object, 0, 1, &[0x9f])[..], &[0xff]].concat(),
        ),
        (
            "payload's length in a longer form",
            splice(object, 6, length, &long_length),
        ),
        (
            "unprotected header not empty",
            splice(object, 5, 1, &[0xa1, 0x04, 0x41, 0x00]),
        ),
        ("a byte behind the object", [object, &[0]].concat()),
        ("cut by a byte", object[..object.len() - 1].to_vec()),
        ("protected header empty", around(&[])),
        ("protected header as an empty map", around(&[0xa0])),
        (
            "algorithm in a longer form",
            around(&[0xa1, 0x01, 0x38, 0x07]),
        ),
        (
            "protected header of indefinite length",
            around(&[0xbf, 0x01, 0x27, 0xff]),
        ),
        ("another algorithm", around(&[0xa1, 0x01, 0x26])),
        (
            "one header more, protected",
            around(&[0xa2, 0x01, 0x27, 0x04, 0x41, 0x00]),
        ),
        (
            "payload detached",
            array(&[bstr(&PROTECTED), vec![0xa0], vec![0xf6], bstr(&signature)]),
        ),
        (
            "signature of 63 bytes",
            envelope(&PROTECTED, &payload, &signature[..63]),
        ),
        ("nothing", Vec::new()),
    ];
    let payloads = [
        (
            "version in a longer form, rightly signed",
            "not-deterministic",
            splice(&payload, 1, 1, &[0x18, 0x01]),
        ),
        (
            "payload of indefinite length, rightly signed",
            "not-deterministic",
            [&splice(&payload, 0, 1, &[0x9f])[..], &[0xff]].concat(),
        ),
        (
            "payload's array with a longer head, rightly signed",
            "not-deterministic",
            splice(&payload, 0, 1, &[0x98, fields]),
        ),
        (
            "a byte behind the payload, rightly signed",
            "trailing",
            [&payload[..], &[0]].concat(),
        ),
        (
            "payload tagged, rightly signed",
            "shape",
            [&[0xc1], &payload[..]].concat(),
        ),
        (
            "payload with a field too many, rightly signed",
            "not-deterministic",
            [&splice(&payload, 0, 1, &[0x80 | (fields + 1)])[..], &[0xf6]].concat(),
        ),
        (
            "payload an empty array, rightly signed",
            "shape",
            vec![0x80],
        ),
        (
            "version as a text, rightly signed",
            "shape",
            splice(&payload, 1, 1, &[0x61, b'1']),
        ),
    ];
    let mut malleable = signature;
    let mut carry = 0_u16;
    for (byte, add) in malleable[32..].iter_mut().zip(ORDER) {
        carry += u16::from(*byte) + u16::from(add);
        *byte = u8::try_from(carry & 0xff).expect("one byte");
        carry >>= 8;
    }
    let mut flipped = signature;
    flipped[0] ^= 1;
    let stranger = parts(&signed(&[0x99; 32], domain, &payload)).1;
    let elsewhere = if domain == "ack" { "record" } else { "ack" };
    let moved = parts(&signed(seed, elsewhere, &payload)).1;
    let signatures = [
        ("one bit of the signature changed", flipped),
        ("signed by another key", stranger),
        ("signed in the context of another type", moved),
        ("signature's scalar with the group's order added", malleable),
    ];

    let forged = |name, object, error, cause| Forged {
        name,
        object,
        error,
        cause,
        plain_check_takes_it: false,
    };
    let mut all = Vec::new();
    all.extend(envelopes.map(|(name, object)| forged(name, object, "envelope", None)));
    all.extend(
        payloads
            .map(|(name, cause, payload)| forged(name, holding(&payload), "payload", Some(cause))),
    );
    all.extend(signatures.map(|(name, signature)| {
        forged(
            name,
            envelope(&PROTECTED, &payload, &signature),
            "signature",
            None,
        )
    }));
    all
}

/// Objects that name a node whose key is weak, malformed or no key. `payload` writes one that names the given key.
pub(crate) fn weak_keys(payload: impl Fn([u8; 32]) -> Vec<u8>) -> Vec<Forged> {
    let mut identity = [0; 32];
    identity[0] = 1;
    // The same point written with y + p, which RFC 8032 forbids.
    let mut not_canonical = [0xff; 32];
    not_canonical[0] = 0xee;
    not_canonical[31] = 0x7f;
    // S = 0 and R = the identity satisfy S·B = R + k·A for every message if A is the identity.
    let mut signature = [0; 64];
    signature[0] = 1;
    let no_point = (2..=u8::MAX)
        .map(|first| {
            let mut key = [0; 32];
            key[0] = first;
            key
        })
        .find(|key| VerifyingKey::from_bytes(key).is_err())
        .expect("half of all numbers are no points");
    let forged = |name, key, error, takes| Forged {
        name,
        object: envelope(&PROTECTED, &payload(key), &signature),
        error,
        cause: None,
        plain_check_takes_it: takes,
    };
    vec![
        forged(
            "small order: key and R are the identity, S is 0",
            identity,
            "signature",
            true,
        ),
        forged(
            "the identity as a key, not canonical",
            not_canonical,
            "signature",
            true,
        ),
        forged("the node's name is no point", no_point, "node-key", false),
    ]
}
