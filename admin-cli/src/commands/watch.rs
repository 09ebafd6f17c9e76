//! `watch`: events as they commit.

use clap::Args;
use maillon_protocol::admin::WatchEvent;

use crate::{
    failure::Failure,
    session::Session,
    terminal::{Clock, text, words},
};

/// Show what happens, one line for each event, until interrupted
///
/// An event is told after its commit. Nothing of the content is shown, only what arrived where.
#[derive(Debug, Args)]
#[command(after_help = "Example:\n  maillonctl watch\n  maillonctl watch --json")]
pub(crate) struct Watch {}

impl Watch {
    pub(super) fn run(&self, session: &mut Session<'_, '_>) -> Result<u8, Failure> {
        for event in session.watch()? {
            let event = event?;
            session.print(&event, |view| show(&view.clock, &event))?;
        }
        Ok(0)
    }
}

fn show(clock: &Clock, event: &WatchEvent) -> String {
    match event {
        WatchEvent::Watching => {
            "Watching: everything that commits from here on is shown. Stop with Ctrl-C.".to_owned()
        }
        WatchEvent::Recorded {
            circle,
            record,
            kind,
            node,
            at_ms,
            ..
        } => format!(
            "{} {} {} of {} in circle {}",
            clock.of_day(*at_ms),
            text::line(kind),
            words::short(record),
            words::node(node),
            words::short(circle)
        ),
        WatchEvent::Delivered {
            circle,
            record,
            node,
            at_ms,
        } => format!(
            "{} delivered {} to {} in circle {}",
            clock.of_day(*at_ms),
            words::short(record),
            words::node(node),
            words::short(circle)
        ),
        WatchEvent::Charter {
            circle,
            entry,
            member,
        } => format!(
            "circle {} is at entry {entry}{}",
            words::short(circle),
            if *member {
                ""
            } else {
                ", and this node is not a member"
            }
        ),
        WatchEvent::Continued { circle, by } => format!(
            "circle {} goes on in circle {}",
            words::short(circle),
            words::short(by)
        ),
        WatchEvent::Invited { invitation } => format!(
            "invited: see maillonctl circle candidates {} --as PROFESSIONAL",
            words::short(invitation)
        ),
        WatchEvent::Cancelled { invitation } => format!(
            "invitation {} was taken back by whoever sent it",
            words::short(invitation)
        ),
        WatchEvent::Link { node, up } => format!(
            "{} {}",
            words::node(node),
            if *up {
                "is connected"
            } else {
                "has disconnected"
            }
        ),
        WatchEvent::Pairing { pairing } => format!(
            "pairing {} went on: see maillonctl peer list",
            words::short(pairing)
        ),
        WatchEvent::Reported { circle, what } => {
            let place = circle.as_ref().map_or_else(String::new, |circle| {
                format!(" in circle {}", words::short(circle))
            });
            format!("reported: {}{place}", text::line(what))
        }
        WatchEvent::Missed { count } => format!(
            "{} could not be shown in time",
            words::count(*count, "event")
        ),
    }
}
