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
        shown += &said("-", reason);
    }
    for notice in &status.notices {
        shown += &said("i", notice);
    }
    let backup = status.last_backup_ms.map_or_else(
        || {
            "none is made by itself; make one with maillonctl checkpoint, and copy it elsewhere (deploy/GUIDE.md)"
                .to_owned()
        },
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
                clock.lasting(status.started_ms)
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
        ("Clock", clocks(view, &status.clock)),
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
    let next = match status.reasons.iter().find_map(|one| one.command.as_deref()) {
        Some(command) => text::line(command),
        None if !status.reasons.is_empty() => return shown,
        None if status.peers.is_empty() => "maillonctl peer invite".to_owned(),
        None => "maillonctl watch".to_owned(),
    };
    shown + &format!("\nNext: {next}")
}

/// A reason or a notice, with its command where it has one.
fn said(mark: &str, reason: &admin::Reason) -> String {
    let command = reason
        .command
        .as_deref()
        .map(|command| format!("    → {}\n", text::line(command)))
        .unwrap_or_default();
    format!("  {mark} {}\n{command}", text::line(&reason.sentence))
}

/// The daemon's clock, and whose ran ahead of it.
fn clocks(view: &View, clock: &admin::ClockState) -> String {
    let now = view.clock.exact(clock.now_ms);
    if clock.ahead.is_empty() {
        return format!("{now}; nobody's records came from a clock ahead");
    }
    let ahead: Vec<_> = clock
        .ahead
        .iter()
        .map(|one| {
            format!(
                "{} from {}, the last {} minutes ahead, {}",
                words::count(one.records, "record"),
                text::line(&one.structure),
                one.by_ms / 60_000,
                view.clock.ago(one.last_ms)
            )
        })
        .collect();
    format!("{now}; ahead of it: {}", ahead.join("; "))
}
