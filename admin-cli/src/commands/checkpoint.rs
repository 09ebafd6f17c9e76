//! `checkpoint`: a copy of the whole node.

use clap::Args;
use maillon_protocol::admin::Call;

use crate::{
    failure::Failure,
    session::{Session, answer},
    terminal::text,
};

/// Make a copy of the whole node as of now, in its data folder; `maillond restore` puts it back
#[derive(Debug, Args)]
#[command(after_help = "Example:\n  maillonctl checkpoint")]
pub(crate) struct Checkpoint {}

impl Checkpoint {
    pub(super) fn run(&self, session: &mut Session<'_, '_>) -> Result<u8, Failure> {
        let made = answer!(session, Call::Checkpoint, Checkpoint);
        session.print(&made, |_| {
            format!(
                "Made: {} ({} MB, most of it shared with the database).\n\
                 To be a backup, copy it to another machine; keep the key file or the passphrase apart from it.\n",
                text::line(&made.folder),
                made.bytes.div_ceil(1 << 20)
            )
        })
    }
}
