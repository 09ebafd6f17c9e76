//! From sealed chunks to the file.

use chacha20poly1305::{
    ChaCha20Poly1305, KeyInit,
    aead::{Aead, Payload},
};
use sha2::{Digest, Sha256};
use zeroize::Zeroizing;

use super::{Address, AttachmentError, Shape, additional, nonce};
use crate::{content::AttachmentRef, ids::Hash};

fn cipher(key: &[u8]) -> Result<ChaCha20Poly1305, AttachmentError> {
    ChaCha20Poly1305::new_from_slice(key).map_err(|_| AttachmentError::Key(key.len()))
}

fn open(
    cipher: &ChaCha20Poly1305,
    shape: &Shape,
    chunk: u64,
    sealed: &[u8],
) -> Option<Zeroizing<Vec<u8>>> {
    let payload = Payload {
        msg: sealed,
        aad: &additional(),
    };
    cipher
        .decrypt(&nonce(chunk, shape.is_last(chunk)).into(), payload)
        .map(Zeroizing::new)
        .ok()
}

/// Opens one chunk, from 0, of an attachment of `length` bytes, wherever in the file it stands.
///
/// # Errors
/// Every [`AttachmentError`] but those that show at the end only.
pub fn open_chunk(
    key: &[u8],
    length: u64,
    chunk: u64,
    sealed: &[u8],
) -> Result<Zeroizing<Vec<u8>>, AttachmentError> {
    let shape = Shape::of(length)?;
    let cipher = cipher(key)?;
    open_with(&cipher, &shape, chunk, sealed)
}

fn open_with(
    cipher: &ChaCha20Poly1305,
    shape: &Shape,
    chunk: u64,
    sealed: &[u8],
) -> Result<Zeroizing<Vec<u8>>, AttachmentError> {
    // Before the length: a chunk that stands in another one's place says more than its length does.
    if let Some(plain) = open(cipher, shape, chunk, sealed) {
        shape.check(chunk, sealed)?;
        return Ok(plain);
    }
    let other = (0..shape.chunks())
        .filter(|other| *other != chunk && shape.sealed(*other) == Some(sealed.len()))
        .find(|other| open(cipher, shape, *other, sealed).is_some());
    if let Some(found) = other {
        return Err(AttachmentError::Reordered { chunk, found });
    }
    shape.check(chunk, sealed)?;
    Err(AttachmentError::Chunk { chunk })
}

/// Opens a file chunk by chunk, and checks at its end that it is the one which the record names. Until [`Self::finish`] has said so, what was opened
/// is not the file.
pub struct Opener {
    cipher: ChaCha20Poly1305,
    shape: Shape,
    chunk: u64,
    address: Address,
    plaintext: Sha256,
    expected: (Hash, Hash),
}

impl Opener {
    /// For the file that a record names.
    ///
    /// # Errors
    /// [`AttachmentError::Limit`], [`AttachmentError::Key`].
    pub fn new(named: &AttachmentRef) -> Result<Self, AttachmentError> {
        Ok(Self {
            shape: Shape::of(named.length)?,
            cipher: cipher(&named.key.0)?,
            chunk: 0,
            address: Address::new(),
            plaintext: Sha256::new(),
            expected: (named.address, named.plaintext_hash),
        })
    }

    /// Opens the next chunk.
    ///
    /// # Errors
    /// [`AttachmentError`].
    pub fn open(&mut self, sealed: &[u8]) -> Result<Zeroizing<Vec<u8>>, AttachmentError> {
        if self.chunk >= self.shape.chunks() {
            return Err(AttachmentError::Longer { chunk: self.chunk });
        }
        let plain = open_with(&self.cipher, &self.shape, self.chunk, sealed)?;
        self.address.add(sealed);
        self.plaintext.update(&plain);
        self.chunk += 1;
        Ok(plain)
    }

    /// Whether this was the file.
    ///
    /// # Errors
    /// [`AttachmentError::Truncated`], [`AttachmentError::Address`], [`AttachmentError::Plaintext`].
    pub fn finish(self) -> Result<(), AttachmentError> {
        if self.chunk < self.shape.chunks() {
            return Err(AttachmentError::Truncated { chunk: self.chunk });
        }
        if self.address.finish() != self.expected.0 {
            return Err(AttachmentError::Address);
        }
        if Hash(self.plaintext.finalize().into()) != self.expected.1 {
            return Err(AttachmentError::Plaintext);
        }
        Ok(())
    }
}
