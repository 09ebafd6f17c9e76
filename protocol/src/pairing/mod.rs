//! Pairing: how two administrators make their nodes peers.
//!
//! # Why so
//!
//! A node speaks to nobody whom its administrator has not named. Two administrators who trust each other know each
//! other's voice, and little else: no common directory, no common authority. So one hands the other a short text (an
//! [`Invitation`], by mail, on paper or as a QR code) and both read five words to each other over the phone. The text
//! carries a secret, which keeps strangers out; the words show that nobody who has stolen the text stands in between.
//! Both are needed: the secret alone may be stolen on its way, the words alone may be left uncompared.
//!
//! # Messages
//!
//! The accepter dials the address of the invitation; libp2p's TLS has authenticated both nodes before the first word.
//!
//! ```text
//! accepter                                                                             inviter
//!    │  Open    { version, invitation id, descriptor, resume: none }                      │
//!    ├───────────────────────────────────────────────────────────────────────────────────►│
//!    │  Commit  { descriptor, SHA-256(domain ‖ 0 ‖ inviter's 32 random bytes) }           │
//!    │◄───────────────────────────────────────────────────────────────────────────────────┤
//!    │  Nonce   { accepter's 32 random bytes }                                            │
//!    ├───────────────────────────────────────────────────────────────────────────────────►│
//!    │  Reveal  { inviter's 32 random bytes }                                             │
//!    │◄───────────────────────────────────────────────────────────────────────────────────┤
//!    │  Proof   { HMAC by the secret, role accepter }                                     │
//!    ├───────────────────────────────────────────────────────────────────────────────────►│ bound, stored
//!    │  Proof   { HMAC by the secret, role inviter }                                      │
//!    │◄───────────────────────────────────────────────────────────────────────────────────┤
//!    │ bound, stored                    both show five words                              │
//!    │  Confirm { seen, HMAC }          each when its administrator has confirmed         │
//!    │◄──────────────────────────────────────────────────────────────────────────────────►│ paired
//! ```
//!
//! Confirmations may come days later, in another connection: `Open` then names the stored transcript in `resume`, the
//! inviter answers `Resume` with the same one, and each side repeats its `Confirm` if it has one. `seen` says that the
//! sender holds the other's confirmation, so that both know when nothing is left to say. `Refuse` ends a connection.
//!
//! # What a driver does
//!
//! It keeps one [`Pending`] for each invitation and one machine ([`Inviter`] or [`Accepter`]) for each connection, lends
//! the first to the second with each message, one at a time, and carries out the [`Effect`]s in their order. Where the
//! commit of an [`Effect::Store`] fails, it drops the connection and reads the stored `Pending` again. It reads the
//! first message itself to find the `Pending`, answers [`RefuseCode::Unknown`] where there is none, and closes
//! connections that are idle. An accepter dials again until [`Pending::is_settled`], and an inviter keeps its side until
//! [`Pending::is_over`].
//!
//! ```
//! use maillon_protocol::{keys::NodeKey, pairing::{Invitation, Pending}};
//!
//! let mut rng = rand::rng();
//! let (here, there) = (NodeKey::generate(&mut rng), NodeKey::generate(&mut rng));
//! let now_ms = 1_800_000_000_000;
//! let addresses = vec!["/ip4/192.0.2.1/udp/4001/quic-v1".to_owned()];
//!
//! // At the inviter: keep one side, hand the text over.
//! let invitation = Invitation::new(here.id(), addresses, now_ms, 24 * 3600 * 1000, &mut rng)?;
//! let text = invitation.to_text();
//! let offered = Pending::invite(invitation);
//!
//! // At the accepter: paste the text, keep the other side, dial.
//! let pasted = Invitation::from_text(&text)?;
//! let accepted = Pending::accept(pasted, there.id(), now_ms)?;
//! assert_eq!(accepted.id(), offered.id());
//! assert_eq!(accepted.words(), None, "no words before the nodes have met");
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```
//!
//! # Guarantees
//!
//! - Nobody is a peer before both administrators have confirmed the words of one exchange between the two very nodes
//!   that the transport has authenticated. Each confirmation names the words that its administrator saw.
//! - Whoever does not know the secret fails at the proof, costs the invitation one of five attempts, and gets no proof from us.
//! - Whoever has stolen the invitation can bind it to its own node, once, and is then seen: the words differ. The
//!   commitment leaves it one guess in 2⁵⁵ for each connection that it makes an administrator's node open, since the
//!   inviter's number is fixed before the accepter's is known, and unknown before the accepter's is fixed.
//! - The first valid proof binds the invitation to that node; every other node is refused from then on. An attempt that
//!   breaks off before the proof changes nothing. A bound node that never got our proof may prove again; the words change, and
//!   a confirmation of the earlier ones does not count.
//! - A recorded exchange is of no use: both numbers are fresh in each connection.
//! - Every step survives a crash: what the other side may rely on was stored before it was sent.
//! - The secret is wiped as soon as no exchange needs it: at the accepter when it is bound, at the inviter when the
//!   other side has confirmed, at both when the invitation ends.
//!
//! # Limits
//!
//! - Administrators who confirm without comparing get what the secret gives, and no more.
//! - Whoever knows the invitation's id (its holders, and nobody who only watches the network) can end it by five wrong
//!   proofs: a new one is made.
//! - An accepter that rejects while it is not connected is not heard: the inviter waits until its time is over.
//! - Where the very last message is lost, one side is a peer a little earlier than the other.
//! - Rates, idle times and numbers of connections are the driver's: nothing here counts them. They matter to the guess
//!   above: a thief that holds n exchanges open at one node before the proof has n chances with each one at the other.

mod accepter;
mod confirm;
mod error;
mod invitation;
mod inviter;
mod message;
mod pending;
pub mod proof;
mod secret;
mod stage;
#[cfg(test)]
mod tests;
mod text;

pub use accepter::Accepter;
pub use error::PairingError;
pub use invitation::{Invitation, InvitationError, VERSION};
pub use inviter::Inviter;
pub use message::{Message, RefuseCode};
pub use pending::Pending;
pub use proof::{Role, Words};
pub use secret::Secret;
pub use stage::End;

use crate::{descriptor::Descriptor, sign::Verified};

/// What the driver does next, in this order.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Effect {
    /// Commit the [`Pending`] that was handed in, with one sync, before the effects that follow.
    Store,
    /// Send to the other node.
    Send(Message),
    /// Show the words to this node's administrator, who compares them over the phone.
    ShowWords(Words),
    /// Both have confirmed: make the node of this descriptor a peer, in the same commit as the [`Effect::Store`] before it.
    Paired(Box<Verified<Descriptor>>),
    /// Tell the administrator, and close the connection once everything before is sent.
    Failed(PairingError),
}

/// Turns a step into effects: a failure is stored where it counts, told to the other side, and reported.
fn outcome(step: Result<Vec<Effect>, PairingError>) -> Vec<Effect> {
    let error = match step {
        Ok(effects) => return effects,
        Err(error) => error,
    };
    let mut effects = Vec::with_capacity(3);
    if matches!(
        error,
        PairingError::Proof { .. } | PairingError::Refused(RefuseCode::Rejected)
    ) {
        effects.push(Effect::Store);
    }
    if let Some(code) = error.code() {
        effects.push(Effect::Send(Message::Refuse { code }));
    }
    effects.push(Effect::Failed(error));
    effects
}
