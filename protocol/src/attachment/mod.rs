//! Attachments: files of a record, sealed in chunks under a key of their own.
//!
//! A file is sealed once, by the node that adds it. Its key stands in the body of the record that names it
//! ([`AttachmentRef`](crate::content::AttachmentRef)), so whoever reads the record opens the file; everybody else who holds or carries the chunks has
//! bytes. The address is the hash of the whole ciphertext.
//!
//! ```text
//!   plaintext    │ 64 KiB │ 64 KiB │ … │ the rest, 1 byte to 64 KiB; nothing only where the file is empty │
//!   sealed chunk   ChaCha20-Poly1305(key, nonce, aad, its part of the plaintext), 16 bytes longer
//!   nonce          00 00 00 ‖ number, 8 bytes, big-endian, from 0 ‖ 01 for the last chunk, 00 for the others
//!   aad            ["maillon/1 attachment"]
//!   address        SHA-256(all sealed chunks, one after the other)
//! ```
//!
//! # What it promises
//!
//! - A chunk opens in its place only: changed, moved, left out or added ones are seen at that chunk, and a file that was cut off at its end is
//!   seen because its last chunk is not marked as last.
//! - [`Sealer`] and [`Opener`] hold one chunk of plaintext at a time; [`Address`] can be written down in the middle and taken up again, so that
//!   neither sealing, nor fetching, nor opening ever needs the whole file in memory.
//! - One key seals one file: [`Sealer::new`] draws it and nothing else can be given.
//!
//! # What it does not
//!
//! The ciphertext's length tells the plaintext's. Who has the key can seal other chunks under it: the address, which stands in the signed
//! record, tells them apart, and only at the end; so does the plaintext's SHA-256.

mod address;
mod open;
mod seal;
#[cfg(test)]
mod tests;

pub use address::Address;
pub use open::{Opener, open_chunk};
pub use seal::{Named, Sealer};

use crate::{
    cbor,
    limits::{self, LimitError},
};

/// Bytes that sealing adds to a chunk.
pub const OVERHEAD: usize = 16;

/// Why an attachment is not sealed, or not what its record says.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum AttachmentError {
    /// More than [`limits::ATTACHMENT`], said or found.
    #[error(transparent)]
    Limit(#[from] LimitError),
    /// The key in the record is no key.
    #[error("the attachment's key has {0} bytes instead of 32")]
    Key(usize),
    /// The bytes end before the last chunk does.
    #[error("the attachment ends in chunk {chunk}, before its end")]
    Truncated {
        /// The chunk that is missing or too short, from 0.
        chunk: u64,
    },
    /// There is more than the record says.
    #[error("the attachment is longer than its record says: chunk {chunk}")]
    Longer {
        /// The chunk that is too long, or one too many; from 0.
        chunk: u64,
    },
    /// A chunk of this attachment stands in another one's place.
    #[error("chunk {found} of the attachment stands in the place of chunk {chunk}")]
    Reordered {
        /// The place, from 0.
        chunk: u64,
        /// The chunk that stands there.
        found: u64,
    },
    /// Another key's chunk, or a changed one: the two cannot be told apart.
    #[error(
        "chunk {chunk} of the attachment does not open under its key: it was changed, or the key is another one"
    )]
    Chunk {
        /// The place, from 0.
        chunk: u64,
    },
    /// The ciphertext is not the one that the record names.
    #[error("the attachment's bytes are not those that its address names")]
    Address,
    /// The plaintext is not the one that the record names.
    #[error("the attachment opens to another file than its record says")]
    Plaintext,
}

/// How a plaintext of some length is cut.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Shape {
    length: u64,
}

impl Shape {
    /// For a plaintext of `length` bytes.
    ///
    /// # Errors
    /// [`AttachmentError::Limit`].
    pub fn of(length: u64) -> Result<Self, AttachmentError> {
        limits::within("an attachment in bytes", length, limits::ATTACHMENT)?;
        Ok(Self { length })
    }

    /// How many chunks; one at least.
    pub const fn chunks(&self) -> u64 {
        let chunks = self.length.div_ceil(limits::CHUNK as u64);
        if chunks == 0 { 1 } else { chunks }
    }

    /// Whether this chunk is the last one.
    pub const fn is_last(&self, chunk: u64) -> bool {
        chunk + 1 == self.chunks()
    }

    /// Bytes of a sealed chunk; `None` for one that there is not.
    pub fn sealed(&self, chunk: u64) -> Option<usize> {
        let before = chunk.checked_mul(limits::CHUNK as u64)?;
        if chunk >= self.chunks() {
            return None;
        }
        let plain = (self.length - before).min(limits::CHUNK as u64);
        Some(usize::try_from(plain).ok()? + OVERHEAD)
    }

    /// Checks the length of a sealed chunk.
    ///
    /// # Errors
    /// [`AttachmentError::Longer`], [`AttachmentError::Truncated`].
    pub fn check(&self, chunk: u64, sealed: &[u8]) -> Result<(), AttachmentError> {
        match self.sealed(chunk) {
            None => Err(AttachmentError::Longer { chunk }),
            Some(length) if sealed.len() > length => Err(AttachmentError::Longer { chunk }),
            Some(length) if sealed.len() < length => Err(AttachmentError::Truncated { chunk }),
            Some(_) => Ok(()),
        }
    }
}

/// Three zero bytes, the chunk's number, the mark of the last one.
fn nonce(chunk: u64, last: bool) -> [u8; 12] {
    let mut nonce = [0; 12];
    nonce[3..11].copy_from_slice(&chunk.to_be_bytes());
    nonce[11] = u8::from(last);
    nonce
}

fn additional() -> Vec<u8> {
    cbor::encode(&["maillon/1 attachment"])
}
