//! The bytes of the file; their layout is on the module's page.

use std::io;
use std::path::Path;

use chacha20poly1305::aead::{Aead, KeyInit, Payload};
use chacha20poly1305::{XChaCha20Poly1305, XNonce};
use minicbor::decode::Decoder;
use minicbor::encode::Encoder;
use sha2::{Digest, Sha256};
use zeroize::Zeroizing;

use super::payload::{self, Unreadable};
use super::unlock::{Cost, Lock, Method};
use super::{KeystoreError, Secrets};

const MAGIC: &[u8; 8] = b"MAILLONK";
const VERSION: u16 = 1;
const CHECKSUM_BYTES: usize = 32;
const NONCE_BYTES: usize = 24;
/// Magic, version, length of the header.
const PREAMBLE_BYTES: usize = 8 + 2 + 2;
const MAX_HEADER_BYTES: usize = 128;
/// Far more than this version writes, so that a file of a later one is recognised as such.
const MAX_BYTES: u64 = 1024 * 1024;

/// A file that was read, whole and of a version that we know; still sealed.
pub(super) struct Stored {
    bytes: Vec<u8>,
    /// Where the sealed payload starts.
    sealed_at: usize,
    method: Method,
    nonce: [u8; NONCE_BYTES],
}

impl Stored {
    pub(super) fn method(&self) -> Method {
        self.method
    }

    pub(super) fn unseal(&self, lock: &Lock, path: &Path) -> Result<Secrets, KeystoreError> {
        let end = self.bytes.len() - CHECKSUM_BYTES;
        let sealed = Payload {
            msg: &self.bytes[self.sealed_at..end],
            aad: &self.bytes[..self.sealed_at],
        };
        // The checksum held, so that what does not open is under another key.
        let clear = XChaCha20Poly1305::new(lock.key.expose().into())
            .decrypt(&XNonce::from(self.nonce), sealed)
            .map_err(|_| KeystoreError::WrongSecret)?;
        payload::decode(&Zeroizing::new(clear)).map_err(|error| match error {
            Unreadable::Malformed => damaged(path),
            Unreadable::Newer(found) => KeystoreError::Newer {
                found,
                known: u32::from(VERSION),
            },
        })
    }
}

/// Seals the secrets under the lock's key with a new nonce, and gives the whole file.
pub(super) fn seal(lock: &Lock, secrets: &Secrets) -> Result<Vec<u8>, KeystoreError> {
    let mut nonce = [0; NONCE_BYTES];
    getrandom::fill(&mut nonce).map_err(|_| KeystoreError::Randomness)?;
    let header = encode_header(lock.method, &nonce);
    let mut file = Vec::new();
    file.extend_from_slice(MAGIC);
    file.extend_from_slice(&VERSION.to_be_bytes());
    file.extend_from_slice(&(header.len() as u16).to_be_bytes());
    file.extend_from_slice(&header);
    let clear = payload::encode(secrets)?;
    let sealed = XChaCha20Poly1305::new(lock.key.expose().into())
        .encrypt(
            &XNonce::from(nonce),
            Payload {
                msg: &clear,
                aad: &file,
            },
        )
        .expect("a payload of some kilobytes can be sealed");
    file.extend_from_slice(&sealed);
    let checksum = Sha256::digest(&file);
    file.extend_from_slice(&checksum);
    Ok(file)
}

/// Reads the file and checks everything that can be checked without its key.
pub(super) fn read(path: &Path) -> Result<Stored, KeystoreError> {
    let bytes = match crate::durable::read(path, MAX_BYTES) {
        Ok(Some(bytes)) => bytes,
        Ok(None) => {
            let path = path.to_owned();
            let kept = crate::durable::folder_of(&path).join(crate::store::FOLDER_NAME);
            return Err(if kept.exists() {
                KeystoreError::Lost { path }
            } else {
                KeystoreError::Missing { path }
            });
        }
        Err(error) if error.kind() == io::ErrorKind::FileTooLarge => return Err(damaged(path)),
        Err(error) => return Err(KeystoreError::io(path, error)),
    };
    parse(bytes, path)
}

fn parse(bytes: Vec<u8>, path: &Path) -> Result<Stored, KeystoreError> {
    // The checksum comes first: a version that a bit error changed is damage, not a newer program.
    let (content, checksum) = bytes
        .split_last_chunk::<CHECKSUM_BYTES>()
        .ok_or_else(|| damaged(path))?;
    if Sha256::digest(content)[..] != checksum[..] || !content.starts_with(MAGIC) {
        return Err(damaged(path));
    }
    let version = u16_at(content, 8).ok_or_else(|| damaged(path))?;
    if version > VERSION {
        return Err(KeystoreError::Newer {
            found: u32::from(version),
            known: u32::from(VERSION),
        });
    }
    let length = u16_at(content, 10).ok_or_else(|| damaged(path))?;
    let sealed_at = PREAMBLE_BYTES + usize::from(length);
    let (method, nonce) = content
        .get(PREAMBLE_BYTES..sealed_at)
        .filter(|_| version == VERSION)
        .and_then(|header| decode_header(header).ok().flatten())
        .ok_or_else(|| damaged(path))?;
    Ok(Stored {
        bytes,
        sealed_at,
        method,
        nonce,
    })
}

fn encode_header(method: Method, nonce: &[u8; NONCE_BYTES]) -> Vec<u8> {
    let mut bytes = Vec::with_capacity(MAX_HEADER_BYTES);
    let mut out = Encoder::new(&mut bytes);
    let written = match method {
        Method::Passphrase { salt, cost } => out
            .array(6)
            .and_then(|out| out.u8(1)?.bytes(&salt)?.u32(cost.memory_kib))
            .and_then(|out| out.u32(cost.passes)?.u32(cost.lanes)?.bytes(nonce)),
        Method::KeyFile { salt } => out
            .array(3)
            .and_then(|out| out.u8(2)?.bytes(&salt)?.bytes(nonce)),
    };
    written.expect("writing to a vector does not fail");
    bytes
}

type Header = (Method, [u8; NONCE_BYTES]);

/// `None` when it is CBOR, but not one of ours.
fn decode_header(bytes: &[u8]) -> Result<Option<Header>, minicbor::decode::Error> {
    let mut input = Decoder::new(bytes);
    let fields = input.array()?;
    let kind = input.u8()?;
    let Ok(salt) = <[u8; 16]>::try_from(input.bytes()?) else {
        return Ok(None);
    };
    let method = match (kind, fields) {
        (1, Some(6)) => {
            let cost = Cost {
                memory_kib: input.u32()?,
                passes: input.u32()?,
                lanes: input.u32()?,
            };
            if !cost.is_valid() {
                return Ok(None);
            }
            Method::Passphrase { salt, cost }
        }
        (2, Some(3)) => Method::KeyFile { salt },
        _ => return Ok(None),
    };
    let nonce = <[u8; NONCE_BYTES]>::try_from(input.bytes()?).ok();
    let whole = input.position() == bytes.len();
    Ok(nonce.filter(|_| whole).map(|nonce| (method, nonce)))
}

fn u16_at(bytes: &[u8], at: usize) -> Option<u16> {
    let two = bytes.get(at..at + 2)?;
    Some(u16::from_be_bytes([two[0], two[1]]))
}

fn damaged(path: &Path) -> KeystoreError {
    KeystoreError::Damaged {
        path: path.to_owned(),
    }
}
