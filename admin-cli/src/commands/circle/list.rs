//! `circle list`: nothing about persons.

use clap::Args;
use maillon_protocol::admin::{Call, CircleLine};

use crate::{
    failure::Failure,
    session::{Session, answer},
    terminal::{View, table, words},
};

/// List the circles of this node; nothing about persons
#[derive(Debug, Args)]
#[command(
    after_help = "Example:\n  maillonctl circle list\n  maillonctl circle list --after 5f3a09c1d2e4 --limit 50"
)]
pub(crate) struct List {
    /// Go on after this circle
    #[arg(long, value_name = "CIRCLE")]
    after: Option<String>,
    /// At most so many
    #[arg(long, default_value_t = 200, value_parser = clap::value_parser!(u32).range(1..=200), value_name = "NUMBER")]
    limit: u32,
}

impl List {
    pub(super) fn run(&self, session: &mut Session<'_, '_>) -> Result<u8, Failure> {
        let call = Call::CircleList {
            after: self.after.clone(),
            limit: self.limit,
        };
        let circles = answer!(session, call, Circles);
        session.print(&circles, |view| self.show(view, &circles))
    }

    fn show(&self, view: &View, circles: &[CircleLine]) -> String {
        let Some(last) = circles.last() else {
            return if self.after.is_some() {
                "No more circles.".to_owned()
            } else {
                "No circles yet. Open one: maillonctl circle open --help".to_owned()
            };
        };
        let mut shown = table(
            view,
            [
                "circle",
                "about",
                "this node",
                "members",
                "entry",
                "records",
                "state",
            ],
            circles.iter().map(|line| {
                [
                    words::short(&line.circle),
                    words::subject(line.subject).to_owned(),
                    role(line).to_owned(),
                    line.members.to_string(),
                    line.entry.to_string(),
                    line.records.to_string(),
                    state(line),
                ]
            }),
        );
        if circles.len() >= self.limit as usize {
            shown += &format!(
                "\n\nMore: maillonctl circle list --after {}",
                words::short(&last.circle)
            );
        }
        shown
    }
}

/// Whether something new may be written in a circle, and where else.
fn state(line: &CircleLine) -> String {
    match (&line.continued, line.closed) {
        (Some(next), _) => format!("goes on in {}", words::short(next)),
        (None, true) => "closed".to_owned(),
        (None, false) => "open".to_owned(),
    }
}

/// What this node is in a circle.
pub(super) const fn role(line: &CircleLine) -> &'static str {
    match (line.steward, line.member) {
        (true, _) => "steward",
        (false, true) => "member",
        (false, false) => "no longer member",
    }
}
