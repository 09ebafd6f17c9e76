//! The room in which nodes meet: libp2p connections between nodes that may talk, and one link of frames with each.
//!
//! The room moves frames and knows nothing of records. It promises:
//!
//! - **Who.** A connection stands only with a node on the [`AllowList`]; the name is proved by the TLS handshake, every dial names the
//!   node that it expects, and whoever is taken off the list is cut off at once. A stranger is refused right after the handshake, before
//!   any protocol is negotiated, and counted; or it is a guest at the door, where it may say one thing and hears nothing.
//! - **How.** QUIC, or TCP with TLS 1.3, both with X25519MLKEM768 first; both are tried side by side. Where neither leads to a node, a
//!   [`relay`] that both nodes name may, with the same TLS inside. Never Noise, never a key log.
//! - **One link.** With each connected node there is one [`Link`], whichever side dialled, and also if both did. Its frames arrive whole,
//!   in order, and not at all after it ended. It can end at any time, and what it had taken may be lost with it: the acknowledgements of
//!   the layer above say what arrived.
//! - **Bounds.** Frames, queues, streams, connections, handshakes, memory: each has a limit in [`NetworkConfig`], and a slow reader slows
//!   its writer, nobody else.
//! - **Patience.** A node that is kept is dialled for ever; see [`dial`].
//!
//! It does not hide from an observer of the wire that two nodes talk, when and how much; through a relay, that relay is such an
//! observer.
//!
//! [`pairing`] has a swarm of its own: two nodes that are strangers to each other speak it, and nothing else. A [`relay`] has one too, and so
//! has the part of this node that speaks to relays.

pub mod dial;
pub mod pairing;
pub mod relay;

mod allow;
mod attempt;
mod config;
mod door;
mod events;
mod frame;
mod link;
mod meter;
mod pace;
mod peers;
mod present;
mod room;
mod status;
mod streams;
mod swarm;
mod transport;

use std::sync::Arc;

use libp2p::{Multiaddr, identity::Keypair};
use maillon_protocol::ids::NodeId;
use tokio::sync::{mpsc, oneshot};

pub use self::{
    allow::{AllowList, node_id, peer_id},
    config::{Direction, NetworkConfig, Tap},
    frame::FrameError,
    link::{Link, LinkCount, LinkEnd, LinkReceiver, LinkSender, SendError},
    meter::{Flow, Traffic},
    present::{Doorway, PRESENT_PROTOCOL},
    status::{Connected, DialTrouble, NetworkStatus, NodeStatus, Trouble, Via},
    transport::refuse_key_log,
};

use self::{
    meter::Meters,
    room::{Reply, Room},
    transport::Ways,
};

/// The protocol of the links. Its number changes when a node of the older version could not read the frames.
pub const SYNC_PROTOCOL: &str = "/maillon/sync/1";

/// Commands that wait for the room.
const COMMANDS: usize = 64;

/// Why the network did not start, or does not do what it is asked.
#[derive(Debug, thiserror::Error)]
pub enum NetworkError {
    /// The environment asks for the session keys of TLS.
    #[error(
        "SSLKEYLOGFILE is set: the keys of every connection would be written to a file; unset it and start again"
    )]
    KeyLog,
    /// The node's key is no Ed25519 key.
    #[error("the node's key cannot be used on the network")]
    Identity,
    /// The TLS certificate could not be made of the node's key.
    #[error("the node's TLS certificate could not be made")]
    Certificate,
    /// The system's name resolver vanished while it was being read.
    #[error("the system's name resolver cannot be read")]
    Resolver,
    /// An address cannot be listened on: it is taken, not this machine's, or of an unknown form.
    #[error("cannot listen on {address}: {reason}; see [network] in maillon.toml")]
    Listen {
        /// This node's own address, from its configuration.
        address: Multiaddr,
        /// What the system says.
        reason: String,
    },
    /// The same for the relay that this node hosts.
    #[error("the relay cannot listen on {address}: {reason}; see [relay] in maillon.toml")]
    ListenRelay {
        /// This node's own address, from its configuration.
        address: Multiaddr,
        /// What the system says.
        reason: String,
    },
    /// None of a node's addresses can be dialled.
    #[error(
        "none of the {given} addresses can be dialled: they must be /ip4, /ip6 or /dns, then /udp/…/quic-v1 or /tcp/…; through a relay, /p2p/RELAY/p2p-circuit follows"
    )]
    NoUsableAddress {
        /// How many were given.
        given: usize,
    },
    /// The node is this node.
    #[error("a node keeps no connection to itself")]
    Myself,
    /// The room has stopped.
    #[error("the network has stopped")]
    Stopped,
}

/// What the room says. The consumer must take events; while it does not, the room rests.
#[derive(Debug)]
pub enum NetworkEvent {
    /// A link stands. One that stood with this node has been reported as down before.
    LinkUp {
        /// With whom.
        node: NodeId,
        /// The link.
        link: Link,
    },
    /// The link with a node is no more.
    LinkDown {
        /// With whom.
        node: NodeId,
        /// Why.
        reason: LinkEnd,
    },
    /// An attempt to reach a node failed; the next one follows by itself.
    DialFailed {
        /// Whom.
        node: NodeId,
        /// Why.
        error: DialTrouble,
    },
    /// This node is at the door of a node that does not know it yet, or says so: here it may present itself.
    AtTheDoor {
        /// Whose.
        node: NodeId,
        /// The door.
        door: Doorway,
    },
    /// A stranger said this at the door.
    Presented {
        /// Who, as its handshake proved.
        node: NodeId,
        /// Some bytes: see [`maillon_protocol::sync::Presentation`].
        frame: Vec<u8>,
    },
    /// Strangers came, and were refused everything but to present themselves. Who they are is not kept.
    StrangerRefused {
        /// How many since the start.
        total: u64,
    },
    /// The node listens on an address, with its real port.
    ListenOn(Multiaddr),
    /// It listens there no more: the machine has lost the address.
    ListenNoMore(Multiaddr),
}

/// What a handle asks of the room.
enum Command {
    Keep(NodeId, Ways),
    Forget(NodeId),
    Retry(NodeId),
    Urgent(NodeId, bool),
    Status(Reply<NetworkStatus>),
    Shutdown(Reply<()>),
}

/// Makes libp2p's keypair of the seed of the node's Ed25519 key. The seed is overwritten.
///
/// # Errors
/// [`NetworkError::Identity`], which 32 bytes never give.
pub fn identity(seed: &mut [u8; 32]) -> Result<Keypair, NetworkError> {
    Keypair::ed25519_from_bytes(seed).map_err(|_| NetworkError::Identity)
}

/// What the system said: the layers around it have no words of their own.
fn innermost(error: &dyn std::error::Error) -> String {
    let mut innermost = error;
    while let Some(source) = innermost.source() {
        innermost = source;
    }
    innermost.to_string()
}

/// The network of one node.
#[derive(Debug)]
pub struct Network;

impl Network {
    /// Starts the room in a task of its own. Must be called within a tokio runtime.
    ///
    /// # Errors
    /// [`NetworkError::KeyLog`], [`NetworkError::Identity`], [`NetworkError::Certificate`], [`NetworkError::Resolver`], and
    /// [`NetworkError::Listen`] for the first address that cannot be listened on; nothing runs then.
    pub fn start(
        config: NetworkConfig,
        identity: &Keypair,
        who: AllowList,
        events: mpsc::Sender<NetworkEvent>,
    ) -> Result<NetworkHandle, NetworkError> {
        refuse_key_log()?;
        let meters = Arc::new(Meters::new(config.tap.clone()));
        let (circuits, relays) = match config.relays.is_empty() {
            true => (None, None),
            false => {
                let (circuits, relays) = relay::build(&config, identity)?;
                (Some(circuits), Some(relays))
            }
        };
        let mut swarm = swarm::build(&config, identity, circuits, &who, &meters)?;
        for address in &config.listen {
            swarm
                .listen_on(address.clone())
                .map_err(|error| NetworkError::Listen {
                    address: address.clone(),
                    reason: innermost(&error),
                })?;
        }
        let (commands, to_room) = mpsc::channel(COMMANDS);
        let room = Room::new(swarm, relays, config, who, meters, to_room, events)
            .ok_or(NetworkError::Identity)?;
        let me = room.me;
        tokio::spawn(room.run());
        Ok(NetworkHandle { me, commands })
    }
}

/// Commands to the room. Clones speak to the same one, which stops when the last is dropped.
#[derive(Debug, Clone)]
pub struct NetworkHandle {
    me: NodeId,
    commands: mpsc::Sender<Command>,
}

impl NetworkHandle {
    /// This node.
    pub fn me(&self) -> NodeId {
        self.me
    }

    /// Keeps a connection to a node: dials it at once, and for ever again while it is on the list. Addresses that cannot be dialled are
    /// left out; without any, the node is only waited for. Called again, it puts the new addresses in the place of the old ones.
    ///
    /// # Errors
    /// [`NetworkError::NoUsableAddress`], [`NetworkError::Myself`], [`NetworkError::Stopped`].
    pub async fn keep(&self, node: NodeId, addresses: &[Multiaddr]) -> Result<(), NetworkError> {
        if node == self.me {
            return Err(NetworkError::Myself);
        }
        let usable = transport::usable(addresses, &peer_id(&node));
        if usable.is_empty() && !addresses.is_empty() {
            return Err(NetworkError::NoUsableAddress {
                given: addresses.len(),
            });
        }
        self.send(Command::Keep(node, usable)).await
    }

    /// Dials a node no more. A connection that stands is left alone: the list closes connections.
    ///
    /// # Errors
    /// [`NetworkError::Stopped`].
    pub async fn forget(&self, node: NodeId) -> Result<(), NetworkError> {
        self.send(Command::Forget(node)).await
    }

    /// Ends the wait for a node that is kept: the next attempt starts now.
    ///
    /// # Errors
    /// [`NetworkError::Stopped`].
    pub async fn retry(&self, node: NodeId) -> Result<(), NetworkError> {
        self.send(Command::Retry(node)).await
    }

    /// Says whether an alert waits for a node: the waits between attempts are then short.
    ///
    /// # Errors
    /// [`NetworkError::Stopped`].
    pub async fn urgent(&self, node: NodeId, urgent: bool) -> Result<(), NetworkError> {
        self.send(Command::Urgent(node, urgent)).await
    }

    /// What the room knows of itself and of each node.
    ///
    /// # Errors
    /// [`NetworkError::Stopped`].
    pub async fn status(&self) -> Result<NetworkStatus, NetworkError> {
        let (reply, status) = oneshot::channel();
        self.send(Command::Status(reply)).await?;
        status.await.map_err(|_| NetworkError::Stopped)
    }

    /// Stops the room: what links have queued is written, within seconds; every node is told goodbye; then this returns. A second call
    /// returns at once.
    pub async fn shutdown(&self) {
        let (reply, done) = oneshot::channel();
        if self.send(Command::Shutdown(reply)).await.is_ok() {
            // An error says that the room stopped before it read the command.
            let _ = done.await;
        }
    }

    async fn send(&self, command: Command) -> Result<(), NetworkError> {
        self.commands
            .send(command)
            .await
            .map_err(|_| NetworkError::Stopped)
    }
}
