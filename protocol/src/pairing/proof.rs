//! Every derivation of the pairing, in one place: commitment, proof, transcript, confirmation, words.
//!
//! | what | how |
//! |---|---|
//! | commitment | SHA-256(`maillon/1 pairing commitment` ‖ 0 ‖ inviter's nonce) |
//! | proof key | HKDF-SHA256, no salt, the secret, info `["maillon/1 pairing", "proof", invitation id, inviter]`, 32 bytes |
//! | proof | HMAC-SHA256(proof key, `["maillon/1 pairing proof", role, inviter, accepter, inviter's descriptor id, accepter's descriptor id, inviter's nonce, accepter's nonce]`) |
//! | transcript | SHA-256(`maillon/1 pairing transcript` ‖ 0 ‖ `[invitation id, inviter, accepter]` ‖ the six messages as sent, in order) |
//! | words | the transcript's first 55 bits, five times eleven, most significant first, in the French list of BIP-39 |
//! | confirmation key | HKDF-SHA256, no salt, the secret, info `["maillon/1 pairing", "confirm", transcript]`, 32 bytes |
//! | confirmation | HMAC-SHA256(confirmation key, `["maillon/1 pairing confirm", role, transcript, seen]`) |
//!
//! Arrays are deterministic CBOR; role is 0 for the inviter and 1 for the accepter, always that of the sender.

use bip39::Language;
use hkdf::Hkdf;
use hmac::{Hmac, KeyInit, Mac};
use minicbor::{Decode, Encode, bytes::ByteArray};
use sha2::{Digest, Sha256};
use subtle::ConstantTimeEq;

use super::{Message, Secret};
use crate::{
    cbor,
    ids::{Hash, NodeId, PairingId, hash_in},
};

/// Which side of the pairing a node is on.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Encode, Decode)]
#[cbor(index_only)]
pub enum Role {
    /// Made the invitation.
    #[n(0)]
    Inviter,
    /// Dials.
    #[n(1)]
    Accepter,
}

impl Role {
    /// The other one.
    pub const fn other(self) -> Self {
        match self {
            Self::Inviter => Self::Accepter,
            Self::Accepter => Self::Inviter,
        }
    }
}

/// Binds the inviter to its nonce before it knows the accepter's.
pub fn commitment(nonce: &[u8; 32]) -> Hash {
    Hash(hash_in("maillon/1 pairing commitment", nonce))
}

/// Everything that a proof speaks of.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Exchange {
    pub(super) invitation: PairingId,
    pub(super) inviter: NodeId,
    pub(super) accepter: NodeId,
    pub(super) inviter_descriptor: Hash,
    pub(super) accepter_descriptor: Hash,
    pub(super) inviter_nonce: [u8; 32],
    pub(super) accepter_nonce: [u8; 32],
}

impl Exchange {
    /// The proof of the side `role`.
    pub(super) fn proof(&self, secret: &Secret<16>, role: Role) -> ByteArray<32> {
        let key = derive(
            secret,
            &cbor::encode(&("maillon/1 pairing", "proof", self.invitation, self.inviter)),
        );
        let input = cbor::encode(&(
            "maillon/1 pairing proof",
            role,
            self.inviter,
            self.accepter,
            self.inviter_descriptor,
            self.accepter_descriptor,
            Hash(self.inviter_nonce),
            Hash(self.accepter_nonce),
        ));
        hmac(&key, &input)
    }
}

/// Compares two codes in constant time.
pub(super) fn same(ours: &ByteArray<32>, theirs: &ByteArray<32>) -> bool {
    ours.as_slice().ct_eq(theirs.as_slice()).into()
}

/// Hashes the six messages of an exchange as they are sent.
#[derive(Debug, Clone)]
pub(super) struct Transcript(Sha256);

impl Transcript {
    pub(super) fn new(invitation: PairingId, inviter: NodeId, accepter: NodeId) -> Self {
        Self(
            Sha256::new()
                .chain_update("maillon/1 pairing transcript")
                .chain_update([0])
                .chain_update(cbor::encode(&(invitation, inviter, accepter))),
        )
    }

    pub(super) fn add(&mut self, message: &Message) {
        self.0.update(message.to_bytes());
    }

    pub(super) fn finish(self) -> Hash {
        Hash(self.0.finalize().into())
    }
}

/// The key under which both sides confirm this transcript, and no other.
pub(super) fn confirmation_key(secret: &Secret<16>, transcript: Hash) -> Secret<32> {
    derive(
        secret,
        &cbor::encode(&("maillon/1 pairing", "confirm", transcript)),
    )
}

/// The confirmation of the side `role`.
pub(super) fn confirmation(
    key: &Secret<32>,
    role: Role,
    transcript: Hash,
    seen: bool,
) -> ByteArray<32> {
    let input = cbor::encode(&("maillon/1 pairing confirm", role, transcript, seen));
    hmac(key, &input)
}

fn derive(secret: &Secret<16>, info: &[u8]) -> Secret<32> {
    Secret::filled_by(|key| {
        Hkdf::<Sha256>::new(None, secret.expose())
            .expand(info, key)
            .expect("32 bytes are within HKDF-SHA256's 8160");
    })
}

fn hmac(key: &Secret<32>, input: &[u8]) -> ByteArray<32> {
    let mut mac =
        Hmac::<Sha256>::new_from_slice(key.expose()).expect("HMAC takes keys of every length");
    mac.update(input);
    let code: [u8; 32] = mac.finalize().into_bytes().into();
    code.into()
}

/// The fingerprint of an exchange: five French words, 55 bits, the same on both sides if nobody stands in between.
///
/// Words are printed as the list has them: accents are separate characters (Unicode form NFD).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct Words([&'static str; 5]);

impl Words {
    /// The words of a transcript.
    pub fn of(transcript: &Hash) -> Self {
        let list = Language::French.word_list();
        let head = transcript.0[..8]
            .iter()
            .fold(0_u64, |bits, byte| (bits << 8) | u64::from(*byte));
        Self(std::array::from_fn(|place| {
            let word = (head >> (64 - 11 * (place + 1))) & 0x7ff;
            list[usize::try_from(word).expect("eleven bits")]
        }))
    }

    /// The five words, in the order in which they are read.
    pub const fn words(&self) -> [&'static str; 5] {
        self.0
    }
}

impl std::fmt::Display for Words {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(&self.0.join(" "))
    }
}
