//! Row keys that say nothing: keyed hashes, with a sequence number where rows have an order.

use std::fmt;

use hmac::{Hmac, KeyInit, Mac};
use sha2::Sha256;

use super::StorageKey;

/// Turns facts into names that only this node can make (HMAC-SHA256 under a key of its own, first 16 bytes).
///
/// Without the storage key, nobody can try a list of INS numbers or names against the keys on the disk.
#[derive(Clone)]
pub struct Namer {
    mac: Hmac<Sha256>,
}

impl Namer {
    pub(super) fn new(key: &StorageKey) -> Namer {
        let key = key.derive("maillon/1 store names");
        Namer {
            mac: Hmac::new_from_slice(&key[..]).expect("HMAC takes a key of any length"),
        }
    }

    /// The name of the thing that `parts` tell, among those of `domain`. The same facts give the same name, for as
    /// long as the storage key is the same; other domains, or the same bytes cut into other parts, give another.
    #[must_use]
    pub fn name(&self, domain: &'static str, parts: &[&[u8]]) -> [u8; 16] {
        let mut mac = self.mac.clone();
        for part in std::iter::once(domain.as_bytes()).chain(parts.iter().copied()) {
            mac.update(&(part.len() as u64).to_be_bytes());
            mac.update(part);
        }
        let whole: [u8; 32] = mac.finalize().into_bytes().into();
        let mut name = [0; 16];
        name.copy_from_slice(&whole[..16]);
        name
    }
}

impl fmt::Debug for Namer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Namer(..)")
    }
}

/// The key `prefix ‖ sequence`, big-endian, so that rows under a prefix stand in the order of their sequence.
#[must_use]
pub fn row_key(prefix: &[u8], sequence: u64) -> Vec<u8> {
    let mut key = Vec::with_capacity(prefix.len() + 8);
    key.extend_from_slice(prefix);
    key.extend_from_slice(&sequence.to_be_bytes());
    key
}

/// The sequence at the end of a key that [`row_key`] made; `None` for a key that is too short to have one.
#[must_use]
pub fn sequence_of(key: &[u8]) -> Option<u64> {
    key.last_chunk().map(|bytes| u64::from_be_bytes(*bytes))
}
