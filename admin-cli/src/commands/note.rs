//! `note`: notes of the liaison notebook.

use clap::{Args, Subcommand};
use maillon_protocol::{
    admin::{Call, SharingRefused, Written},
    content::NoteKind,
};

use super::alert::states;
use crate::{
    arguments::word,
    failure::Failure,
    session::{Session, answer},
    terminal::{View, words},
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
        session.print(&answer, |view| {
            written(view, "The note has been written", &answer)
        })
    }
}

/// What is said of a record that was written.
pub(super) fn written(view: &View, sentence: &str, answer: &Written) -> String {
    let circle = words::short(&answer.circle);
    let mut said = format!(
        "{sentence} as record {} in circle {circle}.",
        words::short(&answer.record),
    );
    if let Some(against) = &answer.against {
        said += &format!(
            "\n! {} The other structures of the circle go on reading what is written; if they are to stop: maillonctl circle remove {circle} MEMBER",
            refused(view, against)
        );
    }
    said
}

/// What the person said against sharing, who recorded it and when.
pub(super) fn refused(view: &View, refused: &SharingRefused) -> String {
    let what = if refused.withdrawn {
        "no longer agrees to share this file"
    } else {
        "does not agree to share this file"
    };
    format!(
        "The person {what}: {} recorded it, {}.",
        states::somebody(&refused.by, &refused.structure),
        view.clock.when(refused.at_ms)
    )
}
