//! What `maillond` refuses before it touches anything: a sentence that says what to do, a documented exit code, and the folder as it was.

mod configuration;
mod damage;
mod disk;
mod places;
mod secrets;
mod usage;

use std::{
    collections::BTreeMap,
    fs,
    os::unix::fs::PermissionsExt,
    path::{Path, PathBuf},
    time::SystemTime,
};

use maillon_tests::daemon::{Daemon, Ended, Settings, Trouble, person, professional};

use crate::{Story, ensure};

/// Wrong use, or a configuration that cannot be used.
const USAGE: i32 = 64;
/// The data folder cannot be made.
const NOT_MADE: i32 = 73;
/// The data folder is damaged, full, or of a newer version.
const FOLDER: i32 = 74;
/// Another process has it.
const IN_USE: i32 = 75;
/// Wrong passphrase or key file.
const SECRET: i32 = 77;

/// One file or folder: its bytes, when it was changed, and who may read it.
type Seen = (Vec<u8>, SystemTime, u32);

/// Everything below a folder, folders included.
fn everything(folder: &Path) -> Result<BTreeMap<PathBuf, Seen>, Trouble> {
    let mut all = BTreeMap::new();
    let mut open = vec![folder.to_owned()];
    while let Some(path) = open.pop() {
        let named = |path: &Path| Trouble::io(path.display().to_string());
        let meta = fs::symlink_metadata(&path).map_err(named(&path))?;
        let mut bytes = Vec::new();
        if meta.is_dir() {
            for entry in fs::read_dir(&path).map_err(named(&path))? {
                open.push(entry.map_err(named(&path))?.path());
            }
        } else if meta.is_file() {
            bytes = fs::read(&path).map_err(named(&path))?;
        }
        let changed = meta.modified().map_err(named(&path))?;
        all.insert(path, (bytes, changed, meta.permissions().mode()));
    }
    Ok(all)
}

/// What a node keeps: every file but RocksDB's own words, without the times.
fn kept(folder: &Path) -> Result<BTreeMap<PathBuf, Vec<u8>>, Trouble> {
    let own_words = |path: &Path| {
        let name = path.file_name().map(|name| name.to_string_lossy());
        name.is_some_and(|name| name.starts_with("LOG"))
    };
    let all = everything(folder)?.into_iter();
    let files = all.filter(|(path, _)| path.is_file() && !own_words(path));
    Ok(files.map(|(path, (bytes, _, _))| (path, bytes)).collect())
}

/// A node that has worked and stopped.
fn stopped(root: &Path, settings: Settings) -> Result<Daemon, Trouble> {
    let mut daemon = Daemon::new(root, settings)?;
    works(&daemon)?;
    daemon.stop()?;
    Ok(daemon)
}

/// Writes a little: a professional, a circle, a note.
fn works(daemon: &Daemon) -> Story {
    let who = professional(daemon, "Claire Vasseur", "10999001018", "60")?;
    let mut client = daemon.client()?.acting_as(&who);
    let circle = client.circle_open(person())?.line.circle;
    client.note_add(circle, "Tout va bien.").map(drop)
}

/// It ended by itself with this exit code and words that hold these, and no byte, time or mode in the folder changed.
fn is_refused(daemon: &Daemon, code: i32, words: &[&str]) -> Story {
    let before = everything(&daemon.folder())?;
    says(&daemon.refused()?, code, words)?;
    let after = everything(&daemon.folder())?;
    let changed = before
        .iter()
        .find(|(path, seen)| after.get(*path) != Some(seen));
    let appeared = after.keys().find(|path| !before.contains_key(*path));
    ensure(changed.is_none() && appeared.is_none(), || {
        let path = changed.map(|(path, _)| path).or(appeared);
        format!("{path:?} was touched")
    })
}

/// It ended by itself with this exit code, and one sentence of its own that holds these words.
fn says(ended: &Ended, code: i32, words: &[&str]) -> Story {
    ensure(ended.status.code() == Some(code), || {
        format!(
            "it ended with {} and not {code}: {}",
            ended.status, ended.words
        )
    })?;
    let sentence = ended
        .words
        .lines()
        .any(|line| line.starts_with("maillond: "));
    let missing = words.iter().find(|word| !ended.words.contains(**word));
    ensure(sentence && missing.is_none(), || {
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

fn write(path: &Path, bytes: impl AsRef<[u8]>) -> Story {
    fs::write(path, bytes).map_err(Trouble::io(path.display().to_string()))
}

fn read(path: &Path) -> Result<Vec<u8>, Trouble> {
    fs::read(path).map_err(Trouble::io(path.display().to_string()))
}
