//! The demonstration's folder: new, made before, or somebody else's.

use std::{
    fs, io,
    path::{Path, PathBuf},
};

use super::DemoError;
use crate::durable;

/// The file that says that a folder holds a demonstration.
const MARK: &str = "DEMO";
const UNFINISHED: &[u8] = b"maillon demo 1: unfinished\n";
const READY: &[u8] = b"maillon demo 1: ready\n";

/// A folder for a demonstration.
pub(super) struct Folder {
    /// Where, absolute.
    pub(super) path: PathBuf,
    /// Whether it holds a whole demonstration already.
    pub(super) made: bool,
}

fn cannot(path: &Path) -> impl Fn(io::Error) -> DemoError + '_ {
    |source| DemoError::Folder {
        path: path.to_owned(),
        source,
    }
}

/// Whether a data folder is one of a demonstration's.
pub(crate) fn holds(data: &Path) -> bool {
    let parent = fs::canonicalize(data)
        .ok()
        .and_then(|data| data.parent().map(Path::to_owned));
    parent.is_some_and(|parent| {
        let mark = durable::read(&parent.join(MARK), 64);
        matches!(mark, Ok(Some(text)) if text == READY || text == UNFINISHED)
    })
}

impl Folder {
    /// Looks at `dir`, and marks it as a demonstration's where it is empty or does not exist.
    ///
    /// # Errors
    /// [`DemoError::NotADemo`], [`DemoError::Unfinished`], [`DemoError::OtherVersion`], [`DemoError::Folder`]; nothing is touched then.
    pub(super) fn open(dir: &Path) -> Result<Self, DemoError> {
        let cannot = cannot(dir);
        durable::make_folder(dir).map_err(&cannot)?;
        let path = fs::canonicalize(dir).map_err(&cannot)?;
        let mark = path.join(MARK);
        let made = match durable::read(&mark, 64).map_err(&cannot)? {
            Some(text) if text == READY => true,
            Some(text) if text == UNFINISHED => return Err(DemoError::Unfinished(path)),
            Some(_) => return Err(DemoError::OtherVersion(path)),
            None => {
                if fs::read_dir(&path).map_err(&cannot)?.next().is_some() {
                    return Err(DemoError::NotADemo(path));
                }
                durable::replace(&mark, UNFINISHED).map_err(&cannot)?;
                false
            }
        };
        Ok(Self { path, made })
    }

    /// Everything is there: the next start uses it again.
    pub(super) fn finish(&self) -> Result<(), DemoError> {
        durable::replace(&self.path.join(MARK), READY).map_err(cannot(&self.path))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_folder_of_somebody_else_is_refused_and_left_as_it_is() {
        let dir = tempfile::tempdir().expect("a folder");
        fs::write(dir.path().join("thesis.odt"), "years of work").expect("a file");
        assert!(matches!(
            Folder::open(dir.path()),
            Err(DemoError::NotADemo(_))
        ));
        assert_eq!(fs::read_dir(dir.path()).expect("readable").count(), 1);
    }

    #[test]
    fn a_finished_demonstration_is_used_again_and_an_interrupted_one_is_not() {
        let dir = tempfile::tempdir().expect("a folder");
        let folder = Folder::open(dir.path()).expect("an empty folder will do");
        assert!(!folder.made);
        assert!(matches!(
            Folder::open(dir.path()),
            Err(DemoError::Unfinished(_))
        ));
        folder.finish().expect("writable");
        assert!(Folder::open(dir.path()).expect("a demonstration").made);
        fs::create_dir(dir.path().join("dac")).expect("a folder");
        assert!(holds(&dir.path().join("dac")));
        assert!(!holds(dir.path()));
    }
}
