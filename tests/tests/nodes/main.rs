//! Scenarios with real daemons: each has folders, ports and processes of its own, and every wait is bounded.

mod administration;
mod admission;
mod alerts;
mod attachments;
mod bundles;
mod clock;
mod command;
mod durability;
mod erasing;
mod handshake;
mod imports;
mod invariants;
mod leaving;
mod partition;
mod presenting;
mod raw;
mod refusals;
mod relay;
mod replacing;
mod requests;
mod restore;
mod secrecy;
mod socket;
mod stewardship;
mod succession;
mod users;

use maillon_tests::daemon::{Settings, Shared, Trouble, Two};
use tempfile::TempDir;

/// What a scenario returns: any trouble is a failed test that says what happened.
type Story = Result<(), Trouble>;

fn folder() -> Result<TempDir, Trouble> {
    tempfile::Builder::new()
        .prefix("maillon-test-")
        .tempdir()
        .map_err(Trouble::io("a temporary folder"))
}

/// A DAC and a CPTS with a common circle.
fn shared(root: &TempDir, change: impl Fn(&mut Settings)) -> Result<Shared, Trouble> {
    let [a, b] = [Settings::dac(), Settings::cpts()].map(|mut settings| {
        change(&mut settings);
        settings
    });
    Two::peered(root.path(), a, b)?.share()
}

/// A failed assertion, as trouble.
fn ensure(holds: bool, otherwise: impl FnOnce() -> String) -> Story {
    if holds {
        return Ok(());
    }
    Err(Trouble::wrong(otherwise()))
}
