//! Secrets sealed to one node: HPKE (RFC 9180) base mode, single shot, X-Wing.
//!
//! Suite `x-wing-06/hkdf-sha256/chacha20poly1305` (KEM 0x647A as implemented by draft-connolly-cfrg-xwing-kem-06). The info of every seal is the
//! deterministic encoding of `["maillon/1 seal", purpose, circle, entry number, previous entry's hash, epoch, sealer, recipient,
//! recipient's key id]`: a sealed copy means one secret, at one place, from one node to one key, and cannot be moved.

use hpke::{
    Deserializable, OpModeR, OpModeS, Serializable, aead::ChaCha20Poly1305, kdf::HkdfSha256,
    kem::XWing,
};
use minicbor::{Decode, Encode};
use rand_core::CryptoRng;
use zeroize::Zeroizing;

use crate::{
    cbor::{self, Bytes},
    ids::{CircleId, EntryHash, KeyId, NodeId},
    keys::{SealKey, SealPublic},
};

/// Name of the suite, as descriptors state it.
pub const SUITE: &str = "x-wing-06/hkdf-sha256/chacha20poly1305";

/// Why something sealed cannot be made or opened.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum SealError {
    /// The recipient's key is over its date: it must publish a new one.
    #[error("the recipient's receive key has expired; it is sealed to when it publishes a new one")]
    Expired,
    /// The recipient's key is no X-Wing key.
    #[error("the recipient's receive key is not valid")]
    Key,
    /// Sealed to a key that this node does not have (any more).
    #[error("sealed to a receive key that this node does not hold")]
    OtherKey,
    /// Altered, or sealed for another place.
    #[error("the sealed copy does not open: altered, or meant for another place")]
    Open,
}

/// Where a sealed copy belongs: everything that its info states.
#[derive(Debug, Clone, PartialEq, Eq, Encode, Decode)]
#[cbor(array)]
pub struct SealContext {
    /// `epoch` or `invitation`.
    #[n(0)]
    pub purpose: String,
    /// The circle, where there is one that may be named.
    #[n(1)]
    pub circle: Option<CircleId>,
    /// Number of the charter entry that starts the epoch; 0 outside charters.
    #[n(2)]
    pub number: u64,
    /// Hash of the entry before it.
    #[n(3)]
    pub previous: Option<EntryHash>,
    /// Hash of the entry that starts the epoch.
    #[n(4)]
    pub epoch: Option<EntryHash>,
    /// Who seals.
    #[n(5)]
    pub sealer: NodeId,
    /// To whom.
    #[n(6)]
    pub recipient: NodeId,
    /// To which of its keys.
    #[n(7)]
    pub key: KeyId,
}

impl SealContext {
    /// The HPKE info.
    pub fn info(&self) -> Vec<u8> {
        cbor::encode(&(
            "maillon/1 seal",
            self.purpose.as_str(),
            self.circle,
            self.number,
            self.previous,
            self.epoch,
            self.sealer,
            self.recipient,
            self.key,
        ))
    }
}

/// What HPKE gives: the encapsulated key and the ciphertext.
#[derive(Debug, Clone, PartialEq, Eq, Encode, Decode)]
#[cbor(array)]
pub struct Sealed {
    /// X-Wing ciphertext, 1120 bytes.
    #[n(0)]
    pub encapsulated: Bytes,
    /// ChaCha20-Poly1305 ciphertext with its tag.
    #[n(1)]
    pub ciphertext: Bytes,
}

/// Seals `secret` to `recipient`, whose key id `context` names.
///
/// # Errors
/// [`SealError::Expired`] or [`SealError::Key`]; nothing is made then.
pub fn seal(
    secret: &[u8],
    recipient: &SealPublic,
    context: &SealContext,
    now_ms: u64,
    rng: &mut impl CryptoRng,
) -> Result<Sealed, SealError> {
    if recipient.expires_ms <= now_ms {
        return Err(SealError::Expired);
    }
    recipient.check().map_err(|_| SealError::Key)?;
    let key = recipient.key().map_err(|_| SealError::Key)?;
    let (encapsulated, ciphertext) = hpke::single_shot_seal_with_rng::<
        ChaCha20Poly1305,
        HkdfSha256,
        XWing,
    >(&OpModeS::Base, &key, &context.info(), secret, b"", rng)
    .map_err(|_| SealError::Key)?;
    Ok(Sealed {
        encapsulated: Bytes(encapsulated.to_bytes().to_vec()),
        ciphertext: Bytes(ciphertext),
    })
}

/// Opens what was sealed to one of `keys` in `context`.
///
/// # Errors
/// [`SealError::OtherKey`] or [`SealError::Open`].
pub fn open(
    sealed: &Sealed,
    keys: &[SealKey],
    context: &SealContext,
) -> Result<Zeroizing<Vec<u8>>, SealError> {
    let key = keys
        .iter()
        .find(|key| key.public().id == context.key)
        .ok_or(SealError::OtherKey)?;
    let encapsulated = <XWing as hpke::Kem>::EncappedKey::from_bytes(&sealed.encapsulated.0)
        .map_err(|_| SealError::Open)?;
    hpke::single_shot_open::<ChaCha20Poly1305, HkdfSha256, XWing>(
        &OpModeR::Base,
        &key.private(),
        &encapsulated,
        &context.info(),
        &sealed.ciphertext.0,
        b"",
    )
    .map(Zeroizing::new)
    .map_err(|_| SealError::Open)
}

#[cfg(test)]
mod tests {
    use rand_chacha::{ChaCha20Rng, rand_core::SeedableRng};

    use super::*;

    fn context(key: &SealKey) -> SealContext {
        SealContext {
            purpose: "epoch".into(),
            circle: Some(CircleId([1; 32])),
            number: 3,
            previous: Some(EntryHash([2; 32])),
            epoch: Some(EntryHash([3; 32])),
            sealer: NodeId([4; 32]),
            recipient: NodeId([5; 32]),
            key: key.public().id,
        }
    }

    #[test]
    fn a_sealed_secret_opens_at_its_recipient_and_at_its_place_only() {
        let mut rng = ChaCha20Rng::seed_from_u64(1);
        let key = SealKey::generate(2_000, &mut rng);
        let context = context(&key);
        let sealed = seal(b"secret", key.public(), &context, 1_000, &mut rng).expect("valid key");
        let keys = [key.clone()];
        assert_eq!(
            open(&sealed, &keys, &context).expect("opens").as_slice(),
            b"secret"
        );

        for moved in [
            SealContext {
                number: 4,
                ..context.clone()
            },
            SealContext {
                sealer: NodeId([9; 32]),
                ..context.clone()
            },
            SealContext {
                circle: None,
                ..context.clone()
            },
        ] {
            assert_eq!(open(&sealed, &keys, &moved).err(), Some(SealError::Open));
        }
        let stranger = [SealKey::generate(2_000, &mut rng)];
        assert_eq!(
            open(&sealed, &stranger, &context).err(),
            Some(SealError::OtherKey)
        );
    }

    #[test]
    fn nobody_seals_to_an_expired_key() {
        let mut rng = ChaCha20Rng::seed_from_u64(1);
        let key = SealKey::generate(2_000, &mut rng);
        let refused = seal(b"secret", key.public(), &context(&key), 2_000, &mut rng);
        assert_eq!(refused.err(), Some(SealError::Expired));
    }
}
