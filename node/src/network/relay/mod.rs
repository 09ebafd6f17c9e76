//! The relay: the last way between two nodes that cannot reach each other, through a third that both can reach.
//!
//! A structure's node can host a relay ([`RelayHost`]) for the nodes that its administrator names, and a node uses the relays that its
//! administrator names ([`NamedRelay`]). What passes between is libp2p's circuit relay, version 2: a node *reserves* a place at a relay,
//! and others ask the relay for a *circuit* to it, which is one stream to each of the two.
//!
//! It promises:
//!
//! - **Listed in both directions.** The relay takes a connection from the nodes on its own list and from nobody else, so both ends of each
//!   circuit are on it. A node reserves at, takes circuits from, and asks for circuits at the relays that it names, at the addresses that
//!   it was given for them, whatever others say of that relay; and it asks only for nodes that it keeps a connection to.
//! - **Blind.** Inside a circuit the two nodes shake hands as they do on TCP: TLS 1.3 with X25519MLKEM768, names proved by certificates,
//!   the room's own list held against them. The relay carries ciphertext. It cannot take part, pretend to be either, or read later.
//! - **Limited.** Reservations, circuits, circuits of a node, bytes and time of a circuit, bytes a second of a node and of all: each has
//!   a field in [`RelayConfig`]. What exceeds one is refused or slowed, and counted by its reason.
//! - **Last.** A direct way is tried first and has [`NetworkConfig::head_start`](super::NetworkConfig::head_start) before a relay is
//!   asked. While a relay carries the link a direct way is tried again, at growing waits, and the link moves as soon as there is one.
//! - **By itself.** Reservations and circuits come back after a relay restarts: it is tried again with growing waits, half a minute at
//!   most, and a reservation that stands again ends the wait of all nodes that are reached through that relay.
//!
//! It does not hide from the relay which nodes talk, when and how much. A circuit ends when its time or its bytes are over, and the next one
//! begins within a second, as after any lost connection. Pairing does not pass through a relay: its swarm dials directly.
//!
//! Both sides have swarms of their own, with a port of its own for the host. So the room speaks what it did before and to whom it did
//! before: it hears of a relay only that there is one more way to dial and to listen. A node may be on the relay's list and not on the
//! room's, or the other way round.
//!
//! - `named` a relay as its user's administrator names it
//! - `client` the swarm that reaches the named relays
//! - `held` the reservations that the room holds, and the circuits that it may ask for
//! - `config`, `host` the relay itself; `admission` whom it serves and what it counts; `pipe` how fast

mod admission;
mod client;
mod config;
mod held;
mod host;
mod named;
mod pipe;

pub use self::{
    admission::{HostStatus, Refusals},
    config::RelayConfig,
    held::{RelayStatus, RelayTrouble},
    host::RelayHost,
    named::{NamedRelay, RelayNameError},
};
pub(super) use self::{
    client::{RelayProtocols, RelayProtocolsEvent, build, transport_error},
    held::{Held, next},
    named::relay_in,
};

use super::transport::Window;

/// Streams of one connection to or at a relay: each circuit is one.
const STREAMS: u32 = 1024;
/// Bytes under way. A circuit whose reader is slow holds one stream's part and leaves the rest of the connection to the others.
const WINDOW: Window = Window {
    stream: 256 << 10,
    connection: 4 << 20,
};
