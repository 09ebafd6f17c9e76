//! One node's program is somebody else's: the others agree, keep what they acknowledged, and give strangers nothing.
#![allow(
    clippy::unwrap_used,
    reason = "a test that cannot go on should say where"
)]

use std::collections::BTreeSet;

use maillon_protocol::{
    circle::LogHeight,
    ids::{CircleId, Incarnation, LogId, RecordId},
    sync::{CircleState, Message},
};
use maillon_tests::net::{Net, malice::Malice};

/// The member that turns.
const MALIGN: usize = 2;
/// In no circle of the others.
const STRANGER: usize = 4;
const HONEST: [usize; 3] = [0, 1, 3];

/// Four members, one of whom turns, and a stranger; everybody is connected with everybody.
fn turned(seed: u64, malice: Malice) -> (Net, CircleId) {
    let mut net = Net::new(seed, 5);
    let circle = net.circle(0, &[1, MALIGN]);
    net.connect_all();
    net.malign.insert(MALIGN, malice);
    (net, circle)
}

/// What happens in a circle while one of its members is malign: notes from all sides, a new epoch, an admission, a steward that crashes and
/// hands over, lines that break, so that much has to be compared.
fn live(net: &mut Net, circle: &CircleId) {
    for round in 0..4 {
        for node in [0, 1, MALIGN] {
            let text = format!("Note {round} of {node}.");
            net.write(node, circle, &text);
            net.run(300);
        }
        net.cut(0, 1);
        net.write(1, circle, &format!("Apart {round}."));
        net.run(2_000);
        net.cut_all();
        net.connect_all();
        net.run(70_000);
        match round {
            0 => drop(net.act(0, |node, now| node.rotate(circle, now))),
            1 => net.invite(0, 3, *circle),
            2 => net.crash(0),
            _ => {}
        }
        net.connect_all();
        net.run(2_000);
    }
}

/// The honest members have come to the same: charter, heights but those of the malign node's own log, and every note of an honest author.
fn agree(net: &Net, circle: &CircleId) -> bool {
    let honest = |text: &String| !text.ends_with(&format!("of {MALIGN}."));
    let of = |node: usize| -> Option<(_, BTreeSet<String>)> {
        let held = net.nodes[node].circles.get(circle)?;
        let texts = net.texts(node, circle).into_iter().filter(honest);
        Some((held.charter.head(), texts.collect()))
    };
    let first = of(0);
    let all = first.as_ref().is_some_and(|(_, texts)| texts.len() == 12);
    all && HONEST.iter().all(|node| of(*node) == first)
}

fn holds(malice: Malice) -> Net {
    let (mut net, circle) = turned(malice as u64 + 1, malice);
    live(&mut net, &circle);
    for _ in 0..20 {
        net.connect_all();
        net.run(60_000);
        if agree(&net, &circle) {
            break;
        }
    }
    assert!(agree(&net, &circle), "the honest do not agree");
    assert!(net.twisted > 1, "{malice:?} said nothing");
    net.invariants().unwrap();
    assert!(
        !net.knows(STRANGER, &circle.0),
        "a stranger has heard of it"
    );
    // Nothing that only it said counts: the steward is the one whom the steward made so, and nobody is in it who was not admitted.
    let charter = &net.nodes[0].circles[&circle].charter;
    assert_eq!(charter.state().steward, net.id(0));
    assert_eq!(charter.state().members.len(), 4);
    net
}

#[test]
fn wrong_heights_deceive_nobody_about_what_there_is() {
    holds(Malice::WrongHeights);
}

#[test]
fn what_one_withholds_comes_from_the_others() {
    holds(Malice::WithheldRanges);
}

#[test]
fn what_was_said_long_ago_takes_nothing_back() {
    holds(Malice::ReplayedCharter);
}

#[test]
fn entries_of_a_hand_that_may_not_sign_them_are_kept_as_evidence_or_refused() {
    let net = holds(Malice::ForgedCharter);
    let named = |node: &usize| !net.nodes[*node].problems.is_empty() || aside(&net, *node, "entry");
    assert!(HONEST.iter().any(named), "nobody says so");
}

#[test]
fn seals_for_another_one_open_nothing() {
    holds(Malice::RetargetedSeals);
    // One member hears of new epochs from the malign one only.
    let (mut net, circle) = turned(9, Malice::RetargetedSeals);
    net.cut(0, 1);
    for _ in 0..8 {
        net.act(0, |node, now| node.rotate(&circle, now)).unwrap();
        net.run(65_000);
    }
    assert!(aside(&net, 1, "seal"), "nobody says so");
    net.invariants().unwrap();
    net.connect(0, 1);
    assert!(net.run_until(|net| net.same(0, 1, &circle)));
    let opens = |net: &Net| !net.nodes[1].circles[&circle].lacks_a_secret(&net.id(1));
    assert!(net.run_until(opens));
}

#[test]
fn garbage_ends_a_connection_and_nothing_else() {
    let net = holds(Malice::Garbage);
    let named = |node: &usize| !net.nodes[*node].problems.is_empty();
    assert!(
        HONEST.iter().all(named),
        "somebody took garbage for a message"
    );
}

#[test]
fn a_flood_changes_nothing() {
    holds(Malice::Flood);
}

/// What a node was told that stood in a message that is none of its business.
fn aside(net: &Net, node: usize, word: &str) -> bool {
    let mut notices = net.nodes[node].notices.iter();
    notices.any(|notice| matches!(notice, maillon_protocol::replica::Notice::Aside { what, .. } if *what == word))
}

#[test]
fn who_claims_a_strangers_circle_is_answered_as_if_there_were_none() {
    let mut net = Net::new(99, 4);
    let circle = net.circle(0, &[1]);
    net.malign.insert(3, Malice::StrangersClaims);
    net.connect_all();
    for round in 0..4 {
        net.write(1, &circle, &format!("Note {round}."));
        net.cut_all();
        net.connect_all();
        net.run(70_000);
    }
    assert!(net.twisted > 3);
    assert!(net.run_until(|net| net.same(0, 1, &circle)));
    net.invariants().unwrap();
    // It has the circle's name from somebody; no header, no salt, no charter entry came with it.
    let mut secret = BTreeSet::new();
    for record in net.nodes[0].all_records(&circle) {
        secret.extend([record.header.id, record.header.object.salt.0]);
    }
    secret.extend([net.nodes[0].circles[&circle].charter.state().founding.0]);
    assert!(!net.knows_any(3, &secret));
    // And what is said to it is what is said to somebody who claims a circle that never was.
    let said = |net: &Net, id: &CircleId| {
        let frames = &net.frames[&(0, 3)];
        let told = frames
            .iter()
            .filter(|frame| frame.windows(32).any(|window| window == id.0));
        told.map(|frame| frame.len()).collect::<BTreeSet<_>>()
    };
    let never = CircleId(*b"a circle that nobody ever opened");
    assert_eq!(said(&net, &circle), said(&net, &never));
}

/// A member says that it has these many logs of its own, none of which was ever written.
fn invents(net: &mut Net, circle: &CircleId, logs: u16) {
    let (node, charter) = (net.id(MALIGN), &net.nodes[0].circles[circle].charter);
    let (entry, entry_hash) = (charter.number(), charter.head());
    let invented = |number: u16| {
        let mut incarnation = Incarnation([7; 16]);
        incarnation.0[..2].copy_from_slice(&number.to_be_bytes());
        LogHeight {
            log: LogId { node, incarnation },
            height: 1 << 40,
            head: RecordId([7; 32]),
        }
    };
    let state = CircleState {
        circle: *circle,
        entry,
        entry_hash,
        heights: (0..logs).map(invented).collect(),
        acks: Vec::new(),
        departures: Vec::new(),
        finished: false,
    };
    net.say(MALIGN, 0, &Message::States(vec![state]));
}

#[test]
fn who_names_logs_without_end_fills_no_memory_and_keeps_nothing_from_coming() {
    let mut net = Net::new(151, 3);
    net.nodes[0].limits.wanted = 50;
    let circle = net.circle(0, &[1, MALIGN]);
    net.connect_all();
    assert!(net.run_until(|net| net.same(0, 1, &circle) && net.same(0, MALIGN, &circle)));
    let mut most = 0;
    for _ in 0..20 {
        invents(&mut net, &circle, 1_000);
        net.run(20);
        most = most.max(net.nodes[0].sessions[&MALIGN].wanted_logs());
    }
    assert!((1..=50).contains(&most), "{most}");
    net.write(1, &circle, "A bien dormi.");
    net.write(MALIGN, &circle, "Et bien déjeuné.");
    assert!(net.run_until(|net| net.same(0, 1, &circle) && net.same(0, MALIGN, &circle)));
    assert_eq!(net.texts(0, &circle).len(), 2);
    net.invariants().unwrap();
}

#[test]
fn whoever_lacks_more_logs_than_may_be_wanted_at_a_time_gets_them_all() {
    let mut net = Net::new(152, 7);
    let circle = net.circle(0, &[1, 2, 3, 4, 5]);
    net.connect_all();
    assert!(net.run_until(|net| (1..6).all(|node| net.same(0, node, &circle))));
    net.cut_all();
    for node in 1..6 {
        net.write(node, &circle, &format!("Note de {node}."));
        net.connect(1, node);
    }
    assert!(net.run_until(|net| (2..6).all(|node| net.same(1, node, &circle))));
    net.cut_all();
    net.nodes[0].limits.wanted = 1;
    net.connect(0, 1);
    // In rounds that follow each other, not with the sweep of the hour.
    net.run(60_000);
    assert!(net.same(0, 1, &circle));
    assert_eq!(net.texts(0, &circle).len(), 5);
}
