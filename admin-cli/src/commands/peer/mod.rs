//! `peer`: linking two structures, and the links.

mod accept;
mod confirm;
mod end;
mod invite;
mod link;
mod list;
mod replace;
mod show;

pub(super) use list::lines;

use clap::Subcommand;

use crate::{failure::Failure, session::Session};

/// Peers: the structures with which this node is linked
///
/// Linking takes five minutes: one side makes an invitation and hands its text over, the other accepts it, both read five words to each
/// other over the phone, both confirm.
#[derive(Debug, Subcommand)]
#[command(after_help = "Example:\n  maillonctl peer invite")]
pub(crate) enum Peer {
    Invite(invite::Invite),
    Accept(accept::Accept),
    Confirm(confirm::Confirm),
    Reject(confirm::Reject),
    List(list::List),
    Show(show::Show),
    Test(show::Test),
    Retry(link::Retry),
    Suspend(link::Suspend),
    Resume(link::Resume),
    End(end::End),
    Replace(replace::Replace),
}

impl Peer {
    pub(super) fn run(&self, session: &mut Session<'_, '_>) -> Result<u8, Failure> {
        match self {
            Self::Invite(command) => command.run(session),
            Self::Accept(command) => command.run(session),
            Self::Confirm(command) => command.run(session),
            Self::Reject(command) => command.run(session),
            Self::List(command) => command.run(session),
            Self::Show(command) => command.run(session),
            Self::Test(command) => command.run(session),
            Self::Retry(command) => command.run(session),
            Self::Suspend(command) => command.run(session),
            Self::Resume(command) => command.run(session),
            Self::End(command) => command.run(session),
            Self::Replace(command) => command.run(session),
        }
    }
}
