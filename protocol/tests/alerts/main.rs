//! The index of alerts is what the records say: in any order of arrival, after a removal, and made anew.
#![allow(
    clippy::expect_used,
    unreachable_pub,
    missing_docs,
    reason = "a test that cannot go on should say where"
)]

#[path = "../refusals/node.rs"]
#[allow(dead_code, reason = "shared with tests that use all of it")]
mod node;

use std::collections::BTreeMap;

use maillon_protocol::{
    charter::RemovalReason,
    content::{
        Alert, AlertAnswer, AlertStep, Content, LiaisonNote, NoteKind, Professional, Severity,
        Structure,
    },
    dossier::AlertEntry,
    ids::{CircleId, RecordId, ThingId},
    record::Record,
    replica::{Draft, Replica, Row},
};

use node::{NOW, Node, admit, hand_over};

const ALERT: ThingId = ThingId([7; 16]);

fn write(
    node: &mut Node,
    circle: &CircleId,
    content: Content,
    thing: u8,
    supersedes: &[RecordId],
) -> Vec<Record> {
    let is_answer = matches!(content, Content::AlertAnswer(_));
    let draft = Draft {
        thing: Some(ThingId([thing; 16])),
        parent: is_answer.then_some(ALERT),
        supersedes: supersedes.to_vec(),
        author: Professional {
            name: "Camille Exemple".to_owned(),
            identifiers: Vec::new(),
            profession: None,
            structure: Structure {
                name: "DAC".to_owned(),
                identifiers: Vec::new(),
            },
        },
        occurred_ms: NOW,
        content,
    };
    node.replica
        .write(&node.rows, circle, vec![draft], NOW, &mut node.rng)
        .expect("a member writes");
    node.commit()
}

fn alert(answer_by_ms: u64) -> Content {
    Content::Alert(Alert {
        severity: Severity::High,
        text: "Chute à domicile.".to_owned(),
        addressees: Vec::new(),
        answer_by_ms,
    })
}

fn answer(step: AlertStep) -> Content {
    Content::AlertAnswer(AlertAnswer {
        step,
        comment: String::new(),
    })
}

fn take(node: &mut Node, from: &Node, circle: CircleId, records: &[Record]) {
    node.replica
        .take_records(
            &node.rows,
            from.replica.own(),
            circle,
            records.to_vec(),
            NOW,
            &mut node.rng,
        )
        .expect("from a member");
    node.commit();
}

fn entry(node: &Node, circle: &CircleId) -> AlertEntry {
    let held = node.replica.alert(&node.rows, circle, &ALERT);
    held.expect("rows").expect("an alert")
}

/// The steward, and two members.
fn three() -> (Node, Node, Node, CircleId) {
    let (mut host, mut guest, mut other) = (Node::new(1), Node::new(2), Node::new(3));
    let circle = host.found();
    admit(&mut host, &mut guest, circle);
    hand_over(&host, &mut guest, circle).expect("admitted");
    admit(&mut host, &mut other, circle);
    hand_over(&host, &mut other, circle).expect("admitted");
    (host, guest, other, circle)
}

#[test]
fn answers_that_come_before_their_alert_leave_it_where_those_that_come_after_do() {
    let (mut host, mut guest, mut other, circle) = three();
    let asked = write(&mut host, &circle, alert(0), 7, &[]);
    let mut answers = write(&mut guest, &circle, answer(AlertStep::Close), 8, &[]);
    answers.extend(write(
        &mut guest,
        &circle,
        answer(AlertStep::Acknowledge),
        9,
        &[],
    ));
    take(&mut host, &guest, circle, &answers);
    take(&mut other, &guest, circle, &answers);
    assert!(!entry(&other, &circle).is_open(|_| true));
    take(&mut other, &host, circle, &asked);
    let (here, there) = (entry(&host, &circle), entry(&other, &circle));
    assert_eq!(here, there);
    assert_eq!(here.step(), Some(AlertStep::Close));
    assert_eq!((here.is_open(|_| true), here.answers.len()), (false, 2));
}

#[test]
fn a_corrected_alert_asks_what_its_newest_version_says() {
    let (mut host, _, mut other, circle) = three();
    let first = write(&mut host, &circle, alert(NOW + 1), 7, &[]);
    let corrects = [first.last().expect("one").id()];
    let second = write(&mut host, &circle, alert(NOW + 2), 7, &corrects);
    for records in [&first, &second] {
        take(&mut other, &host, circle, records);
    }
    let asked = entry(&other, &circle).asked.expect("asked");
    assert_eq!(asked.answer_by_ms, NOW + 2);
    assert_eq!(entry(&host, &circle).asked, Some(asked));
}

#[test]
fn an_answer_that_a_removal_no_longer_lets_count_leaves_the_alert_open_again() {
    let (mut host, mut guest, mut other, circle) = three();
    // The steward has seen something of the guest, and not what the guest wrote last.
    let note = Content::LiaisonNote(LiaisonNote {
        note: NoteKind::General,
        text: "Passage fait.".to_owned(),
        emergency: false,
        written_by: Vec::new(),
        attachments: Vec::new(),
        withdrawn: String::new(),
    });
    let seen = write(&mut guest, &circle, note, 6, &[]);
    let last = write(&mut guest, &circle, answer(AlertStep::Acknowledge), 8, &[]);
    take(&mut host, &guest, circle, &seen);
    let asked = write(&mut host, &circle, alert(0), 7, &[]);
    take(&mut other, &guest, circle, &[seen, last].concat());
    take(&mut other, &host, circle, &asked);
    assert!(!entry(&other, &circle).is_open(|_| true));
    host.replica
        .remove(
            &host.rows,
            &circle,
            guest.replica.own(),
            RemovalReason::Ended,
            NOW,
            &mut host.rng,
        )
        .expect("the steward removes");
    host.commit();
    hand_over(&host, &mut other, circle).expect("a member");
    let left = entry(&other, &circle);
    assert!(
        left.is_open(|_| true) && left.answers.is_empty(),
        "{left:?}"
    );
    assert_eq!(left, entry(&host, &circle));
}

#[test]
fn an_index_that_is_made_anew_is_the_same_and_a_database_without_one_gets_it() {
    let (mut host, mut guest, _, circle) = three();
    write(&mut host, &circle, alert(NOW + 5), 7, &[]);
    let answers = write(&mut guest, &circle, answer(AlertStep::TakeCharge), 8, &[]);
    take(&mut host, &guest, circle, &answers);
    let before = entry(&host, &circle);
    assert!(!before.answers.is_empty() && before.asked.is_some());

    // Damaged: one that nothing says, and another one missing.
    let wrong = Row::Alert(circle, ThingId([1; 16]));
    let made_up = AlertEntry {
        thing: ThingId([1; 16]),
        ..before.clone()
    };
    let bytes = maillon_protocol::cbor::encode(&made_up);
    host.rows.commit(&BTreeMap::from([
        (wrong, Some(bytes)),
        (Row::Alert(circle, ALERT), None),
    ]));
    host.replica
        .reproject(&host.rows, &circle)
        .expect("projected anew");
    host.commit();
    assert_eq!(entry(&host, &circle), before);
    assert!(!host.rows.rows().contains_key(&wrong));

    host.rows.commit(&BTreeMap::from([
        (Row::AlertsIndexed, None),
        (Row::Alert(circle, ALERT), None),
    ]));
    let descriptor = host.replica.descriptor().clone();
    host.replica =
        Replica::load(&host.rows, host.keys.clone(), descriptor, &mut host.rng).expect("rows load");
    host.commit();
    assert_eq!(entry(&host, &circle), before);
    assert!(host.rows.rows().contains_key(&Row::AlertsIndexed));
}
