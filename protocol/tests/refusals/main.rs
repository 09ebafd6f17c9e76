//! What a replica refuses from somebody whose signatures are right: each thing that can be wrong, alone.
#![allow(
    clippy::expect_used,
    unreachable_pub,
    missing_docs,
    reason = "a test that cannot go on should say where"
)]

mod node;

use maillon_protocol::{
    charter::{self, EpochSecret, Grant, LogStart, Predecessor, SecretError, Steward, Subject},
    circle::{IngestError, Reason},
    content::{Consent, ConsentDecision, ConsentKind, Content},
    ids::{CircleId, EntryHash, Incarnation, InvitationId, LogId, NodeId, RecordId},
    invite::{Acceptance, Invitation, InvitationReason},
    record::{self, Header, Previous, Record},
    replica::{ArriveError, IncomingState, Replica},
    sign::sign,
    time::Timestamp,
};

use node::{NOW, Node, admit, agree, hand_over};

/// A circle of two, and somebody who is not in it.
fn three() -> (Node, Node, Node, CircleId) {
    let (mut host, mut guest, other) = (Node::new(1), Node::new(2), Node::new(3));
    let circle = host.found();
    admit(&mut host, &mut guest, circle);
    hand_over(&host, &mut guest, circle).expect("admitted");
    (host, guest, other, circle)
}

/// What `author` can sign: the first record of a log of its own, changed by `change`.
fn forged(
    host: &Node,
    author: &Node,
    circle: CircleId,
    change: impl FnOnce(&mut Header),
) -> Record {
    let held = host.replica.circle(&circle).expect("founded");
    let (_, epoch) = held.charter.epoch_of(held.charter.number()).expect("one");
    let mut header = Header {
        version: 1,
        circle,
        log: LogId {
            node: author.replica.own(),
            incarnation: Incarnation([5; 16]),
        },
        sequence: 1,
        previous: Previous::Opening(Vec::new()),
        entry: held.charter.number(),
        entry_hash: held.charter.head(),
        epoch,
        time: Timestamp::from_ms(NOW),
        salt: maillon_protocol::ids::Hash([0; 32]),
        body_hash: maillon_protocol::ids::Hash([0; 32]),
        body_length: 0,
        entry_before: 0,
    };
    change(&mut header);
    let secret = held.current_secret().expect("opened");
    let mut rng = <rand_chacha::ChaCha20Rng as rand::SeedableRng>::seed_from_u64(9);
    record::write(header, secret, b"x", &author.keys.node, &mut rng).expect("short")
}

/// Whether `host` takes `records`, brought by `from`.
fn takes(host: &mut Node, from: &Node, circle: CircleId, records: Vec<Record>) -> bool {
    let last = records.last().expect("some").clone();
    host.replica
        .take_records(
            &host.rows,
            from.replica.own(),
            circle,
            records,
            NOW,
            &mut host.rng,
        )
        .expect("from a member");
    host.commit();
    host.replica
        .circle(&circle)
        .and_then(|held| held.logs.get(&last.header.object.log))
        .is_some_and(|tip| tip.head == last.id())
}

#[test]
fn a_header_that_is_wrong_in_one_thing_is_refused_although_its_author_signed_it() {
    type Change = fn(&mut Header);
    let wrong: [(&str, Change); 8] = [
        ("version", |header| header.version = 2),
        ("circle", |header| header.circle = CircleId([9; 32])),
        ("entry", |header| header.entry_hash = EntryHash([9; 32])),
        ("epoch", |header| header.epoch = EntryHash([9; 32])),
        ("sequence 0", |header| header.sequence = 0),
        ("no opening", |header| {
            header.previous = Previous::Record(RecordId([9; 32]));
        }),
        ("before its admission", |header| header.entry = 1),
        ("after one that there is not", |header| {
            header.entry_before = 1;
        }),
    ];
    for (what, change) in wrong {
        let (mut host, guest, _, circle) = three();
        let record = forged(&host, &guest, circle, change);
        assert!(!takes(&mut host, &guest, circle, vec![record]), "{what}");
        let right = forged(&host, &guest, circle, |_| {});
        assert!(takes(&mut host, &guest, circle, vec![right]));
    }
}

#[test]
fn a_record_by_somebody_who_was_never_in_is_refused_from_a_member_too() {
    let (mut host, guest, other, circle) = three();
    let record = forged(&host, &other, circle, |_| {});
    assert!(!takes(&mut host, &guest, circle, vec![record]));
}

#[test]
fn a_record_that_does_not_name_the_one_before_it_is_kept_aside() {
    let (mut host, guest, _, circle) = three();
    let first = forged(&host, &guest, circle, |_| {});
    let second = forged(&host, &guest, circle, |header| {
        header.sequence = 2;
        header.previous = Previous::Record(RecordId([9; 32]));
    });
    assert!(!takes(&mut host, &guest, circle, vec![first, second]));
}

#[test]
fn what_a_node_that_is_no_member_brings_is_refused_whoever_wrote_it() {
    let (mut host, mut guest, other, circle) = three();
    let records = guest.write(&circle);
    let refused = host.replica.take_records(
        &host.rows,
        other.replica.own(),
        circle,
        records,
        NOW,
        &mut host.rng,
    );
    assert!(matches!(refused, Err(ArriveError::NotShared)));
    assert!(host.replica.staged().is_empty());
}

#[test]
fn a_body_that_somebody_on_the_way_changed_is_refused_and_the_right_one_is_taken_later() {
    let (mut host, mut guest, _, circle) = three();
    let records = guest.write(&circle);
    let mut spoilt = records.clone();
    let body = &mut spoilt.last_mut().expect("some").body;
    body.iter_mut().flatten().for_each(|byte| *byte ^= 1);
    assert!(!takes(&mut host, &guest, circle, spoilt));
    assert!(takes(&mut host, &guest, circle, records));
}

#[test]
fn a_body_that_somebody_on_the_way_left_out_is_known_to_be_missing_and_taken_later() {
    let (mut host, mut guest, _, circle) = three();
    let records = guest.write(&circle);
    let mut bare = records.clone();
    let last = bare.last_mut().expect("some");
    last.body = None;
    let (log, sequence) = (last.header.object.log, last.header.object.sequence);
    assert!(takes(&mut host, &guest, circle, bare));
    let why = |host: &Node| {
        let held = host.replica.circle(&circle).expect("a member");
        held.excepted(&log, sequence)
    };
    assert_eq!(why(&host), Some(Reason::Missing));
    // Another body than its header covers does not fill the place.
    let mut spoilt = records.clone();
    let body = &mut spoilt.last_mut().expect("some").body;
    body.iter_mut().flatten().for_each(|byte| *byte ^= 1);
    takes(&mut host, &guest, circle, spoilt);
    assert_eq!(why(&host), Some(Reason::Missing));
    takes(&mut host, &guest, circle, records);
    assert_eq!(why(&host), None);
}

#[test]
fn a_circle_that_nobody_here_agreed_to_is_not_begun() {
    let (host, guest, _, circle) = three();
    // The same keys, and nothing known of any invitation.
    let mut empty = Node::with(guest.keys.clone(), guest.rng);
    let refused = hand_over(&host, &mut empty, circle);
    assert!(matches!(
        refused,
        Err(ArriveError::Ingest(IngestError::Uninvited))
    ));
}

#[test]
fn a_circle_that_does_not_continue_what_its_invitation_said_continues_nothing() {
    let (mut host, mut guest, _, old) = three();
    let said = |charter: &charter::Charter| Predecessor {
        circle: old,
        entry: charter.number(),
        hash: charter.head(),
    };
    let held = guest
        .replica
        .circle(&old)
        .expect("admitted")
        .charter
        .clone();
    for right in [false, true] {
        let predecessor = right.then(|| said(&held));
        let descriptor = guest.replica.descriptor().clone();
        let time = Timestamp::from_ms(NOW);
        let subject = Subject::Community;
        let key = &guest.keys.node;
        let founded = charter::found(subject, predecessor, &descriptor, key, time, &mut guest.rng);
        let seal = host.keys.seals[0].public().clone();
        let letter = Invitation::make(
            host.replica.own(),
            &seal,
            subject,
            InvitationReason::Successor,
            None,
            Some(said(&held)),
            key,
            NOW,
            &mut guest.rng,
        )
        .expect("a valid key");
        let id = InvitationId(letter.id);
        let from = guest.replica.own();
        host.replica
            .take_invitation(&host.rows, from, letter.bytes, NOW)
            .expect("an invitation");
        host.replica
            .accept(&host.rows, &id, None, NOW)
            .expect("it waits");
        host.commit();
        let answers = host.replica.incoming(&host.rows).expect("rows");
        let answer = answers.into_iter().find(|(one, _)| *one == id);
        let Some(IncomingState::Accepted { acceptance, .. }) = answer.map(|(_, row)| row.state)
        else {
            panic!("accepted above")
        };
        let acceptance = Acceptance::verify(acceptance.0).expect("its own");
        let steward = Steward {
            charter: &founded.charter,
            key,
            seal_key: |_: &NodeId| Some(seal.clone()),
            time,
        };
        let admitted = charter::admit(
            &steward,
            host.replica.descriptor(),
            &acceptance,
            Grant::Whole,
            Vec::new(),
            &[],
            &mut guest.rng,
        )
        .expect("the steward admits");
        let circle = founded.charter.circle();
        host.replica
            .take_entries(
                &host.rows,
                from,
                circle,
                vec![founded.entry, admitted.entry],
                &admitted.seals,
                NOW,
                &mut host.rng,
            )
            .expect("invited");
        host.commit();
        let continued = host.replica.circle(&old).expect("it stays").continued;
        assert_eq!(continued, right.then_some(circle));
    }
}

#[test]
fn a_secret_that_is_not_the_one_that_the_entry_committed_to_is_refused() {
    let (mut host, guest, _, circle) = three();
    let charter = host
        .replica
        .circle(&circle)
        .expect("founded")
        .charter
        .clone();
    let other = EpochSecret::generate(&mut host.rng);
    let copy = charter
        .seal_secret(
            charter.number(),
            &other,
            host.replica.own(),
            guest.replica.own(),
            guest.keys.seals[0].public(),
            NOW,
            &mut host.rng,
        )
        .expect("granted")
        .expect("a valid key");
    assert_eq!(
        charter.open_secret(&copy, guest.replica.own(), &guest.keys.seals),
        Err(SecretError::Commitment)
    );
}

#[test]
fn a_job_that_failed_leaves_nothing_staged() {
    let (mut host, _, _, circle) = three();
    let before = (host.replica.circle(&circle).cloned(), host.rows.clone());
    let savepoint = host.replica.savepoint();
    let founded = host.replica.found(Subject::Patient, NOW, &mut host.rng);
    host.replica
        .rotate(
            &host.rows,
            &circle,
            maillon_protocol::charter::RotationReason::Precaution,
            NOW,
            &mut host.rng,
        )
        .expect("the steward");
    host.replica.back_to(savepoint);
    assert!(host.replica.staged().is_empty());
    host.commit();
    assert!(host.replica.circle(&founded).is_none());
    assert_eq!(host.replica.circle(&circle).cloned(), before.0);
    assert_eq!(host.rows.rows(), before.1.rows());
}

#[test]
fn a_commit_that_failed_leaves_everything_as_it_was() {
    let (mut host, _, _, circle) = three();
    let before = host.replica.circle(&circle).cloned();
    let founded = host.replica.found(Subject::Patient, NOW, &mut host.rng);
    host.replica.rolled_back();
    assert!(host.replica.circle(&founded).is_none());
    assert!(host.replica.staged().is_empty());
    assert_eq!(host.replica.circle(&circle).cloned(), before);
}

#[test]
fn of_two_commits_under_way_the_one_that_fails_takes_the_one_above_it_and_leaves_the_one_below() {
    for landed in [0, 1, 2] {
        let (mut host, _, _, circle) = three();
        let before = host.replica.circle(&circle).cloned();
        let own = host.replica.own_log();
        let rotate = |host: &mut Node| {
            let reason = maillon_protocol::charter::RotationReason::Precaution;
            let rotated = host
                .replica
                .rotate(&host.rows, &circle, reason, NOW, &mut host.rng);
            rotated.expect("the steward");
            host.replica.circle(&circle).cloned()
        };
        let first = rotate(&mut host);
        let described = |host: &Node| host.replica.descriptor().object.counter;
        let mut newer = host.replica.descriptor().object.clone();
        newer.counter += 1;
        let counter = newer.counter;
        host.replica.describe(sign(newer, &host.keys.node));
        let below = host.replica.take_off();
        let second = rotate(&mut host);
        let founded = host.replica.found(Subject::Patient, NOW, &mut host.rng);
        let above = host.replica.take_off();
        let staged = host.replica.found(Subject::Patient, NOW, &mut host.rng);
        // Who writes sees all of it, in the order in which it was staged.
        assert_eq!(host.replica.circle(&circle).cloned(), second);
        for flight in [&below, &above].into_iter().take(landed) {
            host.rows.commit(&flight.rows);
            host.replica.landed();
        }
        if landed < 2 {
            host.replica.rolled_back();
        }
        let expected = [before, first, second].into_iter().nth(landed).flatten();
        assert_eq!(host.replica.circle(&circle).cloned(), expected);
        let expected = if landed > 0 { counter } else { counter - 1 };
        assert_eq!(described(&host), expected);
        let there = |id| host.replica.circle(id).is_some();
        assert_eq!(
            (there(&founded), there(&staged)),
            (landed == 2, landed == 2)
        );
        assert_eq!(host.replica.staged().is_empty(), landed < 2);
        host.replica.rolled_back();
        assert_eq!(host.replica.own_log(), own);
        // It goes on from there, on the disk too.
        rotate(&mut host);
        host.commit();
        let again = Replica::load(
            &host.rows,
            host.keys.clone(),
            host.replica.descriptor().clone(),
            &mut host.rng,
        );
        let again = again.expect("it reads").circle(&circle).cloned();
        assert_eq!(again, host.replica.circle(&circle).cloned());
    }
}

#[test]
fn a_steward_who_says_that_a_log_starts_far_ahead_for_somebody_makes_nobody_write_again_and_again()
{
    for (ahead, renewed) in [(true, 0), (false, 1)] {
        let (mut host, mut guest, mut other, circle) = three();
        let answer = Consent {
            kind: ConsentKind::NonOpposition,
            decision: ConsentDecision::Given,
            answered_by: String::new(),
            how: String::new(),
        };
        guest.say(&circle, Content::Consent(answer));
        let log = guest.replica.own_log();
        let acceptance = agree(&mut host, &mut other, circle);
        let acceptance = Acceptance::verify(acceptance).expect("signed");
        let held = host.replica.circle(&circle).expect("founded");
        let key = guest.replica.descriptor().object.seal.clone();
        let seal_key = |node: &NodeId| (*node == guest.replica.own()).then(|| key.clone());
        let steward = Steward {
            charter: &held.charter,
            key: &host.keys.node,
            seal_key: &seal_key,
            time: Timestamp::from_ms(NOW + 1),
        };
        // What the guest wrote so far is past for it in both cases.
        let sequence = if ahead { u64::MAX } else { 3 };
        let made = charter::admit(
            &steward,
            other.replica.descriptor(),
            &acceptance,
            Grant::Nothing,
            vec![LogStart { log, sequence }],
            &[],
            &mut host.rng,
        )
        .expect("an entry");
        let written = guest
            .replica
            .take_entries(
                &guest.rows,
                host.replica.own(),
                circle,
                vec![made.entry],
                &made.seals,
                NOW,
                &mut guest.rng,
            )
            .expect("from the steward");
        assert_eq!(written.renewed.len(), renewed);
    }
}
