//! A clock of the system that is wrong, for one daemon: libfaketime, where it is installed.
//!
//! Unlike `[test] clock_offset_s`, which sets off what the node takes for the time, this reaches every part of the process that asks the
//! system: RocksDB, TLS, libp2p. Only the wall clock is set off; the monotonic one, by which one waits, is left alone, as when an administrator
//! sets the date. The offset stands in a file, which a test may write while the daemon runs.

use std::{
    fs,
    path::{Path, PathBuf},
};

use super::{Settings, Trouble};
use crate::skip::{Means, skip};

/// Where Debian puts it, below the folder of the machine's kind.
const PLACES: &str = "/usr/lib";
const LIBRARY: &str = "faketime/libfaketimeMT.so.1";

/// A wall clock that a test sets.
#[derive(Debug)]
pub struct WrongClock {
    library: PathBuf,
    file: PathBuf,
}

impl WrongClock {
    /// A clock that is right until it is set, kept in a file below `root`. `None` where there is no libfaketime; that has been said then.
    ///
    /// # Errors
    /// The system's.
    pub fn new(root: &Path) -> Result<Option<Self>, Trouble> {
        let places = fs::read_dir(PLACES).into_iter().flatten().flatten();
        let library = places
            .map(|place| place.path().join(LIBRARY))
            .find(|path| path.is_file());
        let Some(library) = library else {
            skip("there is no libfaketime (faketime)", Means::Expected);
            return Ok(None);
        };
        let clock = Self {
            library,
            file: root.join("clock"),
        };
        clock.set(0)?;
        Ok(Some(clock))
    }

    /// So many seconds ahead of the machine's clock from now on, or behind where negative: for daemons that run, too.
    ///
    /// # Errors
    /// The system's.
    pub fn set(&self, seconds: i64) -> Result<(), Trouble> {
        // In one step: a daemon that reads half a number would live in another century.
        let next = self.file.with_extension("next");
        fs::write(&next, format!("{seconds:+}"))
            .and_then(|()| fs::rename(&next, &self.file))
            .map_err(Trouble::io(self.file.display().to_string()))
    }

    /// The settings of a daemon that lives by this clock from its next start on.
    #[must_use]
    pub fn rules(&self, mut settings: Settings) -> Settings {
        let mut set = |name: &str, value: &str| {
            settings
                .environment
                .push((name.to_owned(), value.to_owned()));
        };
        set("LD_PRELOAD", &self.library.display().to_string());
        set("FAKETIME_TIMESTAMP_FILE", &self.file.display().to_string());
        set("FAKETIME_NO_CACHE", "1");
        set("FAKETIME_DONT_FAKE_MONOTONIC", "1");
        set("DONT_FAKE_MONOTONIC", "1");
        settings
    }
}
