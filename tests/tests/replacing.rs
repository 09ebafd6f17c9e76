//! A node's identity is replaced by its recovery key, or revoked by itself: in virtual time, whoever is there and whoever is not.
#![allow(
    clippy::unwrap_used,
    reason = "a test that cannot go on should say where"
)]

use maillon_protocol::{
    charter::{Change, Grant},
    descriptor::{Descriptor, StructureKind},
    identity::{Replacement, ReplacementError, Revocation, recovery_hash},
    ids::CircleId,
    keys::NodeKey,
    replica::{
        ArriveError, Fate, IdentityRefused, LetterError, Notice, ReplaceFailed, Replica, Row, Rows,
        StewardshipError, WriteFailed,
    },
    sign::{Unverified, Verified, sign},
    sync::{Message, Problem},
};
use maillon_tests::net::{Net, note};

const WALKED: &str = "A marché jusqu'au portail ce matin.";
const ATE: &str = "N'a rien mangé à midi.";
const SLEPT: &str = "A bien dormi.";
const FELL: &str = "Est tombée dans l'escalier.";

/// The steward, a member, a member whose machine is stolen, the structure's new machine, somebody who comes later.
const STEWARD: usize = 0;
const MEMBER: usize = 1;
const OLD: usize = 2;
const NEW: usize = 3;
const LATE: usize = 4;

/// Three members who hold the same. Then the third one's machine is gone.
fn three(seed: u64) -> (Net, CircleId) {
    let mut net = Net::new(seed, 5);
    let circle = net.circle(STEWARD, &[MEMBER, OLD]);
    net.connect(MEMBER, OLD);
    net.write(STEWARD, &circle, WALKED);
    net.write(OLD, &circle, SLEPT);
    assert!(net.run_until(|net| {
        net.same(STEWARD, MEMBER, &circle) && net.same(STEWARD, OLD, &circle)
    }));
    net.run(60_000);
    net.cut(STEWARD, OLD);
    net.cut(MEMBER, OLD);
    (net, circle)
}

/// The statement that is made on the new machine, with the key from the safe.
fn statement(net: &Net, old: usize, new: usize) -> Verified<Replacement> {
    let next = net.nodes[new].descriptor().object.recovery;
    net.nodes[old].replaced_by(net.id(new), next, net.now)
}

fn stand_for(net: &mut Net, node: usize, said: &Verified<Replacement>) {
    net.act(node, |node, now| {
        node.with(|replica, rows, _| replica.stand_for(rows, said, now))
    })
    .unwrap();
}

fn fate(net: &Net, node: usize, of: usize) -> Option<Fate> {
    let (of, node) = (net.id(of), &net.nodes[node]);
    node.replica.fate(&node.memory, &of).unwrap()
}

fn compare(net: &mut Net, node: usize, old: usize, new: usize) -> Result<(), IdentityRefused> {
    let (old, new) = (net.id(old), net.id(new));
    net.act(node, |node, now| {
        node.with(|replica, rows, _| replica.same_structure(rows, &old, &new, now))
    })
}

fn replace(
    net: &mut Net,
    steward: usize,
    circle: &CircleId,
    old: usize,
) -> Result<(), ReplaceFailed> {
    let old = net.id(old);
    net.act(steward, |node, now| {
        node.with(|replica, rows, rng| replica.replace(rows, circle, &old, now, rng))
    })
    .map(|_| ())
}

/// The new machine has met the steward, whose administrator has compared the words.
fn met(net: &mut Net) {
    let said = statement(net, OLD, NEW);
    stand_for(net, NEW, &said);
    net.connect(STEWARD, NEW);
    assert!(net.run_until(|net| fate(net, STEWARD, OLD).is_some_and(|fate| fate.presented)));
    compare(net, STEWARD, OLD, NEW).unwrap();
}

fn lists(net: &Net, node: usize, other: usize, circle: &CircleId) -> bool {
    let held = net.nodes[node].circles.get(circle);
    held.is_some_and(|held| held.charter.listed(&net.id(other)).is_some())
}

#[test]
fn a_new_identity_takes_the_place_of_the_old_one_and_reads_what_that_could() {
    let (mut net, circle) = three(81);
    net.cut(STEWARD, MEMBER);
    met(&mut net);
    replace(&mut net, STEWARD, &circle, OLD).unwrap();
    assert!(net.run_until(|net| net.same(STEWARD, NEW, &circle)));
    let texts = net.texts(NEW, &circle);
    assert!(texts.contains(WALKED) && texts.contains(SLEPT), "{texts:?}");
    // A member that was away finds it so, and checks it for itself.
    net.connect(STEWARD, MEMBER);
    assert!(net.run_until(|net| lists(net, MEMBER, NEW, &circle)));
    assert!(!lists(&net, MEMBER, OLD, &circle));
    net.connect(MEMBER, NEW);
    net.write(NEW, &circle, ATE);
    assert!(net.run_until(|net| net.texts(MEMBER, &circle).contains(ATE)));
    assert!(net.run_until(|net| net.same(MEMBER, NEW, &circle)));
    net.invariants().unwrap();
}

#[test]
fn the_old_identity_goes_on_talking_and_nobody_listens() {
    let (mut net, circle) = three(82);
    met(&mut net);
    replace(&mut net, STEWARD, &circle, OLD).unwrap();
    assert!(net.run_until(|net| net.same(MEMBER, NEW, &circle)));
    net.run(60_000);
    let late = net.write(MEMBER, &circle, ATE);
    // Whoever has the machine writes on, and comes to both.
    let forged = net.write(OLD, &circle, FELL);
    net.connect(MEMBER, OLD);
    net.connect(STEWARD, OLD);
    assert!(
        net.run_until(|net| !lists(net, OLD, OLD, &circle)),
        "it is told that much"
    );
    net.run(300_000);
    for node in [STEWARD, MEMBER, NEW] {
        assert!(!net.texts(node, &circle).contains(FELL));
        assert!(net.nodes[node].record(&circle, forged).is_none());
    }
    let record = net.nodes[MEMBER].record(&circle, late).unwrap();
    assert!(!net.knows(OLD, &record.header.id));
    assert!(net.nodes[STEWARD].problems.contains(&Problem::Refused));
    // It cannot be brought back: by nobody's invitation, and by no entry.
    let old = net.id(OLD);
    let asked = net.act(STEWARD, |node, now| {
        node.with(|replica, rows, rng| {
            let reason = maillon_protocol::invite::InvitationReason::CareTeam;
            replica.invite(rows, &circle, old, reason, None, Grant::Whole, now, rng)
        })
    });
    assert!(
        matches!(asked, Err(LetterError::Steward(StewardshipError::Refused))),
        "{asked:?}"
    );
    net.invariants().unwrap();
}

#[test]
fn a_past_that_was_granted_in_part_is_taken_over_in_that_part() {
    let mut net = Net::new(83, 5);
    let circle = net.circle(STEWARD, &[MEMBER]);
    net.write(STEWARD, &circle, WALKED);
    assert!(net.run_until(|net| net.same(STEWARD, MEMBER, &circle)));
    net.connect(STEWARD, OLD);
    net.invite_with(STEWARD, OLD, circle, Grant::Nothing);
    assert!(net.run_until(|net| lists(net, OLD, OLD, &circle)));
    assert!(net.run_until(|net| net.same(STEWARD, MEMBER, &circle)));
    net.write(OLD, &circle, SLEPT);
    assert!(net.run_until(|net| net.texts(STEWARD, &circle).contains(SLEPT)));
    net.cut(STEWARD, OLD);
    // What a member writes while the steward does not see it begins a log that no start names.
    net.cut(STEWARD, MEMBER);
    net.write(MEMBER, &circle, ATE);
    met(&mut net);
    replace(&mut net, STEWARD, &circle, OLD).unwrap();
    net.connect(STEWARD, MEMBER);
    net.connect(MEMBER, NEW);
    assert!(net.run_until(|net| {
        let texts = net.texts(NEW, &circle);
        texts.contains(SLEPT) && texts.contains(ATE)
    }));
    net.run(300_000);
    assert!(!net.texts(NEW, &circle).contains(WALKED));
    let charter = &net.nodes[MEMBER].circles[&circle].charter;
    let (old, new) = (net.id(OLD), net.id(NEW));
    let admitted = charter.listed(&new).unwrap();
    let Grant::From(from) = admitted.grant else {
        panic!("{admitted:?}");
    };
    assert!(charter.was_member(&old, from) && !charter.was_member(&old, from - 1));
    // And what that one takes over is the same part again.
    let said = statement(&net, NEW, LATE);
    stand_for(&mut net, LATE, &said);
    net.connect(STEWARD, LATE);
    assert!(net.run_until(|net| fate(net, STEWARD, NEW).is_some_and(|fate| fate.presented)));
    compare(&mut net, STEWARD, NEW, LATE).unwrap();
    replace(&mut net, STEWARD, &circle, NEW).unwrap();
    assert!(net.run_until(|net| {
        let texts = net.texts(LATE, &circle);
        texts.contains(SLEPT) && texts.contains(ATE)
    }));
    net.run(300_000);
    assert!(!net.texts(LATE, &circle).contains(WALKED));
    net.invariants().unwrap();
}

#[test]
fn a_statement_alone_changes_nothing_and_counts_only_from_the_node_that_it_names() {
    let (mut net, circle) = three(84);
    let said = statement(&net, OLD, NEW);
    // Somebody else brings it: the new node has agreed to nothing.
    let bytes = Message::Replacement(maillon_protocol::cbor::Bytes(said.bytes.clone()));
    net.say(MEMBER, STEWARD, &bytes);
    assert!(net.run_until(|net| fate(net, STEWARD, OLD).is_some()));
    let told = Notice::Replacing {
        old: net.id(OLD),
        new: net.id(NEW),
    };
    assert!(net.nodes[STEWARD].notices.contains(&told));
    let early = compare(&mut net, STEWARD, OLD, NEW);
    assert!(
        matches!(early, Err(IdentityRefused::NotPresented)),
        "{early:?}"
    );
    let refused = replace(&mut net, STEWARD, &circle, OLD);
    assert!(
        matches!(refused, Err(ReplaceFailed::Unconfirmed)),
        "{refused:?}"
    );
    // The old one is still a member like the others.
    net.connect(STEWARD, OLD);
    net.write(OLD, &circle, ATE);
    assert!(net.run_until(|net| net.texts(STEWARD, &circle).contains(ATE)));
    // And it hears what is said of it.
    assert!(net.run_until(|net| fate(net, OLD, OLD).is_some()));
    // The node itself brings it, and another one than the person names is not taken.
    stand_for(&mut net, NEW, &said);
    net.connect(STEWARD, NEW);
    assert!(net.run_until(|net| fate(net, STEWARD, OLD).is_some_and(|fate| fate.presented)));
    let other = compare(&mut net, STEWARD, OLD, LATE);
    assert!(
        matches!(other, Err(IdentityRefused::AnotherNode)),
        "{other:?}"
    );
    let refused = replace(&mut net, STEWARD, &circle, OLD);
    assert!(
        matches!(refused, Err(ReplaceFailed::Unconfirmed)),
        "{refused:?}"
    );
    compare(&mut net, STEWARD, OLD, NEW).unwrap();
    replace(&mut net, STEWARD, &circle, OLD).unwrap();
}

#[test]
fn a_stolen_identity_cannot_name_another_recovery_key() {
    let (mut net, circle) = three(85);
    let thief = net.nodes[LATE].recovery.clone();
    let theirs = sign(
        Descriptor {
            counter: net.now + 1,
            recovery: recovery_hash(&thief.id()),
            ..net.nodes[OLD].descriptor().object.clone()
        },
        net.nodes[OLD].key(),
    );
    let bytes = maillon_protocol::cbor::Bytes(theirs.bytes.clone());
    net.connect(STEWARD, OLD);
    net.say(OLD, STEWARD, &Message::Descriptor(bytes));
    net.run(60_000);
    let take = |net: &mut Net, descriptor: &Verified<Descriptor>| {
        net.act(STEWARD, |node, _| {
            node.with(|replica, rows, _| replica.take_descriptor(rows, descriptor))
        })
    };
    let refused = take(&mut net, &theirs);
    assert!(
        matches!(refused, Err(ArriveError::OtherRecovery)),
        "{refused:?}"
    );
    // So its own statement is worth nothing, and the one from the safe is.
    let by_thief = Replacement {
        recovery: thief.id(),
        ..statement(&net, OLD, NEW).object
    };
    let by_thief = sign(by_thief, &thief);
    let refused = net.act(STEWARD, |node, _| {
        node.with(|replica, rows, _| replica.take_replacement(rows, None, &by_thief))
    });
    let Err(ArriveError::Replacement(ReplacementError::Recovery)) = refused else {
        panic!("{refused:?}");
    };
    net.cut(STEWARD, OLD);
    met(&mut net);
    replace(&mut net, STEWARD, &circle, OLD).unwrap();
    // With the word of the key before, the same descriptor of another node stands.
    let next = recovery_hash(&thief.id());
    let rotation = Replacement {
        version: 1,
        recovery: net.nodes[MEMBER].recovery.id(),
        old: net.id(MEMBER),
        new: None,
        next,
        counter: net.now,
    };
    let rotation = sign(rotation, &net.nodes[MEMBER].recovery);
    let descriptor = sign(
        Descriptor {
            counter: net.now + 1,
            recovery: next,
            ..net.nodes[MEMBER].descriptor().object.clone()
        },
        net.nodes[MEMBER].key(),
    );
    assert!(take(&mut net, &descriptor).is_err());
    net.act(STEWARD, |node, _| {
        node.with(|replica, rows, _| replica.take_replacement(rows, None, &rotation))
    })
    .unwrap();
    take(&mut net, &descriptor).unwrap();
}

#[test]
fn of_two_statements_the_first_stays_and_people_are_told() {
    let (mut net, circle) = three(86);
    let first = statement(&net, OLD, NEW);
    let second = statement(&net, OLD, LATE);
    stand_for(&mut net, NEW, &first);
    stand_for(&mut net, LATE, &second);
    net.connect(STEWARD, NEW);
    assert!(net.run_until(|net| fate(net, STEWARD, OLD).is_some()));
    net.connect(STEWARD, LATE);
    let contested = Notice::Contested(net.id(OLD));
    assert!(net.run_until(|net| net.nodes[STEWARD].notices.contains(&contested)));
    let held = fate(&net, STEWARD, OLD).unwrap();
    assert_eq!(held.replaced_by(), Some(net.id(NEW)));
    assert_eq!(held.others.len(), 1);
    let other = compare(&mut net, STEWARD, OLD, LATE);
    assert!(
        matches!(other, Err(IdentityRefused::AnotherNode)),
        "{other:?}"
    );
    // Said again, and after a restart, it is one contradiction.
    net.crash(STEWARD);
    net.connect(STEWARD, LATE);
    net.connect(STEWARD, NEW);
    net.run(120_000);
    assert_eq!(fate(&net, STEWARD, OLD).unwrap().others.len(), 1);
    compare(&mut net, STEWARD, OLD, NEW).unwrap();
    replace(&mut net, STEWARD, &circle, OLD).unwrap();
}

#[test]
fn a_node_takes_no_circle_in_the_place_of_another_one_without_having_said_so() {
    let (mut net, circle) = three(87);
    let said = statement(&net, OLD, NEW);
    net.connect(STEWARD, NEW);
    net.run(60_000);
    // The steward's own node is made to believe that the new node brought it.
    let (old, new) = (net.id(OLD), net.id(NEW));
    net.act(STEWARD, |node, now| {
        node.with(|replica, rows, _| {
            replica.take_replacement(rows, Some(new), &said).unwrap();
            replica.same_structure(rows, &old, &new, now).unwrap();
        });
    });
    replace(&mut net, STEWARD, &circle, OLD).unwrap();
    net.run(300_000);
    assert!(!net.nodes[NEW].circles.contains_key(&circle));
    assert!(!net.nodes[NEW].holds(&circle.0));
    // Once it has said so, it takes it.
    stand_for(&mut net, NEW, &said);
    net.cut(STEWARD, NEW);
    net.connect(STEWARD, NEW);
    assert!(net.run_until(|net| net.same(STEWARD, NEW, &circle)));
}

#[test]
fn the_steward_is_not_replaced_but_succeeded_by_another_circle() {
    let (mut net, circle) = three(88);
    let said = statement(&net, STEWARD, NEW);
    stand_for(&mut net, NEW, &said);
    net.cut(STEWARD, MEMBER);
    net.connect(MEMBER, NEW);
    assert!(net.run_until(|net| fate(net, MEMBER, STEWARD).is_some_and(|fate| fate.presented)));
    compare(&mut net, MEMBER, STEWARD, NEW).unwrap();
    let refused = replace(&mut net, MEMBER, &circle, STEWARD);
    assert!(
        matches!(refused, Err(ReplaceFailed::Steward)),
        "{refused:?}"
    );
    let gone = net.id(STEWARD);
    let succession = net.act(MEMBER, |node, now| {
        node.with(|replica, rows, rng| replica.succeed(rows, &circle, &[gone], now, rng))
    });
    let next = succession.unwrap().circle;
    net.invite(MEMBER, NEW, next);
    assert!(net.run_until(|net| net.same(MEMBER, NEW, &next)));
    // Nor does a member that is no steward replace anybody.
    let refused = replace(&mut net, MEMBER, &circle, OLD);
    assert!(
        matches!(refused, Err(ReplaceFailed::Stewardship(_))),
        "{refused:?}"
    );
}

#[test]
fn a_revoked_identity_is_refused_by_all_who_hear_of_it_and_never_comes_back() {
    let (mut net, circle) = three(89);
    net.connect(MEMBER, OLD);
    net.run(60_000);
    net.act(OLD, |node, now| {
        node.with(|replica, rows, _| replica.revoke(rows, now))
    })
    .unwrap();
    let silent = net.act(OLD, |node, now| node.write(&circle, note(FELL), now));
    assert!(matches!(silent, Err(WriteFailed::Revoked)), "{silent:?}");
    // The member hears it from the node itself, the steward from the member.
    for node in [MEMBER, STEWARD] {
        assert!(net.run_until(|net| fate(net, node, OLD).is_some_and(|fate| fate.is_refused())));
        assert!(
            net.nodes[node]
                .notices
                .contains(&Notice::Revoked(net.id(OLD)))
        );
    }
    assert!(net.lines_of(OLD).is_empty(), "cut off at once");
    net.crash(STEWARD);
    net.connect(STEWARD, OLD);
    net.run(60_000);
    assert!(net.lines_of(OLD).is_empty(), "and after a restart");
    assert!(net.nodes[STEWARD].problems.contains(&Problem::Refused));
    let newer = sign(
        Descriptor {
            counter: net.now + 1,
            ..net.nodes[OLD].descriptor().object.clone()
        },
        net.nodes[OLD].key(),
    );
    let refused = net.act(STEWARD, |node, _| {
        node.with(|replica, rows, _| replica.take_descriptor(rows, &newer))
    });
    assert!(matches!(refused, Err(ArriveError::Revoked)), "{refused:?}");
    // The recovery key still puts another identity in its place.
    met(&mut net);
    replace(&mut net, STEWARD, &circle, OLD).unwrap();
    net.connect(STEWARD, MEMBER);
    assert!(net.run_until(|net| net.same(STEWARD, NEW, &circle)));
    assert!(net.texts(NEW, &circle).contains(SLEPT));
    let again = net.act(OLD, |node, now| {
        node.with(|replica, rows, _| replica.revoke(rows, now))
    });
    assert!(matches!(again, Err(IdentityRefused::Revoked)), "{again:?}");
}

#[test]
fn of_nodes_of_which_nothing_is_known_nothing_is_kept_and_strangers_are_not_told() {
    let (mut net, _) = three(90);
    let said = statement(&net, OLD, NEW);
    stand_for(&mut net, NEW, &said);
    net.connect(STEWARD, NEW);
    assert!(net.run_until(|net| fate(net, STEWARD, OLD).is_some()));
    // The latecomer is in no circle with the old one: it hears nothing from those who are.
    net.connect(LATE, STEWARD);
    net.run(60_000);
    assert!(!net.said(STEWARD, LATE, &net.id(OLD).0));
    assert!(fate(&net, LATE, OLD).is_none());
    // A stranger's statement about a stranger is well signed, and leaves nothing behind.
    let (key, recovery) = (NodeKey::from_seed(&[7; 32]), NodeKey::from_seed(&[8; 32]));
    let stranger = Replacement {
        version: 1,
        recovery: recovery.id(),
        old: key.id(),
        new: Some(net.id(NEW)),
        next: recovery_hash(&recovery.id()),
        counter: 1,
    };
    let stranger = sign(stranger, &recovery);
    let revocation = Revocation {
        version: 1,
        node: key.id(),
        time_ms: net.now,
    };
    let revocation = sign(revocation, &key);
    net.act(LATE, |node, _| {
        node.with(|replica, rows, _| {
            replica.take_replacement(rows, None, &stranger).unwrap();
            replica.take_revocation(rows, &revocation).unwrap();
        });
    });
    assert!(Replica::fates(&net.nodes[LATE].memory).unwrap().is_empty());
}

#[test]
fn who_comes_later_checks_the_replacement_from_the_charter_alone() {
    let (mut net, circle) = three(91);
    met(&mut net);
    replace(&mut net, STEWARD, &circle, OLD).unwrap();
    assert!(net.run_until(|net| net.same(STEWARD, NEW, &circle)));
    net.connect(STEWARD, LATE);
    net.invite(STEWARD, LATE, circle);
    assert!(net.run_until(|net| net.same(STEWARD, LATE, &circle)));
    let charter = &net.nodes[LATE].circles[&circle].charter;
    let (old, new) = (net.id(OLD), net.id(NEW));
    let at = charter.listed(&new).unwrap().since;
    assert_eq!(charter.removed_by(&old), Some(at));
    assert!(charter.was_member(&old, at - 1) && !charter.was_member(&old, at));
    assert_eq!(charter.epoch_of(at).unwrap().0, at, "an epoch begins");
    assert_eq!(fate(&net, LATE, OLD).unwrap().replaced_by(), Some(new));
    let known = charter.identity_of(&net.id(MEMBER)).unwrap();
    assert_eq!(
        known.recovery,
        net.nodes[MEMBER].descriptor().object.recovery
    );
    let row = net.nodes[STEWARD].memory.get(&Row::Entry(circle, at));
    let entry = Unverified::<maillon_protocol::charter::Entry>::parse(row.unwrap().unwrap());
    let Change::Replace { cuts, .. } = entry.unwrap().object.change else {
        panic!("entry {at} replaces");
    };
    assert_eq!(
        cuts.len(),
        1,
        "the log of the old one counts up to what the steward holds"
    );
    assert_eq!(Replica::fates(&net.nodes[LATE].memory).unwrap().len(), 1);
}

#[test]
fn another_recovery_key_rules_by_the_word_of_the_one_before_and_peers_hear_that_word_first() {
    let (mut net, _) = three(93);
    // It is changed while its node is stopped.
    net.cut(STEWARD, MEMBER);
    let (first, second) = (
        net.nodes[MEMBER].recovery.clone(),
        net.nodes[LATE].recovery.clone(),
    );
    let said = |net: &Net, by: &NodeKey, counter| {
        let rotation = Replacement {
            version: 1,
            recovery: by.id(),
            old: net.id(MEMBER),
            new: None,
            next: recovery_hash(&second.id()),
            counter,
        };
        sign(rotation, by)
    };
    let rules = recovery_hash(&first.id());
    let rotate = |net: &mut Net, word: &Verified<Replacement>| {
        net.act(MEMBER, |node, _| {
            node.with(|replica, rows, _| replica.rotate_recovery(rows, rules, word))
        })
    };
    let foreign = net.nodes[OLD].recovery.clone();
    // Somebody put a word of another key into the folder.
    let word = said(&net, &foreign, net.now);
    assert!(rotate(&mut net, &word).is_err());
    let word = said(&net, &first, net.now);
    rotate(&mut net, &word).unwrap();
    rotate(&mut net, &word).unwrap();
    // Neither an older word nor one of a key that does not rule counts.
    let refused = [
        said(&net, &first, 1),
        said(&net, &net.nodes[OLD].recovery.clone(), net.now + 1),
    ];
    for word in refused {
        let refused = rotate(&mut net, &word);
        assert!(
            matches!(refused, Err(IdentityRefused::NotOurs)),
            "{refused:?}"
        );
    }
    let renewed = Descriptor {
        counter: net.now + 1,
        recovery: recovery_hash(&second.id()),
        ..net.nodes[MEMBER].descriptor().object.clone()
    };
    net.act(MEMBER, |node, _| node.describe(renewed));
    net.connect(STEWARD, MEMBER);
    let knows = |net: &Net| {
        let rows = &net.nodes[STEWARD].memory;
        let row = rows.get(&Row::Descriptor(net.id(MEMBER))).unwrap().unwrap();
        Descriptor::verify(row).unwrap().object.recovery == recovery_hash(&second.id())
    };
    assert!(net.run_until(knows));
    assert_eq!(
        fate(&net, STEWARD, MEMBER).unwrap().recovery,
        recovery_hash(&second.id())
    );
    assert_eq!(net.nodes[STEWARD].refused, 0);
    // From then on the second key puts another identity in its place, and the first does not.
    let replaced = |by: &NodeKey| {
        let statement = Replacement {
            version: 1,
            recovery: by.id(),
            old: net.id(MEMBER),
            new: Some(net.id(NEW)),
            next: net.nodes[NEW].descriptor().object.recovery,
            counter: net.now + 2,
        };
        sign(statement, by)
    };
    let (by_first, by_second) = (replaced(&first), replaced(&second));
    let take = |net: &mut Net, word: &Verified<Replacement>| {
        net.act(STEWARD, |node, _| {
            node.with(|replica, rows, _| replica.take_replacement(rows, None, word))
        })
    };
    assert!(take(&mut net, &by_first).is_err());
    take(&mut net, &by_second).unwrap();
}

/// A word by which one recovery key of a node gives way to another one.
fn gives_way(
    net: &Net,
    node: usize,
    by: &NodeKey,
    to: &NodeKey,
    counter: u64,
) -> Verified<Replacement> {
    let word = Replacement {
        version: 1,
        recovery: by.id(),
        old: net.id(node),
        new: None,
        next: recovery_hash(&to.id()),
        counter,
    };
    sign(word, by)
}

#[test]
fn a_new_identity_whose_recovery_key_was_changed_since_is_known_by_the_words_that_lead_to_it() {
    let kinds = [StructureKind::Dac, StructureKind::Cpts, StructureKind::Cpts];
    let (mut net, peer, old, new) = (Net::of_strangers(95, &kinds), 0, 1, 2);
    net.connect(peer, old);
    net.run(60_000);
    net.cut(peer, old);
    let [first, second, third] = [new, peer, old].map(|node| net.nodes[node].recovery.clone());
    let said = statement(&net, old, new);
    let words = [
        gives_way(&net, new, &first, &second, net.now + 1),
        gives_way(&net, new, &second, &third, net.now + 2),
    ];
    stand_for(&mut net, new, &said);
    let renewed = Descriptor {
        counter: net.now + 3,
        recovery: recovery_hash(&third.id()),
        ..net.nodes[new].descriptor().object.clone()
    };
    net.act(new, |node, _| {
        for word in &words {
            let rules = recovery_hash(&first.id());
            node.with(|replica, rows, _| replica.rotate_recovery(rows, rules, word))
                .unwrap();
        }
        node.describe(renewed);
    });
    // It is met for the first time, as it is now.
    for _ in 0..3 {
        net.connect(peer, new);
        net.run(60_000);
        net.cut(peer, new);
    }
    let known = fate(&net, peer, old).unwrap();
    assert_eq!(known.replaced_by(), Some(net.id(new)));
    compare(&mut net, peer, old, new).unwrap();
    // Words of anybody else lead nowhere, and are no way to it.
    let forged = gives_way(&net, new, &second, &first, net.now + 9);
    let kept = fate(&net, peer, new).unwrap().rotations;
    let stranger = net.id(old);
    net.act(peer, |node, _| {
        node.with(|replica, rows, _| replica.take_replacement(rows, Some(stranger), &forged))
    })
    .unwrap();
    assert_eq!(fate(&net, peer, new).unwrap().rotations, kept);
    assert_eq!(kept.len(), 2);
}

#[test]
fn who_meets_a_node_after_its_recovery_key_was_changed_takes_no_offence_at_the_word_of_the_first() {
    let kinds = [StructureKind::Dac, StructureKind::Cpts];
    let mut net = Net::of_strangers(94, &kinds);
    net.watched = true;
    let first = net.nodes[0].recovery.clone();
    let rules = recovery_hash(&first.id());
    let next = recovery_hash(&net.nodes[1].recovery.id());
    let word = Replacement {
        version: 1,
        recovery: first.id(),
        old: net.id(0),
        new: None,
        next,
        counter: net.now,
    };
    let word = sign(word, &first);
    let renewed = Descriptor {
        counter: net.now + 1,
        recovery: next,
        ..net.nodes[0].descriptor().object.clone()
    };
    net.act(0, |node, _| {
        node.with(|replica, rows, _| replica.rotate_recovery(rows, rules, &word))
            .unwrap();
        node.describe(renewed);
    });
    for _ in 0..2 {
        net.connect(0, 1);
        net.run(60_000);
        net.cut(0, 1);
    }
    assert!(net.said(0, 1, &word.bytes), "the word was said");
    assert_eq!(net.nodes[1].refused, 0);
}
