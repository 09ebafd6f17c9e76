//! What a removed member wrote in good time, and the steward had not seen when it signed the removal: in virtual time.
#![allow(
    clippy::unwrap_used,
    reason = "a test that cannot go on should say where"
)]

use maillon_protocol::{
    charter::{Change, Entry, RemovalReason, StewardError},
    circle::LogHeight,
    ids::{CircleId, Incarnation, LogId, RecordId},
    replica::{ArriveError, LateError, Row, RowPrefix, Rows, StewardshipError},
    sign::Unverified,
    sync::{CircleState, Message},
};
use maillon_tests::net::Net;

const STEWARD: usize = 0;
const DOCTOR: usize = 1;
const NURSE: usize = 2;

const WALKED: &str = "A marché jusqu'au portail ce matin.";
const ATE: &str = "N'a rien mangé à midi.";
const SLEPT: &str = "A bien dormi.";

/// Three members who hold the same and are connected with each other. The nurse's structure has written before.
fn three(seed: u64) -> (Net, CircleId) {
    let mut net = Net::new(seed, 3);
    let circle = net.circle(STEWARD, &[DOCTOR, NURSE]);
    net.connect(DOCTOR, NURSE);
    net.write(NURSE, &circle, WALKED);
    assert!(net.run_until(|net| all_same(net, &circle)));
    net.run(60_000);
    (net, circle)
}

fn all_same(net: &Net, circle: &CircleId) -> bool {
    net.same(STEWARD, DOCTOR, circle) && net.same(STEWARD, NURSE, circle)
}

/// The nurse writes this while the steward is away, and it reaches the doctor.
fn in_good_time(net: &mut Net, circle: &CircleId, texts: &[&str]) {
    net.cut(STEWARD, DOCTOR);
    net.cut(STEWARD, NURSE);
    for text in texts {
        net.write(NURSE, circle, text);
    }
    let last = *texts.last().unwrap();
    assert!(net.run_until(|net| net.texts(DOCTOR, circle).contains(last)));
    net.cut(DOCTOR, NURSE);
}

fn remove(net: &mut Net, circle: &CircleId, reason: RemovalReason) {
    let gone = net.id(NURSE);
    net.act(STEWARD, |node, now| {
        node.with(|replica, rows, rng| replica.remove(rows, circle, gone, reason, now, rng))
    })
    .unwrap();
}

fn let_late_count(net: &mut Net, node: usize, circle: &CircleId) -> Result<(), LateError> {
    let gone = net.id(NURSE);
    net.act(node, |node, now| {
        node.with(|replica, rows, rng| replica.let_late_count(rows, circle, &gone, now, rng))
    })
}

/// What changes by the entries that a node holds from a number on.
fn changes_from(net: &Net, node: usize, circle: &CircleId, first: u64) -> Vec<Change> {
    let held = net.nodes[node].circles[circle].charter.number();
    let entry = |number| {
        let row = net.nodes[node].memory.get(&Row::Entry(*circle, number));
        let entry = Unverified::<Entry>::parse(row.unwrap().unwrap()).unwrap();
        entry.object.change
    };
    (first..=held).map(entry).collect()
}

/// Whether a node shows a note as one that stands, and not as one that came after a removal.
fn stands(net: &Net, node: usize, circle: &CircleId, text: &str) -> bool {
    net.notes(node, circle).contains(text)
}

/// Steward and doctor show the same, these notes without a mark.
fn count(net: &Net, circle: &CircleId, texts: &[&str]) -> bool {
    let both =
        |text: &&str| stands(net, STEWARD, circle, text) && stands(net, DOCTOR, circle, text);
    net.same(STEWARD, DOCTOR, circle) && texts.iter().all(both)
}

#[test]
fn a_note_that_reached_one_member_and_not_the_steward_counts_once_those_two_meet() {
    let (mut net, circle) = three(201);
    in_good_time(&mut net, &circle, &[ATE, SLEPT]);
    remove(&mut net, &circle, RemovalReason::Ended);
    let removal = net.nodes[STEWARD].circles[&circle].charter.number();
    net.connect(STEWARD, DOCTOR);
    assert!(net.run_until(|net| count(net, &circle, &[ATE, SLEPT])));
    let changes = changes_from(&net, DOCTOR, &circle, removal + 1);
    let [
        Change::MoveCuts {
            node,
            removal: of,
            cuts,
        },
    ] = &changes[..]
    else {
        panic!("{changes:?}");
    };
    assert_eq!((*node, *of, cuts.len()), (net.id(NURSE), removal, 1));
    // Nobody is told any more that it does not count, and who was removed learns of its removal alone.
    for member in [STEWARD, DOCTOR] {
        assert!(net.nodes[member].circles[&circle].exceptions.is_empty());
    }
    net.connect(DOCTOR, NURSE);
    net.connect(STEWARD, NURSE);
    net.run(120_000);
    let known = net.nodes[NURSE].circles[&circle].charter.number();
    assert_eq!(known, removal);
    let problems = net.nodes.iter().map(|node| node.problems.len());
    assert_eq!(problems.sum::<usize>(), 0);
    net.invariants().unwrap();
}

#[test]
fn a_log_of_which_the_steward_had_seen_nothing_counts_as_well_in_a_circle_that_was_closed_meanwhile()
 {
    let mut net = Net::new(202, 3);
    let circle = net.circle(STEWARD, &[DOCTOR, NURSE]);
    net.connect(DOCTOR, NURSE);
    net.run(60_000);
    // Its first note ever.
    in_good_time(&mut net, &circle, &[ATE]);
    remove(&mut net, &circle, RemovalReason::Ended);
    net.act(STEWARD, |node, now| {
        node.with(|replica, rows, rng| replica.close(rows, &circle, 0, now, rng))
    })
    .unwrap();
    net.connect(STEWARD, DOCTOR);
    assert!(net.run_until(|net| count(net, &circle, &[ATE])));
    net.invariants().unwrap();
}

#[test]
fn hundreds_of_notes_that_came_late_count_in_their_order_and_with_few_entries() {
    let (mut net, circle) = three(203);
    let texts: Vec<String> = (0..600)
        .map(|day| format!("Jour {day}. {}", "Rien à signaler. ".repeat(60)))
        .collect();
    let texts: Vec<&str> = texts.iter().map(String::as_str).collect();
    in_good_time(&mut net, &circle, &texts);
    remove(&mut net, &circle, RemovalReason::Ended);
    let removal = net.nodes[STEWARD].circles[&circle].charter.number();
    net.connect(STEWARD, DOCTOR);
    assert!(net.run_until(|net| count(net, &circle, &texts)));
    let moves = net.nodes[STEWARD].circles[&circle].charter.number() - removal;
    assert!((2..=6).contains(&moves), "{moves} entries");
    net.invariants().unwrap();
}

#[test]
fn what_lies_beyond_the_cut_of_a_stolen_key_stays_marked_until_a_person_decides() {
    let (mut net, circle) = three(204);
    in_good_time(&mut net, &circle, &[ATE]);
    remove(&mut net, &circle, RemovalReason::Compromised);
    let removal = net.nodes[STEWARD].circles[&circle].charter.number();
    net.connect(STEWARD, DOCTOR);
    net.run(600_000);
    assert_eq!(net.nodes[DOCTOR].circles[&circle].charter.number(), removal);
    assert!(net.texts(DOCTOR, &circle).contains(ATE));
    assert!(!stands(&net, DOCTOR, &circle, ATE));
    assert!(!net.texts(STEWARD, &circle).contains(ATE));
    // Not by anybody but the steward's people.
    let refused = let_late_count(&mut net, DOCTOR, &circle);
    let Err(LateError::Stewardship(StewardshipError::Steward(StewardError::NotSteward))) = refused
    else {
        panic!("{refused:?}");
    };
    let_late_count(&mut net, STEWARD, &circle).unwrap();
    assert!(net.run_until(|net| count(net, &circle, &[ATE])));
    net.invariants().unwrap();
}

#[test]
fn what_lies_beyond_a_cut_is_offered_to_the_steward_alone() {
    let mut net = Net::new(210, 4);
    let circle = net.circle(STEWARD, &[DOCTOR, NURSE, 3]);
    net.connect_all();
    net.write(NURSE, &circle, WALKED);
    assert!(net.run_until(|net| all_same(net, &circle) && net.same(STEWARD, 3, &circle)));
    net.cut_all();
    let late = net.write(NURSE, &circle, ATE);
    net.connect(DOCTOR, NURSE);
    assert!(net.run_until(|net| net.texts(DOCTOR, &circle).contains(ATE)));
    let record = net.nodes[DOCTOR].record(&circle, late).unwrap();
    net.cut_all();
    remove(&mut net, &circle, RemovalReason::Compromised);
    net.connect(STEWARD, DOCTOR);
    net.connect(STEWARD, 3);
    net.run(60_000);
    net.connect(DOCTOR, 3);
    net.run(600_000);
    // Whoever has the key could write on for ever.
    assert!(!net.knows(3, &record.header.object.salt.0));
    assert!(!net.texts(STEWARD, &circle).contains(ATE));
    // Decided, it comes to all.
    let_late_count(&mut net, STEWARD, &circle).unwrap();
    assert!(net.run_until(|net| stands(net, 3, &circle, ATE) && net.same(STEWARD, 3, &circle)));
    net.invariants().unwrap();
}

#[test]
fn who_became_the_steward_after_the_removal_lets_count_what_it_holds_itself() {
    let (mut net, circle) = three(205);
    in_good_time(&mut net, &circle, &[ATE]);
    remove(&mut net, &circle, RemovalReason::Ended);
    let doctor = net.id(DOCTOR);
    net.act(STEWARD, |node, now| {
        node.with(|replica, rows, rng| replica.hand_over(rows, &circle, doctor, now, rng))
    })
    .unwrap();
    net.connect(STEWARD, DOCTOR);
    assert!(net.run_until(|net| count(net, &circle, &[ATE])));
    net.invariants().unwrap();
}

#[test]
fn a_steward_whose_disk_went_back_asks_for_what_came_late_when_its_head_is_confirmed() {
    let (mut net, circle) = three(206);
    in_good_time(&mut net, &circle, &[ATE]);
    remove(&mut net, &circle, RemovalReason::Ended);
    net.act(STEWARD, |node, now| {
        node.with(|replica, rows, rng| replica.restored(rows, now, rng))
    })
    .unwrap();
    assert!(net.nodes[STEWARD].circles[&circle].unconfirmed);
    net.connect(STEWARD, DOCTOR);
    assert!(net.run_until(|net| stands(net, STEWARD, &circle, ATE)));
    assert!(net.run_until(|net| stands(net, DOCTOR, &circle, ATE)));
    net.invariants().unwrap();
}

#[test]
fn who_was_removed_brings_nothing_more_itself() {
    let (mut net, circle) = three(207);
    net.cut(STEWARD, NURSE);
    net.cut(DOCTOR, NURSE);
    let late = net.write(NURSE, &circle, ATE);
    let record = net.nodes[NURSE].record(&circle, late).unwrap();
    remove(&mut net, &circle, RemovalReason::Ended);
    let gone = net.id(NURSE);
    let refused = net.act(STEWARD, |node, now| {
        node.with(|replica, rows, rng| {
            replica.take_records(rows, gone, circle, vec![record], now, rng)
        })
    });
    assert!(
        matches!(refused, Err(ArriveError::NotShared)),
        "{refused:?}"
    );
    net.connect(STEWARD, NURSE);
    net.connect(DOCTOR, NURSE);
    net.run(600_000);
    for member in [STEWARD, DOCTOR] {
        assert!(!net.texts(member, &circle).contains(ATE));
        let aside = RowPrefix::Aside(circle);
        assert!(net.nodes[member].memory.scan(&aside).unwrap().is_empty());
    }
    net.invariants().unwrap();
}

#[test]
fn of_a_log_that_forked_nothing_comes_to_count_later_but_what_was_written_again_does() {
    let (mut net, circle) = three(208);
    net.cut_all();
    // Its disk was copied, and both machines write at one place.
    let twin = net.twin(NURSE);
    net.write(NURSE, &circle, ATE);
    net.write(twin, &circle, SLEPT);
    net.connect(DOCTOR, NURSE);
    assert!(net.run_until(|net| net.texts(DOCTOR, &circle).contains(ATE)));
    net.cut(DOCTOR, NURSE);
    // This one learns of the other, and writes its note again in a log of its own.
    net.connect(DOCTOR, twin);
    assert!(net.run_until(|net| net.texts(DOCTOR, &circle).contains(SLEPT)));
    net.cut_all();
    remove(&mut net, &circle, RemovalReason::Ended);
    let removal = net.nodes[STEWARD].circles[&circle].charter.number();
    net.connect(STEWARD, DOCTOR);
    assert!(net.run_until(|net| stands(net, STEWARD, &circle, SLEPT)));
    net.run(600_000);
    assert!(!net.texts(STEWARD, &circle).contains(ATE));
    let changes = changes_from(&net, DOCTOR, &circle, removal + 1);
    let [Change::MoveCuts { cuts, .. }] = &changes[..] else {
        panic!("{changes:?}");
    };
    let forked = net.nodes[DOCTOR].circles[&circle].branches.from.keys();
    for log in forked {
        assert!(cuts.iter().all(|cut| cut.incarnation != log.incarnation));
    }
    net.invariants().unwrap();
}

#[test]
fn a_member_that_names_logs_of_who_was_removed_without_end_moves_nothing_and_both_come_to_rest() {
    let (mut net, circle) = three(211);
    net.cut(STEWARD, NURSE);
    net.cut(DOCTOR, NURSE);
    remove(&mut net, &circle, RemovalReason::Ended);
    assert!(net.run_until(|net| net.same(STEWARD, DOCTOR, &circle)));
    let charter = &net.nodes[STEWARD].circles[&circle].charter;
    let (entry, entry_hash) = (charter.number(), charter.head());
    let node = net.id(NURSE);
    // Nothing of this was ever written.
    let invented = |number: u16| {
        let mut incarnation = Incarnation([9; 16]);
        incarnation.0[..2].copy_from_slice(&number.to_be_bytes());
        LogHeight {
            log: LogId { node, incarnation },
            height: 1 << 40,
            head: RecordId([9; 32]),
        }
    };
    for batch in 0..10 {
        let state = CircleState {
            circle,
            entry,
            entry_hash,
            heights: (batch * 500..batch * 500 + 500).map(invented).collect(),
            acks: Vec::new(),
            departures: Vec::new(),
            finished: false,
        };
        net.say(DOCTOR, STEWARD, &Message::States(vec![state]));
    }
    net.run(3_600_000);
    assert_eq!(net.nodes[STEWARD].circles[&circle].charter.number(), entry);
    // What is written then comes as always, and nobody goes on asking.
    net.write(DOCTOR, &circle, SLEPT);
    assert!(net.run_until(|net| count(net, &circle, &[SLEPT])));
    net.run(600_000);
    let sent = |net: &Net| [STEWARD, DOCTOR].map(|node| net.nodes[node].traffic.bytes_sent);
    let before = sent(&net);
    net.run(1_200_000);
    assert_eq!(sent(&net), before);
    net.invariants().unwrap();
}
