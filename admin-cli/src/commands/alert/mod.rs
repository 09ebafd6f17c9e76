//! `alert`: alerts and the answers to them.

mod list;
pub(in crate::commands) mod states;

use clap::{Args, Subcommand};
use maillon_protocol::{
    admin::Call,
    content::{AlertStep, Severity},
};

use super::note::written;
use crate::{
    arguments::{seconds, word},
    failure::Failure,
    session::{Session, answer},
    terminal::words,
};

/// Alerts, and the answers to them
#[derive(Debug, Subcommand)]
#[command(
    after_help = "Example:\n  maillonctl alert send 5f3a09c1d2e4 'Fell at home' --severity high --as 7b21\n  maillonctl alert list --open --as 7b21"
)]
pub(crate) enum Alert {
    Send(Send),
    Answer(Answer),
    List(list::List),
}

/// Send an alert to the structures of a circle
#[derive(Debug, Args)]
#[command(
    after_help = "Example:\n  maillonctl alert send 5f3a09c1d2e4 'Fell at home, no doctor reached' --severity high --within 2h --as 7b21\n  maillonctl alert send 5f3a09c1d2e4 - --to 'CPTS du Vallon' --as 7b21"
)]
pub(crate) struct Send {
    /// The circle
    circle: String,
    /// What the alert says; - reads it from standard input
    #[arg(allow_hyphen_values = true)]
    text: String,
    /// How much it matters: to know, to look at soon, to look at now
    #[arg(long, default_value = "medium", value_parser = word::<Severity>(&["low", "medium", "high"]))]
    severity: Severity,
    /// A structure that must answer; may be given several times. All, where none is named
    #[arg(long, value_name = "PEER")]
    to: Vec<String>,
    /// How soon somebody must have acknowledged, such as 30m or 2h
    #[arg(long, value_parser = seconds, value_name = "DURATION")]
    within: Option<u64>,
}

/// Answer an alert: acknowledge it, take charge of it, or close it with its outcome
///
/// No step needs the one before it. A closed alert takes no more answers, and whoever took a step takes neither that one nor a lighter one
/// again: the refusal says who answered and when.
#[derive(Debug, Args)]
#[command(
    after_help = "Example:\n  maillonctl alert answer 9c04d1e7aa52 acknowledge --as 7b21\n  maillonctl alert answer 9c04d1e7aa52 close --comment 'Nurse on site, all is well' --as 7b21"
)]
pub(crate) struct Answer {
    /// The alert's record
    alert: String,
    /// What is done about it
    #[arg(value_parser = word::<AlertStep>(&["acknowledge", "take-charge", "close"]))]
    step: AlertStep,
    /// In words; the outcome, which is needed, where it is closed
    #[arg(
        long,
        default_value = "",
        hide_default_value = true,
        value_name = "TEXT",
        allow_hyphen_values = true
    )]
    comment: String,
}

impl Alert {
    pub(super) fn run(&self, session: &mut Session<'_, '_>) -> Result<u8, Failure> {
        match self {
            Self::List(list) => list.run(session),
            Self::Send(send) => {
                let call = Call::AlertSend {
                    circle: send.circle.clone(),
                    severity: send.severity,
                    text: session.text(&send.text)?,
                    to: send.to.clone(),
                    within_s: send.within.unwrap_or(0),
                };
                let answer = answer!(session, call, Written);
                session.print(&answer, |view| {
                    format!(
                        "{}\nSee how far it got: maillonctl record show {} --as PROFESSIONAL",
                        written(view, "The alert has been written", &answer),
                        words::short(&answer.record)
                    )
                })
            }
            Self::Answer(reply) => {
                let call = Call::AlertAnswer {
                    alert: reply.alert.clone(),
                    step: reply.step,
                    comment: session.text(&reply.comment)?,
                };
                let answer = answer!(session, call, Written);
                session.print(&answer, |view| {
                    let done = format!(
                        "The alert is {}; the answer has been written",
                        words::step(reply.step)
                    );
                    written(view, &done, &answer)
                })
            }
        }
    }
}
