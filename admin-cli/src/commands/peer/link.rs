//! `peer retry`, `peer suspend` and `peer resume`: the link to a peer.

use clap::Args;
use maillon_protocol::admin::Call;

use crate::{failure::Failure, session::Session};

/// Try again now instead of waiting: one peer, or all
#[derive(Debug, Args)]
#[command(
    after_help = "Example:\n  maillonctl peer retry\n  maillonctl peer retry 'CPTS du Vallon'"
)]
pub(crate) struct Retry {
    /// The peer; all, where none is named
    peer: Option<String>,
}

/// Close the connections to a peer and refuse it until it is resumed
#[derive(Debug, Args)]
#[command(after_help = "Example:\n  maillonctl peer suspend 'CPTS du Vallon'")]
pub(crate) struct Suspend {
    /// The peer
    peer: String,
}

/// Take a suspension back
#[derive(Debug, Args)]
#[command(after_help = "Example:\n  maillonctl peer resume 'CPTS du Vallon'")]
pub(crate) struct Resume {
    /// The peer
    peer: String,
}

impl Retry {
    pub(super) fn run(&self, session: &mut Session<'_, '_>) -> Result<u8, Failure> {
        session.done(
            Call::PeerRetry {
                peer: self.peer.clone(),
            },
            "The next attempt begins now. See what comes of it: maillonctl peer list",
        )
    }
}

impl Suspend {
    pub(super) fn run(&self, session: &mut Session<'_, '_>) -> Result<u8, Failure> {
        session.done(
            Call::PeerSuspend {
                peer: self.peer.clone(),
            },
            "The peer is suspended: nothing is sent to it or taken from it. What is written for it waits.",
        )
    }
}

impl Resume {
    pub(super) fn run(&self, session: &mut Session<'_, '_>) -> Result<u8, Failure> {
        session.done(
            Call::PeerResume {
                peer: self.peer.clone(),
            },
            "The suspension is over. What waited is sent at the next connection.",
        )
    }
}
