//! `record list`: a circle's records, nothing of what they say.

use clap::Args;
use maillon_protocol::admin::{Call, RecordPage};

use crate::{
    failure::Failure,
    session::{Session, answer},
    terminal::{View, table, text, words},
};

/// List the records of a circle; nothing of what they say
#[derive(Debug, Args)]
#[command(after_help = "Example:\n  maillonctl record list 5f3a09c1d2e4 --limit 20")]
pub(crate) struct List {
    /// The circle
    circle: String,
    /// Go on where the page before ended
    #[arg(long, value_name = "WHERE")]
    after: Option<String>,
    /// At most so many
    #[arg(long, default_value_t = 100, value_parser = clap::value_parser!(u32).range(1..=500), value_name = "NUMBER")]
    limit: u32,
}

impl List {
    pub(super) fn run(&self, session: &mut Session<'_, '_>) -> Result<u8, Failure> {
        let call = Call::RecordList {
            circle: self.circle.clone(),
            after: self.after.clone(),
            limit: self.limit,
        };
        let page = answer!(session, call, Records);
        session.print(&page, |view| self.show(view, &page))
    }

    fn show(&self, view: &View, page: &RecordPage) -> String {
        if page.records.is_empty() {
            return "No records here.".to_owned();
        }
        let mut shown = table(
            view,
            [
                "record", "node", "sequence", "written", "entry", "size", "clock",
            ],
            page.records.iter().map(|line| {
                [
                    words::short(&line.record),
                    words::node(&line.log.node),
                    line.sequence.to_string(),
                    view.clock.when(line.time.ms()),
                    line.entry.to_string(),
                    words::bytes(line.bytes),
                    line.ahead.map_or_else(
                        || "-".to_owned(),
                        |arrived| format!("ahead, arrived {}", view.clock.when(arrived)),
                    ),
                ]
            }),
        );
        if let Some(next) = &page.next {
            shown += &format!(
                "\n\nMore: maillonctl record list {} --after '{}'",
                text::line(&self.circle),
                text::line(next)
            );
        }
        shown
    }
}
