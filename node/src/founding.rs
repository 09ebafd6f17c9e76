//! Makes a node: the keys and the configuration of a new data folder. Used by `maillond init` and by the demonstration.
//!
//! A folder that holds anything is refused and left as it is. The configuration is read as the daemon will read it before any key is made;
//! where something fails, what was made is taken away again.

use std::{fs, io, path::Path};

use maillon_protocol::{
    identity::{Replacement, ReplacementError, recovery_hash},
    ids::NodeId,
    keys::NodeKey,
    sign::sign,
};

use crate::{
    clock::now_ms,
    config::{Config, ConfigError, FILE_NAME},
    durable,
    keystore::{Keystore, KeystoreError, Secrets, Unlock},
    random::SystemRandom,
};

/// Why no node was made.
#[derive(Debug, thiserror::Error)]
pub enum FoundingError {
    /// The folder holds something.
    #[error("the data folder {0} is not empty: name an empty one, or one that does not exist")]
    NotEmpty(std::path::PathBuf),
    /// The folder cannot be used.
    #[error("the data folder {path} cannot be used: {cause}; check its owner and its disk")]
    Folder {
        /// Which.
        path: std::path::PathBuf,
        /// What the system says.
        cause: io::Error,
    },
    /// The configuration that it would get.
    #[error(transparent)]
    Config(#[from] ConfigError),
    /// Its keys.
    #[error(transparent)]
    Keystore(#[from] KeystoreError),
    /// The statement that it takes another one's place.
    #[error(
        "{0}; type the old node's name as its peers show it, and its recovery key as it stands on paper"
    )]
    Statement(#[from] ReplacementError),
}

/// The file with the recovery key's statement, in the folder of a node that takes another one's place. It holds no secret.
pub const REPLACES: &str = "replaces";

/// Whose place a new node takes.
pub struct InPlaceOf {
    /// The identity that is given up.
    pub old: NodeId,
    /// Its recovery key, from paper.
    pub recovery: NodeKey,
    /// Whether the new node gets another recovery key, because that paper may have been seen.
    pub another: bool,
}

/// A node that was made.
pub struct Founded {
    /// Its configuration, as it was read back.
    pub config: Config,
    /// Its name.
    pub node: NodeId,
    /// The offline recovery key: for paper. The node keeps its public key's hash only.
    pub recovery: NodeKey,
}

/// Makes keys and configuration in `dir`, which must be empty or not exist.
///
/// # Errors
/// [`FoundingError`]; the folder is then as it was.
pub fn found(dir: &Path, unlock: &Unlock, configuration: &str) -> Result<Founded, FoundingError> {
    found_in_place_of(dir, unlock, configuration, None)
}

/// The same, for a node that takes the place of another identity: the recovery key's statement is left in the folder, and the node shows it to whoever
/// it meets.
///
/// # Errors
/// [`FoundingError`]; the folder is then as it was.
pub fn found_in_place_of(
    dir: &Path,
    unlock: &Unlock,
    configuration: &str,
    before: Option<&InPlaceOf>,
) -> Result<Founded, FoundingError> {
    let cannot = |cause| FoundingError::Folder {
        path: dir.to_owned(),
        cause,
    };
    let was_there = dir.exists();
    durable::make_folder(dir).map_err(cannot)?;
    if fs::read_dir(dir).map_err(cannot)?.next().is_some() {
        return Err(FoundingError::NotEmpty(dir.to_owned()));
    }
    durable::close_folder(dir).map_err(cannot)?;
    let made = fill(dir, unlock, configuration, before);
    if made.is_err() {
        // What cannot be taken away is named by the next attempt.
        let _ = fs::remove_file(dir.join(FILE_NAME));
        let _ = fs::remove_file(dir.join(REPLACES));
        if !was_there {
            let _ = fs::remove_dir(dir);
        }
    }
    made
}

fn fill(
    dir: &Path,
    unlock: &Unlock,
    configuration: &str,
    before: Option<&InPlaceOf>,
) -> Result<Founded, FoundingError> {
    let cannot = |cause| FoundingError::Folder {
        path: dir.to_owned(),
        cause,
    };
    durable::write_new(&dir.join(FILE_NAME), configuration.as_bytes()).map_err(cannot)?;
    let config = Config::load(dir)?;
    let recovery = match before.filter(|before| !before.another) {
        Some(before) => before.recovery.clone(),
        None => NodeKey::generate(&mut SystemRandom),
    };
    let next = recovery_hash(&recovery.id());
    let secrets = Secrets::generate(next.0)?;
    let node = NodeKey::from_seed(secrets.identity_seed.expose()).id();
    if let Some(before) = before {
        let statement = Replacement {
            version: 1,
            recovery: before.recovery.id(),
            old: before.old,
            new: Some(node),
            next,
            counter: now_ms(),
        };
        let statement = sign(statement, &before.recovery).bytes;
        let statement = Replacement::verify(statement)?;
        durable::write_new(&dir.join(REPLACES), &statement.bytes).map_err(cannot)?;
    }
    Keystore::create(dir, unlock, &secrets)?;
    Ok(Founded {
        config,
        node,
        recovery,
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::keystore::create_key_file;

    fn key_file(folder: &Path) -> Unlock {
        let path = folder.join("key");
        create_key_file(&path).expect("a key file");
        Unlock::KeyFile(path)
    }

    const GOOD: &str = "[structure]\nname = \"DAC\"\nkind = \"dac\"\n";

    #[test]
    fn a_configuration_that_is_refused_leaves_the_folder_as_it_was() {
        let folder = tempfile::tempdir().expect("a folder");
        let unlock = key_file(folder.path());
        let dir = folder.path().join("node");
        let wrong = format!("{GOOD}finess = \"12\"\n");
        let refused = found(&dir, &unlock, &wrong);
        assert!(matches!(refused, Err(FoundingError::Config(_))));
        assert!(!dir.exists());
        assert!(found(&dir, &unlock, GOOD).is_ok());
    }

    #[test]
    fn an_empty_folder_that_others_may_look_into_is_closed() {
        use std::os::unix::fs::PermissionsExt;
        let folder = tempfile::tempdir().expect("a folder");
        let unlock = key_file(folder.path());
        let dir = folder.path().join("node");
        fs::create_dir(&dir).expect("a folder");
        fs::set_permissions(&dir, fs::Permissions::from_mode(0o755)).expect("a mode");
        found(&dir, &unlock, GOOD).unwrap_or_else(|error| panic!("{error}"));
        let mode = fs::metadata(&dir).expect("the folder").permissions().mode();
        assert_eq!(mode & 0o777, 0o750);
    }

    #[test]
    fn a_node_in_the_place_of_another_one_keeps_the_recovery_key_or_gets_another() {
        let folder = tempfile::tempdir().expect("a folder");
        let unlock = key_file(folder.path());
        for another in [false, true] {
            let dir = folder.path().join(format!("node-{another}"));
            let before = InPlaceOf {
                old: NodeKey::from_seed(&[7; 32]).id(),
                recovery: NodeKey::from_seed(&[8; 32]),
                another,
            };
            let made = found_in_place_of(&dir, &unlock, GOOD, Some(&before)).expect("a node");
            let said = fs::read(dir.join(REPLACES)).expect("a statement");
            let said = Replacement::verify(said).expect("a right one").object;
            assert_eq!((said.old, said.new), (before.old, Some(made.node)));
            assert_eq!(said.recovery, before.recovery.id());
            assert_eq!(said.next, recovery_hash(&made.recovery.id()));
            assert_eq!(said.next != recovery_hash(&said.recovery), another);
            let (_, secrets) = Keystore::open(&dir, &unlock).expect("its keys");
            assert_eq!(secrets.recovery_public_sha256, said.next.0);
        }
        // A recovery key that is the identity itself would replace itself.
        let dir = folder.path().join("itself");
        let itself = InPlaceOf {
            old: NodeKey::from_seed(&[8; 32]).id(),
            recovery: NodeKey::from_seed(&[8; 32]),
            another: false,
        };
        let refused = found_in_place_of(&dir, &unlock, GOOD, Some(&itself));
        assert!(matches!(refused, Err(FoundingError::Statement(_))));
        assert!(!dir.exists());
    }

    #[test]
    fn a_folder_that_holds_something_is_left_alone() {
        let folder = tempfile::tempdir().expect("a folder");
        let unlock = key_file(folder.path());
        let refused = found(folder.path(), &unlock, GOOD);
        assert!(matches!(refused, Err(FoundingError::NotEmpty(_))));
        assert!(!folder.path().join(FILE_NAME).exists());
    }
}
