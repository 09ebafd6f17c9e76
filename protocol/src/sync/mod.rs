//! Replication between two nodes: one machine for live traffic, for reconnection and for repair.
//!
//! # What it gives
//!
//! Two nodes that can reach each other end with the same records of every circle that both charters list them in, whatever was lost,
//! repeated, reordered or cut off meanwhile. Nothing of a circle is said to a node that the committed charter does not list.
//!
//! # How
//!
//! A [`Session`] is one end of one connection. It keeps nothing that matters: what a node knows is read from committed storage through
//! [`View`], and a session that is dropped and made again goes on from there. It takes [`Event`]s and a `now`, and gives [`Effect`]s; the driver owns
//! sockets, the ledger and the clock.
//!
//! ```text
//!   Hello ─────────────► version, descriptor, the marks of past exchanges
//!   States … Compared ─► for each circle that changed since the newest common mark: charter head, log heights, acknowledgements
//!     heads differ:      the longer charter is sent (Entries), committed, and compared again: charters first
//!     heights differ:    the shorter side asks (Want), the longer one answers (Records), up to a frame at a time
//!   Finished ──────────► nothing is open any more on this side
//!   Mark ──────────────► the same random token in both databases, beside the cursor: the next Hello starts there
//! ```
//!
//! A new record is pushed at once in [`Message::Records`]; if the push is lost or comes out of order, the receiver sees a gap and asks. A receiver
//! acknowledges only after its commit. Rounds of comparison are repeated while things change, so that the mark stays near.
//!
//! # Strangers
//!
//! Sessions are spoken between nodes that a committed charter lists, or that are peers. A node that another one has not heard of yet may say one thing to
//! it, outside any session and without an answer: see [`Presentation`].
//!
//! # Limits
//!
//! At most [`Limits::wants`] ranges are asked for at a time, and an answer holds about [`Limits::answer_bytes`] bytes. The next
//! answer is made when the driver says [`Event::Flushed`]; until then the other side's wants wait, and everything else is taken. What a driver cannot
//! queue it drops: it says so with [`Event::NewsLost`], and everything is compared again.

mod event;
mod message;
mod presentation;
mod problem;
mod session;
mod view;

pub use event::{Batch, Change, Effect, Event, News, Outcome};
pub use message::{CircleState, Message, MessageError, SentRecord, VERSION, name_of};
pub use presentation::{Presentation, PresentationError, Presented};
pub use problem::Problem;
pub use session::{Limits, Session};
pub use view::View;
