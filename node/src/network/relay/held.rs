//! The reservations that the room holds at the relays which it uses, and the circuits that it may ask for.
//!
//! A reservation is a listener of the room's swarm. One that ends is asked for again, with growing waits; one that begins ends the waits
//! of all nodes that are reached through its relay. A circuit is asked for only at a relay where this node holds a reservation: there the
//! connection stands, and a relay that does not take this node is told of nobody.

use std::{
    io,
    time::{Duration, Instant},
};

use futures::StreamExt;
use libp2p::{
    Multiaddr, PeerId, Swarm, core::transport::ListenerId, multiaddr::Protocol, ping, relay,
    swarm::SwarmEvent,
};
use maillon_protocol::ids::NodeId;

use super::{NamedRelay, RelayProtocols, RelayProtocolsEvent};
use crate::network::{
    DialTrouble, NetworkConfig,
    allow::{node_id, peer_id},
    dial::{Backoff, Waits},
    room::{Room, jitter},
    status::{dial_trouble, find_in},
};

/// Why this node holds no place at a relay.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum RelayTrouble {
    /// No connection to it came about.
    #[error("the relay cannot be reached: {0}")]
    Dial(#[from] DialTrouble),
    /// It closed the connection right after the handshake, or said no.
    #[error("the relay does not take this node: its administrator has not allowed it")]
    NotTaken,
    /// All its places are taken.
    #[error("the relay has no place left")]
    Full,
    /// Whoever answers there speaks another protocol.
    #[error("no relay answers at the address, but another service of that node")]
    NotARelay,
    /// Its answer was no answer.
    #[error("the relay's answer cannot be read")]
    Broken,
    /// The place was lost with the connection, or not renewed.
    #[error("the connection to the relay ended")]
    Ended,
}

/// A relay that this node uses, as it is now.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RelayStatus {
    /// Which.
    pub relay: NamedRelay,
    /// For how long this node has held a place there; nothing where it holds none.
    pub held: Option<Duration>,
    /// The last trouble, and how long ago.
    pub last_trouble: Option<(RelayTrouble, Duration)>,
    /// When the next attempt starts.
    pub next_attempt: Option<Duration>,
}

/// A relay that this node uses.
pub(in crate::network) struct Held {
    relay: NamedRelay,
    listener: Option<ListenerId>,
    since: Option<Instant>,
    /// Whether it said anything on the connection that stands.
    heard: bool,
    backoff: Backoff,
    trouble: Option<(RelayTrouble, Instant)>,
}

impl Held {
    pub(in crate::network) fn new(relay: NamedRelay, config: &NetworkConfig, now: Instant) -> Self {
        // Short waits, because others are reached through it; long ones where it turned out to be no relay.
        let waits = Waits {
            first: config.first_wait,
            cap: config.cap.max(config.relay_cap),
            urgent_cap: config.relay_cap,
        };
        let mut backoff = Backoff::new(waits, now);
        backoff.set_urgent(true, now);
        Self {
            relay,
            listener: None,
            since: None,
            heard: false,
            backoff,
            trouble: None,
        }
    }

    pub(in crate::network) fn status(&self, now: Instant) -> RelayStatus {
        let age = |then: Instant| now.saturating_duration_since(then);
        RelayStatus {
            relay: self.relay.clone(),
            held: self.since.map(age),
            last_trouble: self.trouble.map(|(trouble, then)| (trouble, age(then))),
            next_attempt: self
                .backoff
                .due()
                .map(|due| due.saturating_duration_since(now)),
        }
    }
}

/// The next event of the relays' swarm; never one where no relay is used.
pub(in crate::network) async fn next(
    swarm: &mut Option<Swarm<RelayProtocols>>,
) -> SwarmEvent<RelayProtocolsEvent> {
    match swarm {
        Some(swarm) => swarm.select_next_some().await,
        None => std::future::pending().await,
    }
}

impl Room {
    /// Asks for every reservation that is due, and says when the next one is.
    pub(in crate::network) fn reserve_what_is_due(&mut self, now: Instant) -> Option<Instant> {
        let mut next = None;
        for held in &mut self.held {
            match held.backoff.due() {
                Some(at) if at <= now => {
                    held.backoff.start(now);
                    match self.swarm.listen_on(held.relay.circuit()) {
                        Ok(listener) => held.listener = Some(listener),
                        Err(error) => {
                            tracing::error!(relay = %held.relay.node.short(), %error, "the relay's address cannot be used");
                            held.backoff.failed(now, jitter());
                        }
                    }
                }
                Some(at) => next = [next, Some(at)].into_iter().flatten().min(),
                None => {}
            }
        }
        next
    }

    /// The ways to a node through those of these relays at which this node holds a place, in the order of its own configuration.
    pub(in crate::network) fn circuits_to(
        &self,
        node: &NodeId,
        relays: &[NodeId],
    ) -> Vec<Multiaddr> {
        let to = Protocol::P2p(peer_id(node));
        self.held
            .iter()
            .filter(|held| held.since.is_some() && relays.contains(&held.relay.node))
            .map(|held| held.relay.circuit().with(to.clone()))
            .collect()
    }

    /// Whether this node uses one of these relays.
    pub(in crate::network) fn uses_any(&self, relays: &[NodeId]) -> bool {
        self.held
            .iter()
            .any(|held| relays.contains(&held.relay.node))
    }

    /// A listener has a new address. Says whether it is a reservation's; it is told of again whenever it is renewed.
    pub(in crate::network) fn reserved(&mut self, listener: ListenerId, now: Instant) -> bool {
        let Some(held) = self
            .held
            .iter_mut()
            .find(|held| held.listener == Some(listener))
        else {
            return false;
        };
        if held.since.is_some() {
            return true;
        }
        held.since = Some(now);
        held.backoff.connected(now);
        let relay = held.relay.node;
        tracing::info!(relay = %relay.short(), "reached through a relay");
        // Whoever is reached through it was tried in vain while it was away, here or there.
        for peer in self
            .peers
            .values_mut()
            .filter(|peer| peer.connections.is_empty())
        {
            if let Some(kept) = peer
                .kept
                .as_mut()
                .filter(|kept| kept.ways.relays.contains(&relay))
            {
                kept.backoff.retry(now);
            }
        }
        true
    }

    /// A listener has ended. Says whether it was a reservation's.
    pub(in crate::network) fn reservation_ended(
        &mut self,
        listener: ListenerId,
        reason: &io::Result<()>,
        now: Instant,
    ) -> bool {
        let settled = self.config.settled_after;
        let Some(held) = self
            .held
            .iter_mut()
            .find(|held| held.listener == Some(listener))
        else {
            return false;
        };
        held.listener = None;
        // Where the connection has ended, why it did is told on its own, before or after this.
        let said = reason.as_ref().err().and_then(find_in::<RelayTrouble>);
        let said = said.filter(|trouble| *trouble != RelayTrouble::Ended);
        held.heard |= said.is_some();
        let known = held
            .trouble
            .is_some_and(|(_, then)| held.backoff.started() <= then);
        if said.is_some() || !known || held.since.is_some() {
            held.trouble = Some((said.unwrap_or(RelayTrouble::Ended), now));
        }
        // Where it is the node itself that answers, each attempt looks to it like a peer that has lost its connection.
        let no_relay = said == Some(RelayTrouble::NotARelay);
        held.backoff.set_urgent(!no_relay, now);
        match held.since.take() {
            Some(_) => held.backoff.closed(now, settled, jitter()),
            None => held.backoff.failed(now, jitter()),
        }
        if let Some((trouble, _)) = held.trouble {
            tracing::info!(relay = %held.relay.node.short(), %trouble, "no place at a relay");
        }
        true
    }

    /// What the relays' swarm says.
    pub(in crate::network) fn on_relays(
        &mut self,
        event: SwarmEvent<RelayProtocolsEvent>,
        now: Instant,
    ) {
        match event {
            SwarmEvent::OutgoingConnectionError {
                peer_id: Some(peer),
                error,
                ..
            } => self.relay_trouble(&peer, dial_trouble(&error).into(), now),
            SwarmEvent::ConnectionEstablished { peer_id, .. } => {
                if let Some(held) = self.held_of(&peer_id) {
                    held.heard = false;
                }
            }
            SwarmEvent::ConnectionClosed {
                peer_id,
                num_established: 0,
                ..
            } => {
                let heard = self.held_of(&peer_id).is_none_or(|held| held.heard);
                if !heard {
                    // It has read this node's name in the handshake, and closed without a word.
                    self.relay_trouble(&peer_id, RelayTrouble::NotTaken, now);
                }
            }
            SwarmEvent::Behaviour(RelayProtocolsEvent::Ping(ping::Event {
                peer,
                connection,
                result,
            })) => match (result, self.held_of(&peer)) {
                (Ok(_), Some(held)) => held.heard = true,
                (Err(_), _) => {
                    if let Some(relays) = &mut self.relays {
                        relays.close_connection(connection);
                    }
                }
                _ => {}
            },
            SwarmEvent::Behaviour(RelayProtocolsEvent::Relay(
                relay::client::Event::ReservationReqAccepted { relay_peer_id, .. },
            )) => {
                if let Some(held) = self.held_of(&relay_peer_id) {
                    held.heard = true;
                }
            }
            _ => {}
        }
    }

    fn held_of(&mut self, peer: &PeerId) -> Option<&mut Held> {
        let node = node_id(peer)?;
        self.held.iter_mut().find(|held| held.relay.node == node)
    }

    fn relay_trouble(&mut self, peer: &PeerId, trouble: RelayTrouble, now: Instant) {
        if let Some(held) = self.held_of(peer) {
            held.trouble = Some((trouble, now));
        }
    }
}
