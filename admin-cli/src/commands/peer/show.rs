//! `peer show` and `peer test`: one peer in full.

use clap::Args;
use maillon_protocol::admin::{self, Call, Relation};

use super::list;
use crate::{
    failure::Failure,
    session::{Session, answer},
    terminal::{View, text, words},
};

/// Show one peer in full
#[derive(Debug, Args)]
#[command(after_help = "Example:\n  maillonctl peer show 'CPTS du Vallon'")]
pub(crate) struct Show {
    /// The peer: its structure's name, or the beginning of its node's name
    peer: String,
}

/// Try to reach a peer now, for ten seconds
///
/// Where it can be reached, it is shown in full, and the exit code is 0. Where not, the exit code is 69, and the error says what was tried, what
/// came of it and what to do; where the peering is suspended here, nothing is tried.
#[derive(Debug, Args)]
#[command(after_help = "Example:\n  maillonctl peer test 'CPTS du Vallon'")]
pub(crate) struct Test {
    /// The peer: its structure's name, or the beginning of its node's name
    peer: String,
}

impl Show {
    pub(super) fn run(&self, session: &mut Session<'_, '_>) -> Result<u8, Failure> {
        let call = Call::PeerShow {
            peer: self.peer.clone(),
        };
        let peer = answer!(session, call, Peer);
        session.print(&peer, |view| show(view, &peer))
    }
}

impl Test {
    pub(super) fn run(&self, session: &mut Session<'_, '_>) -> Result<u8, Failure> {
        let call = Call::PeerTest {
            peer: self.peer.clone(),
        };
        let peer = answer!(session, call, Peer);
        session.print(&peer, |view| {
            format!("It can be reached.\n\n{}", show(view, &peer))
        })
    }
}

fn show(view: &View, peer: &admin::Peer) -> String {
    let line = &peer.line;
    let mut lines = vec![
        (
            "Structure",
            format!(
                "{} ({})",
                text::line(&line.structure),
                words::structure(peer.kind)
            ),
        ),
        ("Node", line.node.to_string()),
        ("FINESS", text::line(&peer.finess)),
        ("Territory", text::line(&peer.territory)),
        ("Administrator", text::line(&peer.administrator)),
        ("Data protection", text::line(&peer.dpo)),
        ("Relation", list::relation(line.relation).to_owned()),
        ("Last seen", list::seen(view, line)),
        ("Addresses", text::line(&peer.addresses.join(", "))),
        ("Circles", format!("{} in common", peer.circles)),
        ("Waiting", words::count(line.waiting, "record")),
    ];
    if let Some(recovery) = &peer.recovery {
        lines.push(("Recovery key", format!("SHA-256 {recovery}")));
    }
    if let Some(new) = &line.replaced_by {
        let said = match line.relation {
            Relation::Replaced => "by",
            _ => "nobody here has said so yet; its recovery key names",
        };
        lines.push(("Replaced", format!("{said} {new}")));
    }
    if let Some(transport) = &peer.transport {
        let transport = match &line.relay {
            Some(relay) => format!(
                "through the relay of {}, which sees that the two talk and not what",
                text::line(relay)
            ),
            None => text::line(transport),
        };
        lines.push(("Transport", transport));
    }
    if let Some(round) = peer.round_trip_us {
        lines.push((
            "Round trip",
            format!("{}.{} ms", round / 1000, round % 1000 / 100),
        ));
    }
    if let Some(wait) = peer.next_attempt_ms {
        let what = match line.connected {
            true => "to reach it directly ",
            false => "",
        };
        lines.push((
            "Next attempt",
            format!(
                "{what}in {} (at once: maillonctl peer retry)",
                words::count(wait.div_ceil(1000), "second")
            ),
        ));
    }
    if let Some(error) = &line.last_error {
        lines.push(("Last error", text::line(error)));
    }
    let mut shown: String = lines
        .iter()
        .map(|(name, value)| format!("{name:<17}{}\n", if value.is_empty() { "-" } else { value }))
        .collect();
    for (title, counts) in [("Problems", &peer.problems), ("Frames", &peer.frames)] {
        if !counts.is_empty() {
            shown += &format!("\n{title}\n");
            for (name, count) in counts {
                shown += &format!("  {:<30} {count}\n", text::line(name));
            }
        }
    }
    shown
}
