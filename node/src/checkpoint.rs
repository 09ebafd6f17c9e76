//! Copies of a whole node, put back, and what a node does that wakes up as one.
//!
//! A *checkpoint* is a folder like the data folder (database, keystore, configuration) with the file `CHECKPOINT` in it. Whoever starts a node
//! in it, or in a folder that it was put back into ([`restore`]), starts one that does not know what it has done since. [`is_one`] tells, and
//! [`wake`] has the replica begin a new incarnation and sign no charter entry before the head is confirmed; only then does the file go. So a
//! copy that somebody made with `cp` from a checkpoint is as safe as one that `maillond restore` put back. A folder that was copied while its
//! node ran, or put back in another way, tells nothing: peers notice by its logs, later.
//!
//! Making one links the database's files where it can, and costs little. It stands in the data folder: to be a backup, it has to be
//! copied to another machine, with the key file or passphrase kept apart from it.

use std::{
    fs, io,
    path::{Path, PathBuf},
};

use maillon_protocol::{cbor, replica::StorageError};

use crate::{
    audit::{self, About, AuditError, By},
    config, durable, keystore,
    ledger::{Ledger, LedgerError},
    store::{FOLDER_NAME, FORMAT_FILE_NAME, Store, StoreError, Table},
};

/// The row that says when the database was last found without its newest commits (Unix milliseconds), and how many bytes of its log were missing.
pub(crate) const LOG_CUT: &[u8] = b"log cut";
/// Says that a folder is a copy from before.
const FILE_NAME: &str = "CHECKPOINT";
/// Where checkpoints are made, in the data folder.
const FOLDER: &str = "checkpoints";

/// Why there is no checkpoint, or none is put back. Nothing half done is left.
#[derive(Debug, thiserror::Error)]
pub enum CheckpointError {
    /// Files.
    #[error("{}: {cause}; check the folder's owner and its disk", .path.display())]
    Folder {
        /// Which.
        path: PathBuf,
        /// What the system says.
        cause: io::Error,
    },
    /// It lacks something.
    #[error(
        "{} is no checkpoint of a node: the file {missing} is not in it; name a folder that `maillonctl checkpoint` made, whole", .path.display()
    )]
    NotOne {
        /// The folder.
        path: PathBuf,
        /// What is missing.
        missing: &'static str,
    },
    /// Nothing is overwritten.
    #[error("{} is not empty: a checkpoint is put back into a new folder", .0.display())]
    NotEmpty(PathBuf),
    /// The database.
    #[error(transparent)]
    Store(#[from] StoreError),
}

/// Why a node that wakes up as a copy does not start.
#[derive(Debug, thiserror::Error)]
pub enum WakeError {
    /// Rows.
    #[error(transparent)]
    Storage(#[from] StorageError),
    /// The trail.
    #[error(transparent)]
    Audit(#[from] AuditError),
}

fn at(path: &Path) -> impl FnOnce(io::Error) -> CheckpointError + '_ {
    |cause| CheckpointError::Folder {
        path: path.to_owned(),
        cause,
    }
}

/// Makes a checkpoint of the node in `dir` as of now, while it runs; its folder and its bytes.
///
/// # Errors
/// [`CheckpointError`]; no part of it is left then.
pub fn make(store: &Store, dir: &Path, now_ms: u64) -> Result<(PathBuf, u64), CheckpointError> {
    let all = dir.join(FOLDER);
    durable::make_folder(&all).map_err(at(&all))?;
    let folder = all.join(name(now_ms));
    store.checkpoint(&folder)?;
    let made = fill(dir, &folder, now_ms).and_then(|()| bytes_of(&folder));
    match made {
        Ok(bytes) => Ok((folder, bytes)),
        Err(cause) => {
            // The first error is the one to tell.
            let _ = fs::remove_dir_all(&folder);
            Err(at(&folder)(cause))
        }
    }
}

/// What a checkpoint holds beside the database. The keystore comes last: without it nothing starts.
fn fill(dir: &Path, folder: &Path, now_ms: u64) -> io::Result<()> {
    let said = format!("made at {now_ms} ms after 1970; the node that starts here begins anew\n");
    durable::write_new(&folder.join(FILE_NAME), said.as_bytes())?;
    for file in [config::FILE_NAME, keystore::FILE_NAME] {
        durable::write_new(&folder.join(file), &fs::read(dir.join(file))?)?;
    }
    durable::sync_folder(folder)
}

/// The moment in UTC, as a folder's name; they sort by it.
fn name(now_ms: u64) -> String {
    let moment = i64::try_from(now_ms).ok();
    let moment = moment.and_then(|ms| jiff::Timestamp::from_millisecond(ms).ok());
    moment.map_or_else(
        || now_ms.to_string(),
        |moment| moment.strftime("%Y-%m-%dT%H%M%S.%3fZ").to_string(),
    )
}

fn bytes_of(folder: &Path) -> io::Result<u64> {
    let mut bytes = 0;
    for entry in fs::read_dir(folder)? {
        let entry = entry?;
        let file = entry.metadata()?;
        bytes += if file.is_dir() {
            bytes_of(&entry.path())?
        } else {
            file.len()
        };
    }
    Ok(bytes)
}

/// Puts a checkpoint back into `dir`, which must be empty or not exist; its bytes.
///
/// # Errors
/// [`CheckpointError`]; `dir` is then as it was.
pub fn restore(checkpoint: &Path, dir: &Path) -> Result<u64, CheckpointError> {
    let database = Path::new(FOLDER_NAME).join("CURRENT");
    let must = [
        (Path::new(FILE_NAME), FILE_NAME),
        (Path::new(config::FILE_NAME), config::FILE_NAME),
        (Path::new(keystore::FILE_NAME), keystore::FILE_NAME),
        (Path::new(FORMAT_FILE_NAME), FORMAT_FILE_NAME),
        (&database, "rocksdb/CURRENT"),
    ];
    for (file, missing) in must {
        if !checkpoint.join(file).is_file() {
            return Err(CheckpointError::NotOne {
                path: checkpoint.to_owned(),
                missing,
            });
        }
    }
    let was_there = dir.exists();
    durable::make_folder(dir).map_err(at(dir))?;
    if fs::read_dir(dir).map_err(at(dir))?.next().is_some() {
        return Err(CheckpointError::NotEmpty(dir.to_owned()));
    }
    durable::close_folder(dir).map_err(at(dir))?;
    put_back(checkpoint, dir).map_err(|cause| {
        for entry in fs::read_dir(dir).into_iter().flatten().flatten() {
            let path = entry.path();
            let _ = fs::remove_dir_all(&path).or_else(|_| fs::remove_file(&path));
        }
        if !was_there {
            let _ = fs::remove_dir(dir);
        }
        at(dir)(cause)
    })
}

/// That it is a copy is said first, and the keystore comes last: what a cut leaves behind does not start, or starts as a copy.
fn put_back(checkpoint: &Path, dir: &Path) -> io::Result<u64> {
    let mut bytes = copy(checkpoint, dir, FILE_NAME)?;
    let database = dir.join(FOLDER_NAME);
    durable::make_folder(&database)?;
    for entry in fs::read_dir(checkpoint.join(FOLDER_NAME))? {
        let entry = entry?;
        if entry.metadata()?.is_file() {
            let file = Path::new(FOLDER_NAME).join(entry.file_name());
            bytes += copy(checkpoint, dir, file)?;
        }
    }
    durable::sync_folder(&database)?;
    for file in [FORMAT_FILE_NAME, config::FILE_NAME, keystore::FILE_NAME] {
        bytes += copy(checkpoint, dir, file)?;
    }
    durable::sync_folder(dir)?;
    Ok(bytes)
}

/// Copies one file, to the disk and for its owner only.
fn copy(from: &Path, to: &Path, file: impl AsRef<Path>) -> io::Result<u64> {
    let target = to.join(&file);
    let mut source = fs::File::open(from.join(&file))?;
    durable::write_new(&target, &[])?;
    let mut target = fs::OpenOptions::new().write(true).open(&target)?;
    let bytes = io::copy(&mut source, &mut target)?;
    target.sync_all()?;
    Ok(bytes)
}

/// Whether the node in `dir` is a copy that has not begun anew yet.
pub fn is_one(dir: &Path) -> bool {
    dir.join(FILE_NAME).exists()
}

/// Has a node that is a copy begin anew, and forgets that it was one. Where it breaks off, the next start does it again. How many circles wait
/// until their head is confirmed.
///
/// # Errors
/// [`WakeError`].
pub async fn wake(dir: &Path, ledger: &Ledger) -> Result<usize, LedgerError<WakeError>> {
    let waiting = begin_anew(ledger, "node.restore", None).await?;
    let gone = fs::remove_file(dir.join(FILE_NAME)).and_then(|()| durable::sync_folder(dir));
    if let Err(error) = gone {
        tracing::warn!(%error, "the file {FILE_NAME} cannot be removed: the next start takes this folder for a copy once more");
    }
    Ok(waiting)
}

/// Has a node whose database lost its newest commits ([`Store::cut`]) begin anew, as a copy from before does: it does not know what it has done in
/// them. How many circles wait until their head is confirmed.
///
/// # Errors
/// [`WakeError`].
pub async fn wake_from_cut(bytes: u64, ledger: &Ledger) -> Result<usize, LedgerError<WakeError>> {
    let waiting = begin_anew(ledger, "node.log-cut", Some(bytes)).await?;
    if let Err(error) = ledger.shared().rows().0.begun_anew() {
        tracing::warn!(%error, "the file CUT cannot be removed: the next start begins anew once more");
    }
    Ok(waiting)
}

async fn begin_anew(
    ledger: &Ledger,
    action: &'static str,
    cut: Option<u64>,
) -> Result<usize, LedgerError<WakeError>> {
    let begun = ledger.run(move |tx| {
        let now = tx.now_ms;
        let waiting = tx.replica.restored(tx.rows, now, tx.rng)?;
        if let Some(bytes) = cut {
            tx.put(Table::Meta, LOG_CUT.to_vec(), cbor::encode(&(now, bytes)));
        }
        audit::note(tx, By::itself(), action, About::NOTHING)?;
        Ok::<_, WakeError>(waiting)
    });
    begun.await
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_no_checkpoint_is_not_put_back_and_nothing_is_overwritten() {
        let folder = tempfile::tempdir().expect("a folder");
        let (from, to) = (folder.path().join("from"), folder.path().join("to"));
        fs::create_dir_all(from.join(FOLDER_NAME)).expect("a folder");
        for (file, missing) in [
            (FILE_NAME, config::FILE_NAME),
            (config::FILE_NAME, keystore::FILE_NAME),
            (keystore::FILE_NAME, FORMAT_FILE_NAME),
            (FORMAT_FILE_NAME, "rocksdb/CURRENT"),
        ] {
            fs::write(from.join(file), b"x").expect("a file");
            match restore(&from, &to) {
                Err(CheckpointError::NotOne { missing: named, .. }) => assert_eq!(named, missing),
                other => panic!("{other:?}"),
            }
            assert!(!to.exists());
        }
        fs::write(from.join("rocksdb/CURRENT"), b"x").expect("a file");
        fs::create_dir(&to).expect("a folder");
        fs::write(to.join("mine"), b"kept").expect("a file");
        let refused = restore(&from, &to);
        assert!(matches!(refused, Err(CheckpointError::NotEmpty(_))));
        assert_eq!(fs::read(to.join("mine")).expect("it is there"), b"kept");
        fs::remove_file(to.join("mine")).expect("it was there");
        assert_eq!(restore(&from, &to).expect("empty"), 5);
        assert!(is_one(&to));
    }
}
