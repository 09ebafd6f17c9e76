//! A member leaves a circle by its own word: in virtual time, whoever is there and whoever is not.
#![allow(
    clippy::unwrap_used,
    reason = "a test that cannot go on should say where"
)]

use maillon_protocol::{
    charter::{Change, CharterError, Cut, Departure, Entry, RemovalReason, StewardError},
    circle::WriteError,
    ids::{CircleId, RecordId},
    replica::{DepartFailed, Row, RowPrefix, Rows, StewardshipError, WriteFailed},
    sign::{self, Unverified, Verified},
};
use maillon_tests::net::{Net, note};

const WALKED: &str = "A marché jusqu'au portail ce matin.";
const ATE: &str = "N'a rien mangé à midi.";
const SLEPT: &str = "A bien dormi.";

/// Three members, the first of them steward, who hold the same and are connected with each other.
fn three(seed: u64) -> (Net, CircleId) {
    let mut net = Net::new(seed, 3);
    let circle = net.circle(0, &[1, 2]);
    net.connect(1, 2);
    net.write(0, &circle, WALKED);
    assert!(net.run_until(|net| net.same(0, 1, &circle) && net.same(0, 2, &circle)));
    net.run(60_000);
    (net, circle)
}

fn leave(net: &mut Net, node: usize, circle: &CircleId) -> Result<(), DepartFailed> {
    net.act(node, |node, now| {
        node.with(|replica, rows, _| replica.depart(rows, circle, now))
    })
}

/// Whether `node` counts `other` as a member.
fn counts(net: &Net, node: usize, other: usize, circle: &CircleId) -> bool {
    net.nodes[node].circles[circle]
        .charter
        .is_member(&net.id(other))
}

fn close(net: &mut Net, circle: &CircleId) {
    net.act(0, |node, now| {
        node.with(|replica, rows, rng| replica.close(rows, circle, 0, now, rng))
    })
    .unwrap();
}

fn lists(net: &Net, node: usize, other: usize, circle: &CircleId) -> bool {
    let charter = &net.nodes[node].circles[circle].charter;
    charter.listed(&net.id(other)).is_some()
}

/// The last entry of the circle's charter at a node.
fn last_entry(net: &Net, node: usize, circle: &CircleId) -> Entry {
    let number = net.nodes[node].circles[circle].charter.number();
    let row = net.nodes[node].memory.get(&Row::Entry(*circle, number));
    Unverified::<Entry>::parse(row.unwrap().unwrap())
        .unwrap()
        .object
}

/// The word of a member that leaves, as another one keeps it.
fn word(net: &Net, node: usize, circle: &CircleId) -> Verified<Departure> {
    let charter = &net.nodes[node].circles[circle].charter;
    let (_, signed) = charter.departures().next().unwrap();
    Departure::verify(signed.0.clone()).unwrap()
}

fn take(net: &mut Net, node: usize, from: usize, word: &Verified<Departure>) {
    let from = net.id(from);
    net.act(node, |node, now| {
        node.with(|replica, rows, rng| replica.take_departure(rows, from, word, now, rng))
    })
    .unwrap();
}

#[test]
fn a_member_leaves_by_its_own_word_and_the_entry_follows_by_itself() {
    let (mut net, circle) = three(71);
    leave(&mut net, 2, &circle).unwrap();
    assert!(!counts(&net, 2, 2, &circle), "at once");
    assert!(net.run_until(|net| (0..3).all(|node| !lists(net, node, 2, &circle))));
    let entry = last_entry(&net, 0, &circle);
    let Change::Remove { node, reason, .. } = entry.change else {
        panic!("{entry:?}");
    };
    assert_eq!((node, reason), (net.id(2), RemovalReason::Left));
    // What is written from then on does not come to it, and what it has stays.
    let late = net.write(0, &circle, ATE);
    assert!(net.run_until(|net| net.texts(1, &circle).contains(ATE)));
    net.run(300_000);
    let record = net.nodes[0].record(&circle, late).unwrap();
    assert!(!net.knows(2, &record.header.id));
    assert!(net.texts(2, &circle).contains(WALKED));
    let refused = net.act(2, |node, now| node.write(&circle, note(SLEPT), now));
    let Err(WriteFailed::Write(WriteError::NotMember)) = refused else {
        panic!("{refused:?}");
    };
    net.invariants().unwrap();
}

#[test]
fn a_word_counts_where_the_steward_is_not_and_waits_for_it_through_restarts() {
    let (mut net, circle) = three(72);
    net.cut(0, 1);
    net.cut(0, 2);
    leave(&mut net, 2, &circle).unwrap();
    assert!(net.run_until(|net| !counts(net, 1, 2, &circle)));
    let refused = net.act(2, |node, now| node.write(&circle, note(SLEPT), now));
    let Err(WriteFailed::Write(WriteError::Left)) = refused else {
        panic!("{refused:?}");
    };
    assert!(matches!(
        leave(&mut net, 2, &circle),
        Err(DepartFailed::NotMember)
    ));
    // The other member sends it nothing more, though both stand at the same entry.
    net.crash(1);
    net.crash(2);
    net.connect(1, 2);
    let late = net.write(1, &circle, ATE);
    net.run(300_000);
    let record = net.nodes[1].record(&circle, late).unwrap();
    assert!(!net.knows(2, &record.header.id));
    assert!(lists(&net, 1, 2, &circle), "nobody but the steward signs");
    // The steward hears of it from the other member, whose note it gets too.
    net.cut(1, 2);
    net.connect(0, 1);
    assert!(net.run_until(|net| !lists(net, 1, 2, &circle)));
    assert!(net.run_until(|net| net.same(0, 1, &circle)));
    // Who left learns that there is an entry now, and nothing after it.
    net.connect(0, 2);
    assert!(net.run_until(|net| !lists(net, 2, 2, &circle)));
    net.run(300_000);
    assert!(!net.knows(2, &record.header.id));
    net.invariants().unwrap();
}

#[test]
fn what_a_member_wrote_last_is_taken_from_it_after_it_left() {
    let (mut net, circle) = three(73);
    net.cut(0, 2);
    net.cut(1, 2);
    net.write(2, &circle, SLEPT);
    net.write(2, &circle, ATE);
    leave(&mut net, 2, &circle).unwrap();
    // Its word comes first, by hand, and the entry is made: the records are still with it alone.
    let said = word(&net, 2, &circle);
    take(&mut net, 0, 1, &said);
    assert!(!lists(&net, 0, 2, &circle));
    assert!(!net.texts(0, &circle).contains(ATE));
    net.connect(0, 2);
    assert!(net.run_until(|net| net.texts(1, &circle).contains(ATE)));
    assert!(net.texts(1, &circle).contains(SLEPT));
    net.run(60_000);
    assert!(net.same(0, 1, &circle));
    let problems = net.nodes.iter().map(|node| node.problems.len());
    assert_eq!(problems.sum::<usize>(), 0);
    net.invariants().unwrap();
}

#[test]
fn what_who_left_writes_beyond_its_word_is_kept_aside_and_shown_to_nobody() {
    let (mut net, circle) = three(74);
    net.write(2, &circle, SLEPT);
    assert!(net.run_until(|net| net.texts(0, &circle).contains(SLEPT)));
    net.cut_all();
    // Somebody goes on with a copy of its disk.
    let before = net.nodes[2].memory.clone();
    leave(&mut net, 2, &circle).unwrap();
    let said = word(&net, 2, &circle);
    take(&mut net, 1, 2, &said);
    net.nodes[2].memory = before;
    net.crash(2);
    let late = net.write(2, &circle, ATE);
    let record = net.nodes[2].record(&circle, late).unwrap();
    let (steward, gone) = (net.id(0), net.id(2));
    let mut taken = |from| {
        let record = record.clone();
        net.act(1, |node, now| {
            let done = node.with(|replica, rows, rng| {
                replica.take_records(rows, from, circle, vec![record], now, rng)
            });
            let aside = RowPrefix::Aside(circle);
            node.commit();
            (done.is_ok(), node.memory.scan(&aside).unwrap().len())
        })
    };
    // From itself it is not even kept, or it could bring more and more; from a member that did not know yet it is.
    assert_eq!(taken(gone), (false, 0));
    assert_eq!(taken(steward), (true, 1));
    net.run(10_000);
    assert!(!net.texts(1, &circle).contains(ATE));
    assert!(net.nodes[1].circles[&circle].charter.has_left(&gone));
    // Its node learns from the others that it has left.
    net.connect(1, 2);
    assert!(net.run_until(|net| !counts(net, 2, 2, &circle)));
    net.connect(0, 1);
    assert!(net.run_until(|net| net.same(0, 1, &circle) && !lists(net, 1, 2, &circle)));
    assert!(net.texts(1, &circle).contains(SLEPT));
    assert!(!net.texts(0, &circle).contains(ATE));
}

#[test]
fn a_word_from_an_earlier_time_removes_nobody_who_was_admitted_again() {
    let (mut net, circle) = three(75);
    net.cut(0, 2);
    leave(&mut net, 2, &circle).unwrap();
    let said = word(&net, 2, &circle);
    net.connect(0, 2);
    assert!(net.run_until(|net| !lists(net, 2, 2, &circle)));
    net.invite(0, 2, circle);
    assert!(net.run_until(|net| counts(net, 2, 2, &circle) && counts(net, 1, 2, &circle)));
    for node in 0..3 {
        take(&mut net, node, 1, &said);
        assert!(counts(&net, node, 2, &circle));
    }
    net.run(10_000);
    net.write(2, &circle, ATE);
    assert!(net.run_until(|net| net.texts(1, &circle).contains(ATE)));
    net.invariants().unwrap();
}

#[test]
fn nobody_leaves_for_another_one_nor_with_what_is_not_known_here() {
    let (net, circle) = three(76);
    let charter = net.nodes[1].circles[&circle].charter.clone();
    let honest = Departure {
        version: 1,
        circle,
        node: net.id(2),
        entry: charter.number(),
        entry_hash: charter.head(),
        cuts: Vec::new(),
        time_ms: net.now,
    };
    let key = net.nodes[2].key();
    let refused = |changed: Departure| charter.depart(&sign::sign(changed, key)).unwrap_err();
    use maillon_protocol::charter::DepartureError as Error;
    let ahead = Departure {
        entry: charter.number() + 1,
        ..honest.clone()
    };
    assert_eq!(refused(ahead), Error::UnknownEntry);
    let branch = Departure {
        entry: charter.number() - 1,
        ..honest.clone()
    };
    assert_eq!(refused(branch), Error::Entry);
    let early = Departure {
        entry: 1,
        entry_hash: charter.hash_of(1).unwrap(),
        ..honest.clone()
    };
    assert_eq!(refused(early), Error::NotMember);
    let elsewhere = Departure {
        circle: CircleId([7; 32]),
        ..honest.clone()
    };
    assert_eq!(refused(elsewhere), Error::Circle);
    // Signed by nobody.
    let mut forged = sign::sign(honest.clone(), key).bytes;
    *forged.last_mut().unwrap() ^= 1;
    assert!(matches!(Departure::verify(forged), Err(Error::Sign(_))));
    let cut = Cut {
        incarnation: net.nodes[2].replica.own_log().incarnation,
        sequence: 1,
        id: RecordId([1; 32]),
    };
    let twice = Departure {
        cuts: vec![cut, cut],
        ..honest
    };
    assert_eq!(
        Departure::verify(sign::sign(twice, key).bytes).unwrap_err(),
        Error::Twice
    );
}

#[test]
fn of_two_words_of_one_member_all_keep_the_same_one() {
    let (net, circle) = three(77);
    let charter = net.nodes[1].circles[&circle].charter.clone();
    let said = |time_ms| {
        let departure = Departure {
            version: 1,
            circle,
            node: net.id(2),
            entry: charter.number(),
            entry_hash: charter.head(),
            cuts: Vec::new(),
            time_ms,
        };
        sign::sign(departure, net.nodes[2].key())
    };
    let (a, b) = (said(1), said(2));
    let one = charter.depart(&a).unwrap().unwrap();
    let other = charter.depart(&b).unwrap().unwrap();
    let both = one.depart(&b).unwrap().unwrap_or(one);
    assert_eq!(other.depart(&a).unwrap().unwrap_or(other), both);
    assert_eq!(both.depart(&a), Ok(None));
    assert_eq!(both.depart(&b), Ok(None));
}

#[test]
fn a_steward_does_not_leave_and_who_left_becomes_none() {
    let (mut net, circle) = three(78);
    assert!(matches!(
        leave(&mut net, 0, &circle),
        Err(DepartFailed::Steward)
    ));
    assert!(matches!(
        leave(&mut net, 1, &CircleId([9; 32])),
        Err(DepartFailed::NoCircle)
    ));
    // A steward that waits for a confirmation signs it when it has one.
    let (mut net, circle) = three(79);
    net.cut_all();
    net.act(0, |node, now| {
        node.with(|replica, rows, rng| replica.restored(rows, now, rng))
    })
    .unwrap();
    leave(&mut net, 2, &circle).unwrap();
    let (said, left) = (word(&net, 2, &circle), net.id(2));
    take(&mut net, 0, 2, &said);
    assert!(lists(&net, 0, 2, &circle));
    net.act(0, |node, now| {
        node.with(|replica, rows, rng| {
            for refused in [
                replica.hand_over(rows, &circle, left, now, rng),
                replica.appoint(rows, &circle, vec![left], now, rng),
            ] {
                assert!(matches!(refused, Err(StewardshipError::Unconfirmed)));
            }
            replica.confirm(rows, &circle, now, rng)
        })
    })
    .unwrap();
    assert!(!lists(&net, 0, 2, &circle));
}

#[test]
fn who_leaves_a_closed_circle_is_removed_and_its_time_runs_from_the_closing() {
    let (mut net, circle) = three(81);
    let closed_at = net.clock(0);
    close(&mut net, &circle);
    assert!(net.run_until(|net| net.nodes[2].circles[&circle].charter.state().closed));
    net.run(60_000);
    leave(&mut net, 2, &circle).unwrap();
    assert!(net.run_until(|net| (0..3).all(|node| !lists(net, node, 2, &circle))));
    for node in 0..3 {
        let held = &net.nodes[node].circles[&circle];
        assert!(held.charter.state().closed);
        let ended = net.act(node, |node, _| {
            node.with(|replica, rows, _| replica.ended_ms(rows, replica.circle(&circle).unwrap()))
        });
        let ended = ended.unwrap().unwrap();
        assert!(ended - closed_at < 60_000, "{node}: {ended}");
    }
    // Nobody else goes in it, and nothing is written.
    let other = net.id(1);
    let refused = net.act(0, |node, now| {
        node.with(|replica, rows, rng| {
            replica.remove(rows, &circle, other, RemovalReason::Ended, now, rng)
        })
    });
    assert!(matches!(
        refused,
        Err(StewardshipError::Steward(StewardError::Charter(
            CharterError::Closed(_)
        )))
    ));
    net.act(0, |node, now| {
        node.with(|replica, rows, rng| replica.reopen(rows, &circle, 0, now, rng))
    })
    .unwrap();
    assert!(net.run_until(|net| !net.nodes[1].circles[&circle].charter.state().closed));
    assert!(!lists(&net, 1, 2, &circle));
    net.invariants().unwrap();
}

#[test]
fn what_a_node_forgot_before_it_left_a_closed_circle_is_shown_the_same_everywhere() {
    let (mut net, circle) = three(82);
    net.cut_all();
    let copy = net.nodes[1].memory.clone();
    net.connect(1, 2);
    net.write(1, &circle, ATE);
    assert!(net.run_until(|net| net.texts(2, &circle).contains(ATE)));
    // It goes back to before its note, and leaves before it hears of it again: its word names nothing of it.
    net.cut_all();
    net.put_back(1, copy);
    close(&mut net, &circle);
    leave(&mut net, 1, &circle).unwrap();
    net.connect_all();
    assert!(net.run_until(|net| (0..3).all(|node| !lists(net, node, 1, &circle))));
    net.run(600_000);
    let shown = [0, 2].map(|node| net.notes(node, &circle));
    assert_eq!(shown[0], shown[1]);
    net.invariants().unwrap();
}

#[test]
fn what_an_earlier_removal_cut_stays_cut_whatever_a_later_word_names() {
    let (mut net, circle) = three(83);
    net.cut_all();
    net.write(2, &circle, ATE);
    let node = net.id(2);
    net.act(0, |steward, now| steward.remove(&circle, node, now));
    let held = net.nodes[2].circles[&circle].clone();
    let (log, tip) = held.logs.iter().find(|(log, _)| log.node == node).unwrap();
    let cut = Cut {
        incarnation: log.incarnation,
        sequence: tip.height,
        id: tip.head,
    };
    net.connect(0, 2);
    assert!(net.run_until(|net| !lists(net, 2, 2, &circle)));
    net.invite(0, 2, circle);
    assert!(net.run_until(|net| counts(net, 2, 2, &circle)));
    assert!(!net.notes(0, &circle).contains(ATE));
    // It leaves, and names what was cut before as the last that counts.
    let charter = net.nodes[0].circles[&circle].charter.clone();
    let departure = Departure {
        version: 1,
        circle,
        node,
        entry: charter.number(),
        entry_hash: charter.head(),
        cuts: vec![cut],
        time_ms: net.clock(2),
    };
    let departure = sign::sign(departure, net.nodes[2].key());
    take(&mut net, 0, 2, &departure);
    assert!(!lists(&net, 0, 2, &circle));
    net.connect(0, 1);
    net.run(300_000);
    for reader in [0, 1] {
        assert!(!net.notes(reader, &circle).contains(ATE), "{reader}");
    }
    net.invariants().unwrap();
}

#[test]
fn who_alone_holds_a_secret_does_not_leave_with_it() {
    let (mut net, circle) = three(80);
    net.cut_all();
    let to = net.id(1);
    let epoch = net.nodes[0].circles[&circle].charter.number() + 1;
    net.act(0, |node, now| node.rotate(&circle, now)).unwrap();
    net.write(0, &circle, ATE);
    net.act(0, |node, now| {
        node.with(|replica, rows, rng| replica.hand_over(rows, &circle, to, now, rng))
    })
    .unwrap();
    match leave(&mut net, 0, &circle) {
        Err(DepartFailed::OnlyHolder(held)) => assert_eq!(held, epoch),
        other => panic!("{other:?}"),
    }
    net.connect(0, 1);
    assert!(net.run_until(|net| net.texts(1, &circle).contains(ATE)));
    net.run(60_000);
    leave(&mut net, 0, &circle).unwrap();
    assert!(net.run_until(|net| !lists(net, 0, 0, &circle)));
    net.connect(1, 2);
    assert!(net.run_until(|net| net.texts(2, &circle).contains(ATE)));
    net.invariants().unwrap();
}
