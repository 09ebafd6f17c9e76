//! Command lines of `maillond` that are not well formed, and nodes that cannot be made as it was asked.

use std::{ffi::OsStr, fs};

use maillon_tests::daemon::{Daemon, Ended, Settings, Trouble, maillond, wait};

use super::{NOT_MADE, USAGE, says};
use crate::{Story, ensure, folder};

fn run(words: &[&str]) -> Result<Ended, Trouble> {
    let words: Vec<&OsStr> = words.iter().map(OsStr::new).collect();
    maillond(&words, wait::LONG)
}

#[test]
fn a_command_line_that_is_not_well_formed_ends_with_the_code_that_the_help_gives_it() -> Story {
    for words in [&["run"][..], &["rnu"], &["init", "--kind", "clinic"], &[]] {
        let ended = run(words)?;
        ensure(ended.status.code() == Some(USAGE), || {
            format!("{words:?}: {}: {}", ended.status, ended.words)
        })?;
    }
    let help = run(&["--help"])?;
    let listed = |code: i32| help.words.contains(&format!("\n  {code}  "));
    ensure(
        help.status.success()
            && [USAGE, NOT_MADE, super::FOLDER, super::IN_USE, super::SECRET]
                .into_iter()
                .all(listed),
        || help.words.clone(),
    )
}

#[test]
fn a_new_passphrase_out_of_range_is_wrong_use_and_nothing_is_made() -> Story {
    let root = folder()?;
    for wrong in ["onze lettre".to_owned(), String::new(), "x".repeat(1025)] {
        let settings = Settings {
            passphrase: Some(wrong.clone()),
            ..Settings::dac()
        };
        let count = format!("this has {}", wrong.len());
        match Daemon::init(root.path(), settings) {
            Err(Trouble::Exited { status, words, .. }) => {
                says(&Ended { status, words }, USAGE, &["12 to 1024", &count])?;
            }
            other => return Err(Trouble::wrong(format!("{other:?}"))),
        }
        ensure(!root.path().join("a").exists(), || {
            String::from("it left the folder")
        })?;
        let left = root.path().join("keys/a.passphrase");
        fs::remove_file(left).map_err(Trouble::io("the passphrase"))?;
    }
    Ok(())
}

#[test]
fn a_key_file_that_cannot_be_made_is_told_as_such() -> Story {
    let root = folder()?;
    let dir = root.path().join("a").display().to_string();
    let key = root.path().join("nowhere/key").display().to_string();
    let init = ["init", "--name", "DAC", "--kind", "dac"];
    let words = [&init[..], &["--dir", &dir, "--key-file", &key]].concat();
    says(&run(&words)?, NOT_MADE, &["nowhere/key"])?;
    ensure(!root.path().join("a").exists(), || {
        String::from("it left the folder")
    })
}
