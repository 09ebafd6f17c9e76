//! A database with bytes that nobody wrote: refused at the start where that can be seen there, else told by `doctor` and by the first read.

use std::{
    collections::BTreeMap,
    fs,
    path::{Path, PathBuf},
};

use maillon_protocol::admin::ErrorCode;
use maillon_tests::daemon::{Daemon, Settings, Trouble};

use super::{FOLDER, kept, read, says, still_works, works, write};
use crate::{Story, ensure, folder};

/// RocksDB's files that end like this and hold something, by name.
fn files(daemon: &Daemon, ending: &str) -> Result<Vec<PathBuf>, Trouble> {
    let all = kept(&daemon.folder().join("rocksdb"))?.into_iter();
    let found =
        all.filter(|(path, bytes)| path.to_string_lossy().ends_with(ending) && !bytes.is_empty());
    Ok(found.map(|(path, _)| path).collect())
}

/// Refused as damaged, with everything that the node keeps as it was.
fn is_damaged(daemon: &Daemon) -> Story {
    let before = kept(&daemon.folder())?;
    says(&daemon.refused()?, FOLDER, &["damaged", "backup"])?;
    let after = kept(&daemon.folder())?;
    let lost = before
        .iter()
        .find(|(path, bytes)| after.get(*path) != Some(*bytes));
    ensure(lost.is_none(), || {
        format!("{:?} was changed", lost.map(|(path, _)| path))
    })
}

fn flip(path: &Path, place: usize) -> Story {
    let mut bytes = read(path)?;
    bytes[place] ^= 0x10;
    write(path, bytes)
}

/// A node that was killed: what it wrote stands in its write-ahead log.
fn killed(root: &Path) -> Result<Daemon, Trouble> {
    let mut daemon = Daemon::new(root, Settings::dac())?;
    works(&daemon)?;
    daemon.kill()?;
    Ok(daemon)
}

#[test]
fn a_byte_flipped_in_the_middle_of_the_log_is_refused_and_everything_stays_as_it_was() -> Story {
    let root = folder()?;
    let daemon = killed(root.path())?;
    let logs = files(&daemon, ".log")?;
    let log = logs.last().ok_or_else(|| Trouble::wrong("no log"))?;
    let middle = read(log)?.len() / 2;
    flip(log, middle)?;
    is_damaged(&daemon)?;
    flip(log, middle)?;
    still_works(daemon)
}

#[test]
fn a_list_of_files_that_was_cut_short_is_refused_and_everything_stays_as_it_was() -> Story {
    let root = folder()?;
    let mut daemon = killed(root.path())?;
    daemon.start()?;
    daemon.stop()?;
    let lists: Vec<PathBuf> = kept(&daemon.folder().join("rocksdb"))?
        .into_keys()
        .filter(|path| path.to_string_lossy().contains("MANIFEST-"))
        .collect();
    let list = lists.last().ok_or_else(|| Trouble::wrong("no manifest"))?;
    let whole = read(list)?;
    for length in [0, 1, whole.len() / 2, whole.len() - 200, whole.len() - 1] {
        write(list, &whole[..length])?;
        is_damaged(&daemon)?;
    }
    write(list, whole)?;
    still_works(daemon)
}

#[test]
fn missing_files_of_the_database_are_refused_one_by_one() -> Story {
    let root = folder()?;
    let mut daemon = killed(root.path())?;
    // The second life has table files.
    daemon.start()?;
    daemon.stop()?;
    let tables = files(&daemon, ".sst")?;
    ensure(!tables.is_empty(), || String::from("no table file"))?;
    let current = daemon.folder().join("rocksdb").join("CURRENT");
    let away = root.path().join("away");
    let moved = |from: &Path, to: &Path| fs::rename(from, to).map_err(Trouble::io("a file"));
    for path in tables.iter().chain([&current]) {
        moved(path, &away)?;
        is_damaged(&daemon)?;
        moved(&away, path)?;
    }
    still_works(daemon)
}

/// It started on a damaged table file: somebody must be told.
fn is_told(daemon: &mut Daemon) -> Story {
    let mut client = daemon.client()?;
    let doctor = match client.doctor() {
        Ok(checks) => checks.iter().any(|check| {
            check.name == "store.every-row-opens" && !check.holds && check.advice.is_some()
        }),
        // The circles could not even be looked through.
        Err(error) => error.code() == Some(ErrorCode::Storage),
    };
    ensure(doctor, || String::from("doctor says nothing"))
}

/// Puts every file back as it was, and takes away what was not there.
fn restore(daemon: &Daemon, backup: &BTreeMap<PathBuf, Vec<u8>>) -> Story {
    for path in kept(&daemon.folder())?.into_keys() {
        if !backup.contains_key(&path) {
            fs::remove_file(&path).map_err(Trouble::io("a file"))?;
        }
    }
    backup
        .iter()
        .try_for_each(|(path, bytes)| write(path, bytes))
}

#[test]
fn a_byte_flipped_in_a_table_file_is_refused_or_told_and_never_read_as_something_else() -> Story {
    let root = folder()?;
    let mut daemon = killed(root.path())?;
    daemon.start()?;
    daemon.stop()?;
    let backup = kept(&daemon.folder())?;
    let (mut refused, mut told) = (0, 0);
    for path in files(&daemon, ".sst")? {
        let good = read(&path)?;
        // The first rows stand at the beginning, what RocksDB says of them at the end.
        for place in [40, good.len() / 2, good.len() - 60] {
            flip(&path, place)?;
            match daemon.start() {
                Ok(_) => {
                    is_told(&mut daemon)?;
                    told += 1;
                    daemon.kill()?;
                }
                Err(Trouble::Exited { status, words, .. }) => {
                    let named = words.contains("damaged") && words.contains("backup");
                    ensure(status.code() == Some(FOLDER) && named, || {
                        format!("{}: {status}: {words}", path.display())
                    })?;
                    refused += 1;
                }
                Err(other) => return Err(other),
            }
            // A life on a damaged folder writes on: back to the good one, as from a backup.
            restore(&daemon, &backup)?;
        }
    }
    ensure(refused + told > 0, || String::from("no table file"))?;
    still_works(daemon)
}
