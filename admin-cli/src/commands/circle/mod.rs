//! `circle`: circles, their members and invitations.

mod accept;
mod change;
pub(in crate::commands) mod dossier;
mod finish;
mod invitations;
mod invite;
mod leave;
mod list;
mod open;
mod replace;
mod request;
mod show;
mod stewardship;

pub(super) use dossier::content;

use clap::Subcommand;

use crate::{failure::Failure, session::Session};

/// Circles: who shares one patient's file
#[derive(Debug, Subcommand)]
#[command(after_help = "Example:\n  maillonctl circle list")]
pub(crate) enum Circle {
    Open(Box<open::Open>),
    List(list::List),
    Show(show::Show),
    Invite(invite::Invite),
    Invitations(invitations::Invitations),
    Candidates(invitations::Candidates),
    Accept(accept::Accept),
    Decline(accept::Decline),
    Remove(change::Remove),
    Replace(replace::Replace),
    Rotate(change::Rotate),
    Close(change::Close),
    Reopen(change::Reopen),
    CountLate(change::CountLate),
    Leave(leave::Leave),
    Request(request::Request),
    Requests(request::Requests),
    Grant(request::Grant),
    Refuse(request::Refuse),
    Withdraw(request::Withdraw),
    HandOver(stewardship::HandOver),
    Deputies(stewardship::Deputies),
    Continue(stewardship::Continue),
    CarryOver(stewardship::CarryOver),
    Finish(finish::Finish),
    Finished(finish::FinishedFiles),
    Confirm(stewardship::Confirm),
}

impl Circle {
    pub(super) fn run(&self, session: &mut Session<'_, '_>) -> Result<u8, Failure> {
        match self {
            Self::Open(command) => command.run(session),
            Self::List(command) => command.run(session),
            Self::Show(command) => command.run(session),
            Self::Invite(command) => command.run(session),
            Self::Invitations(command) => command.run(session),
            Self::Candidates(command) => command.run(session),
            Self::Accept(command) => command.run(session),
            Self::Decline(command) => command.run(session),
            Self::Remove(command) => command.run(session),
            Self::Replace(command) => command.run(session),
            Self::Rotate(command) => command.run(session),
            Self::Close(command) => command.run(session),
            Self::Reopen(command) => command.run(session),
            Self::CountLate(command) => command.run(session),
            Self::Leave(command) => command.run(session),
            Self::Request(command) => command.run(session),
            Self::Requests(command) => command.run(session),
            Self::Grant(command) => command.run(session),
            Self::Refuse(command) => command.run(session),
            Self::Withdraw(command) => command.run(session),
            Self::HandOver(command) => command.run(session),
            Self::Deputies(command) => command.run(session),
            Self::Continue(command) => command.run(session),
            Self::CarryOver(command) => command.run(session),
            Self::Finish(command) => command.run(session),
            Self::Finished(command) => command.run(session),
            Self::Confirm(command) => command.run(session),
        }
    }
}
