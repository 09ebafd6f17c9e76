//! The only writer.
//!
//! Whatever changes what this node keeps is a *job*: a closure that runs on the ledger's own thread, on a [`Tx`]. The thread runs every job that
//! waits when it begins, makes all that they staged durable in **one** RocksDB batch with **one** sync of the write-ahead log, and only then answers
//! them and publishes: what others may see leaves after the commit. That is group commit: sixty-four writers cost one sync, not
//! sixty-four.
//!
//! What a job decides is not decided here. The rules are those of [`maillon_protocol::replica`]; this module gives them rows
//! ([`StoreRows`]), a clock and randomness, and puts beside them, in the same batch, the node's own rows: professionals, peers, originals,
//! the audit trail.
//!
//! Promises: a job that fails stages nothing; a commit that fails fails every job of its batch and leaves the state as it was; a job's answer comes after its
//! rows are durable. Readers use [`Shared`], the state as of the last commit.

mod handle;
mod job;
mod rows;
mod shared;
mod writer;

pub use handle::Ledger;
pub use job::{LedgerError, Tx};
pub use rows::StoreRows;
pub(crate) use rows::record_head;
pub(crate) use shared::records_of;
pub use shared::{Notices, Shared, Subscription};
