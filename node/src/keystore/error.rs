//! Why a keystore did not open or was not written, each with what to do next.

use std::io;
use std::path::{Path, PathBuf};

use super::UnlockKind;

/// What can go wrong with the keystore. No variant holds or shows a secret.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum KeystoreError {
    /// There is no keystore in the data folder.
    #[error(
        "there is no keystore at {path}: run `maillond init` to make a new node here, or give the data folder of an existing one"
    )]
    Missing {
        /// Where it was looked for.
        path: PathBuf,
    },
    /// There is no keystore in the data folder, and records are there which only it opens.
    #[error(
        "the keystore {path} is gone, and beside it are records that nothing else opens: restore the backup of this file, and do not make a new node here; nothing was changed"
    )]
    Lost {
        /// Where it was looked for.
        path: PathBuf,
    },
    /// There is a keystore already, and it would have been overwritten.
    #[error(
        "there is already a keystore at {path}: this folder belongs to a node; choose another folder, or move this file away first"
    )]
    AlreadyExists {
        /// Where it is.
        path: PathBuf,
    },
    /// The passphrase or key file is not the one of this keystore.
    #[error(
        "this passphrase or key file does not open the keystore: try again with the right one; nothing was changed"
    )]
    WrongSecret,
    /// The keystore is unlocked in another way than the one given.
    #[error("this keystore opens with a {needs}: give that instead")]
    OtherUnlock {
        /// How it opens.
        needs: UnlockKind,
    },
    /// The file is not what was written: a disk error, a cut copy, an edited file.
    #[error("the keystore {path} is damaged: restore the backup of this file; nothing was changed")]
    Damaged {
        /// The damaged file.
        path: PathBuf,
    },
    /// Written by a newer version of the program.
    #[error(
        "the keystore has format {found}, this program knows up to {known}: install the version that wrote it, or a newer one"
    )]
    Newer {
        /// The format found.
        found: u32,
        /// The newest format that this program reads.
        known: u32,
    },
    /// The key file cannot serve.
    #[error("the key file {path} {fault}")]
    KeyFile {
        /// The key file.
        path: PathBuf,
        /// What is wrong with it.
        fault: KeyFileFault,
    },
    /// The new passphrase is too short or too long.
    #[error(
        "a new passphrase has {least} to {most} characters, such as five words, and this has {found}: choose another one; nothing was changed"
    )]
    PassphraseLength {
        /// So many characters were given.
        found: usize,
        /// The fewest characters.
        least: usize,
        /// The most.
        most: usize,
    },
    /// The cost of the passphrase derivation is out of range.
    #[error("the cost of the passphrase derivation is out of range: see the limits of `Cost`")]
    CostOutOfRange,
    /// The machine has not the memory that the passphrase derivation needs.
    #[error("there is not enough memory to derive the key: free {memory_kib} KiB and try again")]
    OutOfMemory {
        /// What the derivation needs.
        memory_kib: u32,
    },
    /// More receive keys than a keystore holds.
    #[error("a keystore holds at most {limit} receive keys: delete the expired ones first")]
    TooManyKeys {
        /// The limit.
        limit: usize,
    },
    /// The operating system gave no random bytes.
    #[error("the operating system gave no random bytes: restart the machine and try again")]
    Randomness,
    /// The file could not be read or written.
    #[error("{path}: {source}; check the disk, its free space and who owns the folder")]
    Io {
        /// The file or folder.
        path: PathBuf,
        /// What the operating system said.
        source: io::Error,
    },
}

/// What is wrong with a key file.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum KeyFileFault {
    /// There is none.
    #[error("does not exist: check `key_file` in the configuration, or the systemd credential")]
    Missing,
    /// It does not hold 32 bytes.
    #[error("does not hold exactly 32 bytes: restore the backup of this file")]
    WrongLength,
    /// Others than its owner may read or change it.
    #[error("can be read by everyone or changed by its group: run `chmod 600` on it")]
    Exposed,
}

impl KeystoreError {
    pub(super) fn io(path: &Path, source: io::Error) -> KeystoreError {
        KeystoreError::Io {
            path: path.to_owned(),
            source,
        }
    }
}
