//! Lines to paste into a shell.

use std::{
    env,
    path::{Path, PathBuf},
};

/// A path as a shell takes it for one word.
pub(super) fn word(path: &Path) -> String {
    let text = path.to_string_lossy();
    let plain = |c: char| c.is_ascii_alphanumeric() || "/._-+,:@".contains(c);
    if !text.is_empty() && text.chars().all(plain) {
        text.into_owned()
    } else {
        format!("'{}'", text.replace('\'', r"'\''"))
    }
}

/// The line that tells `maillonctl` which socket is meant.
pub(super) fn export(socket: &Path) -> String {
    format!("export MAILLON_SOCKET={}", word(&whole(socket)))
}

/// A path from the root on, without `.` and `..` where the folder exists: what is pasted works in every folder.
pub(super) fn whole(path: &Path) -> PathBuf {
    let folder = path
        .parent()
        .filter(|folder| !folder.as_os_str().is_empty());
    let real = folder
        .and_then(|folder| std::fs::canonicalize(folder).ok())
        .zip(path.file_name())
        .map(|(folder, name)| folder.join(name));
    real.or_else(|| std::path::absolute(path).ok())
        .unwrap_or_else(|| path.to_owned())
}

/// The command line that was built with this daemon, or the one that is installed.
pub(super) fn maillonctl() -> PathBuf {
    let beside = env::current_exe()
        .ok()
        .map(|path| path.with_file_name("maillonctl"));
    beside
        .filter(|path| path.is_file())
        .unwrap_or_else(|| PathBuf::from("maillonctl"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_path_with_spaces_or_quotes_is_pasted_as_one_word() {
        assert_eq!(word(Path::new("/tmp/d/dac.sock")), "/tmp/d/dac.sock");
        assert_eq!(word(Path::new("/tmp/l'été")), r"'/tmp/l'\''été'");
    }

    #[test]
    fn the_line_to_export_works_in_every_folder() {
        let folder = tempfile::tempdir().expect("a folder");
        let real = std::fs::canonicalize(folder.path()).expect("a path");
        let socket = folder
            .path()
            .join("../")
            .join(folder.path().file_name().expect("a name"))
            .join("dac.sock");
        assert_eq!(
            export(&socket),
            format!("export MAILLON_SOCKET={}", real.join("dac.sock").display())
        );
    }
}
