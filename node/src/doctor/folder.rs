//! Whether the data folder is closed to the machine's other users.

use std::{fs, io, os::unix::fs::PermissionsExt, path::Path};

use crate::keystore;

/// What nobody but the owner may do with the folder: change it; and, unless they are of its group, look into it.
const FOLDER: u32 = 0o027;
/// What nobody but the owner may do with the keystore: anything.
const KEYSTORE: u32 = 0o077;

/// Whether only this node's user changes the folder, and only that user reads the keystore.
///
/// # Errors
/// A sentence that names what is open.
pub(crate) fn closed(dir: &Path) -> Result<String, String> {
    let mode = |path: &Path| fs::metadata(path).map(|found| found.permissions().mode() & 0o777);
    let keystore = dir.join(keystore::FILE_NAME);
    let look = || -> io::Result<(u32, u32)> { Ok((mode(dir)?, mode(&keystore)?)) };
    let (folder, keys) = look().map_err(|error| format!("its rights cannot be read: {error}"))?;
    let mut open = Vec::new();
    if folder & FOLDER != 0 {
        open.push(format!("the data folder has mode {folder:o}"));
    }
    if keys & KEYSTORE != 0 {
        open.push(format!("the keystore has mode {keys:o}"));
    }
    if open.is_empty() {
        Ok(format!("modes {folder:o} and {keys:o}"))
    } else {
        Err(open.join(", and "))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_folder_or_a_keystore_that_others_reach_is_named_with_its_mode() {
        let folder = tempfile::tempdir().expect("a folder");
        let keystore = folder.path().join(keystore::FILE_NAME);
        fs::write(&keystore, b"sealed").expect("a file");
        let of = |dir: u32, keys: u32| {
            let set =
                |path: &Path, mode| fs::set_permissions(path, fs::Permissions::from_mode(mode));
            set(&keystore, keys).expect("a mode");
            set(folder.path(), dir).expect("a mode");
            closed(folder.path())
        };
        for (dir, keys) in [(0o700, 0o600), (0o750, 0o600), (0o700, 0o400)] {
            assert!(of(dir, keys).is_ok(), "{dir:o} {keys:o}");
        }
        for (dir, keys, named) in [
            (0o777, 0o600, "777"),
            (0o755, 0o600, "755"),
            (0o770, 0o600, "770"),
            (0o700, 0o644, "644"),
            (0o700, 0o640, "640"),
        ] {
            let found = of(dir, keys).expect_err("open");
            assert!(found.contains(named), "{found}");
        }
    }
}
