//! `erasure`: what is to be erased, and what each structure does about it.

use clap::{Args, Subcommand};
use maillon_protocol::{
    admin::{Call, ErasureCall, ErasureLine, ErasureWord},
    content::ErasureReason,
};

use super::circle::dossier;
use crate::{
    arguments::word,
    failure::Failure,
    session::{Consequence, Session, answer},
    terminal::{View, text, words},
};

/// Erase what a record says, here and elsewhere
#[derive(Debug, Subcommand)]
#[command(
    after_help = "Example:\n  maillonctl erasure ask 9c0b7e1a2f3d --reason wrong-person --as 7b21"
)]
pub(crate) enum Erasure {
    Ask(Ask),
    List(List),
    Show(Show),
    CarryOut(CarryOut),
    Refuse(Refuse),
}

/// Erase a record here, and ask the other structures to do the same
///
/// The structure that wrote a record may ask, and the circle's steward. Every other structure decides for itself: `erasure show RECORD` says what
/// each has done. What was written, by whom and its files are gone for good; when, and of what kind it was, stays. A copy of this node that was made
/// before holds it still.
#[derive(Debug, Args)]
#[command(
    after_help = "Example:\n  maillonctl erasure ask 9c0b7e1a2f3d --reason wrong-person --as 7b21"
)]
pub(crate) struct Ask {
    /// The record
    record: String,
    /// Why: written into another person's file; inaccurate; the person asks and may; a law says so
    #[arg(long, value_parser = word::<ErasureReason>(&["wrong-person", "inaccurate", "person-asked", "law"]))]
    reason: ErasureReason,
    /// Do it without asking
    #[arg(long)]
    yes: bool,
}

/// Show what other structures ask to erase, and this one has not answered
#[derive(Debug, Args)]
#[command(after_help = "Example:\n  maillonctl erasure list --as 7b21")]
pub(crate) struct List {
    /// One circle only
    circle: Option<String>,
}

/// Show what each structure has done about the erasure of a record
#[derive(Debug, Args)]
#[command(after_help = "Example:\n  maillonctl erasure show 9c0b7e1a2f3d --as 7b21")]
pub(crate) struct Show {
    /// The record that is to be erased
    record: String,
}

/// Erase here what another structure asks to erase
#[derive(Debug, Args)]
#[command(after_help = "Example:\n  maillonctl erasure carry-out 4d1e88a0b6c2 --as 7b21")]
pub(crate) struct CarryOut {
    /// The erasure, as `erasure list` names it
    erasure: String,
    /// Do it without asking
    #[arg(long)]
    yes: bool,
}

/// Keep what another structure asks to erase
#[derive(Debug, Args)]
#[command(after_help = "Example:\n  maillonctl erasure refuse 4d1e88a0b6c2 --as 7b21")]
pub(crate) struct Refuse {
    /// The erasure, as `erasure list` names it
    erasure: String,
}

impl Erasure {
    pub(super) fn run(&self, session: &mut Session<'_, '_>) -> Result<u8, Failure> {
        match self {
            Self::Ask(command) => command.run(session),
            Self::List(command) => command.run(session),
            Self::Show(command) => command.run(session),
            Self::CarryOut(command) => command.run(session),
            Self::Refuse(command) => command.run(session),
        }
    }
}

impl Ask {
    fn run(&self, session: &mut Session<'_, '_>) -> Result<u8, Failure> {
        let record = text::line(&self.record);
        session.confirm(self.yes, |session| {
            let call = Call::RecordShow {
                record: self.record.clone(),
            };
            let held = answer!(session, call, Record);
            let (title, _) = dossier::content(&held);
            let structure = text::line(&held.structure);
            Ok(Consequence {
                lines: vec![
                    format!("Record {record} ({title}, of {structure}) is gone for good here, its files too."),
                    "The other structures are asked to erase it, and decide for themselves.".to_owned(),
                ],
            })
        })?;
        let call = Call::Erasure(ErasureCall::Ask {
            record: self.record.clone(),
            reason: self.reason,
        });
        let written = answer!(session, call, Written);
        session.print(&written, |_| {
            format!(
                "It is erased here, and the other structures are asked (erasure {}).\nmaillonctl erasure show {record} says what they do.",
                words::short(&written.record)
            )
        })
    }
}

impl List {
    fn run(&self, session: &mut Session<'_, '_>) -> Result<u8, Failure> {
        let call = Call::Erasure(ErasureCall::List {
            circle: self.circle.clone(),
        });
        shown(session, call, "Nothing waits to be erased here.")
    }
}

impl Show {
    fn run(&self, session: &mut Session<'_, '_>) -> Result<u8, Failure> {
        let call = Call::Erasure(ErasureCall::Show {
            record: self.record.clone(),
        });
        shown(session, call, "Nobody asks to erase it.")
    }
}

fn shown(session: &mut Session<'_, '_>, call: Call, none: &str) -> Result<u8, Failure> {
    let lines = answer!(session, call, Erasures);
    session.print(&lines, |view| {
        if lines.is_empty() {
            return none.to_owned();
        }
        let all: Vec<_> = lines.iter().map(|line| one(view, line)).collect();
        all.join("\n")
    })
}

/// One erasure, with what each structure said, and what to type where this one is asked.
fn one(view: &View, line: &ErasureLine) -> String {
    let erasure = words::short(&line.erasure);
    let mut shown = format!(
        "{erasure} erase {} {} of {}, {}, in circle {}\n  asked by {} of {}, {}, because: {}\n",
        words::kind(line.kind),
        words::short(&line.record),
        text::line(&line.written_by),
        view.clock.when(line.occurred_ms),
        words::short(&line.circle),
        text::line(&line.by),
        text::line(&line.structure),
        view.clock.when(line.at_ms),
        words::plain(&line.reason),
    );
    for word in &line.answers {
        shown += &format!("  {}: {}\n", text::line(&word.structure), said(view, word));
    }
    if line.waits {
        shown += &format!(
            "  To look at it: maillonctl record show {}\n  To decide: maillonctl erasure carry-out {erasure}, or erasure refuse {erasure}\n",
            words::short(&line.record)
        );
    }
    shown
}

fn said(view: &View, word: &ErasureWord) -> String {
    match (word.answer, word.at_ms) {
        (Some(answer), Some(at)) => format!("{}, {}", words::erased(answer), view.clock.when(at)),
        _ => "has not answered".to_owned(),
    }
}

impl CarryOut {
    fn run(&self, session: &mut Session<'_, '_>) -> Result<u8, Failure> {
        session.confirm(self.yes, |session| {
            let call = Call::Erasure(ErasureCall::List { circle: None });
            let lines = answer!(session, call, Erasures);
            let meant = |line: &&ErasureLine| line.erasure.to_string().starts_with(&self.erasure);
            let what = match lines.iter().find(meant) {
                Some(line) => format!(
                    "{} {} of {}",
                    words::kind(line.kind),
                    words::short(&line.record),
                    text::line(&line.written_by)
                ),
                None => "what is to be erased".to_owned(),
            };
            Ok(Consequence {
                lines: vec![format!("Gone for good here, files too: {what}.")],
            })
        })?;
        let call = Call::Erasure(ErasureCall::CarryOut {
            erasure: self.erasure.clone(),
        });
        session.done(call, "It is erased here, and the others are told.")
    }
}

impl Refuse {
    fn run(&self, session: &mut Session<'_, '_>) -> Result<u8, Failure> {
        let call = Call::Erasure(ErasureCall::Refuse {
            erasure: self.erasure.clone(),
        });
        session.done(call, "It is kept here, and the others are told.")
    }
}
