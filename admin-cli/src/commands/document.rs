//! `document`: files of a dossier.

use std::path::PathBuf;

use clap::{Args, Subcommand};
use maillon_protocol::admin::{Call, DocumentState};

use super::{absolute, note::written};
use crate::{
    failure::Failure,
    session::{Session, answer},
    terminal::words,
};

/// Documents of a circle
#[derive(Debug, Subcommand)]
#[command(
    after_help = "Example:\n  maillonctl document save 9c04d1e7aa52 /tmp/letter.pdf --as 7b21"
)]
pub(crate) enum Document {
    Add(Add),
    Save(Save),
}

/// Add a file to a circle as a document
#[derive(Debug, Args)]
#[command(
    after_help = "Example:\n  maillonctl document add 5f3a09c1d2e4 /tmp/letter.pdf --title 'Discharge letter' --type application/pdf --as 7b21"
)]
pub(crate) struct Add {
    /// The circle
    circle: String,
    /// A file that the daemon can read
    file: PathBuf,
    /// The document's title
    #[arg(long)]
    title: String,
    /// Media type of the file
    #[arg(
        long = "type",
        value_name = "MEDIA TYPE",
        default_value = "application/pdf"
    )]
    media_type: String,
}

/// Write a document to a new file, or say how much of it has arrived
#[derive(Debug, Args)]
#[command(
    after_help = "Example:\n  maillonctl document save 9c04d1e7aa52 /tmp/letter.pdf --as 7b21\n  maillonctl document save 9c04d1e7aa52 --as 7b21"
)]
pub(crate) struct Save {
    /// The document's record
    record: String,
    /// A new file that the daemon can write; without it, nothing is written
    file: Option<PathBuf>,
}

impl Document {
    pub(super) fn run(&self, session: &mut Session<'_, '_>) -> Result<u8, Failure> {
        match self {
            Self::Add(add) => {
                let call = Call::DocumentAdd {
                    circle: add.circle.clone(),
                    title: add.title.clone(),
                    media_type: add.media_type.clone(),
                    path: absolute(&add.file)?,
                };
                let answer = answer!(session, call, Written);
                session.print(&answer, |_| written("The document has been added", &answer))
            }
            Self::Save(save) => {
                let call = Call::DocumentSave {
                    record: save.record.clone(),
                    path: save.file.as_deref().map(absolute).transpose()?,
                };
                let state = answer!(session, call, Document);
                session.print(&state, |_| show(&state, save.file.is_some()))
            }
        }
    }
}

fn show(state: &DocumentState, wanted: bool) -> String {
    let size = words::bytes(state.bytes);
    let (here, all) = state.chunks;
    match (state.complete, wanted) {
        (true, true) => format!("The document has been saved: {size}."),
        (true, false) => format!("The document is all here: {size}."),
        (false, _) => format!(
            "{here} of {all} parts have arrived ({size} in all). Nothing was written; repeat the command later."
        ),
    }
}
