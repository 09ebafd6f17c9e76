//! `circle accept` and `circle decline`: a person's act.

use clap::Args;
use maillon_protocol::admin::Call;

use crate::{failure::Failure, session::Session};

/// Accept an invitation, and say whether the person is known here
///
/// Nobody is matched by a machine: see who it is about with circle candidates, then decide.
#[derive(Debug, Args)]
#[command(
    after_help = "Example:\n  maillonctl circle accept e81c40b7f203 --new-person --as 7b21\n  maillonctl circle accept e81c40b7f203 --same-as 5f3a09c1d2e4 --as 7b21"
)]
pub(crate) struct Accept {
    /// The invitation
    invitation: String,
    #[command(flatten)]
    person: Person,
}

/// Exactly one of the two must be said.
#[derive(Debug, Args)]
#[group(required = true, multiple = false)]
struct Person {
    /// The person is the one of this local circle
    #[arg(long, value_name = "CIRCLE")]
    same_as: Option<String>,
    /// The person is not known here
    #[arg(long)]
    new_person: bool,
}

/// Decline an invitation; the other side is told nothing
#[derive(Debug, Args)]
#[command(after_help = "Example:\n  maillonctl circle decline e81c40b7f203 --as 7b21")]
pub(crate) struct Decline {
    /// The invitation
    invitation: String,
}

impl Accept {
    pub(super) fn run(&self, session: &mut Session<'_, '_>) -> Result<u8, Failure> {
        session.done(
            Call::CircleAccept {
                invitation: self.invitation.clone(),
                same_as: self.person.same_as.clone(),
            },
            "The invitation has been accepted. The circle appears in maillonctl circle list once the other side has admitted this node.",
        )
    }
}

impl Decline {
    pub(super) fn run(&self, session: &mut Session<'_, '_>) -> Result<u8, Failure> {
        session.done(
            Call::CircleDecline {
                invitation: self.invitation.clone(),
            },
            "The invitation has been declined. Nothing is sent: the other side sees it expire.",
        )
    }
}
