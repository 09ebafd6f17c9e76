//! The only writer.
//!
//! Whatever changes what this node keeps is a *job*: a closure that runs on the ledger's own thread (`writer`), on a [`Tx`]. What the jobs
//! that wait have staged is made durable in **one** RocksDB batch with **one** sync of the write-ahead log (`commit`), and only then they are
//! answered and the news told (`herald`): what others may see leaves after the commit. That is group commit: sixty-four writers cost a few syncs,
//! not sixty-four. While one batch is written, the jobs of the next one run above it.
//!
//! What a job decides is not decided here. The rules are those of [`maillon_protocol::replica`]; this module gives them rows
//! ([`StoreRows`]), a clock and randomness, and puts beside them, in the same batch, the node's own rows: professionals, peers, originals,
//! the audit trail.
//!
//! Promises: a job that fails stages nothing; a commit that fails fails every job of its batch and those that ran above it, and leaves the state
//! as it was; a job's answer comes after its rows, and all that it has seen, are durable. Readers use [`Shared`], the state as of the last commit.

mod commit;
mod handle;
mod herald;
mod job;
mod rows;
mod shared;
mod writer;

pub use handle::Ledger;
pub use herald::{Notices, Subscription};
pub use job::{LedgerError, Tx};
pub use rows::StoreRows;
pub(crate) use rows::record_head;
pub use shared::Shared;
pub(crate) use shared::records_of;
