//! The sealed part of the file: CBOR (RFC 8949), arrays only, with a version of its own.
//!
//! `[1, identity seed, storage key, [[id, private, created, expires]…], recovery fingerprint]`

use minicbor::decode::Decoder;
use minicbor::encode::Encoder;
use zeroize::Zeroizing;

use super::{KeystoreError, ReceiveKey, Secret, Secrets};

const VERSION: u32 = 1;

/// More than a key takes: two byte strings, two numbers, their heads.
const KEY_BYTES: usize = 80;
/// More than the rest takes.
const FIXED_BYTES: usize = 128;

/// Why a payload was not understood.
pub(super) enum Unreadable {
    /// Not what this program writes.
    Malformed,
    /// Of a later version.
    Newer(u32),
}

impl From<minicbor::decode::Error> for Unreadable {
    fn from(_: minicbor::decode::Error) -> Unreadable {
        Unreadable::Malformed
    }
}

pub(super) fn encode(secrets: &Secrets) -> Result<Zeroizing<Vec<u8>>, KeystoreError> {
    let keys = &secrets.receive_keys;
    if keys.len() > Secrets::MAX_RECEIVE_KEYS {
        return Err(KeystoreError::TooManyKeys {
            limit: Secrets::MAX_RECEIVE_KEYS,
        });
    }
    // Room for everything from the start: a vector that grows leaves unwiped copies behind.
    let mut bytes = Zeroizing::new(Vec::with_capacity(FIXED_BYTES + keys.len() * KEY_BYTES));
    write(secrets, &mut bytes).expect("writing to a vector does not fail");
    Ok(bytes)
}

fn write(
    secrets: &Secrets,
    bytes: &mut Vec<u8>,
) -> Result<(), minicbor::encode::Error<std::convert::Infallible>> {
    let mut out = Encoder::new(bytes);
    out.array(5)?
        .u32(VERSION)?
        .bytes(secrets.identity_seed.expose())?
        .bytes(secrets.storage_key.expose())?
        .array(secrets.receive_keys.len() as u64)?;
    for key in &secrets.receive_keys {
        out.array(4)?
            .bytes(&key.id)?
            .bytes(key.private.expose())?
            .u64(key.created_ms)?
            .u64(key.expires_ms)?;
    }
    out.bytes(&secrets.recovery_public_sha256)?;
    Ok(())
}

pub(super) fn decode(bytes: &[u8]) -> Result<Secrets, Unreadable> {
    let mut input = Decoder::new(bytes);
    let fields = length(&mut input)?;
    let version = input.u32()?;
    if version > VERSION {
        return Err(Unreadable::Newer(version));
    }
    if version != VERSION || fields != 5 {
        return Err(Unreadable::Malformed);
    }
    let identity_seed = secret(&mut input)?;
    let storage_key = secret(&mut input)?;
    let count = length(&mut input)?;
    if count > Secrets::MAX_RECEIVE_KEYS {
        return Err(Unreadable::Malformed);
    }
    let mut receive_keys = Vec::with_capacity(count);
    for _ in 0..count {
        if length(&mut input)? != 4 {
            return Err(Unreadable::Malformed);
        }
        let mut id = [0; 8];
        fixed(&mut input, &mut id)?;
        receive_keys.push(ReceiveKey {
            id,
            private: secret(&mut input)?,
            created_ms: input.u64()?,
            expires_ms: input.u64()?,
        });
    }
    let mut recovery_public_sha256 = [0; 32];
    fixed(&mut input, &mut recovery_public_sha256)?;
    if input.position() != bytes.len() {
        return Err(Unreadable::Malformed);
    }
    Ok(Secrets {
        identity_seed,
        storage_key,
        receive_keys,
        recovery_public_sha256,
    })
}

fn length(input: &mut Decoder<'_>) -> Result<usize, Unreadable> {
    let length = input.array()?.ok_or(Unreadable::Malformed)?;
    usize::try_from(length).map_err(|_| Unreadable::Malformed)
}

fn secret(input: &mut Decoder<'_>) -> Result<Secret, Unreadable> {
    let mut secret = Secret::empty();
    fixed(input, secret.expose_mut())?;
    Ok(secret)
}

fn fixed(input: &mut Decoder<'_>, into: &mut [u8]) -> Result<(), Unreadable> {
    let bytes = input.bytes()?;
    if bytes.len() != into.len() {
        return Err(Unreadable::Malformed);
    }
    into.copy_from_slice(bytes);
    Ok(())
}
