//! `outbox`: what waits for whom.

use clap::Args;
use maillon_protocol::admin::{Call, OutboxLine};

use crate::{
    failure::Failure,
    session::{Session, answer},
    terminal::{View, table, text, words},
};

/// Show what waits for which structure
#[derive(Debug, Args)]
#[command(after_help = "Example:\n  maillonctl outbox")]
pub(crate) struct Outbox {}

impl Outbox {
    pub(super) fn run(&self, session: &mut Session<'_, '_>) -> Result<u8, Failure> {
        let lines = answer!(session, Call::Outbox, Outbox);
        session.print(&lines, |view| show(view, &lines))
    }
}

fn show(view: &View, lines: &[OutboxLine]) -> String {
    if lines.is_empty() {
        return "Nothing waits: every member of every circle has everything.".to_owned();
    }
    table(
        view,
        ["structure", "node", "circle", "records", "oldest", "alert"],
        lines.iter().map(|line| {
            [
                text::line(&line.structure),
                words::node(&line.node),
                words::short(&line.circle),
                line.records.to_string(),
                view.clock.ago(line.oldest_ms),
                words::yes(line.alert).to_owned(),
            ]
        }),
    )
}
