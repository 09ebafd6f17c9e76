//! From a file to sealed chunks.

use chacha20poly1305::{
    ChaCha20Poly1305, KeyInit,
    aead::{Aead, Payload},
};
use rand_core::CryptoRng;
use sha2::{Digest, Sha256};
use zeroize::{Zeroize, Zeroizing};

use super::{Address, AttachmentError, additional, nonce};
use crate::{
    cbor::Bytes,
    content::AttachmentRef,
    ids::Hash,
    limits::{self, LimitError},
};

/// What people know a file by.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Named {
    /// Media type, such as `application/pdf`.
    pub media_type: String,
    /// File name as shown.
    pub name: String,
}

/// Seals a file as its bytes come. Holds one chunk of plaintext.
pub struct Sealer {
    key: Zeroizing<[u8; 32]>,
    cipher: ChaCha20Poly1305,
    waiting: Zeroizing<Vec<u8>>,
    chunk: u64,
    length: u64,
    plaintext: Sha256,
    address: Address,
}

impl Sealer {
    /// With a fresh key.
    pub fn new(rng: &mut impl CryptoRng) -> Self {
        let mut key = Zeroizing::new([0; 32]);
        rng.fill_bytes(&mut *key);
        Self {
            cipher: ChaCha20Poly1305::new((&*key).into()),
            key,
            waiting: Zeroizing::new(Vec::with_capacity(limits::CHUNK)),
            chunk: 0,
            length: 0,
            plaintext: Sha256::new(),
            address: Address::new(),
        }
    }

    /// Takes the next bytes of the file; sealed chunks go to `out` as they are full.
    ///
    /// # Errors
    /// [`AttachmentError::Limit`] over [`limits::ATTACHMENT`]; the sealer is of no more use then.
    pub fn add(
        &mut self,
        mut bytes: &[u8],
        out: &mut dyn FnMut(Vec<u8>),
    ) -> Result<(), AttachmentError> {
        let length = self.length.saturating_add(bytes.len() as u64);
        limits::within("an attachment in bytes", length, limits::ATTACHMENT)?;
        self.length = length;
        self.plaintext.update(bytes);
        while !bytes.is_empty() {
            // A full chunk waits for one more byte: until then it may be the last.
            if self.waiting.len() == limits::CHUNK {
                out(self.seal(false)?);
            }
            let count = bytes.len().min(limits::CHUNK - self.waiting.len());
            let (now, rest) = bytes.split_at(count);
            self.waiting.extend_from_slice(now);
            bytes = rest;
        }
        Ok(())
    }

    /// The file's end: the last chunk goes to `out`; what a record says of the file.
    ///
    /// # Errors
    /// None that a caller can bring about.
    pub fn finish(
        mut self,
        named: Named,
        out: &mut dyn FnMut(Vec<u8>),
    ) -> Result<AttachmentRef, AttachmentError> {
        out(self.seal(true)?);
        Ok(AttachmentRef {
            address: self.address.finish(),
            key: Bytes(self.key.to_vec()),
            length: self.length,
            plaintext_hash: Hash(self.plaintext.finalize().into()),
            media_type: named.media_type,
            name: named.name,
        })
    }

    fn seal(&mut self, last: bool) -> Result<Vec<u8>, AttachmentError> {
        let payload = Payload {
            msg: &self.waiting,
            aad: &additional(),
        };
        let sealed = self
            .cipher
            .encrypt(&nonce(self.chunk, last).into(), payload)
            .map_err(|_| LimitError {
                what: "a chunk of an attachment in bytes",
                limit: limits::CHUNK as u64,
                found: self.waiting.len() as u64,
            })?;
        self.address.add(&sealed);
        self.waiting.zeroize();
        self.chunk += 1;
        Ok(sealed)
    }
}
