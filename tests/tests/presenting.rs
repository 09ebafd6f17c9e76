//! A node that another member has not heard of yet presents the end of the charter that lists it: in virtual time.
#![allow(
    clippy::unwrap_used,
    reason = "a test that cannot go on should say where"
)]

use maillon_protocol::{
    cbor::Bytes,
    identity::Revocation,
    ids::CircleId,
    limits,
    replica::{Row, Rows},
    sync::{Presentation, PresentationError},
};
use maillon_tests::net::Net;

const WALKED: &str = "A marché jusqu'au portail ce matin.";
const ATE: &str = "N'a rien mangé à midi.";
const SLEPT: &str = "A bien dormi.";

const STEWARD: usize = 0;
const AWAY: usize = 1;
const NEW: usize = 2;
const NOBODY: usize = 3;

/// A circle of two; one of them was away while a third node was admitted, and the steward has gone since. A fourth node has nothing to do with it.
fn admitted_meanwhile(seed: u64) -> (Net, CircleId) {
    let mut net = Net::new(seed, 4);
    let circle = admit_meanwhile(&mut net);
    (net, circle)
}

fn admit_meanwhile(net: &mut Net) -> CircleId {
    let circle = net.circle(STEWARD, &[AWAY]);
    net.write(AWAY, &circle, WALKED);
    assert!(net.run_until(|net| net.same(STEWARD, AWAY, &circle)));
    net.cut_all();
    net.connect(STEWARD, NEW);
    net.invite(STEWARD, NEW, circle);
    assert!(net.run_until(|net| {
        net.nodes[NEW].circles.contains_key(&circle) && net.same(STEWARD, NEW, &circle)
    }));
    net.run(60_000);
    net.cut_all();
    circle
}

fn head(net: &Net, node: usize, circle: &CircleId) -> u64 {
    net.nodes[node].circles[circle].charter.number()
}

fn counts(net: &Net, node: usize, other: usize, circle: &CircleId) -> bool {
    let charter = &net.nodes[node].circles[circle].charter;
    charter.is_member(&net.id(other))
}

#[test]
fn who_was_admitted_while_a_member_was_away_tells_it_and_they_go_on_without_the_steward() {
    let (mut net, circle) = admitted_meanwhile(401);
    assert!(!counts(&net, AWAY, NEW, &circle));
    let said = net.presentation(NEW, AWAY, 0).unwrap();
    assert_eq!(said.entries.len() as u64, head(&net, NEW, &circle));
    assert!(net.present(NEW, AWAY, &said.encode()));
    assert!(counts(&net, AWAY, NEW, &circle), "a fellow from now on");

    net.connect(AWAY, NEW);
    net.write(AWAY, &circle, ATE);
    net.write(NEW, &circle, SLEPT);
    assert!(net.run_until(|net| net.same(AWAY, NEW, &circle)));
    let all = [WALKED, ATE, SLEPT].map(str::to_owned).into();
    assert_eq!(net.texts(AWAY, &circle), all);
    assert_eq!(net.texts(NEW, &circle), all);
    // There is nothing more to present: it is known there.
    assert!(!net.present(NEW, AWAY, &said.encode()));
}

#[test]
fn the_same_words_of_anybody_else_change_nothing() {
    let (mut net, circle) = admitted_meanwhile(402);
    let said = net.presentation(NEW, AWAY, 0).unwrap().encode();
    let before = head(&net, AWAY, &circle);
    assert!(!net.present(NOBODY, AWAY, &said), "not listed");
    assert!(!net.present(NEW, NOBODY, &said), "no such circle there");
    assert_eq!(net.presentation(NOBODY, AWAY, 0), None);
    assert_eq!(head(&net, AWAY, &circle), before);
    assert!(net.nodes[NOBODY].circles.is_empty());
    assert!(net.present(NEW, AWAY, &said), "who is listed may");
}

#[test]
fn what_does_not_extend_the_head_word_for_word_changes_nothing() {
    let (mut net, circle) = admitted_meanwhile(403);
    // Something follows the admission, so that there are several entries to present.
    net.act(STEWARD, |node, now| node.rotate(&circle, now))
        .unwrap();
    net.connect(STEWARD, NEW);
    assert!(net.run_until(|net| net.same(STEWARD, NEW, &circle)));
    net.cut_all();
    let said = net.presentation(NEW, AWAY, 0).unwrap();
    let before = head(&net, AWAY, &circle);
    let known = before as usize;
    let of = |entries: &[Bytes]| Presentation {
        entries: entries.to_vec(),
        seals: Vec::new(),
    };
    let mut forged = said.clone();
    let signature = forged.entries.last_mut().unwrap();
    *signature.0.last_mut().unwrap() ^= 1;
    let mut swapped = said.clone();
    swapped.entries.swap(known, known + 1);
    let mut twice = said.clone();
    twice.entries.push(said.entries.last().unwrap().clone());
    let refused = [
        of(&said.entries[..known]),
        of(&said.entries[known + 1..]),
        of(&[]),
        of(&[Bytes(vec![0x80])]),
        forged,
        swapped,
        twice,
    ];
    for (number, one) in refused.iter().enumerate() {
        assert!(!net.present(NEW, AWAY, &one.encode()), "number {number}");
        assert_eq!(head(&net, AWAY, &circle), before, "number {number}");
    }
    assert!(!net.present(NEW, AWAY, b"hello"));
    assert!(net.present(NEW, AWAY, &of(&said.entries[known..]).encode()));
    assert_eq!(head(&net, AWAY, &circle), head(&net, NEW, &circle));
}

#[test]
fn sixty_four_entries_are_presented_and_not_more() {
    let (mut net, circle) = admitted_meanwhile(404);
    net.connect(STEWARD, NEW);
    for _ in 0..limits::PRESENTED - 1 {
        net.act(STEWARD, |node, now| node.rotate(&circle, now))
            .unwrap();
    }
    assert!(net.run_until(|net| net.same(STEWARD, NEW, &circle)));
    let said = net.presentation(NEW, AWAY, 0).unwrap();
    assert_eq!(said.entries.len() as u64, limits::PRESENTED);
    assert!(said.encode().len() <= limits::PRESENTATION);
    let mut more = said.clone();
    more.entries.push(said.entries.last().unwrap().clone());
    let refused = Presentation::decode(&more.encode());
    assert!(matches!(refused, Err(PresentationError::Limit(_))));
    assert!(Presentation::decode(&vec![0; limits::PRESENTATION + 1]).is_err());

    // The one that was away stands right before them; once there is one entry more, it is too far behind.
    assert_eq!(
        head(&net, AWAY, &circle) + limits::PRESENTED,
        head(&net, NEW, &circle)
    );
    net.act(STEWARD, |node, now| node.rotate(&circle, now))
        .unwrap();
    assert!(net.run_until(|net| net.same(STEWARD, NEW, &circle)));
    let late = net.presentation(NEW, AWAY, 0).unwrap().encode();
    assert!(
        !net.present(NEW, AWAY, &late),
        "the admission is not among them"
    );
    assert!(net.present(NEW, AWAY, &said.encode()));
}

#[test]
fn who_has_been_removed_since_is_no_fellow_by_what_it_presents() {
    let (mut net, circle) = admitted_meanwhile(405);
    let new = net.id(NEW);
    net.connect(STEWARD, NEW);
    net.act(STEWARD, |node, now| node.remove(&circle, new, now));
    assert!(net.run_until(|net| head(net, NEW, &circle) == head(net, STEWARD, &circle)));
    assert_eq!(
        net.presentation(NEW, AWAY, 0),
        None,
        "by itself it says nothing"
    );

    // With all that it has got, it names its own removal.
    assert_eq!(
        net.presentation(STEWARD, AWAY, 0),
        None,
        "it was there before"
    );
    let rows = &net.nodes[NEW].memory;
    let entries = (1..=head(&net, NEW, &circle))
        .map(|number| Bytes(rows.get(&Row::Entry(circle, number)).unwrap().unwrap()))
        .collect();
    let seals = Vec::new();
    let said = Presentation { entries, seals }.encode();
    assert!(!net.present(NEW, AWAY, &said));
    assert!(!counts(&net, AWAY, NEW, &circle));
}

#[test]
fn an_identity_that_was_revoked_presents_nothing() {
    let mut net = Net::new(406, 4);
    // They know each other from elsewhere: of strangers no such word is kept.
    net.circle(NEW, &[AWAY]);
    let circle = admit_meanwhile(&mut net);
    let said = net.presentation(NEW, AWAY, 0).unwrap().encode();
    let word = net.act(NEW, |node, now| {
        node.with(|replica, rows, _| replica.revoke(rows, now))
            .unwrap();
        node.with(|replica, rows, _| replica.fate(rows, &replica.own()))
    });
    let word = Revocation::verify(word.unwrap().unwrap().revoked.unwrap().0).unwrap();
    net.act(AWAY, |node, _| {
        node.with(|replica, rows, _| replica.take_revocation(rows, &word))
    })
    .unwrap();
    assert!(!net.present(NEW, AWAY, &said));
    assert!(!counts(&net, AWAY, NEW, &circle));
}

#[test]
fn of_several_circles_another_one_is_presented_each_time() {
    let (mut net, first) = admitted_meanwhile(407);
    net.connect(STEWARD, AWAY);
    let second = net.circle(STEWARD, &[AWAY]);
    net.run(60_000);
    net.cut_all();
    net.connect(STEWARD, NEW);
    net.invite(STEWARD, NEW, second);
    assert!(net.run_until(|net| net.nodes[NEW].circles.contains_key(&second)));
    net.cut_all();
    // The first one was told meanwhile; of the second one the member that was away knows nothing.
    assert!(counts(&net, AWAY, NEW, &first));
    let said: Vec<_> = (0..2)
        .map(|turn| net.presentation(NEW, AWAY, turn).unwrap().encode())
        .collect();
    assert_ne!(said[0], said[1]);
    let taken: Vec<_> = said.iter().map(|one| net.present(NEW, AWAY, one)).collect();
    assert_eq!(taken.iter().filter(|taken| **taken).count(), 1);
    assert!(counts(&net, AWAY, NEW, &second));
}
