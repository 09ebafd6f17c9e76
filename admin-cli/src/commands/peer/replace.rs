//! `peer replace`: two nodes are one structure.

use clap::Args;
use maillon_protocol::admin::{Call, Replaced};

use crate::{
    failure::Failure,
    session::{Consequence, Session, answer},
    terminal::{text, words},
};

/// Say that a peer is the structure that another node was
///
/// For a structure whose machine was stolen or lost, and which made a new node with its recovery key. Pair with the new node and compare the five words
/// by telephone first, with somebody whom you know to be of that structure.
#[derive(Debug, Args)]
#[command(
    after_help = "Example:\n  maillonctl peer replace Qx7fT2mB --by 9kLwZ4Rt --circles --yes"
)]
pub(crate) struct Replace {
    /// The old node: the end of its name
    old: String,
    /// The new node, a peer: the end of its name
    #[arg(long, value_name = "NEW")]
    by: String,
    /// Put it in the old one's place in all circles of which this node is the steward, too
    #[arg(long)]
    circles: bool,
    /// Do it without asking
    #[arg(long)]
    yes: bool,
}

impl Replace {
    pub(super) fn run(&self, session: &mut Session<'_, '_>) -> Result<u8, Failure> {
        session.confirm(self.yes, |session| {
            let mut show = |named: &str| -> Result<_, Failure> {
                let call = Call::PeerShow {
                    peer: named.to_owned(),
                };
                Ok(answer!(session, call, Peer))
            };
            let (old, new) = (show(&self.old)?, show(&self.by)?);
            let mut lines = vec![
                format!(
                    "{} (node {}) is refused here from now on, for ever: {} (node {}) stands in its place.",
                    text::line(&old.line.structure),
                    words::node(&old.line.node),
                    text::line(&new.line.structure),
                    words::node(&new.line.node)
                ),
                "Say yes only if you have spoken with somebody whom you know to be of that structure.".to_owned(),
            ];
            if self.circles {
                lines.push("In the circles of which this node is the steward it takes the old one's place, and reads what that could.".to_owned());
            }
            Ok(Consequence { lines })
        })?;
        let call = Call::PeerReplace {
            old: self.old.clone(),
            new: self.by.clone(),
            circles: self.circles,
        };
        let done = answer!(session, call, Replaced);
        session.print(&done, |_| told(&done))
    }
}

fn told(done: &Replaced) -> String {
    let mut lines = vec![format!(
        "Node {} stands in the place of node {}, which is refused here from now on.",
        words::node(&done.new),
        words::node(&done.old)
    )];
    if !done.replaced.is_empty() {
        lines.push(format!(
            "It took that one's place in {}.",
            words::count(done.replaced.len() as u64, "circle")
        ));
    }
    for (circle, why) in &done.left {
        lines.push(format!(
            "Circle {}: the old node is a member still ({}).",
            words::short(circle),
            text::line(why)
        ));
    }
    if !done.left.is_empty() {
        lines.push("One by one: maillonctl circle replace CIRCLE OLD.".to_owned());
    }
    lines.join("\n")
}
