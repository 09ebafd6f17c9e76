//! `sync`: where this node stands.

use clap::{Args, Subcommand};
use maillon_protocol::admin::{Call, CircleDigest};

use crate::{
    failure::Failure,
    session::{Session, answer},
    terminal::{View, table, words},
};

/// Where this node stands in each circle
#[derive(Debug, Subcommand)]
#[command(after_help = "Example:\n  maillonctl sync check --digest")]
pub(crate) enum Sync {
    Check(Check),
    Rebuild(Rebuild),
}

/// Show the heights of all circles or one; two nodes that agree show the same digest
#[derive(Debug, Args)]
#[command(after_help = "Example:\n  maillonctl sync check --digest 5f3a09c1d2e4")]
pub(crate) struct Check {
    /// The circle; all, where none is named
    circle: Option<String>,
    /// Work out the digest of what is shown, to compare with another node's
    #[arg(long)]
    digest: bool,
}

/// Work all views out again from the records
#[derive(Debug, Args)]
#[command(after_help = "Example:\n  maillonctl sync rebuild")]
pub(crate) struct Rebuild {}

impl Sync {
    pub(super) fn run(&self, session: &mut Session<'_, '_>) -> Result<u8, Failure> {
        let call = match self {
            Self::Check(check) => Call::SyncCheck {
                circle: check.circle.clone(),
                digest: check.digest,
            },
            Self::Rebuild(_) => Call::SyncRebuild,
        };
        let digests = answer!(session, call, SyncCheck);
        session.print(&digests, |view| show(view, &digests))
    }
}

fn show(view: &View, digests: &[CircleDigest]) -> String {
    if digests.is_empty() {
        return "This node is in no circle yet.".to_owned();
    }
    table(
        view,
        ["circle", "entry", "records", "digest"],
        digests.iter().map(|line| {
            [
                words::short(&line.circle),
                line.entry.to_string(),
                line.records.to_string(),
                line.digest
                    .as_ref()
                    .map_or_else(|| "-".to_owned(), ToString::to_string),
            ]
        }),
    )
}
