//! Alerts on their way, when much else is: what they cost, and that nothing holds them up; in virtual time.
#![allow(
    clippy::unwrap_used,
    reason = "a test that cannot go on should say where"
)]

use maillon_protocol::{
    content::{Alert, Content, Severity},
    ids::{CircleId, RecordId},
    replica::{Notice, Row},
    sync::Message,
};
use maillon_tests::net::Net;

fn alert(net: &mut Net, circle: &CircleId) -> RecordId {
    let alert = Content::Alert(Alert {
        severity: Severity::High,
        text: "Chute dans l'escalier, ne se relève pas.".to_owned(),
        addressees: Vec::new(),
        answer_by_ms: 0,
    });
    net.act(0, |node, now| node.write(circle, alert, now))
        .unwrap()
}

fn delivered(net: &Net, id: RecordId, node: usize) -> bool {
    let node = net.id(node);
    let mut notices = net.nodes[0].notices.iter();
    notices.any(|notice| matches!(notice, Notice::Delivered { record, node: to, .. } if *record == id && *to == node))
}

/// Rows that the author's node reads until a member that is there has acknowledged ten more alerts, with so many that wait for one that is away.
fn rows_of_ten_more(waiting: usize) -> u64 {
    let mut net = Net::new(91, 3);
    let circle = net.circle(0, &[1, 2]);
    net.run(120_000);
    net.cut(0, 2);
    net.cut(1, 2);
    for _ in 0..waiting {
        alert(&mut net, &circle);
    }
    net.run(120_000);
    let before = net.nodes[0].rows_read();
    for _ in 0..10 {
        let id = alert(&mut net, &circle);
        assert!(net.run_until(|net| delivered(net, id, 1)));
    }
    let read = net.nodes[0].rows_read() - before;
    net.connect(0, 2);
    net.run(120_000);
    let awaited = |row: &&Row| matches!(row, Row::Awaited(..));
    assert_eq!(net.nodes[0].memory.rows().keys().filter(awaited).count(), 0);
    read
}

#[test]
fn an_acknowledgement_costs_what_it_says_that_is_new_whatever_waits_for_others() {
    let (few, many) = (rows_of_ten_more(5), rows_of_ten_more(300));
    assert!(many <= few + few / 4, "{few} rows, then {many}");
}

#[test]
fn after_an_absence_an_alert_comes_before_the_older_notes_of_other_circles() {
    let mut net = Net::new(92, 2);
    net.connect(0, 1);
    let circles: Vec<CircleId> = (0..40).map(|_| net.circle(0, &[1])).collect();
    net.run(120_000);
    net.cut(0, 1);
    for circle in &circles {
        for number in 0..20 {
            net.write(0, circle, &format!("Visite {number}, rien à signaler."));
        }
    }
    // The last one of those that changed.
    let circle = circles[39];
    let id = alert(&mut net, &circle);
    net.run(60_000);
    net.frames.clear();
    net.connect(0, 1);
    assert!(net.run_until(|net| delivered(net, id, 1)));
    net.run(60_000);
    let sent = net.frames[&(0, 1)].iter();
    let answered: Vec<CircleId> = sent
        .filter_map(|frame| match Message::decode(frame) {
            Ok(Message::Records { circle, .. }) => Some(circle),
            _ => None,
        })
        .collect();
    let place = answered.iter().position(|sent| *sent == circle);
    assert!(answered.len() >= 40 && place == Some(0), "{place:?}");
    net.invariants().unwrap();
}
