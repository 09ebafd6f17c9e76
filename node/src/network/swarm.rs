//! What is spoken in the room: the behaviours of the main swarm, and their limits.

use std::{num::NonZeroU8, sync::Arc};

use libp2p::{
    StreamProtocol, Swarm, connection_limits, identify,
    identity::Keypair,
    memory_connection_limits, ping, relay,
    swarm::{Config as SwarmConfig, NetworkBehaviour},
};

use super::{
    NetworkConfig, NetworkError, SYNC_PROTOCOL,
    allow::{AllowList, Gate},
    door::Door,
    meter::Meters,
    present::PRESENT_PROTOCOL,
    streams::Streams,
    transport::{self, ADDRESSES, Bounds},
};

/// The version of the family of protocols, which `identify` says. It says nothing of the machine or of the program's build.
const FAMILY: &str = "/maillon/1";
/// Connections between the same two nodes: one that is used, and one that takes its place or is being closed, each by a direct way and
/// through a relay.
const CONNECTIONS_A_NODE: u32 = 4;
/// Streams of one connection that may be in negotiation.
const NEGOTIATING: usize = 8;

/// The behaviours: the door, and what is inside.
#[derive(NetworkBehaviour)]
pub(super) struct Protocols {
    pub(super) door: Door<Inside>,
}

/// What is spoken with nodes of the list, and how many connections there may be.
#[derive(NetworkBehaviour)]
pub(super) struct Inside {
    pub(super) limits: connection_limits::Behaviour,
    pub(super) memory: memory_connection_limits::Behaviour,
    pub(super) identify: identify::Behaviour,
    pub(super) ping: ping::Behaviour,
    pub(super) sync: Streams,
    /// This node presents itself where it is a stranger; nobody on the list does so here.
    pub(super) present: Streams,
}

/// Makes the swarm.
pub(super) fn build(
    config: &NetworkConfig,
    identity: &Keypair,
    circuits: Option<relay::client::Transport>,
    list: &AllowList,
    meters: &Arc<Meters>,
) -> Result<Swarm<Protocols>, NetworkError> {
    let bounds = Bounds {
        handshake: config.dial_timeout,
        streams: config.streams,
        window: transport::WINDOW,
    };
    let transport = transport::build(identity, bounds)?;
    let transport = match circuits {
        Some(circuits) => transport::with_circuits(transport, circuits, identity, bounds)?,
        None => transport,
    };
    let transport = transport::metered(transport, Arc::clone(meters), list.clone());

    let limits = connection_limits::ConnectionLimits::default()
        .with_max_pending_incoming(Some(config.pending))
        // A direct attempt may still be under way when the relay is asked.
        .with_max_pending_outgoing(Some(config.dials.saturating_mul(2)))
        .with_max_established(Some(config.connections))
        .with_max_established_per_peer(Some(CONNECTIONS_A_NODE));
    // Addresses travel in signed descriptors: identify neither tells them nor learns them.
    let identify = identify::Config::new(FAMILY.to_owned(), identity.public())
        .with_agent_version(FAMILY.to_owned())
        .with_hide_listen_addrs(true)
        .with_cache_size(0);
    let ping = ping::Config::new()
        .with_interval(config.ping_every)
        .with_timeout(config.ping_every / 2);
    let inside = Inside {
        limits: connection_limits::Behaviour::new(limits),
        memory: memory_connection_limits::Behaviour::with_max_bytes(config.memory),
        identify: identify::Behaviour::new(identify),
        ping: ping::Behaviour::new(ping),
        sync: Streams::new(StreamProtocol::new(SYNC_PROTOCOL), true),
        present: Streams::new(StreamProtocol::new(PRESENT_PROTOCOL), false),
    };
    let protocols = Protocols {
        door: Door::new(Gate::new(list.clone()), inside),
    };
    let side_by_side = NonZeroU8::new(ADDRESSES as u8).unwrap_or(NonZeroU8::MAX);
    let swarm = SwarmConfig::with_tokio_executor()
        .with_dial_concurrency_factor(side_by_side)
        .with_max_negotiating_inbound_streams(NEGOTIATING)
        .with_idle_connection_timeout(config.idle);
    let me = identity.public().to_peer_id();
    Ok(Swarm::new(transport, protocols, me, swarm))
}
