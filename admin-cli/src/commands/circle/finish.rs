//! `circle finish` and `circle finished`: a file whose time is over.

use clap::Args;
use maillon_protocol::admin::{Call, FinishedLine};

use super::change::meant;
use crate::{
    failure::Failure,
    session::{Consequence, Session, answer},
    terminal::{View, text, words},
};

/// Let go of a file that has ended, for good
///
/// A file ends when its circle is closed, or when this structure has left it. The other structures keep theirs for as long as they decide. A copy of
/// this node that was made before holds it still.
#[derive(Debug, Args)]
#[command(after_help = "Example:\n  maillonctl circle finish 5f3a09c1d2e4 --yes --as 7b21")]
pub(crate) struct Finish {
    /// The circle
    circle: String,
    /// Do it without asking
    #[arg(long)]
    yes: bool,
}

/// Show the files of which this node has let go
#[derive(Debug, Args)]
#[command(after_help = "Example:\n  maillonctl circle finished")]
pub(crate) struct FinishedFiles {}

impl Finish {
    pub(super) fn run(&self, session: &mut Session<'_, '_>) -> Result<u8, Failure> {
        session.confirm(self.yes, |session| {
            let circle = meant(session, &self.circle)?;
            Ok(Consequence {
                lines: vec![
                    format!("This node lets go of {circle}: everything that was written in it, its documents and its keys."),
                    "Nothing of it can be read here any more, and it comes back only with a new invitation.".to_owned(),
                    "The other structures keep what they have.".to_owned(),
                ],
            })
        })?;
        session.done(
            Call::CircleFinish {
                circle: self.circle.clone(),
            },
            "This node has let go of it; the rest of it is swept away now (maillonctl circle finished).",
        )
    }
}

impl FinishedFiles {
    pub(super) fn run(&self, session: &mut Session<'_, '_>) -> Result<u8, Failure> {
        let lines = answer!(session, Call::CircleFinished, Finished);
        session.print(&lines, |view| {
            if lines.is_empty() {
                return "This node has let go of no file.".to_owned();
            }
            let all: Vec<_> = lines.iter().map(|line| one(view, line)).collect();
            all.join("\n")
        })
    }
}

fn one(view: &View, line: &FinishedLine) -> String {
    let with: Vec<_> = line
        .structures
        .iter()
        .map(|name| text::line(name))
        .collect();
    let left = if line.swept { "" } else { ", being swept away" };
    format!(
        "{} ended {}, let go of {}{left}: {}, with {}",
        words::short(&line.circle),
        view.clock.when(line.ended_ms),
        view.clock.when(line.finished_ms),
        words::count(line.records, "record"),
        with.join(", ")
    )
}
