//! `alert list`: the alerts of all circles.

use clap::Args;
use maillon_protocol::admin::{AlertPage, Call};

use super::states;
use crate::{
    failure::Failure,
    session::{Session, answer},
    terminal::{View, text, words},
};

/// List the alerts of all circles: the most urgent first
///
/// High ones that are open come first, of those the overdue ones; then others that are overdue; then the newest.
///
/// Open is an alert that nobody has closed, and that nobody of a structure that must answer has acknowledged or taken charge of. The
/// structures that it names must answer; where it names none, every structure but the sender's. It is overdue once its deadline has passed
/// while it is open. With --open, circles that are closed or that this node has left are passed over: nobody here can answer there.
#[derive(Debug, Args)]
#[command(
    after_help = "Example:\n  maillonctl alert list --open --as 7b21\n  maillonctl alert list --circle 5f3a09c1d2e4 --limit 20 --as 7b21"
)]
pub(crate) struct List {
    /// Only those that are open
    #[arg(long)]
    open: bool,
    /// Only those of this circle
    #[arg(long, value_name = "CIRCLE")]
    circle: Option<String>,
    /// Go on where the page before ended
    #[arg(long, value_name = "WHERE")]
    after: Option<String>,
    /// At most so many
    #[arg(long, default_value_t = 50, value_parser = clap::value_parser!(u32).range(1..=200), value_name = "NUMBER")]
    limit: u32,
}

impl List {
    pub(super) fn run(&self, session: &mut Session<'_, '_>) -> Result<u8, Failure> {
        let call = Call::AlertList {
            circle: self.circle.clone(),
            open: self.open,
            after: self.after.clone(),
            limit: self.limit,
        };
        let page = answer!(session, call, Alerts);
        session.print(&page, |view| self.show(view, &page))
    }

    fn show(&self, view: &View, page: &AlertPage) -> String {
        if page.alerts.is_empty() {
            let more = if self.after.is_some() { "more " } else { "" };
            return if self.open {
                format!("No {more}open alerts.")
            } else {
                format!("No {more}alerts.")
            };
        }
        let mut shown = String::new();
        for line in &page.alerts {
            let overdue = if line.overdue { "OVERDUE: " } else { "" };
            let patient = if line.patient.is_empty() {
                String::new()
            } else {
                format!(" for {}", text::line(&line.patient))
            };
            shown += &format!(
                "{overdue}{}{patient} in circle {}, {}, {}\n",
                words::short(&line.record),
                words::short(&line.circle),
                states::somebody(&line.by, &line.structure),
                view.clock.when(line.written_ms)
            );
            if !line.text.is_empty() {
                shown += &format!("{}\n", text::paragraph(&line.text, "  │ "));
            }
            shown += &format!("{}\n", states::lines(view, &line.alert, "  "));
        }
        if let Some(next) = &page.next {
            let open = if self.open { " --open" } else { "" };
            let circle = (self.circle.as_deref())
                .map_or_else(String::new, |one| format!(" --circle {}", text::line(one)));
            shown += &format!(
                "More: maillonctl alert list{open}{circle} --after {}\n",
                text::line(next)
            );
        }
        shown
    }
}
