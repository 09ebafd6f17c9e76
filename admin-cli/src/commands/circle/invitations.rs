//! `circle invitations` and `circle candidates`: what was asked, and of whom it is.

use clap::Args;
use maillon_protocol::admin::{self, Call, InvitationLine};

use super::dossier::identity;
use crate::{
    failure::Failure,
    session::{Session, answer},
    terminal::{View, table, text, words},
};

/// List the invitations to circles that are open, received and sent
///
/// Open is one that waits for an answer, that was accepted and has not led into a circle yet, or of which the other structure must still hear
/// that it was cancelled.
#[derive(Debug, Args)]
#[command(
    after_help = "Example:\n  maillonctl circle invitations\n  maillonctl circle invitations --all"
)]
pub(crate) struct Invitations {
    /// Those too that are settled: declined, cancelled, expired, or led into a circle
    #[arg(long)]
    all: bool,
}

/// Lines of a page.
const PAGE: u32 = 200;

/// Show who an invitation is about, and who might be the same person here
#[derive(Debug, Args)]
#[command(after_help = "Example:\n  maillonctl circle candidates e81c40b7f203 --as 7b21")]
pub(crate) struct Candidates {
    /// The invitation
    invitation: String,
}

impl Invitations {
    pub(super) fn run(&self, session: &mut Session<'_, '_>) -> Result<u8, Failure> {
        let mut all: Vec<InvitationLine> = Vec::new();
        loop {
            let call = Call::InvitationList {
                all: self.all,
                after: all.last().map(|line| line.invitation),
                limit: PAGE,
            };
            let page = answer!(session, call, Invitations);
            let last = page.len() < PAGE as usize;
            all.extend(page);
            if last {
                break;
            }
        }
        session.print(&all, |view| list(view, &all))
    }
}

impl Candidates {
    pub(super) fn run(&self, session: &mut Session<'_, '_>) -> Result<u8, Failure> {
        let call = Call::InvitationCandidates {
            invitation: self.invitation.clone(),
        };
        let found = answer!(session, call, Candidates);
        session.print(&found, |_| self.show(&found))
    }

    fn show(&self, found: &admin::Candidates) -> String {
        let name = text::line(&self.invitation);
        let mut shown = found.identity.as_ref().map_or_else(
            || "The invitation names no person.\n".to_owned(),
            |person| format!("The invitation is about:\n  {}\n", identity(person)),
        );
        if found.candidates.is_empty() {
            shown += "Nobody here looks like the same person.\n";
        } else {
            shown += "Perhaps the same person here:\n";
        }
        for (circle, person, why) in &found.candidates {
            shown += &format!(
                "  {}  {}\n    because {}\n    → maillonctl circle accept {name} --same-as {} --as PROFESSIONAL\n",
                words::short(circle),
                identity(person),
                text::line(why),
                words::short(circle)
            );
        }
        shown
            + &format!(
                "If it is a person whom nobody here knows:\n    → maillonctl circle accept {name} --new-person --as PROFESSIONAL"
            )
    }
}

fn list(view: &View, all: &[InvitationLine]) -> String {
    if all.is_empty() {
        return "No invitations.".to_owned();
    }
    table(
        view,
        [
            "invitation",
            "",
            "structure",
            "about",
            "reason",
            "state",
            "circle",
            "expires",
        ],
        all.iter().map(|line| {
            [
                words::short(&line.invitation),
                if line.received { "from" } else { "to" }.to_owned(),
                text::line(&line.structure),
                words::subject(line.subject).to_owned(),
                words::plain(&line.reason),
                text::line(&line.state),
                line.circle
                    .as_ref()
                    .map_or_else(|| "-".to_owned(), words::short),
                view.clock.ago(line.expires_ms),
            ]
        }),
    )
}
