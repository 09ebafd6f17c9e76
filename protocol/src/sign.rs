//! Signed objects: COSE_Sign1 (RFC 9052) with EdDSA, in one form only.
//!
//! A signed object is the untagged array `[protected, {}, payload, signature]`; protected is always `{1: -8}`, the external
//! additional data is the deterministic encoding of `["maillon/1 ‹type›"]`. Its id is SHA-256 over `maillon/1 ‹type› id`, a zero byte and the
//! Sig_structure, so it does not depend on the signature's bytes. Signatures are checked with `verify_strict`.

use coset::{CborSerializable, CoseSign1, CoseSign1Builder, HeaderBuilder, iana};
use ed25519_dalek::{Signature, Signer, VerifyingKey};

use crate::{
    cbor::{self, CborError},
    ids::{NodeId, hash_in},
    keys::NodeKey,
};

/// Why signed bytes are refused.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum SignError {
    /// Not `[h'A10127', {}, payload, signature]`, or written in another way.
    #[error("not a COSE_Sign1 object of ours: {0}")]
    Envelope(String),
    /// The payload is not the object that was expected.
    #[error(transparent)]
    Payload(#[from] CborError),
    /// The signature does not belong to these bytes and this node.
    #[error("the signature is not that of the node that the object names")]
    Signature,
    /// The named node is no valid Ed25519 key.
    #[error("the node's name is no Ed25519 public key")]
    Key,
}

/// An object that a node signs. `DOMAIN` is the ‹type› of its contexts.
pub trait Signed: Sized + minicbor::Encode<()> + for<'b> minicbor::Decode<'b, ()> {
    /// Such as `record`: part of every context of this type.
    const DOMAIN: &'static str;

    /// Who must have signed it.
    fn signer(&self) -> NodeId;
}

/// An object whose encoding and signature were checked, with the bytes that prove it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Verified<T> {
    /// What was signed.
    pub object: T,
    /// The COSE_Sign1 bytes, as received and as they are passed on.
    pub bytes: Vec<u8>,
    /// Hash over domain and Sig_structure.
    pub id: [u8; 32],
}

fn external_aad<T: Signed>() -> Vec<u8> {
    cbor::encode(&[format!("maillon/1 {}", T::DOMAIN)])
}

fn id_of<T: Signed>(sig_structure: &[u8]) -> [u8; 32] {
    hash_in(&format!("maillon/1 {} id", T::DOMAIN), sig_structure)
}

fn protected() -> coset::Header {
    HeaderBuilder::new()
        .algorithm(iana::Algorithm::EdDSA)
        .build()
}

/// Signs `object` with the key of the node that it names.
///
/// # Panics
/// Where `key` is not the key of [`Signed::signer`]: an object is only ever built by its signer.
pub fn sign<T: Signed>(object: T, key: &NodeKey) -> Verified<T> {
    assert_eq!(
        object.signer(),
        key.id(),
        "an object is signed by its signer"
    );
    let aad = external_aad::<T>();
    let unsigned = CoseSign1Builder::new()
        .protected(protected())
        .payload(cbor::encode(&object))
        .build();
    let to_sign = unsigned.tbs_data(&aad);
    let signature = key.signing().sign(&to_sign).to_bytes().to_vec();
    let envelope = CoseSign1 {
        signature,
        ..unsigned
    };
    Verified {
        id: id_of::<T>(&to_sign),
        bytes: envelope.to_vec().expect("writing to memory cannot fail"),
        object,
    }
}

/// An object whose form was checked and whose signature was not, yet.
///
/// Signatures are the dear part: a batch is parsed first, refused early, and verified on several cores.
#[derive(Debug, Clone)]
pub struct Unverified<T> {
    /// What claims to be signed.
    pub object: T,
    /// The COSE_Sign1 bytes.
    pub bytes: Vec<u8>,
    /// Hash over domain and Sig_structure.
    pub id: [u8; 32],
    sig_structure: Vec<u8>,
    signature: [u8; 64],
}

impl<T: Signed> Unverified<T> {
    /// Reads `bytes` and refuses every form but one.
    ///
    /// # Errors
    /// [`SignError::Envelope`] or [`SignError::Payload`].
    pub fn parse(bytes: Vec<u8>) -> Result<Self, SignError> {
        let wrong = |what: &str| SignError::Envelope(what.to_owned());
        let envelope = CoseSign1::from_slice(&bytes)
            .map_err(|error| SignError::Envelope(error.to_string()))?;
        if envelope.protected.header != protected() {
            return Err(wrong("the protected header is not {1: -8}"));
        }
        if !envelope.unprotected.is_empty() {
            return Err(wrong("the unprotected header is not empty"));
        }
        let signature: [u8; 64] = envelope
            .signature
            .as_slice()
            .try_into()
            .map_err(|_| wrong("the signature has not 64 bytes"))?;
        let payload = envelope
            .payload
            .as_deref()
            .ok_or_else(|| wrong("the payload is missing"))?;
        let object: T = cbor::decode(payload)?;
        // Rebuilt from our own header, so that a second form of the protected bytes cannot pass either.
        let ours = CoseSign1 {
            signature: signature.to_vec(),
            ..CoseSign1Builder::new()
                .protected(protected())
                .payload(payload.to_vec())
                .build()
        };
        let sig_structure = ours.tbs_data(&external_aad::<T>());
        if ours
            .to_vec()
            .map_err(|error| SignError::Envelope(error.to_string()))?
            != bytes
        {
            return Err(wrong("not the deterministic encoding"));
        }
        Ok(Self {
            id: id_of::<T>(&sig_structure),
            object,
            bytes,
            sig_structure,
            signature,
        })
    }

    /// Checks the signature, strictly.
    ///
    /// # Errors
    /// [`SignError::Signature`] or [`SignError::Key`].
    pub fn verify(self) -> Result<Verified<T>, SignError> {
        let key = VerifyingKey::from_bytes(self.object.signer().as_bytes())
            .map_err(|_| SignError::Key)?;
        key.verify_strict(&self.sig_structure, &Signature::from_bytes(&self.signature))
            .map_err(|_| SignError::Signature)?;
        Ok(Verified {
            object: self.object,
            bytes: self.bytes,
            id: self.id,
        })
    }

    /// Takes over an object that this node has verified before it stored it under seal.
    pub fn trust_stored(self) -> Verified<T> {
        Verified {
            object: self.object,
            bytes: self.bytes,
            id: self.id,
        }
    }
}

/// Reads and verifies in one go.
///
/// # Errors
/// As [`Unverified::parse`] and [`Unverified::verify`].
pub fn verify<T: Signed>(bytes: Vec<u8>) -> Result<Verified<T>, SignError> {
    Unverified::parse(bytes)?.verify()
}
