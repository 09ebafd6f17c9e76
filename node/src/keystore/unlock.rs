//! How a keystore is opened: from a passphrase or a key file to the key that seals it.

use std::fmt;
use std::fs;
use std::io;
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};

use argon2::{Algorithm, Argon2, Params, Version};
use hkdf::Hkdf;
use sha2::Sha256;
use zeroize::{Zeroize, ZeroizeOnDrop, Zeroizing};

use super::{KeyFileFault, KeystoreError, Secret};

/// What opens a keystore.
#[derive(Debug, Clone)]
pub enum Unlock {
    /// A passphrase that a person types.
    Passphrase {
        /// The passphrase.
        passphrase: Passphrase,
        /// What a guess shall cost. Used when a keystore is written; one that exists says its own.
        cost: Cost,
    },
    /// A file of 32 random bytes (see [`create_key_file`]), 0600, on another medium than the data folder; or a
    /// systemd credential, `$CREDENTIALS_DIRECTORY/…`.
    KeyFile(PathBuf),
}

impl Unlock {
    /// A passphrase at the default cost.
    #[must_use]
    pub fn passphrase(passphrase: impl Into<Passphrase>) -> Unlock {
        Unlock::Passphrase {
            passphrase: passphrase.into(),
            cost: Cost::default(),
        }
    }
}

/// The ways to unlock, without the secret.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum UnlockKind {
    /// A passphrase.
    Passphrase,
    /// A key file or systemd credential.
    KeyFile,
}

impl fmt::Display for UnlockKind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            UnlockKind::Passphrase => "passphrase",
            UnlockKind::KeyFile => "key file",
        })
    }
}

/// A passphrase; wiped when dropped, never shown.
#[derive(Clone, Zeroize, ZeroizeOnDrop)]
pub struct Passphrase(String);

impl Passphrase {
    /// The fewest characters of a new passphrase.
    pub const MIN_CHARACTERS: usize = 12;
    /// The most characters of a new passphrase.
    pub const MAX_CHARACTERS: usize = 1024;

    fn check_new(&self) -> Result<(), KeystoreError> {
        let (least, most) = (Passphrase::MIN_CHARACTERS, Passphrase::MAX_CHARACTERS);
        match self.0.chars().count() {
            found if (least..=most).contains(&found) => Ok(()),
            found => Err(KeystoreError::PassphraseLength { found, least, most }),
        }
    }
}

impl From<String> for Passphrase {
    fn from(text: String) -> Passphrase {
        Passphrase(text)
    }
}

impl From<&str> for Passphrase {
    fn from(text: &str) -> Passphrase {
        Passphrase(text.to_owned())
    }
}

impl fmt::Debug for Passphrase {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Passphrase(..)")
    }
}

/// What one guess at the passphrase costs: the parameters of Argon2id (RFC 9106).
///
/// The default is 64 MiB, 3 passes, 1 lane: above what OWASP's Password Storage Cheat Sheet asks for (19 MiB, 2
/// passes, 1 lane), because a keystore is opened once a start and not once a page.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Cost {
    /// Memory, KiB: from 8 for each lane to [`Cost::MAX_MEMORY_KIB`].
    pub memory_kib: u32,
    /// Passes over it: 1 to [`Cost::MAX_PASSES`].
    pub passes: u32,
    /// Lanes: 1 to [`Cost::MAX_LANES`].
    pub lanes: u32,
}

impl Cost {
    /// 1 GiB: a file cannot make us take more.
    pub const MAX_MEMORY_KIB: u32 = 1024 * 1024;
    /// A file cannot make us work longer.
    pub const MAX_PASSES: u32 = 16;
    /// More lanes than a small machine has cores help only the attacker.
    pub const MAX_LANES: u32 = 8;

    fn params(self) -> Option<Params> {
        let bounded = self.memory_kib <= Cost::MAX_MEMORY_KIB
            && self.passes <= Cost::MAX_PASSES
            && self.lanes <= Cost::MAX_LANES;
        let params = Params::new(self.memory_kib, self.passes, self.lanes, Some(32)).ok()?;
        bounded.then_some(params)
    }

    pub(super) fn is_valid(self) -> bool {
        self.params().is_some()
    }
}

impl Default for Cost {
    fn default() -> Cost {
        Cost {
            memory_kib: 64 * 1024,
            passes: 3,
            lanes: 1,
        }
    }
}

/// How a file says that it is unlocked; public knowledge.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Method {
    Passphrase { salt: [u8; 16], cost: Cost },
    KeyFile { salt: [u8; 16] },
}

impl Method {
    pub(super) fn kind(self) -> UnlockKind {
        match self {
            Method::Passphrase { .. } => UnlockKind::Passphrase,
            Method::KeyFile { .. } => UnlockKind::KeyFile,
        }
    }
}

/// A method, and the key that it led to.
pub(super) struct Lock {
    pub(super) method: Method,
    pub(super) key: Secret,
}

impl Lock {
    /// For a file to be written: new salt, cost as asked for.
    pub(super) fn new(unlock: &Unlock) -> Result<Lock, KeystoreError> {
        let mut salt = [0; 16];
        getrandom::fill(&mut salt).map_err(|_| KeystoreError::Randomness)?;
        let method = match unlock {
            Unlock::Passphrase { passphrase, cost } => {
                passphrase.check_new()?;
                Method::Passphrase { salt, cost: *cost }
            }
            Unlock::KeyFile(_) => Method::KeyFile { salt },
        };
        Lock::again(unlock, method)
    }

    /// For a file that exists: salt and cost as it says.
    pub(super) fn again(unlock: &Unlock, method: Method) -> Result<Lock, KeystoreError> {
        let key = match (unlock, method) {
            (Unlock::Passphrase { passphrase, .. }, Method::Passphrase { salt, cost }) => {
                from_passphrase(passphrase, &salt, cost)?
            }
            (Unlock::KeyFile(path), Method::KeyFile { salt }) => from_key_file(path, &salt)?,
            (_, method) => {
                return Err(KeystoreError::OtherUnlock {
                    needs: method.kind(),
                });
            }
        };
        Ok(Lock { method, key })
    }
}

fn from_passphrase(
    passphrase: &Passphrase,
    salt: &[u8; 16],
    cost: Cost,
) -> Result<Secret, KeystoreError> {
    let params = cost.params().ok_or(KeystoreError::CostOutOfRange)?;
    let mut key = Secret::empty();
    Argon2::new(Algorithm::Argon2id, Version::V0x13, params)
        .hash_password_into(passphrase.0.as_bytes(), salt, key.expose_mut())
        .map_err(|_| KeystoreError::OutOfMemory {
            memory_kib: cost.memory_kib,
        })?;
    Ok(key)
}

fn from_key_file(path: &Path, salt: &[u8; 16]) -> Result<Secret, KeystoreError> {
    let fault = |fault| KeystoreError::KeyFile {
        path: path.to_owned(),
        fault,
    };
    let mode = match fs::metadata(path) {
        Ok(metadata) => metadata.permissions().mode(),
        Err(error) if error.kind() == io::ErrorKind::NotFound => {
            return Err(fault(KeyFileFault::Missing));
        }
        Err(error) => return Err(KeystoreError::io(path, error)),
    };
    // The group may read: systemd gives a credential to its service by an access list, which shows as a group bit.
    if mode & 0o027 != 0 {
        return Err(fault(KeyFileFault::Exposed));
    }
    let bytes = match crate::durable::read(path, 32) {
        Ok(Some(bytes)) => Zeroizing::new(bytes),
        Ok(None) => return Err(fault(KeyFileFault::Missing)),
        Err(error) if error.kind() == io::ErrorKind::FileTooLarge => {
            return Err(fault(KeyFileFault::WrongLength));
        }
        Err(error) => return Err(KeystoreError::io(path, error)),
    };
    if bytes.len() != 32 {
        return Err(fault(KeyFileFault::WrongLength));
    }
    let mut key = Secret::empty();
    Hkdf::<Sha256>::new(Some(salt), &bytes)
        .expand(b"maillon/1 keystore key file", key.expose_mut())
        .expect("HKDF-SHA256 gives 32 bytes");
    Ok(key)
}

/// Writes a new key file of 32 random bytes, 0600. Keep a copy of it apart from the backups of the data folder.
///
/// # Errors
///
/// [`KeystoreError::Io`] when the file exists already, or cannot be written.
pub fn create_key_file(path: &Path) -> Result<(), KeystoreError> {
    let secret = Secret::random()?;
    crate::durable::write_new(path, secret.expose())
        .and_then(|()| crate::durable::sync_folder(crate::durable::folder_of(path)))
        .map_err(|source| KeystoreError::io(path, source))
}
