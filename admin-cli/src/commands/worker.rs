//! `worker`: background loops.

use clap::{Args, Subcommand};
use maillon_protocol::admin::{self, Call};

use crate::{
    failure::Failure,
    session::{Session, answer},
    terminal::{View, table, text},
};

/// Background work
#[derive(Debug, Subcommand)]
#[command(after_help = "Example:\n  maillonctl worker list")]
pub(crate) enum Worker {
    List(List),
    Set(Set),
}

/// List the background workers with their state, queue, last success and last error
#[derive(Debug, Args)]
#[command(after_help = "Example:\n  maillonctl worker list")]
pub(crate) struct List {}

/// Slow a worker down, or let it go
///
/// A worker sleeps so many times as long as its work took: 0 never sleeps, 10 leaves the machine nine tenths of the time and more. The number
/// is kept across restarts.
#[derive(Debug, Args)]
#[command(after_help = "Example:\n  maillonctl worker set verify --tranquillity 10")]
pub(crate) struct Set {
    /// The worker's name, as worker list shows it
    worker: String,
    /// How many times the work's own duration it sleeps, 0 to 1000
    #[arg(long, value_parser = clap::value_parser!(u32).range(0..=1000), value_name = "TIMES")]
    tranquillity: u32,
}

impl Worker {
    pub(super) fn run(&self, session: &mut Session<'_, '_>) -> Result<u8, Failure> {
        let call = match self {
            Self::List(_) => Call::WorkerList,
            Self::Set(set) => Call::WorkerSet {
                worker: set.worker.clone(),
                tranquillity: set.tranquillity,
            },
        };
        let workers = answer!(session, call, Workers);
        session.print(&workers, |view| show(view, &workers))
    }
}

fn show(view: &View, workers: &[admin::Worker]) -> String {
    let clock = &view.clock;
    let mut shown = table(
        view,
        [
            "worker",
            "state",
            "queue",
            "last success",
            "tranquillity",
            "what it does",
        ],
        workers.iter().map(|worker| {
            [
                text::line(&worker.name),
                text::line(&worker.state),
                worker.queue.to_string(),
                worker
                    .last_success_ms
                    .map_or_else(|| "never".to_owned(), |ms| clock.ago(ms)),
                worker.tranquillity.to_string(),
                text::line(&worker.does),
            ]
        }),
    );
    for worker in workers {
        if let Some((at, error)) = &worker.last_error {
            shown += &format!(
                "\n{}, last error {}: {}",
                text::line(&worker.name),
                clock.when(*at),
                text::line(error)
            );
        }
    }
    shown
}
