//! What may become of a node's identity: replaced by its recovery key, or revoked by itself.
//!
//! An identity is an Ed25519 key, and it can be stolen with its machine. So a node's [`Descriptor`] names the hash of a second key, the
//! *recovery key* (clé de secours), which is on paper in a safe. Two signed statements follow from the two keys:
//!
//! - [`Replacement`], signed by the recovery key: this identity is that one from now on; or, naming none, the recovery key itself is another.
//! - [`Revocation`], signed by the identity: this key is used no more. Whoever knows it refuses the node, for ever.
//!
//! What this promises:
//!
//! - **A stolen identity cannot stay.** It can neither name another recovery key (a descriptor that names another one is refused without the
//!   recovery key's statement) nor replace itself, nor take back a revocation. It can revoke itself, which harms nobody but its thief.
//! - **A statement works once and forwards.** [`Identity::after`] takes a statement only from the key whose hash stands, and only with a greater
//!   counter than the last one had. Of two replacements of one identity the first that is known stays; the other is evidence.
//! - **Anybody can check it again**, from a descriptor and the statements after it: charters quote them.
//!
//! What it does not: a statement alone changes nothing. The new node pairs anew, its words are compared, and only when a person has said that
//! it is the same structure do others act on it. Who holds the paper and can also answer the telephone of the structure is the structure. A
//! recovery key that was given up must not be used again: what it signed in its time would count again.

mod replacement;
mod revocation;

pub use replacement::{Identity, Replacement, ReplacementError, recovery_hash};
pub use revocation::{Revocation, RevocationError};

#[cfg(doc)]
use crate::descriptor::Descriptor;
