//! Records: a signed header, clear to members, and a sealed body.
//!
//! The header covers the body's *ciphertext*: a body can be erased and the chain still verifies. Every body has its own key, bound to circle,
//! epoch, log, sequence and a salt made of fresh randomness and the plaintext, so that even a cloned machine cannot seal two
//! contents under one key. [`log`] says what a header must be to extend a log.

mod body;
mod header;
pub mod log;

pub(crate) use body::belongs;
pub use body::{BodyError, open, pad, unpad};
pub use header::{Header, OlderLog, Previous};

use rand_core::CryptoRng;

use crate::{
    charter::EpochSecret,
    ids::{RecordId, Token},
    keys::NodeKey,
    limits::LimitError,
    sign::{self, Verified},
};

/// A record as it is kept and sent: both parts sealed or signed, neither readable without the epoch's secret.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Record {
    /// Verified header.
    pub header: Verified<Header>,
    /// COSE_Encrypt0 bytes; none where only the header is held.
    pub body: Option<Vec<u8>>,
}

impl Record {
    /// The record's name.
    pub const fn id(&self) -> RecordId {
        RecordId(self.header.id)
    }
}

/// Writes a record: seals `content` and signs the header. `salt`, body hash and length of `header` are filled in here.
///
/// # Errors
/// [`LimitError`] where the body would be too long.
pub fn write(
    mut header: Header,
    secret: &EpochSecret,
    content: &[u8],
    key: &NodeKey,
    rng: &mut impl CryptoRng,
) -> Result<Record, LimitError> {
    let mut fresh = [0; 32];
    rng.fill_bytes(&mut fresh);
    let body = body::seal(&mut header, secret, content, &fresh)?;
    Ok(Record {
        header: sign::sign(header, key),
        body: Some(body),
    })
}

/// A random mark of sixteen bytes.
pub fn random_token(rng: &mut impl CryptoRng) -> Token {
    let mut bytes = [0; 16];
    rng.fill_bytes(&mut bytes);
    Token(bytes)
}
