//! The room's loop: commands, changes of the list, the swarm's events, links that end, and the next attempt to dial, one at a time.
//!
//! Local work comes first: a command or a change of the list is never behind what the network sends. What the room has to say waits in
//! a bounded outbox; while that is full the swarm rests, and commands are still obeyed.

use std::{
    collections::{HashMap, HashSet, VecDeque},
    sync::Arc,
    time::{Duration, Instant},
};

use futures::StreamExt;
use libp2p::{
    Swarm,
    swarm::{ConnectionId, SwarmEvent},
};
use maillon_protocol::ids::NodeId;
use tokio::{
    sync::{mpsc, oneshot, watch},
    task::{JoinError, JoinSet},
    time::{sleep_until, timeout},
};

use super::{
    Command, NetworkConfig, NetworkEvent,
    allow::{AllowList, node_id},
    dial::{Backoff, Waits},
    link::{self, LinkEnd},
    meter::Meters,
    peers::{Active, Kept, Peer},
    present::Guests,
    relay::{self, Held, RelayProtocols, RelayProtocolsEvent},
    status::NetworkStatus,
    swarm::{Protocols, ProtocolsEvent},
    transport::is_direct,
};

/// Events that wait for the consumer before the swarm rests.
const OUTBOX: usize = 256;
/// How long a room that stops lets its links write what is queued, and then its connections say goodbye.
const GOODBYE: Duration = Duration::from_secs(2);

/// What the loop does next.
#[expect(
    clippy::large_enum_variant,
    reason = "one at a time lives, on the loop's own stack"
)]
enum Turn {
    Command(Option<Command>),
    List,
    Link(Result<(NodeId, u64, LinkEnd), JoinError>),
    Guest(Result<ConnectionId, JoinError>),
    Relays(SwarmEvent<RelayProtocolsEvent>),
    Swarm(SwarmEvent<ProtocolsEvent>),
}

/// The room, run by one task.
pub(super) struct Room {
    pub(super) swarm: Swarm<Protocols>,
    /// Where relays are used: the swarm that reaches them. Nothing but this loop runs the two, and they end together.
    pub(super) relays: Option<Swarm<RelayProtocols>>,
    pub(super) held: Vec<Held>,
    pub(super) config: NetworkConfig,
    pub(super) me: NodeId,
    pub(super) list: AllowList,
    pub(super) peers: HashMap<NodeId, Peer>,
    pub(super) strangers: u64,
    pub(super) limited: u64,
    pub(super) guests: Guests,
    meters: Arc<Meters>,
    changes: watch::Receiver<HashSet<NodeId>>,
    commands: mpsc::Receiver<Command>,
    pub(super) events: mpsc::Sender<NetworkEvent>,
    outbox: VecDeque<NetworkEvent>,
    links: JoinSet<(NodeId, u64, LinkEnd)>,
    last_link: u64,
}

impl Room {
    pub(super) fn new(
        swarm: Swarm<Protocols>,
        relays: Option<Swarm<RelayProtocols>>,
        config: NetworkConfig,
        list: AllowList,
        meters: Arc<Meters>,
        commands: mpsc::Receiver<Command>,
        events: mpsc::Sender<NetworkEvent>,
    ) -> Option<Self> {
        let now = Instant::now();
        let held = config.relays.iter();
        Some(Self {
            relays,
            held: held
                .map(|relay| Held::new(relay.clone(), &config, now))
                .collect(),
            me: node_id(swarm.local_peer_id())?,
            changes: list.changes(),
            swarm,
            config,
            list,
            peers: HashMap::new(),
            strangers: 0,
            limited: 0,
            guests: Guests::default(),
            meters,
            commands,
            events,
            outbox: VecDeque::new(),
            links: JoinSet::new(),
            last_link: 0,
        })
    }

    /// Runs until the last handle is gone or one says stop.
    pub(super) async fn run(mut self) {
        let stopped = loop {
            let now = Instant::now();
            let wake = [
                self.dial_what_is_due(now),
                self.ask_relays_where_due(now),
                self.reserve_what_is_due(now),
                self.close_spares(now),
                self.show_out(now),
            ];
            let wake = wake.into_iter().flatten().min();
            let far = now + self.config.cap;
            let turn = tokio::select! {
                biased;
                command = self.commands.recv() => Turn::Command(command),
                Ok(()) = self.changes.changed() => Turn::List,
                Some(ended) = self.links.join_next() => Turn::Link(ended),
                Some(said) = self.guests.next() => Turn::Guest(said),
                place = self.events.reserve(), if !self.outbox.is_empty() => {
                    match (place, self.outbox.pop_front()) {
                        (Ok(place), Some(event)) => place.send(event),
                        // Nobody listens any more.
                        _ => self.outbox.clear(),
                    }
                    continue;
                }
                // Few of them, and the other swarm's circuits wait for this one.
                event = relay::next(&mut self.relays), if self.outbox.len() < OUTBOX => {
                    Turn::Relays(event)
                }
                event = self.swarm.select_next_some(), if self.outbox.len() < OUTBOX => {
                    Turn::Swarm(event)
                }
                () = sleep_until(wake.unwrap_or(far).into()) => continue,
            };
            let now = Instant::now();
            match turn {
                Turn::Command(None) => break None,
                Turn::Command(Some(Command::Shutdown(done))) => break Some(done),
                Turn::Command(Some(command)) => self.obey(command, now),
                Turn::List => self.hold_the_list(now),
                Turn::Link(Ok((node, number, end))) => self.link_ended(node, number, end, now),
                Turn::Link(Err(error)) => tracing::error!(%error, "a link's task failed"),
                Turn::Guest(Ok(connection)) => {
                    if self.guests.done(connection) {
                        self.swarm.close_connection(connection);
                    }
                }
                Turn::Guest(Err(error)) => tracing::error!(%error, "reading of a guest failed"),
                Turn::Relays(event) => self.on_relays(event, now),
                Turn::Swarm(event) => self.on_swarm(event, now),
            }
        };
        self.leave().await;
        if let Some(done) = stopped {
            let _ = done.send(());
        }
    }

    pub(super) fn say(&mut self, event: NetworkEvent) {
        // Counts follow each other: only the newest matters.
        if let (NetworkEvent::StrangerRefused { .. }, Some(NetworkEvent::StrangerRefused { .. })) =
            (&event, self.outbox.back())
        {
            self.outbox.pop_back();
        }
        self.outbox.push_back(event);
    }

    pub(super) fn peer(&mut self, node: NodeId) -> &mut Peer {
        let meters = &self.meters;
        self.peers
            .entry(node)
            .or_insert_with(|| Peer::new(meters.of(node)))
    }

    fn obey(&mut self, command: Command, now: Instant) {
        match command {
            Command::Keep(node, ways) => {
                let waits = Waits {
                    first: self.config.first_wait,
                    cap: self.config.cap,
                    urgent_cap: self.config.urgent_cap,
                };
                let direct_waits = self.direct_waits();
                let peer = self.peer(node);
                match &mut peer.kept {
                    Some(kept) if kept.ways == ways => {}
                    Some(kept) => {
                        kept.ways = ways;
                        kept.retry(now);
                    }
                    None => {
                        let mut backoff = Backoff::new(waits, now);
                        backoff.set_urgent(peer.urgent, now);
                        if !peer.connections.is_empty() {
                            backoff.connected(now);
                        }
                        peer.kept = Some(Kept {
                            ways,
                            backoff,
                            again: None,
                        });
                    }
                }
                peer.look_for_direct(direct_waits, now);
            }
            Command::Forget(node) => {
                if let Some(peer) = self.peers.get_mut(&node) {
                    peer.kept = None;
                    peer.relays_at = None;
                    peer.urgent = false;
                }
                self.drop_unlisted();
            }
            Command::Retry(node) => {
                if let Some(kept) = self.peers.get_mut(&node).and_then(|p| p.kept.as_mut()) {
                    kept.retry(now);
                }
            }
            Command::Urgent(node, urgent) => {
                if let Some(peer) = self.peers.get_mut(&node) {
                    peer.urgent = urgent;
                    if let Some(kept) = &mut peer.kept {
                        kept.backoff.set_urgent(urgent, now);
                    }
                }
            }
            Command::Status(reply) => {
                let _ = reply.send(self.status(now));
            }
            Command::Shutdown(done) => drop(done),
        }
    }

    fn status(&self, now: Instant) -> NetworkStatus {
        let mut nodes: Vec<_> = self
            .peers
            .iter()
            .map(|(node, peer)| peer.status(*node, self.list.contains(node), now))
            .collect();
        nodes.sort_by_key(|status| status.node);
        NetworkStatus {
            listening: self
                .swarm
                .listeners()
                .filter(|address| is_direct(address))
                .cloned()
                .collect(),
            relays: self.held.iter().map(|held| held.status(now)).collect(),
            connections: self.peers.values().map(|peer| peer.connections.len()).sum(),
            strangers_refused: self.strangers,
            limited: self.limited,
            strangers_traffic: self.meters.of_strangers().read(),
            nodes,
        }
    }

    /// Closes the connections that were held in reserve and are not needed, and says when the next one is.
    fn close_spares(&mut self, now: Instant) -> Option<Instant> {
        let mut next = None;
        let mut over = Vec::new();
        for (node, peer) in self.peers.iter().filter(|(_, p)| p.connections.len() > 1) {
            let (spares, then) = peer.spares(now);
            over.extend(spares.into_iter().map(|id| (*node, id)));
            next = [next, then].into_iter().flatten().min();
        }
        for (node, id) in over {
            self.close(node, id);
        }
        next
    }

    /// Closes what the list no longer admits.
    fn hold_the_list(&mut self, now: Instant) {
        self.changes.mark_unchanged();
        let refused: Vec<_> = self
            .swarm
            .connected_peers()
            .filter(|peer| !self.list.admits(peer))
            .copied()
            .collect();
        for peer in refused {
            if let Some(node) = node_id(&peer) {
                self.end_link(node, LinkEnd::NotAllowed, now);
                for connection in &mut self.peer(node).connections {
                    connection.closing = true;
                }
            }
            // An error says that the last connection has just gone.
            let _ = self.swarm.disconnect_peer_id(peer);
        }
        self.drop_unlisted();
    }

    /// Forgets nodes that are neither on the list, nor kept, nor connected.
    pub(super) fn drop_unlisted(&mut self) {
        let (list, meters) = (&self.list, &self.meters);
        self.peers.retain(|node, peer| {
            let stays = list.contains(node) || !peer.is_idle();
            if !stays {
                meters.forget(node);
            }
            stays
        });
    }

    /// Makes a link of a stream; one that stood is replaced.
    pub(super) fn start_link(
        &mut self,
        node: NodeId,
        stream: libp2p::Stream,
        connection: ConnectionId,
        now: Instant,
    ) {
        self.end_link(node, LinkEnd::Replaced, now);
        self.last_link += 1;
        let number = self.last_link;
        let (link, running, task) = link::run(stream, node, number, &self.config);
        self.links.spawn(async move { (node, number, task.await) });
        self.peer(node).met = true;
        self.peer(node).link = Some(Active {
            running,
            connection,
        });
        tracing::info!(node = %node.short(), number, "link up");
        self.say(NetworkEvent::LinkUp { node, link });
    }

    /// Ends a link from here.
    pub(super) fn end_link(&mut self, node: NodeId, end: LinkEnd, now: Instant) {
        let Some(peer) = self.peers.get_mut(&node) else {
            return;
        };
        // One that was ending says so before anything else is said of this node.
        let before = peer
            .ending
            .take()
            .map(|before| (before, LinkEnd::ConnectionClosed));
        let active = peer.take_link().map(|active| (active.running, end));
        for (mut running, end) in before.into_iter().chain(active) {
            let end = running.stop(end);
            self.peer(node).trouble(end, now);
            self.link_down(node, running.number, end);
        }
    }

    /// The connection of a link is gone. Why, the link says when it has looked at all that had arrived.
    pub(super) fn link_cut(&mut self, node: NodeId) {
        if let Some(mut active) = self.peer(node).take_link() {
            active.running.stop(LinkEnd::ConnectionClosed);
            self.peer(node).ending = Some(active.running);
        }
    }

    /// A link ended by itself. Its connection goes with it: a link is never repaired.
    fn link_ended(&mut self, node: NodeId, number: u64, end: LinkEnd, now: Instant) {
        let Some(peer) = self.peers.get_mut(&node) else {
            return;
        };
        if peer
            .ending
            .take_if(|ending| ending.number == number)
            .is_some()
        {
            peer.trouble(end, now);
            self.link_down(node, number, end);
            return self.drop_unlisted();
        }
        if peer.link.as_ref().map(|active| active.running.number) != Some(number) {
            return;
        }
        let connection = peer.take_link().map(|active| active.connection);
        peer.trouble(end, now);
        self.link_down(node, number, end);
        if let Some(connection) = connection {
            self.close(node, connection);
        }
    }

    fn link_down(&mut self, node: NodeId, number: u64, reason: LinkEnd) {
        tracing::info!(node = %node.short(), number, %reason, "link down");
        self.say(NetworkEvent::LinkDown { node, reason });
    }

    pub(super) fn close(&mut self, node: NodeId, id: ConnectionId) {
        let peer = self.peer(node);
        if let Some(connection) = peer.connections.iter_mut().find(|c| c.id == id) {
            connection.closing = true;
        }
        self.swarm.close_connection(id);
    }

    /// Lets links write what is queued, tells every node goodbye, and goes.
    async fn leave(mut self) {
        for peer in self.peers.values() {
            if let Some(active) = &peer.link {
                active.running.drain();
            }
        }
        let written = async {
            loop {
                tokio::select! {
                    ended = self.links.join_next() => match ended {
                        Some(_) => {}
                        None => break,
                    },
                    _ = relay::next(&mut self.relays) => {}
                    _ = self.swarm.select_next_some() => {}
                }
            }
        };
        let _ = timeout(GOODBYE, written).await;
        self.links.shutdown().await;
        let connected: Vec<_> = self.swarm.connected_peers().copied().collect();
        for peer in connected {
            let _ = self.swarm.disconnect_peer_id(peer);
        }
        let closed = async {
            while self.swarm.connected_peers().next().is_some() {
                tokio::select! {
                    _ = relay::next(&mut self.relays) => {}
                    _ = self.swarm.select_next_some() => {}
                }
            }
        };
        let _ = timeout(GOODBYE, closed).await;
    }
}

/// A random number from 0 to 1. Without randomness from the system there is no jitter, which harms little.
pub(super) fn jitter() -> f64 {
    f64::from(getrandom::u32().unwrap_or(0)) / f64::from(u32::MAX)
}

/// What a command's answer is sent through.
pub(super) type Reply<T> = oneshot::Sender<T>;
