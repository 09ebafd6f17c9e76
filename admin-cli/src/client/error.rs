//! Why a call came to nothing, and what a person can do about it.

use std::{
    io,
    path::{Path, PathBuf},
};

use maillon_protocol::{
    admin::{AdminError, ErrorCode, VERSION},
    limits,
};

/// Why a call came to nothing.
#[derive(Debug, thiserror::Error)]
pub enum ClientError {
    /// There is no socket at that path.
    #[error("there is no admin socket at {}", .0.display())]
    NoSocket(PathBuf),
    /// Nobody named a socket, and there is none in any of the usual places.
    #[error("no Maillon daemon was found at {}", listed(.0))]
    Nowhere(Vec<PathBuf>),
    /// The socket is of another user.
    #[error("this user may not use the admin socket {}", .0.display())]
    Permission(PathBuf),
    /// The socket's file is there, and nobody listens.
    #[error("nobody listens on the admin socket {}", .0.display())]
    NobodyListens(PathBuf),
    /// Somebody listens, and closed the connection without a word: what the daemon does where another user connects.
    #[error("the daemon closed the connection to {} without a greeting", .0.display())]
    NoGreeting(PathBuf),
    /// Somebody listens, and says nothing.
    #[error("the daemon takes connections at {} and does not greet: it is held, or has too much to do", .0.display())]
    Silent(PathBuf),
    /// The daemon speaks another version of the admin API.
    #[error(
        "the daemon speaks version {daemon} of the admin API, this program speaks version {VERSION}"
    )]
    Version {
        /// The daemon's.
        daemon: u32,
        /// Version of the daemon's program; written by the other end.
        program: String,
    },
    /// The daemon announces a frame that is longer than any may be.
    #[error(
        "the answer announces {bytes} bytes, and {} are allowed",
        limits::FRAME
    )]
    TooLong {
        /// What it announces.
        bytes: usize,
    },
    /// The request does not fit into a frame.
    #[error("the request has {bytes} bytes, and {} are allowed", limits::FRAME)]
    RequestTooLong {
        /// Its length.
        bytes: usize,
    },
    /// What was read is not of the admin API.
    #[error("the answer is not one of a Maillon daemon")]
    Garbled,
    /// The daemon closed before the answer was complete.
    #[error("the daemon closed the connection before it had answered")]
    Closed,
    /// Nothing came within the read timeout. The connection can be used again.
    #[error("the daemon did not answer in time")]
    TimedOut,
    /// Anything else that reading and writing can come to.
    #[error("the connection to the daemon failed: {0}")]
    Io(#[from] io::Error),
    /// The daemon refused, and says why.
    #[error(transparent)]
    Refused(AdminError),
}

impl ClientError {
    pub(super) fn connecting(path: &Path, cause: io::Error) -> Self {
        match cause.kind() {
            io::ErrorKind::NotFound => Self::NoSocket(path.to_owned()),
            io::ErrorKind::PermissionDenied => Self::Permission(path.to_owned()),
            io::ErrorKind::ConnectionRefused => Self::NobodyListens(path.to_owned()),
            _ => Self::Io(cause),
        }
    }

    /// A fixed word that programs can act on: the daemon's [`ErrorCode`], or one of this end.
    pub fn code(&self) -> String {
        let word = match self {
            Self::NoSocket(_) | Self::Nowhere(_) | Self::Permission(_) | Self::NobodyListens(_) => {
                "no-daemon"
            }
            Self::NoGreeting(_) | Self::Silent(_) | Self::Closed | Self::TimedOut | Self::Io(_) => {
                "connection"
            }
            Self::Version { .. } => "version",
            Self::TooLong { .. } | Self::Garbled => "garbled",
            Self::RequestTooLong { .. } => "limit",
            Self::Refused(error) => return word_of(error.code),
        };
        word.to_owned()
    }

    /// What to do next, in one sentence.
    pub fn action(&self) -> String {
        match self {
            Self::NoSocket(_) => "Start the daemon (maillond run --dir DIR), or name its socket or its data folder with --socket or MAILLON_SOCKET. If it runs and the socket's file was removed, restart it: that makes the file again.".to_owned(),
            Self::Nowhere(_) => "Start the daemon (maillond run --dir DIR); at its start it prints the line that tells maillonctl where it is: export MAILLON_SOCKET=….".to_owned(),
            Self::Permission(_) => "Run the command as the user of the daemon (sudo -u maillon maillonctl …) or with sudo.".to_owned(),
            Self::NoGreeting(_) => "It serves its own user and root: run the command as that user (sudo -u maillon maillonctl …) or with sudo. If you do, its log says why.".to_owned(),
            Self::Silent(_) => "Look at its process (systemctl status, top): continue it if it is stopped (kill -CONT), or restart it.".to_owned(),
            Self::NobodyListens(_) => "The daemon has stopped: start it (maillond run --dir DIR), and read its log if it stopped by itself.".to_owned(),
            Self::Version { program, .. } => format!(
                "Use the maillonctl that was installed with the daemon (its version is {program}), and restart the daemon after an update."
            ),
            Self::TooLong { .. } | Self::Garbled => {
                "Check that --socket names the admin socket of maillond and not that of another program.".to_owned()
            }
            Self::RequestTooLong { .. } => "Send less at once.".to_owned(),
            Self::Closed | Self::TimedOut | Self::Io(_) => {
                "See whether the daemon still runs (maillonctl status) and read its log before you try again: the call may have been carried out.".to_owned()
            }
            Self::Refused(error) => error.action.clone(),
        }
    }

    /// Exit code of `maillonctl`.
    pub const fn exit_code(&self) -> i32 {
        match self {
            Self::NoSocket(_)
            | Self::Nowhere(_)
            | Self::Permission(_)
            | Self::NobodyListens(_)
            | Self::NoGreeting(_)
            | Self::Silent(_)
            | Self::Closed
            | Self::TimedOut
            | Self::Io(_) => 3,
            Self::Version { .. } | Self::TooLong { .. } | Self::Garbled => {
                ErrorCode::Version.exit_code()
            }
            Self::RequestTooLong { .. } => ErrorCode::Limit.exit_code(),
            Self::Refused(error) => error.code.exit_code(),
        }
    }
}

/// Paths as a person lists them.
fn listed(paths: &[PathBuf]) -> String {
    let paths: Vec<_> = paths
        .iter()
        .map(|path| path.display().to_string())
        .collect();
    paths.join(" or ")
}

/// The word that a code is on the wire.
fn word_of(code: ErrorCode) -> String {
    match serde_json::to_value(code) {
        Ok(serde_json::Value::String(word)) => word,
        _ => "internal".to_owned(),
    }
}
