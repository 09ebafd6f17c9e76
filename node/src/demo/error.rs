//! Why there is no demonstration.

use std::{io, path::PathBuf};

use maillon_protocol::replica::ArriveError;

use crate::{
    access::AccessError, care::CareError, config::ConfigError, daemon::StartError,
    founding::FoundingError, keystore::KeystoreError, ledger::LedgerError, peering::PeeringError,
};

/// Why there is no demonstration. Each says what to do next.
#[derive(Debug, thiserror::Error)]
pub enum DemoError {
    /// The folder holds other things.
    #[error(
        "the folder {0} holds something else than a demonstration: name an empty one, or one that does not exist"
    )]
    NotADemo(PathBuf),
    /// A demonstration whose beginning was interrupted.
    #[error(
        "the demonstration in {0} was interrupted while it was being made: remove the folder, then start again"
    )]
    Unfinished(PathBuf),
    /// A demonstration of another version.
    #[error(
        "the demonstration in {0} was made by another version: remove the folder, or name another one"
    )]
    OtherVersion(PathBuf),
    /// The folder cannot be used.
    #[error("the folder {path} cannot be used: {source}; check its owner and its disk")]
    Folder {
        /// Which.
        path: PathBuf,
        /// What the system says.
        source: io::Error,
    },
    /// A node cannot be made.
    #[error(transparent)]
    Founding(#[from] FoundingError),
    /// A node's keys.
    #[error(transparent)]
    Keystore(#[from] KeystoreError),
    /// A node's configuration.
    #[error(transparent)]
    Config(#[from] ConfigError),
    /// One of the nodes does not start.
    #[error("the node of {structure} does not start: {cause}")]
    Start {
        /// Which structure.
        structure: &'static str,
        /// Why.
        cause: StartError,
    },
    /// Peering.
    #[error(transparent)]
    Peering(#[from] PeeringError),
    /// Two nodes show different words.
    #[error(
        "two nodes of the demonstration show different words to compare: something stands between them on this machine"
    )]
    Words,
    /// A service.
    #[error(transparent)]
    Care(#[from] CareError),
    /// An account.
    #[error(transparent)]
    Access(#[from] AccessError),
    /// A descriptor is not taken.
    #[error("a node does not take another one's new addresses: {0}")]
    Descriptor(#[from] LedgerError<ArriveError>),
    /// Something did not come about.
    #[error(
        "after {seconds} s, {what} has not come about: this machine is too busy, or loopback is filtered; try again"
    )]
    TooLong {
        /// What.
        what: &'static str,
        /// The limit, seconds.
        seconds: u64,
    },
    /// Something that was written is not there.
    #[error("the demonstration has no {0}: remove its folder, then start again")]
    Missing(&'static str),
}
