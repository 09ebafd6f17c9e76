//! What a command that did not succeed says, and with which code it ends.

use std::{
    io::{self, Write},
    path::{Path, PathBuf},
};

use serde_json::json;

use crate::{client::ClientError, terminal::text};

/// Every exit code with its meaning, as the long help prints them.
pub const EXIT_CODES: &str = "\
Exit codes:
   0  Done. For status and doctor: nothing to do.
   1  status: look at it in the next days. doctor: something does not hold, and a command repairs it.
   2  status: do something now. doctor: something does not hold, and a person must act. audit verify: the trail does not hold.
   3  The daemon cannot be reached: is it running?
  64  The command is not well formed, a value is out of range, or nobody confirmed it.
  66  Nothing has that name, several things have it, or a file cannot be read.
  69  The other node cannot be reached; also where its peering is suspended or has ended here.
  70  A defect of the program: please report it with the request's id.
  74  The disk is full, read-only or damaged, or a file cannot be written.
  75  The state of things does not allow it now.
  76  This program and the daemon do not understand each other, usually after an update.
  77  A professional is needed (--as), care commands are switched off, or the person's information is not recorded.
  78  A limit has been reached.";

/// What a command line that is not well formed ends with; clap's own 2 means something else here.
pub(crate) const USAGE: u8 = 64;

/// A file as a sentence begins with it: its name, as it was typed, is never the first word, which gets a capital letter.
pub(crate) fn named(path: &Path) -> String {
    if path == Path::new("-") {
        "standard input".to_owned()
    } else {
        format!("the file {}", path.display())
    }
}

/// Why a command did not succeed. A cause begins with a word of ours, never with something that was typed.
#[derive(Debug, thiserror::Error)]
pub(crate) enum Failure {
    /// The daemon or the way to it.
    #[error(transparent)]
    Client(#[from] ClientError),
    /// A command line that is not well formed.
    #[error("{cause}")]
    Usage { cause: String, action: String },
    /// A value that the person typed.
    #[error("{cause}")]
    Value { cause: String, action: &'static str },
    /// A name that nothing has, or several things have.
    #[error("{cause}")]
    Name { cause: String, action: &'static str },
    /// The state of things does not allow it now.
    #[error("{cause}")]
    NotNow { cause: String, action: &'static str },
    /// A file, or standard input, that cannot be read.
    #[error("{} cannot be read: {why}", named(.path))]
    Read { path: PathBuf, why: io::Error },
    /// A file that cannot be written.
    #[error("{} cannot be written: {why}", named(.path))]
    Write { path: PathBuf, why: io::Error },
    /// A file that is longer than what the command takes.
    #[error("{} has more than {limit} bytes, which is all that is taken here", named(.path))]
    TooLarge { path: PathBuf, limit: usize },
    /// A file that is longer than the protocol carries.
    #[error("{} has more than {limit} bytes, which is all that one file may have", named(.path))]
    TooLong { path: PathBuf, limit: u64 },
    /// Bytes that are not those which the record names.
    #[error("the file that came is not the one which its record names; nothing was saved")]
    OtherFile,
    /// Nobody said yes.
    #[error("nothing was done, because nobody confirmed it")]
    Unconfirmed {
        /// What would happen, for a program; a person has read it before.
        would: Vec<String>,
    },
    /// Standard output.
    #[error("the output cannot be written: {0}")]
    Output(#[from] io::Error),
    /// An answer of another kind than the call's.
    #[error("the daemon answered something else than was asked")]
    Unexpected,
}

impl Failure {
    fn code(&self) -> String {
        match self {
            Self::Client(error) => return error.code(),
            Self::Usage { .. } | Self::Value { .. } => "bad-request",
            Self::Name { .. } => "not-found",
            Self::NotNow { .. } => "conflict",
            Self::Read { .. } | Self::Write { .. } | Self::Output(_) => "file",
            Self::TooLarge { .. } | Self::TooLong { .. } => "limit",
            Self::OtherFile => "other-file",
            Self::Unconfirmed { .. } => "unconfirmed",
            Self::Unexpected => "garbled",
        }
        .to_owned()
    }

    fn action(&self) -> String {
        match self {
            Self::Client(error) => return error.action(),
            Self::Usage { action, .. } => return action.clone(),
            Self::Value { action, .. }
            | Self::Name { action, .. }
            | Self::NotNow { action, .. } => action,
            Self::Read { .. } => "Check the path and whether this user may read the file.",
            Self::Write { .. } => {
                "Name a file that does not exist yet, in a folder where this user may write."
            }
            Self::OtherFile => "Run `maillonctl doctor` at this node.",
            Self::TooLarge { .. } | Self::TooLong { .. } => "Split the file into smaller ones.",
            Self::Unconfirmed { .. } => "Repeat the command with --yes if you want it.",
            Self::Output(_) => "Check the disk or the program that reads the output.",
            Self::Unexpected => "Use the maillonctl that was installed with the daemon.",
        }
        .to_owned()
    }

    /// The exit code, as [`EXIT_CODES`] has it.
    pub(crate) fn exit_code(&self) -> u8 {
        match self {
            Self::Client(error) => u8::try_from(error.exit_code()).unwrap_or(70),
            Self::Usage { .. } | Self::Value { .. } | Self::Unconfirmed { .. } => USAGE,
            Self::NotNow { .. } => 75,
            Self::Name { .. } | Self::Read { .. } => 66,
            Self::Write { .. } | Self::Output(_) => 74,
            Self::Unexpected => 76,
            Self::OtherFile => 74,
            Self::TooLarge { .. } | Self::TooLong { .. } => 78,
        }
    }

    /// The daemon's id of the request that it refused.
    fn request(&self) -> Option<&str> {
        match self {
            Self::Client(ClientError::Refused(error)) => {
                Some(error.request.as_str()).filter(|id| !id.is_empty())
            }
            _ => None,
        }
    }

    /// Says what is wrong, what to do and which request it was; returns the exit code. A reader that has gone (`maillonctl … | head`) is no
    /// failure and hears nothing.
    pub(crate) fn show(&self, notes: &mut dyn Write, json: bool) -> u8 {
        if matches!(self, Self::Output(error) if error.kind() == io::ErrorKind::BrokenPipe) {
            return 0;
        }
        let said = if json {
            let mut value = json!({
                "code": self.code(),
                "cause": self.to_string(),
                "action": self.action(),
                "request": self.request(),
                "exit": self.exit_code(),
            });
            if let Self::Unconfirmed { would } = self {
                value["would"] = json!(would);
            }
            writeln!(notes, "{}", text::json(&value))
        } else {
            let request = self
                .request()
                .map(|id| format!("\n  (request {})", text::line(id)))
                .unwrap_or_default();
            writeln!(
                notes,
                "Error: {}\n  → {}{request}",
                text::line(&text::sentence(&self.to_string())),
                text::line(&self.action()),
            )
        };
        // Where standard error is closed too, the exit code still says it.
        drop(said);
        self.exit_code()
    }
}
