//! Real daemons, run as an administrator runs them: folders, processes, signals and the admin socket.
//!
//! A [`Daemon`] is one node: `maillond init` made its data folder, `maillond run` serves it. Everything that a test knows of it comes
//! through the socket ([`Client`], [`Watch`]), through the files that it leaves, or through the [`crate::wire::Wire`]s between two of them
//! ([`Cable`]).
//!
//! ```text
//! ROOT/NAME/            the data folder: maillon.toml, keystore, database, run/
//! ROOT/keys/NAME.key    the key file, on "another medium"
//! ROOT/logs/NAME.log    standard output and error output of every life of it
//! ROOT/taps/NAME.tap    with `Settings::tap`: every byte handed to libp2p streams
//! ```
//!
//! # Promises
//!
//! - Every wait is for a condition and bounded ([`wait`]); what was awaited stands in the error ([`Trouble`]).
//! - Ports are fixed for the life of a folder, so that a restarted daemon is found again, and lie below the range from which the system
//!   takes the ports of outgoing connections, so that nobody takes one while its daemon is down.
//! - A dropped daemon is killed; nothing that a test started outlives it.
//! - One that ran until then was asked for every invariant before, and a test whose daemon breaks one fails ([`Daemon::invariants`]).
//!
//! # What it does not
//!
//! It builds nothing: [`programs`] says where the programs are looked for, and how to build them.

mod cable;
mod calls;
mod client;
mod document;
mod faketime;
mod federation;
mod invariants;
mod load;
mod netns;
mod process;
pub mod programs;
mod settings;
mod size;
mod trouble;
pub mod wait;
mod watch;

pub use cable::{Cable, Carriers};
pub use client::{Caller, Client};
pub use document::{add_document, noise, save_document};
pub use faketime::WrongClock;
pub use federation::{
    Shared, Two, admit, invite, pair, person, professional, records_of, same_digests,
};
pub use load::{Acknowledged, Writers, write_notes};
pub use netns::Roads;
pub use process::{Daemon, Ended, maillond};
pub use settings::Settings;
pub use trouble::Trouble;
pub(crate) use trouble::ensure;
pub use watch::{Told, Watch};
