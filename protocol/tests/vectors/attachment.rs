//! Attachments: long, so the vectors say how the bytes are made instead of what they are.

use chacha20poly1305::{
    ChaCha20Poly1305, KeyInit,
    aead::{Aead, Payload},
};
use maillon_protocol::{
    attachment::{AttachmentError, Opener},
    cbor::Bytes,
    content::AttachmentRef,
    ids::Hash,
};
use serde_json::{Value, json};
use sha2::{Digest, Sha256};

use crate::{
    file::{array, bytes, hex, list, number},
    forge::{array as list_of, tstr},
    refused::Refused,
};

const CHUNK: usize = 65_536;

/// The byte at place `i` is `i` mod 251.
pub(crate) fn plain(length: usize) -> Vec<u8> {
    (0..length)
        .map(|place| u8::try_from(place % 251).expect("below 251"))
        .collect()
}

/// The sealed chunks, from the formulas and not with the crate.
pub(crate) fn seal(key: &[u8], plain: &[u8]) -> Vec<Vec<u8>> {
    let cipher = ChaCha20Poly1305::new_from_slice(key).expect("32 bytes");
    let aad = list_of(&[tstr("maillon/1 attachment")]);
    let mut parts: Vec<&[u8]> = plain.chunks(CHUNK).collect();
    if parts.is_empty() {
        parts.push(&[]);
    }
    let last = parts.len() - 1;
    let sealed = parts.iter().enumerate().map(|(number, part)| {
        let mut nonce = [0; 12];
        nonce[3..11].copy_from_slice(&(number as u64).to_be_bytes());
        nonce[11] = u8::from(number == last);
        let payload = Payload {
            msg: part,
            aad: &aad,
        };
        cipher.encrypt((&nonce).into(), payload).expect("short")
    });
    sealed.collect()
}

/// What the vector's chunks are: some of the sealed ones, each perhaps cut, changed at one place, or with a byte more.
pub(crate) fn chunks(given: &Value) -> Vec<Vec<u8>> {
    let length = usize::try_from(number(&given["plain"])).expect("short");
    let sealed = seal(&bytes(&given["key"]), &plain(length));
    let one = |chunk: &Value| {
        let number = usize::try_from(number(&chunk["number"])).expect("few");
        let mut chunk_bytes = sealed[number].clone();
        if let Some(keep) = chunk["keep"].as_u64() {
            chunk_bytes.truncate(usize::try_from(keep).expect("short"));
        }
        if let Some(flip) = chunk["flip"].as_u64() {
            chunk_bytes[usize::try_from(flip).expect("short")] ^= 1;
        }
        if chunk["more"] == true {
            chunk_bytes.push(0);
        }
        chunk_bytes
    };
    list(given, "chunks").iter().map(one).collect()
}

pub(crate) fn judge(given: &Value) -> Result<Value, Refused> {
    let said = &given["said"];
    let named = AttachmentRef {
        address: Hash(array(&said["address"])),
        key: Bytes(bytes(&said["key"])),
        length: number(&said["length"]),
        plaintext_hash: Hash(array(&said["plaintext_hash"])),
        media_type: String::new(),
        name: String::new(),
    };
    let mut opener = Opener::new(&named)?;
    let mut plaintext = Sha256::new();
    let chunks = chunks(given);
    for chunk in &chunks {
        plaintext.update(&opener.open(chunk)?);
    }
    opener.finish()?;
    let last = chunks.last().expect("one at least");
    Ok(json!({
        "chunks": chunks.len(),
        "plaintext": hex(plaintext.finalize()),
        "last_tag": hex(&last[last.len() - 16..]),
    }))
}

impl From<AttachmentError> for Refused {
    fn from(error: AttachmentError) -> Self {
        match error {
            AttachmentError::Limit(_) => "limit",
            AttachmentError::Key(_) => "attachment-key",
            AttachmentError::Truncated { .. } => "truncated",
            AttachmentError::Longer { .. } => "longer",
            AttachmentError::Reordered { .. } => "reordered",
            AttachmentError::Chunk { .. } => "chunk-open",
            AttachmentError::Address => "address",
            AttachmentError::Plaintext => "plaintext",
        }
        .into()
    }
}
