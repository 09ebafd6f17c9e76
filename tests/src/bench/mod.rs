//! The figures: what real daemons take, each beside a floor that was measured in the same run.
//!
//! | name | what | floor |
//! |---|---|---|
//! | `alert_p50`, `alert_p99` | from the request written to A's socket until `watch` at B's socket yields it | two synced RocksDB writes of that size and one ping |
//! | `group_commit` | notes a second by 64 writers, of whom 16 share a connection; the median of five turns | by one writer, in the turns between |
//! | `catch_up` | 100,000 records in 1,000 circles, from B's first answer after a separation until B holds all | verification and decryption of the same records, and synced raw writes in the same batches |
//! | `memory_100k` | resident memory 10 s after a restart, all circles compared once, 1,000 records read | none |
//! | `ready_100k` | from exec until `status` answers and a note is durable | none |
//!
//! What a floor needs of RocksDB and of the records is measured by the daemon's own program, `maillond floor`.

mod alerts;
mod bulk;
mod crowd;
mod figure;
mod floor;
mod writers;

use std::path::Path;

pub use figure::{Figure, Goal};

use crate::daemon::Trouble;

/// How much is written for the large figures.
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

/// Every figure's name.
pub const NAMES: [&str; 6] = [
    "alert_p50",
    "alert_p99",
    "group_commit",
    "catch_up",
    "memory_100k",
    "ready_100k",
];

/// One measurement gives one figure or several.
type Measurement = fn(&Path, Scale) -> Result<Vec<Figure>, Trouble>;

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
    let measurements: [(&[&str], Measurement); 3] = [
        (&NAMES[..2], alerts::measure),
        (&NAMES[2..3], writers::measure),
        (&NAMES[3..], bulk::measure),
    ];
    for (number, (names, measurement)) in measurements.into_iter().enumerate() {
        if names.iter().any(|name| wanted(name)) {
            let figures = measurement(&root.join(number.to_string()), scale)?;
            figures
                .into_iter()
                .filter(|figure| wanted(figure.name))
                .try_for_each(&mut take)?;
        }
    }
    Ok(())
}
