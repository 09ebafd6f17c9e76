//! What becomes of a circle whose steward is lost: in virtual time, another circle that continues it.
#![allow(
    clippy::unwrap_used,
    reason = "a test that cannot go on should say where"
)]

use maillon_protocol::{
    charter::Grant,
    circle::WriteError,
    content::{Alert, AlertAnswer, AlertStep, Content, Severity},
    ids::{CircleId, InvitationId, NodeId},
    replica::{IncomingState, LetterError, Notice, Succession, SuccessionError, WriteFailed},
};
use maillon_tests::net::{Net, note};

const WALKED: &str = "A marché jusqu'au portail ce matin.";
const ATE: &str = "N'a rien mangé à midi.";

/// Three members, the first of them steward, and the circle's steward is gone for good. A fourth node is a stranger.
fn orphans(seed: u64, deputy: bool) -> (Net, CircleId) {
    let mut net = Net::new(seed, 4);
    let circle = net.circle(0, &[1, 2]);
    net.connect(1, 2);
    net.write(0, &circle, WALKED);
    let second = net.id(1);
    if deputy {
        net.act(0, |node, now| {
            node.with(|replica, rows, rng| replica.appoint(rows, &circle, vec![second], now, rng))
        })
        .unwrap();
    }
    assert!(net.run_until(|net| net.same(0, 1, &circle) && net.same(0, 2, &circle)));
    net.run(60_000);
    for other in 1..4 {
        net.cut(0, other);
    }
    (net, circle)
}

fn succeed(
    net: &mut Net,
    founder: usize,
    circle: &CircleId,
    without: &[NodeId],
) -> Result<Succession, SuccessionError> {
    net.act(founder, |node, now| {
        node.with(|replica, rows, rng| replica.succeed(rows, circle, without, now, rng))
    })
}

/// Invitations at a node that wait for a person.
fn waiting(net: &Net, node: usize) -> Vec<InvitationId> {
    let node = &net.nodes[node];
    let all = node.replica.incoming(&node.memory).unwrap();
    let waits = all
        .into_iter()
        .filter(|(_, row)| row.state == IncomingState::Waiting);
    waits.map(|(id, _)| id).collect()
}

fn accept(net: &mut Net, node: usize, id: InvitationId) -> Result<(), LetterError> {
    net.act(node, |node, now| {
        node.with(|replica, rows, _| replica.accept(rows, &id, None, now))
    })
}

#[test]
fn members_whose_steward_is_lost_go_on_in_a_circle_that_one_of_them_founds() {
    let (mut net, old) = orphans(61, false);
    let succession = succeed(&mut net, 1, &old, &[]).unwrap();
    let new = succession.circle;
    assert_eq!(succession.asked, [net.id(0), net.id(2)]);
    assert!(succession.not_asked.is_empty());
    // The other member's person is asked, and nothing happens before they answer.
    assert!(net.run_until(|net| !waiting(net, 2).is_empty()));
    net.run(60_000);
    assert!(!net.nodes[2].circles.contains_key(&new));
    let asked = waiting(&net, 2);
    accept(&mut net, 2, asked[0]).unwrap();
    assert!(net.run_until(|net| net.nodes[2].circles.contains_key(&new)));
    // Whose file it is stands in the new circle; what was written before stands in the old one.
    let identity = |net: &Net, node: usize| net.nodes[node].identity_thing(&new).is_some();
    assert!(net.run_until(|net| identity(net, 2) && net.same(1, 2, &new)));
    assert!(net.texts(2, &old).contains(WALKED));
    for node in [1, 2] {
        let held = &net.nodes[node].circles;
        assert_eq!(held[&old].continued, Some(new));
        assert_eq!(held[&new].continues.unwrap().circle, old);
        let continued = Notice::Continued {
            circle: old,
            by: new,
        };
        assert!(net.nodes[node].notices.contains(&continued));
        // What is new belongs there.
        let refused = net.act(node, |node, now| node.write(&old, note(ATE), now));
        let Err(WriteFailed::Write(WriteError::Continued)) = refused else {
            panic!("{refused:?}");
        };
    }
    net.write(2, &new, ATE);
    assert!(net.run_until(|net| net.texts(1, &new).contains(ATE)));
    // The new steward does what the old one cannot: the stranger is admitted, and knows nothing of the old circle.
    net.connect(1, 3);
    net.invite(1, 3, new);
    assert!(net.run_until(|net| net.texts(3, &new).contains(ATE)));
    assert!(!net.knows(3, WALKED.as_bytes()));
    assert!(!net.knows(3, &old.0));
    // The lost steward comes back, and its person goes on with the others.
    net.connect(0, 1);
    assert!(net.run_until(|net| !waiting(net, 0).is_empty()));
    let asked = waiting(&net, 0);
    accept(&mut net, 0, asked[0]).unwrap();
    assert!(net.run_until(|net| net.texts(0, &new).contains(ATE)));
    net.invariants().unwrap();
    // Whoever leaves the successor is asked back as to what it is.
    let third = net.id(2);
    net.act(1, |node, now| node.remove(&new, third, now));
    assert!(net.run_until(|net| !net.nodes[2].circles[&new].charter.is_member(&third)));
    net.act(2, |node, now| node.write(&old, note(ATE), now))
        .unwrap();
    net.invite(1, 2, new);
    assert!(net.run_until(|net| net.nodes[2].circles[&new].charter.is_member(&third)));
}

#[test]
fn a_deputys_circle_is_followed_by_the_nodes_themselves() {
    let (mut net, old) = orphans(62, true);
    let new = succeed(&mut net, 1, &old, &[]).unwrap().circle;
    assert!(net.run_until(|net| net.nodes[2].circles.contains_key(&new)));
    assert!(waiting(&net, 2).is_empty());
    assert_eq!(net.nodes[2].circles[&old].continued, Some(new));
    // Through a restart too.
    net.crash(2);
    assert_eq!(net.nodes[2].circles[&old].continued, Some(new));
    // The steward is there after all, and gives nothing up behind its people's back.
    net.connect(0, 1);
    assert!(net.run_until(|net| !waiting(net, 0).is_empty()));
    net.run(60_000);
    assert_eq!(net.nodes[0].circles[&old].continued, None);
    // Somebody who is no deputy asks a person, whatever the invitation says.
    let (mut net, old) = orphans(63, true);
    let other = succeed(&mut net, 2, &old, &[]).unwrap().circle;
    assert!(net.run_until(|net| !waiting(net, 1).is_empty()));
    net.run(60_000);
    assert!(!net.nodes[1].circles.contains_key(&other));
}

#[test]
fn of_two_circles_that_continue_one_a_node_goes_on_with_one() {
    let (mut net, old) = orphans(64, false);
    net.cut(1, 2);
    let (mine, theirs) = (
        succeed(&mut net, 1, &old, &[]).unwrap().circle,
        succeed(&mut net, 2, &old, &[]).unwrap().circle,
    );
    // Not twice by one either.
    let twice = succeed(&mut net, 1, &old, &[]);
    assert!(matches!(twice, Err(SuccessionError::Continued)));
    // The steward is back and sees both, side by side.
    net.connect(1, 2);
    net.connect(0, 1);
    net.connect(0, 2);
    assert!(net.run_until(|net| waiting(net, 0).len() == 2));
    assert!(net.run_until(|net| waiting(net, 1).len() == 1 && waiting(net, 2).len() == 1));
    let both = waiting(&net, 0);
    accept(&mut net, 0, both[0]).unwrap();
    let second = accept(&mut net, 0, both[1]);
    assert!(matches!(second, Err(LetterError::Continued)));
    assert!(net.run_until(|net| net.nodes[0].circles[&old].continued.is_some()));
    let second = accept(&mut net, 0, both[1]);
    assert!(matches!(second, Err(LetterError::Continued)));
    // A founder gives its own up, and goes on with the other's.
    let asked = waiting(&net, 1);
    let refused = accept(&mut net, 1, asked[0]);
    assert!(matches!(refused, Err(LetterError::Continued)));
    net.act(1, |node, now| {
        node.with(|replica, rows, rng| replica.close(rows, &mine, 4, now, rng))
    })
    .unwrap();
    accept(&mut net, 1, asked[0]).unwrap();
    assert!(net.run_until(|net| net.nodes[1].circles[&old].continued == Some(theirs)));
    net.invariants().unwrap();
}

#[test]
fn an_answer_stands_beside_the_alert_that_it_answers() {
    let (mut net, old) = orphans(65, true);
    let alert = Content::Alert(Alert {
        severity: Severity::High,
        text: "Est tombée dans la cuisine.".to_owned(),
        addressees: Vec::new(),
        answer_by_ms: 0,
    });
    let sent = net
        .act(2, |node, now| node.write(&old, alert, now))
        .unwrap();
    assert!(net.run_until(|net| net.nodes[1].record(&old, sent).is_some()));
    let new = succeed(&mut net, 1, &old, &[]).unwrap().circle;
    assert!(net.run_until(|net| net.nodes[2].circles[&old].continued == Some(new)));
    let record = net.nodes[1].record(&old, sent).unwrap();
    let alert = net.nodes[1].circles[&old].read(&record).unwrap();
    let answer = Content::AlertAnswer(AlertAnswer {
        step: AlertStep::Acknowledge,
        comment: String::new(),
    });
    let answer = net
        .act(1, |node, now| {
            node.answer(&old, alert.envelope.thing, answer, now)
        })
        .unwrap();
    assert!(net.run_until(|net| net.nodes[2].record(&old, answer).is_some()));
}

#[test]
fn only_members_other_than_the_steward_continue_a_circle_and_only_whom_they_choose_is_asked() {
    let (mut net, old) = orphans(66, false);
    let steward = net.id(0);
    let own = succeed(&mut net, 0, &old, &[]);
    assert!(matches!(own, Err(SuccessionError::Steward)));
    let stranger = succeed(&mut net, 3, &old, &[]);
    assert!(matches!(stranger, Err(SuccessionError::NoCircle)));
    // Its key was stolen: it is not asked, and hears nothing of it.
    let succession = succeed(&mut net, 1, &old, &[steward]).unwrap();
    assert_eq!(succession.asked, [net.id(2)]);
    net.connect(0, 1);
    net.connect(0, 2);
    net.run(120_000);
    assert!(waiting(&net, 0).is_empty());
    assert!(!net.knows(0, &succession.circle.0));
    // Who was removed continues nothing.
    let (mut net, old) = orphans(67, false);
    let gone = net.id(2);
    net.connect(0, 2);
    net.act(0, |node, now| node.remove(&old, gone, now));
    assert!(net.run_until(|net| !net.nodes[2].circles[&old].charter.is_member(&gone)));
    let removed = succeed(&mut net, 2, &old, &[]);
    assert!(matches!(removed, Err(SuccessionError::NotMember)));
}

#[test]
fn an_invitation_to_go_on_from_where_this_node_is_not_yet_waits_for_the_charter() {
    let (mut net, old) = orphans(68, true);
    // The steward comes back for a moment, to one of them only.
    net.cut(1, 2);
    net.connect(0, 1);
    net.act(0, |node, now| node.rotate(&old, now)).unwrap();
    assert!(net.run_until(|net| net.same(0, 1, &old)));
    net.cut(0, 1);
    let new = succeed(&mut net, 1, &old, &[]).unwrap().circle;
    // The other one is handed the letter alone, as if the entry were still on its way.
    let letter = {
        let node = &net.nodes[1];
        let all = node.replica.outgoing(&node.memory).unwrap();
        let third = net.id(2);
        let found = all.into_iter().find(|(_, row)| row.to == third);
        found.unwrap().1.invitation.0
    };
    let from = net.id(1);
    net.act(2, |node, now| {
        node.with(|replica, rows, _| replica.take_invitation(rows, from, letter, now))
    })
    .unwrap();
    let asked = waiting(&net, 2);
    let early = accept(&mut net, 2, asked[0]);
    assert!(matches!(early, Err(LetterError::NotThatFar)));
    // With the entry the node follows its deputy by itself.
    net.connect(1, 2);
    assert!(net.run_until(|net| net.nodes[2].circles.contains_key(&new)));
}

#[test]
fn a_circle_that_says_it_continues_another_than_was_asked_continues_nothing() {
    let (mut net, old) = orphans(69, false);
    // Node 1 founds the successor, and asks the third into another circle, as if to something new.
    let without = [net.id(2), net.id(0)];
    let new = succeed(&mut net, 1, &old, &without).unwrap().circle;
    let third = net.id(2);
    let plain = net.act(1, |node, now| {
        node.with(|replica, rows, rng| {
            let other = replica.found(maillon_protocol::charter::Subject::Patient, now, rng);
            let reason = maillon_protocol::invite::InvitationReason::CareTeam;
            let who = maillon_tests::net::identity();
            replica.invite(
                rows,
                &other,
                third,
                reason,
                Some(&who),
                Grant::Whole,
                now,
                rng,
            )
        })
    });
    plain.unwrap();
    assert!(net.run_until(|net| !waiting(net, 2).is_empty()));
    let asked = waiting(&net, 2);
    accept(&mut net, 2, asked[0]).unwrap();
    net.run(60_000);
    assert_eq!(net.nodes[2].circles[&old].continued, None);
    assert!(!net.nodes[2].circles.contains_key(&new));
}

#[test]
fn who_was_removed_leads_nobody_into_a_circle_of_its_own() {
    let (mut net, old) = orphans(70, false);
    net.connect(0, 2);
    net.connect(1, 2);
    // It asks before it knows that it was removed; the other one knows.
    net.cut(0, 2);
    net.cut(1, 2);
    let gone = net.id(2);
    net.connect(0, 1);
    net.act(0, |node, now| node.remove(&old, gone, now));
    assert!(net.run_until(|net| !net.nodes[1].circles[&old].charter.is_member(&gone)));
    succeed(&mut net, 2, &old, &[]).unwrap();
    let letter = {
        let node = &net.nodes[2];
        let all = node.replica.outgoing(&node.memory).unwrap();
        let second = net.id(1);
        let found = all.into_iter().find(|(_, row)| row.to == second);
        found.unwrap().1.invitation.0
    };
    net.act(1, |node, now| {
        node.with(|replica, rows, _| replica.take_invitation(rows, gone, letter, now))
    })
    .unwrap();
    let asked = waiting(&net, 1);
    let refused = accept(&mut net, 1, asked[0]);
    assert!(matches!(refused, Err(LetterError::NotInIt)));
    assert_eq!(net.nodes[1].circles[&old].continued, None);
}
