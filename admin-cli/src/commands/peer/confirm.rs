//! `peer confirm` and `peer reject`: the words were compared.

use clap::Args;
use maillon_protocol::admin::{Call, LEAST_DIGITS, Pairing};

use super::accept;
use crate::{
    failure::Failure,
    session::{Session, answer},
    terminal::{text, words},
};

/// Say that the five words are the same on both sides
///
/// Without the words it shows them and asks. There is no --yes: comparing the words is what keeps an impostor out.
#[derive(Debug, Args)]
#[command(
    after_help = "Example:\n  maillonctl peer confirm 4be07a19c3d2\n  maillonctl peer confirm 4be07a19c3d2 abaisser cerise jardin nuage voyage"
)]
pub(crate) struct Confirm {
    /// The pairing, as peer list shows it
    pairing: String,
    /// The five words that were compared
    words: Vec<String>,
}

/// Say that the words differ, or that nobody wants the pairing
#[derive(Debug, Args)]
#[command(after_help = "Example:\n  maillonctl peer reject 4be07a19c3d2")]
pub(crate) struct Reject {
    /// The pairing, as peer list shows it
    pairing: String,
}

impl Confirm {
    pub(super) fn run(&self, session: &mut Session<'_, '_>) -> Result<u8, Failure> {
        let words = if self.words.is_empty() {
            self.ask(session)?
        } else {
            self.words.join(" ")
        };
        let call = Call::PeerConfirm {
            pairing: self.pairing.clone(),
            words,
        };
        let pairing = answer!(session, call, Pairing);
        session.print(&pairing, |view| accept::show(view, &pairing))
    }

    /// Shows the words that are to be compared now and asks whether the other side has the same.
    fn ask(&self, session: &mut Session<'_, '_>) -> Result<String, Failure> {
        let peers = answer!(session, Call::PeerList, Peers);
        let pairing = self.meant(peers.pairings)?;
        let Pairing {
            words: Some(compared),
            structure,
            node,
            ..
        } = pairing
        else {
            return Err(Failure::NotNow {
                cause: "the two nodes have not met yet, so there are no words to compare"
                    .to_owned(),
                action: "Wait until the other side has accepted the invitation, then try again.",
            });
        };
        let structure = structure.map_or_else(
            || "an unnamed structure".to_owned(),
            |name| text::line(&name),
        );
        let node = node.map_or_else(String::new, |node| {
            format!(" (node {})", words::node(&node))
        });
        session.note(&format!(
            "Pairing with {structure}{node}. The five words:\n\n    {}\n",
            text::line(&compared)
        ))?;
        if !session.can_ask() {
            return Err(Failure::Value {
                cause: "nobody is here to say whether the words are the same".to_owned(),
                action: "Add the five words to the command once they have been compared over the phone.",
            });
        }
        if session.ask("Has the other administrator read the same words to you over the phone?")? {
            Ok(compared)
        } else {
            Err(Failure::Value {
                cause: "the pairing was not confirmed".to_owned(),
                action: "If the words differ, end it with maillonctl peer reject.",
            })
        }
    }
}

impl Confirm {
    /// The pairing under way that was typed, as the daemon would take it.
    fn meant(&self, pairings: Vec<Pairing>) -> Result<Pairing, Failure> {
        const LIST: &str = "Type more of it: maillonctl peer list shows the pairings.";
        let typed = self.pairing.trim().to_ascii_lowercase();
        let given = typed.chars().count();
        if given < LEAST_DIGITS {
            return Err(Failure::Value {
                cause: format!(
                    "the id of a pairing may be shortened to {LEAST_DIGITS} digits at least, this has {given}"
                ),
                action: LIST,
            });
        }
        let mut found = pairings
            .into_iter()
            .filter(|pairing| pairing.pairing.starts_with(&typed));
        match (found.next(), found.next()) {
            (Some(pairing), None) => Ok(pairing),
            (None, _) => Err(Failure::Name {
                cause: "no pairing under way has this name".to_owned(),
                action: "List the pairings with maillonctl peer list.",
            }),
            (Some(_), Some(_)) => Err(Failure::Name {
                cause: format!(
                    "several pairings under way have an id that begins with these {given} digits"
                ),
                action: LIST,
            }),
        }
    }
}

impl Reject {
    pub(super) fn run(&self, session: &mut Session<'_, '_>) -> Result<u8, Failure> {
        let call = Call::PeerReject {
            pairing: self.pairing.clone(),
        };
        let pairing = answer!(session, call, Pairing);
        session.print(&pairing, |_| {
            format!(
                "Pairing {} has been rejected. If the words differed, tell the other administrator, and hand the next invitation over another way.",
                words::short(&pairing.pairing)
            )
        })
    }
}
