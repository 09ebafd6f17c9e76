//! Two nodes that reach each other through a third.

mod network;

use std::{
    sync::{Arc, Mutex},
    time::Duration,
};

use libp2p::{Multiaddr, multiaddr::Protocol};
use maillon_node::network::{
    AllowList, DialTrouble, Direction, Link, LinkEnd, NetworkConfig, NetworkEvent, NodeStatus,
    SYNC_PROTOCOL, Trouble, Via,
    relay::{NamedRelay, RelayConfig, RelayHost, RelayStatus, RelayTrouble},
};
use maillon_protocol::ids::NodeId;
use network::{Node, QUIC, TCP, keypair, lower_and_higher, node, quick, soon};

/// The relay's key in these tests.
const RELAY: u8 = 9;

/// A relay for these nodes, and how its users name it.
async fn relay(allowed: &[u8], config: RelayConfig) -> (RelayHost, NamedRelay, AllowList) {
    let list = AllowList::new(allowed.iter().map(|number| node(*number)));
    let expected = config.listen.len();
    // A port that an earlier relay of this test has just left may need a moment.
    let started = async {
        loop {
            match RelayHost::start(&config, &keypair(RELAY), list.clone()) {
                Ok(host) => return host,
                Err(_) => tokio::task::yield_now().await,
            }
        }
    };
    let host = soon(started).await;
    let mut listening = host.listening();
    let addresses = soon(listening.wait_for(|all| all.len() >= expected)).await;
    let address = addresses.expect("it runs")[0].clone();
    let named = NamedRelay {
        node: node(RELAY),
        address,
    };
    (host, named, list)
}

fn at(listen: &str) -> RelayConfig {
    RelayConfig {
        listen: vec![listen.parse().expect("a multiaddr")],
        ..RelayConfig::default()
    }
}

/// A node that listens nowhere and is reached through this relay.
fn behind(relay: &NamedRelay) -> NetworkConfig {
    NetworkConfig {
        relays: vec![relay.clone()],
        ..quick(&[])
    }
}

impl Node {
    /// Waits until what this node says of its first relay satisfies `wanted`.
    async fn at_relay(&self, wanted: impl Fn(&RelayStatus) -> bool) -> RelayStatus {
        let found = async {
            loop {
                let status = self.handle.status().await.expect("it runs");
                if let Some(status) = status.relays.into_iter().next().filter(&wanted) {
                    return status;
                }
                tokio::task::yield_now().await;
            }
        };
        soon(found).await
    }

    async fn has_a_place(&self) {
        self.at_relay(|relay| relay.held.is_some()).await;
    }

    /// Waits for an attempt to reach a node that fails in this way.
    async fn fails(&self, other: NodeId, trouble: DialTrouble) {
        let failed = |status: &NodeStatus| matches!(status.last_trouble, Some((Trouble::Dial(last), _)) if last == trouble);
        self.sees(other, failed).await;
    }
}

/// Two nodes behind a relay, each of which keeps the other.
async fn linked_through(relay: &NamedRelay) -> (Node, Link, Node, Link) {
    let mut a = Node::start(1, &[2], behind(relay)).await;
    let mut b = Node::start(2, &[1], behind(relay)).await;
    let circuit = [relay.circuit()];
    a.handle.keep(b.id, &circuit).await.expect("kept");
    b.handle.keep(a.id, &circuit).await.expect("kept");
    let (at_a, at_b) = tokio::join!(a.link(), b.link());
    (a, at_a, b, at_b)
}

fn via(status: &NodeStatus) -> Option<Via> {
    status.connected.map(|connected| connected.via)
}

async fn crosses(from: &Link, to: &mut Link, frame: &[u8]) {
    from.send(frame.to_vec()).await.expect("it is taken");
    assert_eq!(soon(to.recv()).await.as_deref(), Some(frame));
}

async fn frames_cross(listen: &str) {
    let (host, named, _) = relay(&[1, 2], at(listen)).await;
    let (a, mut at_a, b, mut at_b) = linked_through(&named).await;
    let long = vec![7; maillon_protocol::limits::FRAME];
    crosses(&at_a, &mut at_b, &long).await;
    crosses(&at_b, &mut at_a, b"and back").await;

    let through = Some(Via::Relay(node(RELAY)));
    for (one, other) in [(&a, &b), (&b, &a)] {
        let status = one.sees(other.id, |status| status.rtt.is_some()).await;
        assert_eq!(via(&status), through);
        assert!(status.traffic.sync.streams > 0 && status.traffic.ping.streams > 0);
    }
    let status = host.status();
    assert_eq!((status.reservations, status.connected), (2, 2));
    assert!(
        status.circuits >= 1 && status.bytes > long.len() as u64,
        "{status:?}"
    );
    // The relay is no node of the room: nobody knows it there.
    for node in [&a, &b] {
        let status = node.handle.status().await.expect("it runs");
        assert!(status.nodes.iter().all(|other| other.node != named.node));
        assert!(status.listening.is_empty(), "{:?}", status.listening);
    }
}

#[tokio::test]
async fn two_nodes_that_listen_nowhere_meet_through_a_relay_over_quic() {
    frames_cross(QUIC).await;
}

#[tokio::test]
async fn two_nodes_that_listen_nowhere_meet_through_a_relay_over_tcp() {
    frames_cross(TCP).await;
}

#[tokio::test]
async fn a_relay_refuses_whoever_is_not_on_its_list_at_either_end() {
    let (host, named, list) = relay(&[1], at(QUIC)).await;
    let a = Node::start(1, &[2], behind(&named)).await;
    let b = Node::start(2, &[1], behind(&named)).await;
    a.has_a_place().await;
    let circuit = [named.circuit()];
    a.handle.keep(b.id, &circuit).await.expect("kept");
    b.handle.keep(a.id, &circuit).await.expect("kept");

    // B gets no place, and asks for no circuit; A is told that B is not there.
    let refused =
        |relay: &RelayStatus| matches!(relay.last_trouble, Some((RelayTrouble::NotTaken, _)));
    assert_eq!(b.at_relay(refused).await.held, None);
    b.fails(a.id, DialTrouble::RelayFailed).await;
    a.fails(b.id, DialTrouble::NotAtRelay).await;
    let status = host.status();
    assert_eq!((status.reservations, status.circuits_so_far), (1, 0));
    assert!(status.refused.strangers > 0 && status.refused.not_there > 0);

    // Allowed, it meets A by itself; forbidden again, it is cut off at once and both hear why.
    list.allow(b.id);
    let through = |status: &NodeStatus| status.link.is_some();
    let met = a.sees(b.id, through).await;
    assert_eq!(via(&met), Some(Via::Relay(named.node)));
    list.remove(&b.id);
    a.fails(b.id, DialTrouble::NotAtRelay).await;
    b.at_relay(|relay| relay.held.is_none() && refused(relay))
        .await;
    assert_eq!(host.status().circuits, 0);
}

#[tokio::test]
async fn a_node_takes_nothing_through_a_relay_that_it_did_not_name() {
    let (host, named, _) = relay(&[1, 2], at(QUIC)).await;
    let a = Node::start(1, &[2], behind(&named)).await;
    // B is allowed there, and says nothing of this relay; A is told that it does.
    let b = Node::start(2, &[1], quick(&[])).await;
    a.handle.keep(b.id, &[named.circuit()]).await.expect("kept");
    b.handle.keep(a.id, &[named.circuit()]).await.expect("kept");
    a.fails(b.id, DialTrouble::NotAtRelay).await;
    // Nor does it ask there, whatever A's address says.
    b.fails(a.id, DialTrouble::OtherRelay).await;
    let status = host.status();
    assert_eq!((status.connected, status.circuits_so_far), (1, 0));
}

#[tokio::test]
async fn who_is_not_on_a_nodes_own_list_does_not_come_through_its_relay_either() {
    let (host, named, _) = relay(&[1, 2, 3], at(QUIC)).await;
    let a = Node::start(1, &[2], behind(&named)).await;
    let mut b = Node::start(2, &[3], behind(&named)).await;
    b.has_a_place().await;
    a.has_a_place().await;
    a.handle.keep(b.id, &[named.circuit()]).await.expect("kept");
    let refused = b
        .until(|event| match event {
            NetworkEvent::StrangerRefused { total } => Some(total),
            _ => None,
        })
        .await;
    assert_eq!(refused, 1);
    let status = b.handle.status().await.expect("it runs");
    assert!(status.nodes.iter().all(|other| other.node != a.id));
    assert_eq!(status.strangers_traffic.other.streams, 0);
    // The relay passed it on, and B let it lie before a handshake.
    a.fails(b.id, DialTrouble::RelayFailed).await;
    let status = host.status();
    assert!(
        status.refused.not_taken > 0 && status.circuits_so_far == 0,
        "{status:?}"
    );
}

#[tokio::test]
async fn a_relay_sees_ciphertext_and_a_hybrid_key_exchange_and_nothing_else() {
    const MARKER: &[u8] = b"Mme Bellanger, chute dans l'escalier";
    let seen = Arc::new(Mutex::new((Vec::new(), Vec::new())));
    let keeps = Arc::clone(&seen);
    let tap = move |direction: Direction, bytes: &[u8]| {
        let mut seen = keeps.lock().expect("no panic");
        match direction {
            Direction::In => seen.0.extend_from_slice(bytes),
            Direction::Out => seen.1.extend_from_slice(bytes),
        }
    };
    let config = RelayConfig {
        tap: Some(Arc::new(tap)),
        ..at(QUIC)
    };
    let (_host, named, _) = relay(&[1, 2], config).await;
    let (_a, at_a, _b, mut at_b) = linked_through(&named).await;
    for _ in 0..20 {
        crosses(&at_a, &mut at_b, MARKER).await;
    }
    let seen = seen.lock().expect("no panic");
    let (came, went) = &*seen;
    let holds = |bytes: &[u8], word: &[u8]| bytes.windows(word.len()).any(|part| part == word);
    assert!(came.len() > 20 * MARKER.len(), "the tap hears what passes");
    assert!(holds(came, b"/tls/1.0.0") && holds(went, b"/tls/1.0.0"));
    // What the two speak with each other and with no relay.
    let words = [MARKER, SYNC_PROTOCOL.as_bytes(), b"/ipfs/id", b"/yamux"];
    for word in words.into_iter().chain([b"/noise".as_slice()]) {
        assert!(!holds(came, word) && !holds(went, word), "{word:?}");
    }
    // The hellos pass in the clear, as on any wire. The server's choice: TLS 1.3 and group 0x11ec, with 1120 bytes of share.
    let chosen = [0x00, 0x33, 0x04, 0x64, 0x11, 0xec, 0x04, 0x60];
    assert!(
        holds(came, &chosen),
        "a server hello that chose X25519MLKEM768"
    );
    assert!(
        holds(came, &[0x00, 0x2b, 0x00, 0x02, 0x03, 0x04]),
        "TLS 1.3"
    );
}

#[tokio::test]
async fn reservations_and_circuits_come_back_when_the_relay_restarts() {
    let (host, named, _) = relay(&[1, 2], at(TCP)).await;
    let (mut a, _at_a, mut b, _at_b) = linked_through(&named).await;
    host.stop().await;
    for node in [&mut a, &mut b] {
        let down = |event| matches!(event, NetworkEvent::LinkDown { .. }).then_some(());
        node.until(down).await;
        node.at_relay(|relay| relay.held.is_none() && relay.last_trouble.is_some())
            .await;
    }
    a.fails(b.id, DialTrouble::RelayFailed).await;

    let again = RelayConfig {
        listen: vec![named.address.clone()],
        ..RelayConfig::default()
    };
    let (host, _, _) = relay(&[1, 2], again).await;
    let (at_a, mut at_b) = soon(async { tokio::join!(a.link(), b.link()) }).await;
    crosses(&at_a, &mut at_b, b"after the restart").await;
    assert_eq!(host.status().reservations, 2);
}

#[tokio::test]
async fn a_relay_without_a_place_left_says_so_and_goes_on_with_those_it_has() {
    let config = RelayConfig {
        reservations: 1,
        // Renewed within this test, while every place is taken.
        reservation: Duration::from_secs(4),
        ..at(QUIC)
    };
    let (host, named, _) = relay(&[1, 2], config).await;
    let a = Node::start(1, &[2], behind(&named)).await;
    a.has_a_place().await;
    let b = Node::start(2, &[1], behind(&named)).await;
    let full = |relay: &RelayStatus| matches!(relay.last_trouble, Some((RelayTrouble::Full, _)));
    b.at_relay(full).await;
    assert!(host.status().refused.reservations > 0);
    // Longer than a reservation lasts without being renewed.
    let long = Duration::from_secs(6);
    a.at_relay(|relay| relay.held.is_some_and(|held| held > long))
        .await;
    assert_eq!(host.status().reservations, 1);
}

#[tokio::test]
async fn a_relays_address_that_is_that_of_its_node_is_told_apart() {
    let other = Node::start(RELAY, &[1], quick(&[QUIC])).await;
    let named = NamedRelay {
        node: other.id,
        address: other.addresses[0].clone(),
    };
    let a = Node::start(1, &[RELAY], behind(&named)).await;
    let told =
        |relay: &RelayStatus| matches!(relay.last_trouble, Some((RelayTrouble::NotARelay, _)));
    assert_eq!(a.at_relay(told).await.held, None);
}

#[tokio::test]
async fn a_node_that_has_its_circuits_gets_no_further_one_and_is_told() {
    let config = RelayConfig {
        circuits_a_node: 1,
        ..at(QUIC)
    };
    let (host, named, _) = relay(&[1, 2, 3], config).await;
    let mut a = Node::start(1, &[2, 3], behind(&named)).await;
    let b = Node::start(2, &[1], behind(&named)).await;
    let c = Node::start(3, &[1], behind(&named)).await;
    b.has_a_place().await;
    c.has_a_place().await;
    a.handle.keep(b.id, &[named.circuit()]).await.expect("kept");
    let _link = a.link().await;
    a.handle.keep(c.id, &[named.circuit()]).await.expect("kept");
    a.fails(c.id, DialTrouble::RelayFull).await;
    let status = host.status();
    assert_eq!(status.circuits, 1);
    assert!(status.refused.circuits > 0);
    assert!(a.sees(b.id, |status| status.link.is_some()).await.allowed);
}

#[tokio::test]
async fn a_circuit_ends_with_its_bytes_and_with_its_time_and_the_next_one_begins_by_itself() {
    let config = RelayConfig {
        circuit_bytes: 200_000,
        circuit_time: Duration::from_secs(3),
        ..at(QUIC)
    };
    let (host, named, _) = relay(&[1, 2], config).await;
    let (mut a, at_a, mut b, at_b) = linked_through(&named).await;
    at_a.send(vec![1; 400_000]).await.expect("it is taken");
    let (at_a_again, mut at_b_again) = soon(async { tokio::join!(a.link(), b.link()) }).await;
    assert!(host.status().ended_by_bytes > 0, "{:?}", host.status());
    drop((at_a, at_b));
    crosses(&at_a_again, &mut at_b_again, b"through the second").await;
    let (at_a, mut at_b) = soon(async { tokio::join!(a.link(), b.link()) }).await;
    assert!(host.status().ended_by_time > 0, "{:?}", host.status());
    crosses(&at_a, &mut at_b, b"through the third").await;
}

#[tokio::test]
async fn a_relay_carries_no_more_than_its_rate() {
    let config = RelayConfig {
        rate_a_node: 300_000,
        ..at(QUIC)
    };
    let (_host, named, _) = relay(&[1, 2], config).await;
    let (_a, at_a, _b, mut at_b) = linked_through(&named).await;
    let began = std::time::Instant::now();
    crosses(&at_a, &mut at_b, &vec![1; 1_000_000]).await;
    // One second's allowance goes at once, the rest at the rate.
    let least = Duration::from_secs_f64((1_000_000.0 - 300_000.0) / 300_000.0);
    assert!(began.elapsed() >= least, "{:?}", began.elapsed());
}

/// Forwards connections to a port of this machine to another one, so late: a way that opens.
async fn open_way(from: u16, to: u16, late: Duration) {
    let listener = tokio::net::TcpListener::bind(("127.0.0.1", from)).await;
    let listener = listener.expect("the port is free");
    tokio::spawn(async move {
        while let Ok((mut here, _)) = listener.accept().await {
            tokio::spawn(async move {
                tokio::time::sleep(late).await;
                let there = tokio::net::TcpStream::connect(("127.0.0.1", to)).await;
                let mut there = there.expect("the node listens");
                // How it ends is the nodes' affair.
                let _ = tokio::io::copy_bidirectional(&mut here, &mut there).await;
            });
        }
    });
}

/// A port of this machine on which nobody listens yet, and its address.
fn closed_port() -> (u16, Multiaddr) {
    let free = std::net::TcpListener::bind("127.0.0.1:0").expect("a port");
    let port = free.local_addr().expect("an address").port();
    let address = format!("/ip4/127.0.0.1/tcp/{port}");
    (port, address.parse().expect("an address"))
}

fn tcp_port(node: &Node) -> u16 {
    match node.addresses[0].iter().nth(1) {
        Some(Protocol::Tcp(port)) => port,
        other => panic!("{other:?} and no TCP address"),
    }
}

#[tokio::test]
async fn a_direct_way_is_preferred_even_where_it_is_slow() {
    let (host, named, _) = relay(&[1, 2], at(QUIC)).await;
    let patient = NetworkConfig {
        head_start: Duration::from_secs(7),
        ..behind(&named)
    };
    let mut a = Node::start(1, &[2], patient).await;
    let listens = NetworkConfig {
        relays: vec![named.clone()],
        ..quick(&[TCP])
    };
    let b = Node::start(2, &[1], listens).await;
    let (port, slow) = closed_port();
    open_way(port, tcp_port(&b), Duration::from_millis(500)).await;
    a.has_a_place().await;
    b.has_a_place().await;
    let addresses = [slow, named.circuit()];
    a.handle.keep(b.id, &addresses).await.expect("kept");
    let _link = a.link().await;
    let status = a.sees(b.id, |status| status.link.is_some()).await;
    assert_eq!(via(&status), Some(Via::Tcp));
    assert_eq!(host.status().circuits_so_far, 0, "the relay was not asked");
}

/// The link moves to a direct way that opens while the relay carries it, whichever of the two dials.
async fn the_link_moves(dials: u8, listens: u8) {
    let (host, named, _) = relay(&[1, 2], at(QUIC)).await;
    let mut dialler = Node::start(dials, &[listens], behind(&named)).await;
    let config = NetworkConfig {
        relays: vec![named.clone()],
        // A connection that is older than a dial can last would be given up for a new one, whatever its way.
        dial_timeout: Duration::from_secs(120),
        ..quick(&[TCP])
    };
    let mut listener = Node::start(listens, &[dials], config).await;
    let (closed, direct) = closed_port();
    dialler.has_a_place().await;
    listener.has_a_place().await;
    let addresses = [direct, named.circuit()];
    dialler
        .handle
        .keep(listener.id, &addresses)
        .await
        .expect("kept");
    let _first = soon(async { tokio::join!(dialler.link(), listener.link()) }).await;
    let status = dialler
        .sees(listener.id, |status| status.link.is_some())
        .await;
    assert_eq!(via(&status), Some(Via::Relay(named.node)));

    open_way(closed, tcp_port(&listener), Duration::ZERO).await;
    for node in [&mut dialler, &mut listener] {
        let reason = node.until(|event| match event {
            NetworkEvent::LinkDown { reason, .. } => Some(reason),
            _ => None,
        });
        assert_eq!(reason.await, LinkEnd::Replaced);
    }
    let (at_dialler, mut at_listener) =
        soon(async { tokio::join!(dialler.link(), listener.link()) }).await;
    crosses(&at_dialler, &mut at_listener, b"without the relay").await;
    let moved = |status: &NodeStatus| via(status) == Some(Via::Tcp) && status.link.is_some();
    dialler.sees(listener.id, moved).await;
    listener.sees(dialler.id, moved).await;
    let released = async {
        while host.status().circuits > 0 {
            tokio::task::yield_now().await;
        }
    };
    soon(released).await;
}

#[tokio::test]
async fn the_link_moves_to_a_direct_way_as_soon_as_there_is_one() {
    let (lower, higher) = lower_and_higher(1, 2);
    the_link_moves(lower, higher).await;
}

#[tokio::test]
async fn the_link_moves_too_where_the_other_node_chooses() {
    let (lower, higher) = lower_and_higher(1, 2);
    the_link_moves(higher, lower).await;
}
