//! What `maillond` refuses before it touches anything: a sentence that says what to do, an exit code, and the folder as it was.

use std::{
    collections::BTreeMap,
    fs,
    os::unix::fs::PermissionsExt,
    path::{Path, PathBuf},
};

use maillon_tests::daemon::{Daemon, Ended, Settings, Trouble, person, professional};

use crate::{Story, ensure, folder};

/// Every file below a folder, with its bytes. What only lives while a daemon runs (`run/`) and RocksDB's own words do not count.
fn contents(folder: &Path) -> Result<BTreeMap<PathBuf, Vec<u8>>, Trouble> {
    let mut all = BTreeMap::new();
    let mut open = vec![folder.to_owned()];
    while let Some(next) = open.pop() {
        for entry in fs::read_dir(&next).map_err(Trouble::io("a folder"))? {
            let path = entry.map_err(Trouble::io("a folder"))?.path();
            let name = path
                .file_name()
                .unwrap_or_default()
                .to_string_lossy()
                .into_owned();
            if path.is_dir() && name != "run" {
                open.push(path);
            } else if path.is_file() && !name.starts_with("LOG") {
                let bytes = fs::read(&path).map_err(Trouble::io("a file"))?;
                all.insert(path, bytes);
            }
        }
    }
    Ok(all)
}

/// A node that has worked and stopped.
fn stopped(root: &Path) -> Result<Daemon, Trouble> {
    let mut daemon = Daemon::new(root, Settings::dac())?;
    let who = professional(&daemon, "Claire Vasseur", "10999001018", "60")?;
    let mut client = daemon.client()?.acting_as(&who);
    let circle = client.circle_open(person())?.line.circle;
    client.note_add(circle, "Tout va bien.")?;
    daemon.stop()?;
    Ok(daemon)
}

/// It ended by itself, with an exit code of its own, words that hold these, and nothing changed.
fn is_refused(daemon: &Daemon, words: &[&str]) -> Story {
    let before = contents(&daemon.folder())?;
    let ended = daemon.refused()?;
    says(&ended, words)?;
    ensure(contents(&daemon.folder())? == before, || {
        String::from("something in the data folder was changed")
    })
}

fn says(ended: &Ended, words: &[&str]) -> Story {
    let code = ended.status.code();
    ensure(code.is_some_and(|code| code != 0 && code != 101), || {
        format!("it ended with {}: {}", ended.status, ended.words)
    })?;
    let missing = words.iter().find(|word| !ended.words.contains(**word));
    ensure(missing.is_none(), || {
        format!("it does not say {missing:?}: {}", ended.words)
    })
}

/// After the refusal, with everything put right again, the node works.
fn still_works(mut daemon: Daemon) -> Story {
    daemon.start()?;
    let records = daemon.client()?.status()?.records;
    ensure(records > 0, || String::from("its records are gone"))?;
    daemon.stop()
}

#[test]
fn an_unknown_field_in_the_configuration_is_named() -> Story {
    let root = folder()?;
    let daemon = stopped(root.path())?;
    let path = daemon.configuration();
    let text = fs::read_to_string(&path).map_err(Trouble::io("the configuration"))?;
    let wrong = text.replace("[network]", "[network]\nlisten_to = \"everybody\"");
    fs::write(&path, wrong).map_err(Trouble::io("the configuration"))?;
    is_refused(&daemon, &["maillon.toml", "listen_to"])?;
    still_works(daemon)
}

#[test]
fn a_configuration_that_is_no_toml_is_refused_with_its_line() -> Story {
    let root = folder()?;
    let daemon = stopped(root.path())?;
    fs::write(daemon.configuration(), "[structure\n").map_err(Trouble::io("the configuration"))?;
    is_refused(&daemon, &["maillon.toml", "line 1"])?;
    still_works(daemon)
}

#[test]
fn another_key_file_is_refused() -> Story {
    let root = folder()?;
    let daemon = stopped(root.path())?;
    let right = fs::read(daemon.key_file()).map_err(Trouble::io("the key file"))?;
    fs::write(daemon.key_file(), [7; 32]).map_err(Trouble::io("the key file"))?;
    is_refused(&daemon, &["nothing was changed"])?;
    fs::write(daemon.key_file(), right).map_err(Trouble::io("the key file"))?;
    still_works(daemon)
}

#[test]
fn a_key_file_that_others_may_read_is_refused() -> Story {
    let root = folder()?;
    let daemon = stopped(root.path())?;
    let mode = |bits| {
        let mode = fs::Permissions::from_mode(bits);
        fs::set_permissions(daemon.key_file(), mode).map_err(Trouble::io("the key file"))
    };
    mode(0o644)?;
    is_refused(&daemon, &["chmod 600"])?;
    mode(0o600)?;
    still_works(daemon)
}

#[test]
fn a_folder_in_use_is_refused_and_its_daemon_goes_on() -> Story {
    let root = folder()?;
    let daemon = Daemon::new(root.path(), Settings::dac())?;
    says(&daemon.refused()?, &["in use"])?;
    daemon.client()?.status().map(drop)
}

#[test]
fn a_folder_of_a_newer_version_is_refused() -> Story {
    let root = folder()?;
    let daemon = stopped(root.path())?;
    let files = contents(&daemon.folder())?;
    let format = files.keys().find(|path| path.ends_with("FORMAT"));
    let format = format.ok_or_else(|| Trouble::wrong("no file FORMAT"))?;
    let text = fs::read_to_string(format).map_err(Trouble::io("FORMAT"))?;
    let newer = text.replacen("database 1", "database 999", 1);
    fs::write(format, newer).map_err(Trouble::io("FORMAT"))?;
    is_refused(&daemon, &["999", "install"])?;
    fs::write(format, text).map_err(Trouble::io("FORMAT"))?;
    still_works(daemon)
}

#[test]
fn a_damaged_database_is_refused_and_names_the_backup() -> Story {
    let root = folder()?;
    let daemon = stopped(root.path())?;
    let files = contents(&daemon.folder())?;
    let current = files.keys().find(|path| path.ends_with("CURRENT"));
    let current = current.ok_or_else(|| Trouble::wrong("no file CURRENT"))?;
    let away = root.path().join("CURRENT");
    let moved = |from: &Path, to: &Path| fs::rename(from, to).map_err(Trouble::io("CURRENT"));
    moved(current, &away)?;
    is_refused(&daemon, &["damaged", "backup"])?;
    moved(&away, current)?;
    still_works(daemon)
}

#[test]
fn a_node_is_never_made_over_another_one() -> Story {
    let root = folder()?;
    let daemon = stopped(root.path())?;
    let before = contents(&daemon.folder())?;
    says(&daemon.run_init()?, &["not empty"])?;
    ensure(contents(&daemon.folder())? == before, || {
        String::from("something in the data folder was changed")
    })?;
    still_works(daemon)
}

#[test]
fn nobody_gets_the_keys_of_the_sessions() -> Story {
    let root = folder()?;
    let mut daemon = stopped(root.path())?;
    let keys = root.path().join("session-keys").display().to_string();
    daemon.settings.environment = vec![(String::from("SSLKEYLOGFILE"), keys)];
    is_refused(&daemon, &["SSLKEYLOGFILE"])?;
    daemon.settings.environment.clear();
    still_works(daemon)
}
