//! `status`: must I do something?

use clap::Args;
use maillon_protocol::admin::{self, Call, Verdict};

use super::peer;
use crate::{
    failure::Failure,
    session::{Session, answer},
    terminal::{View, text, words},
};

/// Say whether something must be done, why, and which command to type
///
/// The exit code is 0 where there is nothing to do, 1 where something should be looked at in the next days, 2 where something must be done
/// now. A peer that is away for days is normal.
#[derive(Debug, Args)]
#[command(after_help = "Example:\n  maillonctl status\n  maillonctl status --json")]
pub(crate) struct Status {}

impl Status {
    pub(super) fn run(&self, session: &mut Session<'_, '_>) -> Result<u8, Failure> {
        let status = answer!(session, Call::Status, Status);
        session.print(&status, |view| show(view, &status))?;
        Ok(match status.verdict {
            Verdict::Good => 0,
            Verdict::Look => 1,
            Verdict::Act => 2,
        })
    }
}

fn show(view: &View, status: &admin::Status) -> String {
    let clock = &view.clock;
    let verdict = match status.verdict {
        Verdict::Good => "NOTHING TO DO",
        Verdict::Look => "LOOK AT IT IN THE NEXT DAYS",
        Verdict::Act => "DO SOMETHING NOW",
    };
    let mut shown = format!("{verdict}: {}\n", text::line(&status.sentence));
    for reason in &status.reasons {
        shown += &format!(
            "  - {}\n    → {}\n",
            text::line(&reason.sentence),
            text::line(&reason.command)
        );
    }
    let backup = status.last_backup_ms.map_or_else(
        || "none verified yet".to_owned(),
        |ms| format!("verified {}", clock.when(ms)),
    );
    let care = if status.care_commands {
        "shown and written here by whoever may use the socket and names a professional (--as)"
    } else {
        "not shown on this socket ([admin] care_commands = false)"
    };
    let lines = [
        (
            "Structure",
            format!(
                "{} ({})",
                text::line(&status.structure),
                words::structure(status.kind)
            ),
        ),
        ("Node", status.node.to_string()),
        (
            "Daemon",
            format!(
                "maillond {}, running for {}",
                text::line(&status.version),
                clock.since(status.started_ms)
            ),
        ),
        (
            "Listens on",
            if status.addresses.is_empty() {
                "nothing".to_owned()
            } else {
                text::line(&status.addresses.join(", "))
            },
        ),
        (
            "Holds",
            format!(
                "{}, {}",
                words::count(status.circles, "circle"),
                words::count(status.records, "record")
            ),
        ),
        (
            "Disk",
            format!(
                "{} used, {} free",
                words::bytes(status.disk_used),
                words::bytes(status.disk_free)
            ),
        ),
        ("Backup", backup),
        ("Care content", care.to_owned()),
    ];
    shown.push('\n');
    for (name, value) in lines {
        shown += &format!("{name:<14}{value}\n");
    }
    if status.peers.is_empty() {
        shown += "\nNo peers yet.\n";
    } else {
        shown += &format!("\n{}\n", peer::lines(view, &status.peers));
    }
    let next = match status.reasons.first() {
        Some(reason) => text::line(&reason.command),
        None if status.peers.is_empty() => "maillonctl peer invite".to_owned(),
        None => "maillonctl watch".to_owned(),
    };
    shown + &format!("\nNext: {next}")
}
