//! A structure's machine: its disk, its ports, and the node that runs on it or does not.
#![allow(unreachable_pub, reason = "part of a test program")]

use std::{net::UdpSocket, sync::Arc, time::Duration};

use maillon_node::{
    clock::now_ms,
    ledger::Ledger,
    peering::{Peering, PeeringConfig, PeeringEvent},
    random::token,
    store::{Options, StorageKey, Store, StoreError},
};
use maillon_protocol::{
    admin::Pairing,
    descriptor::{Descriptor, StructureKind},
    ids::{Hash, NodeId},
    keys::{NodeKey, SealKey},
    replica::Keys,
    seal::SUITE,
    sign::sign,
};
use tokio::sync::broadcast;

use super::network::{Node, keypair, node, quick, soon};

const YEAR_MS: u64 = 365 * 24 * 3600 * 1000;

pub struct Site {
    number: u8,
    disk: tempfile::TempDir,
    port: u16,
    pub pairing_port: u16,
    running: Option<Running>,
}

struct Running {
    node: Node,
    ledger: Ledger,
    peering: Arc<Peering>,
    events: broadcast::Sender<PeeringEvent>,
}

/// Ports below the range from which the system takes those of outgoing connections: nobody takes one while its node is down.
const PORTS: std::ops::Range<u16> = 10_000..32_000;

/// A port that nobody has now.
fn free_port() -> u16 {
    let tries = std::iter::repeat_with(|| {
        let [high, low, ..] = token();
        PORTS.start + u16::from_be_bytes([high, low]) % (PORTS.end - PORTS.start)
    });
    let free = |port: &u16| UdpSocket::bind(("127.0.0.1", *port)).is_ok();
    tries.take(200).find(free).expect("a free port")
}

fn quic(port: u16) -> String {
    format!("/ip4/127.0.0.1/udp/{port}/quic-v1")
}

impl Site {
    pub async fn new(number: u8) -> Self {
        let mut site = Self {
            number,
            disk: tempfile::tempdir().expect("a folder"),
            port: free_port(),
            pairing_port: free_port(),
            running: None,
        };
        site.start().await;
        site
    }

    pub fn id(&self) -> NodeId {
        node(self.number)
    }

    fn running(&self) -> &Running {
        self.running.as_ref().expect("it runs")
    }

    pub fn peering(&self) -> &Peering {
        &self.running().peering
    }

    pub fn node(&self) -> &Node {
        &self.running().node
    }

    pub async fn start(&mut self) {
        let node = Node::start(self.number, &[], quick(&[&quic(self.port)])).await;
        let key = NodeKey::from_seed(&[self.number; 32]);
        let seal = SealKey::from_seed(&[self.number; 32], now_ms() + YEAR_MS);
        let descriptor = Descriptor {
            version: 1,
            node: key.id(),
            counter: now_ms(),
            name: format!("Structure {}", self.number),
            kind: StructureKind::Cpts,
            finess: String::new(),
            territory: "Territoire".to_owned(),
            addresses: node.addresses.iter().map(ToString::to_string).collect(),
            suite: SUITE.to_owned(),
            seal: seal.public().clone(),
            protocols: (1, 1),
            administrator: String::new(),
            dpo: String::new(),
            recovery: Hash([self.number; 32]),
        };
        let descriptor = sign(descriptor, &key);
        let keys = Keys {
            node: key,
            seals: vec![seal],
        };
        let ledger = Ledger::start(self.open().await, keys, descriptor).expect("a ledger");
        let config = PeeringConfig {
            listen: vec![quic(self.pairing_port).parse().expect("an address")],
            silence: Duration::from_secs(3),
            dial_timeout: Duration::from_secs(3),
            accept_wait: Duration::from_secs(50),
            first_wait: Duration::from_millis(50),
            longest_wait: Duration::from_millis(500),
            sweep_every: Duration::from_millis(100),
            ..PeeringConfig::default()
        };
        let events = broadcast::Sender::new(256);
        let peering = Peering::start(
            ledger.clone(),
            node.handle.clone(),
            node.list.clone(),
            keypair(self.number),
            config,
            events.clone(),
        );
        self.running = Some(Running {
            peering: peering.await.expect("it starts"),
            node,
            ledger,
            events,
        });
    }

    /// The store that the node's last life may still be closing.
    async fn open(&self) -> Store {
        let opened = async {
            loop {
                let key = StorageKey::new(&[self.number; 32]);
                match Store::open(self.disk.path(), &key, Options::default()) {
                    Err(StoreError::InUse) => tokio::task::yield_now().await,
                    other => return other.expect("a store"),
                }
            }
        };
        soon(opened).await
    }

    pub async fn stop(&mut self) {
        let running = self.running.take().expect("it runs");
        soon(running.peering.stop()).await;
        running.node.handle.shutdown().await;
        running.ledger.stop().await;
    }

    pub async fn restart(&mut self) {
        self.stop().await;
        self.start().await;
    }

    pub fn pairing(&self, name: &str) -> Option<Pairing> {
        let all = self.peering().pairings(maillon_node::clock::now_ms());
        all.into_iter().find(|pairing| pairing.pairing == name)
    }

    /// Waits until a pairing looks like this.
    pub async fn sees(&self, name: &str, wanted: impl Fn(&Pairing) -> bool) -> Pairing {
        let mut events = self.running().events.subscribe();
        let seen = async {
            loop {
                if let Some(pairing) = self.pairing(name).filter(|pairing| wanted(pairing)) {
                    return pairing;
                }
                // An error says that there were more events than are kept.
                let _ = events.recv().await;
            }
        };
        soon(seen).await
    }
}
