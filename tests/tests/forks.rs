//! Logs and charters that fork, in virtual time: a disk that goes back, a disk that is copied, a key that signs twice.
#![allow(
    clippy::unwrap_used,
    reason = "a test that cannot go on should say where"
)]

use std::collections::BTreeSet;

use maillon_protocol::{
    cbor::Bytes,
    charter::{Entry, Grant, RemovalReason},
    content::{Alert, Content, Severity},
    ids::{CircleId, EntryHash},
    limits,
    record::Record,
    replica::{Notice, Replica, Row, RowPrefix, Rows},
    sign::sign,
    sync::{Message, SentRecord},
};
use maillon_tests::net::{Net, note};

const WALKED: &str = "A marché jusqu'au portail ce matin.";
const ATE: &str = "N'a rien mangé à midi.";
const SLEPT: &str = "Dort beaucoup.";
const FELL: &str = "Est tombée dans l'escalier.";

fn set(texts: &[&str]) -> BTreeSet<String> {
    texts.iter().map(|text| (*text).to_owned()).collect()
}

/// Everybody shows these notes and the same things.
fn agree(net: &Net, nodes: &[usize], circle: &CircleId, texts: &[&str]) -> bool {
    let digest = |node: usize| net.nodes[node].digest(circle);
    nodes
        .iter()
        .all(|node| net.notes(*node, circle) == set(texts) && digest(*node) == digest(nodes[0]))
}

/// What of a circle is kept aside at a node.
fn aside(net: &Net, node: usize, circle: &CircleId) -> usize {
    let rows = &net.nodes[node].memory;
    rows.scan(&RowPrefix::Aside(*circle)).unwrap().len()
}

fn was_told(net: &Net, node: usize, word: &str) -> bool {
    let told = |notice: &Notice| matches!(notice, Notice::Aside { what, .. } if *what == word);
    net.nodes[node].notices.iter().any(told)
}

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

/// Three members and a fourth that joins later. The first one's disk is copied: from then on two machines run in its name, one meets the second
/// member, the other the third, and both are written at.
fn two_machines(seed: u64) -> (Net, CircleId, usize) {
    let mut net = Net::new(seed, 4);
    let circle = net.circle(0, &[1, 2, 3]);
    assert!(net.run_until(|net| (1..4).all(|node| net.same(0, node, &circle))));
    net.cut_all();
    let twin = net.twin(0);
    net.connect(0, 1);
    net.connect(twin, 2);
    for day in 0..3 {
        net.write(0, &circle, &format!("Au premier, jour {day}."));
        net.write(twin, &circle, &format!("Au second, jour {day}."));
        net.run(24 * 3_600_000);
    }
    (net, circle, twin)
}

const OF_BOTH: [&str; 6] = [
    "Au premier, jour 0.",
    "Au premier, jour 1.",
    "Au premier, jour 2.",
    "Au second, jour 0.",
    "Au second, jour 1.",
    "Au second, jour 2.",
];

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

fn as_sent(record: &Record) -> SentRecord {
    SentRecord {
        header: Bytes(record.header.bytes.clone()),
        body: Bytes(record.body.clone().unwrap_or_default()),
    }
}

/// Says records to a node as answers to nothing.
fn give(net: &mut Net, from: usize, to: usize, circle: &CircleId, records: Vec<SentRecord>) {
    let charter = &net.nodes[to].circles[circle].charter;
    let (entry, entry_hash) = (charter.number(), charter.head());
    for some in records.chunks(50) {
        let message = Message::Records {
            circle: *circle,
            entry,
            entry_hash,
            records: some.to_vec(),
            wanted: false,
        };
        net.say(from, to, &message);
    }
}

#[test]
fn a_member_that_forks_its_own_log_without_end_costs_the_others_a_bounded_room() {
    let mut net = Net::new(205, 3);
    let circle = net.circle(0, &[1, 2]);
    net.connect(1, 2);
    net.write(1, &circle, WALKED);
    assert!(net.run_until(|net| net.same(0, 1, &circle) && net.same(0, 2, &circle)));
    net.run(60_000);
    // The second member signs one record after another for one place of its log.
    let old = net.nodes[1].memory.clone();
    let log = net.nodes[1].replica.own_log();
    let place = net.nodes[1].circles[&circle].logs[&log].height + 1;
    let mut records = Vec::new();
    net.cut_all();
    for number in 0..limits::ASIDE + 100 {
        net.nodes[1].memory = old.clone();
        net.crash(1);
        net.write(1, &circle, &format!("Version {number}."));
        records.push(as_sent(&net.nodes[1].stored(&circle, &log, place).unwrap()));
    }
    net.nodes[1].memory = old;
    net.crash(1);
    net.connect(0, 1);
    net.connect(0, 2);
    net.run(10_000);
    give(&mut net, 1, 0, &circle, records.clone());
    net.run(600_000);
    for node in [0, 2] {
        assert_eq!(aside(&net, node, &circle), limits::ASIDE, "{node}");
        // The first one is the value, the others stand beside it.
        assert_eq!(net.notes(node, &circle).len(), limits::ASIDE + 2, "{node}");
        let full = |notice: &Notice| matches!(notice, Notice::NotKept { error, .. } if error.limit == limits::ASIDE as u64);
        assert!(
            node == 2
                || net.nodes[node]
                    .notices
                    .iter()
                    .filter(|one| full(one))
                    .count()
                    == 1
        );
    }
    // Said again, it changes nothing; and what others write arrives.
    let rows = net.nodes[0].memory.rows().len();
    give(&mut net, 1, 0, &circle, records);
    net.run(600_000);
    assert_eq!(net.nodes[0].memory.rows().len(), rows);
    net.write(2, &circle, ATE);
    assert!(net.run_until(|net| net.notes(0, &circle).contains(ATE)));
    net.invariants().unwrap();
}

#[test]
fn charter_entries_that_do_not_fit_cost_a_bounded_room_too() {
    let mut net = Net::new(206, 3);
    let circle = net.circle(0, &[1]);
    net.run(60_000);
    let last = {
        let rows = &net.nodes[0].memory;
        let all = rows.scan(&RowPrefix::Entries(circle, 0)).unwrap();
        let parsed =
            maillon_protocol::sign::Unverified::<Entry>::parse(all.last().unwrap().clone());
        parsed.unwrap().object
    };
    // A member that is not the steward signs entries, and so does somebody who was never in the circle.
    for signer in [1, 2] {
        let key = net.nodes[signer].key().clone();
        let entries: Vec<Bytes> = (0..limits::ASIDE as u64 + 50)
            .map(|number| {
                let entry = Entry {
                    number: last.number + 1,
                    previous: Some(net.nodes[0].circles[&circle].charter.head()),
                    signer: key.id(),
                    time: maillon_protocol::time::Timestamp::from_ms(number),
                    ..last.clone()
                };
                Bytes(sign(entry, &key).bytes)
            })
            .collect();
        for entry in entries {
            let message = Message::Entries {
                circle,
                entries: vec![entry],
                seals: Vec::new(),
                more: false,
            };
            net.say(1, 0, &message);
        }
        net.run(60_000);
        assert!(was_told(&net, 0, "entry"));
        assert_eq!(aside(&net, 0, &circle), limits::ASIDE, "{signer}");
    }
}

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

/// Three members, and the steward's disk is copied: from then on two machines can sign as the steward.
fn two_stewards(seed: u64) -> (Net, CircleId, usize) {
    let mut net = Net::new(seed, 5);
    let circle = net.circle(0, &[1, 2, 3]);
    net.connect_all();
    net.write(1, &circle, WALKED);
    assert!(net.run_until(|net| (1..4).all(|node| net.same(0, node, &circle))));
    net.run(120_000);
    net.cut_all();
    let twin = net.twin(0);
    (net, circle, twin)
}

fn head(net: &Net, node: usize, circle: &CircleId) -> (u64, EntryHash) {
    let charter = &net.nodes[node].circles[circle].charter;
    (charter.number(), charter.head())
}

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

#[test]
fn a_steward_that_forks_a_charter_without_end_is_followed_on_a_few_branches() {
    let (mut net, circle, _) = two_stewards(213);
    let old = net.nodes[0].memory.clone();
    let mut entries = Vec::new();
    for number in 0..20 {
        net.nodes[0].memory = old.clone();
        net.crash(0);
        net.run(number);
        net.act(0, |node, now| node.rotate(&circle, now)).unwrap();
        let rows = &net.nodes[0].memory;
        entries.push(Bytes(
            rows.scan(&RowPrefix::Entries(circle, 4)).unwrap().remove(0),
        ));
    }
    net.connect(0, 1);
    assert!(net.run_until(|net| head(net, 1, &circle) == head(net, 0, &circle)));
    for entry in entries {
        let message = Message::Entries {
            circle,
            entries: vec![entry],
            seals: Vec::new(),
            more: false,
        };
        net.say(0, 1, &message);
    }
    net.run(60_000);
    let charter = |net: &Net| net.nodes[1].circles[&circle].charter.clone();
    assert_eq!(charter(&net).rivals().len() + 1, limits::BRANCHES);
    assert_eq!(aside(&net, 1, &circle), 19);
    // Those who stand on one of them all the same exchange what they write.
    net.cut_all();
    net.connect(1, 2);
    net.connect(2, 3);
    net.write(1, &circle, ATE);
    net.write(3, &circle, SLEPT);
    assert!(net.run_until(|net| agree(net, &[1, 2, 3], &circle, &[WALKED, ATE, SLEPT])));
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
