//! Nodes on the loopback interface, for the network's tests.
#![allow(dead_code, unreachable_pub, reason = "each test program uses a part")]

use std::time::Duration;

use libp2p::{Multiaddr, identity::Keypair};
use maillon_node::network::{
    AllowList, Link, Network, NetworkConfig, NetworkEvent, NetworkHandle, NodeStatus, identity,
    node_id,
};
use maillon_protocol::ids::NodeId;
use tokio::{sync::mpsc, time::timeout};

/// Longest wait for anything: far beyond what a loaded machine needs, and never slept through.
pub const PATIENCE: Duration = Duration::from_secs(60);
pub const QUIC: &str = "/ip4/127.0.0.1/udp/0/quic-v1";
pub const TCP: &str = "/ip4/127.0.0.1/tcp/0";

pub fn keypair(number: u8) -> Keypair {
    identity(&mut [number; 32]).expect("any seed is a key")
}

pub fn node(number: u8) -> NodeId {
    node_id(&keypair(number).public().to_peer_id()).expect("an Ed25519 key")
}

/// The numbers of two keys, that of the lower NodeId first.
pub fn lower_and_higher(a: u8, b: u8) -> (u8, u8) {
    if node(a) < node(b) { (a, b) } else { (b, a) }
}

/// A node that runs.
pub struct Node {
    pub id: NodeId,
    pub list: AllowList,
    pub handle: NetworkHandle,
    pub events: mpsc::Receiver<NetworkEvent>,
    pub addresses: Vec<Multiaddr>,
}

/// What tests shorten: nothing here is a bound that they check.
pub fn quick(listen: &[&str]) -> NetworkConfig {
    NetworkConfig {
        listen: listen
            .iter()
            .map(|text| text.parse().expect("a multiaddr"))
            .collect(),
        head_start: Duration::from_millis(300),
        direct_again: Duration::from_millis(500),
        relay_cap: Duration::from_millis(500),
        first_wait: Duration::from_millis(100),
        cap: Duration::from_millis(500),
        urgent_cap: Duration::from_millis(200),
        // The test process holds several nodes and their frames.
        memory: 8 << 30,
        ..NetworkConfig::default()
    }
}

impl Node {
    /// Starts node `number`, which admits `friends`, and waits until it listens.
    pub async fn start(number: u8, friends: &[u8], config: NetworkConfig) -> Self {
        let list = AllowList::new(friends.iter().map(|friend| node(*friend)));
        let (say, mut events) = mpsc::channel(64);
        let expected = config.listen.len();
        // A port that an earlier node of this test has just left may need a moment.
        let started = async {
            loop {
                let keys = keypair(number);
                match Network::start(config.clone(), &keys, list.clone(), say.clone()) {
                    Ok(handle) => return handle,
                    Err(_) => tokio::task::yield_now().await,
                }
            }
        };
        let handle = timeout(PATIENCE, started).await.expect("it starts");
        let mut addresses = Vec::new();
        while addresses.len() < expected {
            match take(&mut events).await {
                NetworkEvent::ListenOn(address) => addresses.push(address),
                other => panic!("{other:?} before it listens"),
            }
        }
        Self {
            id: node(number),
            list,
            handle,
            events,
            addresses,
        }
    }

    pub async fn event(&mut self) -> NetworkEvent {
        take(&mut self.events).await
    }

    /// The next link, whatever else is said before.
    pub async fn link(&mut self) -> Link {
        loop {
            if let NetworkEvent::LinkUp { link, .. } = self.event().await {
                return link;
            }
        }
    }

    /// Waits for an event that `choose` takes.
    pub async fn until<T>(&mut self, mut choose: impl FnMut(NetworkEvent) -> Option<T>) -> T {
        loop {
            if let Some(found) = choose(self.event().await) {
                return found;
            }
        }
    }

    /// Waits until what the node says of another one satisfies `wanted`.
    pub async fn sees(&self, other: NodeId, wanted: impl Fn(&NodeStatus) -> bool) -> NodeStatus {
        let found = async {
            loop {
                let status = self.handle.status().await.expect("it runs");
                let of = status.nodes.into_iter().find(|s| s.node == other);
                if let Some(status) = of.filter(|status| wanted(status)) {
                    return status;
                }
                tokio::task::yield_now().await;
            }
        };
        timeout(PATIENCE, found).await.expect("it sees it")
    }

    /// Waits until another node is neither known nor connected.
    pub async fn sees_nothing_of(&self, other: NodeId) {
        let gone = async {
            loop {
                let status = self.handle.status().await.expect("it runs");
                if !status.nodes.iter().any(|status| status.node == other) {
                    return;
                }
                tokio::task::yield_now().await;
            }
        };
        timeout(PATIENCE, gone).await.expect("it is gone");
    }
}

async fn take(events: &mut mpsc::Receiver<NetworkEvent>) -> NetworkEvent {
    timeout(PATIENCE, events.recv())
        .await
        .expect("an event")
        .expect("the room runs")
}

/// Waits at most as long as tests wait.
pub async fn soon<T>(what: impl Future<Output = T>) -> T {
    timeout(PATIENCE, what).await.expect("in time")
}

/// Two nodes, the first of which keeps the second, and their links.
pub async fn linked(a: NetworkConfig, b: NetworkConfig) -> (Node, Link, Node, Link) {
    let mut a = Node::start(1, &[2], a).await;
    let mut b = Node::start(2, &[1], b).await;
    a.handle.keep(b.id, &b.addresses).await.expect("kept");
    let (at_a, at_b) = tokio::join!(a.link(), b.link());
    (a, at_a, b, at_b)
}
