//! `record show`: what a record says, and how far it got.

use clap::Args;
use maillon_protocol::admin::{Call, RecordView};

use super::super::{alert::states, circle};
use crate::{
    failure::Failure,
    session::{Session, answer},
    terminal::{View, text, words},
};

/// Show what a record says, who wrote it, and how far it got; of an alert also who must answer, until when, and who has
#[derive(Debug, Args)]
#[command(after_help = "Example:\n  maillonctl record show 9c04d1e7aa52 --as 7b21")]
pub(crate) struct Show {
    /// The record
    record: String,
}

impl Show {
    pub(super) fn run(&self, session: &mut Session<'_, '_>) -> Result<u8, Failure> {
        let call = Call::RecordShow {
            record: self.record.clone(),
        };
        let record = answer!(session, call, Record);
        session.print(&record, |view| show(view, &record))
    }
}

fn show(view: &View, record: &RecordView) -> String {
    let clock = &view.clock;
    let (title, body) = circle::content(record);
    let profession = record
        .author
        .profession
        .as_ref()
        .map_or_else(String::new, |code| {
            let label = if code.label.is_empty() {
                &code.code
            } else {
                &code.label
            };
            format!(" ({})", text::line(label))
        });
    let mut shown = format!(
        "Record   {}\nCircle   {}\nKind     {title}\nAuthor   {}{profession}, {}\nNode     {} ({})\nOccurred {}\nWritten  {}\n",
        record.record,
        record.circle,
        text::line(&record.author.name),
        text::line(&record.author.structure.name),
        text::line(&record.structure),
        words::node(&record.node),
        clock.when(record.occurred_ms),
        clock.when(record.time.ms()),
    );
    if let Some(arrived) = record.ahead {
        shown += &format!("Clock    ahead: it arrived {}\n", clock.when(arrived));
    }
    if record.forked {
        shown += "Log      forked: its machine ran on an old copy of its disk, or twice\n";
    }
    if !body.is_empty() {
        shown += &format!("\n{}\n", text::paragraph(&body, "  │ "));
    }
    if let Some(alert) = &record.alert {
        shown += &format!("\n{}", states::lines(view, alert, ""));
        shown += &states::answers(view, alert);
        return shown;
    }
    if !record.delivery.is_empty() {
        shown.push('\n');
    }
    for (_, structure, delivery) in &record.delivery {
        shown += &format!(
            "{}: {}\n",
            text::line(structure),
            words::delivery(view, delivery)
        );
    }
    shown
}
