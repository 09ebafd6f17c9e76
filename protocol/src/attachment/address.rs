//! The hash of the ciphertext, as far as it has come.

use sha2::{
    Digest, Sha256,
    digest::common::hazmat::{SerializableState, SerializedState},
};

use crate::ids::Hash;

/// The address in the making: chunks are added in order, and what has been added can be written down and taken up again after a restart.
#[derive(Debug, Clone, Default)]
pub struct Address(Sha256);

impl Address {
    /// Of no chunks yet.
    pub fn new() -> Self {
        Self::default()
    }

    /// Adds the next sealed chunk.
    pub fn add(&mut self, sealed: &[u8]) {
        self.0.update(sealed);
    }

    /// The address of what was added.
    pub fn finish(self) -> Hash {
        Hash(self.0.finalize().into())
    }

    /// What to write down.
    pub fn save(&self) -> Vec<u8> {
        self.0.serialize().to_vec()
    }

    /// From what was written down; `None` where it was not written by [`Self::save`].
    pub fn resume(saved: &[u8]) -> Option<Self> {
        let state = SerializedState::<Sha256>::try_from(saved).ok()?;
        Sha256::deserialize(&state).ok().map(Self)
    }
}
