//! `circle invite`: asks a peer into a circle.

use clap::Args;
use maillon_protocol::{admin::Call, charter::Grant, invite::InvitationReason};

use crate::{
    arguments::{grant, word},
    failure::Failure,
    session::{Session, answer},
    terminal::{text, words},
};

/// Invite a peer into a circle; refused as long as no consent is recorded
#[derive(Debug, Args)]
#[command(
    after_help = "Example:\n  maillonctl circle invite 5f3a09c1d2e4 'CPTS du Vallon' --reason care-team --past whole --as 7b21"
)]
pub(crate) struct Invite {
    /// The circle
    circle: String,
    /// The peer
    peer: String,
    /// Why it is invited
    #[arg(long, default_value = "care-team", value_parser = word::<InvitationReason>(&["care-team", "coordination", "stay", "community"]))]
    reason: InvitationReason,
    /// How much of the past it may read: nothing, whole, or the number of a charter entry
    #[arg(long, value_parser = grant, value_name = "HOW MUCH", default_value = "nothing")]
    past: Grant,
}

impl Invite {
    pub(super) fn run(&self, session: &mut Session<'_, '_>) -> Result<u8, Failure> {
        let call = Call::CircleInvite {
            circle: self.circle.clone(),
            peer: self.peer.clone(),
            reason: self.reason,
            grant: self.past,
        };
        let line = answer!(session, call, Invitation);
        session.print(&line, |view| {
            format!(
                "{} has been invited (invitation {}), and may read {} once it accepts. The invitation expires {}.",
                text::line(&line.structure),
                words::short(&line.invitation),
                words::past(self.past),
                view.clock.when(line.expires_ms)
            )
        })
    }
}
