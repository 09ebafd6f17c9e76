//! `peer list`: peers, and pairings under way.

use clap::Args;
use maillon_protocol::admin::{Call, Pairing, PeerLine, Relation};

use crate::{
    failure::Failure,
    session::{Session, answer},
    terminal::{View, table, text, words},
};

/// List the peers, and the pairings that are not finished
#[derive(Debug, Args)]
#[command(after_help = "Example:\n  maillonctl peer list")]
pub(crate) struct List {}

impl List {
    pub(super) fn run(&self, session: &mut Session<'_, '_>) -> Result<u8, Failure> {
        let all = answer!(session, Call::PeerList, Peers);
        session.print(&all, |view| {
            let mut shown = if all.peers.is_empty() {
                "No peers yet. Invite one: maillonctl peer invite".to_owned()
            } else {
                lines(view, &all.peers)
            };
            if !all.pairings.is_empty() {
                shown += &format!("\n\n{}", pairings(view, &all.pairings));
            }
            shown
        })
    }
}

/// The table of peers, as `status` shows it too.
pub(in crate::commands) fn lines(view: &View, peers: &[PeerLine]) -> String {
    table(
        view,
        [
            "structure",
            "node",
            "relation",
            "last seen",
            "waiting",
            "refused",
            "last error",
        ],
        peers.iter().map(|peer| {
            [
                text::line(&peer.structure),
                words::node(&peer.node),
                relation(peer.relation).to_owned(),
                seen(view, peer),
                peer.waiting.to_string(),
                peer.refused.to_string(),
                peer.last_error
                    .as_deref()
                    .map_or_else(|| "-".to_owned(), text::line),
            ]
        }),
    )
}

/// When a peer was heard from.
pub(super) fn seen(view: &View, peer: &PeerLine) -> String {
    match peer.last_seen_ms {
        _ if peer.connected => match &peer.relay {
            Some(relay) => format!("connected through the relay of {}", text::line(relay)),
            None => "connected".to_owned(),
        },
        Some(ms) => view.clock.ago(ms),
        // What a node does not talk to it does not watch.
        None if !matches!(peer.relation, Relation::Peer | Relation::Fellow) => "-".to_owned(),
        None => "not since the start".to_owned(),
    }
}

/// How two nodes know each other.
pub(super) const fn relation(relation: Relation) -> &'static str {
    match relation {
        Relation::Peer => "peer",
        Relation::Fellow => "fellow member",
        Relation::Suspended => "suspended",
        Relation::Ended => "ended",
        Relation::Replaced => "replaced",
        Relation::Revoked => "revoked",
    }
}

fn pairings(view: &View, pairings: &[Pairing]) -> String {
    table(
        view,
        [
            "pairing",
            "with",
            "five words",
            "state",
            "expires",
            "bad proofs",
        ],
        pairings.iter().map(|pairing| {
            let state = match pairing {
                Pairing {
                    failed: Some(why), ..
                } => format!("failed: {}", text::line(why)),
                Pairing { paired: true, .. } => "paired".to_owned(),
                Pairing {
                    confirmed_here: true,
                    ..
                } => "waits for their confirmation".to_owned(),
                Pairing { words: None, .. } if pairing.inviter => "invited".to_owned(),
                Pairing { words: None, .. } => "accepted".to_owned(),
                Pairing {
                    confirmed_there: true,
                    ..
                } => "waits for your confirmation".to_owned(),
                _ => "compare the words".to_owned(),
            };
            let or_none = |value: &Option<String>| {
                value.as_deref().map_or_else(|| "-".to_owned(), text::line)
            };
            [
                words::short(&pairing.pairing),
                or_none(&pairing.structure),
                or_none(&pairing.words),
                state,
                view.clock.ago(pairing.expires_ms),
                pairing.bad_proofs.to_string(),
            ]
        }),
    )
}
