//! `peer accept`: takes an invitation.

use clap::Args;
use maillon_protocol::admin::{Call, Pairing};

use crate::{
    failure::Failure,
    session::{Session, answer},
    terminal::{View, text, words},
};

/// Take an invitation of another structure, and show the five words to compare
#[derive(Debug, Args)]
#[command(
    after_help = "Example:\n  maillonctl peer accept 'maillon1:…'\n  maillonctl peer accept - < invitation.txt"
)]
pub(crate) struct Accept {
    /// The invitation's text; - reads it from standard input
    invitation: String,
}

impl Accept {
    pub(super) fn run(&self, session: &mut Session<'_, '_>) -> Result<u8, Failure> {
        let call = Call::PeerAccept {
            invitation: session.text(&self.invitation)?,
        };
        let pairing = answer!(session, call, Pairing);
        session.print(&pairing, |view| show(view, &pairing))
    }
}

/// Where a pairing stands, and what to do next.
pub(super) fn show(view: &View, pairing: &Pairing) -> String {
    let name = words::short(&pairing.pairing);
    let structure = pairing
        .structure
        .as_deref()
        .map_or_else(|| "the other structure".to_owned(), text::line);
    if let Some(failed) = &pairing.failed {
        return format!(
            "Pairing {name} with {structure} has failed: {}\nMake a new invitation: maillonctl peer invite",
            text::line(failed)
        );
    }
    if pairing.paired {
        return format!("{structure} and this node are peers now.\nSee it: maillonctl peer list");
    }
    if pairing.confirmed_here {
        return format!(
            "Confirmed here. {structure} must confirm too, {} at the latest.\nSee whether they have: maillonctl peer list",
            view.clock.when(pairing.expires_ms)
        );
    }
    match &pairing.words {
        None => format!(
            "Pairing {name} waits for the other side until {}.",
            view.clock.when(pairing.expires_ms)
        ),
        Some(words) => format!(
            "Pairing {name} with {structure}. The five words:\n\n    {}\n\nCall their administrator on a number that you know, and read the words to each other. If they are the same:\n  maillonctl peer confirm {name}\nIf they differ, somebody stands between you:\n  maillonctl peer reject {name}",
            text::line(words)
        ),
    }
}
