//! Documents, their sealed bytes, and who has read what.

use minicbor::{Decode, Encode};
use serde::{Deserialize, Serialize};
use zeroize::Zeroize;

use super::Code;
use crate::{cbor::Bytes, ids::Hash};

/// Where an attachment's bytes are and how they open. Stands inside a sealed body: whoever reads the record reads the attachment.
#[derive(Clone, PartialEq, Eq, Encode, Decode, Serialize, Deserialize)]
#[cbor(array)]
pub struct AttachmentRef {
    /// SHA-256 of the whole ciphertext: its address.
    #[n(0)]
    pub address: Hash,
    /// Its own random key, 32 bytes.
    #[n(1)]
    #[serde(skip, default)]
    pub key: Bytes,
    /// Length of the plaintext in bytes.
    #[n(2)]
    pub length: u64,
    /// SHA-256 of the plaintext.
    #[n(3)]
    pub plaintext_hash: Hash,
    /// Media type, such as `application/pdf`.
    #[n(4)]
    pub media_type: String,
    /// File name as shown.
    #[n(5)]
    pub name: String,
}

impl Drop for AttachmentRef {
    fn drop(&mut self) {
        self.key.0.zeroize();
    }
}

impl std::fmt::Debug for AttachmentRef {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(
            f,
            "AttachmentRef({:?}, {} bytes)",
            self.address, self.length
        )
    }
}

/// A document of the file.
#[derive(Debug, Clone, PartialEq, Eq, Encode, Decode, Serialize, Deserialize)]
#[cbor(array)]
pub struct Document {
    /// Its title.
    #[n(0)]
    pub title: String,
    /// Its kind (JDV_J07; `ehealth.md`, section 7).
    #[n(1)]
    pub type_code: Option<Code>,
    /// Confidentiality (JDV_J08); none means normal.
    #[n(2)]
    pub confidentiality: Vec<Code>,
    /// Its bytes; several where it has several files.
    #[n(3)]
    pub attachments: Vec<AttachmentRef>,
    /// The reason why it is withdrawn; empty while it stands.
    #[n(4)]
    pub withdrawn: String,
}

/// Somebody of the writing node's structure has read the parent thing.
#[derive(Debug, Clone, PartialEq, Eq, Encode, Decode, Serialize, Deserialize)]
#[cbor(array)]
pub struct ReadMark {
    /// When, Unix milliseconds.
    #[n(0)]
    pub read_ms: u64,
}
