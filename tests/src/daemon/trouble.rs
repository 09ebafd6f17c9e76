//! What goes wrong with a daemon under test, in sentences that say where to look.

use std::{io, path::PathBuf, process::ExitStatus};

use maillon_protocol::admin::{AdminError, ErrorCode};

/// Why a step with a daemon failed.
#[derive(Debug, thiserror::Error)]
pub enum Trouble {
    /// A program of the workspace is not where it is looked for.
    #[error(
        "there is no program {name} in {folder}: build it with `cargo build --workspace --bins`, or set MAILLON_BIN"
    )]
    NoProgram {
        /// Its name.
        name: String,
        /// Where it was looked for.
        folder: PathBuf,
    },
    /// A program ended when it should have gone on, or with the wrong exit code.
    #[error("{name} ended with {status}; it wrote:\n{words}")]
    Exited {
        /// Which.
        name: String,
        /// How.
        status: ExitStatus,
        /// The end of its log.
        words: String,
    },
    /// A condition did not come true in its time.
    #[error("{what} did not happen within {seconds:.1} s{last}")]
    TooLate {
        /// What was awaited.
        what: String,
        /// For how long.
        seconds: f64,
        /// What the last look showed, with a colon before it; may be empty.
        last: String,
    },
    /// The daemon refused a call.
    #[error("refused ({:?}): {}", .0.code, .0.cause)]
    Refused(AdminError),
    /// The daemon sent something that the admin API does not allow.
    #[error("the admin socket answered out of turn: {0}")]
    Protocol(String),
    /// The connection to the daemon ended.
    #[error("the admin socket was closed")]
    Closed,
    /// Something holds that should not, or the reverse.
    #[error("{0}")]
    Wrong(String),
    /// The system.
    #[error("{what}: {source}")]
    Io {
        /// What was tried.
        what: String,
        /// What the system said.
        source: io::Error,
    },
}

impl Trouble {
    /// Names what was tried when the system refused.
    pub fn io(what: impl Into<String>) -> impl FnOnce(io::Error) -> Self {
        let what = what.into();
        move |source| Self::Io { what, source }
    }

    /// Something is not as it should be.
    pub fn wrong(what: impl Into<String>) -> Self {
        Self::Wrong(what.into())
    }

    /// The code, where the daemon refused a call.
    pub fn code(&self) -> Option<ErrorCode> {
        match self {
            Self::Refused(error) => Some(error.code),
            _ => None,
        }
    }
}

/// `Err` with a sentence where a condition does not hold.
pub(crate) fn ensure(holds: bool, otherwise: impl FnOnce() -> String) -> Result<(), Trouble> {
    if holds {
        Ok(())
    } else {
        Err(Trouble::Wrong(otherwise()))
    }
}
