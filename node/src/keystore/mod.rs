//! The node's secrets: one small file, sealed; in the clear they live in memory only.
//!
//! # What it holds
//!
//! The [`Secrets`]: the seed of the identity that signs, the storage key under which the database is sealed, the
//! private keys under which others seal to this node, and the fingerprint of the offline recovery key (whose private
//! half is on paper, never here).
//!
//! # What it promises
//!
//! - The file `keystore` opens with a passphrase (Argon2id, RFC 9106) or with a key file of 32 random bytes, which may
//!   be a systemd credential. Without it, the file says only how it is to be opened and, by its length, how many
//!   receive keys it holds.
//! - A crash while saving leaves the old keystore or the new one, whole.
//! - A wrong passphrase changes nothing. A damaged file is told from a wrong passphrase, before any attempt to
//!   unseal it. A file of a newer version is refused.
//! - Secrets are wiped from memory when dropped, and no `Debug` shows them.
//!
//! # What it does not
//!
//! It cannot help a machine whose administrator is hostile or whose memory is read while the node runs. It does not
//! lock its pages into memory: swap should be encrypted or off, and core dumps off (the systemd unit does so). The
//! checksum finds accidents, not attackers: whoever can write this file can make it unusable, but cannot choose what
//! it opens to.
//!
//! # Layout of the file, version 1
//!
//! | bytes | what |
//! |---|---|
//! | 8 | `MAILLONK` |
//! | 2 | version, big-endian |
//! | 2 | length of the next field, big-endian |
//! | … | how to unlock, CBOR: `[1, salt, memory KiB, passes, lanes, nonce]` (passphrase) or `[2, salt, nonce]` (key file) |
//! | … | the payload sealed with XChaCha20-Poly1305; everything before it is associated data |
//! | 32 | SHA-256 of everything before, in this and every later version |

mod error;
mod file;
mod payload;
mod secrets;
#[cfg(test)]
mod tests;
mod unlock;

use std::fmt;
use std::path::{Path, PathBuf};

pub use error::{KeyFileFault, KeystoreError};
pub use secrets::{ReceiveKey, Secret, Secrets};
pub use unlock::{Cost, Passphrase, Unlock, UnlockKind, create_key_file};

use unlock::Lock;

/// Name of the file in the data folder.
pub const FILE_NAME: &str = "keystore";

/// An unlocked keystore: where the file is, and the key that seals it. The secrets themselves are not kept here.
pub struct Keystore {
    path: PathBuf,
    lock: Lock,
}

impl Keystore {
    /// Writes a new keystore in the data folder `dir`, making the folder (0700) if needed.
    ///
    /// Takes a second or so with a passphrase at the default [`Cost`].
    ///
    /// # Errors
    ///
    /// [`KeystoreError::AlreadyExists`] when there is one: a node's identity is never overwritten.
    pub fn create(
        dir: &Path,
        unlock: &Unlock,
        secrets: &Secrets,
    ) -> Result<Keystore, KeystoreError> {
        let path = dir.join(FILE_NAME);
        let there = path
            .try_exists()
            .map_err(|source| KeystoreError::io(&path, source))?;
        if there {
            return Err(KeystoreError::AlreadyExists { path });
        }
        let lock = Lock::new(unlock)?;
        crate::durable::make_folder(dir).map_err(|source| KeystoreError::io(dir, source))?;
        let keystore = Keystore { path, lock };
        keystore.save(secrets)?;
        Ok(keystore)
    }

    /// Opens the keystore of the data folder `dir`. Writes nothing, whatever the result.
    ///
    /// # Errors
    ///
    /// [`KeystoreError::Missing`], [`KeystoreError::Damaged`], [`KeystoreError::Newer`],
    /// [`KeystoreError::OtherUnlock`] and [`KeystoreError::WrongSecret`] each say what to do next.
    pub fn open(dir: &Path, unlock: &Unlock) -> Result<(Keystore, Secrets), KeystoreError> {
        let path = dir.join(FILE_NAME);
        let stored = file::read(&path)?;
        let lock = Lock::again(unlock, stored.method())?;
        let secrets = stored.unseal(&lock, &path)?;
        Ok((Keystore { path, lock }, secrets))
    }

    /// Says how the keystore in `dir` is to be unlocked, so that the daemon knows whether to ask for a passphrase.
    pub fn needs(dir: &Path) -> Result<UnlockKind, KeystoreError> {
        Ok(file::read(&dir.join(FILE_NAME))?.method().kind())
    }

    /// Replaces what the keystore holds, under the same passphrase or key file: for the rotation of keys.
    ///
    /// When this returns, the new file is on the disk; when it fails, the old one is untouched.
    pub fn save(&self, secrets: &Secrets) -> Result<(), KeystoreError> {
        let bytes = file::seal(&self.lock, secrets)?;
        crate::durable::replace(&self.path, &bytes)
            .map_err(|source| KeystoreError::io(&self.path, source))
    }

    /// Seals the same secrets under another passphrase or key file. From then on the old one opens this file no
    /// more; copies in backups still open with it.
    ///
    /// # Errors
    ///
    /// When it fails, the file still opens with the old passphrase or key file.
    pub fn change_unlock(&mut self, new: &Unlock) -> Result<(), KeystoreError> {
        let secrets = file::read(&self.path)?.unseal(&self.lock, &self.path)?;
        let lock = Lock::new(new)?;
        let bytes = file::seal(&lock, &secrets)?;
        crate::durable::replace(&self.path, &bytes)
            .map_err(|source| KeystoreError::io(&self.path, source))?;
        self.lock = lock;
        Ok(())
    }

    /// Where the file is.
    #[must_use]
    pub fn path(&self) -> &Path {
        &self.path
    }
}

impl fmt::Debug for Keystore {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Keystore")
            .field("path", &self.path)
            .finish_non_exhaustive()
    }
}
