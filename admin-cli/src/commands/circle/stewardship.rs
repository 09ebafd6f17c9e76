//! `circle hand-over` and `circle deputies`: who is the steward, and who may go on in its place.

use clap::Args;
use maillon_protocol::admin::Call;

use super::change::meant;
use crate::{
    failure::Failure,
    session::{Consequence, Session},
    terminal::text,
};

/// Make another member the steward: from then on it alone admits, removes and closes
#[derive(Debug, Args)]
#[command(
    after_help = "Example:\n  maillonctl circle hand-over 5f3a09c1d2e4 'CPTS du Vallon' --yes"
)]
pub(crate) struct HandOver {
    /// The circle
    circle: String,
    /// The member
    to: String,
    /// Do it without asking
    #[arg(long)]
    yes: bool,
}

/// Name the members that may go on with the circle where its steward is lost
#[derive(Debug, Args)]
#[command(
    after_help = "Example:\n  maillonctl circle deputies 5f3a09c1d2e4 'CPTS du Vallon' 'CH de Bray'\n  maillonctl circle deputies 5f3a09c1d2e4 --none"
)]
pub(crate) struct Deputies {
    /// The circle
    circle: String,
    /// The members, all of them: who was a deputy and is not named is none any more
    #[arg(required_unless_present = "none")]
    deputies: Vec<String>,
    /// Nobody
    #[arg(long, conflicts_with = "deputies")]
    none: bool,
}

impl HandOver {
    pub(super) fn run(&self, session: &mut Session<'_, '_>) -> Result<u8, Failure> {
        session.confirm(self.yes, |session| {
            let circle = meant(session, &self.circle)?;
            let to = text::line(&self.to);
            Ok(Consequence {
                lines: vec![
                    format!("{to} is the steward of {circle} from now on."),
                    "This node stays a member. It can admit, remove and close no more, and only the new steward can give that back.".to_owned(),
                    "Who was invited and has not answered must be invited by the new steward.".to_owned(),
                ],
            })
        })?;
        session.done(
            Call::CircleHandOver {
                circle: self.circle.clone(),
                to: self.to.clone(),
            },
            "The circle has been handed over.",
        )
    }
}

impl Deputies {
    pub(super) fn run(&self, session: &mut Session<'_, '_>) -> Result<u8, Failure> {
        let said = if self.none {
            "The circle has no deputies any more."
        } else {
            "These members are the deputies now."
        };
        session.done(
            Call::CircleDeputies {
                circle: self.circle.clone(),
                deputies: self.deputies.clone(),
            },
            said,
        )
    }
}
