//! The sealed body: COSE_Encrypt0 (RFC 9052) with ChaCha20-Poly1305 over padded content.

use chacha20poly1305::{
    ChaCha20Poly1305, KeyInit,
    aead::{Aead, Payload},
};
use coset::{
    CborSerializable, CoseEncrypt0, CoseEncrypt0Builder, EncryptionContext, HeaderBuilder,
    enc_structure_data, iana,
};
use hkdf::Hkdf;
use hmac::{Hmac, Mac};
use sha2::{Digest, Sha256};
use zeroize::Zeroizing;

use super::Header;
use crate::{
    cbor,
    charter::EpochSecret,
    ids::Hash,
    limits::{self, LimitError},
};

/// Why a body does not open.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum BodyError {
    /// Not the bytes that the header covers.
    #[error("the body is not the one that its header names")]
    OtherBody,
    /// Not `[h'A1011818', {}, ciphertext]`, or written in another way.
    #[error("not a COSE_Encrypt0 object of ours: {0}")]
    Envelope(String),
    /// Wrong key, or altered.
    #[error("the body does not open under its epoch's secret")]
    Open,
    /// The padding is not ours.
    #[error("the body's padding is not `80 00 …` up to its step")]
    Padding,
}

/// Padding step for short plaintexts, and up to where it is used.
const SMALL_STEP: usize = 256;
const SMALL_LIMIT: usize = 4096;
const LARGE_STEP: usize = 4096;

fn padded_length(length: usize) -> usize {
    let least = length + 1;
    let step = if least <= SMALL_LIMIT {
        SMALL_STEP
    } else {
        LARGE_STEP
    };
    least.div_ceil(step) * step
}

/// Appends 0x80 and zeros up to a multiple of 256 bytes where that is at most 4 KiB, else of 4 KiB.
pub fn pad(content: &[u8]) -> Zeroizing<Vec<u8>> {
    let mut padded = Zeroizing::new(Vec::with_capacity(padded_length(content.len())));
    padded.extend_from_slice(content);
    padded.push(0x80);
    padded.resize(padded_length(content.len()), 0);
    padded
}

/// The content without its padding; only the padding that [`pad`] makes is accepted.
///
/// # Errors
/// [`BodyError::Padding`].
pub fn unpad(padded: &[u8]) -> Result<&[u8], BodyError> {
    let end = padded
        .iter()
        .rposition(|byte| *byte != 0)
        .ok_or(BodyError::Padding)?;
    if padded[end] != 0x80 || padded_length(end) != padded.len() {
        return Err(BodyError::Padding);
    }
    Ok(&padded[..end])
}

fn key_of(header: &Header, secret: &EpochSecret) -> Zeroizing<[u8; 32]> {
    let info = cbor::encode(&(
        "maillon/1 body",
        header.circle,
        header.epoch,
        header.log,
        header.sequence,
        header.salt,
    ));
    let mut key = Zeroizing::new([0; 32]);
    Hkdf::<Sha256>::new(None, secret.expose())
        .expand(&info, &mut *key)
        .expect("32 bytes are a valid length");
    key
}

/// Four zero bytes and the sequence, big-endian.
fn nonce_of(header: &Header) -> [u8; 12] {
    let mut nonce = [0; 12];
    nonce[4..].copy_from_slice(&header.sequence.to_be_bytes());
    nonce
}

fn protected() -> coset::Header {
    HeaderBuilder::new()
        .algorithm(iana::Algorithm::ChaCha20Poly1305)
        .build()
}

/// The Enc_structure: the additional data of the cipher.
fn additional_data(header: &Header) -> Vec<u8> {
    let external = cbor::encode(&(
        "maillon/1 body",
        header.circle,
        header.log,
        header.sequence,
        header.epoch,
    ));
    let protected = coset::ProtectedHeader {
        original_data: None,
        header: protected(),
    };
    enc_structure_data(EncryptionContext::CoseEncrypt0, protected, &external)
}

fn envelope(ciphertext: Vec<u8>) -> Vec<u8> {
    let mut object: CoseEncrypt0 = CoseEncrypt0Builder::new().protected(protected()).build();
    object.ciphertext = Some(ciphertext);
    object.to_vec().expect("writing to memory cannot fail")
}

/// Seals `content` and writes salt, hash and length into `header`.
pub(super) fn seal(
    header: &mut Header,
    secret: &EpochSecret,
    content: &[u8],
    fresh: &[u8; 32],
) -> Result<Vec<u8>, LimitError> {
    let padded = pad(content);
    let mut salt =
        <Hmac<Sha256> as KeyInit>::new_from_slice(fresh).expect("every length is a valid HMAC key");
    salt.update(&padded);
    header.salt = Hash(salt.finalize().into_bytes().into());
    let key = key_of(header, secret);
    let ciphertext = ChaCha20Poly1305::new((&*key).into())
        .encrypt(
            (&nonce_of(header)).into(),
            Payload {
                msg: &padded,
                aad: &additional_data(header),
            },
        )
        .expect("a body is far below the cipher's limit");
    let body = envelope(ciphertext);
    limits::within(
        "a record's body in bytes",
        body.len() as u64,
        limits::BODY as u64,
    )?;
    header.body_hash = Hash(Sha256::digest(&body).into());
    header.body_length = body.len() as u64;
    Ok(body)
}

/// Whether `body` is the one that `header` covers.
pub(crate) fn belongs(header: &Header, body: &[u8]) -> bool {
    body.len() as u64 == header.body_length
        && Sha256::digest(body).as_slice() == header.body_hash.as_bytes()
}

/// Opens a body: the content, without padding.
///
/// # Errors
/// [`BodyError`].
pub fn open(
    header: &Header,
    secret: &EpochSecret,
    body: &[u8],
) -> Result<Zeroizing<Vec<u8>>, BodyError> {
    if !belongs(header, body) {
        return Err(BodyError::OtherBody);
    }
    let object =
        CoseEncrypt0::from_slice(body).map_err(|error| BodyError::Envelope(error.to_string()))?;
    let ciphertext = object
        .ciphertext
        .ok_or_else(|| BodyError::Envelope("the ciphertext is missing".to_owned()))?;
    if envelope(ciphertext.clone()) != body {
        return Err(BodyError::Envelope(
            "not the deterministic encoding".to_owned(),
        ));
    }
    let key = key_of(header, secret);
    let padded = Zeroizing::new(
        ChaCha20Poly1305::new((&*key).into())
            .decrypt(
                (&nonce_of(header)).into(),
                Payload {
                    msg: &ciphertext,
                    aad: &additional_data(header),
                },
            )
            .map_err(|_| BodyError::Open)?,
    );
    unpad(&padded).map(|content| Zeroizing::new(content.to_vec()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn padding_hides_lengths_and_comes_off_again() {
        for (length, expected) in [
            (0, 256),
            (255, 256),
            (256, 512),
            (4095, 4096),
            (4096, 8192),
            (8191, 8192),
        ] {
            let content = vec![0x80; length];
            let padded = pad(&content);
            assert_eq!(padded.len(), expected, "{length}");
            assert_eq!(unpad(&padded), Ok(&content[..]));
        }
    }

    #[test]
    fn padding_of_another_length_is_refused() {
        let mut padded = pad(b"x").to_vec();
        padded.extend([0; 256]);
        assert_eq!(unpad(&padded), Err(BodyError::Padding));
        assert_eq!(unpad(&[0; 256]), Err(BodyError::Padding));
        assert_eq!(unpad(&[]), Err(BodyError::Padding));
    }
}
