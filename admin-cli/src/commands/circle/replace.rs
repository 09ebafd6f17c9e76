//! `circle replace`: a member's new identity.

use clap::Args;
use maillon_protocol::admin::Call;

use super::change::meant;
use crate::{
    failure::Failure,
    session::{Consequence, Session},
    terminal::text,
};

/// Put a structure's new node in the place of its old one
///
/// After `peer replace`, where that did not do it for all circles. The new node reads what the old one could; the old one is removed, and never comes
/// back. Only the circle's steward does this.
#[derive(Debug, Args)]
#[command(after_help = "Example:\n  maillonctl circle replace 5f3a09c1d2e4 Qx7fT2mB --yes")]
pub(crate) struct Replace {
    /// The circle
    circle: String,
    /// The member: the end of its old node's name
    member: String,
    /// Do it without asking
    #[arg(long)]
    yes: bool,
}

impl Replace {
    pub(super) fn run(&self, session: &mut Session<'_, '_>) -> Result<u8, Failure> {
        session.confirm(self.yes, |session| {
            let circle = meant(session, &self.circle)?;
            let member = text::line(&self.member);
            Ok(Consequence {
                lines: vec![
                    format!("{member} is removed from {circle}, and its structure's new node takes its place."),
                    "The new node reads what the old one could read, and all that is written from now on.".to_owned(),
                    "The old node is never a member of this circle again.".to_owned(),
                ],
            })
        })?;
        session.done(
            Call::CircleReplace {
                circle: self.circle.clone(),
                member: self.member.clone(),
            },
            "The new node has taken the old one's place. The file goes to it with the next contact.",
        )
    }
}
