//! What the room says of itself: for `maillonctl peer show`, `/health` and `/metrics`.
//!
//! Times are ages, so that no clock is read here. Errors are typed and name no address and no person.

use std::{fmt, io, time::Duration};

use libp2p::{
    Multiaddr, TransportError,
    core::ConnectedPoint,
    multiaddr::Protocol,
    swarm::{ConnectionDenied, DialError},
};
use maillon_protocol::ids::NodeId;

use super::{
    allow::Stranger,
    link::{LinkCount, LinkEnd},
    meter::Traffic,
    relay::{RelayStatus, relay_in},
};

/// By which way a node is reached.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Via {
    /// QUIC version 1.
    Quic,
    /// TCP with TLS 1.3.
    Tcp,
    /// A circuit through this relay, with TLS 1.3 inside.
    Relay(NodeId),
}

impl Via {
    /// Whether a relay carries it.
    pub fn is_relayed(&self) -> bool {
        matches!(self, Self::Relay(_))
    }
}

impl fmt::Display for Via {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Quic => f.write_str("quic"),
            Self::Tcp => f.write_str("tcp"),
            Self::Relay(relay) => write!(f, "relay {relay}"),
        }
    }
}

/// A connection that stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Connected {
    /// By which way.
    pub via: Via,
    /// Whether this node dialled.
    pub dialled_here: bool,
    /// For how long.
    pub age: Duration,
}

/// What went wrong with a node the last time that something did.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum Trouble {
    /// No connection came about.
    #[error(transparent)]
    Dial(#[from] DialTrouble),
    /// The connection stands and the other node does not speak the sync protocol.
    #[error("the other node does not speak this version of the protocol")]
    NotSpoken,
    /// The other node opened the stream that this one opens, or opened a second one.
    #[error("the other node does not follow the rules of the link")]
    Unruly,
    /// No answer to pings.
    #[error("the other node no longer answers")]
    Silent,
    /// The connection broke, or the other node closed it.
    #[error("the connection ended")]
    Ended,
    /// The link ended.
    #[error(transparent)]
    Link(#[from] LinkEnd),
}

/// Why an attempt to reach a node failed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum DialTrouble {
    /// No address is known, or none can be used.
    #[error("no usable address is known")]
    NoAddress,
    /// There is a machine, and nothing listens there.
    #[error("nothing listens at the address")]
    NothingListens,
    /// No answer in time: the machine is off, or a firewall drops the packets.
    #[error("no answer in time")]
    NoAnswer,
    /// Another way to fail: no route, no name, a broken handshake.
    #[error("the node cannot be reached")]
    Unreachable,
    /// Another node answers at the address.
    #[error("another node answers at the address")]
    AnotherNode,
    /// The node is not on this node's own list.
    #[error("the node is not allowed here")]
    NotAllowed,
    /// A limit of this node's own connections or memory is reached.
    #[error("a limit of this node is reached")]
    Limit,
    /// The other node closed the connection right after the handshake: this node is not on its list.
    #[error("the other node refuses this one")]
    RefusedThere,
    /// No direct way, and it is reached only through relays that this node does not use.
    #[error(
        "the node cannot be reached directly, and is reached only through a relay that this node does not use"
    )]
    OtherRelay,
    /// No direct way, and it holds no place at a relay that both use.
    #[error("the node cannot be reached directly, and is not at the relay")]
    NotAtRelay,
    /// No direct way, and the relay has no circuit left.
    #[error("the node cannot be reached directly, and the relay has reached a limit")]
    RelayFull,
    /// No direct way, and none through a relay: it is away, or the node does not take the circuit.
    #[error("the node can be reached neither directly nor through a relay")]
    RelayFailed,
    /// The attempt was given up, for instance because the node connected by itself.
    #[error("the attempt was given up")]
    GivenUp,
}

/// One node, as the room knows it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NodeStatus {
    /// The node.
    pub node: NodeId,
    /// Whether it is on the list.
    pub allowed: bool,
    /// Whether a connection to it is kept up.
    pub kept: bool,
    /// Whether an alert waits for it.
    pub urgent: bool,
    /// The connection, where there is one.
    pub connected: Option<Connected>,
    /// The link's own count, where there is a link.
    pub link: Option<LinkCount>,
    /// How long ago it was last heard from in this life of the process: handshake, ping, stream.
    pub last_seen: Option<Duration>,
    /// The last trouble, and how long ago.
    pub last_trouble: Option<(Trouble, Duration)>,
    /// Whether an attempt is under way.
    pub dialling: bool,
    /// When the next attempt starts; while a relay carries the link, the next one to find a direct way.
    pub next_attempt: Option<Duration>,
    /// The last ping's round trip.
    pub rtt: Option<Duration>,
    /// Frames and bytes of all its sync links so far.
    pub frames: LinkCount,
    /// Bytes of all its streams so far, by protocol.
    pub traffic: Traffic,
}

/// The room.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NetworkStatus {
    /// Where this node listens now.
    pub listening: Vec<Multiaddr>,
    /// Connections that stand, for all nodes.
    pub connections: usize,
    /// Strangers that were refused after the handshake.
    pub strangers_refused: u64,
    /// Connections that were refused because of a limit.
    pub limited: u64,
    /// Bytes over strangers' streams: zero, or something is wrong.
    pub strangers_traffic: Traffic,
    /// The relays that this node uses, in the order of its configuration.
    pub relays: Vec<RelayStatus>,
    /// Every node that is kept, connected, or was.
    pub nodes: Vec<NodeStatus>,
}

/// The way of a connection.
pub(super) fn via(point: &ConnectedPoint) -> Via {
    let whole = match point {
        ConnectedPoint::Dialer { address, .. } => address,
        ConnectedPoint::Listener { local_addr, .. } => local_addr,
    };
    if let Some(relay) = relay_in(whole) {
        return Via::Relay(relay);
    }
    let quic = |address: &Multiaddr| address.iter().any(|part| matches!(part, Protocol::Udp(_)));
    match quic(point.get_remote_address()) {
        true => Via::Quic,
        false => Via::Tcp,
    }
}

/// The trouble in a failed dial. Where several addresses failed, the one that says most: another node, then no answer, then nothing there.
pub(super) fn dial_trouble(error: &DialError) -> DialTrouble {
    match error {
        DialError::NoAddresses => DialTrouble::NoAddress,
        DialError::LocalPeerId { .. } | DialError::WrongPeerId { .. } => DialTrouble::AnotherNode,
        DialError::DialPeerConditionFalse(_) | DialError::Aborted => DialTrouble::GivenUp,
        DialError::Denied { cause } => denied(cause),
        DialError::Transport(errors) => errors
            .iter()
            .map(|(_, error)| transport_trouble(error))
            .max_by_key(|trouble| match trouble {
                DialTrouble::NoAddress => 0,
                DialTrouble::Unreachable => 1,
                DialTrouble::NothingListens => 2,
                _ => 3,
            })
            .unwrap_or(DialTrouble::NoAddress),
    }
}

fn denied(cause: &ConnectionDenied) -> DialTrouble {
    match cause.downcast_ref::<Stranger>() {
        Some(_) => DialTrouble::NotAllowed,
        None => DialTrouble::Limit,
    }
}

fn transport_trouble(error: &TransportError<io::Error>) -> DialTrouble {
    let TransportError::Other(error) = error else {
        return DialTrouble::NoAddress;
    };
    if let Some(trouble) = find_in::<DialTrouble>(error) {
        return trouble;
    }
    // The transports say what happened by the kind of an error of the system, below the wrappings of names and boxes.
    let kinds = layers(error).filter_map(|layer| Some(layer.downcast_ref::<io::Error>()?.kind()));
    kinds
        .filter_map(|kind| match kind {
            io::ErrorKind::ConnectionRefused => Some(DialTrouble::NothingListens),
            io::ErrorKind::TimedOut => Some(DialTrouble::NoAnswer),
            _ => None,
        })
        .next()
        .unwrap_or(DialTrouble::Unreachable)
}

/// An error, and what it wraps, from the outside to the inside.
fn layers(error: &io::Error) -> impl Iterator<Item = &(dyn std::error::Error + 'static)> {
    let first: &(dyn std::error::Error + 'static) = error;
    std::iter::successors(Some(first), |error| {
        // What an io::Error carries is not its `source`, which is already one step further.
        match error
            .downcast_ref::<io::Error>()
            .and_then(io::Error::get_ref)
        {
            Some(inner) => Some(inner as &(dyn std::error::Error + 'static)),
            None => error.source(),
        }
    })
}

/// An error of our own that a transport has wrapped.
pub(super) fn find_in<E: std::error::Error + Copy + 'static>(error: &io::Error) -> Option<E> {
    layers(error).find_map(|layer| layer.downcast_ref::<E>().copied())
}
