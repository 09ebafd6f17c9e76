//! Keeping a connection up: who dials whom, when again, and what stays when both do.

mod network;

use std::time::Duration;

use maillon_node::network::{DialTrouble, NetworkConfig, NetworkEvent, Trouble};
use network::{Node, PATIENCE, QUIC, TCP, linked, node, quick, soon};

#[tokio::test]
async fn nodes_that_dial_each_other_at_once_settle_on_one_link_without_a_change() {
    for round in 0..6u8 {
        let listen = [QUIC, TCP][usize::from(round % 2)];
        let mut a = Node::start(1, &[2], quick(&[listen])).await;
        let mut b = Node::start(2, &[1], quick(&[listen])).await;
        let (to_b, to_a) = (b.addresses.clone(), a.addresses.clone());
        let (one, other) = tokio::join!(a.handle.keep(b.id, &to_b), b.handle.keep(a.id, &to_a));
        one.and(other).expect("both keep");
        // The first thing that either says.
        let (first, second) = tokio::join!(a.event(), b.event());
        let (NetworkEvent::LinkUp { link: at_a, .. }, NetworkEvent::LinkUp { link: mut at_b, .. }) =
            (first, second)
        else {
            panic!("something else than a link came first");
        };
        // Both see one connection, and it is the link's.
        let both = async {
            loop {
                let one = a.sees(b.id, |status| !status.dialling).await;
                let other = b.sees(a.id, |status| !status.dialling).await;
                let dialled = |s: &maillon_node::network::NodeStatus| {
                    s.connected.map(|connected| connected.dialled_here)
                };
                if let (Some(here), Some(there)) = (dialled(&one), dialled(&other))
                    && here != there
                {
                    return;
                }
            }
        };
        soon(both).await;
        for number in 0..20u8 {
            at_a.send(vec![number]).await.expect("it still stands");
            assert_eq!(soon(at_b.recv()).await, Some(vec![number]));
        }
        // The second connection goes, where there was one; the link stays.
        soon(async {
            while a.handle.status().await.expect("it runs").connections > 1 {
                tokio::task::yield_now().await;
            }
        })
        .await;
        at_a.send(vec![99]).await.expect("it still stands");
        assert_eq!(soon(at_b.recv()).await, Some(vec![99]));
        // Nothing else was said: no link went down, none came twice.
        assert!(a.events.try_recv().is_err() && b.events.try_recv().is_err());
    }
}

#[tokio::test]
async fn whichever_way_wins_there_is_one_link_and_no_failure() {
    for (dials, listens) in [(1, 2), (2, 1)] {
        for _ in 0..15 {
            let mut b = Node::start(listens, &[dials], quick(&[QUIC, TCP])).await;
            let mut a = Node::start(dials, &[listens], quick(&[])).await;
            a.handle.keep(b.id, &b.addresses).await.expect("kept");
            let (first, second) = tokio::join!(a.event(), b.event());
            let (
                NetworkEvent::LinkUp { link, .. },
                NetworkEvent::LinkUp {
                    link: mut there, ..
                },
            ) = (first, second)
            else {
                panic!("something else than a link came first");
            };
            link.send(b"here".to_vec()).await.expect("taken");
            assert_eq!(soon(there.recv()).await, Some(b"here".to_vec()));
            assert!(a.events.try_recv().is_err() && b.events.try_recv().is_err());
        }
    }
}

#[tokio::test]
async fn a_node_that_was_away_is_found_again_when_it_comes_back() {
    for listen in [QUIC, TCP] {
        let hasty = NetworkConfig {
            dial_timeout: Duration::from_secs(2),
            ..quick(&[])
        };
        let (mut a, _at_a, b, _at_b) = linked(hasty, quick(&[listen])).await;
        let address = b.addresses[0].clone();
        soon(b.handle.shutdown()).await;
        a.until(|event| matches!(event, NetworkEvent::LinkDown { .. }).then_some(()))
            .await;
        // It fails at least twice, and goes on.
        for _ in 0..2 {
            a.until(|event| matches!(event, NetworkEvent::DialFailed { .. }).then_some(()))
                .await;
        }
        let same_place = NetworkConfig {
            listen: vec![address],
            ..quick(&[])
        };
        let mut b = Node::start(2, &[1], same_place).await;
        let (mut at_a, at_b) = tokio::join!(a.link(), b.link());
        at_b.send(b"back".to_vec()).await.expect("taken");
        assert_eq!(soon(at_a.recv()).await, Some(b"back".to_vec()));
    }
}

#[tokio::test]
async fn a_node_that_vanished_without_goodbye_and_dials_again_gets_a_new_link() {
    let mut b = Node::start(2, &[1], quick(&[QUIC])).await;
    let a = Node::start(1, &[2], quick(&[])).await;
    a.handle.keep(b.id, &b.addresses).await.expect("kept");
    let _first = b.link().await;
    // Its runtime goes on, its handle and events are dropped: the room leaves; a second life of the same node comes at once.
    drop(a);
    let again = Node::start(1, &[2], quick(&[])).await;
    again.handle.keep(b.id, &b.addresses).await.expect("kept");
    b.until(|event| matches!(event, NetworkEvent::LinkDown { .. }).then_some(()))
        .await;
    b.link().await;
}

#[tokio::test]
async fn retry_and_an_incoming_connection_end_a_long_wait_at_once() {
    let patient = NetworkConfig {
        first_wait: PATIENCE * 10,
        cap: PATIENCE * 10,
        ..quick(&[TCP])
    };
    let mut a = Node::start(1, &[2], patient).await;
    let nowhere = ["/ip4/127.0.0.1/tcp/9".parse().expect("an address")];
    a.handle.keep(node(2), &nowhere).await.expect("kept");
    let failed = |event| match event {
        NetworkEvent::DialFailed { error, .. } => Some(error),
        _ => None,
    };
    assert_eq!(a.until(failed).await, DialTrouble::NothingListens);
    let waiting = a
        .sees(node(2), |status| status.next_attempt.is_some())
        .await;
    assert!(waiting.next_attempt > Some(PATIENCE));
    assert_eq!(
        waiting.last_trouble.map(|(trouble, _)| trouble),
        Some(Trouble::Dial(DialTrouble::NothingListens))
    );

    a.handle.retry(node(2)).await.expect("it runs");
    a.until(failed).await;
    a.handle.urgent(node(2), true).await.expect("it runs");
    let urgent = a.sees(node(2), |status| status.urgent).await;
    assert!(urgent.next_attempt <= Some(Duration::from_secs(10)));

    let mut b = Node::start(2, &[1], quick(&[])).await;
    b.handle.keep(a.id, &a.addresses).await.expect("kept");
    tokio::join!(a.link(), b.link());
    let status = a.sees(b.id, |status| status.connected.is_some()).await;
    assert_eq!(status.next_attempt, None);
}

#[tokio::test]
async fn a_node_that_is_forgotten_is_dialled_no_more() {
    let mut a = Node::start(1, &[2], quick(&[])).await;
    let nowhere = ["/ip4/127.0.0.1/tcp/9".parse().expect("an address")];
    a.handle.keep(node(2), &nowhere).await.expect("kept");
    a.until(|event| matches!(event, NetworkEvent::DialFailed { .. }).then_some(()))
        .await;
    a.handle.forget(node(2)).await.expect("it runs");
    let status = a.sees(node(2), |status| !status.kept).await;
    assert_eq!(status.next_attempt, None);
}
