//! Where two strangers become peers: a swarm that speaks pairing and nothing else.
//!
//! It exists only while an invitation is open ([`PairingListener`]) or while one is being accepted ([`dial`]). Whoever knows the address
//! can open one stream of small frames, a few at a time and at a slow pace; there is no other protocol, and no list. The stream carries
//! the key that the other side's handshake proved; what the frames mean is the pairing machine's affair.

use std::{future::Future, time::Duration};

use futures::{AsyncWriteExt, StreamExt};
use libp2p::{
    Multiaddr, Stream, StreamProtocol, Swarm, connection_limits,
    identity::Keypair,
    swarm::{Config as SwarmConfig, NetworkBehaviour, SwarmEvent, dial_opts::DialOpts},
};
use maillon_protocol::ids::NodeId;
use tokio::{sync::mpsc, task::JoinHandle, time::timeout};
use tokio_util::sync::{CancellationToken, DropGuard};

use super::{
    DialTrouble, NetworkError,
    allow::{node_id, peer_id},
    frame::{self, FrameError},
    pace::{Doorkeeper, Pace},
    refuse_key_log,
    status::dial_trouble,
    streams::{OpenFailure, StreamEvent, Streams},
    transport::{self, Bounds},
};

/// The protocol of pairing.
pub const PAIRING_PROTOCOL: &str = "/maillon/pairing/1";
/// Bytes of a pairing frame: two descriptors and what is said around them.
pub const PAIRING_FRAME: usize = 16 << 10;
/// Streams of one connection: the one that is used, and one to be refused.
const STREAMS: u32 = 2;

/// How pairing runs.
#[derive(Debug, Clone)]
pub struct PairingConfig {
    /// Where to listen, as for the room; other ports.
    pub listen: Vec<Multiaddr>,
    /// Longest dial, longest wait for a frame or for the other side to take one.
    pub timeout: Duration,
    /// Connections at one time.
    pub at_once: u32,
    /// Connections a minute, from anybody.
    pub per_minute: u32,
}

impl Default for PairingConfig {
    fn default() -> Self {
        Self {
            listen: Vec::new(),
            timeout: Duration::from_secs(30),
            at_once: 4,
            per_minute: 20,
        }
    }
}

/// Why pairing has no stream, or no more frames.
#[derive(Debug, thiserror::Error)]
pub enum PairingError {
    /// The swarm could not be made.
    #[error(transparent)]
    Network(#[from] NetworkError),
    /// The inviter cannot be reached.
    #[error(transparent)]
    Dial(#[from] DialTrouble),
    /// The inviter answers and speaks no pairing: its invitation is closed, or it is of another version.
    #[error("the other node has no open invitation")]
    NotOpen,
    /// The stream failed.
    #[error(transparent)]
    Frame(#[from] FrameError),
    /// No frame came in time.
    #[error("the other node said nothing for too long")]
    Silent,
}

/// A stream of pairing frames with a node whose key is proved. Dropping it cuts it off; [`FrameStream::finish`] ends it politely.
pub struct FrameStream {
    stream: Stream,
    timeout: Duration,
    /// The dialling side's swarm lives as long as its stream.
    _swarm: Option<DropGuard>,
}

impl FrameStream {
    /// Sends a frame.
    ///
    /// # Errors
    /// [`PairingError::Frame`]: longer than [`PAIRING_FRAME`], not taken in time, or broken.
    pub async fn send(&mut self, frame: &[u8]) -> Result<(), PairingError> {
        if frame.len() > PAIRING_FRAME {
            return Err(PairingError::Frame(FrameError::TooLong {
                announced: frame.len(),
                limit: PAIRING_FRAME,
            }));
        }
        frame::write_frame(&mut self.stream, frame, self.timeout).await?;
        Ok(frame::flush(&mut self.stream, self.timeout).await?)
    }

    /// The next frame; nothing where the other side has ended the stream.
    ///
    /// # Errors
    /// [`PairingError::Silent`] where none begins in time, [`PairingError::Frame`] where it is too long or breaks off.
    pub async fn recv(&mut self) -> Result<Option<Vec<u8>>, PairingError> {
        let length = frame::read_length(&mut self.stream, PAIRING_FRAME, self.timeout);
        let length = timeout(self.timeout, length)
            .await
            .map_err(|_| PairingError::Silent)??;
        match length {
            Some(length) => {
                let body = frame::read_body(&mut self.stream, length, self.timeout).await?;
                Ok(Some(body))
            }
            None => Ok(None),
        }
    }

    /// Says that nothing more comes, and waits until the other side has read everything and ended too.
    ///
    /// # Errors
    /// [`PairingError`] as for [`FrameStream::recv`]; the frames may not have arrived then.
    pub async fn finish(mut self) -> Result<(), PairingError> {
        let closed = timeout(self.timeout, self.stream.close()).await;
        closed
            .map_err(|_| FrameError::WriteStalled)?
            .map_err(|error| FrameError::Broken(error.kind()))?;
        while self.recv().await?.is_some() {}
        Ok(())
    }
}

/// What is spoken: pairing. The others only refuse.
#[derive(NetworkBehaviour)]
struct Protocols {
    pace: Doorkeeper,
    limits: connection_limits::Behaviour,
    pairing: Streams,
}

fn swarm(
    config: &PairingConfig,
    identity: &Keypair,
    listens: bool,
) -> Result<Swarm<Protocols>, NetworkError> {
    refuse_key_log()?;
    let bounds = Bounds {
        handshake: config.timeout,
        streams: STREAMS,
        window: transport::WINDOW,
    };
    let limits = connection_limits::ConnectionLimits::default()
        .with_max_pending_incoming(Some(config.at_once))
        .with_max_established_per_peer(Some(1))
        .with_max_established(Some(config.at_once));
    let protocols = Protocols {
        pace: Doorkeeper(Pace::new(config.per_minute, std::time::Instant::now())),
        limits: connection_limits::Behaviour::new(limits),
        pairing: Streams::new(StreamProtocol::new(PAIRING_PROTOCOL), listens),
    };
    let swarm = SwarmConfig::with_tokio_executor()
        .with_max_negotiating_inbound_streams(STREAMS as usize)
        .with_idle_connection_timeout(config.timeout);
    let me = identity.public().to_peer_id();
    let transport = transport::build(identity, bounds)?;
    Ok(Swarm::new(transport, protocols, me, swarm))
}

/// Listens while an invitation is open.
pub struct PairingListener {
    arrivals: mpsc::Receiver<(NodeId, FrameStream)>,
    addresses: mpsc::Receiver<Multiaddr>,
    stop: CancellationToken,
    task: JoinHandle<()>,
}

impl PairingListener {
    /// Starts to listen. Must be called within a tokio runtime.
    ///
    /// # Errors
    /// As [`super::Network::start`].
    pub fn start(config: &PairingConfig, identity: &Keypair) -> Result<Self, NetworkError> {
        let mut swarm = swarm(config, identity, true)?;
        for address in &config.listen {
            swarm
                .listen_on(address.clone())
                .map_err(|error| NetworkError::Listen {
                    address: address.clone(),
                    reason: super::innermost(&error),
                })?;
        }
        let (arrived, arrivals) = mpsc::channel(config.at_once.max(1) as usize);
        let (listening, addresses) = mpsc::channel(64);
        let stop = CancellationToken::new();
        let accepting = accept(swarm, arrived, listening, stop.clone(), config.timeout);
        Ok(Self {
            arrivals,
            addresses,
            stop,
            task: tokio::spawn(accepting),
        })
    }

    /// The next address on which this listens, with its real port; each is given once.
    pub async fn address(&mut self) -> Option<Multiaddr> {
        self.addresses.recv().await
    }

    /// The next node that opened a stream, with the key that its handshake proved.
    pub async fn next(&mut self) -> Option<(NodeId, FrameStream)> {
        self.arrivals.recv().await
    }

    /// Stops listening and cuts off every stream. Dropping the listener does the same without waiting.
    pub async fn stop(mut self) {
        self.stop.cancel();
        // An error says that the task is already gone.
        let _ = (&mut self.task).await;
    }
}

impl Drop for PairingListener {
    fn drop(&mut self) {
        self.stop.cancel();
    }
}

async fn accept(
    mut swarm: Swarm<Protocols>,
    arrived: mpsc::Sender<(NodeId, FrameStream)>,
    listening: mpsc::Sender<Multiaddr>,
    stop: CancellationToken,
    timeout: Duration,
) {
    loop {
        let event = tokio::select! {
            () = stop.cancelled() => return,
            event = swarm.select_next_some() => event,
        };
        match event {
            SwarmEvent::NewListenAddr { address, .. } => {
                tracing::info!(%address, "listening for pairing");
                // Nobody asks for more addresses than fit.
                let _ = listening.try_send(address);
            }
            SwarmEvent::Behaviour(ProtocolsEvent::Pairing((
                peer,
                connection,
                StreamEvent::Accepted(stream),
            ))) => {
                let Some(node) = node_id(&peer) else { continue };
                let stream = FrameStream {
                    stream,
                    timeout,
                    _swarm: None,
                };
                // A driver that is busy with as many nodes as may come at once takes no further one.
                if arrived.try_send((node, stream)).is_err() {
                    swarm.close_connection(connection);
                }
            }
            _ => {}
        }
    }
}

/// Dials the inviter, whose key the invitation names, and opens the stream.
///
/// # Errors
/// [`PairingError::Network`], [`PairingError::Dial`], [`PairingError::NotOpen`].
pub async fn dial(
    config: &PairingConfig,
    identity: &Keypair,
    node: NodeId,
    addresses: &[Multiaddr],
) -> Result<FrameStream, PairingError> {
    let mut swarm = swarm(config, identity, false)?;
    let peer = peer_id(&node);
    let addresses = transport::usable(addresses, &peer).direct;
    let dial = DialOpts::peer_id(peer)
        .addresses(addresses)
        .allocate_new_port()
        .build();
    swarm
        .dial(dial)
        .map_err(|error| PairingError::Dial(dial_trouble(&error)))?;
    let stream = timeout(config.timeout, opened(&mut swarm))
        .await
        .map_err(|_| DialTrouble::NoAnswer)??;
    let stop = CancellationToken::new();
    let guard = stop.clone().drop_guard();
    tokio::spawn(drive(swarm, stop.cancelled_owned()));
    Ok(FrameStream {
        stream,
        timeout: config.timeout,
        _swarm: Some(guard),
    })
}

/// Waits until the connection stands and its stream is open.
async fn opened(swarm: &mut Swarm<Protocols>) -> Result<Stream, PairingError> {
    loop {
        match swarm.select_next_some().await {
            SwarmEvent::ConnectionEstablished {
                peer_id,
                connection_id,
                ..
            } => swarm.behaviour_mut().pairing.open(peer_id, connection_id),
            SwarmEvent::OutgoingConnectionError { error, .. } => {
                return Err(dial_trouble(&error).into());
            }
            SwarmEvent::ConnectionClosed { .. } => return Err(DialTrouble::RefusedThere.into()),
            SwarmEvent::Behaviour(ProtocolsEvent::Pairing((_, _, event))) => match event {
                StreamEvent::Opened(stream) => return Ok(stream),
                StreamEvent::Failed(OpenFailure::NotSpoken) => return Err(PairingError::NotOpen),
                StreamEvent::Failed(OpenFailure::Broken) => {
                    return Err(DialTrouble::RefusedThere.into());
                }
                StreamEvent::Accepted(_) => {}
            },
            _ => {}
        }
    }
}

/// Keeps the swarm going until its stream is dropped, then says goodbye.
async fn drive(mut swarm: Swarm<Protocols>, dropped: impl Future<Output = ()>) {
    tokio::pin!(dropped);
    loop {
        tokio::select! {
            () = &mut dropped => break,
            event = swarm.select_next_some() => {
                if matches!(event, SwarmEvent::ConnectionClosed { .. }) {
                    return;
                }
            }
        }
    }
    let connected: Vec<_> = swarm.connected_peers().copied().collect();
    for peer in connected {
        // An error says that it is already closed.
        let _ = swarm.disconnect_peer_id(peer);
    }
    let closed = async {
        while swarm.connected_peers().next().is_some() {
            swarm.select_next_some().await;
        }
    };
    let _ = timeout(Duration::from_secs(2), closed).await;
}
