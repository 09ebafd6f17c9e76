//! What a keystore holds, in the clear.

use std::fmt;

use zeroize::{Zeroize, ZeroizeOnDrop};

use super::KeystoreError;

/// 32 secret bytes, wiped when dropped and never shown.
#[derive(Clone, Zeroize, ZeroizeOnDrop)]
pub struct Secret([u8; 32]);

impl Secret {
    /// Takes over bytes that exist already. The caller wipes its own copy.
    #[must_use]
    pub fn new(bytes: [u8; 32]) -> Secret {
        Secret(bytes)
    }

    /// 32 new bytes from the operating system.
    pub fn random() -> Result<Secret, KeystoreError> {
        let mut secret = Secret([0; 32]);
        getrandom::fill(&mut secret.0).map_err(|_| KeystoreError::Randomness)?;
        Ok(secret)
    }

    /// The bytes, for the cryptography that needs them. Do not copy them elsewhere.
    #[must_use]
    pub fn expose(&self) -> &[u8; 32] {
        &self.0
    }

    pub(super) fn expose_mut(&mut self) -> &mut [u8; 32] {
        &mut self.0
    }

    pub(super) fn empty() -> Secret {
        Secret([0; 32])
    }
}

impl fmt::Debug for Secret {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Secret(..)")
    }
}

/// A key under which others seal to this node.
#[derive(Clone, ZeroizeOnDrop)]
pub struct ReceiveKey {
    /// The key's public name, as the node's descriptor publishes it.
    pub id: [u8; 8],
    /// The 32-byte seed of the private key.
    pub private: Secret,
    /// When it was made, UTC, milliseconds since 1970.
    pub created_ms: u64,
    /// From when on nobody seals to it any more, UTC, milliseconds since 1970.
    pub expires_ms: u64,
}

impl fmt::Debug for ReceiveKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("ReceiveKey").finish_non_exhaustive()
    }
}

/// Everything that the node must keep to itself. Wiped when dropped; its `Debug` shows nothing.
#[derive(Clone, ZeroizeOnDrop)]
pub struct Secrets {
    /// Seed of the Ed25519 key that signs (RFC 8032).
    pub identity_seed: Secret,
    /// The key under which the database is sealed.
    pub storage_key: Secret,
    /// Keys to receive with, at most [`Secrets::MAX_RECEIVE_KEYS`].
    pub receive_keys: Vec<ReceiveKey>,
    /// SHA-256 of the offline recovery public key, whose private half is on paper.
    #[zeroize(skip)]
    pub recovery_public_sha256: [u8; 32],
}

impl Secrets {
    /// How many receive keys a keystore holds. A key lives some months and is deleted at most 90 days after its
    /// expiry, so that a handful is usual.
    pub const MAX_RECEIVE_KEYS: usize = 256;

    /// A new identity and a new storage key; no receive key yet, because its name comes from its public half.
    pub fn generate(recovery_public_sha256: [u8; 32]) -> Result<Secrets, KeystoreError> {
        Ok(Secrets {
            identity_seed: Secret::random()?,
            storage_key: Secret::random()?,
            receive_keys: Vec::new(),
            recovery_public_sha256,
        })
    }
}

impl fmt::Debug for Secrets {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Secrets").finish_non_exhaustive()
    }
}
