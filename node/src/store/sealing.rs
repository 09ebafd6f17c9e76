//! Sealing of values: what is bound to what is on the module's page.

use std::fmt;

use chacha20poly1305::aead::{Aead, AeadInOut, KeyInit, Payload};
use chacha20poly1305::{XChaCha20Poly1305, XNonce};
use data_encoding::HEXLOWER;
use hkdf::Hkdf;
use sha2::Sha256;
use zeroize::{Zeroize, ZeroizeOnDrop, Zeroizing};

use super::{StoreError, Table};
use crate::random::RandomPool;

/// First byte of every stored value.
const VERSION: u8 = 1;
const NONCE_BYTES: usize = 24;
const TAG_BYTES: usize = 16;

/// How many bytes sealing adds to a value.
pub(super) const OVERHEAD: usize = 1 + NONCE_BYTES + TAG_BYTES;

/// The 32-byte key from which the store's keys are derived. Wiped when dropped, never shown.
#[derive(Clone, Zeroize, ZeroizeOnDrop)]
pub struct StorageKey([u8; 32]);

impl StorageKey {
    /// Takes the key from the keystore.
    #[must_use]
    pub fn new(bytes: &[u8; 32]) -> StorageKey {
        StorageKey(*bytes)
    }

    /// A key for one purpose; none says anything about another.
    pub(super) fn derive(&self, info: &str) -> Zeroizing<[u8; 32]> {
        let mut key = Zeroizing::new([0; 32]);
        Hkdf::<Sha256>::new(None, &self.0)
            .expand(info.as_bytes(), &mut key[..])
            .expect("HKDF-SHA256 gives 32 bytes");
        key
    }
}

impl fmt::Debug for StorageKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("StorageKey(..)")
    }
}

/// Seals and unseals values. Cheap to share; wiped when dropped.
pub(super) struct Sealer {
    cipher: XChaCha20Poly1305,
}

/// A value that does not open.
#[derive(Debug)]
pub(super) struct NotOurs;

impl Sealer {
    pub(super) fn new(key: &StorageKey) -> Sealer {
        let key = key.derive("maillon/1 store value");
        Sealer {
            cipher: XChaCha20Poly1305::new((&*key).into()),
        }
    }

    pub(super) fn seal(
        &self,
        table: &str,
        key: &[u8],
        value: &[u8],
        random: &mut RandomPool,
    ) -> Result<Vec<u8>, StoreError> {
        let mut nonce = [0; NONCE_BYTES];
        random
            .fill(&mut nonce)
            .map_err(|_| StoreError::Randomness)?;
        let mut stored = Vec::with_capacity(value.len() + OVERHEAD);
        stored.push(VERSION);
        stored.extend_from_slice(&nonce);
        let open = stored.len();
        stored.extend_from_slice(value);
        let tag = self
            .cipher
            .encrypt_inout_detached(
                &XNonce::from(nonce),
                &place(table, key),
                (&mut stored[open..]).into(),
            )
            .expect("a value within the limit of a batch can be sealed");
        stored.extend_from_slice(&tag);
        Ok(stored)
    }

    pub(super) fn unseal(
        &self,
        table: &str,
        key: &[u8],
        stored: &[u8],
    ) -> Result<Vec<u8>, NotOurs> {
        let (&VERSION, rest) = stored.split_first().ok_or(NotOurs)? else {
            return Err(NotOurs);
        };
        let (nonce, sealed) = rest.split_first_chunk::<NONCE_BYTES>().ok_or(NotOurs)?;
        let payload = Payload {
            msg: sealed,
            aad: &place(table, key),
        };
        self.cipher
            .decrypt(&XNonce::from(*nonce), payload)
            .map_err(|_| NotOurs)
    }

    /// [`Sealer::unseal`] for a caller that asked for this row.
    pub(super) fn read(
        &self,
        table: Table,
        key: &[u8],
        stored: &[u8],
    ) -> Result<Vec<u8>, StoreError> {
        self.unseal(table.name(), key, stored)
            .map_err(|NotOurs| StoreError::Damaged {
                table,
                row: row_name(key),
            })
    }
}

/// Where a value stands. A table's name has no 0x00, so that two places never read the same.
fn place(table: &str, key: &[u8]) -> Vec<u8> {
    let mut place = Vec::with_capacity(table.len() + 1 + key.len());
    place.extend_from_slice(table.as_bytes());
    place.push(0);
    place.extend_from_slice(key);
    place
}

/// The beginning of a row's key, in hexadecimal: enough to quote to support.
pub(super) fn row_name(key: &[u8]) -> String {
    HEXLOWER.encode(&key[..key.len().min(32)])
}
