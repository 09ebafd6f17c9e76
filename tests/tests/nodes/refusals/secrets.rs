//! The wrong secret, or none: refused before anything is opened.

use std::{fs, os::unix::fs::PermissionsExt, path::Path};

use maillon_tests::daemon::{Daemon, Settings, Trouble};

use super::{FOLDER, SECRET, USAGE, is_refused, read, still_works, stopped, write};
use crate::{Story, folder};

const PASSPHRASE: &str = "cinq mots que personne ne devine";

fn with_passphrase() -> Settings {
    Settings {
        passphrase: Some(PASSPHRASE.to_owned()),
        ..Settings::dac()
    }
}

fn set_mode(path: &Path, mode: u32) -> Story {
    fs::set_permissions(path, fs::Permissions::from_mode(mode)).map_err(Trouble::io("a mode"))
}

#[test]
fn another_passphrase_is_refused_and_nothing_is_touched() -> Story {
    let root = folder()?;
    let daemon = stopped(root.path(), with_passphrase())?;
    for wrong in [
        "cinq mots que personne ne devin",
        "Cinq mots que personne ne devine",
        "",
    ] {
        write(&daemon.passphrase_file(), wrong)?;
        is_refused(
            &daemon,
            SECRET,
            &["does not open the keystore", "nothing was changed"],
        )?;
    }
    // A passphrase file written with an editor ends with a line break.
    write(&daemon.passphrase_file(), format!("{PASSPHRASE}\n"))?;
    still_works(daemon)
}

#[test]
fn no_passphrase_and_no_terminal_is_refused_with_what_to_set() -> Story {
    let root = folder()?;
    let mut daemon = stopped(root.path(), with_passphrase())?;
    fs::remove_file(daemon.passphrase_file()).map_err(Trouble::io("the passphrase"))?;
    is_refused(
        &daemon,
        SECRET,
        &["MAILLON_PASSPHRASE_FILE", "cannot be read"],
    )?;
    daemon.settings.passphrase = None;
    is_refused(
        &daemon,
        SECRET,
        &["no terminal", "key_file", "MAILLON_PASSPHRASE_FILE"],
    )?;
    daemon.settings.passphrase = Some(PASSPHRASE.to_owned());
    write(&daemon.passphrase_file(), PASSPHRASE)?;
    still_works(daemon)
}

#[test]
fn a_key_file_where_a_passphrase_is_needed_is_refused_and_the_reverse() -> Story {
    let root = folder()?;
    let mut daemon = stopped(root.path(), Settings::dac())?;
    daemon.settings.passphrase = Some(PASSPHRASE.to_owned());
    write(&daemon.passphrase_file(), PASSPHRASE)?;
    daemon.configure()?;
    is_refused(&daemon, SECRET, &["opens with a key file"])?;
    daemon.settings.passphrase = None;
    still_works(daemon)
}

#[test]
fn another_key_file_is_refused_and_nothing_is_touched() -> Story {
    let root = folder()?;
    let daemon = stopped(root.path(), Settings::dac())?;
    let right = read(&daemon.key_file())?;
    write(&daemon.key_file(), [7; 32])?;
    is_refused(
        &daemon,
        SECRET,
        &["does not open the keystore", "nothing was changed"],
    )?;
    write(&daemon.key_file(), &right[..31])?;
    is_refused(&daemon, SECRET, &["exactly 32 bytes", "backup"])?;
    fs::remove_file(daemon.key_file()).map_err(Trouble::io("the key file"))?;
    is_refused(&daemon, SECRET, &["does not exist", "key_file"])?;
    write(&daemon.key_file(), right)?;
    set_mode(&daemon.key_file(), 0o600)?;
    still_works(daemon)
}

#[test]
fn a_key_file_that_others_may_read_is_refused() -> Story {
    let root = folder()?;
    let daemon = stopped(root.path(), Settings::dac())?;
    set_mode(&daemon.key_file(), 0o644)?;
    is_refused(&daemon, SECRET, &["chmod 600"])?;
    set_mode(&daemon.key_file(), 0o600)?;
    still_works(daemon)
}

#[test]
fn a_missing_damaged_or_newer_keystore_is_refused_each_in_its_own_words() -> Story {
    let root = folder()?;
    let daemon = stopped(root.path(), Settings::dac())?;
    let path = daemon.folder().join("keystore");
    let right = read(&path)?;
    fs::remove_file(&path).map_err(Trouble::io("the keystore"))?;
    // Not "make a new node here": the records beside it would be lost.
    is_refused(
        &daemon,
        FOLDER,
        &["keystore", "is gone", "restore the backup"],
    )?;
    for place in [0, 9, right.len() / 2, right.len() - 1] {
        let mut damaged = right.clone();
        damaged[place] ^= 1;
        write(&path, damaged)?;
        is_refused(
            &daemon,
            FOLDER,
            &["keystore", "damaged", "backup", "nothing was changed"],
        )?;
    }
    write(&path, &right[..right.len() / 2])?;
    is_refused(&daemon, FOLDER, &["keystore", "damaged", "backup"])?;
    write(&path, [])?;
    is_refused(&daemon, FOLDER, &["keystore", "damaged", "backup"])?;
    write(&path, right)?;
    still_works(daemon)
}

#[test]
fn the_database_of_another_node_is_refused_and_nothing_is_touched() -> Story {
    let root = folder()?;
    let daemon = stopped(root.path(), Settings::dac())?;
    let other = Daemon::init(root.path(), Settings::cpts())?;
    let path = daemon.folder().join("keystore");
    let right = read(&path)?;
    let key = read(&daemon.key_file())?;
    write(&path, read(&other.folder().join("keystore"))?)?;
    write(&daemon.key_file(), read(&other.key_file())?)?;
    is_refused(&daemon, FOLDER, &["another storage key", "same backup"])?;
    write(&path, right)?;
    write(&daemon.key_file(), key)?;
    still_works(daemon)
}

#[test]
fn nobody_gets_the_keys_of_the_sessions() -> Story {
    let root = folder()?;
    let mut daemon = stopped(root.path(), Settings::dac())?;
    let keys = root.path().join("session-keys").display().to_string();
    daemon.settings.environment = vec![(String::from("SSLKEYLOGFILE"), keys)];
    is_refused(&daemon, USAGE, &["SSLKEYLOGFILE"])?;
    daemon.settings.environment.clear();
    still_works(daemon)
}
