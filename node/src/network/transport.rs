//! The ways to another node: QUIC, and TCP with TLS 1.3 and Yamux, both with names looked up.
//!
//! Both handshakes come from one TLS configuration that offers X25519MLKEM768 first; there is no Noise, so no connection of this node can
//! be read later from a recording. The other node's key is proved by its certificate, and every dial names the key that it expects.

use std::{io, sync::Arc, time::Duration};

use futures::future::Either;
use libp2p::{
    Multiaddr, PeerId, Transport,
    core::{
        muxing::StreamMuxerBox,
        transport::{Boxed, dummy::DummyTransport, timeout::TransportTimeoutError},
        upgrade::Version,
    },
    dns::{self, ResolverConfig, ResolverOpts},
    identity::Keypair,
    multiaddr::Protocol,
    quic, relay, tcp, tls, yamux,
};
use maillon_protocol::ids::NodeId;

use super::{
    NetworkError, allow::AllowList, allow::node_id, meter::Metered, meter::Meters, relay::relay_in,
};

/// The environment variable in which TLS libraries read where to write their session keys.
const KEY_LOG: &str = "SSLKEYLOGFILE";
/// A QUIC connection without a packet for this long is dead.
const SILENCE: Duration = Duration::from_secs(15);
/// Where nothing else was sent for this long, a keep-alive is. Pings mostly are: with both every five and ten seconds a peer with whom there
/// is nothing to say cost 2.9 KiB a minute.
const KEEP_ALIVE: Duration = Duration::from_secs(10);

/// Refuses to go on where the environment asks the TLS library to write its session keys to a file: with them, a recorded trace could be
/// read. Called by the daemon before anything else, and by [`super::Network::start`].
///
/// # Errors
/// [`NetworkError::KeyLog`] where `SSLKEYLOGFILE` is set, whatever its value.
pub fn refuse_key_log() -> Result<(), NetworkError> {
    match std::env::var_os(KEY_LOG) {
        Some(_) => Err(NetworkError::KeyLog),
        None => Ok(()),
    }
}

/// Addresses of one node that are dialled side by side.
pub(super) const ADDRESSES: usize = 16;

/// The bounds of a transport.
#[derive(Debug, Clone, Copy)]
pub(super) struct Bounds {
    /// Longest handshake.
    pub(super) handshake: Duration,
    /// Streams of a connection.
    pub(super) streams: u32,
    /// Bytes under way in QUIC.
    pub(super) window: Window,
}

/// Bytes that may be under way in a QUIC connection.
#[derive(Debug, Clone, Copy)]
pub(super) struct Window {
    /// Of one stream.
    pub(super) stream: u32,
    /// Of all streams together.
    pub(super) connection: u32,
}

/// Enough for 100 Mbit/s at 150 ms.
pub(super) const WINDOW: Window = Window {
    stream: 2 << 20,
    connection: 4 << 20,
};

/// QUIC and TCP as one transport.
pub(super) fn build(
    identity: &Keypair,
    bounds: Bounds,
) -> Result<Boxed<(PeerId, StreamMuxerBox)>, NetworkError> {
    let mut quic = quic::Config::new(identity);
    quic.handshake_timeout = bounds.handshake;
    quic.max_idle_timeout = SILENCE.as_millis().try_into().unwrap_or(u32::MAX);
    quic.keep_alive_interval = KEEP_ALIVE;
    quic.max_concurrent_stream_limit = bounds.streams;
    quic.max_stream_data = bounds.window.stream;
    quic.max_connection_data = bounds.window.connection;
    let quic = quic::tokio::Transport::new(quic).map_err(|error| match error {
        quic::Error::HandshakeTimedOut => io::ErrorKind::TimedOut.into(),
        quic::Error::Io(error) => error,
        other => io::Error::other(other),
    });

    let (tls, yamux) = upgrades(identity, bounds)?;
    let tcp = tcp::tokio::Transport::new(tcp::Config::default().nodelay(true))
        .upgrade(Version::V1Lazy)
        .authenticate(tls)
        .multiplex(yamux)
        .timeout(bounds.handshake)
        .map_err(|error| match error {
            TransportTimeoutError::Timeout => io::ErrorKind::TimedOut.into(),
            TransportTimeoutError::TimerError(error) => error,
            // Of the two upgrades on top of TCP it matters only that they failed.
            TransportTimeoutError::Other(error) => match error.left().and_then(|e| e.left()) {
                Some(error) => error,
                None => io::ErrorKind::InvalidData.into(),
            },
        });

    let both = quic
        .or_transport(tcp)
        .map(|either, _| match either {
            Either::Left((peer, muxer)) => (peer, StreamMuxerBox::new(muxer)),
            Either::Right((peer, muxer)) => (peer, StreamMuxerBox::new(muxer)),
        })
        .map_err(|either| either.into_inner());
    named(both.boxed())
}

/// What is put on top of a stream of bytes, of TCP or through a relay.
fn upgrades(
    identity: &Keypair,
    bounds: Bounds,
) -> Result<(tls::Config, yamux::Config), NetworkError> {
    let tls = tls::Config::new(identity).map_err(|_| NetworkError::Certificate)?;
    let mut yamux = yamux::Config::default();
    yamux.set_max_num_streams(bounds.streams as usize);
    Ok((tls, yamux))
}

/// The direct ways, and circuits through relays beside them. A circuit carries what TCP carries: the relay sees no more of it than whoever
/// stands at a wire.
pub(super) fn with_circuits(
    direct: Boxed<(PeerId, StreamMuxerBox)>,
    circuits: relay::client::Transport,
    identity: &Keypair,
    bounds: Bounds,
) -> Result<Boxed<(PeerId, StreamMuxerBox)>, NetworkError> {
    let (tls, yamux) = upgrades(identity, bounds)?;
    let circuits = circuits
        .upgrade(Version::V1Lazy)
        .authenticate(tls)
        .multiplex(yamux)
        .timeout(bounds.handshake)
        .map_err(|error| match error {
            TransportTimeoutError::Timeout => io::ErrorKind::TimedOut.into(),
            TransportTimeoutError::TimerError(error) => error,
            TransportTimeoutError::Other(error) => match error.left().and_then(|e| e.left()) {
                Some(error) => super::relay::transport_error(error),
                None => io::ErrorKind::InvalidData.into(),
            },
        });
    let all = circuits
        .or_transport(direct)
        .map(|either, _| match either {
            Either::Left((peer, muxer)) => (peer, StreamMuxerBox::new(muxer)),
            Either::Right(direct) => direct,
        })
        .map_err(|either| either.into_inner());
    Ok(all.boxed())
}

/// Adds the look-up of names. A machine whose resolver cannot be read (no `/etc/resolv.conf`) still reaches nodes by number, and names
/// in its hosts file; it asks no server that nobody configured.
fn named(
    inner: Boxed<(PeerId, StreamMuxerBox)>,
) -> Result<Boxed<(PeerId, StreamMuxerBox)>, NetworkError> {
    // Reading consumes the transport even when it fails, so it is tried on an empty one first.
    if dns::tokio::Transport::system(DummyTransport::<()>::new()).is_ok() {
        let named = dns::tokio::Transport::system(inner).map_err(|_| NetworkError::Resolver)?;
        return Ok(named.boxed());
    }
    tracing::warn!("the system's name resolver cannot be read: nodes are reached by number only");
    let (servers, options) = (ResolverConfig::default(), ResolverOpts::default());
    Ok(dns::tokio::Transport::custom(inner, servers, options).boxed())
}

/// Counts what goes over each connection.
pub(super) fn metered(
    transport: Boxed<(PeerId, StreamMuxerBox)>,
    meters: Arc<Meters>,
    list: AllowList,
) -> Boxed<(PeerId, StreamMuxerBox)> {
    transport
        .map(move |(peer, muxer), _| {
            let meter = match node_id(&peer).filter(|node| list.contains(node)) {
                Some(node) => meters.of(node),
                None => meters.of_strangers(),
            };
            (peer, StreamMuxerBox::new(Metered::new(muxer, meter)))
        })
        .boxed()
}

/// The ways to a node, as its addresses name them.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(super) struct Ways {
    /// Addresses that are dialled, without the node's name.
    pub(super) direct: Vec<Multiaddr>,
    /// Relays through which it is reached, by name only: where a relay is, its user's own administrator says.
    pub(super) relays: Vec<NodeId>,
}

impl Ways {
    pub(super) fn is_empty(&self) -> bool {
        self.direct.is_empty() && self.relays.is_empty()
    }
}

/// Whether an address is a number or a name, then QUIC or TCP, and nothing more.
pub(super) fn is_direct(address: &Multiaddr) -> bool {
    let parts: Vec<Protocol<'_>> = address.iter().collect();
    let host = matches!(
        parts.first(),
        Some(
            Protocol::Ip4(_)
                | Protocol::Ip6(_)
                | Protocol::Dns(_)
                | Protocol::Dns4(_)
                | Protocol::Dns6(_)
        )
    );
    let port = matches!(
        parts.get(1..),
        Some([Protocol::Udp(1..), Protocol::QuicV1] | [Protocol::Tcp(1..)])
    );
    host && port
}

/// Brings a node's addresses into the form in which they are used. Those of another form, and those that name another node, are left out;
/// at most [`ADDRESSES`] of each kind stay.
pub(super) fn usable(addresses: &[Multiaddr], peer: &PeerId) -> Ways {
    let mut ways = Ways::default();
    for address in addresses {
        let mut parts: Vec<Protocol<'_>> = address.iter().collect();
        if let Some(Protocol::P2p(named)) = parts.last() {
            if named != peer {
                continue;
            }
            parts.pop();
        }
        let through = matches!(parts.last(), Some(Protocol::P2pCircuit));
        let address: Multiaddr = parts.into_iter().collect();
        if is_direct(&address) {
            if ways.direct.len() < ADDRESSES && !ways.direct.contains(&address) {
                ways.direct.push(address);
            }
        } else if let Some(relay) = relay_in(&address).filter(|_| through)
            && ways.relays.len() < ADDRESSES
            && !ways.relays.contains(&relay)
        {
            ways.relays.push(relay);
        }
    }
    ways
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_addresses_that_the_transports_can_dial_stay() {
        let keys = Keypair::generate_ed25519();
        let peer = keys.public().to_peer_id();
        let other = Keypair::generate_ed25519().public().to_peer_id();
        let read = |text: &str| text.parse::<Multiaddr>().expect("a multiaddr");
        let good = [
            "/ip4/192.0.2.1/udp/4001/quic-v1",
            "/dns/dac.example.org/tcp/443",
        ];
        let all = [
            read(good[0]),
            read(good[0]),
            read(&format!("{}/p2p/{peer}", good[1])),
            read(&format!("/ip4/192.0.2.2/tcp/443/p2p/{other}")),
            read("/ip4/192.0.2.1/tcp/0"),
            read("/ip4/192.0.2.1/tcp/443/ws"),
            read(&format!("{}/p2p/{other}/p2p-circuit", good[1])),
            read(&format!("{}/p2p/{other}/p2p-circuit/p2p/{peer}", good[0])),
            read(&format!("{}/p2p/{peer}/p2p-circuit/p2p/{other}", good[0])),
            read("/dnsaddr/example.org"),
            read("/memory/7"),
        ];
        let ways = usable(&all, &peer);
        assert_eq!(ways.direct, good.map(read));
        let relay = node_id(&other).expect("an Ed25519 key");
        assert_eq!(
            ways.relays,
            [relay],
            "by name, whatever is said of where it is"
        );
    }

    #[test]
    fn both_transports_offer_the_hybrid_key_exchange_first_and_nothing_below_tls_1_3() {
        let config = tls::make_client_config(&Keypair::generate_ed25519(), None).expect("a key");
        let groups = &config.crypto_provider().kx_groups;
        assert_eq!(format!("{:?}", groups[0].name()), "X25519MLKEM768");
        for suite in &config.crypto_provider().cipher_suites {
            assert!(suite.tls13().is_some(), "{suite:?}");
        }
    }

    #[tokio::test]
    async fn a_machine_without_a_resolver_still_has_a_transport() {
        let resolver = (ResolverConfig::default(), ResolverOpts::default());
        let inner = DummyTransport::<()>::new();
        // Would panic if an empty list of servers were refused.
        let _ = dns::tokio::Transport::custom(inner, resolver.0, resolver.1);
    }
}
