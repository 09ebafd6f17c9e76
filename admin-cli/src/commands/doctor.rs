//! `doctor`: every invariant, checked now.

use clap::Args;
use maillon_protocol::admin::{Call, Check};

use crate::{
    failure::Failure,
    session::{Session, answer},
    terminal::{text, words},
};

/// Check everything that must hold, now
///
/// The exit code is 0 where everything holds, 1 where something does not hold and a command repairs it, 2 where a person must act.
#[derive(Debug, Args)]
#[command(after_help = "Example:\n  maillonctl doctor")]
pub(crate) struct Doctor {}

impl Doctor {
    pub(super) fn run(&self, session: &mut Session<'_, '_>) -> Result<u8, Failure> {
        let checks = answer!(session, Call::Doctor, Checks);
        session.print(&checks, |_| show(&checks))?;
        Ok(checks
            .iter()
            .map(|check| match (check.holds, &check.repair) {
                (true, _) => 0,
                (false, Some(_)) => 1,
                (false, None) => 2,
            })
            .max()
            .unwrap_or(0))
    }
}

fn show(checks: &[Check]) -> String {
    let mut shown = String::new();
    for check in checks {
        let mark = if check.holds { "ok  " } else { "FAIL" };
        shown += &format!(
            "{mark} {}: {}\n",
            text::line(&check.name),
            text::line(&check.sentence)
        );
        if !check.found.is_empty() {
            shown += &format!("     {}\n", text::line(&check.found));
        }
        if let (false, Some(repair)) = (check.holds, &check.repair) {
            shown += &format!("     → {}\n", text::line(repair));
        } else if let (false, Some(advice)) = (check.holds, &check.advice) {
            shown += &format!("     {}\n", text::line(&text::sentence(advice)));
        }
    }
    let broken = checks.iter().filter(|check| !check.holds).count() as u64;
    shown
        + &if broken == 0 {
            format!("All {} hold.", words::count(checks.len() as u64, "check"))
        } else {
            format!(
                "{broken} of {} failed.",
                words::count(checks.len() as u64, "check")
            )
        }
}
