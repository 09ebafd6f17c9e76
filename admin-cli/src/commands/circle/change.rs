//! `circle remove`, `circle rotate`, `circle close` and `circle reopen`: what the steward changes.

use clap::{Args, builder::TypedValueParser};
use maillon_protocol::{
    admin::Call,
    charter::{RemovalReason, RotationReason},
};

use crate::{
    arguments::word,
    failure::Failure,
    session::{Consequence, Session, answer},
    terminal::{text, words},
};

/// Remove a member from a circle
#[derive(Debug, Args)]
#[command(
    after_help = "Example:\n  maillonctl circle remove 5f3a09c1d2e4 'CPTS du Vallon' --reason ended --yes"
)]
pub(crate) struct Remove {
    /// The circle
    circle: String,
    /// The member
    member: String,
    /// Why: it no longer takes part, it asked to leave, or its key or machine may be in other hands
    #[arg(long, default_value = "ended", value_parser = word::<RemovalReason>(&["ended", "left", "compromised"]))]
    reason: RemovalReason,
    /// Do it without asking
    #[arg(long)]
    yes: bool,
}

/// Begin a new epoch: what is written from now on is sealed with a fresh secret
#[derive(Debug, Args)]
#[command(after_help = "Example:\n  maillonctl circle rotate 5f3a09c1d2e4 --reason suspected")]
pub(crate) struct Rotate {
    /// The circle
    circle: String,
    /// Why: to be safe, or because the secret may be known to others
    #[arg(long, default_value = "precaution", value_parser = word::<RotationReason>(&["precaution", "suspected"]))]
    reason: RotationReason,
}

/// Close a circle: nothing more is written in it
#[derive(Debug, Args)]
#[command(
    after_help = "Example:\n  maillonctl circle close 5f3a09c1d2e4 --reason end-of-care --yes --as 7b21"
)]
pub(crate) struct Close {
    /// The circle
    circle: String,
    /// Why
    #[arg(long, value_parser = coded(&CLOSING))]
    reason: u64,
    /// Do it without asking
    #[arg(long)]
    yes: bool,
}

/// Open a closed circle again
#[derive(Debug, Args)]
#[command(
    after_help = "Example:\n  maillonctl circle reopen 5f3a09c1d2e4 --reason mistake --as 7b21"
)]
pub(crate) struct Reopen {
    /// The circle
    circle: String,
    /// Why: care begins again, it was closed by mistake, or another reason
    #[arg(long, value_parser = coded(&REOPENING))]
    reason: u64,
}

/// Let count what a removed member wrote before its removal and this node had not seen then
///
/// Where care has only ended this happens by itself. Where a key may be in other hands a person decides: read first what the members who have it show as
/// written after the removal.
#[derive(Debug, Args)]
#[command(
    after_help = "Example:\n  maillonctl circle count-late 5f3a09c1d2e4 'CPTS du Vallon' --yes"
)]
pub(crate) struct CountLate {
    /// The circle
    circle: String,
    /// The removed member
    member: String,
    /// Do it without asking
    #[arg(long)]
    yes: bool,
}

/// The coded reasons for closing, in the order of their numbers.
pub(super) const CLOSING: [&str; 5] = ["end-of-care", "moved-away", "death", "opposition", "other"];
/// Those for opening again.
const REOPENING: [&str; 3] = ["care-again", "mistake", "other"];

/// One of these words, as its number.
pub(super) fn coded(words: &'static [&'static str]) -> impl TypedValueParser<Value = u64> {
    clap::builder::PossibleValuesParser::new(words).map(|word| {
        let numbered = words.iter().zip(0..);
        let number = numbered.into_iter().find(|(each, _)| **each == word);
        number.map_or(0, |(_, number)| number)
    })
}

/// Which circle is meant, with how much it holds: a short name should be read once more before it is changed.
pub(super) fn meant(session: &mut Session<'_, '_>, circle: &str) -> Result<String, Failure> {
    let call = Call::SyncCheck {
        circle: Some(circle.to_owned()),
        digest: false,
    };
    let found = answer!(session, call, SyncCheck);
    let line = found.first().ok_or(Failure::Unexpected)?;
    Ok(format!(
        "circle {} ({}, entry {})",
        line.circle,
        words::count(line.records, "record"),
        line.entry
    ))
}

impl Remove {
    pub(super) fn run(&self, session: &mut Session<'_, '_>) -> Result<u8, Failure> {
        session.confirm(self.yes, |session| {
            let circle = meant(session, &self.circle)?;
            let member = text::line(&self.member);
            Ok(Consequence {
                lines: vec![
                    format!("{member} is removed from {circle}."),
                    "What is written from then on is sealed with a new secret and never reaches it.".to_owned(),
                    "What it has received so far stays with it. To take it in again, invite it anew.".to_owned(),
                ],
            })
        })?;
        session.done(
            Call::CircleRemove {
                circle: self.circle.clone(),
                member: self.member.clone(),
                reason: self.reason,
            },
            "The member has been removed. What is written from now on does not reach it.",
        )
    }
}

impl CountLate {
    pub(super) fn run(&self, session: &mut Session<'_, '_>) -> Result<u8, Failure> {
        session.confirm(self.yes, |session| {
            let circle = meant(session, &self.circle)?;
            let member = text::line(&self.member);
            Ok(Consequence {
                lines: vec![
                    format!("What members hold of what {member} wrote before it was removed from {circle} counts for everybody."),
                    "Nobody can tell when it was written: whoever has the member's key can have written it since.".to_owned(),
                    "That is for good: what counts stays so.".to_owned(),
                ],
            })
        })?;
        session.done(
            Call::CircleCountLate {
                circle: self.circle.clone(),
                member: self.member.clone(),
            },
            "What this node holds counts now; the rest when a member next says that it has it.",
        )
    }
}

impl Rotate {
    pub(super) fn run(&self, session: &mut Session<'_, '_>) -> Result<u8, Failure> {
        session.done(
            Call::CircleRotate {
                circle: self.circle.clone(),
                reason: self.reason,
            },
            "A new epoch has begun: what is written from now on is sealed with a fresh secret.",
        )
    }
}

impl Close {
    pub(super) fn run(&self, session: &mut Session<'_, '_>) -> Result<u8, Failure> {
        session.confirm(self.yes, |session| {
            let circle = meant(session, &self.circle)?;
            Ok(Consequence {
                lines: vec![
                    format!("{circle} is closed for all its members."),
                    "Nothing more can be written in it until `circle reopen`; who was invited and has not answered is not admitted.".to_owned(),
                    "What was written stays readable to its members.".to_owned(),
                ],
            })
        })?;
        session.done(
            Call::CircleClose {
                circle: self.circle.clone(),
                reason: self.reason,
            },
            "The circle has been closed.",
        )
    }
}

impl Reopen {
    pub(super) fn run(&self, session: &mut Session<'_, '_>) -> Result<u8, Failure> {
        session.done(
            Call::CircleReopen {
                circle: self.circle.clone(),
                reason: self.reason,
            },
            "The circle is open again, for the members that it had.",
        )
    }
}
