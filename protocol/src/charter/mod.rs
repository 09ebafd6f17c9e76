//! A circle's membership: a linear, hash-linked chain of entries, each signed by the steward, each stating the whole
//! resulting state.
//!
//! Linear, because membership changes that cross are the way in which federations bring removed members back. An [`Entry`] says what changed
//! ([`Change`]) and what holds from then on ([`State`]); [`Charter`] is the verified chain, and [`Charter::extend`] is the only way to make it
//! longer: it works the stated state out again from the change and refuses an entry that states anything else. A node that cannot
//! check an entry stops at the one before it, keeps it aside and reports it.
//!
//! One thing counts without an entry: a member's own signed word that it leaves ([`Departure`]). It travels with the charter until the entry that
//! follows it.
//!
//! The rest of the protocol asks a charter three questions: who was a member when an entry stood
//! ([`Charter::was_member`]), which epoch an entry fixes ([`Charter::epoch_of`]), and up to where a removed member's log counts
//! ([`Charter::cut_of`]). None of the answers depends on arrival or on clocks.

mod apply;
mod asked;
mod chain;
mod departure;
mod entry;
mod epoch;
mod late;
mod replace;
mod rivals;
mod steward;

pub use chain::{Charter, CharterError, Start};
pub use departure::{Departure, DepartureError};
pub use entry::{
    Change, Cut, Entry, EpochStart, Grant, LogStart, Member, Predecessor, RemovalReason,
    RotationReason, State, Subject,
};
pub use epoch::{EpochSecret, SealedSecret, SecretError};
pub use late::{Removal, move_cuts};
pub use replace::replace;
pub use steward::{
    Made, Steward, StewardError, admit, appoint, close, found, hand_over, remove, reopen, rotate,
};
