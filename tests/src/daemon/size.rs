//! How large a daemon's process is, as the system counts it.

use std::fs;

use super::{Daemon, Trouble};

impl Daemon {
    /// Its memory that is resident, KiB.
    ///
    /// # Errors
    /// [`Trouble::Wrong`] where it does not run, and the system's.
    pub fn memory_kib(&self) -> Result<u64, Trouble> {
        let path = format!("/proc/{}/status", self.running()?);
        let status = fs::read_to_string(&path).map_err(Trouble::io(path))?;
        let line = status
            .lines()
            .find_map(|line| line.strip_prefix("VmRSS:")?.split_whitespace().next());
        line.and_then(|number| number.parse().ok())
            .ok_or_else(|| Trouble::wrong("the system does not say its memory"))
    }

    /// Files, sockets and pipes that it has open.
    ///
    /// # Errors
    /// As [`Daemon::memory_kib`].
    pub fn descriptors(&self) -> Result<usize, Trouble> {
        let path = format!("/proc/{}/fd", self.running()?);
        Ok(fs::read_dir(&path).map_err(Trouble::io(path))?.count())
    }

    fn running(&self) -> Result<u32, Trouble> {
        let name = &self.settings.name;
        self.pid()
            .ok_or_else(|| Trouble::wrong(format!("{name} does not run")))
    }
}
