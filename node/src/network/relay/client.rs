//! The swarm that reaches the relays which this node uses: it dials them, speaks libp2p's relay protocol and pings, and listens nowhere.
//!
//! libp2p's relay client has two halves. This swarm has the half that talks to relays; the other half is a transport that hands finished
//! circuits out, and stands in the room's swarm beside QUIC and TCP. They are two ends of a channel, and each takes the other for
//! immortal: the room's task runs both swarms, and they end together.

use std::io;

use libp2p::{
    Swarm,
    identity::Keypair,
    ping, relay,
    relay::{
        client::transport::Error,
        outbound::hop::{ConnectError, ReserveError},
    },
    swarm::{Config as SwarmConfig, NetworkBehaviour},
};

use super::{NamedRelay, RelayTrouble, STREAMS, WINDOW};
use crate::network::{
    AllowList, DialTrouble, NetworkConfig, NetworkError,
    allow::Gate,
    transport::{self, Bounds},
};

/// The behaviours. The gate admits the named relays.
#[derive(NetworkBehaviour)]
pub(in crate::network) struct RelayProtocols {
    pub(in crate::network) gate: Gate,
    pub(in crate::network) ping: ping::Behaviour,
    pub(in crate::network) relay: relay::client::Behaviour,
}

/// Makes the swarm, and the transport for the room.
pub(in crate::network) fn build(
    config: &NetworkConfig,
    identity: &Keypair,
) -> Result<(relay::client::Transport, Swarm<RelayProtocols>), NetworkError> {
    let me = identity.public().to_peer_id();
    let bounds = Bounds {
        handshake: config.dial_timeout,
        streams: STREAMS,
        window: WINDOW,
    };
    let (circuits, relay) = relay::client::new(me);
    let named = config.relays.iter().map(|relay: &NamedRelay| relay.node);
    let ping = ping::Config::new()
        .with_interval(config.ping_every)
        .with_timeout(config.ping_every / 2);
    let protocols = RelayProtocols {
        gate: Gate::new(AllowList::new(named)),
        ping: ping::Behaviour::new(ping),
        relay,
    };
    let swarm = SwarmConfig::with_tokio_executor().with_idle_connection_timeout(config.idle);
    let transport = transport::build(identity, bounds)?;
    Ok((circuits, Swarm::new(transport, protocols, me, swarm)))
}

/// An error of the room's half in our words, inside an error of the system as other transports have them.
pub(in crate::network) fn transport_error(error: Error) -> io::Error {
    match error {
        Error::Connect(error) => io::Error::other(match error {
            ConnectError::NoReservation => DialTrouble::NotAtRelay,
            ConnectError::ResourceLimitExceeded => DialTrouble::RelayFull,
            _ => DialTrouble::RelayFailed,
        }),
        Error::Reservation(error) => io::Error::other(match error {
            ReserveError::Refused => RelayTrouble::NotTaken,
            ReserveError::ResourceLimitExceeded => RelayTrouble::Full,
            ReserveError::Unsupported => RelayTrouble::NotARelay,
            // The connection broke under the request.
            ReserveError::Io(_) => RelayTrouble::Ended,
            _ => RelayTrouble::Broken,
        }),
        // The connection to the relay ended before it answered.
        Error::ResponseFromBehaviourCanceled(_) => io::Error::other(DialTrouble::RelayFailed),
        error => io::Error::other(error),
    }
}
