//! An attempt to reach a node: direct ways first, then relays, and the next attempt when all of it has failed.
//!
//! Direct ways are dialled side by side. Relays that both nodes name are asked one after the other: when the direct ways have failed, when
//! their head start is over, or at once where there are none. While a relay carries the link, an attempt is a direct one only.

use std::{
    num::NonZeroU8,
    time::{Duration, Instant},
};

use libp2p::swarm::{
    ConnectionId,
    dial_opts::{DialOpts, PeerCondition, WithPeerIdWithAddresses},
};
use maillon_protocol::ids::NodeId;

use super::{
    NetworkEvent,
    allow::peer_id,
    dial::Waits,
    room::{Room, jitter},
    status::{DialTrouble, dial_trouble},
    transport::Ways,
};

impl Room {
    /// Starts every attempt that is due and has a place, and says when the next one is.
    pub(super) fn dial_what_is_due(&mut self, now: Instant) -> Option<Instant> {
        let under_way = self.peers.values().filter(|peer| peer.is_dialled()).count();
        let places = (self.config.dials as usize).saturating_sub(under_way);
        let mut due: Vec<(Instant, NodeId)> = self
            .peers
            .iter()
            .filter(|(node, _)| self.list.contains(node))
            .filter_map(|(node, peer)| Some((peer.due()?, *node)))
            .collect();
        due.sort_unstable();
        let mut next = None;
        for (started, (at, node)) in due.into_iter().enumerate() {
            // Without a place, the end of another attempt wakes the loop.
            if at > now || started >= places {
                next = (at > now).then_some(at);
                break;
            }
            self.dial(node, now);
        }
        next
    }

    /// Starts an attempt: direct ways at once, relays after their head start, or where there are no direct ways.
    fn dial(&mut self, node: NodeId, now: Instant) {
        let Some(kept) = self.peers.get(&node).and_then(|peer| peer.kept.as_ref()) else {
            return;
        };
        let Ways { direct, relays } = kept.ways.clone();
        let circuits = !self.circuits_to(&node, &relays).is_empty();
        let nowhere = match (direct.is_empty(), relays.is_empty()) {
            (true, false) if !self.uses_any(&relays) => Some(DialTrouble::OtherRelay),
            (true, false) if !circuits => Some(DialTrouble::RelayFailed),
            _ => None,
        };
        let head_start = match direct.is_empty() {
            true => Duration::ZERO,
            false => self.config.head_start,
        };
        let peer = self.peer(node);
        let connected = !peer.connections.is_empty();
        if let Some(kept) = &mut peer.kept {
            match &mut kept.again {
                Some(again) if connected => again.start(now),
                _ => kept.backoff.start(now),
            }
        }
        if circuits && !connected {
            peer.relays_at = Some(now + head_start);
        }
        match nowhere {
            Some(trouble) => self.dial_failed(node, None, trouble, now),
            None if direct.is_empty() && circuits => self.ask_relays(node, now),
            None => self.attempt(
                node,
                DialOpts::peer_id(peer_id(&node)).addresses(direct),
                now,
            ),
        }
    }

    /// Asks relays for a circuit wherever no direct way was found in time, and says when the next one is due.
    pub(super) fn ask_relays_where_due(&mut self, now: Instant) -> Option<Instant> {
        let waiting = self.peers.iter();
        let waiting: Vec<_> = waiting
            .filter_map(|(node, peer)| Some((*node, peer.relays_at?)))
            .collect();
        let (due, later): (Vec<_>, Vec<_>) = waiting.into_iter().partition(|(_, at)| *at <= now);
        for (node, _) in due {
            self.ask_relays(node, now);
        }
        later.into_iter().map(|(_, at)| at).min()
    }

    fn ask_relays(&mut self, node: NodeId, now: Instant) {
        let allowed = self.list.contains(&node);
        let Some(peer) = self.peers.get_mut(&node) else {
            return;
        };
        peer.relays_at = None;
        let relays = match &peer.kept {
            Some(kept) if peer.connections.is_empty() && allowed => kept.ways.relays.clone(),
            _ => return,
        };
        let circuits = self.circuits_to(&node, &relays);
        match circuits.is_empty() {
            true => self.dial_failed(node, None, DialTrouble::RelayFailed, now),
            false => {
                let dial = DialOpts::peer_id(peer_id(&node)).addresses(circuits);
                // One relay after the other: the next one is for where the best one fails.
                let dial = dial.override_dial_concurrency_factor(NonZeroU8::MIN);
                self.attempt(node, dial, now);
            }
        }
    }

    fn attempt(&mut self, node: NodeId, dial: WithPeerIdWithAddresses, now: Instant) {
        // One that has just presented itself here may not have gone yet.
        let guest = self.swarm.is_connected(&peer_id(&node));
        let peer = self.peer(node);
        let connected = guest || !peer.connections.is_empty();
        let condition = match connected {
            false => PeerCondition::Disconnected,
            true => PeerCondition::Always,
        };
        // Its own port each time: two nodes that dial each other from their listening ports would meet in one half-open TCP connection.
        let dial = dial.condition(condition).allocate_new_port().build();
        let id = dial.connection_id();
        peer.attempts.push(id);
        if let Err(error) = self.swarm.dial(dial) {
            self.dial_failed(node, Some(id), dial_trouble(&error), now);
        }
    }

    /// A part of an attempt failed, and with the last part all of it.
    pub(super) fn dial_failed(
        &mut self,
        node: NodeId,
        id: Option<ConnectionId>,
        trouble: DialTrouble,
        now: Instant,
    ) {
        let peer = self.peer(node);
        peer.attempts.retain(|attempt| Some(*attempt) != id);
        if let Some(at) = &mut peer.relays_at {
            // No direct way: nothing is left to wait for.
            *at = now;
            return peer.trouble(trouble, now);
        }
        if !peer.attempts.is_empty() {
            return peer.trouble(trouble, now);
        }
        if !peer.connections.is_empty() {
            if let Some(again) = peer.kept.as_mut().and_then(|kept| kept.again.as_mut()) {
                again.failed(now, jitter());
            }
            return;
        }
        if let Some(kept) = &mut peer.kept {
            kept.backoff.failed(now, jitter());
        }
        peer.trouble(trouble, now);
        tracing::debug!(node = %node.short(), %trouble, "dial failed");
        self.say(NetworkEvent::DialFailed {
            node,
            error: trouble,
        });
        self.drop_unlisted();
    }

    /// The waits between two attempts to find a direct way while a relay carries the link.
    pub(super) fn direct_waits(&self) -> Waits {
        Waits {
            first: self.config.direct_again,
            cap: self.config.cap.max(self.config.direct_again),
            urgent_cap: self.config.cap,
        }
    }
}
