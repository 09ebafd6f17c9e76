//! What becomes of a forked log later.

use maillon_protocol::{
    charter::RemovalReason,
    record::Record,
    replica::{Replica, Row},
};
use maillon_tests::net::{Net, note};

use super::{FELL, OF_BOTH, SLEPT, agree, set, two_machines};

#[test]
fn a_node_whose_log_forked_is_removed_and_comes_back() {
    let (mut net, circle, twin) = two_machines(207);
    net.cut(twin, 2);
    net.connect(1, 2);
    // The first member hands over, so that somebody can remove it.
    let (first, second) = (net.id(0), net.id(1));
    net.act(0, |node, now| {
        node.with(|replica, rows, rng| replica.hand_over(rows, &circle, second, now, rng))
    })
    .unwrap();
    assert!(net.run_until(|net| agree(net, &[0, 1, 2], &circle, &OF_BOTH)));
    net.act(1, |node, now| {
        let why = RemovalReason::Compromised;
        node.with(|replica, rows, rng| replica.remove(rows, &circle, first, why, now, rng))
    })
    .unwrap();
    let removed =
        |net: &Net, node: usize| !net.nodes[node].circles[&circle].charter.is_member(&first);
    assert!(net.run_until(|net| removed(net, 0) && removed(net, 2)));
    // The second machine comes back, and writes on where nothing counts any more.
    net.write(twin, &circle, FELL);
    net.connect(twin, 2);
    net.run(60_000);
    assert!(!net.notes(2, &circle).contains(FELL));
    assert!(net.notes(2, &circle).is_superset(&set(&OF_BOTH[..3])));
    net.invite(1, 0, circle);
    assert!(net.run_until(|net| net.nodes[0].circles[&circle].charter.is_member(&first)));
    assert!(net.run_until(|net| net.nodes[0].circles[&circle].current_secret().is_some()));
    net.write(0, &circle, SLEPT);
    assert!(net.run_until(|net| net.notes(2, &circle).contains(SLEPT)));
    net.invariants().unwrap();
}

#[test]
fn what_a_branch_says_can_be_erased() {
    let (mut net, circle, twin) = two_machines(208);
    net.cut(twin, 2);
    net.connect(1, 2);
    assert!(net.run_until(|net| agree(net, &[0, 1, 2], &circle, &OF_BOTH)));
    let written = &net.nodes[2].all_records(&circle);
    let held = &net.nodes[2].circles[&circle];
    let says = |record: &&Record| {
        let said = held.read(record).map(|opened| opened.content);
        said.is_ok_and(|content| content == note("Au second, jour 1."))
    };
    let record = written.iter().find(says).unwrap().id();
    let beside = net.nodes[0].circles[&circle].logs.clone();
    net.act(0, |node, now| node.ask_erasure(&circle, record, now))
        .unwrap();
    for node in [0, 1, 2] {
        let asked = |net: &Net| {
            !Replica::erasures(&net.nodes[node].memory, &circle)
                .unwrap()
                .is_empty()
        };
        assert!(net.run_until(asked), "{node}");
        net.act(node, |node, now| {
            node.decide_erasures(&circle, |_| true, now)
        });
        assert!(net.nodes[node].has_erased(&circle, &record), "{node}");
        assert!(
            !net.notes(node, &circle).contains("Au second, jour 1."),
            "{node}"
        );
    }
    let left: Vec<&str> = OF_BOTH
        .into_iter()
        .filter(|text| *text != "Au second, jour 1.")
        .collect();
    assert!(net.run_until(|net| agree(net, &[0, 1, 2], &circle, &left)));
    // The record that stands at its place on the other branch is whole.
    for (log, tip) in beside {
        for sequence in 1..=tip.height {
            let held = net.nodes[0].stored(&circle, &log, sequence).unwrap();
            assert!(held.body.is_some(), "{sequence}");
        }
    }
    // Who gets the branch later gets it without the text.
    net.connect(2, 3);
    assert!(net.run_until(|net| agree(net, &[2, 3], &circle, &left)));
    net.invariants().unwrap();
}

#[test]
fn of_a_file_whose_log_forked_nothing_stays_when_its_time_is_over() {
    let (mut net, circle, twin) = two_machines(214);
    net.cut(twin, 2);
    net.connect(1, 2);
    assert!(net.run_until(|net| agree(net, &[0, 1, 2], &circle, &OF_BOTH)));
    net.act(0, |node, now| {
        node.with(|replica, rows, rng| replica.close(rows, &circle, 0, now, rng))
    })
    .unwrap();
    assert!(net.run_until(|net| net.nodes[1].circles[&circle].charter.state().closed));
    net.act(1, |node, now| {
        node.with(|replica, rows, _| replica.finish(rows, &circle, now))
    })
    .unwrap();
    let more = |net: &mut Net| {
        net.act(1, |node, _| {
            node.with(|replica, rows, _| replica.sweep(rows, &circle))
        })
    };
    while more(&mut net).unwrap() {}
    let name = format!("{circle:?}");
    let rows = net.nodes[1].memory.rows().iter();
    let left: Vec<&Row> = rows
        .filter(|(row, value)| {
            let named = format!("{row:?}").contains(&name);
            named || value.windows(32).any(|window| window == circle.0)
        })
        .map(|(row, _)| row)
        .collect();
    assert_eq!(left, [&Row::Finished(circle)]);
}
