//! How the keys are unlocked at the start: a key file, a file with the passphrase, or a question on the terminal.

use std::{env, fs, path::Path};

use maillon_node::{
    config::Config,
    keystore::{Passphrase, Unlock},
};

use super::{Failure, USAGE};

/// A file that holds the passphrase, for starts without a terminal.
const PASSPHRASE_FILE: &str = "MAILLON_PASSPHRASE_FILE";

fn from_file() -> Result<Option<Unlock>, Failure> {
    let Some(path) = env::var_os(PASSPHRASE_FILE) else {
        return Ok(None);
    };
    let text = fs::read_to_string(&path).map_err(|error| {
        Failure::new(
            77,
            format!("the file that {PASSPHRASE_FILE} names cannot be read: {error}"),
        )
    })?;
    Ok(Some(Unlock::passphrase(
        text.trim_end_matches(['\r', '\n']),
    )))
}

fn ask(question: &str) -> Result<String, Failure> {
    rpassword::prompt_password(question).map_err(|_| {
        Failure::new(
            77,
            format!("there is no terminal to ask for the passphrase on: set key_file in [keys], or {PASSPHRASE_FILE}"),
        )
    })
}

/// A passphrase for a new keystore, asked for twice.
pub(super) fn new_passphrase() -> Result<Unlock, Failure> {
    if let Some(unlock) = from_file()? {
        return Ok(unlock);
    }
    let first = ask(&format!(
        "New passphrase ({} to {} characters): ",
        Passphrase::MIN_CHARACTERS,
        Passphrase::MAX_CHARACTERS
    ))?;
    if first != ask("The same again: ")? {
        return Err(Failure::new(
            USAGE,
            "the two passphrases differ: begin again; nothing was made",
        ));
    }
    Ok(Unlock::passphrase(first))
}

/// What unlocks an existing keystore.
pub(super) fn unlock(dir: &Path, config: &Config) -> Result<Unlock, Failure> {
    if let Some(path) = &config.keys.key_file {
        return Ok(Unlock::KeyFile(dir.join(path)));
    }
    match from_file()? {
        Some(unlock) => Ok(unlock),
        None => Ok(Unlock::passphrase(ask("Passphrase: ")?)),
    }
}
