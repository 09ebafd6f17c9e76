//! `document`: files of a dossier.

mod add;
mod save;

use clap::Subcommand;

use crate::{failure::Failure, session::Session};

/// Documents of a circle
#[derive(Debug, Subcommand)]
#[command(
    after_help = "Example:\n  maillonctl document add letter.pdf --circle 5f3a09c1d2e4 --as 7b21\n  maillonctl document save 9c04d1e7aa52 letter.pdf --as 7b21"
)]
pub(crate) enum Document {
    Add(add::Add),
    Save(save::Save),
}

impl Document {
    pub(super) fn run(&self, session: &mut Session<'_, '_>) -> Result<u8, Failure> {
        match self {
            Self::Add(command) => command.run(session),
            Self::Save(command) => command.run(session),
        }
    }
}
