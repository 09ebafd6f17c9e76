//! The commands, one file for each, or a folder where a noun has many verbs.

mod account;
mod alert;
mod audit;
mod checkpoint;
mod circle;
mod consent;
mod doctor;
mod document;
mod erasure;
mod import;
mod keys;
mod note;
mod outbox;
mod peer;
mod professional;
mod record;
mod status;
mod sync;
mod team;
mod watch;
mod worker;

use clap::Subcommand;

use crate::{failure::Failure, session::Session};

/// Everything that can be asked.
#[derive(Debug, Subcommand)]
pub(crate) enum Command {
    Status(status::Status),
    Doctor(doctor::Doctor),
    #[command(subcommand)]
    Peer(peer::Peer),
    #[command(subcommand)]
    Professional(professional::Professional),
    #[command(subcommand)]
    Account(account::Account),
    #[command(subcommand)]
    Consent(consent::Consent),
    #[command(subcommand)]
    Circle(circle::Circle),
    #[command(subcommand)]
    Team(team::Team),
    #[command(subcommand)]
    Alert(alert::Alert),
    #[command(subcommand)]
    Note(note::Note),
    Watch(watch::Watch),
    #[command(subcommand)]
    Record(record::Record),
    Import(import::Import),
    #[command(subcommand)]
    Document(document::Document),
    #[command(subcommand)]
    Erasure(erasure::Erasure),
    Outbox(outbox::Outbox),
    #[command(subcommand)]
    Worker(worker::Worker),
    #[command(subcommand)]
    Sync(sync::Sync),
    #[command(subcommand)]
    Keys(keys::Keys),
    Checkpoint(checkpoint::Checkpoint),
    #[command(subcommand)]
    Audit(audit::Audit),
}

impl Command {
    /// Runs it and returns the exit code.
    pub(crate) fn run(&self, session: &mut Session<'_, '_>) -> Result<u8, Failure> {
        match self {
            Self::Status(command) => command.run(session),
            Self::Doctor(command) => command.run(session),
            Self::Peer(command) => command.run(session),
            Self::Professional(command) => command.run(session),
            Self::Account(command) => command.run(session),
            Self::Consent(command) => command.run(session),
            Self::Circle(command) => command.run(session),
            Self::Team(command) => command.run(session),
            Self::Alert(command) => command.run(session),
            Self::Note(command) => command.run(session),
            Self::Watch(command) => command.run(session),
            Self::Record(command) => command.run(session),
            Self::Import(command) => command.run(session),
            Self::Document(command) => command.run(session),
            Self::Erasure(command) => command.run(session),
            Self::Outbox(command) => command.run(session),
            Self::Worker(command) => command.run(session),
            Self::Sync(command) => command.run(session),
            Self::Keys(command) => command.run(session),
            Self::Checkpoint(command) => command.run(session),
            Self::Audit(command) => command.run(session),
        }
    }
}
