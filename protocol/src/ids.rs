//! Names of things: opaque, typed, printable.
//!
//! No id derives from a person. A [`NodeId`] is a public key, a [`CircleId`], an [`EntryHash`] and a [`RecordId`] are hashes of signed
//! bytes, a [`ThingId`] and an [`Incarnation`] are random.

use std::{fmt, str::FromStr};

use data_encoding::HEXLOWER;
use minicbor::{Decode, Encode};
use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};

/// Why a text is no id.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum IdError {
    /// Wrong alphabet or length.
    #[error("a {kind} is {digits} hexadecimal digits")]
    Hex {
        /// What was expected.
        kind: &'static str,
        /// How many digits it has.
        digits: usize,
    },
    /// Not the text of an Ed25519 PeerId.
    #[error("a node's name is an Ed25519 PeerId and starts with 12D3KooW")]
    PeerId,
}

macro_rules! opaque {
    ($(#[$doc:meta])* $name:ident, $len:literal) => {
        $(#[$doc])*
        #[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
        pub struct $name(pub [u8; $len]);

        impl $name {
            /// Length in bytes.
            pub const LEN: usize = $len;

            /// The bytes.
            pub const fn as_bytes(&self) -> &[u8; $len] {
                &self.0
            }
        }

        impl AsRef<[u8]> for $name {
            fn as_ref(&self) -> &[u8] {
                &self.0
            }
        }

        impl<C> Encode<C> for $name {
            fn encode<W: minicbor::encode::Write>(
                &self,
                encoder: &mut minicbor::Encoder<W>,
                _: &mut C,
            ) -> Result<(), minicbor::encode::Error<W::Error>> {
                encoder.bytes(&self.0)?.ok()
            }
        }

        impl<'b, C> Decode<'b, C> for $name {
            fn decode(
                decoder: &mut minicbor::Decoder<'b>,
                _: &mut C,
            ) -> Result<Self, minicbor::decode::Error> {
                let bytes = decoder.bytes()?;
                bytes.try_into().map(Self).map_err(|_| {
                    minicbor::decode::Error::message(concat!(stringify!($name), " has another length"))
                })
            }
        }

        impl TryFrom<&[u8]> for $name {
            type Error = IdError;
            fn try_from(bytes: &[u8]) -> Result<Self, IdError> {
                bytes.try_into().map(Self).map_err(|_| IdError::Hex { kind: stringify!($name), digits: 2 * $len })
            }
        }

        impl Serialize for $name {
            fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
                serializer.collect_str(self)
            }
        }

        impl<'de> Deserialize<'de> for $name {
            fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
                let text = String::deserialize(deserializer)?;
                text.parse().map_err(serde::de::Error::custom)
            }
        }
    };
}

macro_rules! hex_text {
    ($name:ident) => {
        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str(&HEXLOWER.encode(&self.0))
            }
        }

        impl fmt::Debug for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                write!(
                    f,
                    "{}({})",
                    stringify!($name),
                    &HEXLOWER.encode(&self.0)[..8]
                )
            }
        }

        impl FromStr for $name {
            type Err = IdError;
            fn from_str(text: &str) -> Result<Self, IdError> {
                let wrong = IdError::Hex {
                    kind: stringify!($name),
                    digits: 2 * Self::LEN,
                };
                let bytes = HEXLOWER
                    .decode(text.as_bytes())
                    .map_err(|_| wrong.clone())?;
                bytes.try_into().map(Self).map_err(|_| wrong)
            }
        }

        impl $name {
            /// The first twelve digits: enough for a person to compare, and what logs print.
            pub fn short(&self) -> String {
                self.to_string().chars().take(12).collect()
            }
        }
    };
}

opaque!(
    /// A node: its Ed25519 public key. Printed as the libp2p PeerId of that key.
    NodeId, 32
);
opaque!(
    /// A circle: the hash of its founding entry.
    CircleId, 32
);
opaque!(
    /// A charter entry: the hash of its signed bytes.
    EntryHash, 32
);
opaque!(
    /// A record: the hash of its header's signed bytes.
    RecordId, 32
);
opaque!(
    /// An invitation: the hash of its signed bytes.
    InvitationId, 32
);
opaque!(
    /// An invitation to peer, between two administrators. Random, not secret.
    PairingId, 16
);
opaque!(
    /// Any other SHA-256.
    Hash, 32
);
opaque!(
    /// What a record is about: one note, one alert, one person's place in the team. Random.
    ThingId, 16
);
opaque!(
    /// One life of a node's log in its circles: random, new after every restore.
    Incarnation, 16
);
opaque!(
    /// A receive key: the first eight bytes of the SHA-256 of the X-Wing public key.
    KeyId, 8
);
opaque!(
    /// The mark that a finished exchange leaves in both databases. Random.
    Token, 16
);

hex_text!(CircleId);
hex_text!(EntryHash);
hex_text!(RecordId);
hex_text!(InvitationId);
hex_text!(PairingId);
hex_text!(Hash);
hex_text!(ThingId);
hex_text!(Incarnation);
hex_text!(KeyId);
hex_text!(Token);

/// The multihash of an Ed25519 key in libp2p's protobuf form: identity hash (0x00), 36 bytes, field 1 (type) = 1, field 2 (key), 32 bytes.
/// Source: libp2p peer-id specification.
const PEER_ID_PREFIX: [u8; 6] = [0x00, 0x24, 0x08, 0x01, 0x12, 0x20];

impl NodeId {
    /// The bytes of the libp2p PeerId of this key.
    pub fn peer_id_bytes(&self) -> Vec<u8> {
        let mut bytes = PEER_ID_PREFIX.to_vec();
        bytes.extend_from_slice(&self.0);
        bytes
    }

    /// Reads the bytes of a libp2p PeerId.
    ///
    /// # Errors
    /// [`IdError::PeerId`] where it is not that of an Ed25519 key.
    pub fn from_peer_id_bytes(bytes: &[u8]) -> Result<Self, IdError> {
        let key = bytes.strip_prefix(&PEER_ID_PREFIX).ok_or(IdError::PeerId)?;
        key.try_into().map(Self).map_err(|_| IdError::PeerId)
    }

    /// The last eight characters of the PeerId: the first ones are the same for every node.
    pub fn short(&self) -> String {
        let text = self.to_string();
        text[text.len() - 8..].to_owned()
    }
}

impl fmt::Display for NodeId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&bs58::encode(self.peer_id_bytes()).into_string())
    }
}

impl fmt::Debug for NodeId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "NodeId(…{})", self.short())
    }
}

impl FromStr for NodeId {
    type Err = IdError;
    fn from_str(text: &str) -> Result<Self, IdError> {
        let bytes = bs58::decode(text).into_vec().map_err(|_| IdError::PeerId)?;
        Self::from_peer_id_bytes(&bytes)
    }
}

/// A log: one node's chain of records in one circle, in one incarnation.
#[derive(
    Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Encode, Decode, Serialize, Deserialize,
)]
#[cbor(array)]
pub struct LogId {
    /// Who writes it.
    #[n(0)]
    pub node: NodeId,
    /// In which life.
    #[n(1)]
    pub incarnation: Incarnation,
}

/// SHA-256 over a domain string, a zero byte and `bytes`.
pub(crate) fn hash_in(domain: &str, bytes: &[u8]) -> [u8; 32] {
    let mut hash = Sha256::new();
    hash.update(domain.as_bytes());
    hash.update([0]);
    hash.update(bytes);
    hash.finalize().into()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_node_is_printed_as_its_peer_id_and_read_back() {
        let node = NodeId([7; 32]);
        let text = node.to_string();
        assert!(text.starts_with("12D3KooW"), "{text}");
        assert_eq!(text.parse(), Ok(node));
        assert_eq!("12D3KooWshort".parse::<NodeId>(), Err(IdError::PeerId));
    }

    #[test]
    fn an_id_of_another_length_is_refused() {
        assert!("abcd".parse::<CircleId>().is_err());
        let circle = CircleId([0xab; 32]);
        assert_eq!(circle.to_string().parse(), Ok(circle));
    }
}
