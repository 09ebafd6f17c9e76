//! The relay itself: a swarm that listens for the nodes on its list, and passes circuits on between them.
//!
//! It has the node's own key, so its users name it by the node's name, and ports of its own. Nothing of what it carries reaches the room.

use std::{
    collections::HashMap,
    io,
    sync::{Arc, atomic::Ordering::Relaxed},
    time::Instant,
};

use futures::StreamExt;
use libp2p::{
    Multiaddr, PeerId, Swarm, Transport, connection_limits,
    core::muxing::StreamMuxerBox,
    identity::Keypair,
    multiaddr::Protocol,
    ping, relay,
    swarm::{Config as SwarmConfig, ConnectionId, ListenError, NetworkBehaviour, SwarmEvent},
};
use tokio::{sync::watch, task::JoinHandle};
use tokio_util::sync::{CancellationToken, DropGuard};

use super::{
    HostStatus, RelayConfig, STREAMS, WINDOW,
    admission::{self, Register},
    pipe::{Allowance, Pipe, Piped},
};
use crate::network::{
    AllowList, NetworkError,
    allow::{Gate, Stranger},
    innermost, refuse_key_log,
    transport::{self, Bounds},
};

/// Connections of a node: the one that is used, and the one that takes its place.
const CONNECTIONS_A_NODE: u32 = 2;
/// Streams of one connection that may be in negotiation.
const NEGOTIATING: usize = 16;

/// What libp2p's relay says where a circuit has carried what it may.
const BYTES_USED_UP: &str = "Max circuit bytes reached.";

/// The behaviours. The gate stands first.
#[derive(NetworkBehaviour)]
struct HostProtocols {
    gate: Gate,
    limits: connection_limits::Behaviour,
    ping: ping::Behaviour,
    relay: relay::Behaviour,
}

/// A relay that runs. Dropped, it stops; [`RelayHost::stop`] waits for that.
pub struct RelayHost {
    register: Arc<Register>,
    listening: watch::Receiver<Vec<Multiaddr>>,
    _stop: DropGuard,
    task: JoinHandle<()>,
}

impl RelayHost {
    /// Starts a relay for the nodes on a list, which may change while it runs: whoever is taken off loses its circuits at once. Must be
    /// called within a tokio runtime.
    ///
    /// # Errors
    /// As [`Network::start`](crate::network::Network::start).
    pub fn start(
        config: &RelayConfig,
        identity: &Keypair,
        list: AllowList,
    ) -> Result<Self, NetworkError> {
        refuse_key_log()?;
        let register = Register::new(list);
        let mut swarm = swarm(config, identity, &register)?;
        for address in &config.listen {
            swarm
                .listen_on(address.clone())
                .map_err(|error| NetworkError::ListenRelay {
                    address: address.clone(),
                    reason: innermost(&error),
                })?;
        }
        let (say, listening) = watch::channel(Vec::new());
        let stop = CancellationToken::new();
        let host = Host {
            swarm,
            register: Arc::clone(&register),
            connections: HashMap::new(),
            listening: say,
        };
        Ok(Self {
            register,
            listening,
            task: tokio::spawn(host.run(stop.clone())),
            _stop: stop.drop_guard(),
        })
    }

    /// Where it listens, with real ports: as many addresses as were asked for once it is ready.
    pub fn listening(&self) -> watch::Receiver<Vec<Multiaddr>> {
        self.listening.clone()
    }

    /// The relay, as it is now.
    pub fn status(&self) -> HostStatus {
        self.register.status()
    }

    /// Cuts off every circuit and stops.
    pub async fn stop(self) {
        drop(self._stop);
        // An error says that the task is already gone.
        let _ = self.task.await;
    }
}

fn swarm(
    config: &RelayConfig,
    identity: &Keypair,
    register: &Arc<Register>,
) -> Result<Swarm<HostProtocols>, NetworkError> {
    let me = identity.public().to_peer_id();
    let bounds = Bounds {
        handshake: config.handshake,
        streams: STREAMS,
        window: WINDOW,
    };
    let pipes = Pipes {
        all: Arc::new(Allowance::new(config.rate, Instant::now())),
        register: Arc::clone(register),
        config: config.clone(),
    };
    let transport = transport::build(identity, bounds)?;
    let transport = Transport::map(transport, move |(peer, muxer), _| {
        let piped = Piped::new(muxer, pipes.next());
        (peer, StreamMuxerBox::new(piped))
    })
    .boxed();
    // A node may stay connected without a place, to ask for circuits only.
    let most = config
        .reservations
        .saturating_mul(CONNECTIONS_A_NODE)
        .saturating_add(config.pending);
    let limits = connection_limits::ConnectionLimits::default()
        .with_max_pending_incoming(Some(config.pending))
        .with_max_established(Some(most))
        .with_max_established_per_peer(Some(CONNECTIONS_A_NODE));
    let ping = ping::Config::new()
        .with_interval(config.ping_every)
        .with_timeout(config.ping_every / 2);
    let mut relay = relay::Behaviour::new(me, admission::limits(config, register));
    relay.set_status(Some(relay::Status::Enable));
    let protocols = HostProtocols {
        gate: Gate::new(register.list.clone()),
        limits: connection_limits::Behaviour::new(limits),
        ping: ping::Behaviour::new(ping),
        relay,
    };
    let swarm = SwarmConfig::with_tokio_executor()
        .with_max_negotiating_inbound_streams(NEGOTIATING)
        .with_idle_connection_timeout(config.idle);
    let mut swarm = Swarm::new(transport, protocols, me, swarm);
    // What a reservation names as the relay's addresses. Its users know where it is, so nothing is said of this machine's networks.
    swarm.add_external_address(Multiaddr::empty().with(Protocol::P2p(me)));
    Ok(swarm)
}

/// Makes the pipe of each connection.
#[derive(Clone)]
struct Pipes {
    all: Arc<Allowance>,
    register: Arc<Register>,
    config: RelayConfig,
}

impl Pipes {
    /// Of a connection, and so of a node: the relay closes an older one where a second one comes.
    fn next(&self) -> Pipe {
        Pipe {
            own: Arc::new(Allowance::new(self.config.rate_a_node, Instant::now())),
            all: Arc::clone(&self.all),
            register: Arc::clone(&self.register),
            tap: self.config.tap.clone(),
        }
    }
}

/// The relay's loop.
struct Host {
    swarm: Swarm<HostProtocols>,
    register: Arc<Register>,
    /// Each node's newest connection.
    connections: HashMap<PeerId, ConnectionId>,
    listening: watch::Sender<Vec<Multiaddr>>,
}

impl Host {
    async fn run(mut self, stop: CancellationToken) {
        let mut changes = self.register.list.changes();
        loop {
            tokio::select! {
                biased;
                () = stop.cancelled() => break,
                Ok(()) = changes.changed() => {
                    changes.mark_unchanged();
                    self.hold_the_list();
                }
                event = self.swarm.select_next_some() => self.on_swarm(event),
            }
        }
        tracing::info!(bytes = self.register.bytes.load(Relaxed), "the relay stops");
    }

    fn hold_the_list(&mut self) {
        let connected = self.swarm.connected_peers().copied();
        let refused: Vec<PeerId> = connected
            .filter(|peer| !self.register.list.admits(peer))
            .collect();
        for peer in refused {
            // An error says that the last connection has just gone.
            let _ = self.swarm.disconnect_peer_id(peer);
        }
    }

    fn on_swarm(&mut self, event: SwarmEvent<HostProtocolsEvent>) {
        match event {
            SwarmEvent::NewListenAddr { address, .. } => {
                tracing::info!(%address, "the relay listens");
                self.listening.send_modify(|all| all.push(address));
                self.register.book().listening = self.listening.borrow().clone();
            }
            SwarmEvent::ExpiredListenAddr { address, .. } => {
                tracing::info!(%address, "the relay listens no more");
                self.listening
                    .send_modify(|all| all.retain(|held| *held != address));
                self.register.book().listening = self.listening.borrow().clone();
            }
            SwarmEvent::ListenerClosed { reason, .. } => {
                tracing::error!(?reason, "a listener of the relay closed");
            }
            SwarmEvent::ConnectionEstablished {
                peer_id,
                connection_id,
                ..
            } => {
                // A node makes one connection: where a second one comes, it has lost the first.
                if let Some(old) = self.connections.insert(peer_id, connection_id) {
                    self.swarm.close_connection(old);
                }
                self.register.book().connected = self.connections.len();
            }
            SwarmEvent::ConnectionClosed {
                peer_id,
                num_established: 0,
                ..
            } => {
                self.connections.remove(&peer_id);
                let mut book = self.register.book();
                book.connected = self.connections.len();
                book.left(&peer_id);
            }
            SwarmEvent::IncomingConnectionError {
                error: ListenError::Denied { cause },
                ..
            } => {
                let mut book = self.register.book();
                match cause.downcast::<Stranger>() {
                    Ok(Stranger) => book.refused.strangers += 1,
                    Err(_) => book.refused.connections += 1,
                }
            }
            SwarmEvent::Behaviour(HostProtocolsEvent::Ping(ping::Event {
                connection,
                result: Err(_),
                ..
            })) => {
                self.swarm.close_connection(connection);
            }
            SwarmEvent::Behaviour(HostProtocolsEvent::Relay(event)) => self.on_relay(event),
            _ => {}
        }
    }

    fn on_relay(&mut self, event: relay::Event) {
        let mut book = self.register.book();
        match event {
            relay::Event::ReservationTimedOut { src_peer_id } => {
                book.places.remove(&src_peer_id);
            }
            relay::Event::CircuitReqAccepted {
                src_peer_id,
                dst_peer_id,
            } => {
                *book.circuits.entry((src_peer_id, dst_peer_id)).or_default() += 1;
                book.circuits_so_far += 1;
            }
            relay::Event::CircuitReqDenied { status, .. } => match status {
                relay::StatusCode::ResourceLimitExceeded => book.refused.circuits += 1,
                relay::StatusCode::NoReservation => book.refused.not_there += 1,
                _ => book.refused.not_taken += 1,
            },
            relay::Event::CircuitClosed {
                src_peer_id,
                dst_peer_id,
                error,
            } => {
                match error {
                    Some(error) if error.kind() == io::ErrorKind::TimedOut => {
                        book.ended_by_time += 1;
                    }
                    // A broken connection can have the same kind: its words are all that tells the limit apart.
                    Some(error) if error.to_string() == BYTES_USED_UP => book.ended_by_bytes += 1,
                    // Reported once more when the other node's stream breaks.
                    Some(error) if error.kind() == io::ErrorKind::ConnectionAborted => return,
                    _ => {}
                }
                book.ended(src_peer_id, dst_peer_id);
            }
            _ => {}
        }
    }
}
