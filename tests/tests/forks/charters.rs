//! Two machines that sign as the steward.

use maillon_protocol::replica::Notice;
use maillon_tests::net::Net;

use super::{ATE, FELL, SLEPT, WALKED, agree, aside, head, set, two_stewards};

#[test]
fn members_of_a_forked_charter_stay_where_they_are_and_go_on_with_those_whom_both_branches_list() {
    let (mut net, circle, twin) = two_stewards(211);
    // One machine starts a new epoch and is met by the second member, the other removes the fourth one and is met by the third.
    net.act(0, |node, now| node.rotate(&circle, now)).unwrap();
    net.connect(0, 1);
    let gone = net.id(3);
    net.act(twin, |node, now| node.remove(&circle, gone, now));
    net.connect(twin, 2);
    let moved = |net: &Net, node: usize| {
        let held = &net.nodes[node].circles[&circle];
        held.charter.number() == 5 && held.current_secret().is_some()
    };
    assert!(net.run_until(|net| moved(net, 1) && moved(net, 2)));
    net.run(120_000);
    net.cut_all();
    net.write(1, &circle, ATE);
    net.write(2, &circle, SLEPT);
    let heads = [1, 2].map(|node| head(&net, node, &circle));
    assert_ne!(heads[0], heads[1]);
    // They meet. Each stays where it is, keeps what the other shows, and is told; and both read what either wrote.
    net.connect(1, 2);
    assert!(net.run_until(|net| agree(net, &[1, 2], &circle, &[WALKED, ATE, SLEPT])));
    assert_eq!([1, 2].map(|node| head(&net, node, &circle)), heads);
    for node in [1, 2] {
        let forked = Notice::CharterForked { circle, entry: 5 };
        assert!(net.nodes[node].notices.contains(&forked));
        assert_eq!(aside(&net, node, &circle), 1);
    }
    // What is written from now on passes too, in both directions.
    net.write(1, &circle, FELL);
    net.write(2, &circle, "Va mieux.");
    let all = [WALKED, ATE, SLEPT, FELL, "Va mieux."];
    assert!(net.run_until(|net| agree(net, &[1, 2], &circle, &all)));
    net.run(120_000);
    // Whom one branch removes is sent nothing by those who know it, whichever branch they stand on.
    net.cut_all();
    net.frames.clear();
    net.connect(1, 3);
    net.run(120_000);
    assert!(!net.said(1, 3, &circle.0));
    assert_eq!(net.notes(3, &circle), set(&[WALKED]));
    // Both rest.
    net.cut_all();
    net.connect(1, 2);
    net.run(600_000);
    let sent = |net: &Net| [1, 2].map(|node| net.nodes[node].traffic.bytes_sent);
    let before = sent(&net);
    net.run(1_800_000);
    assert_eq!(sent(&net), before);
    // Through a restart, what is known of the other branch is known.
    net.crash(1);
    net.connect(1, 2);
    net.write(2, &circle, "Est rentrée.");
    assert!(net.run_until(|net| net.notes(1, &circle).contains("Est rentrée.")));
    net.invariants().unwrap();
}

#[test]
fn a_forked_circle_is_continued_by_a_successor_that_all_follow() {
    let (mut net, circle, twin) = two_stewards(212);
    net.act(0, |node, now| node.rotate(&circle, now)).unwrap();
    net.connect(0, 1);
    net.act(twin, |node, now| node.rotate(&circle, now))
        .unwrap();
    net.connect(twin, 2);
    net.run(120_000);
    net.cut_all();
    net.connect(1, 2);
    net.connect(2, 3);
    net.write(1, &circle, ATE);
    assert!(net.run_until(|net| agree(net, &[1, 2, 3], &circle, &[WALKED, ATE])));
    let steward = net.id(0);
    let new = net
        .act(1, |node, now| {
            node.with(|replica, rows, rng| replica.succeed(rows, &circle, &[steward], now, rng))
        })
        .unwrap();
    // It continues the circle up to the last entry that both branches have.
    let old = net.nodes[1].circles[&new.circle].continues.unwrap();
    assert_eq!((old.circle, old.entry), (circle, 4));
    assert_eq!(new.asked, [net.id(2), net.id(3)]);
    net.connect(1, 3);
    for node in [2, 3] {
        assert!(
            net.run_until(|net| net.nodes[node].undecided().is_some()),
            "{node}"
        );
        net.act(node, |node, now| node.accept_first(now));
        assert!(
            net.run_until(|net| net.nodes[node].circles.contains_key(&new.circle)),
            "{node}"
        );
        assert_eq!(net.nodes[node].circles[&circle].continued, Some(new.circle));
    }
    net.write(2, &new.circle, SLEPT);
    assert!(net.run_until(|net| agree(net, &[1, 2, 3], &new.circle, &[SLEPT])));
    assert!(agree(&net, &[1, 2, 3], &circle, &[WALKED, ATE]));
    net.invariants().unwrap();
}
