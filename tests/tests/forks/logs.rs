//! Two machines in one name, and a disk that went back: nothing is lost of what either wrote.

use maillon_protocol::{
    charter::Grant,
    content::{Alert, Content, Severity},
    limits,
    replica::{Notice, RowPrefix, Rows},
    sync::Message,
};
use maillon_tests::net::Net;

use super::{ATE, FELL, OF_BOTH, SLEPT, WALKED, agree, set, two_machines, was_told};

#[test]
fn what_was_written_on_an_old_copy_of_a_disk_and_what_came_before_are_both_shown_by_everybody() {
    let mut net = Net::new(201, 3);
    let circle = net.circle(0, &[1, 2]);
    net.connect(1, 2);
    let old = net.nodes[0].memory.clone();
    for text in [WALKED, ATE] {
        net.write(0, &circle, text);
    }
    assert!(net.run_until(|net| agree(net, &[0, 1, 2], &circle, &[WALKED, ATE])));
    net.cut_all();
    let log = net.nodes[0].replica.own_log();
    net.nodes[0].memory = old;
    net.crash(0);
    // On the old copy, three notes before it meets anybody: its log is longer than at the others, and another one.
    for text in [SLEPT, FELL, "Va mieux."] {
        net.write(0, &circle, text);
    }
    net.connect_all();
    let all = [WALKED, ATE, SLEPT, FELL, "Va mieux."];
    assert!(net.run_until(|net| agree(net, &[0, 1, 2], &circle, &all)));
    assert!(net.nodes[0].replica.own_log() != log);
    assert!(net.nodes[0].notices.contains(&Notice::NewIncarnation));
    for node in 0..3 {
        assert!(was_told(&net, node, "fork"), "{node}");
        // What was written again stands in a log that has not forked.
        assert_eq!(net.marked(node, &circle), set(&[WALKED, ATE]), "{node}");
    }
    // Nothing waits for anybody, and nothing is written again once more.
    let others = [net.id(1), net.id(2)];
    assert!(net.run_until(|net| {
        others
            .iter()
            .all(|other| net.nodes[0].owed(&circle, other).is_empty())
    }));
    let height = |net: &Net| {
        let log = net.nodes[0].replica.own_log();
        net.nodes[0].circles[&circle].logs[&log].height
    };
    let before = height(&net);
    net.run(7_200_000);
    assert_eq!(height(&net), before);
    assert_eq!(before, 4);
    for node in 0..3 {
        net.crash(node);
    }
    net.connect_all();
    assert!(net.run_until(|net| agree(net, &[0, 1, 2], &circle, &all)));
    net.invariants().unwrap();
}

#[test]
fn two_machines_that_run_in_one_name_lose_nothing_of_what_either_wrote() {
    let (mut net, circle, twin) = two_machines(202);
    net.connect(1, 2);
    assert!(net.run_until(|net| agree(net, &[1, 2], &circle, &OF_BOTH)));
    // Both are told by the others, and go on in lives that are two.
    assert!(net.run_until(|net| agree(net, &[0, 1, 2, twin], &circle, &OF_BOTH)));
    let logs = [0, twin].map(|node| net.nodes[node].replica.own_log());
    assert_ne!(logs[0], logs[1]);
    net.write(0, &circle, WALKED);
    net.write(twin, &circle, ATE);
    let all = [&OF_BOTH[..], &[WALKED, ATE]].concat();
    assert!(net.run_until(|net| agree(net, &[0, 1, 2, twin], &circle, &all)));
    // Each sees that somebody else writes in its name.
    for node in [0, twin] {
        let twice = |notice: &Notice| matches!(notice, Notice::RunsTwice { .. });
        assert_eq!(
            net.nodes[node]
                .notices
                .iter()
                .filter(|one| twice(one))
                .count(),
            1
        );
        assert!(was_told(&net, node, "fork"));
    }
    // Once it is known, each begins one life and no more.
    net.run(24 * 3_600_000);
    assert_eq!(
        [0, twin].map(|node| net.nodes[node].replica.own_log()),
        logs
    );
    net.invariants().unwrap();
}

#[test]
fn what_a_machine_wrote_that_was_stopped_before_it_learned_of_the_other_is_shown_and_marked() {
    let (mut net, circle, twin) = two_machines(203);
    // The second one is gone for good; only the third member has what it wrote.
    net.cut(twin, 2);
    net.connect(1, 2);
    assert!(net.run_until(|net| agree(net, &[0, 1, 2], &circle, &OF_BOTH)));
    for node in [0, 1, 2] {
        assert_eq!(net.marked(node, &circle), set(&OF_BOTH[3..]), "{node}");
    }
    // Through a member that keeps it aside it reaches one that never met whoever stands on it.
    net.cut_all();
    net.connect(1, 3);
    assert!(net.run_until(|net| agree(net, &[1, 3], &circle, &OF_BOTH)));
    assert_eq!(net.marked(3, &circle), set(&OF_BOTH[3..]));
    // Not again with every contact: both know that the other knows.
    net.run(120_000);
    net.cut_all();
    net.write(1, &circle, WALKED);
    net.frames.clear();
    net.connect(1, 3);
    assert!(net.run_until(|net| net.notes(3, &circle).contains(WALKED)));
    net.run(120_000);
    let sent = net.frames[&(1, 3)]
        .iter()
        .map(|frame| match Message::decode(frame) {
            Ok(Message::Records { records, .. }) => records.len(),
            _ => 0,
        });
    // The record that opens the writer's log, and the note.
    assert_eq!(sent.sum::<usize>(), 2);
    // Through restarts, and when the views are worked out again.
    for node in [0, 1, 2, 3] {
        let digest = net.nodes[node].digest(&circle);
        net.crash(node);
        net.act(node, |node, _| {
            node.with(|replica, rows, _| replica.reproject(rows, &circle))
                .unwrap()
        });
        assert_eq!(net.nodes[node].digest(&circle), digest);
    }
    net.invariants().unwrap();
}

#[test]
fn a_branch_longer_than_what_is_kept_aside_is_written_again_whole() {
    let mut net = Net::new(204, 2);
    let circle = net.circle(0, &[1]);
    let old = net.nodes[0].memory.clone();
    let long = limits::ASIDE + 50;
    for number in 0..long {
        net.write(0, &circle, &format!("Avant {number}."));
    }
    assert!(net.run_until(|net| net.same(0, 1, &circle)));
    net.cut_all();
    net.nodes[0].memory = old;
    net.crash(0);
    for number in 0..long {
        net.write(0, &circle, &format!("Après {number}."));
    }
    net.connect(0, 1);
    let count = |net: &Net, node: usize, word: &str| {
        let notes = net.notes(node, &circle);
        notes.iter().filter(|text| text.starts_with(word)).count()
    };
    assert!(net.run_until(|net| count(net, 1, "Après") == long));
    net.run(600_000);
    // What nobody of that branch writes again is kept as far as there is room.
    assert_eq!(count(&net, 0, "Avant"), limits::ASIDE);
    assert_eq!(count(&net, 0, "Après"), long);
    assert_eq!(count(&net, 1, "Avant"), long);
    let told = net.nodes[0].notices.iter();
    assert_eq!(
        told.filter(|one| matches!(one, Notice::NotKept { .. }))
            .count(),
        1
    );
    // Both rest: nothing is asked for again and again.
    let sent = |net: &Net| [0, 1].map(|node| net.nodes[node].traffic.bytes_sent);
    let before = sent(&net);
    net.run(1_800_000);
    assert_eq!(sent(&net), before);
    net.invariants().unwrap();
}

#[test]
fn who_was_admitted_without_the_past_has_its_part_of_both_branches() {
    let mut net = Net::new(209, 4);
    let circle = net.circle(0, &[1]);
    for text in [WALKED, ATE] {
        net.write(0, &circle, text);
    }
    assert!(net.run_until(|net| net.same(0, 1, &circle)));
    net.connect(0, 2);
    net.invite_with(0, 2, circle, Grant::Nothing);
    assert!(net.run_until(|net| net.nodes[2].circles.contains_key(&circle)));
    net.run(120_000);
    net.cut_all();
    let twin = net.twin(0);
    net.connect(0, 1);
    net.connect(twin, 2);
    net.write(0, &circle, SLEPT);
    net.write(twin, &circle, FELL);
    assert!(net.run_until(|net| net.notes(1, &circle).contains(SLEPT)));
    assert!(net.run_until(|net| net.notes(2, &circle).contains(FELL)));
    net.cut(twin, 2);
    net.connect(1, 2);
    assert!(net.run_until(|net| {
        net.notes(1, &circle) == set(&[WALKED, ATE, SLEPT, FELL])
            && net.notes(2, &circle) == set(&[SLEPT, FELL])
    }));
    // Both rest, though one of them has not what lies before its part, and nothing waits for either.
    net.run(600_000);
    net.cut(0, 1);
    net.run(600_000);
    let sent = |net: &Net| [1, 2].map(|node| net.nodes[node].traffic.bytes_sent);
    let before = sent(&net);
    net.run(1_800_000);
    assert_eq!(sent(&net), before);
    for (node, other) in [(1, 2), (2, 1)] {
        assert_eq!(net.nodes[node].owed(&circle, &net.id(other)), []);
    }
    net.invariants().unwrap();
}

#[test]
fn an_alert_that_was_written_on_an_old_copy_is_delivered_and_waits_no_more() {
    let mut net = Net::new(210, 2);
    let circle = net.circle(0, &[1]);
    let old = net.nodes[0].memory.clone();
    net.write(0, &circle, WALKED);
    assert!(net.run_until(|net| net.same(0, 1, &circle)));
    net.cut_all();
    net.nodes[0].memory = old;
    net.crash(0);
    let alert = Content::Alert(Alert {
        severity: Severity::High,
        text: FELL.to_owned(),
        addressees: Vec::new(),
        answer_by_ms: 0,
    });
    let first = net
        .act(0, |node, now| node.write(&circle, alert.clone(), now))
        .unwrap();
    let to = net.id(1);
    let waiting = |net: &Net| {
        let rows = &net.nodes[0].memory;
        rows.scan(&RowPrefix::AwaitedIn(to, circle)).unwrap().len()
    };
    assert_eq!(waiting(&net), 1);
    net.connect(0, 1);
    // What is delivered is the alert as it was written again, not the one in whose place the other has something else.
    assert!(net.run_until(|net| waiting(net) == 0));
    let delivered = |notice: &Notice| match notice {
        Notice::Delivered { record, .. } => Some(*record),
        _ => None,
    };
    let all: Vec<_> = net.nodes[0].notices.iter().filter_map(delivered).collect();
    assert_eq!(all.len(), 1);
    assert_ne!(all[0], first);
    let shown = net.nodes[1].shown(&circle);
    assert_eq!(shown.iter().filter(|(said, _)| *said == alert).count(), 1);
}
