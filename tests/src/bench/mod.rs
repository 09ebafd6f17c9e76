//! The figures: what real daemons take, each beside a floor that was measured in the same run.
//!
//! | name | what | floor |
//! |---|---|---|
//! | `alert_p50`, `alert_p99` | from the request written to A's socket until `watch` at B's socket yields it | two synced RocksDB writes of that size and one ping |
//! | `alert_busy_p99` | the same while 64 writers write in circles of A alone | the floor of `alert_p99` |
//! | `alert_rate` | alerts from A all seen at B, a second: 16 connections with up to 32 under way on each | none |
//! | `group_commit` | notes a second by 64 writers, of whom 16 share a connection; the median of five turns | by one writer, in the turns between |
//! | `catch_up` | 100,000 records in 1,000 circles, from B's first answer after a separation until B holds all | verification and decryption of the same records, and synced raw writes in the same batches |
//! | `memory_100k` | resident memory 10 s after a restart, all circles compared once, 1,000 records read | none |
//! | `ready_100k` | from exec until `status` answers and a note is durable | none |
//! | `memory_1m`, `ready_1m` | the same with 1,000,000 records of 600 bytes of text | none |
//! | `disk_per_record` | bytes of A's database for each of these records, compacted | none |
//! | `catch_up_1k` | B was off for 40 s while 1,000 records were written: from its first answer until it holds all | none |
//! | `outage_12min` | B was off for 12 minutes: from its first answer until it holds the alert that waited | none |
//! | `outage_12min_cut` | the line was cut for 12 minutes: from its healing until B's `watch` yields the alert that waited | none |
//! | `reconnect_idle`, `reconnect_one` | bytes of the sync stream after B's restart, both ways, with 10,000 circles in common: nothing new, one new record | none |
//! | `idle_peer_memory` | resident memory for one more connected peer | none |
//! | `idle_peer_traffic` | bytes a minute between two nodes with nothing to say, both ways | none |
//! | `search_p95` | a search that somebody types, 8 at a time, in a node with 20,000 files and 500,000 records where 200 people have a page open | a page without anybody's data, 8 at a time |
//! | `dossier_p95` | a file's page in that node, 8 at a time | the floor of `search_p95` |
//! | `note_p95` | a note sent by its form in that node, one by one | synced RocksDB writes of that size |
//! | `streams_memory` | resident memory of that node for 200 open streams of events | none |
//! | `first_page` | bytes that chromium fetches with an empty cache: the door or the first page behind it, whichever is more | none |
//! | `next_page` | bytes that it fetches for the heaviest of the pages after that | none |
//! | `alert_to_screen` | an alert sent by its form at A until chromium shows it on an open page of B, the median | none |
//!
//! What a floor needs of RocksDB and of the records is measured by the daemon's own program, `maillond floor`.

mod alerts;
mod away;
mod bulk;
mod crowd;
pub mod curves;
mod figure;
mod floor;
mod idle;
mod pages;
mod pipe;
mod reconnect;
mod territory;
mod writers;

use std::path::Path;

pub use figure::{Figure, Goal};

use crate::daemon::Trouble;

/// How much is written for the large figures. A node of professionals has five times as many records, twenty times as many files, and a professional for each five
/// of these circles.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Scale {
    /// Records in all.
    pub records: u64,
    /// Circles that they are spread over.
    pub circles: usize,
}

impl Scale {
    /// What the figures' names promise.
    pub const FULL: Self = Self {
        records: 100_000,
        circles: 1_000,
    };
}

/// One measurement gives one figure or several.
type Measurement = fn(&Path, Scale) -> Result<Vec<Figure>, Trouble>;

/// What is measured together, in this order.
const MEASUREMENTS: [(&[&str], Measurement); 10] = [
    (
        &["alert_p50", "alert_p99", "alert_busy_p99", "alert_rate"],
        alerts::measure,
    ),
    (&["group_commit"], writers::measure),
    (&["catch_up", "memory_100k", "ready_100k"], bulk::measure),
    (&["catch_up_1k"], away::catch_up_1k),
    (&["memory_1m", "ready_1m", "disk_per_record"], bulk::million),
    (&["reconnect_idle", "reconnect_one"], reconnect::measure),
    (&["idle_peer_memory", "idle_peer_traffic"], idle::measure),
    (
        &[
            "search_p95",
            "dossier_p95",
            "note_p95",
            "streams_memory",
            "first_page",
            "next_page",
        ],
        pages::measure,
    ),
    (&["alert_to_screen"], pages::alert_to_screen),
    (&["outage_12min", "outage_12min_cut"], away::outage),
];

/// Every figure's name.
pub fn names() -> Vec<&'static str> {
    MEASUREMENTS
        .iter()
        .flat_map(|(names, _)| names.iter().copied())
        .collect()
}

/// Measures the figures that are wanted, in folders below `root`, and hands each over as soon as it is known.
///
/// # Errors
/// The first trouble with a daemon; later figures are not measured then.
pub fn measure(
    root: &Path,
    scale: Scale,
    wanted: impl Fn(&str) -> bool,
    mut take: impl FnMut(Figure) -> Result<(), Trouble>,
) -> Result<(), Trouble> {
    for (number, (names, measurement)) in MEASUREMENTS.iter().enumerate() {
        if names.iter().any(|name| wanted(name)) {
            let folder = root.join(number.to_string());
            let figures = measurement(&folder, scale)?;
            figures
                .into_iter()
                .filter(|figure| wanted(figure.name))
                .try_for_each(&mut take)?;
            // A million records need the room of those before.
            if folder.exists() {
                let trouble = Trouble::io("a folder of the figures");
                std::fs::remove_dir_all(&folder).map_err(trouble)?;
            }
        }
    }
    Ok(())
}
