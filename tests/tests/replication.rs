//! Replication in virtual time: what every node must end up knowing, and what nobody else may.
#![allow(
    clippy::unwrap_used,
    reason = "a test that cannot go on should say where"
)]

use std::{
    collections::{BTreeMap, BTreeSet},
    sync::Arc,
};

use maillon_protocol::{
    cbor::Bytes,
    charter::{Entry, Grant},
    circle::Ack,
    content::{Alert, Consent, ConsentDecision, ConsentKind, Content, PatientIdentity, Severity},
    ids::CircleId,
    invite::InvitationReason,
    record::Previous,
    replica::{
        IncomingState, LetterError, Notice, Replica, Row, RowPrefix, Rows, StewardshipError,
    },
    sign::Unverified,
    sync::{Message, SentRecord},
};
use maillon_tests::net::{Net, Weather, identity, note};

fn fell() -> Content {
    Content::Alert(Alert {
        severity: Severity::High,
        text: "Est tombée dans la cuisine.".to_owned(),
        addressees: Vec::new(),
        answer_by_ms: 0,
    })
}

const WALKED: &str = "A marché jusqu'au portail ce matin.";
const ATE: &str = "N'a rien mangé à midi.";

#[test]
fn a_note_reaches_the_other_structure_and_its_delivery_is_known() {
    let mut net = Net::new(1, 2);
    let circle = net.circle(0, &[1]);
    net.write(0, &circle, WALKED);
    assert!(net.run_until(|net| net.texts(1, &circle).contains(WALKED)));
    assert!(net.run_until(|net| net.same(0, 1, &circle)));
    // The writer holds the other's acknowledgement of all three records: log opened, identity, note.
    let other = net.id(1);
    assert!(net.run_until(|net| {
        let node = &net.nodes[0];
        let acks = node.replica.acks(&node.memory, &circle).unwrap();
        acks.iter()
            .any(|ack| ack.node == other && ack.height_of(&node.replica.own_log()) == 3)
    }));
}

#[test]
fn what_was_written_during_a_partition_arrives_on_both_sides_when_it_heals() {
    let mut net = Net::new(2, 2);
    let circle = net.circle(0, &[1]);
    net.cut(0, 1);
    net.write(0, &circle, WALKED);
    net.write(1, &circle, ATE);
    net.run(3_600_000);
    assert!(!net.texts(1, &circle).contains(WALKED));
    net.connect(0, 1);
    assert!(net.run_until(|net| net.same(0, 1, &circle)));
    assert_eq!(net.texts(0, &circle), net.texts(1, &circle));
    assert_eq!(net.texts(0, &circle).len(), 2);
}

#[test]
fn two_nodes_that_are_never_up_together_meet_through_a_third() {
    let mut net = Net::new(3, 3);
    let circle = net.circle(0, &[1, 2]);
    net.cut_all();
    net.write(1, &circle, ATE);
    net.connect(1, 2);
    assert!(net.run_until(|net| net.texts(2, &circle).contains(ATE)));
    net.cut(1, 2);
    net.connect(0, 2);
    assert!(net.run_until(|net| net.texts(0, &circle).contains(ATE)));
}

#[test]
fn a_structure_without_the_past_reads_only_what_comes_after_its_admission_and_whose_file_it_is() {
    let mut net = Net::new(4, 2);
    let circle = net.act(0, |node, now| node.found(now));
    let agreed = Content::Consent(Consent {
        kind: ConsentKind::NonOpposition,
        decision: ConsentDecision::Given,
        answered_by: String::new(),
        how: String::new(),
    });
    net.act(0, |node, now| node.write(&circle, agreed.clone(), now))
        .unwrap();
    net.write(0, &circle, WALKED);
    net.connect(0, 1);
    net.invite_with(0, 1, circle, Grant::Nothing);
    assert!(net.run_until(|net| net.nodes[1].circles.contains_key(&circle)));
    net.write(0, &circle, ATE);
    assert!(net.run_until(|net| net.texts(1, &circle).contains(ATE)));
    assert_eq!(net.texts(1, &circle).len(), 1);
    // The identity and the answer about sharing are written again for it, once, and are one value at both.
    let read = net.nodes[1].contents(&circle);
    assert!(read.contains(&agreed), "{read:?}");
    assert!(read.contains(&Content::PatientIdentity(identity())));
    let (_, standing) = net.nodes[0].identity_thing(&circle).unwrap();
    assert_eq!(standing.len(), 1);
    let records = net.nodes[0].all_records(&circle).len();
    net.act(0, |node, now| node.rotate(&circle, now)).unwrap();
    net.run(120_000);
    assert_eq!(net.nodes[0].all_records(&circle).len(), records);
    net.invariants().unwrap();
    assert!(
        !net.nodes[1]
            .contents(&circle)
            .iter()
            .any(|content| *content == note(WALKED))
    );
}

#[test]
fn what_is_written_right_after_an_admission_arrives_and_is_known_to_have_arrived_at_once() {
    let mut net = Net::new(15, 2);
    net.connect(0, 1);
    let circle = net.act(0, |node, now| node.found(now));
    let to = net.id(1);
    net.act(0, |node, now| node.invite(&circle, to, now));
    assert!(net.run_until(|net| net.nodes[1].undecided().is_some()));
    net.act(1, |node, now| node.accept_first(now));
    let admitted = |net: &Net| net.nodes[0].circles[&circle].charter.is_member(&to);
    assert!(net.run_until(admitted));
    let alert = net.act(0, |node, now| node.write(&circle, fell(), now).unwrap());
    net.run(5_000);
    assert!(net.nodes[1].record(&circle, alert).is_some());
    let told = net.nodes[0].notices.iter().any(
        |notice| matches!(notice, Notice::Delivered { record, node, .. } if *record == alert && *node == to),
    );
    assert!(told, "{:?}", net.nodes[0].notices);
}

#[test]
fn what_was_written_beside_an_admission_without_the_past_comes_without_its_body_and_is_written_again()
 {
    let mut net = Net::new(14, 4);
    let circle = net.circle(0, &[1]);
    net.write(1, &circle, WALKED);
    assert!(net.run_until(|net| net.same(0, 1, &circle)));
    net.cut_all();
    // Node 1 does not know of the admission when it writes.
    let beside = net.write(1, &circle, ATE);
    net.connect(0, 2);
    net.invite_with(0, 2, circle, Grant::Nothing);
    assert!(net.run_until(|net| net.nodes[2].circles.contains_key(&circle)));
    net.connect(0, 1);
    assert!(net.run_until(|net| net.nodes[2].record(&circle, beside).is_some()));
    let held = net.nodes[2].record(&circle, beside).unwrap();
    assert_eq!(held.body, None);
    // Its author's node knows of the admission by now, and wrote that version again; what it wrote before stays in the past.
    assert!(net.run_until(|net| net.texts(2, &circle).contains(ATE)));
    assert!(!net.texts(2, &circle).contains(WALKED));
    net.invariants().unwrap();
    // Who is granted it does not take the bare header from a member that has no more, and gets it whole from another one.
    net.connect(0, 3);
    net.invite(0, 3, circle);
    let whole = net.id(3);
    assert!(net.run_until(|net| net.nodes[0].circles[&circle].charter.is_member(&whole)));
    net.cut(0, 3);
    assert!(net.run_until(|net| net.nodes[2].circles[&circle].charter.is_member(&whole)));
    net.cut_all();
    net.connect(2, 3);
    net.run(120_000);
    assert!(net.nodes[3].record(&circle, beside).is_none());
    net.connect(0, 3);
    assert!(net.run_until(|net| {
        let held = net.nodes[3].record(&circle, beside);
        held.is_some_and(|record| record.body.is_some())
    }));
}

#[test]
fn what_is_granted_of_a_log_that_the_steward_had_nothing_of_is_written_again() {
    let mut net = Net::new(16, 3);
    let circle = net.circle(0, &[1]);
    net.act(0, |node, now| node.rotate(&circle, now)).unwrap();
    let granted = net.nodes[0].circles[&circle].charter.number();
    assert!(net.run_until(|net| net.nodes[1].circles[&circle].secret(granted).is_some()));
    net.cut_all();
    net.write(1, &circle, WALKED);
    let log = net.nodes[1].replica.own_log();
    assert!(!net.nodes[0].circles[&circle].logs.contains_key(&log));
    // The entry can say of no log that it does not know where it begins: it begins with what its node writes when it knows the entry.
    net.connect(0, 2);
    net.invite_with(0, 2, circle, Grant::From(granted));
    assert!(net.run_until(|net| net.nodes[2].circles.contains_key(&circle)));
    net.connect(0, 1);
    assert!(net.run_until(|net| net.texts(2, &circle).contains(WALKED)));
    net.run(120_000);
    assert!(net.same(0, 1, &circle));
    net.invariants().unwrap();
}

#[test]
fn much_that_was_written_beside_an_admission_is_written_again_in_parts_and_through_a_restart() {
    let mut net = Net::new(33, 3);
    let circle = net.circle(0, &[1]);
    net.write(1, &circle, WALKED);
    assert!(net.run_until(|net| net.same(0, 1, &circle)));
    net.cut_all();
    let texts: Vec<String> = (0..450).map(|visit| format!("visite {visit}")).collect();
    for text in &texts {
        net.write(1, &circle, text);
    }
    let height = |net: &Net| {
        let log = net.nodes[1].replica.own_log();
        net.nodes[1].circles[&circle].logs[&log].height
    };
    let written = height(&net);
    net.connect(0, 2);
    net.invite_with(0, 2, circle, Grant::Nothing);
    assert!(net.run_until(|net| net.nodes[2].circles.contains_key(&circle)));
    // Node 1 hears of it. It writes a hundred with the entry, and no more at a time; then it is started anew.
    net.commit_ms = 50;
    net.connect(0, 1);
    assert!(net.run_until(|net| height(net) > written));
    assert_eq!(height(&net), written + 100);
    assert!(net.run_until(|net| height(net) > written + 100));
    assert_eq!(height(&net), written + 200);
    net.crash(1);
    net.connect(0, 1);
    assert!(net.run_until(|net| {
        let read = net.texts(2, &circle);
        texts.iter().all(|text| read.contains(text))
    }));
    // Each once, and it is over.
    net.run(120_000);
    assert_eq!(height(&net), written + 450);
    assert_eq!(Replica::renewing(&net.nodes[1].memory).unwrap(), []);
    net.invariants().unwrap();
}

#[test]
fn what_is_too_long_to_be_written_again_holds_nothing_else_up() {
    let mut net = Net::new(34, 3);
    let circle = net.circle(0, &[1]);
    net.write(1, &circle, WALKED);
    assert!(net.run_until(|net| net.same(0, 1, &circle)));
    net.cut_all();
    // The longest note that there can be: with the name of the version before it, it would be longer than that.
    let fits = |net: &mut Net, length: usize| {
        let content = note(&"a".repeat(length));
        let now = net.now;
        let node = &mut net.nodes[1];
        let savepoint = node.replica.savepoint();
        let fits = node.write(&circle, content, now).is_ok();
        node.replica.back_to(savepoint);
        fits
    };
    let (mut length, mut beyond) = (1, 1 << 20);
    while beyond - length > 1 {
        let middle = usize::midpoint(length, beyond);
        if fits(&mut net, middle) {
            length = middle;
        } else {
            beyond = middle;
        }
    }
    net.write(1, &circle, &"a".repeat(length));
    net.write(1, &circle, ATE);
    net.connect(0, 2);
    net.invite_with(0, 2, circle, Grant::Nothing);
    assert!(net.run_until(|net| net.nodes[2].circles.contains_key(&circle)));
    net.connect(0, 1);
    assert!(net.run_until(|net| net.texts(2, &circle).contains(ATE)));
    assert_eq!(Replica::renewing(&net.nodes[1].memory).unwrap(), []);
    net.invariants().unwrap();
}

#[test]
fn the_identity_that_a_structure_wrote_which_has_left_is_written_again_by_the_steward() {
    let mut net = Net::new(21, 3);
    let circle = net.circle(0, &[1]);
    let (thing, standing) = net.nodes[0].identity_thing(&circle).unwrap();
    let corrected = PatientIdentity {
        used_name: "BELLANGER-MOREAU".to_owned(),
        ..identity()
    };
    let content = Content::PatientIdentity(corrected);
    let again = content.clone();
    net.act(1, |node, now| {
        node.supersede(&circle, thing, standing, again, now)
    })
    .unwrap();
    assert!(net.run_until(|net| net.same(0, 1, &circle)));
    let left = net.id(1);
    net.act(0, |node, now| node.remove(&circle, left, now));
    net.connect(0, 2);
    net.invite_with(0, 2, circle, Grant::Nothing);
    assert!(net.run_until(|net| {
        let holds = net.nodes[2].circles.contains_key(&circle);
        holds && net.nodes[2].contents(&circle).contains(&content)
    }));
    net.invariants().unwrap();
}

#[test]
fn an_invitation_that_is_taken_back_is_no_longer_open_at_the_other_side() {
    let mut net = Net::new(22, 3);
    net.connect(0, 1);
    net.connect(0, 2);
    let circle = net.act(0, |node, now| node.found(now));
    let (first, second) = (net.id(1), net.id(2));
    for to in [first, second] {
        net.act(0, |node, now| node.invite(&circle, to, now));
    }
    assert!(net.run_until(|net| (1..3).all(|guest| net.nodes[guest].undecided().is_some())));
    let taken_back = net.nodes[1].undecided().unwrap();
    // The second guest is away, and accepts meanwhile.
    net.cut(0, 2);
    net.act(2, |node, now| node.accept_first(now));
    net.act(0, |node, _| {
        node.with(|replica, rows, _| replica.cancel_invitations(rows, &circle, None))
            .unwrap()
    });
    assert!(net.run_until(|net| net.nodes[1].undecided().is_none()));
    let too_late = net.act(1, |node, now| {
        node.with(|replica, rows, _| replica.accept(rows, &taken_back, None, now))
    });
    assert!(
        matches!(too_late, Err(LetterError::Cancelled)),
        "{too_late:?}"
    );
    net.connect(0, 2);
    assert!(net.run_until(|net| {
        let all = net.nodes[2].replica.incoming(&net.nodes[2].memory).unwrap();
        all.iter()
            .all(|(_, row)| row.state == IncomingState::Cancelled)
    }));
    assert!(net.nodes[2].circles.is_empty());
    net.invariants().unwrap();
    // Nobody takes back what somebody else sent.
    net.act(0, |node, now| node.invite(&circle, first, now));
    assert!(net.run_until(|net| net.nodes[1].undecided().is_some()));
    let open = net.nodes[1].undecided().unwrap();
    net.connect(2, 1);
    net.run(60_000);
    net.say(2, 1, &Message::Cancelled(open));
    net.run(60_000);
    assert_eq!(net.nodes[1].undecided(), Some(open));
}

#[test]
fn a_steward_hands_over_and_from_then_on_the_new_one_alone_changes_the_circle() {
    let mut net = Net::new(41, 4);
    let circle = net.circle(0, &[1]);
    net.write(0, &circle, WALKED);
    assert!(net.run_until(|net| net.same(0, 1, &circle)));
    // Somebody was asked by the one who is steward no more.
    net.connect(0, 3);
    let asked = net.id(3);
    net.act(0, |node, now| {
        node.invite_with(&circle, asked, Grant::Whole, now)
    });
    assert!(net.run_until(|net| net.nodes[3].undecided().is_some()));
    let new = net.id(1);
    net.act(0, |node, now| {
        node.with(|replica, rows, rng| replica.hand_over(rows, &circle, new, now, rng))
    })
    .unwrap();
    net.act(3, |node, now| node.accept_first(now));
    assert!(
        net.run_until(|net| { net.nodes[1].circles[&circle].charter.state().steward == net.id(1) })
    );
    // It can do nothing for the circle's membership any more, whatever it says.
    let refused = net.act(0, |node, now| {
        node.with(|replica, rows, rng| replica.appoint(rows, &circle, vec![asked], now, rng))
    });
    assert!(matches!(refused, Err(StewardshipError::Steward(_))));
    // One that does not read the past cannot pass it on.
    net.connect(1, 3);
    net.invite_with(1, 3, circle, Grant::Nothing);
    assert!(net.run_until(|net| net.nodes[1].circles[&circle].charter.is_member(&asked)));
    let refused = net.act(1, |node, now| {
        node.with(|replica, rows, rng| replica.hand_over(rows, &circle, asked, now, rng))
    });
    assert!(matches!(refused, Err(StewardshipError::Partly)));
    net.act(1, |node, now| node.remove(&circle, asked, now));
    net.connect(1, 2);
    net.invite(1, 2, circle);
    assert!(net.run_until(|net| {
        let read = |node| net.texts(node, &circle).contains(WALKED);
        net.nodes[2].circles.contains_key(&circle) && read(2) && net.same(0, 2, &circle)
    }));
    let (old, third) = (net.id(0), net.id(2));
    let state = net.nodes[0].circles[&circle].charter.state().clone();
    let members: Vec<_> = state.members.iter().map(|member| member.node).collect();
    assert_eq!(members, [old, new, third]);
    // Who was asked before knows that it leads nowhere, although it has accepted.
    let asked = net.nodes[3].replica.incoming(&net.nodes[3].memory).unwrap();
    let states: Vec<_> = asked.iter().map(|(_, row)| &row.state).collect();
    assert!(states.contains(&&IncomingState::Cancelled));
    // The one that handed over can be removed like any other.
    net.act(1, |node, now| node.remove(&circle, old, now));
    let after = net.write(1, &circle, ATE);
    assert!(net.run_until(|net| net.nodes[2].record(&circle, after).is_some()));
    net.run(60_000);
    assert!(net.nodes[0].record(&circle, after).is_none());
    net.invariants().unwrap();
}

#[test]
fn a_closed_circle_takes_nothing_until_its_steward_opens_it_again() {
    let mut net = Net::new(42, 2);
    let circle = net.circle(0, &[1]);
    net.act(0, |node, now| {
        node.with(|replica, rows, rng| replica.close(rows, &circle, 1, now, rng))
    })
    .unwrap();
    let closed = |net: &Net, node: usize| net.nodes[node].circles[&circle].charter.state().closed;
    assert!(net.run_until(|net| closed(net, 1)));
    let refused = net.act(1, |node, now| node.write(&circle, note(ATE), now));
    assert!(refused.is_err());
    net.act(0, |node, now| {
        node.with(|replica, rows, rng| replica.reopen(rows, &circle, 0, now, rng))
    })
    .unwrap();
    assert!(net.run_until(|net| !closed(net, 1)));
    net.write(1, &circle, WALKED);
    assert!(net.run_until(|net| net.texts(0, &circle).contains(WALKED)));
    assert!(!net.texts(0, &circle).contains(ATE));
    net.invariants().unwrap();
}

#[test]
fn who_does_not_know_of_its_removal_yet_is_not_blamed_for_what_it_says() {
    let mut net = Net::new(54, 2);
    let circle = net.circle(0, &[1]);
    net.write(0, &circle, WALKED);
    net.write(1, &circle, ATE);
    assert!(net.run_until(|net| net.same(0, 1, &circle)));
    net.run(10_000);
    let said = net.frames[&(1, 0)].iter();
    let said: Vec<Message> = said
        .filter_map(|frame| Message::decode(frame).ok())
        .collect();
    let gone = net.id(1);
    net.act(0, |node, now| node.remove(&circle, gone, now));
    assert!(net.run_until(|net| !net.nodes[1].circles[&circle].charter.is_member(&gone)));
    // What node 1 said as a member comes late.
    let pushed = said.iter().filter(|message| {
        matches!(message, Message::Records { circle: of, records, .. } if *of == circle && !records.is_empty())
    });
    let pushed: Vec<&Message> = pushed.collect();
    assert!(!pushed.is_empty(), "node 1 wrote");
    for message in pushed {
        net.say(1, 0, message);
    }
    net.run(10_000);
    let problems = &net.nodes[0].problems;
    assert!(problems.is_empty(), "{problems:?}");
    let acks = said.iter().filter_map(|message| match message {
        Message::Ack(bytes) => Ack::verify(bytes.0.clone()).ok(),
        _ => None,
    });
    let acks: Vec<_> = acks.filter(|ack| ack.object.circle == circle).collect();
    assert!(!acks.is_empty(), "node 1 acknowledged");
    let taken = net.act(0, |node, now| {
        node.with(|replica, rows, _| replica.take_acks(rows, gone, circle, acks, now))
    });
    assert_eq!(taken.map_err(|error| error.to_string()), Ok(()));
}

#[test]
fn records_that_come_with_another_head_wait_until_both_hold_the_same() {
    let mut net = Net::new(56, 3);
    let circle = net.circle(0, &[1, 2]);
    net.connect(1, 2);
    net.write(0, &circle, WALKED);
    assert!(net.run_until(|net| net.same(0, 1, &circle) && net.same(0, 2, &circle)));
    net.run(10_000);
    net.cut(0, 1);
    net.cut(0, 2);
    let written = net.write(0, &circle, ATE);
    let record = net.nodes[0].record(&circle, written).unwrap();
    let charter = Arc::clone(&net.nodes[0].circles[&circle].charter);
    let passed_on = |entry| Message::Records {
        circle,
        entry,
        entry_hash: charter.hash_of(entry).unwrap(),
        records: vec![SentRecord {
            header: Bytes(record.header.bytes.clone()),
            body: Bytes(record.body.clone().unwrap()),
        }],
        wanted: false,
    };
    // Node 2 passes it on with the head that it had before.
    net.say(2, 1, &passed_on(charter.number() - 1));
    net.run(1_000);
    assert!(net.nodes[1].record(&circle, written).is_none());
    net.say(2, 1, &passed_on(charter.number()));
    net.run(1_000);
    assert!(net.texts(1, &circle).contains(ATE));
    net.invariants().unwrap();
}

#[test]
fn a_removed_structure_learns_of_its_removal_and_of_nothing_after_it() {
    let mut net = Net::new(5, 2);
    let circle = net.circle(0, &[1]);
    net.write(0, &circle, WALKED);
    assert!(net.run_until(|net| net.same(0, 1, &circle)));
    let gone = net.id(1);
    net.act(0, |node, now| node.remove(&circle, gone, now));
    assert!(net.run_until(|net| !net.nodes[1].circles[&circle].charter.is_member(&gone)));
    let before = net.frames[&(0, 1)].len();
    let late = net.write(0, &circle, ATE);
    net.run(300_000);
    net.crash(1);
    net.connect(0, 1);
    net.run(300_000);
    assert!(!net.texts(1, &circle).contains(ATE));
    let record = net.nodes[0].record(&circle, late).unwrap();
    assert!(!net.knows(1, &record.header.id));
    assert!(!net.knows(1, &record.header.object.salt.0));
    // And given the sealed bytes by hand, it cannot open them.
    assert!(net.nodes[1].circles[&circle].read(&record).is_err());
    assert!(net.frames[&(0, 1)].len() > before, "they still talk");
}

#[test]
fn a_node_that_is_in_no_circle_learns_nothing() {
    let mut net = Net::new(6, 3);
    net.connect_all();
    let circle = net.circle(0, &[1]);
    net.write(0, &circle, WALKED);
    assert!(net.run_until(|net| net.same(0, 1, &circle)));
    net.run(600_000);
    assert!(!net.knows(2, &circle.0), "not even that the circle exists");
    assert!(
        net.knows(1, &circle.0),
        "the same look does find it at a member"
    );
}

#[test]
fn nothing_that_was_acknowledged_is_lost_in_a_crash() {
    let mut net = Net::new(7, 2);
    let circle = net.circle(0, &[1]);
    for round in 0..20 {
        net.write(0, &circle, &format!("Note {round}"));
        net.run(round % 7);
        net.crash((round % 2) as usize);
        net.connect(0, 1);
    }
    assert!(net.run_until(|net| net.same(0, 1, &circle)));
    assert_eq!(net.texts(1, &circle).len(), 20);
}

#[test]
fn a_second_exchange_starts_at_the_mark_of_the_first() {
    let mut net = Net::new(8, 2);
    for _ in 0..20 {
        net.circle(0, &[1]);
    }
    net.run(300_000);
    net.cut(0, 1);
    net.frames.clear();
    net.connect(0, 1);
    net.run(10_000);
    let bytes: usize = net.frames.values().flatten().map(Vec::len).sum();
    assert!(bytes < 4096, "{bytes} bytes for nothing new");
}

/// The circles that one node stated to another, in order.
fn stated(net: &Net, from: usize, to: usize) -> Vec<CircleId> {
    let frames = net.frames.get(&(from, to)).into_iter().flatten();
    let messages = frames.filter_map(|frame| Message::decode(frame).ok());
    messages
        .filter_map(|message| match message {
            Message::States(states) => Some(states),
            _ => None,
        })
        .flatten()
        .map(|state| state.circle)
        .collect()
}

#[test]
fn after_a_disk_went_back_both_go_on_from_the_newest_mark_that_both_have() {
    let mut net = Net::new(81, 2);
    let [quiet, busy] = [(); 2].map(|()| net.circle(0, &[1]));
    net.run(300_000);
    let before = net.nodes[1].memory.clone();
    let late = net.write(0, &busy, ATE);
    assert!(net.run_until(|net| net.texts(1, &busy).contains(ATE)));
    net.run(300_000);
    let (gone, log) = (net.id(1), net.nodes[0].replica.own_log());
    assert!(net.nodes[0].owed(&busy, &gone).is_empty(), "acknowledged");
    // The disk of node 1 is put back to before it had acknowledged the note.
    net.cut(0, 1);
    net.nodes[1].memory = before;
    net.crash(1);
    assert!(!net.texts(1, &busy).contains(ATE));
    net.frames.clear();
    net.connect(0, 1);
    // What was acknowledged since then waits again, and comes.
    let waits = |net: &Net| {
        net.nodes[0]
            .owed(&busy, &gone)
            .iter()
            .any(|owed| owed.0 == log)
    };
    assert!(net.run_until(waits));
    assert!(net.run_until(|net| net.nodes[1].record(&busy, late).is_some()));
    net.run(300_000);
    assert!(net.same(0, 1, &busy) && !waits(&net));
    // From the mark on: what had not changed since then is not compared.
    for (from, to) in [(0, 1), (1, 0)] {
        assert!(!stated(&net, from, to).contains(&quiet));
    }
    // Without a mark that both have, all that they share is.
    net.cut(0, 1);
    for node in 0..2 {
        let other = net.id(1 - node);
        net.nodes[node]
            .memory
            .commit(&[(Row::Marks(other), None)].into());
        net.crash(node);
    }
    net.frames.clear();
    net.connect(0, 1);
    net.run(10_000);
    for circle in [quiet, busy] {
        assert!(stated(&net, 0, 1).contains(&circle) && stated(&net, 1, 0).contains(&circle));
    }
}

#[test]
fn what_is_stated_of_many_circles_fills_many_messages_and_none_too_full() {
    let mut net = Net::new(83, 3);
    for node in &mut net.nodes {
        node.limits.stated_bytes = 2_000;
    }
    for _ in 0..12 {
        net.circle(0, &[1, 2]);
    }
    net.run(300_000);
    for pair in [(0, 1), (0, 2)] {
        net.cut(pair.0, pair.1);
    }
    for node in 0..3 {
        for other in (0..3).filter(|other| *other != node) {
            let marks = Row::Marks(net.id(other));
            net.nodes[node].memory.commit(&[(marks, None)].into());
        }
        net.crash(node);
    }
    net.frames.clear();
    net.connect(0, 1);
    net.run(10_000);
    let stated = net.frames[&(0, 1)]
        .iter()
        .filter(|frame| matches!(Message::decode(frame), Ok(Message::States(_))));
    let lengths: Vec<usize> = stated.map(Vec::len).collect();
    assert!(lengths.iter().sum::<usize>() > 10_000, "{lengths:?}");
    // What is over is the last circle's.
    assert!(lengths.iter().all(|length| *length < 4_000), "{lengths:?}");
    net.invariants().unwrap();
}

#[test]
fn an_alert_names_each_structure_that_has_not_acknowledged_it() {
    use maillon_protocol::content::{Alert, Content, Severity};
    let mut net = Net::new(9, 2);
    let circle = net.circle(0, &[1]);
    net.cut(0, 1);
    let alert = Content::Alert(Alert {
        severity: Severity::High,
        text: ATE.to_owned(),
        addressees: Vec::new(),
        answer_by_ms: 0,
    });
    let id = net
        .act(0, |node, now| node.write(&circle, alert, now))
        .unwrap();
    let delivered = |net: &Net| {
        net.nodes[0]
            .notices
            .iter()
            .any(|notice| matches!(notice, Notice::Delivered { record, .. } if *record == id))
    };
    net.run(60_000);
    assert!(!delivered(&net));
    net.connect(0, 1);
    assert!(net.run_until(delivered));
}

#[test]
fn a_log_seen_ahead_of_what_its_own_node_holds_starts_a_new_incarnation() {
    let mut net = Net::new(10, 2);
    let circle = net.circle(0, &[1]);
    let old = net.nodes[0].memory.clone();
    net.write(0, &circle, WALKED);
    assert!(net.run_until(|net| net.same(0, 1, &circle)));
    // The disk goes back to an older copy.
    let log = net.nodes[0].replica.own_log();
    net.nodes[0].memory = old;
    net.crash(0);
    net.connect(0, 1);
    assert!(net.run_until(|net| net.nodes[0].replica.own_log() != log));
    net.write(0, &circle, ATE);
    assert!(net.run_until(|net| net.texts(1, &circle).contains(ATE)));
    // The other node gives the lost tail back.
    net.crash(0);
    net.connect(0, 1);
    assert!(net.run_until(|net| net.texts(0, &circle).contains(WALKED)));
    assert!(net.run_until(|net| net.same(0, 1, &circle)));
}

#[test]
fn a_node_that_is_put_back_to_before_it_founded_a_circle_gets_it_back_from_the_members() {
    let mut net = Net::new(14, 3);
    net.nodes[0].commit();
    let before = net.nodes[0].memory.clone();
    let circle = net.circle(0, &[1]);
    net.write(0, &circle, WALKED);
    assert!(net.run_until(|net| net.same(0, 1, &circle)));
    // Without knowing that it was put back, it takes no circle that it has not asked for.
    net.nodes[0].memory = before;
    net.crash(0);
    net.connect(0, 1);
    net.run(180_000);
    assert!(!net.nodes[0].circles.contains_key(&circle));
    net.crash(0);
    let now = net.now;
    net.nodes[0]
        .with(|replica, rows, rng| replica.restored(rows, now, rng))
        .unwrap();
    net.nodes[0].commit();
    net.connect(0, 1);
    assert!(net.run_until(|net| net.same(0, 1, &circle)));
    assert!(net.texts(0, &circle).contains(WALKED));
    // The other one has stated the same head: it is the steward as before.
    net.connect(0, 2);
    net.invite(0, 2, circle);
    assert!(net.run_until(|net| net.same(0, 2, &circle)));
    net.invariants().unwrap();
}

#[test]
fn a_node_that_wrote_on_an_old_copy_of_its_disk_goes_on_in_a_new_life() {
    let mut net = Net::new(12, 2);
    let circle = net.circle(0, &[1]);
    let old = net.nodes[0].memory.clone();
    net.write(0, &circle, WALKED);
    assert!(net.run_until(|net| net.same(0, 1, &circle)));
    let log = net.nodes[0].replica.own_log();
    net.nodes[0].memory = old;
    net.crash(0);
    // Two notes on the old copy, before it meets anybody: the log forks.
    net.write(0, &circle, ATE);
    net.write(0, &circle, "Dort beaucoup.");
    net.connect(0, 1);
    assert!(net.run_until(|net| net.nodes[0].replica.own_log() != log));
    assert!(
        net.nodes[0]
            .notices
            .iter()
            .any(|notice| matches!(notice, Notice::Aside { what: "fork", .. }))
    );
    // What the other has not is not taken for delivered, whatever height it acknowledges: it is written again, and waits until it is there.
    let other = net.id(1);
    assert!(net.run_until(|net| net.nodes[0].owed(&circle, &other).is_empty()));
    assert!(net.texts(1, &circle).is_superset(&BTreeSet::from([
        ATE.to_owned(),
        "Dort beaucoup.".to_owned()
    ])));
    // What it writes from now on arrives.
    let late = "Le kiné passe demain.";
    net.write(0, &circle, late);
    assert!(net.run_until(|net| net.texts(1, &circle).contains(late)));
    // The new log names both heads of the one that forked.
    let opening = net.nodes[0]
        .stored(&circle, &net.nodes[0].replica.own_log(), 1)
        .unwrap();
    let Previous::Opening(older) = &opening.header.object.previous else {
        panic!("the first record opens the log")
    };
    let heads: BTreeSet<_> = older.iter().map(|older| older.head).collect();
    assert_eq!(heads.len(), 2, "{older:?}");
    assert!(
        older
            .iter()
            .all(|older| older.incarnation == log.incarnation)
    );
}

#[test]
fn a_machine_that_runs_twice_stops_writing_after_sixteen_lives_in_a_day() {
    let mut net = Net::new(13, 2);
    let circle = net.circle(0, &[1]);
    let mut refused = 0;
    for round in 0..20 {
        let old = net.nodes[0].memory.clone();
        net.act(0, |node, now| {
            refused += u32::from(
                node.write(&circle, note(&format!("Note {round}")), now)
                    .is_err(),
            );
        });
        net.run(2_000);
        // The disk goes back, and with it all but the count of lives: a machine that runs twice has two of them.
        let lives = net.nodes[0].memory.get(&Row::Lives).unwrap();
        net.nodes[0].memory = old;
        net.nodes[0]
            .memory
            .commit(&BTreeMap::from([(Row::Lives, lives)]));
        net.crash(0);
        net.connect(0, 1);
        net.run(2_000);
    }
    assert!(refused > 0, "it goes on for ever");
    let text = "Le lendemain.";
    let tomorrow = net.now + 25 * 3600 * 1000;
    net.run(tomorrow - net.now);
    net.write(0, &circle, text);
    assert!(net.run_until(|net| net.texts(1, &circle).contains(text)));
}

#[test]
fn bad_weather_delays_and_does_not_change_what_is_known_in_the_end() {
    let mut net = Net::new(11, 3);
    let circle = net.circle(0, &[1, 2]);
    net.weather = Weather {
        delay_ms: 20,
        jitter_ms: 400,
        loss: 20,
        twice: 20,
        ordered: false,
    };
    for round in 0..30 {
        net.write(round % 3, &circle, &format!("Note {round}"));
        net.run(500);
    }
    net.weather = Weather::FINE;
    net.cut_all();
    net.connect_all();
    assert!(net.run_until(|net| net.same(0, 1, &circle) && net.same(0, 2, &circle)));
    assert_eq!(net.texts(2, &circle).len(), 30);
}

#[test]
fn a_past_that_does_not_exist_is_refused_by_who_grants_it_and_the_epochs_are_named() {
    let mut net = Net::new(48, 3);
    let circle = net.circle(0, &[1]);
    let to = net.id(2);
    let refused = net.act(0, |node, now| {
        node.with(|replica, rows, rng| {
            let who = identity();
            let (reason, grant) = (InvitationReason::CareTeam, Grant::From(99));
            replica.invite(rows, &circle, to, reason, Some(&who), grant, now, rng)
        })
    });
    let begun: Vec<u64> = net.nodes[0].circles[&circle].charter.epochs().collect();
    assert!(
        matches!(&refused, Err(LetterError::NoEpoch { asked: 99, epochs }) if *epochs == begun),
        "{refused:?}"
    );
    let words = refused.unwrap_err().to_string();
    assert!(
        words.contains(&format!("from entry {}", begun[0])),
        "{words}"
    );
}

#[test]
fn who_alone_holds_a_secret_stays_until_another_member_has_it() {
    let mut net = Net::new(44, 2);
    let circle = net.circle(0, &[1]);
    net.cut_all();
    let (old, new) = (net.id(0), net.id(1));
    net.act(0, |node, now| node.rotate(&circle, now)).unwrap();
    net.write(0, &circle, ATE);
    net.act(0, |node, now| {
        node.with(|replica, rows, rng| replica.hand_over(rows, &circle, new, now, rng))
    })
    .unwrap();
    // The new steward hears of it, and the sealed secret is lost on the way.
    let known = net.nodes[1].circles[&circle].charter.number();
    let entries: Vec<_> = net.nodes[0]
        .memory
        .scan(&RowPrefix::Entries(circle, known))
        .unwrap()
        .into_iter()
        .map(|bytes| Unverified::<Entry>::parse(bytes).unwrap().verify().unwrap())
        .collect();
    net.act(1, |node, now| {
        node.with(|replica, rows, rng| {
            replica.take_entries(rows, old, circle, entries, &[], now, rng)
        })
    })
    .unwrap();
    let refused = net.act(1, |node, now| node.try_remove(&circle, old, now));
    let Err(StewardshipError::OnlyHolder(epoch)) = refused else {
        panic!("{refused:?}");
    };
    assert_eq!(epoch, known + 1);
    assert!(net.nodes[1].circles[&circle].charter.is_member(&old));
    // They meet, it comes, and the old steward can go.
    net.connect(0, 1);
    assert!(net.run_until(|net| net.texts(1, &circle).contains(ATE)));
    net.act(1, |node, now| node.try_remove(&circle, old, now))
        .unwrap();
    assert!(net.texts(1, &circle).contains(ATE));
}

#[test]
fn nobody_hides_the_beginning_of_a_log_from_who_reads_it_from_an_entry_on() {
    let mut net = Net::new(45, 3);
    let circle = net.circle(0, &[1]);
    // The third is admitted without the past, before the second has written anything: the admit entry names no log of it.
    net.connect(0, 2);
    net.invite_with(0, 2, circle, Grant::Nothing);
    assert!(net.run_until(|net| net.nodes[2].circles.contains_key(&circle)));
    assert!(net.run_until(|net| net.same(0, 1, &circle)));
    net.cut_all();
    net.write(1, &circle, WALKED);
    let second = net.write(1, &circle, ATE);
    // A member passes on the later record and says nothing of those before it.
    let record = net.nodes[1].record(&circle, second).unwrap();
    let log = record.header.object.log;
    let from = net.id(0);
    let outcome = net.act(2, |node, now| {
        node.with(|replica, rows, rng| {
            replica.take_records(rows, from, circle, vec![record], now, rng)
        })
    });
    assert!(outcome.unwrap().gaps.contains_key(&log));
    assert!(!net.nodes[2].circles[&circle].logs.contains_key(&log));
    net.connect_all();
    assert!(net.run_until(|net| {
        let texts = net.texts(2, &circle);
        texts.contains(WALKED) && texts.contains(ATE)
    }));
    net.invariants().unwrap();
}

#[test]
fn a_restored_steward_signs_nothing_until_another_member_states_the_same_head() {
    let mut net = Net::new(46, 3);
    let circle = net.circle(0, &[1]);
    let copy = net.nodes[0].memory.clone();
    let log = net.nodes[0].replica.own_log();
    // After the copy was made, somebody is admitted and a note is written.
    net.connect(0, 2);
    net.invite(0, 2, circle);
    net.write(0, &circle, WALKED);
    assert!(net.run_until(|net| net.same(0, 1, &circle) && net.same(0, 2, &circle)));
    let head = net.nodes[1].circles[&circle].charter.head();
    let restore = |net: &mut Net| {
        net.nodes[0].memory = copy.clone();
        net.crash(0);
        let waiting = net.act(0, |node, now| {
            node.with(|replica, rows, rng| replica.restored(rows, now, rng))
        });
        assert_eq!(waiting.unwrap(), 1);
    };
    restore(&mut net);
    assert_ne!(net.nodes[0].replica.own_log(), log);
    let gone = net.id(1);
    let refused = net.act(0, |node, now| node.try_remove(&circle, gone, now));
    assert!(matches!(refused, Err(StewardshipError::Unconfirmed)));
    // Neither another head confirms that, nor somebody who is no member as far as this node remembers.
    let (member, stranger) = (net.id(1), net.id(2));
    let held = net.nodes[0].circles[&circle].charter.head();
    net.act(0, |node, now| {
        node.with(|replica, rows, rng| {
            for (who, head) in [(member, head), (stranger, held)] {
                replica
                    .take_confirmation(rows, &who, &circle, head, now, rng)
                    .expect("rows that can be read");
            }
        });
    });
    assert!(net.nodes[0].circles[&circle].unconfirmed);
    // It writes at once, in its new life, and through a restart nothing of this is forgotten.
    net.write(0, &circle, ATE);
    net.crash(0);
    assert!(net.nodes[0].circles[&circle].unconfirmed);
    // The entry that it had signed comes back, and with it the note; then it rules again.
    net.connect(0, 1);
    assert!(net.run_until(|net| !net.nodes[0].circles[&circle].unconfirmed));
    assert_eq!(net.nodes[0].circles[&circle].charter.head(), head);
    assert!(net.run_until(|net| net.texts(0, &circle).contains(WALKED)));
    net.act(0, |node, now| node.rotate(&circle, now)).unwrap();
    assert!(net.run_until(|net| net.texts(1, &circle).contains(ATE) && net.same(0, 1, &circle)));
    // Alone, its administrator says so.
    let mut alone = Net::new(47, 2);
    let circle = alone.act(0, |node, now| node.found(now));
    alone
        .act(0, |node, now| {
            node.with(|replica, rows, rng| replica.restored(rows, now, rng))
        })
        .unwrap();
    let to = alone.id(1);
    let who = identity();
    let reason = InvitationReason::CareTeam;
    let refused = alone.act(0, |node, now| {
        node.with(|replica, rows, rng| {
            replica.invite(
                rows,
                &circle,
                to,
                reason,
                Some(&who),
                Grant::Whole,
                now,
                rng,
            )
        })
    });
    let Err(LetterError::Steward(StewardshipError::Unconfirmed)) = refused else {
        panic!("{refused:?}");
    };
    alone
        .act(0, |node, now| {
            node.with(|replica, rows, rng| replica.confirm(rows, &circle, now, rng))
        })
        .unwrap();
    alone.connect(0, 1);
    alone.invite(0, 1, circle);
    assert!(alone.run_until(|net| net.nodes[1].circles.contains_key(&circle)));
}

#[test]
fn a_node_that_is_put_back_to_before_it_joined_a_circle_is_in_it_again() {
    let mut net = Net::new(48, 2);
    let copy = net.nodes[1].memory.clone();
    let circle = net.circle(0, &[1]);
    net.write(0, &circle, WALKED);
    assert!(net.run_until(|net| net.same(0, 1, &circle)));
    net.nodes[1].memory = copy;
    net.crash(1);
    net.act(1, |node, now| {
        node.with(|replica, rows, rng| replica.restored(rows, now, rng))
    })
    .unwrap();
    assert!(!net.nodes[1].circles.contains_key(&circle));
    // It does not remember that it accepted; the entry that admits it quotes its own signature.
    net.connect(0, 1);
    assert!(net.run_until(|net| net.texts(1, &circle).contains(WALKED)));
    net.write(1, &circle, ATE);
    assert!(net.run_until(|net| net.texts(0, &circle).contains(ATE) && net.same(0, 1, &circle)));
}

#[test]
fn a_charter_that_arrives_costs_the_same_however_many_invitations_came_before() {
    let mut net = Net::new(91, 2);
    let circle = net.circle(0, &[1]);
    let costs = |net: &mut Net| {
        net.run(5_000);
        let before = net.nodes[1].rows_read();
        net.act(0, |node, now| node.rotate(&circle, now)).unwrap();
        assert!(net.run_until(|net| net.same(0, 1, &circle)));
        net.run(5_000);
        net.nodes[1].rows_read() - before
    };
    let first = costs(&mut net);
    for _ in 0..30 {
        net.circle(0, &[1]);
    }
    // One sealed copy more.
    let later = costs(&mut net);
    assert!(later <= first + 2, "{first} rows, then {later}");
}

#[test]
fn a_connection_keeps_nothing_of_circles_in_which_its_peer_is_not() {
    let mut net = Net::new(92, 3);
    net.connect_all();
    let circle = net.circle(0, &[1]);
    net.run(5_000);
    let keeps = |peer: usize| format!("{:?}", net.nodes[0].sessions[&peer]);
    let name = format!("{circle:?}");
    assert!(keeps(1).contains(&name));
    assert!(!keeps(2).contains(&name));
}

#[test]
fn who_asks_for_more_before_it_knows_of_its_removal_is_not_blamed_and_who_knows_is() {
    let mut net = Net::new(42, 2);
    let circle = net.circle(0, &[1]);
    net.run(60_000);
    let log = net.nodes[0].replica.own_log();
    // What the steward says does not arrive, what the other one says does.
    net.mute.insert((0, 1));
    let removed = net.id(1);
    net.act(0, |node, now| node.remove(&circle, removed, now));
    let ask = |net: &mut Net| {
        net.say(
            1,
            0,
            &Message::Want {
                circle,
                log,
                after: 0,
                up_to: 1,
            },
        );
        net.run(5_000);
    };
    ask(&mut net);
    assert_eq!(net.nodes[0].problems, Vec::new());
    net.mute.clear();
    net.cut(0, 1);
    net.connect(0, 1);
    net.run(60_000);
    ask(&mut net);
    assert_eq!(
        net.nodes[0].problems.len(),
        1,
        "{:?}",
        net.nodes[0].problems
    );
}
