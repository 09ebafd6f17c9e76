//! What a relay is told before it starts.

use std::{fmt, time::Duration};

use libp2p::Multiaddr;

use crate::network::Tap;

/// How a relay runs. Every bound of it has its field here; the defaults carry a territory of some dozens of nodes.
#[derive(Clone)]
pub struct RelayConfig {
    /// Where it listens. Other ports than the room's: it has a swarm of its own.
    pub listen: Vec<Multiaddr>,
    /// Nodes that may hold a place here at one time.
    pub reservations: u32,
    /// Circuits at one time, of all nodes.
    pub circuits: u32,
    /// Circuits at one time of a node that asks for one more, at either end of them. At least 1.
    pub circuits_a_node: u32,
    /// A circuit that carried more bytes, both ways together, is ended.
    pub circuit_bytes: u64,
    /// A circuit that stood for so long is ended. Long, because both nodes begin a new exchange then; below 136 years.
    pub circuit_time: Duration,
    /// Bytes a second that one node may send into the relay.
    pub rate_a_node: u64,
    /// Bytes a second that all nodes together may send into it.
    pub rate: u64,
    /// A reservation lasts so long; nodes renew it before.
    pub reservation: Duration,
    /// Longest handshake.
    pub handshake: Duration,
    /// Connections whose handshake is not finished. Strangers can hold these.
    pub pending: u32,
    /// Time between two pings; two in a row without an answer within half that time close the connection.
    pub ping_every: Duration,
    /// A connection without reservation and circuit is closed after this.
    pub idle: Duration,
    /// See [`Tap`]: what a relay could keep of what passes.
    pub tap: Option<Tap>,
}

impl Default for RelayConfig {
    fn default() -> Self {
        Self {
            listen: Vec::new(),
            reservations: 64,
            circuits: 256,
            circuits_a_node: 64,
            circuit_bytes: 4 << 30,
            circuit_time: Duration::from_secs(12 * 3600),
            rate_a_node: 5 << 20,
            rate: 20 << 20,
            reservation: Duration::from_secs(3600),
            handshake: Duration::from_secs(8),
            pending: 64,
            ping_every: Duration::from_secs(10),
            idle: Duration::from_secs(60),
            tap: None,
        }
    }
}

impl fmt::Debug for RelayConfig {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("RelayConfig")
            .field("listen", &self.listen)
            .field("reservations", &self.reservations)
            .field("circuits", &self.circuits)
            .field("circuits_a_node", &self.circuits_a_node)
            .field("circuit_bytes", &self.circuit_bytes)
            .field("circuit_time", &self.circuit_time)
            .field("rate_a_node", &self.rate_a_node)
            .field("rate", &self.rate)
            .field("tap", &self.tap.is_some())
            .finish_non_exhaustive()
    }
}
