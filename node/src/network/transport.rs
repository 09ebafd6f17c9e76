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
    quic, tcp, tls, yamux,
};

use super::{NetworkError, allow::AllowList, allow::node_id, meter::Metered, meter::Meters};

/// The environment variable in which TLS libraries read where to write their session keys.
const KEY_LOG: &str = "SSLKEYLOGFILE";
/// Bytes of one stream that may be under way, and of all streams of a connection: enough for 100 Mbit/s at 150 ms.
const STREAM_WINDOW: u32 = 2 << 20;
const CONNECTION_WINDOW: u32 = 4 << 20;
/// A QUIC connection without a packet for this long is dead; keep-alives go three times as often.
const SILENCE: Duration = Duration::from_secs(15);

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
}

/// Both transports as one.
pub(super) fn build(
    identity: &Keypair,
    bounds: Bounds,
) -> Result<Boxed<(PeerId, StreamMuxerBox)>, NetworkError> {
    let mut quic = quic::Config::new(identity);
    quic.handshake_timeout = bounds.handshake;
    quic.max_idle_timeout = SILENCE.as_millis().try_into().unwrap_or(u32::MAX);
    quic.keep_alive_interval = SILENCE / 3;
    quic.max_concurrent_stream_limit = bounds.streams;
    quic.max_stream_data = STREAM_WINDOW;
    quic.max_connection_data = CONNECTION_WINDOW;
    let quic = quic::tokio::Transport::new(quic).map_err(|error| match error {
        quic::Error::HandshakeTimedOut => io::ErrorKind::TimedOut.into(),
        quic::Error::Io(error) => error,
        other => io::Error::other(other),
    });

    let tls = tls::Config::new(identity).map_err(|_| NetworkError::Certificate)?;
    let mut yamux = yamux::Config::default();
    yamux.set_max_num_streams(bounds.streams as usize);
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

/// Brings a node's addresses into the form that is dialled: a number or a name, then QUIC or TCP, without the node's name. Others, and
/// those that name another node, are left out; at most [`ADDRESSES`] stay.
pub(super) fn usable(addresses: &[Multiaddr], peer: &PeerId) -> Vec<Multiaddr> {
    let mut usable: Vec<Multiaddr> = Vec::new();
    for address in addresses {
        let mut parts: Vec<Protocol<'_>> = address.iter().collect();
        if let Some(Protocol::P2p(named)) = parts.last() {
            if named != peer {
                continue;
            }
            parts.pop();
        }
        let reachable = matches!(
            parts.as_slice(),
            [
                Protocol::Ip4(_)
                    | Protocol::Ip6(_)
                    | Protocol::Dns(_)
                    | Protocol::Dns4(_)
                    | Protocol::Dns6(_),
                ..
            ]
        ) && matches!(
            parts.get(1..),
            Some([Protocol::Udp(1..), Protocol::QuicV1] | [Protocol::Tcp(1..)])
        );
        let address: Multiaddr = parts.into_iter().collect();
        if reachable && usable.len() < ADDRESSES && !usable.contains(&address) {
            usable.push(address);
        }
    }
    usable
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
            read("/dnsaddr/example.org"),
            read("/memory/7"),
        ];
        assert_eq!(usable(&all, &peer), good.map(read));
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
