//! The admin API on a Unix socket: the daemon's side of [`maillon_protocol::admin`].
//!
//! The socket has mode 0600 and takes connections of this process's own user and of root only. Each connection may have
//! thirty-two requests under way; answers come as they are ready, with the request's number. This module resolves names, checks that a
//! professional is named where care content is concerned, and calls `care`, `peering` and the rest; it decides nothing itself.

mod accounts;
mod base64_text;
mod calls;
mod circles;
mod documents;
mod erasures;
mod errors;
mod findings;
mod identities;
mod import;
mod invitations;
mod names;
mod peers;
mod reach;
mod records;
mod relays;
mod requests;
mod server;
mod status;
mod team;
mod trail;
mod watch;
mod writing;

pub(crate) use errors::Refusal;
pub use server::{AdminSocket, SocketError};
