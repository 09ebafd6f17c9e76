//! The end of a file's time, in virtual time: nothing of it stays at the node whose time is over, nothing comes back, and others keep theirs.
#![allow(
    clippy::unwrap_used,
    reason = "a test that cannot go on should say where"
)]

use maillon_protocol::{
    charter::{Entry, Grant},
    ids::CircleId,
    replica::{FinishFailed, Finished, Replica, Row, RowPrefix, Rows},
    sign::Unverified,
    sync::Message,
};
use maillon_tests::net::Net;

fn three(seed: u64) -> (Net, CircleId) {
    let mut net = Net::new(seed, 3);
    let circle = net.circle(0, &[1, 2]);
    net.connect(1, 2);
    for node in 0..3 {
        net.write(node, &circle, "Passage du matin.");
    }
    net.run(60_000);
    (net, circle)
}

fn close(net: &mut Net, circle: &CircleId) {
    net.act(0, |node, now| {
        node.with(|replica, rows, rng| replica.close(rows, circle, 0, now, rng))
    })
    .unwrap();
    net.run(10_000);
}

fn finish(net: &mut Net, node: usize, circle: &CircleId) -> Result<Finished, FinishFailed> {
    net.act(node, |node, now| {
        node.with(|replica, rows, _| replica.finish(rows, circle, now))
    })
}

/// One part; whether there is more.
fn sweep(net: &mut Net, node: usize, circle: &CircleId) -> bool {
    net.act(node, |node, _| {
        node.with(|replica, rows, _| replica.sweep(rows, circle))
    })
    .unwrap()
}

/// The rows of a node that name a circle or hold its name, but for what may stay.
fn left(net: &Net, node: usize, circle: &CircleId) -> Vec<Row> {
    let name = format!("{circle:?}");
    let rows = net.nodes[node].memory.rows().iter();
    rows.filter(|(row, value)| {
        let named = format!("{row:?}").contains(&name);
        let held = value.windows(32).any(|window| window == circle.0);
        !matches!(row, Row::Finished(_)) && (named || held)
    })
    .map(|(row, _)| *row)
    .collect()
}

fn sent(net: &Net, from: usize, to: usize, is_one: impl Fn(&Message) -> bool) -> usize {
    let frames = net.frames.get(&(from, to)).into_iter().flatten();
    let messages = frames.filter_map(|frame| Message::decode(frame).ok());
    messages.filter(is_one).count()
}

fn charters_sent(net: &Net, from: usize, to: usize) -> usize {
    sent(net, from, to, |message| {
        matches!(message, Message::Entries { .. })
    })
}

/// Records and acknowledgements.
fn words_sent(net: &Net, from: usize, to: usize) -> usize {
    sent(net, from, to, |message| {
        matches!(message, Message::Records { .. } | Message::Ack(_))
    })
}

#[test]
fn of_a_file_whose_time_is_over_nothing_stays_and_nothing_comes_back() {
    let (mut net, circle) = three(301);
    assert!(matches!(
        finish(&mut net, 1, &circle),
        Err(FinishFailed::GoesOn)
    ));
    close(&mut net, &circle);
    let heights = net.nodes[1].circles[&circle].heights();
    let finished = finish(&mut net, 1, &circle).unwrap();
    assert_eq!(finished.heights, heights);
    assert!(!net.nodes[1].circles.contains_key(&circle));
    while sweep(&mut net, 1, &circle) {}
    assert_eq!(left(&net, 1, &circle), []);
    assert_eq!(Replica::finished(&net.nodes[1].memory).unwrap(), [finished]);
    // Whoever keeps it is told so, and sends nothing again: with each contact, after a restart, and in the sweep of the hour.
    let sent = charters_sent(&net, 0, 1) + charters_sent(&net, 2, 1);
    net.crash(1);
    net.connect_all();
    net.run(4_000_000);
    net.cut(0, 1);
    net.connect(0, 1);
    net.run(60_000);
    assert_eq!(charters_sent(&net, 0, 1) + charters_sent(&net, 2, 1), sent);
    assert_eq!(left(&net, 1, &circle), []);
    assert!(net.nodes.iter().all(|node| node.problems.is_empty()));
    assert!(net.same(0, 2, &circle));
    assert_eq!(net.texts(2, &circle).len(), 1);
}

#[test]
fn what_is_opened_again_comes_back_only_where_a_person_accepts_it() {
    let (mut net, circle) = three(302);
    close(&mut net, &circle);
    finish(&mut net, 1, &circle).unwrap();
    while sweep(&mut net, 1, &circle) {}
    net.run(1_000);
    let before = words_sent(&net, 0, 1) + words_sent(&net, 2, 1);
    net.act(0, |node, now| {
        node.with(|replica, rows, rng| replica.reopen(rows, &circle, 0, now, rng))
    })
    .unwrap();
    let mut after = net.write(0, &circle, "Reprise de la prise en charge.");
    for _ in 0..40 {
        net.run(1_000);
        after = net.write(0, &circle, "Passage.");
        net.write(2, &circle, "Passage aussi.");
    }
    net.run(300_000);
    assert!(net.nodes[2].record(&circle, after).is_some());
    // Who has let go of it is sent nothing, and blames nobody for what was on its way.
    let now = words_sent(&net, 0, 1) + words_sent(&net, 2, 1);
    assert_eq!(now, before);
    assert!(net.nodes[1].problems.is_empty());
    assert!(
        !net.nodes[1].circles.contains_key(&circle),
        "nobody accepted"
    );
    assert_eq!(left(&net, 1, &circle), []);
    let gone = net.id(1);
    net.act(0, |node, now| node.remove(&circle, gone, now));
    net.run(10_000);
    let to = net.id(1);
    net.act(0, |node, now| {
        node.invite_with(&circle, to, Grant::Whole, now)
    });
    assert!(net.run_until(|net| net.nodes[1].undecided().is_some()));
    net.act(1, |node, now| node.accept_first(now));
    assert!(
        net.run_until(|net| net.nodes[1].circles.contains_key(&circle) && net.same(0, 1, &circle))
    );
    assert_eq!(net.texts(1, &circle), net.texts(0, &circle));
    assert!(Replica::finished(&net.nodes[1].memory).unwrap().is_empty());
}

#[test]
fn a_node_that_stops_in_the_middle_goes_on_sweeping() {
    let (mut net, circle) = three(303);
    for number in 0..700 {
        let text = format!("Passage {number}.");
        net.act(1, |node, now| {
            node.write(&circle, maillon_tests::net::note(&text), now)
        })
        .unwrap();
    }
    assert!(net.run_until(|net| net.same(0, 1, &circle)));
    close(&mut net, &circle);
    finish(&mut net, 1, &circle).unwrap();
    assert!(sweep(&mut net, 1, &circle), "there is more than one part");
    let half = left(&net, 1, &circle).len();
    net.crash(1);
    assert_eq!(Replica::finishing(&net.nodes[1].memory).unwrap(), [circle]);
    // Nor does it come back meanwhile.
    net.connect_all();
    net.run(60_000);
    assert!(!net.nodes[1].circles.contains_key(&circle));
    assert_eq!(left(&net, 1, &circle).len(), half);
    while sweep(&mut net, 1, &circle) {}
    assert_eq!(left(&net, 1, &circle), []);
    assert!(Replica::finishing(&net.nodes[1].memory).unwrap().is_empty());
}

#[test]
fn who_was_removed_or_went_on_elsewhere_may_let_go_too() {
    let (mut net, circle) = three(304);
    let gone = net.id(2);
    net.act(0, |node, now| node.remove(&circle, gone, now));
    assert!(net.run_until(|net| !net.nodes[2].circles[&circle].charter.is_member(&gone)));
    finish(&mut net, 2, &circle).unwrap();
    while sweep(&mut net, 2, &circle) {}
    assert_eq!(left(&net, 2, &circle), []);
    // A steward goes last: whoever does not know that it has ended would not hear of it from anybody.
    net.cut(0, 1);
    net.act(0, |node, now| {
        node.with(|replica, rows, rng| replica.close(rows, &circle, 0, now, rng))
    })
    .unwrap();
    assert!(matches!(
        finish(&mut net, 0, &circle),
        Err(FinishFailed::NotTold)
    ));
    net.act(0, |node, now| {
        node.with(|replica, rows, rng| replica.reopen(rows, &circle, 0, now, rng))
    })
    .unwrap();
    net.connect(0, 1);
    net.run(10_000);
    // An acceptance from before admits nobody, whoever plays its charter again.
    let entries = net.nodes[0]
        .memory
        .scan(&RowPrefix::Entries(circle, 0))
        .unwrap();
    let entries: Vec<_> = entries
        .into_iter()
        .map(|bytes| Unverified::<Entry>::parse(bytes).unwrap().verify().unwrap())
        .filter(|entry| entry.object.number < 4)
        .collect();
    let steward = net.id(0);
    let taken = net.act(2, |node, now| {
        node.with(|replica, rows, rng| {
            replica.take_entries(rows, steward, circle, entries, &[], now, rng)
        })
    });
    assert!(taken.is_ok(), "known, and passed over");
    net.run(1_000);
    assert!(!net.nodes[2].circles.contains_key(&circle));
    // The steward is lost, and the other one goes on: the old circle ends with the one that continues it.
    net.cut_all();
    let next = net
        .act(1, |node, now| {
            node.with(|replica, rows, rng| replica.succeed(rows, &circle, &[], now, rng))
        })
        .unwrap()
        .circle;
    assert!(matches!(
        finish(&mut net, 1, &circle),
        Err(FinishFailed::GoesOn)
    ));
    net.act(1, |node, now| {
        node.with(|replica, rows, rng| replica.close(rows, &next, 0, now, rng))
    })
    .unwrap();
    for circle in [next, circle] {
        finish(&mut net, 1, &circle).unwrap();
        while sweep(&mut net, 1, &circle) {}
    }
    for circle in [next, circle] {
        assert_eq!(left(&net, 1, &circle), []);
    }
}

#[test]
fn who_has_left_lets_go_when_the_steward_has_followed_or_after_ninety_days() {
    const DAY_MS: u64 = 24 * 3_600_000;
    let (mut net, circle) = three(305);
    net.cut_all();
    let leave = |net: &mut Net, node: usize| {
        net.act(node, |node, now| {
            node.with(|replica, rows, _| replica.depart(rows, &circle, now))
        })
        .unwrap();
    };
    // Node 1 meets the steward again, node 2 nobody any more.
    leave(&mut net, 1);
    leave(&mut net, 2);
    for node in 1..3 {
        assert!(matches!(
            finish(&mut net, node, &circle),
            Err(FinishFailed::NotTold)
        ));
    }
    net.connect(0, 1);
    let gone = net.id(1);
    assert!(net.run_until(|net| {
        let charter = &net.nodes[1].circles[&circle].charter;
        charter.removed_by(&gone).is_some()
    }));
    finish(&mut net, 1, &circle).unwrap();
    net.cut_all();
    net.now += 89 * DAY_MS;
    assert!(matches!(
        finish(&mut net, 2, &circle),
        Err(FinishFailed::NotTold)
    ));
    net.now += 2 * DAY_MS;
    finish(&mut net, 2, &circle).unwrap();
}
