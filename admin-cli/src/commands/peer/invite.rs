//! `peer invite`: a text to hand over.

use clap::Args;
use maillon_protocol::admin::Call;

use crate::{
    failure::Failure,
    session::{Session, answer},
    terminal::{qr, text, words},
};

/// Make an invitation, as a text and as a QR code, to hand to the other administrator
#[derive(Debug, Args)]
#[command(
    after_help = "Example:\n  maillonctl peer invite\n  maillonctl peer invite --qr > invitation.txt"
)]
pub(crate) struct Invite {
    /// Draw the QR code even where the output is not a terminal
    #[arg(long)]
    qr: bool,
}

impl Invite {
    pub(super) fn run(&self, session: &mut Session<'_, '_>) -> Result<u8, Failure> {
        let invitation = answer!(session, Call::PeerInvite, PeerInvitation);
        session.print(&invitation, |view| {
            let mut shown = format!(
                "{}\n\n",
                text::paragraph(&invitation.text, "")
            );
            if self.qr || view.terminal {
                shown += &qr(&invitation.text).unwrap_or_else(|| "(The text is too long for a QR code.)".to_owned());
                shown += "\n\n";
            }
            shown
                + &format!(
                    "Hand this text to the other administrator only: whoever holds it may ask to become your peer. It is valid for one peer and expires {}.\nThey type:  maillonctl peer accept 'TEXT'\nThen both read five words to each other over the phone; see them here with:\n  maillonctl peer list\nand confirm with:\n  maillonctl peer confirm {}",
                    view.clock.when(invitation.expires_ms),
                    words::short(&invitation.pairing)
                )
        })
    }
}
