//! `peer end`: ends a peering.

use clap::Args;
use maillon_protocol::admin::Call;

use crate::{
    failure::Failure,
    session::{Consequence, Session, answer},
    terminal::{text, words},
};

/// End a peering
#[derive(Debug, Args)]
#[command(after_help = "Example:\n  maillonctl peer end 'CPTS du Vallon' --yes")]
pub(crate) struct End {
    /// The peer
    peer: String,
    /// Do it without asking
    #[arg(long)]
    yes: bool,
}

impl End {
    pub(super) fn run(&self, session: &mut Session<'_, '_>) -> Result<u8, Failure> {
        session.confirm(self.yes, |session| {
            let call = Call::PeerShow {
                peer: self.peer.clone(),
            };
            let peer = answer!(session, call, Peer);
            let mut lines = vec![
                format!(
                    "The peering with {} (node {}) ends here. To link the two again, both administrators pair anew.",
                    text::line(&peer.line.structure),
                    words::node(&peer.line.node)
                ),
            ];
            if peer.circles > 0 {
                lines.push(format!(
                    "It stays a member of {}: remove it there with maillonctl circle remove if it should be one no longer.",
                    words::count(peer.circles, "common circle")
                ));
            }
            if peer.line.waiting > 0 {
                lines.push(format!(
                    "{} that it has not acknowledged may never reach it.",
                    words::count(peer.line.waiting, "record")
                ));
            }
            Ok(Consequence { lines })
        })?;
        session.done(
            Call::PeerEnd {
                peer: self.peer.clone(),
            },
            "The peering has ended.",
        )
    }
}
