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

impl Keys {
    pub(super) fn run(&self, session: &mut Session<'_, '_>) -> Result<u8, Failure> {
        let call = match self {
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
