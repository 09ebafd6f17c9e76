//! A node's keys: Ed25519 to sign, X-Wing to receive sealed secrets.
//!
//! Private keys are zeroized when dropped and cannot be printed. How they are kept on disk is the daemon's keystore's
//! business.

use ed25519_dalek::SigningKey;
use hpke::{Deserializable, Kem, Serializable, kem::XWing};
use minicbor::{Decode, Encode};
use rand_core::CryptoRng;
use sha2::{Digest, Sha256};
use zeroize::{Zeroize, ZeroizeOnDrop, Zeroizing};

use crate::{
    cbor::Bytes,
    ids::{KeyId, NodeId},
};

/// Length of an X-Wing public key in bytes.
pub const SEAL_PUBLIC_LEN: usize = 1216;

/// Why key bytes are refused.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum KeyError {
    /// Not an X-Wing public key.
    #[error("not an X-Wing public key of 1216 bytes")]
    Public,
    /// The key's id is not the hash of its bytes.
    #[error("the key's id does not belong to its bytes")]
    Id,
}

/// The node's identity: it signs everything that the node says.
#[derive(Clone)]
pub struct NodeKey(SigningKey);

impl NodeKey {
    /// A new identity.
    pub fn generate(rng: &mut impl CryptoRng) -> Self {
        let mut seed = Zeroizing::new([0; 32]);
        rng.fill_bytes(&mut *seed);
        Self::from_seed(&seed)
    }

    /// The identity of a 32-byte seed (RFC 8032).
    pub fn from_seed(seed: &[u8; 32]) -> Self {
        Self(SigningKey::from_bytes(seed))
    }

    /// The seed, to be kept under seal.
    pub fn seed(&self) -> Zeroizing<[u8; 32]> {
        Zeroizing::new(self.0.to_bytes())
    }

    /// The node's name.
    pub fn id(&self) -> NodeId {
        NodeId(self.0.verifying_key().to_bytes())
    }

    pub(crate) const fn signing(&self) -> &SigningKey {
        &self.0
    }
}

impl std::fmt::Debug for NodeKey {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "NodeKey(of {:?})", self.id())
    }
}

/// The public part of a receive key, as a descriptor carries it.
#[derive(Debug, Clone, PartialEq, Eq, Encode, Decode)]
#[cbor(array)]
pub struct SealPublic {
    /// First eight bytes of the SHA-256 of `public`.
    #[n(0)]
    pub id: KeyId,
    /// X-Wing encapsulation key, 1216 bytes.
    #[n(1)]
    pub public: Bytes,
    /// Nobody seals to this key at or after this moment, Unix milliseconds.
    #[n(2)]
    pub expires_ms: u64,
}

impl SealPublic {
    /// Checks length, validity and id.
    ///
    /// # Errors
    /// [`KeyError`].
    pub fn check(&self) -> Result<(), KeyError> {
        <XWing as Kem>::PublicKey::from_bytes(&self.public.0).map_err(|_| KeyError::Public)?;
        if key_id(&self.public.0) == self.id {
            Ok(())
        } else {
            Err(KeyError::Id)
        }
    }

    pub(crate) fn key(&self) -> Result<<XWing as Kem>::PublicKey, KeyError> {
        <XWing as Kem>::PublicKey::from_bytes(&self.public.0).map_err(|_| KeyError::Public)
    }
}

fn key_id(public: &[u8]) -> KeyId {
    let digest: [u8; 32] = Sha256::digest(public).into();
    let mut id = [0; 8];
    id.copy_from_slice(&digest[..8]);
    KeyId(id)
}

/// A receive key: opens what was sealed to its public part.
#[derive(Clone, Zeroize, ZeroizeOnDrop)]
pub struct SealKey {
    seed: [u8; 32],
    #[zeroize(skip)]
    public: SealPublic,
}

impl SealKey {
    /// A new receive key that expires at `expires_ms`.
    pub fn generate(expires_ms: u64, rng: &mut impl CryptoRng) -> Self {
        let mut seed = Zeroizing::new([0; 32]);
        rng.fill_bytes(&mut *seed);
        Self::from_seed(&seed, expires_ms)
    }

    /// The receive key of a 32-byte X-Wing seed.
    ///
    /// # Panics
    /// Never: every 32 bytes are an X-Wing decapsulation key.
    pub fn from_seed(seed: &[u8; 32], expires_ms: u64) -> Self {
        let private = <XWing as Kem>::PrivateKey::from_bytes(seed)
            .expect("every 32 bytes are an X-Wing decapsulation key");
        let public = XWing::sk_to_pk(&private).to_bytes().to_vec();
        Self {
            seed: *seed,
            public: SealPublic {
                id: key_id(&public),
                public: Bytes(public),
                expires_ms,
            },
        }
    }

    /// The seed, to be kept under seal.
    pub fn seed(&self) -> Zeroizing<[u8; 32]> {
        Zeroizing::new(self.seed)
    }

    /// What others seal to.
    pub const fn public(&self) -> &SealPublic {
        &self.public
    }

    pub(crate) fn private(&self) -> <XWing as Kem>::PrivateKey {
        <XWing as Kem>::PrivateKey::from_bytes(&self.seed)
            .expect("every 32 bytes are an X-Wing decapsulation key")
    }
}

impl std::fmt::Debug for SealKey {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "SealKey({:?})", self.public.id)
    }
}
