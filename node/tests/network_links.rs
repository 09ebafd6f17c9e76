//! Links between nodes that may talk.

mod network;

use std::{
    sync::{Arc, Mutex},
    time::Duration,
};

use futures::{AsyncReadExt, AsyncWriteExt, StreamExt};
use libp2p::{
    Multiaddr,
    multiaddr::Protocol,
    swarm::{NetworkBehaviour, SwarmEvent},
};
use maillon_node::network::{
    Direction, FrameError, LinkEnd, NetworkConfig, NetworkEvent, SYNC_PROTOCOL, SendError, Trouble,
    Via,
};
use maillon_protocol::limits;
use network::{Node, QUIC, TCP, linked, lower_and_higher, node, quick, soon};

async fn frames_cross(listen: &[&str], via: Via) {
    let (a, mut at_a, b, mut at_b) = linked(quick(&[]), quick(listen)).await;
    let frame = |length: usize, seed: u8| -> Vec<u8> {
        (0..length).map(|at| (at % 251) as u8 ^ seed).collect()
    };
    let sizes = [0, 1, limits::FRAME, 0, 77, limits::FRAME];
    for seed in [1, 2] {
        let (from, to) = match seed {
            1 => (&at_a, &mut at_b),
            _ => (&at_b, &mut at_a),
        };
        let sending = async {
            for size in sizes {
                from.send(frame(size, seed)).await.expect("it is taken");
            }
        };
        let receiving = async {
            for size in sizes {
                let received = to.recv().await.expect("it arrives");
                assert!(
                    received == frame(size, seed),
                    "{size} bytes as they were sent"
                );
            }
        };
        soon(async { tokio::join!(sending, receiving) }).await;
    }
    let total = sizes.iter().sum::<usize>() as u64;
    let count = at_a.count();
    assert_eq!((count.frames_in, count.bytes_in), (6, total));
    assert_eq!((count.frames_out, count.bytes_out), (6, total));

    let status = a.sees(b.id, |status| status.rtt.is_some()).await;
    let connected = status.connected.expect("connected");
    assert_eq!((connected.via, connected.dialled_here), (via, true));
    assert!(status.traffic.sync.bytes_out >= total + 6 * 4);
    assert!(status.traffic.identify.streams > 0 && status.traffic.ping.streams > 0);
    // It knocked at the door, once, where nobody answers whom the node knows.
    assert_eq!(status.traffic.other.streams, 1);
}

#[tokio::test]
async fn two_nodes_meet_over_quic_and_frames_of_every_size_arrive_in_order() {
    frames_cross(&[QUIC], Via::Quic).await;
}

#[tokio::test]
async fn they_meet_over_tcp_where_only_tcp_is_offered() {
    frames_cross(&[TCP], Via::Tcp).await;
}

#[tokio::test]
async fn a_name_is_looked_up_and_both_ways_are_tried_within_one_attempt() {
    let mut a = Node::start(1, &[2], quick(&[])).await;
    let mut b = Node::start(2, &[1], quick(&[TCP])).await;
    let Some(Protocol::Tcp(port)) = b.addresses[0].iter().nth(1) else {
        panic!("a TCP address");
    };
    // Nothing answers on the first; a packet filter in front of UDP looks just like that.
    let addresses: [Multiaddr; 2] = [
        "/ip4/127.0.0.1/udp/9/quic-v1".parse().expect("an address"),
        format!("/dns4/localhost/tcp/{port}")
            .parse()
            .expect("an address"),
    ];
    a.handle.keep(b.id, &addresses).await.expect("kept");
    // The first thing that either says: no attempt failed.
    assert!(matches!(a.event().await, NetworkEvent::LinkUp { .. }));
    assert!(matches!(b.event().await, NetworkEvent::LinkUp { .. }));
}

#[tokio::test]
async fn a_frame_beyond_the_limit_is_not_sent() {
    let (_a, at_a, _b, _at_b) = linked(quick(&[]), quick(&[QUIC])).await;
    let refused = at_a.send(vec![0; limits::FRAME + 1]).await;
    assert!(
        matches!(refused, Err(SendError::TooLong(limit)) if limit.limit == limits::FRAME as u64)
    );
}

/// What a peer that misbehaves speaks: it answers pings, or it would be taken for gone.
#[derive(NetworkBehaviour)]
struct Unruly {
    ping: libp2p::ping::Behaviour,
    streams: libp2p_stream::Behaviour,
}

#[tokio::test]
async fn a_node_that_announces_a_frame_beyond_the_limit_loses_its_link_and_the_reason_is_kept() {
    // A peer that is on the list, opens the stream as the rules say, and misbehaves.
    let (peer, ours) = lower_and_higher(1, 2);
    let mut us = Node::start(ours, &[peer], quick(&[TCP])).await;
    let mut swarm = libp2p::SwarmBuilder::with_existing_identity(network::keypair(peer))
        .with_tokio()
        .with_tcp(
            Default::default(),
            libp2p::tls::Config::new,
            libp2p::yamux::Config::default,
        )
        .expect("a transport")
        .with_behaviour(|_| Unruly {
            ping: libp2p::ping::Behaviour::default(),
            streams: libp2p_stream::Behaviour::new(),
        })
        .expect("a behaviour")
        .build();
    let mut control = swarm.behaviour().streams.new_control();
    swarm.dial(us.addresses[0].clone()).expect("a dial");
    let us_peer = maillon_node::network::peer_id(&us.id);
    let (connect, connected) = tokio::sync::oneshot::channel();
    let talking = async move {
        let protocol = libp2p::StreamProtocol::new(SYNC_PROTOCOL);
        connected.await.expect("connected");
        let mut stream = control.open_stream(us_peer, protocol).await.expect("open");
        let announced = [0, 0x10, 0, 1, 7];
        stream.write_all(&announced).await.expect("written");
        stream.flush().await.expect("flushed");
        // Until the other side cuts it off.
        let _ = stream.read(&mut [0; 1]).await;
    };
    let polling = async {
        let mut connect = Some(connect);
        loop {
            let event = swarm.select_next_some().await;
            if let SwarmEvent::ConnectionEstablished { .. } = event {
                connect.take().map(|connect| connect.send(()));
            }
        }
    };
    let peer_id = node(peer);
    let watching = async {
        let mut link = us.link().await;
        let reason = us
            .until(|event| match event {
                NetworkEvent::LinkDown { reason, .. } => Some(reason),
                _ => None,
            })
            .await;
        let too_long = LinkEnd::Frame(FrameError::TooLong {
            announced: limits::FRAME + 1,
            limit: limits::FRAME,
        });
        assert_eq!(reason, too_long);
        assert_eq!(link.recv().await, None);
        assert_eq!(link.send(vec![1]).await, Err(SendError::Ended(too_long)));
        let status = us.sees(peer_id, |status| status.connected.is_none()).await;
        let trouble = status.last_trouble.map(|(trouble, _)| trouble);
        assert_eq!(trouble, Some(Trouble::Link(too_long)));
    };
    let both = async { tokio::join!(talking, watching) };
    soon(async {
        tokio::select! {
            _ = both => {}
            () = polling => {}
        }
    })
    .await;
}

#[tokio::test]
async fn a_consumer_that_takes_nothing_slows_its_sender_and_memory_stays_bounded() {
    let small = |listen: &[&str]| NetworkConfig {
        queue_frames: 4,
        queue_bytes: limits::FRAME,
        ..quick(listen)
    };
    let (_a, at_a, _b, mut at_b) = linked(small(&[]), small(&[TCP])).await;
    let (sender, _receiver) = at_a.split();
    let counting = sender.clone();
    let frames = 400;
    let sending = tokio::spawn(async move {
        for number in 0..frames {
            let mut frame = vec![0; 256 << 10];
            frame[..4].copy_from_slice(&u32::to_be_bytes(number));
            sender.send(frame).await.expect("taken");
        }
    });
    // It stands still when the queues and the windows between them are full: 100 MiB do not fit. Standing still shows only over time.
    let mut before = None;
    loop {
        tokio::time::sleep(Duration::from_millis(300)).await;
        let now = counting.count().frames_out;
        if before == Some(now) && now > 0 {
            break;
        }
        before = Some(now);
    }
    let held = counting.count().bytes_out;
    assert!(held < 40 << 20, "{held} bytes left this side");
    assert!(at_b.count().frames_in <= 4 + 1, "the receiver's queue");
    assert!(!sending.is_finished());

    for number in 0..frames {
        let frame = soon(at_b.recv()).await.expect("it arrives");
        assert_eq!(frame[..4], u32::to_be_bytes(number));
    }
    soon(sending).await.expect("all were taken");
}

#[tokio::test]
async fn a_link_that_can_write_nothing_is_closed() {
    let stubborn = NetworkConfig {
        stall: Duration::from_millis(500),
        ..quick(&[])
    };
    let (mut a, at_a, _b, _at_b) = linked(stubborn, quick(&[QUIC])).await;
    let sending = async { while at_a.send(vec![0; limits::FRAME]).await.is_ok() {} };
    soon(sending).await;
    let reason = a
        .until(|event| match event {
            NetworkEvent::LinkDown { reason, .. } => Some(reason),
            _ => None,
        })
        .await;
    assert_eq!(reason, LinkEnd::Frame(FrameError::WriteStalled));
}

#[tokio::test]
async fn what_was_queued_before_a_stop_is_written() {
    let (a, at_a, mut b, mut at_b) = linked(quick(&[]), quick(&[QUIC])).await;
    for number in 0..50u8 {
        at_a.send(vec![number; 20_000]).await.expect("taken");
    }
    soon(a.handle.shutdown()).await;
    for number in 0..50u8 {
        let frame = soon(at_b.recv()).await.expect("it arrives");
        assert!(frame == [number; 20_000], "frame {number} of 50");
    }
    assert_eq!(soon(at_b.recv()).await, None);
    b.until(|event| matches!(event, NetworkEvent::LinkDown { .. }).then_some(()))
        .await;
    assert!(a.handle.status().await.is_err(), "it has stopped");
}

#[tokio::test]
async fn the_tap_sees_every_byte_that_is_handed_to_streams() {
    let seen: Arc<Mutex<[Vec<u8>; 2]>> = Arc::default();
    let at_tap = Arc::clone(&seen);
    let tapped = NetworkConfig {
        tap: Some(Arc::new(move |direction, bytes: &[u8]| {
            let mut seen = at_tap.lock().expect("no tap panics");
            seen[usize::from(direction == Direction::Out)].extend_from_slice(bytes);
        })),
        ..quick(&[])
    };
    let (a, mut at_a, b, mut at_b) = linked(tapped, quick(&[QUIC])).await;
    a.sees(b.id, |status| {
        status.rtt.is_some() && status.traffic.identify.streams > 1
    })
    .await;
    at_a.send(b"to the other side".to_vec())
        .await
        .expect("taken");
    soon(at_b.recv()).await.expect("arrived");
    at_b.send(b"and back".to_vec()).await.expect("taken");
    soon(at_a.recv()).await.expect("arrived");
    let seen = seen.lock().expect("no tap panics");
    let holds = |which: usize, part: &[u8]| seen[which].windows(part.len()).any(|w| w == part);
    assert!(holds(1, b"to the other side") && holds(0, b"and back"));
    assert!(holds(1, b"/ipfs/id/1.0.0") && holds(1, b"/ipfs/ping/1.0.0"));
}
