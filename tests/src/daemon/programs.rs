//! Where the programs under test are.

use std::{env, path::PathBuf};

use super::Trouble;

/// The path of a program of this workspace: in the folder that `MAILLON_BIN` names; else beside the running program, or one folder
/// above it (a test runs in `debug/deps`).
///
/// # Errors
/// [`Trouble::NoProgram`] where it has not been built.
pub fn find(name: &str) -> Result<PathBuf, Trouble> {
    let given = env::var_os("MAILLON_BIN").filter(|folder| !folder.is_empty());
    let folders = match given {
        Some(folder) => vec![PathBuf::from(folder)],
        None => {
            let own = env::current_exe().map_err(Trouble::io("this program's own path"))?;
            own.ancestors().skip(1).take(2).map(PathBuf::from).collect()
        }
    };
    let found = folders.iter().map(|folder| folder.join(name));
    found
        .into_iter()
        .find(|path| path.is_file())
        .ok_or_else(|| Trouble::NoProgram {
            name: name.to_owned(),
            folder: folders.into_iter().next().unwrap_or_default(),
        })
}

/// The path of a program of the system, where it is installed.
pub fn installed(name: &str) -> Option<PathBuf> {
    let folders = env::var_os("PATH")?;
    env::split_paths(&folders)
        .map(|folder| folder.join(name))
        .find(|path| path.is_file())
}
