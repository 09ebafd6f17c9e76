//! Invitations over the years: what is settled costs nothing any more, in virtual time.
#![allow(
    clippy::unwrap_used,
    reason = "a test that cannot go on should say where"
)]

use std::collections::BTreeMap;

use maillon_protocol::{
    ids::{CircleId, InvitationId},
    replica::{IncomingState, Row},
};
use maillon_tests::net::Net;

const DAY: u64 = 86_400_000;
/// Undecided invitations of one peer that a node keeps.
const KEPT: usize = 200;

/// The steward of so many circles, each of which its guest was invited to and has joined.
fn after_years(seed: u64, circles: usize) -> Net {
    let mut net = Net::new(seed, 2);
    net.connect(0, 1);
    for _ in 0..circles {
        net.circle(0, &[1]);
    }
    net.run(120_000);
    net
}

/// Rows that both nodes read from an invitation until its guest is a member.
fn rows_of_one_more(net: &mut Net) -> u64 {
    let read = |net: &Net| net.nodes[0].rows_read() + net.nodes[1].rows_read();
    let before = read(net);
    net.circle(0, &[1]);
    read(net) - before
}

#[test]
fn one_more_invitation_reads_as_much_after_five_as_after_two_hundred() {
    let few = rows_of_one_more(&mut after_years(81, 5));
    let many = rows_of_one_more(&mut after_years(81, 200));
    assert!(many <= few + few / 4, "{few} rows, then {many}");
}

#[test]
fn invitations_that_nobody_answered_make_room_when_their_time_is_over() {
    let mut net = Net::new(82, 2);
    net.connect(0, 1);
    let to = net.id(1);
    let invite = |net: &mut Net| {
        let circle = net.act(0, |node, now| node.found(now));
        net.act(0, |node, now| node.invite(&circle, to, now))
    };
    for _ in 0..KEPT {
        invite(&mut net);
    }
    let waiting = |net: &Net, now: u64| {
        let all = net.nodes[1].replica.incoming(&net.nodes[1].memory).unwrap();
        all.iter()
            .filter(|(_, row)| row.state == IncomingState::Waiting && row.received_ms >= now)
            .count()
    };
    assert!(net.run_until(|net| waiting(net, 0) == KEPT));
    let one_too_many = invite(&mut net);
    net.run(5_000);
    assert!(!arrived(&net, one_too_many));

    net.run(40 * DAY);
    let later = invite(&mut net);
    assert!(net.run_until(|net| arrived(net, later)));
    net.invariants().unwrap();
}

fn arrived(net: &Net, id: InvitationId) -> bool {
    net.nodes[1].memory.rows().contains_key(&Row::Incoming(id))
}

#[test]
fn a_database_of_a_time_before_the_index_of_letters_gets_it_with_its_next_start() {
    let mut net = Net::new(83, 3);
    net.connect(0, 1);
    net.connect(0, 2);
    net.circle(0, &[1]);
    let circle = net.act(0, |node, now| node.found(now));
    let to = net.id(2);
    net.cut(0, 2);
    net.act(0, |node, now| node.invite(&circle, to, now));
    let index = |net: &Net| letters(net, 0);
    let before = index(&net);
    assert_eq!(before.len(), 1);

    let mut changes = BTreeMap::from([(Row::LettersIndexed, None)]);
    changes.extend(before.keys().map(|row| (*row, None)));
    net.nodes[0].memory.commit(&changes);
    assert!(index(&net).is_empty());
    net.crash(0);
    assert_eq!(index(&net), before);
    net.connect(0, 2);
    assert!(net.run_until(|net| net.nodes[2].undecided().is_some()));
    net.act(2, |node, now| node.accept_first(now));
    assert!(net.run_until(|net| member(net, 2, &circle)));
    // Nothing is open any more, at either side.
    net.run(5_000);
    assert!((0..3).all(|node| letters(&net, node).is_empty()));
}

fn letters(net: &Net, node: usize) -> BTreeMap<Row, Vec<u8>> {
    let rows = net.nodes[node].memory.rows().iter();
    rows.filter(|(row, _)| matches!(row, Row::Letter(..)))
        .map(|(row, value)| (*row, value.clone()))
        .collect()
}

fn member(net: &Net, node: usize, circle: &CircleId) -> bool {
    let own = net.id(node);
    let held = net.nodes[node].circles.get(circle);
    held.is_some_and(|held| held.charter.is_member(&own))
}
