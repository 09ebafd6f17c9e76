//! Epochs and their secrets.
//!
//! Each epoch has a fresh random 32-byte secret. The entry that starts it holds a commitment, so nobody can show different members
//! different secrets; sealed copies travel beside the entry, one for each member, and any member may seal one again.

use minicbor::{Decode, Encode};
use rand_core::CryptoRng;
use sha2::{Digest, Sha256};
use subtle::ConstantTimeEq;
use zeroize::{Zeroize, ZeroizeOnDrop};

use crate::{
    cbor,
    ids::{CircleId, EntryHash, Hash, KeyId, NodeId},
    keys::{SealKey, SealPublic},
    seal::{self, SealContext, SealError, Sealed},
};

/// The secret of one epoch: bodies' keys derive from it.
#[derive(Clone, PartialEq, Eq, Zeroize, ZeroizeOnDrop)]
pub struct EpochSecret([u8; 32]);

/// Why an epoch's secret is not taken.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum SecretError {
    /// The sealed copy does not open.
    #[error(transparent)]
    Seal(#[from] SealError),
    /// It opens, and what is in it is not what the entry committed to.
    #[error("the sealed secret is not the one that the charter entry committed to")]
    Commitment,
    /// The copy names an epoch that the charter does not have, or another node.
    #[error("the sealed copy names an epoch or a node that does not fit")]
    Misplaced,
}

impl EpochSecret {
    /// A fresh one.
    pub fn generate(rng: &mut impl CryptoRng) -> Self {
        let mut bytes = [0; 32];
        rng.fill_bytes(&mut bytes);
        Self(bytes)
    }

    /// As kept under the storage key.
    pub const fn from_bytes(bytes: [u8; 32]) -> Self {
        Self(bytes)
    }

    /// To be kept under the storage key.
    pub const fn expose(&self) -> &[u8; 32] {
        &self.0
    }

    /// SHA-256 of the deterministic encoding of `["maillon/1 epoch", previous entry's hash, entry number, secret]`.
    pub fn commitment(&self, previous: Option<EntryHash>, number: u64) -> Hash {
        let secret = Hash(self.0);
        let bytes =
            zeroize::Zeroizing::new(cbor::encode(&("maillon/1 epoch", previous, number, secret)));
        Hash(Sha256::digest(&*bytes).into())
    }
}

impl std::fmt::Debug for EpochSecret {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("EpochSecret")
    }
}

/// A sealed copy of an epoch's secret, as it travels.
#[derive(Debug, Clone, PartialEq, Eq, Encode, Decode)]
#[cbor(array)]
pub struct SealedSecret {
    /// Number of the entry that starts the epoch.
    #[n(0)]
    pub number: u64,
    /// Its hash.
    #[n(1)]
    pub epoch: EntryHash,
    /// Who sealed.
    #[n(2)]
    pub sealer: NodeId,
    /// For whom.
    #[n(3)]
    pub recipient: NodeId,
    /// To which of its keys.
    #[n(4)]
    pub key: KeyId,
    /// HPKE.
    #[n(5)]
    pub sealed: Sealed,
}

/// Where an epoch begins, as sealing and opening need it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct EpochPlace {
    pub(crate) circle: CircleId,
    pub(crate) number: u64,
    pub(crate) previous: Option<EntryHash>,
    pub(crate) epoch: EntryHash,
    pub(crate) commitment: Hash,
}

impl EpochPlace {
    fn context(&self, sealer: NodeId, recipient: NodeId, key: KeyId) -> SealContext {
        SealContext {
            purpose: "epoch".to_owned(),
            circle: Some(self.circle),
            number: self.number,
            previous: self.previous,
            epoch: Some(self.epoch),
            sealer,
            recipient,
            key,
        }
    }

    pub(crate) fn seal(
        &self,
        secret: &EpochSecret,
        sealer: NodeId,
        recipient: NodeId,
        key: &SealPublic,
        now_ms: u64,
        rng: &mut impl CryptoRng,
    ) -> Result<SealedSecret, SealError> {
        let context = self.context(sealer, recipient, key.id);
        Ok(SealedSecret {
            number: self.number,
            epoch: self.epoch,
            sealer,
            recipient,
            key: key.id,
            sealed: seal::seal(secret.expose(), key, &context, now_ms, rng)?,
        })
    }

    pub(crate) fn open(
        &self,
        copy: &SealedSecret,
        own: NodeId,
        keys: &[SealKey],
    ) -> Result<EpochSecret, SecretError> {
        if copy.number != self.number || copy.epoch != self.epoch || copy.recipient != own {
            return Err(SecretError::Misplaced);
        }
        let context = self.context(copy.sealer, own, copy.key);
        let plain = seal::open(&copy.sealed, keys, &context)?;
        let bytes: [u8; 32] = plain
            .as_slice()
            .try_into()
            .map_err(|_| SecretError::Commitment)?;
        let secret = EpochSecret(bytes);
        let found = secret.commitment(self.previous, self.number);
        if bool::from(found.as_bytes().ct_eq(self.commitment.as_bytes())) {
            Ok(secret)
        } else {
            Err(SecretError::Commitment)
        }
    }
}
