//! `record`: records one by one.

mod export;
mod list;
mod show;
mod verify;

use clap::Subcommand;

use crate::{failure::Failure, session::Session};

/// Records, one by one
#[derive(Debug, Subcommand)]
#[command(after_help = "Example:\n  maillonctl record list 5f3a09c1d2e4")]
pub(crate) enum Record {
    List(list::List),
    Show(show::Show),
    Export(export::Export),
    Verify(verify::Verify),
}

impl Record {
    pub(super) fn run(&self, session: &mut Session<'_, '_>) -> Result<u8, Failure> {
        match self {
            Self::List(command) => command.run(session),
            Self::Show(command) => command.run(session),
            Self::Export(command) => command.run(session),
            Self::Verify(command) => command.run(session),
        }
    }
}
