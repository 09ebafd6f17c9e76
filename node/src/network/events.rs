//! What the room does with the swarm's events: which connection carries the link, and when one is over.
//!
//! Of two nodes the one with the lower NodeId opens the stream, and thereby chooses the connection where there are two. It keeps the one
//! that it chose first, so two nodes that dial each other at once settle without a change. A second one is held as a spare for a moment,
//! then closed: a node that dials by QUIC and TCP side by side drops the slower of the two, which may have been chosen here. Two
//! exceptions: a connection that comes in while the chosen one is older than any dial can last says that the other node has lost the
//! old one; and a direct one takes the place of one through a relay at once, whoever dialled.

use std::time::{Duration, Instant};

use libp2p::{
    Multiaddr, PeerId, identify, ping,
    swarm::{ConnectionId, ListenError, SwarmEvent},
};
use maillon_protocol::ids::NodeId;

use super::{
    NetworkEvent,
    allow::{Stranger, node_id, peer_id},
    door::DoorEvent,
    link::LinkEnd,
    peers::Connection,
    room::{Room, jitter},
    status::{DialTrouble, Trouble, dial_trouble, via},
    streams::{OpenFailure, StreamEvent},
    swarm::{InsideEvent, ProtocolsEvent},
};

/// What a dial may take longer than its timeout, on a busy machine.
const SLACK: Duration = Duration::from_secs(2);

/// How long a second connection is held.
const SPARE: Duration = Duration::from_secs(2);

impl Room {
    pub(super) fn on_swarm(&mut self, event: SwarmEvent<ProtocolsEvent>, now: Instant) {
        match event {
            SwarmEvent::ConnectionEstablished { connection_id, .. }
                if self.swarm.behaviour().door.is_guest(connection_id) =>
            {
                self.guests.came(connection_id, now);
                self.stranger();
            }
            SwarmEvent::ConnectionClosed { connection_id, .. }
                if self.guests.left(connection_id) => {}
            SwarmEvent::ConnectionEstablished {
                peer_id,
                connection_id,
                endpoint,
                ..
            } => {
                let connection = Connection {
                    id: connection_id,
                    via: via(&endpoint),
                    dialled_here: endpoint.is_dialer(),
                    since: now,
                    heard: false,
                    unspoken: false,
                    closing: false,
                    spare_until: None,
                };
                if let Some(node) = node_id(&peer_id) {
                    self.connected(node, connection, now);
                }
            }
            SwarmEvent::ConnectionClosed {
                peer_id,
                connection_id,
                ..
            } => {
                if let Some(node) = node_id(&peer_id) {
                    self.disconnected(node, connection_id, now);
                }
            }
            SwarmEvent::OutgoingConnectionError {
                peer_id: Some(peer),
                connection_id,
                error,
            } => {
                if let Some(node) = node_id(&peer) {
                    self.dial_failed(node, Some(connection_id), dial_trouble(&error), now);
                }
            }
            SwarmEvent::IncomingConnectionError {
                error: ListenError::Denied { cause },
                ..
            } => match cause.downcast::<Stranger>() {
                Ok(Stranger) => self.stranger(),
                Err(_) => self.limited += 1,
            },
            SwarmEvent::NewListenAddr { listener_id, .. } if self.reserved(listener_id, now) => {}
            SwarmEvent::NewListenAddr { address, .. } => {
                tracing::info!(%address, "listening");
                self.say(NetworkEvent::ListenOn(address));
            }
            SwarmEvent::ExpiredListenAddr { address, .. } => self.listens_no_more(address),
            SwarmEvent::ListenerClosed {
                listener_id,
                reason,
                ..
            } if self.reservation_ended(listener_id, &reason, now) => {}
            SwarmEvent::ListenerClosed {
                addresses, reason, ..
            } => {
                tracing::error!(?reason, "a listener closed");
                for address in addresses {
                    self.listens_no_more(address);
                }
            }
            SwarmEvent::ListenerError { error, .. } => {
                tracing::warn!(%error, "a listener failed once");
            }
            SwarmEvent::Behaviour(event) => self.on_protocol(event, now),
            _ => {}
        }
    }

    fn listens_no_more(&mut self, address: Multiaddr) {
        // It may be there again, or another listener's too.
        if self.swarm.listeners().all(|held| *held != address) {
            tracing::info!(%address, "listening no more");
            self.say(NetworkEvent::ListenNoMore(address));
        }
    }

    fn stranger(&mut self) {
        self.strangers += 1;
        let total = self.strangers;
        self.say(NetworkEvent::StrangerRefused { total });
    }

    fn on_protocol(&mut self, event: ProtocolsEvent, now: Instant) {
        match event {
            ProtocolsEvent::Door(DoorEvent::Inside(event)) => self.on_inside(event, now),
            ProtocolsEvent::Door(DoorEvent::Guest(peer, connection, event)) => {
                self.on_guest(&peer, connection, event);
            }
        }
    }

    fn on_inside(&mut self, event: InsideEvent, now: Instant) {
        match event {
            InsideEvent::Identify(identify::Event::Received {
                peer_id,
                connection_id,
                ..
            }) => self.heard(&peer_id, connection_id, None, now),
            InsideEvent::Identify(_) => {}
            InsideEvent::Ping(ping::Event {
                peer,
                connection,
                result: Ok(rtt),
            }) => self.heard(&peer, connection, Some(rtt), now),
            // With a node that does not know this one nothing of it is spoken: that shows in the stream of frames.
            InsideEvent::Ping(ping::Event {
                result: Err(ping::Failure::Unsupported),
                ..
            }) => {}
            InsideEvent::Ping(ping::Event {
                peer,
                connection,
                result: Err(_),
            }) => self.give_up(&peer, connection, Trouble::Silent, now),
            InsideEvent::Sync((peer, connection, event)) => {
                self.on_stream(&peer, connection, event, now);
            }
            InsideEvent::Present((peer, _, event)) => self.at_the_door(&peer, event),
            InsideEvent::Limits(never) | InsideEvent::Memory(never) => match never {},
        }
    }

    fn connected(&mut self, node: NodeId, connection: Connection, now: Instant) {
        let waits = self.direct_waits();
        if connection.dialled_here && !self.peer(node).met {
            let present = &mut self.swarm.behaviour_mut().door.inside.present;
            present.open(peer_id(&node), connection.id);
        }
        let peer = self.peer(node);
        peer.attempts.retain(|attempt| *attempt != connection.id);
        peer.relays_at = None;
        let chosen = peer.chosen();
        let standing = peer.connections.iter().find(|c| Some(c.id) == chosen);
        let standing = standing.copied();
        peer.connections.push(connection);
        peer.last_seen = Some(now);
        if let Some(kept) = &mut peer.kept {
            kept.backoff.connected(now);
        }
        peer.look_for_direct(waits, now);
        if self.me >= node {
            return;
        }
        match standing {
            None => self.open(node, connection.id),
            Some(old) => {
                let patience = self.config.dial_timeout + SLACK;
                let lost_there =
                    !connection.dialled_here && now.saturating_duration_since(old.since) > patience;
                let direct_at_last = old.via.is_relayed() && !connection.via.is_relayed();
                if lost_there || direct_at_last {
                    self.end_link(node, LinkEnd::Replaced, now);
                    self.close(node, old.id);
                    self.open(node, connection.id);
                } else if let Some(second) = self.peer(node).connections.last_mut() {
                    second.spare_until = Some(now + SPARE);
                }
            }
        }
    }

    fn open(&mut self, node: NodeId, connection: ConnectionId) {
        let peer = self.peer(node);
        peer.opening = Some(connection);
        if let Some(chosen) = peer.connections.iter_mut().find(|c| c.id == connection) {
            chosen.spare_until = None;
        }
        let sync = &mut self.swarm.behaviour_mut().door.inside.sync;
        sync.open(peer_id(&node), connection);
    }

    fn disconnected(&mut self, node: NodeId, id: ConnectionId, now: Instant) {
        if self
            .peer(node)
            .link
            .as_ref()
            .map(|active| active.connection)
            == Some(id)
        {
            self.link_cut(node);
        }
        let (settled, opens) = (self.config.settled_after, self.me < node);
        let waits = self.direct_waits();
        let peer = self.peer(node);
        if peer.opening == Some(id) {
            peer.opening = None;
        }
        let Some(at) = peer.connections.iter().position(|c| c.id == id) else {
            return;
        };
        let gone = peer.connections.swap_remove(at);
        peer.look_for_direct(waits, now);
        let left = peer.connections.iter().find(|c| !c.closing).map(|c| c.id);
        match left {
            Some(other) if opens && peer.chosen().is_none() => self.open(node, other),
            None if peer.connections.is_empty() => {
                if let Some(kept) = &mut peer.kept {
                    kept.backoff.closed(now, settled, jitter());
                }
                if !gone.closing {
                    self.lost(node, gone, now);
                }
                self.drop_unlisted();
            }
            _ => {}
        }
    }

    /// The last connection to a node ended, and not by this node's will.
    fn lost(&mut self, node: NodeId, gone: Connection, now: Instant) {
        if gone.dialled_here && !gone.heard {
            // The other node has read this one's name in the handshake, and closed without a word.
            let error = DialTrouble::RefusedThere;
            self.peer(node).met = false;
            self.peer(node).trouble(error, now);
            self.say(NetworkEvent::DialFailed { node, error });
        } else {
            self.peer(node).trouble(Trouble::Ended, now);
        }
    }

    fn heard(&mut self, name: &PeerId, id: ConnectionId, rtt: Option<Duration>, now: Instant) {
        let known = node_id(name).and_then(|node| self.peers.get_mut(&node));
        let Some(peer) = known else { return };
        peer.last_seen = Some(now);
        peer.rtt = rtt.or(peer.rtt);
        let Some(connection) = peer.connections.iter_mut().find(|c| c.id == id) else {
            return;
        };
        connection.heard = true;
        if std::mem::take(&mut connection.unspoken) {
            self.give_up(name, id, Trouble::NotSpoken, now);
        }
    }

    fn give_up(&mut self, peer: &PeerId, id: ConnectionId, trouble: Trouble, now: Instant) {
        let Some(node) = node_id(peer) else { return };
        tracing::info!(node = %node.short(), %trouble, "connection given up");
        self.peer(node).trouble(trouble, now);
        self.close(node, id);
    }

    fn on_stream(&mut self, peer: &PeerId, id: ConnectionId, event: StreamEvent, now: Instant) {
        let Some(node) = node_id(peer) else { return };
        // A stream can be reported after its node was refused or its connection given up: it is dropped.
        let stands = |c: &Connection| c.id == id && !c.closing;
        if !self.list.contains(&node) || !self.peer(node).connections.iter().any(stands) {
            return;
        }
        if !matches!(event, StreamEvent::Failed(_)) {
            self.heard(peer, id, None, now);
        }
        match event {
            StreamEvent::Opened(stream) => {
                if self
                    .peer(node)
                    .opening
                    .take_if(|open| *open == id)
                    .is_some()
                {
                    self.start_link(node, stream, id, now);
                }
            }
            StreamEvent::Accepted(stream) if self.me > node => {
                let before = self.peer(node).chosen().filter(|old| *old != id);
                self.start_link(node, stream, id, now);
                if let Some(old) = before {
                    self.close(node, old);
                }
            }
            StreamEvent::Accepted(_) => self.give_up(peer, id, Trouble::Unruly, now),
            StreamEvent::Failed(failure) => {
                self.peer(node).opening.take_if(|open| *open == id);
                // Where nothing else is said either, this node stands at the door, and is shown out from there.
                let silent = |c: &&mut Connection| c.id == id && c.dialled_here && !c.heard;
                let connection = self.peer(node).connections.iter_mut().find(silent);
                if let (OpenFailure::NotSpoken, Some(connection)) = (failure, connection) {
                    connection.unspoken = true;
                    return;
                }
                let trouble = match failure {
                    OpenFailure::NotSpoken => Trouble::NotSpoken,
                    OpenFailure::Broken => Trouble::Ended,
                };
                self.give_up(peer, id, trouble, now);
            }
        }
    }
}
