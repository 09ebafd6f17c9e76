//! The exchange with other nodes: the protocol's sessions, driven over links and the ledger.
//!
//! For each link there is one task with one [`Session`](maillon_protocol::sync::Session). It hands frames, commits, news and the clock to the session and carries out what the session
//! asks. Signatures are checked here, before the ledger, on as many threads as there are; what goes to the ledger is in the order in
//! which it arrived. Nothing is sent that was not committed first, because a session reads committed state only.
//!
//! A node that another one does not know yet has no link with it: it presents itself at the door, where no session is ([`Exchange::presented`]).
//!
//! A peer that sends what cannot be read costs itself its connection; what it did is counted on its line ([`Scores`]).

mod driver;
mod outgoing;
mod present;
mod renewal;
mod scores;
mod verify;

pub use driver::Exchange;
pub use present::PresentedError;
pub use renewal::{RenewError, renew_further};
pub use scores::Scores;
