//! Who may connect, and what the others see.

mod network;

use futures::StreamExt;
use libp2p::{
    Multiaddr, Swarm, SwarmBuilder, identify, identity::Keypair, ping, swarm::NetworkBehaviour,
    swarm::SwarmEvent,
};
use maillon_node::network::{
    DialTrouble, LinkEnd, NetworkError, NetworkEvent, SYNC_PROTOCOL, SendError, Traffic, Trouble,
    peer_id,
};
use network::{Node, QUIC, TCP, keypair, linked, lower_and_higher, node, quick, soon};

/// What a curious client speaks: everything that it can think of.
#[derive(NetworkBehaviour)]
struct Curious {
    identify: identify::Behaviour,
    ping: ping::Behaviour,
    streams: libp2p_stream::Behaviour,
}

/// Has the key of that number: what a test finds does not depend on chance.
fn curious(number: u8) -> Swarm<Curious> {
    let behaviour = |keys: &Keypair| Curious {
        identify: identify::Behaviour::new(identify::Config::new("/x/1".into(), keys.public())),
        ping: ping::Behaviour::default(),
        streams: libp2p_stream::Behaviour::new(),
    };
    SwarmBuilder::with_existing_identity(keypair(number))
        .with_tokio()
        .with_tcp(
            Default::default(),
            libp2p::tls::Config::new,
            libp2p::yamux::Config::default,
        )
        .expect("a transport")
        .with_quic()
        .with_behaviour(behaviour)
        .expect("a behaviour")
        .build()
}

#[tokio::test]
async fn a_stranger_is_told_nothing_and_counted() {
    let mut us = Node::start(1, &[2], quick(&[QUIC, TCP])).await;
    let addresses: Vec<Multiaddr> = us.addresses.clone();
    for (at, address) in addresses.into_iter().enumerate() {
        let mut stranger = curious(3);
        let mut control = stranger.behaviour().streams.new_control();
        stranger.dial(address).expect("a dial");
        let peer = peer_id(&us.id);
        let opening = tokio::spawn(async move {
            let sync = libp2p::StreamProtocol::new(SYNC_PROTOCOL);
            control.open_stream(peer, sync).await.is_ok()
        });
        let refused = async {
            loop {
                match stranger.select_next_some().await {
                    SwarmEvent::Behaviour(CuriousEvent::Identify(identify::Event::Received {
                        info,
                        ..
                    })) => panic!("identify told {info:?}"),
                    SwarmEvent::Behaviour(CuriousEvent::Ping(ping::Event {
                        result: Ok(_),
                        ..
                    })) => panic!("a ping was answered"),
                    SwarmEvent::ConnectionClosed { .. }
                    | SwarmEvent::OutgoingConnectionError { .. } => break,
                    _ => {}
                }
            }
        };
        soon(refused).await;
        drop(stranger);
        assert!(!soon(opening).await.expect("no panic"), "no stream opened");
        let total = us
            .until(|event| match event {
                NetworkEvent::StrangerRefused { total } => Some(total),
                other => panic!("{other:?}"),
            })
            .await;
        assert_eq!(total, at as u64 + 1);
    }
    let status = us.handle.status().await.expect("it runs");
    assert_eq!(status.strangers_refused, 2);
    // That the protocols for which it asked are not spoken with it.
    let Traffic {
        identify,
        ping,
        sync,
        other,
    } = status.strangers_traffic;
    let flows = [identify, ping, sync, other];
    let bytes: u64 = flows
        .iter()
        .map(|flow| flow.bytes_in + flow.bytes_out)
        .sum();
    assert!(bytes < 4_000, "{flows:?}");
    assert!(status.nodes.is_empty(), "nothing of them is kept");
}

#[tokio::test]
async fn a_node_that_is_refused_there_is_told_so_and_tries_ever_more_slowly() {
    let mut a = Node::start(1, &[2], quick(&[])).await;
    let b = Node::start(2, &[], quick(&[QUIC])).await;
    a.handle.keep(b.id, &b.addresses).await.expect("kept");
    for _ in 0..2 {
        let error = a
            .until(|event| match event {
                NetworkEvent::DialFailed { error, .. } => Some(error),
                // It has nothing to present.
                NetworkEvent::AtTheDoor { .. } => None,
                other => panic!("{other:?}"),
            })
            .await;
        assert_eq!(error, DialTrouble::RefusedThere);
    }
    // As soon as the other administrator has let it in, it is.
    b.list.allow(a.id);
    a.link().await;
}

#[tokio::test]
async fn another_node_at_the_address_is_not_the_one_that_was_dialled() {
    let mut a = Node::start(1, &[2, 3], quick(&[])).await;
    let c = Node::start(3, &[1], quick(&[TCP])).await;
    a.handle.keep(node(2), &c.addresses).await.expect("kept");
    let failed = a
        .until(|event| match event {
            NetworkEvent::DialFailed { node, error } => Some((node, error)),
            other => panic!("{other:?}"),
        })
        .await;
    assert_eq!(failed, (node(2), DialTrouble::AnotherNode));
}

#[tokio::test]
async fn a_node_taken_off_the_list_is_cut_off_at_once_and_comes_back_with_it() {
    let (mut a, at_a, mut b, at_b) = linked(quick(&[]), quick(&[QUIC])).await;
    b.list.remove(&a.id);
    let reason = b
        .until(|event| match event {
            NetworkEvent::LinkDown { reason, .. } => Some(reason),
            other => panic!("{other:?}"),
        })
        .await;
    assert_eq!(reason, LinkEnd::NotAllowed);
    let ended = async {
        while at_b.send(vec![1]).await.is_ok() {
            tokio::task::yield_now().await;
        }
        at_b.send(vec![1]).await
    };
    assert_eq!(
        soon(ended).await,
        Err(SendError::Ended(LinkEnd::NotAllowed))
    );
    b.sees_nothing_of(a.id).await;
    a.until(|event| matches!(event, NetworkEvent::LinkDown { .. }).then_some(()))
        .await;
    let error = a
        .until(|event| match event {
            NetworkEvent::DialFailed { error, .. } => Some(error),
            _ => None,
        })
        .await;
    assert_eq!(error, DialTrouble::RefusedThere);
    drop(at_a);

    b.list.allow(a.id);
    let (mut again_a, again_b) = tokio::join!(a.link(), b.link());
    again_b.send(b"welcome back".to_vec()).await.expect("taken");
    assert_eq!(soon(again_a.recv()).await, Some(b"welcome back".to_vec()));
}

#[tokio::test]
async fn a_node_that_is_kept_and_not_on_the_list_is_not_dialled() {
    let mut a = Node::start(1, &[], quick(&[])).await;
    let mut b = Node::start(2, &[1], quick(&[QUIC])).await;
    a.handle.keep(b.id, &b.addresses).await.expect("kept");
    let status = a.sees(b.id, |status| status.kept).await;
    assert_eq!((status.next_attempt, status.dialling), (None, false));
    a.list.replace([b.id]);
    let (link, _other) = tokio::join!(a.link(), b.link());
    assert_eq!(link.node(), b.id);
}

#[tokio::test]
async fn a_node_keeps_no_connection_to_itself_nor_to_what_is_no_address() {
    let a = Node::start(1, &[2], quick(&[])).await;
    assert!(matches!(
        a.handle.keep(a.id, &[]).await,
        Err(NetworkError::Myself)
    ));
    let odd: Multiaddr = "/memory/7".parse().expect("a multiaddr");
    assert!(matches!(
        a.handle.keep(node(2), &[odd]).await,
        Err(NetworkError::NoUsableAddress { given: 1 })
    ));
}

#[tokio::test]
async fn a_listed_node_of_another_protocol_is_reported_as_such() {
    // The lower NodeId opens the stream: ours.
    let (ours, theirs) = lower_and_higher(1, 2);
    let mut other = curious(theirs);
    other
        .listen_on(QUIC.parse().expect("an address"))
        .expect("it listens");
    let them = node(theirs);
    let address = loop {
        if let SwarmEvent::NewListenAddr { address, .. } = soon(other.select_next_some()).await {
            break address;
        }
    };
    let us = Node::start(ours, &[], quick(&[])).await;
    us.list.allow(them);
    us.handle.keep(them, &[address]).await.expect("kept");
    tokio::spawn(async move {
        loop {
            other.select_next_some().await;
        }
    });
    us.sees(them, |status| {
        matches!(status.last_trouble, Some((Trouble::NotSpoken, _)))
    })
    .await;
}
