//! What the room keeps of one node: its connections, its link, its schedule, and what was last heard.

use std::{
    sync::Arc,
    time::{Duration, Instant},
};

use libp2p::swarm::ConnectionId;
use maillon_protocol::ids::NodeId;

use super::{
    dial::{Backoff, Waits},
    link::{LinkCount, Running},
    meter::Meter,
    room::jitter,
    status::{Connected, NodeStatus, Trouble, Via},
    transport::Ways,
};

/// A connection that stands.
#[derive(Debug, Clone, Copy)]
pub(super) struct Connection {
    pub(super) id: ConnectionId,
    pub(super) via: Via,
    pub(super) dialled_here: bool,
    pub(super) since: Instant,
    /// Whether the other node said anything on it.
    pub(super) heard: bool,
    /// Whether it does not speak the protocol of the links on it. Of a node that has said nothing else that means that this one is a stranger there.
    pub(super) unspoken: bool,
    /// Whether this node is closing it.
    pub(super) closing: bool,
    /// Until when it is held beside the chosen one.
    pub(super) spare_until: Option<Instant>,
}

/// A connection to a node that is kept up.
#[derive(Debug)]
pub(super) struct Kept {
    pub(super) ways: Ways,
    pub(super) backoff: Backoff,
    /// While a relay carries the link: when a direct way is tried again.
    pub(super) again: Option<Backoff>,
}

impl Kept {
    /// Ends whatever wait there is.
    pub(super) fn retry(&mut self, now: Instant) {
        self.backoff.retry(now);
        if let Some(again) = &mut self.again {
            again.retry(now);
        }
    }
}

/// The link that stands, and the connection that carries it.
#[derive(Debug)]
pub(super) struct Active {
    pub(super) running: Running,
    pub(super) connection: ConnectionId,
}

/// One node.
pub(super) struct Peer {
    pub(super) kept: Option<Kept>,
    pub(super) urgent: bool,
    /// The dials that are under way: a direct one, and one through relays.
    pub(super) attempts: Vec<ConnectionId>,
    /// When relays are asked, in an attempt that has not got there.
    pub(super) relays_at: Option<Instant>,
    pub(super) connections: Vec<Connection>,
    /// Whether a link has stood with it since the start, and it has not refused this node since: this node is no stranger there.
    pub(super) met: bool,
    /// The connection on which this node has asked for its stream.
    pub(super) opening: Option<ConnectionId>,
    pub(super) link: Option<Active>,
    /// A link whose connection is gone, and whose last word is awaited.
    pub(super) ending: Option<Running>,
    pub(super) last_seen: Option<Instant>,
    pub(super) last_trouble: Option<(Trouble, Instant)>,
    pub(super) rtt: Option<Duration>,
    /// What the links before this one carried.
    pub(super) past: LinkCount,
    pub(super) meter: Arc<Meter>,
}

impl Peer {
    pub(super) fn new(meter: Arc<Meter>) -> Self {
        Self {
            kept: None,
            urgent: false,
            attempts: Vec::new(),
            relays_at: None,
            connections: Vec::new(),
            met: false,
            opening: None,
            link: None,
            ending: None,
            last_seen: None,
            last_trouble: None,
            rtt: None,
            past: LinkCount::default(),
            meter,
        }
    }

    pub(super) fn trouble(&mut self, trouble: impl Into<Trouble>, now: Instant) {
        self.last_trouble = Some((trouble.into(), now));
    }

    /// The connection that carries the link, or will.
    pub(super) fn chosen(&self) -> Option<ConnectionId> {
        let link = self.link.as_ref().map(|active| active.connection);
        link.or(self.opening)
    }

    /// Takes the link out, its count added to the past.
    pub(super) fn take_link(&mut self) -> Option<Active> {
        let active = self.link.take()?;
        self.past = sum(self.past, active.running.counters.read());
        Some(active)
    }

    /// Whether nothing is left to know it for.
    pub(super) fn is_idle(&self) -> bool {
        let linked = self.link.is_some() || self.ending.is_some();
        self.kept.is_none() && self.connections.is_empty() && !self.is_dialled() && !linked
    }

    /// Whether an attempt is under way.
    pub(super) fn is_dialled(&self) -> bool {
        !self.attempts.is_empty() || self.relays_at.is_some()
    }

    /// Has a direct way looked for while relays alone carry what there is, and only then. To be called when connections or ways change.
    pub(super) fn look_for_direct(&mut self, waits: Waits, now: Instant) {
        let relayed = !self.connections.is_empty()
            && self
                .connections
                .iter()
                .all(|connection| connection.via.is_relayed());
        if let Some(kept) = &mut self.kept {
            if !relayed || kept.ways.direct.is_empty() {
                kept.again = None;
            } else if kept.again.is_none() {
                let mut again = Backoff::new(waits, now);
                again.start(now);
                again.failed(now, jitter());
                kept.again = Some(again);
            }
        }
    }

    /// The spare connections whose time is over, and when the next one's is.
    pub(super) fn spares(&self, now: Instant) -> (Vec<ConnectionId>, Option<Instant>) {
        let spare = |c: &Connection| c.spare_until.filter(|_| !c.closing);
        let over = self
            .connections
            .iter()
            .filter(|c| spare(c).is_some_and(|until| until <= now));
        let next = self.connections.iter().filter_map(spare);
        (
            over.map(|c| c.id).collect(),
            next.filter(|until| *until > now).min(),
        )
    }

    /// When the next attempt is due.
    pub(super) fn due(&self) -> Option<Instant> {
        let kept = self.kept.as_ref().filter(|_| !self.is_dialled())?;
        let again = kept.again.as_ref().and_then(Backoff::due);
        kept.backoff.due().or(again)
    }

    pub(super) fn status(&self, node: NodeId, allowed: bool, now: Instant) -> NodeStatus {
        let age = |then: Instant| now.saturating_duration_since(then);
        let chosen = self.chosen();
        let connection = self
            .connections
            .iter()
            .find(|connection| Some(connection.id) == chosen)
            .or(self.connections.first());
        let link = self
            .link
            .as_ref()
            .map(|active| active.running.counters.read());
        NodeStatus {
            node,
            allowed,
            kept: self.kept.is_some(),
            urgent: self.urgent,
            connected: connection.map(|connection| Connected {
                via: connection.via,
                dialled_here: connection.dialled_here,
                age: age(connection.since),
            }),
            link,
            last_seen: self.last_seen.map(age),
            last_trouble: self
                .last_trouble
                .map(|(trouble, then)| (trouble, age(then))),
            dialling: self.is_dialled(),
            next_attempt: self
                .due()
                .filter(|_| allowed)
                .map(|due| due.saturating_duration_since(now)),
            rtt: self.rtt,
            frames: sum(self.past, link.unwrap_or_default()),
            traffic: self.meter.read(),
        }
    }
}

fn sum(a: LinkCount, b: LinkCount) -> LinkCount {
    LinkCount {
        frames_in: a.frames_in + b.frames_in,
        bytes_in: a.bytes_in + b.bytes_in,
        frames_out: a.frames_out + b.frames_out,
        bytes_out: a.bytes_out + b.bytes_out,
    }
}
