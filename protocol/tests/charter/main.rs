//! A charter in every order: whatever arrives, in whatever pieces, all who have the entries have one head, and nothing else counts.
#![allow(
    clippy::expect_used,
    unreachable_pub,
    missing_docs,
    reason = "a test that cannot go on should say where"
)]

mod hostile;
mod model;
mod world;

use std::{
    collections::{BTreeMap, BTreeSet},
    sync::Arc,
};

use maillon_protocol::{
    charter::{Change, Charter, Entry},
    circle::{self, Branches, Circle},
    ids::LogId,
    sign::{Verified, sign},
};
use proptest::{prelude::*, sample::Index};

use hostile::Wrong;
use model::Model;
use world::{Past, STRANGER, World};

/// What a steward does.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Act {
    Admit(usize, Past),
    Remove(usize),
    Rotate,
    Close,
    HandOver(usize),
    /// Those whose bit is set.
    Appoint(u8),
    Reopen,
    /// The cut of a log in the last removal of somebody moves to here.
    MoveCut(usize, u64),
}

/// A piece of what one member is sent.
#[derive(Debug, Clone)]
enum Piece {
    /// Entries from one to another, in order.
    Run(Index, usize),
    /// Entries backwards.
    Reversed(Index, usize),
    /// A hostile one.
    Hostile(Index),
    /// A hostile one between right ones.
    Among(Index, Index),
}

fn acts() -> impl Strategy<Value = Vec<Act>> {
    let past = prop_oneof![Just(Past::Whole), Just(Past::Nothing), Just(Past::Now)];
    let act = prop_oneof![
        6 => (0..4usize, past).prop_map(|(guest, past)| Act::Admit(guest, past)),
        3 => (0..4usize).prop_map(Act::Remove),
        2 => Just(Act::Rotate),
        1 => Just(Act::Close),
        2 => (0..5usize).prop_map(Act::HandOver),
        2 => (0..32_u8).prop_map(Act::Appoint),
        1 => Just(Act::Reopen),
        3 => (0..4usize, 1..4_u64).prop_map(|(guest, to)| Act::MoveCut(guest, to)),
    ];
    proptest::collection::vec(act, 1..10)
}

fn wrongs() -> impl Strategy<Value = Vec<(Index, Wrong)>> {
    let wrong = prop_oneof![
        proptest::sample::select(&hostile::PLAIN[..]),
        any::<u16>().prop_map(|bit| Wrong::Bit(bit.into())),
    ];
    proptest::collection::vec((any::<Index>(), wrong), 1..6)
}

fn pieces() -> impl Strategy<Value = Vec<Piece>> {
    let piece = prop_oneof![
        (any::<Index>(), 1..5usize).prop_map(|(at, length)| Piece::Run(at, length)),
        (any::<Index>(), 1..5usize).prop_map(|(at, length)| Piece::Reversed(at, length)),
        any::<Index>().prop_map(Piece::Hostile),
        (any::<Index>(), any::<Index>()).prop_map(|(at, which)| Piece::Among(at, which)),
    ];
    proptest::collection::vec(piece, 0..12)
}

fn cases() -> ProptestConfig {
    let cases = std::env::var("MAILLON_CASES")
        .ok()
        .and_then(|cases| cases.parse().ok())
        .unwrap_or(128);
    ProptestConfig {
        cases,
        failure_persistence: None,
        ..ProptestConfig::default()
    }
}

fn world_of(acts: &[Act]) -> (World, Model) {
    let mut world = World::new(1);
    let mut model = Model::founded();
    for act in acts {
        let possible = model.act(*act);
        assert_eq!(world.act(*act).is_ok(), possible, "{act:?} after {model:?}");
    }
    (world, model)
}

/// A member that holds nothing but the founding entry.
fn begun(world: &World) -> Circle {
    Circle {
        charter: Arc::new(Charter::found(&world.entries[0]).expect("it founds")),
        logs: BTreeMap::new(),
        secrets: BTreeMap::new(),
        exceptions: Vec::new(),
        changed: 0,
        lacking: BTreeMap::new(),
        continues: None,
        continued: None,
        unconfirmed: false,
        erasures: 0,
        branches: Branches::default(),
        beside: BTreeMap::new(),
        waived: BTreeSet::new(),
    }
}

proptest! {
    #![proptest_config(cases())]

    /// The chain says what a plain set of members and a list of epochs say, at its head and at each entry before.
    #[test]
    fn a_charter_says_what_a_plain_list_of_members_says(acts in acts()) {
        let (world, model) = world_of(&acts);
        let charter = &world.charter;
        prop_assert_eq!(charter.number(), model.number);
        prop_assert_eq!(charter.state().closed, model.closed);
        let name = |place: &usize| world.people[*place].key.id();
        prop_assert_eq!(charter.state().steward, name(&model.steward));
        prop_assert_eq!(&charter.state().deputies, &model.deputies.iter().map(name).collect::<Vec<_>>());
        prop_assert_eq!(charter.epochs().collect::<Vec<_>>(), model.epochs.clone());
        for (place, person) in world.people.iter().enumerate() {
            let node = person.key.id();
            for (number, members) in &model.members {
                prop_assert_eq!(charter.was_member(&node, *number), members.contains_key(&place));
            }
            let ever = model.members.values().any(|members| members.contains_key(&place));
            prop_assert_eq!(charter.ever_listed(&node), ever);
            let held = model.now().get(&place);
            prop_assert_eq!(charter.member(&node).map(|member| member.since), held.map(|held| held.since));
            prop_assert_eq!(charter.removed_by(&node).is_some(), ever && held.is_none());
            for (number, removal) in model.cuts.get(&place).into_iter().flatten() {
                let log = LogId { node, incarnation: world::LOG };
                let named = model.cuts[&place].range(..=*number).find(|(_, cut)| **cut > 0);
                let counts = named.map_or(0, |(_, cut)| *cut);
                let cut = charter.cut_of(&log, *number - 1);
                prop_assert_eq!(cut, Some((counts > 0).then_some((counts, world::head(counts)))), "{:?}", removal);
            }
            for epoch in &model.epochs {
                let granted = held.is_some_and(|held| *epoch >= held.reads_from);
                prop_assert_eq!(charter.is_granted(&node, *epoch), granted, "{} {}", place, epoch);
            }
        }
        for number in 1..=model.number {
            prop_assert_eq!(charter.epoch_of(number).map(|(number, _)| number), Some(model.epoch_of(number)));
        }
        prop_assert_eq!(charter.epoch_of(model.number + 1), None);
    }

    /// Sealed copies are made for those who may read the epoch, open there, and open nowhere else.
    #[test]
    fn secrets_are_sealed_to_those_who_may_read_them_and_open_nowhere_else(acts in acts()) {
        let (world, model) = world_of(&acts);
        for copy in &world.seals {
            let place = world.people.iter().position(|person| person.key.id() == copy.recipient);
            let place = place.expect("copies are for people of this world");
            // Granted when the copy was made: by the entry of the epoch itself, or by a later admission.
            let granted = model.members.iter().any(|(number, members)| {
                *number >= copy.number && members.get(&place).is_some_and(|held| copy.number >= held.reads_from)
            });
            prop_assert!(granted, "epoch {} was sealed to {place}", copy.number);
            prop_assert!(place != STRANGER);
            for (other, person) in world.people.iter().enumerate() {
                let opened = world.charter.open_secret(copy, person.key.id(), std::slice::from_ref(&person.seal));
                prop_assert_eq!(opened.is_ok(), other == place);
                if let Ok(secret) = opened {
                    prop_assert!(world.charter.committed(copy.number, &secret));
                }
            }
        }
        // And nobody who is a member now lacks one that somebody else made.
        let made_by = |epoch: u64| world.entries[epoch as usize - 1].object.signer;
        for (place, held) in model.now() {
            let node = world.people[*place].key.id();
            for epoch in model.epochs.iter().filter(|epoch| **epoch >= held.reads_from && made_by(**epoch) != node) {
                prop_assert!(world.seals.iter().any(|copy| copy.recipient == node && copy.number == *epoch));
            }
        }
    }

    /// Duplicates, gaps, other orders, other pieces and hostile entries among them: one head in the end, and the same charter, whole.
    #[test]
    fn in_whatever_order_and_pieces_entries_come_all_members_end_with_one_charter(
        acts in acts(),
        wrongs in wrongs(),
        members in proptest::collection::vec(pieces(), 3),
    ) {
        let (mut world, _) = world_of(&acts);
        let used = hostile::used_acceptance(&mut world);
        let hostile: Vec<_> = wrongs
            .iter()
            .map(|(after, wrong)| hostile::forge(&mut world, after.index(1000), *wrong))
            .chain(used)
            .filter_map(hostile::read)
            .collect();
        let right: BTreeSet<[u8; 32]> = world.entries.iter().map(|entry| entry.id).collect();
        let of = |at: &Index, length: usize| -> Vec<Verified<Entry>> {
            let from = at.index(world.entries.len());
            world.entries[from..(from + length).min(world.entries.len())].to_vec()
        };
        for pieces in &members {
            let mut circle = begun(&world);
            for piece in pieces {
                let entries = match piece {
                    Piece::Run(at, length) => of(at, *length),
                    Piece::Reversed(at, length) => of(at, *length).into_iter().rev().collect(),
                    Piece::Hostile(_) if hostile.is_empty() => continue,
                    Piece::Hostile(which) => vec![which.get(&hostile).clone()],
                    Piece::Among(at, which) => {
                        let mut entries = of(at, 2);
                        if !hostile.is_empty() {
                            entries.insert(1.min(entries.len()), which.get(&hostile).clone());
                        }
                        entries
                    }
                };
                let (next, taken) = circle::extend(&circle, entries);
                // What is in is the steward's chain up to some place, and nothing else.
                prop_assert!(taken.accepted.iter().all(|entry| right.contains(&entry.id)));
                prop_assert!(next.charter.number() >= circle.charter.number());
                prop_assert_eq!(Some(next.charter.head().0), world.entries.get(next.charter.number() as usize - 1).map(|entry| entry.id));
                circle = next;
            }
            let (circle, taken) = circle::extend(&circle, world.entries.clone());
            prop_assert!(taken.stopped.is_none());
            prop_assert_eq!(&*circle.charter, &world.charter);
        }
    }

    /// Each hostile entry, right after the place that it pretends to follow, is refused and leaves the charter as it was.
    #[test]
    fn an_entry_that_is_wrong_in_one_thing_is_refused_where_it_would_fit(acts in acts(), wrongs in wrongs()) {
        let (mut world, _) = world_of(&acts);
        for (after, wrong) in wrongs {
            let after = after.index(world.entries.len());
            let bytes = hostile::forge(&mut world, after, wrong);
            let Some(entry) = hostile::read(bytes) else {
                prop_assert!(matches!(wrong, Wrong::Signature | Wrong::Bit(_)), "{wrong:?} has a valid signature");
                continue;
            };
            prop_assert!(!matches!(wrong, Wrong::Signature | Wrong::Bit(_)), "{wrong:?} must not verify");
            let mut circle = begun(&world);
            (circle, _) = circle::extend(&circle, world.entries[..=after].to_vec());
            let (next, taken) = circle::extend(&circle, vec![entry.clone()]);
            prop_assert!(taken.accepted.is_empty());
            // The founding entry once more is held already, and one that leaves a number out waits for those before it.
            let reported = !matches!(wrong, Wrong::Founding | Wrong::Number);
            prop_assert_eq!(taken.stopped.is_some(), reported);
            prop_assert_eq!(&*next.charter, &*circle.charter);
        }
    }
}

#[test]
fn a_steward_that_signs_two_entries_of_one_number_divides_the_circle_and_neither_part_takes_the_other()
 {
    let mut world = World::new(2);
    world
        .act(Act::Admit(1, Past::Whole))
        .expect("the first admission");
    let charter = world.charter.clone();
    let one = world.make(&charter, Act::Rotate).expect("one").entry;
    let other = world.make(&charter, Act::Rotate).expect("other").entry;
    let next = world
        .make(&charter.extend(&other).expect("it follows"), Act::Close)
        .expect("the end")
        .entry;
    let circle = begun(&world);
    let (circle, _) = circle::extend(&circle, world.entries.clone());
    let (circle, _) = circle::extend(&circle, vec![one.clone()]);
    let (after, taken) = circle::extend(&circle, vec![other, next]);
    assert!(taken.stopped.is_some());
    assert_eq!(after.charter.head().0, one.id);
}

#[test]
fn a_cut_moves_forward_only_of_a_removal_that_there_is_and_sixteen_times_at_most() {
    let mut world = World::new(4);
    let admit = Act::Admit(1, Past::Whole);
    for act in [admit, Act::Remove(1), Act::MoveCut(1, 5)] {
        world.act(act).expect("it can be done");
    }
    let refused = |world: &mut World, act| world.act(act).expect_err("too early, or backwards");
    for (act, cause) in [
        (Act::MoveCut(2, 9), "the entry named removed no such node"),
        (Act::MoveCut(1, 5), "a cut moves forward only"),
        (Act::MoveCut(1, 4), "a cut moves forward only"),
    ] {
        let error = refused(&mut world, act).to_string();
        assert!(error.ends_with(cause), "{error}");
    }
    let before = world.charter.state().clone();
    for to in 6..=20 {
        world.act(Act::MoveCut(1, to)).expect("forward");
    }
    assert_eq!(*world.charter.state(), before, "nothing else changes");
    let full = refused(&mut world, Act::MoveCut(1, 21)).to_string();
    assert!(
        full.contains("how often the cuts of one removal move"),
        "{full}"
    );
    // A later removal says nothing of the log that an earlier one has cut.
    for act in [admit, Act::Remove(1)] {
        world.act(act).expect("it can be done");
    }
    let error = refused(&mut world, Act::MoveCut(1, 30)).to_string();
    assert!(error.ends_with("an earlier removal cut the log"), "{error}");
}

#[test]
fn an_admission_by_an_acceptance_that_was_used_or_is_of_another_node_is_refused() {
    let mut world = World::new(3);
    world
        .act(Act::Admit(1, Past::Whole))
        .expect("the first admission");
    let entry = hostile::used_acceptance(&mut world)
        .and_then(hostile::read)
        .expect("the steward signs it");
    assert!(world.charter.extend(&entry).is_err());
    // The same node once more, by the acceptance of the first time.
    world.act(Act::Remove(1)).expect("the removal");
    let charter = world.charter.clone();
    let mut again = world
        .make(&charter, Act::Admit(1, Past::Whole))
        .expect("a fresh acceptance")
        .entry
        .object;
    let Change::Admit {
        acceptance: used, ..
    } = world.entries[1].object.change.clone()
    else {
        panic!("the second entry admits")
    };
    if let Change::Admit { acceptance, .. } = &mut again.change {
        *acceptance = used;
    }
    let again = sign(again, &world.people[0].key);
    assert!(world.charter.extend(&again).is_err());
}
