//! `note`: notes of the liaison notebook.

use clap::{Args, Subcommand};
use maillon_protocol::{
    admin::{Call, Written},
    content::NoteKind,
};

use crate::{
    arguments::word,
    failure::Failure,
    session::{Session, answer},
    terminal::words,
};

/// Notes of the liaison notebook
#[derive(Debug, Subcommand)]
#[command(
    after_help = "Example:\n  echo 'Seen this morning' | maillonctl note add 5f3a09c1d2e4 - --as 7b21"
)]
pub(crate) enum Note {
    Add(Add),
}

/// Write a note
///
/// Other users of this machine can see the words of a running command: pass the text on standard input where that matters.
#[derive(Debug, Args)]
#[command(
    after_help = "Example:\n  maillonctl note add 5f3a09c1d2e4 'Dressing changed, no fever' --kind observation --as 7b21\n  maillonctl note add 5f3a09c1d2e4 - --as 7b21"
)]
pub(crate) struct Add {
    /// The circle
    circle: String,
    /// What the note says; - reads it from standard input
    #[arg(allow_hyphen_values = true)]
    text: String,
    /// Which of the five national kinds
    #[arg(long, default_value = "general", value_parser = word::<NoteKind>(&["general", "observation", "instruction", "intervention", "advice-request"]))]
    kind: NoteKind,
    /// The note is about an emergency
    #[arg(long)]
    emergency: bool,
}

impl Note {
    pub(super) fn run(&self, session: &mut Session<'_, '_>) -> Result<u8, Failure> {
        let Self::Add(add) = self;
        let call = Call::NoteAdd {
            circle: add.circle.clone(),
            note: add.kind,
            text: session.text(&add.text)?,
            emergency: add.emergency,
        };
        let answer = answer!(session, call, Written);
        session.print(&answer, |_| written("The note has been written", &answer))
    }
}

/// What is said of a record that was written.
pub(super) fn written(sentence: &str, answer: &Written) -> String {
    format!(
        "{sentence} as record {} in circle {}.",
        words::short(&answer.record),
        words::short(&answer.circle)
    )
}
