//! `circle leave`: this node is in a circle no more, by its own word.

use clap::Args;
use maillon_protocol::admin::Call;

use super::change::meant;
use crate::{
    failure::Failure,
    session::{Consequence, Session},
};

/// Leave a circle of which this node is not the steward
#[derive(Debug, Args)]
#[command(after_help = "Example:\n  maillonctl circle leave 5f3a09c1d2e4 --yes --as 7b21")]
pub(crate) struct Leave {
    /// The circle
    circle: String,
    /// Do it without asking
    #[arg(long)]
    yes: bool,
}

impl Leave {
    pub(super) fn run(&self, session: &mut Session<'_, '_>) -> Result<u8, Failure> {
        session.confirm(self.yes, |session| {
            let circle = meant(session, &self.circle)?;
            Ok(Consequence {
                lines: vec![
                    format!("This node leaves {circle}, at once and for all of its professionals."),
                    "What was written so far stays here and with the others. Nothing more comes, and nothing more can be written.".to_owned(),
                    "Only an invitation of the circle's steward brings it back.".to_owned(),
                ],
            })
        })?;
        session.done(
            Call::CircleLeave {
                circle: self.circle.clone(),
            },
            "This node has left the circle.",
        )
    }
}
