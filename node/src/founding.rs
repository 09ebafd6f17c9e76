//! Makes a node: the keys and the configuration of a new data folder. Used by `maillond init` and by the demonstration.
//!
//! A folder that holds anything is refused and left as it is. The configuration is read as the daemon will read it before any key is made;
//! where something fails, what was made is taken away again.

use std::{fs, io, path::Path};

use maillon_protocol::keys::NodeKey;
use sha2::{Digest, Sha256};

use crate::{
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
}

/// A node that was made.
pub struct Founded {
    /// Its configuration, as it was read back.
    pub config: Config,
    /// The offline recovery key: for paper. The node keeps its public key's hash only.
    pub recovery: NodeKey,
}

/// Makes keys and configuration in `dir`, which must be empty or not exist.
///
/// # Errors
/// [`FoundingError`]; the folder is then as it was.
pub fn found(dir: &Path, unlock: &Unlock, configuration: &str) -> Result<Founded, FoundingError> {
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
    let made = fill(dir, unlock, configuration);
    if made.is_err() {
        // What cannot be taken away is named by the next attempt.
        let _ = fs::remove_file(dir.join(FILE_NAME));
        if !was_there {
            let _ = fs::remove_dir(dir);
        }
    }
    made
}

fn fill(dir: &Path, unlock: &Unlock, configuration: &str) -> Result<Founded, FoundingError> {
    durable::write_new(&dir.join(FILE_NAME), configuration.as_bytes()).map_err(|cause| {
        FoundingError::Folder {
            path: dir.to_owned(),
            cause,
        }
    })?;
    let config = Config::load(dir)?;
    let recovery = NodeKey::generate(&mut SystemRandom);
    let secrets = Secrets::generate(Sha256::digest(recovery.id().0).into())?;
    Keystore::create(dir, unlock, &secrets)?;
    Ok(Founded { config, recovery })
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
    fn a_folder_that_holds_something_is_left_alone() {
        let folder = tempfile::tempdir().expect("a folder");
        let unlock = key_file(folder.path());
        let refused = found(folder.path(), &unlock, GOOD);
        assert!(matches!(refused, Err(FoundingError::NotEmpty(_))));
        assert!(!folder.path().join(FILE_NAME).exists());
    }
}
