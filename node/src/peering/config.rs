//! What peering is told before it starts, and what it says of itself.

use std::time::Duration;

use libp2p::Multiaddr;

use crate::network::pairing::PairingConfig;

/// How peering runs. The defaults are those of a territory's node; tests shorten the times.
#[derive(Debug, Clone)]
pub struct PeeringConfig {
    /// Where pairing listens while an invitation is open. Ports other than the network's; with port 0, an invitation does not survive a
    /// restart of its node.
    pub listen: Vec<Multiaddr>,
    /// The addresses that invitations name, as seen from outside. None: those on which pairing listens.
    pub advertise: Vec<Multiaddr>,
    /// Longest dial of an inviter.
    pub dial_timeout: Duration,
    /// A pairing connection on which nothing is said for so long is closed.
    pub silence: Duration,
    /// How long [`accept`](super::Peering::accept) waits for the words.
    pub accept_wait: Duration,
    /// The first wait of an accepter between two attempts.
    pub first_wait: Duration,
    /// The longest.
    pub longest_wait: Duration,
    /// Time between two looks at what has expired, and between two attempts to listen where that failed.
    pub sweep_every: Duration,
}

impl Default for PeeringConfig {
    fn default() -> Self {
        Self {
            listen: Vec::new(),
            advertise: Vec::new(),
            dial_timeout: Duration::from_secs(15),
            silence: Duration::from_secs(30),
            accept_wait: Duration::from_secs(30),
            first_wait: Duration::from_secs(1),
            longest_wait: Duration::from_secs(60),
            sweep_every: Duration::from_secs(60),
        }
    }
}

impl PeeringConfig {
    /// The pairing swarm's part: four connections at once, twenty a minute.
    pub(super) fn pairing(&self) -> PairingConfig {
        PairingConfig {
            listen: self.listen.clone(),
            timeout: self.silence,
            at_once: 4,
            per_minute: 20,
        }
    }
}

/// What has changed; who wants to know more asks.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum PeeringEvent {
    /// A pairing, by its name.
    Pairing(String),
    /// Who the peers are, or who may connect.
    Peers,
}
