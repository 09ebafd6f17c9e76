//! The swarm in which strangers become peers.

mod network;

use std::time::Duration;

use futures::{AsyncWriteExt, StreamExt};
use libp2p::{Multiaddr, StreamProtocol, SwarmBuilder};
use libp2p_stream::OpenStreamError;
use maillon_node::network::{
    DialTrouble, FrameError, SYNC_PROTOCOL,
    pairing::{
        self, PAIRING_FRAME, PAIRING_PROTOCOL, PairingConfig, PairingError, PairingListener,
    },
    peer_id,
};
use network::{QUIC, TCP, keypair, node, soon};

fn config(listen: &[&str]) -> PairingConfig {
    PairingConfig {
        listen: listen
            .iter()
            .map(|text| text.parse().expect("an address"))
            .collect(),
        timeout: Duration::from_secs(20),
        ..PairingConfig::default()
    }
}

async fn open(config: &PairingConfig) -> (PairingListener, Vec<Multiaddr>) {
    let mut listener = PairingListener::start(config, &keypair(1)).expect("it listens");
    let mut addresses = Vec::new();
    while addresses.len() < config.listen.len() {
        addresses.push(soon(listener.address()).await.expect("an address"));
    }
    (listener, addresses)
}

#[tokio::test]
async fn two_strangers_exchange_frames_and_each_knows_the_others_key() {
    for way in [QUIC, TCP] {
        let (mut listener, addresses) = open(&config(&[way])).await;
        let inviter = async {
            let (who, mut stream) = soon(listener.next()).await.expect("somebody");
            assert_eq!(who, node(2));
            let proof = stream.recv().await.expect("a frame").expect("a frame");
            assert_eq!(proof.len(), PAIRING_FRAME);
            stream.send(b"").await.expect("sent");
            stream.send(&proof).await.expect("sent");
            stream.finish().await.expect("read to its end");
        };
        let accepter = async {
            let mut stream = pairing::dial(&config(&[]), &keypair(2), node(1), &addresses)
                .await
                .expect("open");
            stream.send(&[7; PAIRING_FRAME]).await.expect("sent");
            assert_eq!(stream.recv().await.expect("read"), Some(Vec::new()));
            let echo = stream.recv().await.expect("read").expect("a frame");
            assert!(echo == [7; PAIRING_FRAME]);
            stream.finish().await.expect("read to its end");
        };
        soon(async { tokio::join!(inviter, accepter) }).await;
        soon(listener.stop()).await;
    }
}

/// Protocols of libp2p and of the room, which whoever comes to a pairing might ask for.
const OTHERS: [&str; 5] = [
    SYNC_PROTOCOL,
    "/ipfs/id/1.0.0",
    "/ipfs/id/push/1.0.0",
    "/ipfs/ping/1.0.0",
    "/ipfs/kad/1.0.0",
];

#[tokio::test]
async fn nothing_but_pairing_is_spoken_there() {
    let (mut listener, addresses) = open(&config(&[QUIC])).await;
    let mut curious = SwarmBuilder::with_new_identity()
        .with_tokio()
        .with_quic()
        .with_behaviour(|_| libp2p_stream::Behaviour::new())
        .expect("a behaviour")
        .build();
    let mut control = curious.behaviour().new_control();
    curious.dial(addresses[0].clone()).expect("a dial");
    let met = async {
        while !curious.is_connected(&peer_id(&node(1))) {
            curious.select_next_some().await;
        }
    };
    soon(met).await;
    let asking = async {
        for other in OTHERS.map(StreamProtocol::new) {
            let answer = control.open_stream(peer_id(&node(1)), other.clone()).await;
            assert!(
                matches!(answer, Err(OpenStreamError::UnsupportedProtocol(_))),
                "{other}: {answer:?}"
            );
        }
        // The same question about pairing is answered, or the answers above would mean nothing.
        let pairing = StreamProtocol::new(PAIRING_PROTOCOL);
        let stream = control.open_stream(peer_id(&node(1)), pairing).await;
        let mut stream = stream.expect("pairing is spoken");
        // What was agreed is said with the first bytes.
        stream.write_all(&[0; 4]).await.expect("written");
        listener.next().await.expect("it came")
    };
    let working = async {
        loop {
            curious.select_next_some().await;
        }
    };
    let both = async {
        tokio::select! {
            _ = asking => {}
            () = working => {}
        }
    };
    soon(both).await;
}

#[tokio::test]
async fn the_inviter_must_have_the_key_that_the_invitation_names() {
    let (_listener, addresses) = open(&config(&[TCP])).await;
    let other = pairing::dial(&config(&[]), &keypair(2), node(3), &addresses).await;
    assert!(matches!(
        other,
        Err(PairingError::Dial(DialTrouble::AnotherNode))
    ));
    let nowhere = ["/ip4/127.0.0.1/tcp/9".parse().expect("an address")];
    let closed = pairing::dial(&config(&[]), &keypair(2), node(1), &nowhere).await;
    assert!(matches!(
        closed,
        Err(PairingError::Dial(DialTrouble::NothingListens))
    ));
}

#[tokio::test]
async fn a_node_whose_invitation_is_closed_speaks_no_pairing() {
    // The inviter's main swarm refuses the stranger; the accepter learns no more than that.
    let room = network::Node::start(1, &[], network::quick(&[QUIC])).await;
    let refused = pairing::dial(&config(&[]), &keypair(2), node(1), &room.addresses).await;
    assert!(matches!(
        refused,
        Err(PairingError::Dial(DialTrouble::RefusedThere) | PairingError::NotOpen)
    ));
    // A node that it does admit is told that no invitation is open.
    let room = network::Node::start(1, &[2], network::quick(&[QUIC])).await;
    let closed = pairing::dial(&config(&[]), &keypair(2), node(1), &room.addresses).await;
    assert!(matches!(closed, Err(PairingError::NotOpen)));
}

#[tokio::test]
async fn an_oversized_frame_and_silence_have_their_errors() {
    let quick = PairingConfig {
        timeout: Duration::from_millis(1500),
        ..config(&[QUIC])
    };
    let (mut listener, addresses) = open(&quick).await;
    let mut stream = pairing::dial(&quick, &keypair(2), node(1), &addresses)
        .await
        .expect("open");
    assert!(matches!(
        stream.send(&[0; PAIRING_FRAME + 1]).await,
        Err(PairingError::Frame(FrameError::TooLong { .. }))
    ));
    let (_, mut at_inviter) = soon(listener.next()).await.expect("somebody");
    assert!(matches!(
        soon(at_inviter.recv()).await,
        Err(PairingError::Silent)
    ));
}

#[tokio::test]
async fn only_a_few_come_at_once_and_only_some_a_minute() {
    let narrow = PairingConfig {
        at_once: 2,
        ..config(&[QUIC])
    };
    let (mut listener, addresses) = open(&narrow).await;
    let mut streams = Vec::new();
    for number in 2..4 {
        let dialled = pairing::dial(&config(&[]), &keypair(number), node(1), &addresses).await;
        streams.push((dialled.expect("open"), soon(listener.next()).await));
    }
    let third = pairing::dial(&config(&[]), &keypair(4), node(1), &addresses).await;
    assert!(third.is_err(), "two are enough");

    let slow = PairingConfig {
        per_minute: 1,
        ..config(&[TCP])
    };
    let (mut listener, addresses) = open(&slow).await;
    let first = pairing::dial(&config(&[]), &keypair(2), node(1), &addresses).await;
    let (_, _kept) = soon(listener.next()).await.expect("the first");
    drop(first);
    let second = pairing::dial(&config(&[]), &keypair(3), node(1), &addresses).await;
    assert!(second.is_err(), "one a minute");
    assert_eq!(peer_id(&node(1)), keypair(1).public().to_peer_id());
}
