//! `keys`: this node's keys.

use clap::{Args, Subcommand};
use maillon_protocol::admin::{self, Call};

use crate::{
    failure::Failure,
    session::{Consequence, Session, answer},
    terminal::{View, table, words},
};

/// This node's keys
#[derive(Debug, Subcommand)]
#[command(after_help = "Example:\n  maillonctl keys show")]
pub(crate) enum Keys {
    Show(Show),
    Rotate(Rotate),
    Revoke(Revoke),
}

/// Show this node's name and the ids of its keys; never a secret
#[derive(Debug, Args)]
#[command(after_help = "Example:\n  maillonctl keys show")]
pub(crate) struct Show {}

/// Make a new receive key
#[derive(Debug, Args)]
#[command(after_help = "Example:\n  maillonctl keys rotate --yes")]
pub(crate) struct Rotate {
    /// Do it without asking
    #[arg(long)]
    yes: bool,
}

/// Revoke this node's identity, for ever: nobody speaks to it any more
///
/// For a machine whose keys may be in other hands while you still reach it. A new node takes its place with the recovery key: maillond init --recover.
#[derive(Debug, Args)]
#[command(after_help = "Example:\n  maillonctl keys revoke --yes")]
pub(crate) struct Revoke {
    /// Do it without asking
    #[arg(long)]
    yes: bool,
}

impl Revoke {
    fn run(&self, session: &mut Session<'_, '_>) -> Result<u8, Failure> {
        session.confirm(self.yes, |session| {
            let now = answer!(session, Call::KeysShow, Keys);
            Ok(Consequence {
                lines: vec![
                    format!("The identity of this node ({}) is given up, for ever. There is no way back.", now.node),
                    "Every peer that it meets is told, and refuses it from then on. Nothing more is written here.".to_owned(),
                    "Circles of which it is the steward go on in another one, which a member opens.".to_owned(),
                    format!("Have the recovery key at hand (SHA-256 {}): only with it a new node takes this one's place.", now.recovery),
                ],
            })
        })?;
        session.done(
            Call::KeysRevoke,
            "The identity has been revoked. Let the node run until its peers have been told (maillonctl peer list), then make a new one: maillond init --recover.",
        )
    }
}

impl Keys {
    pub(super) fn run(&self, session: &mut Session<'_, '_>) -> Result<u8, Failure> {
        let call = match self {
            Self::Revoke(revoke) => return revoke.run(session),
            Self::Show(_) => Call::KeysShow,
            Self::Rotate(rotate) => {
                session.confirm(rotate.yes, |session| {
                    let now = answer!(session, Call::KeysShow, Keys);
                    let key = now
                        .receive
                        .first()
                        .map_or_else(|| "none".to_owned(), |(id, ..)| words::short(id));
                    Ok(Consequence {
                        lines: vec![
                            format!("This node makes a new receive key; the present one is {key}."),
                            "Every peer is told of it at its next connection and seals new epoch secrets to it.".to_owned(),
                            "The present key stays until it expires, so that what is on its way still opens.".to_owned(),
                            "The node's name does not change.".to_owned(),
                        ],
                    })
                })?;
                Call::KeysRotate
            }
        };
        let keys = answer!(session, call, Keys);
        session.print(&keys, |view| show(view, &keys))
    }
}

fn show(view: &View, keys: &admin::Keys) -> String {
    let clock = &view.clock;
    format!(
        "Node          {}\nRecovery key  SHA-256 {}\n\n{}",
        keys.node,
        keys.recovery,
        table(
            view,
            ["receive key", "made", "expires"],
            keys.receive.iter().map(|(id, made, expires)| [
                id.to_string(),
                clock.when(*made),
                clock.when(*expires)
            ])
        )
    )
}
