//! `audit`: who did what.

use clap::{Args, Subcommand};
use maillon_protocol::admin::{AuditLine, AuditPage, AuditVerified, Call};

use crate::{
    failure::Failure,
    session::{Session, answer},
    terminal::{View, table, text, words},
};

/// The audit trail: who did what, and when
///
/// Each line names the hash of the one before it. It holds ids and fixed words, nothing that was written and nothing about a patient.
#[derive(Debug, Subcommand)]
#[command(after_help = "Example:\n  maillonctl audit list --since 3d")]
pub(crate) enum Audit {
    List(List),
    Verify(Verify),
}

/// List what was done, the newest first
#[derive(Debug, Args)]
#[command(
    after_help = "Example:\n  maillonctl audit list\n  maillonctl audit list --circle 5f3a09c1d2e4 --since 2026-11-20 --json"
)]
pub(crate) struct List {
    /// What was about this circle only
    #[arg(long, value_name = "CIRCLE")]
    circle: Option<String>,
    /// What was done since then only: so long ago (3d, 2h, 30m), a day (2026-11-20) or a time (2026-11-20T14:05)
    #[arg(long, value_name = "WHEN")]
    since: Option<String>,
    /// Go on before the line of this number
    #[arg(long, value_name = "NUMBER")]
    before: Option<u64>,
    /// At most so many
    #[arg(long, default_value_t = 100, value_parser = clap::value_parser!(u32).range(1..=500), value_name = "NUMBER")]
    limit: u32,
}

/// Check that no line was taken out, changed or slipped in
///
/// The exit code is 0 where the trail holds, 2 where it does not. The node signs the trail once a day: what was written anew or cut off before the last signature
/// is found. What was cut off behind it, or with it, is not missed: the node's log has the number of each line that was signed.
#[derive(Debug, Args)]
#[command(after_help = "Example:\n  maillonctl audit verify")]
pub(crate) struct Verify {}

impl Audit {
    pub(super) fn run(&self, session: &mut Session<'_, '_>) -> Result<u8, Failure> {
        match self {
            Self::List(list) => list.run(session),
            Self::Verify(_) => {
                let verified = answer!(session, Call::AuditVerify, AuditVerified);
                session.print(&verified, |view| match &verified.broken {
                    None => format!(
                        "The audit trail holds: {}, each follows the one before it.\n{}",
                        words::count(verified.lines, "line"),
                        signed(view, &verified)
                    ),
                    Some(broken) => format!(
                        "THE AUDIT TRAIL DOES NOT HOLD: {}\nCopy the data folder as it is before anything else.",
                        text::line(&text::sentence(broken))
                    ),
                })?;
                Ok(if verified.broken.is_some() { 2 } else { 0 })
            }
        }
    }
}

/// How far it was signed.
fn signed(view: &View, verified: &AuditVerified) -> String {
    match (verified.signed_to, verified.signed_ms) {
        (Some(line), Some(at_ms)) => format!(
            "It is signed up to line {line}, the last time at {}.",
            view.clock.exact(at_ms)
        ),
        _ => "It is not signed yet: the node does so once a day.".to_owned(),
    }
}

impl List {
    fn run(&self, session: &mut Session<'_, '_>) -> Result<u8, Failure> {
        let since_ms = match &self.since {
            None => None,
            Some(typed) => Some(session.view().clock.since(typed).ok_or_else(|| Failure::Value {
                cause: "this is neither a distance nor a day nor a time".to_owned(),
                action: "Say 3d, 2h or 30m, a day such as 2026-11-20, or a time such as 2026-11-20T14:05.",
            })?),
        };
        let call = Call::AuditList {
            circle: self.circle.clone(),
            since_ms,
            before: self.before,
            limit: self.limit,
        };
        let page = answer!(session, call, Audit);
        session.print(&page, |view| self.show(view, &page))
    }

    fn show(&self, view: &View, page: &AuditPage) -> String {
        let mut shown = if page.lines.is_empty() {
            "Nothing of that kind here.".to_owned()
        } else {
            lines(view, &page.lines)
        };
        if let Some(next) = page.next {
            let circle = self.circle.as_deref();
            let since = self.since.as_deref();
            shown += &format!(
                "\n\nMore: maillonctl audit list --before {next}{}{}",
                circle.map_or_else(String::new, |one| format!(" --circle {}", text::line(one))),
                since.map_or_else(String::new, |one| format!(" --since {}", text::line(one))),
            );
        }
        shown
    }
}

/// What else a line was about: a word, and the beginning of an id or a name.
fn object(object: &str) -> String {
    match object.split_once(' ') {
        Some((word, id)) => format!("{} {}", text::line(word), words::short(&id)),
        None => text::line(object),
    }
}

fn lines(view: &View, lines: &[AuditLine]) -> String {
    let or_none = |value: Option<String>| value.unwrap_or_else(|| "-".to_owned());
    table(
        view,
        [
            "line", "when", "who", "user", "what", "circle", "record", "node", "and",
        ],
        lines.iter().map(|line| {
            let who = match (&line.name, &line.professional) {
                (Some(name), _) => text::line(name),
                (None, Some(id)) => words::short(id),
                (None, None) => "administrator".to_owned(),
            };
            [
                line.number.to_string(),
                view.clock.exact(line.at_ms),
                who,
                line.user.to_string(),
                text::line(&line.action),
                or_none(line.circle.as_ref().map(words::short)),
                or_none(line.record.as_ref().map(words::short)),
                or_none(line.node.as_ref().map(words::node)),
                or_none(line.object.as_deref().map(object)),
            ]
        }),
    )
}
