//! Faults with real daemons: roads that break, power that goes, clocks and disks that lie, crowds at the door.
//!
//! Each file is one kind of trouble. In each story something is written while the trouble lasts; when it is over, all of it is there, within a
//! bound, and meanwhile whoever asks is told in words. What cannot go on is refused with a sentence, and never read as something else.
//!
//! | file | trouble |
//! |---|---|
//! | `namespaces` | machines with a router between them: cut, filtered, hidden, moved (root, iproute2, nftables) |
//! | `kills` | both nodes killed at random instants under load; `MAILLON_KILLS=200` for the long form |
//! | `wire` | late, lossy, one way only, a byte a second |
//! | `clocks` | minutes and days off, and a clock that jumps (libfaketime) |
//! | `disk` | read-only, a log cut short, a file's bytes turned |
//! | `strangers` | thousands at the door; a peer that floods, one that stalls |

mod clocks;
mod disk;
mod document;
mod kills;
mod namespaces;
mod strangers;
mod wire;

use maillon_tests::daemon::Trouble;
use tempfile::TempDir;

/// What a scenario returns: any trouble is a failed test that says what happened.
type Story = Result<(), Trouble>;

fn folder() -> Result<TempDir, Trouble> {
    tempfile::Builder::new()
        .prefix("maillon-test-")
        .tempdir()
        .map_err(Trouble::io("a temporary folder"))
}

/// A failed assertion, as trouble.
fn ensure(holds: bool, otherwise: impl FnOnce() -> String) -> Story {
    if holds {
        return Ok(());
    }
    Err(Trouble::wrong(otherwise()))
}
