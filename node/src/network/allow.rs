//! Who may enter: the live list of nodes, and the gate that holds it against every connection.
//!
//! A node's name is the key that its TLS certificate proves, so the list is checked right after the handshake and before any protocol
//! is negotiated: whoever is not on it sees a closed connection, or the [`door`](super::door) of the room from outside, and nothing else. The list
//! is peers and fellow members together; who they are is decided elsewhere.

use std::{
    collections::HashSet,
    convert::Infallible,
    sync::Arc,
    task::{Context, Poll},
};

use libp2p::{
    Multiaddr, PeerId,
    core::{Endpoint, transport::PortUse},
    multiaddr::Protocol,
    swarm::{
        ConnectionDenied, ConnectionId, FromSwarm, NetworkBehaviour, THandler, THandlerInEvent,
        THandlerOutEvent, ToSwarm, dummy,
    },
};
use maillon_protocol::ids::NodeId;
use tokio::sync::watch;

use super::relay::relay_in;

/// The PeerId of a node.
pub fn peer_id(node: &NodeId) -> PeerId {
    PeerId::from_bytes(&node.peer_id_bytes())
        .expect("a NodeId's peer id bytes are a well-formed identity multihash")
}

/// The node of a PeerId, where that is an Ed25519 one.
pub fn node_id(peer: &PeerId) -> Option<NodeId> {
    NodeId::from_peer_id_bytes(&peer.to_bytes()).ok()
}

/// The nodes that may connect and be dialled. Clones share one list; a change acts at once on connections that exist.
#[derive(Debug, Clone)]
pub struct AllowList(Arc<watch::Sender<HashSet<NodeId>>>);

impl AllowList {
    /// A list of these nodes.
    pub fn new(nodes: impl IntoIterator<Item = NodeId>) -> Self {
        Self(Arc::new(watch::Sender::new(nodes.into_iter().collect())))
    }

    /// Puts another set in the list's place.
    pub fn replace(&self, nodes: impl IntoIterator<Item = NodeId>) {
        let nodes: HashSet<NodeId> = nodes.into_iter().collect();
        self.0.send_if_modified(|set| {
            let differs = *set != nodes;
            *set = nodes;
            differs
        });
    }

    /// Adds a node.
    pub fn allow(&self, node: NodeId) {
        self.0.send_if_modified(|set| set.insert(node));
    }

    /// Takes a node off: its connections are closed at once.
    pub fn remove(&self, node: &NodeId) {
        self.0.send_if_modified(|set| set.remove(node));
    }

    /// How many are on it.
    pub fn len(&self) -> usize {
        self.0.borrow().len()
    }

    /// Whether nobody is on it.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// Whether a node is on the list.
    pub fn contains(&self, node: &NodeId) -> bool {
        self.0.borrow().contains(node)
    }

    /// Whether the node behind a PeerId is on the list.
    pub(super) fn admits(&self, peer: &PeerId) -> bool {
        node_id(peer).is_some_and(|node| self.contains(&node))
    }

    pub(super) fn changes(&self) -> watch::Receiver<HashSet<NodeId>> {
        self.0.subscribe()
    }
}

/// Why the gate denied a connection.
#[derive(Debug, Clone, Copy, thiserror::Error)]
#[error("this node is not on the list")]
pub(super) struct Stranger;

/// The behaviour that asks the list. It stands first among the behaviours: no other one hears of a stranger.
pub(super) struct Gate {
    list: AllowList,
}

impl Gate {
    pub(super) fn new(list: AllowList) -> Self {
        Self { list }
    }

    pub(super) fn admits(&self, peer: &PeerId) -> bool {
        self.list.admits(peer)
    }

    fn check(&self, peer: &PeerId) -> Result<(), ConnectionDenied> {
        match self.admits(peer) {
            true => Ok(()),
            false => Err(ConnectionDenied::new(Stranger)),
        }
    }
}

impl NetworkBehaviour for Gate {
    type ConnectionHandler = dummy::ConnectionHandler;
    type ToSwarm = Infallible;

    /// Through a relay comes who the relay says, before any handshake: a stranger costs none then. Who it is, is proved afterwards.
    fn handle_pending_inbound_connection(
        &mut self,
        _: ConnectionId,
        local: &Multiaddr,
        remote: &Multiaddr,
    ) -> Result<(), ConnectionDenied> {
        if relay_in(local).is_none() {
            return Ok(());
        }
        match remote.iter().last() {
            Some(Protocol::P2p(said)) => self.check(&said),
            _ => Err(ConnectionDenied::new(Stranger)),
        }
    }

    fn handle_established_inbound_connection(
        &mut self,
        _: ConnectionId,
        peer: PeerId,
        _: &Multiaddr,
        _: &Multiaddr,
    ) -> Result<THandler<Self>, ConnectionDenied> {
        self.check(&peer)?;
        Ok(dummy::ConnectionHandler)
    }

    fn handle_pending_outbound_connection(
        &mut self,
        _: ConnectionId,
        peer: Option<PeerId>,
        _: &[Multiaddr],
        _: Endpoint,
    ) -> Result<Vec<Multiaddr>, ConnectionDenied> {
        // A dial that names nobody could reach anybody: there is no such dial here.
        self.check(&peer.ok_or_else(|| ConnectionDenied::new(Stranger))?)?;
        Ok(Vec::new())
    }

    fn handle_established_outbound_connection(
        &mut self,
        _: ConnectionId,
        peer: PeerId,
        _: &Multiaddr,
        _: Endpoint,
        _: PortUse,
    ) -> Result<THandler<Self>, ConnectionDenied> {
        self.check(&peer)?;
        Ok(dummy::ConnectionHandler)
    }

    fn on_swarm_event(&mut self, _: FromSwarm) {}

    fn on_connection_handler_event(
        &mut self,
        _: PeerId,
        _: ConnectionId,
        event: THandlerOutEvent<Self>,
    ) {
        match event {}
    }

    fn poll(&mut self, _: &mut Context<'_>) -> Poll<ToSwarm<Infallible, THandlerInEvent<Self>>> {
        Poll::Pending
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_node_and_its_peer_id_are_one_name() {
        let key = libp2p::identity::Keypair::generate_ed25519();
        let peer = key.public().to_peer_id();
        let node = node_id(&peer).expect("an Ed25519 key");
        assert_eq!(peer_id(&node), peer);
        assert_eq!(node.to_string(), peer.to_string());
    }

    #[test]
    fn only_a_real_change_of_the_list_is_announced() {
        let (a, b) = (NodeId([1; 32]), NodeId([2; 32]));
        let list = AllowList::new([a]);
        let mut changes = list.changes();
        list.replace([a]);
        list.allow(a);
        list.remove(&b);
        assert!(!changes.has_changed().expect("the list lives"));
        list.replace([b]);
        assert!(changes.has_changed().expect("the list lives"));
        changes.mark_unchanged();
        assert!(list.contains(&b) && !list.contains(&a));
    }
}
