//! Erasures, in virtual time: what is gone, what stays of it, who decides, and what comes back after a loss.
#![allow(
    clippy::unwrap_used,
    reason = "a test that cannot go on should say where"
)]

use maillon_protocol::{
    charter::RemovalReason,
    content::{Content, Erased, Erasure, ErasureReason, Facts},
    dossier::{Standing, Thing},
    ids::{CircleId, RecordId, ThingId},
    record::Record,
    replica::{Draft, EraseFailed, Replica, Row, RowPrefix, Rows},
};
use maillon_tests::net::{Net, note, professional};

fn three(seed: u64) -> (Net, CircleId) {
    let mut net = Net::new(seed, 3);
    let circle = net.circle(0, &[1, 2]);
    net.connect(1, 2);
    net.run(60_000);
    (net, circle)
}

fn record(net: &Net, node: usize, circle: &CircleId, id: RecordId) -> Option<Record> {
    net.nodes[node].record(circle, id)
}

/// The thing that a record is a version of, as a node shows it.
fn thing_of(net: &Net, node: usize, circle: &CircleId, id: RecordId) -> Thing {
    let all = net.nodes[node]
        .memory
        .scan(&RowPrefix::Things(*circle))
        .unwrap();
    let things = all.iter().map(|bytes| {
        let (_, thing): (ThingId, Thing) = maillon_protocol::cbor::decode(bytes).unwrap();
        thing
    });
    let has = |thing: &Thing| thing.versions.iter().any(|version| version.record == id);
    things.into_iter().find(has).unwrap()
}

fn waits(net: &Net, node: usize, circle: &CircleId) -> usize {
    Replica::erasures(&net.nodes[node].memory, circle)
        .unwrap()
        .len()
}

fn ask(
    net: &mut Net,
    node: usize,
    circle: &CircleId,
    id: RecordId,
) -> Result<ThingId, EraseFailed> {
    net.act(node, |node, now| node.ask_erasure(circle, id, now))
}

/// A person decides about what waits at a node, where the node does not by itself.
fn decide(net: &mut Net, node: usize, circle: &CircleId, yes: bool) {
    net.act(node, |node, now| node.decide_erasures(circle, |_| yes, now));
}

/// What each node has said about an erasure, as one node knows it.
fn answers(net: &Net, node: usize, circle: &CircleId) -> Vec<Erased> {
    let mut all: Vec<_> = net.nodes[node]
        .contents(circle)
        .into_iter()
        .filter_map(|content| match content {
            Content::ErasureAnswer(answer) => Some(answer.answer),
            _ => None,
        })
        .collect();
    all.sort_unstable();
    all
}

#[test]
fn what_is_erased_is_gone_everywhere_and_the_older_version_does_not_come_back() {
    let (mut net, circle) = three(201);
    let first = net.write(1, &circle, "Prend son traitement le matin.");
    net.run(1_000);
    let thing = net.nodes[1].thing_of(&circle, first).unwrap();
    let second = net
        .act(1, |node, now| {
            node.supersede(
                &circle,
                thing,
                vec![first],
                note("D'une autre personne."),
                now,
            )
        })
        .unwrap();
    assert!(net.run_until(|net| (0..3).all(|node| record(net, node, &circle, second).is_some())));
    ask(&mut net, 1, &circle, second).unwrap();
    assert!(net.run_until(|net| (0..3).all(|node| waits(net, node, &circle) == 1)));
    assert!(record(&net, 1, &circle, second).unwrap().body.is_some());
    let digest = net.nodes[2].digest(&circle);
    for node in 0..3 {
        decide(&mut net, node, &circle, true);
    }
    assert!(net.run_until(|net| (0..3).all(|node| answers(net, node, &circle).len() == 3)));
    for node in 0..3 {
        assert!(record(&net, node, &circle, second).unwrap().body.is_none());
        assert!(!net.texts(node, &circle).contains("D'une autre personne."));
        // The erased version still stands: nobody sees the one that it had replaced as if it were the last word.
        let thing = thing_of(&net, node, &circle, first);
        assert!(matches!(thing.standing(), Standing::One(one) if one.record == second));
        assert_eq!(waits(&net, node, &circle), 0);
        // Made again from the records, it is the same; and after a restart.
        net.crash(node);
        let before = net.nodes[node].digest(&circle);
        net.act(node, |node, _| {
            node.with(|replica, rows, _| replica.reproject(rows, &circle))
        })
        .unwrap();
        assert_eq!(net.nodes[node].digest(&circle), before);
    }
    assert_ne!(
        net.nodes[2].digest(&circle),
        digest,
        "the answers are there"
    );
    // The log goes on above it.
    net.connect_all();
    let later = net.write(1, &circle, "Suite.");
    assert!(net.run_until(|net| (0..3).all(|node| record(net, node, &circle, later).is_some())));
}

#[test]
fn each_structure_decides_for_itself_and_what_is_erased_holds_up_nothing() {
    let mut net = Net::new(202, 4);
    let circle = net.circle(0, &[1, 2]);
    net.connect(1, 2);
    let written = net.write(1, &circle, "À garder ou non.");
    assert!(net.run_until(|net| record(net, 2, &circle, written).is_some()));
    ask(&mut net, 1, &circle, written).unwrap();
    assert!(net.run_until(|net| (0..3).all(|node| waits(net, node, &circle) == 1)));
    decide(&mut net, 0, &circle, true);
    decide(&mut net, 1, &circle, true);
    decide(&mut net, 2, &circle, false);
    let all = [Erased::Done, Erased::Done, Erased::Refused];
    assert!(net.run_until(|net| (0..3).all(|node| answers(net, node, &circle) == all)));
    assert!(record(&net, 2, &circle, written).unwrap().body.is_some());
    assert_eq!(net.nodes[0].digest(&circle), net.nodes[2].digest(&circle));
    // Who comes later gets the header from those who have erased it, and nothing waits behind that.
    net.connect(0, 3);
    net.invite(0, 3, circle);
    assert!(net.run_until(|net| net.nodes[3].circles.contains_key(&circle)));
    assert!(
        net.run_until(|net| net.nodes[3].circles[&circle].heights()
            == net.nodes[0].circles[&circle].heights())
    );
    net.run(5_000);
    assert!(record(&net, 3, &circle, written).unwrap().body.is_none());
    assert!(net.nodes[3].has_erased(&circle, &written));
    // Not from the one that kept it either: what is to be erased and never came does not come.
    net.connect(2, 3);
    net.run(200_000);
    assert!(record(&net, 3, &circle, written).unwrap().body.is_none());
    assert_eq!(net.nodes[3].digest(&circle), net.nodes[2].digest(&circle));
}

#[test]
fn about_what_never_came_there_is_nothing_to_decide() {
    let mut net = Net::new(203, 3);
    let circle = net.circle(0, &[1]);
    let written = net.write(1, &circle, "Avant l'arrivée de l'hôpital.");
    assert!(net.run_until(|net| record(net, 0, &circle, written).is_some()));
    ask(&mut net, 0, &circle, written).unwrap();
    net.run(1_000);
    decide(&mut net, 0, &circle, true);
    decide(&mut net, 1, &circle, true);
    net.connect(0, 2);
    net.invite(0, 2, circle);
    assert!(net.run_until(|net| net.nodes[2].circles.contains_key(&circle)));
    assert!(net.run_until(|net| waits(net, 2, &circle) == 1));
    net.run(5_000);
    let settled = net
        .act(2, |node, now| node.settle_erasures(&circle, now))
        .unwrap();
    assert_eq!(settled, 1);
    assert_eq!(waits(&net, 2, &circle), 0);
    net.run(5_000);
    assert!(net.same(0, 2, &circle), "it shows what the others show");
    assert!(net.nodes[2].has_erased(&circle, &written));
}

#[test]
fn who_says_of_anothers_record_that_it_was_erased_only_delays_it() {
    let (mut net, circle) = three(204);
    net.cut_all();
    let written = net.write(1, &circle, "Chute dans l'escalier.");
    let log = record(&net, 1, &circle, written).unwrap().header.object.log;
    let from = net.nodes[2].circles[&circle]
        .logs
        .get(&log)
        .map_or(1, |tip| tip.height + 1);
    let to = net.nodes[1].circles[&circle].logs[&log].height;
    // Node 0 passes on the headers, and says that the bodies are gone.
    let bare: Vec<_> = (from..=to)
        .map(|sequence| Record {
            body: None,
            ..net.nodes[1].stored(&circle, &log, sequence).unwrap()
        })
        .collect();
    let liar = net.id(0);
    net.act(2, |node, now| {
        node.with(|replica, rows, rng| replica.take_records(rows, liar, circle, bare, now, rng))
    })
    .unwrap();
    assert!(record(&net, 2, &circle, written).unwrap().body.is_none());
    assert!(!net.nodes[2].has_erased(&circle, &written));
    // Through a restart, it asks whoever it meets.
    net.crash(2);
    net.connect(1, 2);
    assert!(net.run_until(|net| net.texts(2, &circle).contains("Chute dans l'escalier.")));
    net.connect_all();
    net.run(60_000);
    assert!(net.same(0, 2, &circle));
    let acks = net.nodes[1]
        .replica
        .acks(&net.nodes[1].memory, &circle)
        .unwrap();
    let theirs = acks.iter().find(|ack| ack.node == net.id(2)).unwrap();
    assert_eq!(theirs.delivery(&log, to), Some(Ok(())), "and says so");
}

#[test]
fn who_leaves_out_every_other_body_makes_no_acknowledgement_long() {
    let (mut net, circle) = three(211);
    net.cut_all();
    for number in 0..2_000 {
        let text = format!("Passage {number}.");
        net.act(1, |node, now| node.write(&circle, note(&text), now))
            .unwrap();
    }
    let log = net.nodes[1].replica.own_log();
    let held = net.nodes[2].circles[&circle].logs.get(&log);
    let from = held.map_or(1, |tip| tip.height + 1);
    let to = net.nodes[1].circles[&circle].logs[&log].height;
    let liar = net.id(0);
    for first in (from..=to).step_by(100) {
        let records: Vec<_> = (first..=to.min(first + 99))
            .map(|sequence| {
                let whole = net.nodes[1].stored(&circle, &log, sequence).unwrap();
                let body = whole.body.filter(|_| sequence % 2 == 0);
                Record { body, ..whole }
            })
            .collect();
        let _ = net.act(2, |node, now| {
            node.with(|replica, rows, rng| {
                replica.take_records(rows, liar, circle, records, now, rng)
            })
        });
    }
    assert!(net.nodes[2].circles[&circle].exceptions.len() <= 300);
    net.connect_all();
    assert!(net.run_until(|net| net.same(1, 2, &circle)));
    assert!(net.run_until(|net| net.nodes[2].circles[&circle].exceptions.is_empty()));
}

#[test]
fn only_who_wrote_it_and_the_steward_may_ask() {
    let (mut net, circle) = three(205);
    let written = net.write(1, &circle, "À personne d'autre.");
    assert!(net.run_until(|net| record(net, 2, &circle, written).is_some()));
    assert!(matches!(
        ask(&mut net, 2, &circle, written),
        Err(EraseFailed::NotYours)
    ));
    // A program that asks all the same is not heard.
    let held = record(&net, 2, &circle, written).unwrap();
    let opened = net.nodes[2].circles[&circle].read(&held).unwrap();
    let asked = Content::Erasure(Erasure {
        record: written,
        log: held.header.object.log,
        sequence: held.header.object.sequence,
        facts: Facts::of(&opened.envelope, &opened.content),
        reason: ErasureReason::WrongPerson,
    });
    let forced = net
        .act(2, |node, now| node.write(&circle, asked, now))
        .unwrap();
    assert!(net.run_until(|net| (0..2).all(|node| record(net, node, &circle, forced).is_some())));
    assert!((0..3).all(|node| waits(&net, node, &circle) == 0));
    ask(&mut net, 0, &circle, written).unwrap();
    assert!(net.run_until(|net| (0..3).all(|node| waits(net, node, &circle) == 1)));
    // What says nothing of the person is not erased.
    let request = net.nodes[0]
        .memory
        .scan(&RowPrefix::Erasing(circle))
        .unwrap();
    let waiting: maillon_protocol::replica::Erasing =
        maillon_protocol::cbor::decode(&request[0]).unwrap();
    assert!(matches!(
        ask(&mut net, 0, &circle, waiting.asked),
        Err(EraseFailed::Kind)
    ));
}

#[test]
fn an_erasure_that_says_something_else_of_a_record_than_it_says_is_refused() {
    let (mut net, circle) = three(206);
    let written = net.write(1, &circle, "Version une.");
    assert!(net.run_until(|net| record(net, 2, &circle, written).is_some()));
    let held = record(&net, 1, &circle, written).unwrap();
    let opened = net.nodes[1].circles[&circle].read(&held).unwrap();
    let other = net.write(1, &circle, "Une autre note.");
    let mut facts = Facts::of(&opened.envelope, &opened.content);
    // It would hide the other note.
    facts.supersedes = vec![other];
    let lie = Content::Erasure(Erasure {
        record: written,
        log: held.header.object.log,
        sequence: held.header.object.sequence,
        facts,
        reason: ErasureReason::Inaccurate,
    });
    net.act(1, |node, now| node.write(&circle, lie, now))
        .unwrap();
    assert!(net.run_until(|net| waits(net, 2, &circle) == 1));
    let thing = Replica::erasures(&net.nodes[2].memory, &circle).unwrap()[0].thing;
    let forced = net.act(2, |node, now| {
        node.with(|replica, rows, rng| {
            replica.erase(rows, &circle, thing, professional("DAC"), now, rng)
        })
    });
    assert!(matches!(forced, Err(EraseFailed::Differs)));
    assert_eq!(
        net.act(2, |node, now| node.settle_erasures(&circle, now))
            .unwrap(),
        1
    );
    assert!(record(&net, 2, &circle, written).unwrap().body.is_some());
    assert!(net.run_until(|net| answers(net, 1, &circle) == [Erased::Differs]));
}

#[test]
fn a_node_whose_disk_went_back_erases_again_what_it_had_erased() {
    let (mut net, circle) = three(207);
    let written = net.write(1, &circle, "Ne doit pas revenir.");
    assert!(net.run_until(|net| record(net, 2, &circle, written).is_some()));
    net.run(5_000);
    let copy = net.nodes[2].memory.clone();
    ask(&mut net, 1, &circle, written).unwrap();
    assert!(net.run_until(|net| waits(net, 2, &circle) == 1));
    decide(&mut net, 2, &circle, true);
    assert!(net.run_until(|net| answers(net, 0, &circle) == [Erased::Done]));
    net.put_back(2, copy);
    assert!(record(&net, 2, &circle, written).unwrap().body.is_some());
    net.connect(0, 2);
    assert!(net.run_until(|net| record(net, 2, &circle, written).unwrap().body.is_none()));
    assert!(net.nodes[2].has_erased(&circle, &written));
    net.run(5_000);
    assert_eq!(waits(&net, 2, &circle), 0, "nobody is asked a second time");
    assert!(net.same(0, 2, &circle));
}

/// Node 2 gets from node 0 what it lacks, log by log; the one that a record is in comes last.
fn give_last(net: &mut Net, circle: &CircleId, last: RecordId) {
    let log = record(net, 0, circle, last).unwrap().header.object.log;
    let mut logs: Vec<_> = net.nodes[0].circles[circle].logs.keys().copied().collect();
    logs.sort_by_key(|other| *other == log);
    let from = net.id(0);
    for log in logs {
        let height = net.nodes[0].circles[circle].logs[&log].height;
        let held = net.nodes[2].circles[circle].logs.get(&log);
        let held = held.map_or(0, |tip| tip.height);
        let records: Vec<_> = (held + 1..=height)
            .map(|sequence| net.nodes[0].stored(circle, &log, sequence).unwrap())
            .collect();
        net.act(2, |node, now| {
            node.with(|replica, rows, rng| {
                replica.take_records(rows, from, *circle, records, now, rng)
            })
        })
        .unwrap();
    }
}

#[test]
fn a_body_that_comes_after_its_erasure_is_dropped() {
    let (mut net, circle) = three(210);
    let copy = net.nodes[2].memory.clone();
    let written = net.write(1, &circle, "Gardé par qui l'a écrit.");
    assert!(net.run_until(|net| record(net, 2, &circle, written).is_some()));
    ask(&mut net, 0, &circle, written).unwrap();
    assert!(net.run_until(|net| (0..3).all(|node| waits(net, node, &circle) == 1)));
    decide(&mut net, 1, &circle, false);
    decide(&mut net, 2, &circle, true);
    assert!(net.run_until(|net| answers(net, 0, &circle) == [Erased::Done, Erased::Refused]));
    // Its disk goes back to before all this. What it had answered, and to what, comes before the record itself.
    net.cut_all();
    net.put_back(2, copy);
    give_last(&mut net, &circle, written);
    assert!(record(&net, 1, &circle, written).unwrap().body.is_some());
    assert!(record(&net, 2, &circle, written).unwrap().body.is_none());
    net.connect_all();
    net.run(60_000);
    assert!(record(&net, 2, &circle, written).unwrap().body.is_none());
    assert!(net.same(1, 2, &circle));
}

/// The steward, node 0, removes a node.
fn remove(net: &mut Net, circle: &CircleId, node: usize) {
    let (circle, removed) = (*circle, net.id(node));
    net.act(0, |node, now| {
        node.with(|replica, rows, rng| {
            replica.remove(rows, &circle, removed, RemovalReason::Ended, now, rng)
        })
    })
    .unwrap();
}

/// A node that refused to erase a record and whose disk then went back to before it: what comes from who erased it has no body. What the author
/// answered is not in the author's log, so that nothing comes after the record there.
fn refused_and_lost(seed: u64) -> (Net, CircleId, RecordId) {
    let (mut net, circle) = three(seed);
    let copy = net.nodes[2].memory.clone();
    let written = net.write(1, &circle, "Gardé par qui l'a perdu.");
    assert!(net.run_until(|net| record(net, 2, &circle, written).is_some()));
    ask(&mut net, 0, &circle, written).unwrap();
    assert!(net.run_until(|net| (0..3).all(|node| waits(net, node, &circle) == 1)));
    decide(&mut net, 0, &circle, true);
    decide(&mut net, 2, &circle, false);
    assert!(net.run_until(|net| answers(net, 0, &circle).len() == 2));
    net.cut_all();
    net.put_back(2, copy);
    (net, circle, written)
}

/// Found with seed 21 of the generated schedules.
#[test]
fn what_was_refused_and_is_lost_is_shown_as_erased_where_no_member_has_it_any_more() {
    let (mut net, circle, written) = refused_and_lost(214);
    remove(&mut net, &circle, 1);
    give_last(&mut net, &circle, written);
    net.connect(0, 2);
    net.run(90_000);
    assert!(net.nodes[2].has_erased(&circle, &written));
    assert!(net.same(0, 2, &circle));
}

#[test]
fn what_was_refused_and_is_lost_is_waited_for_until_who_may_have_it_is_removed() {
    let (mut net, circle, written) = refused_and_lost(216);
    give_last(&mut net, &circle, written);
    net.connect(0, 2);
    net.run(90_000);
    assert!(!net.nodes[2].has_erased(&circle, &written));
    remove(&mut net, &circle, 1);
    net.run(90_000);
    assert!(net.nodes[2].has_erased(&circle, &written));
    assert!(net.same(0, 2, &circle));
}

#[test]
fn what_was_refused_and_is_lost_comes_again_from_a_member_that_kept_it() {
    let (mut net, circle, written) = refused_and_lost(215);
    give_last(&mut net, &circle, written);
    net.connect(0, 2);
    net.run(90_000);
    assert!(record(&net, 2, &circle, written).unwrap().body.is_none());
    assert!(!net.nodes[2].has_erased(&circle, &written));
    net.connect(1, 2);
    net.run(90_000);
    assert!(record(&net, 2, &circle, written).unwrap().body.is_some());
    assert!(net.same(1, 2, &circle));
}

#[test]
fn an_erased_alert_asks_nothing_any_more_and_an_erased_answer_still_counts() {
    let (mut net, circle) = three(208);
    let alert = |text: &str| {
        Content::Alert(maillon_protocol::content::Alert {
            text: text.to_owned(),
            severity: maillon_protocol::content::Severity::High,
            addressees: Vec::new(),
            answer_by_ms: 0,
        })
    };
    let wrong = net
        .act(1, |node, now| {
            node.write(&circle, alert("Autre personne"), now)
        })
        .unwrap();
    let right = net
        .act(1, |node, now| node.write(&circle, alert("Chute"), now))
        .unwrap();
    assert!(net.run_until(|net| record(net, 2, &circle, right).is_some()));
    let thing = net.nodes[1].thing_of(&circle, right).unwrap();
    let answer = Content::AlertAnswer(maillon_protocol::content::AlertAnswer {
        step: maillon_protocol::content::AlertStep::TakeCharge,
        comment: "D'une autre personne.".to_owned(),
    });
    let answer = net
        .act(2, |node, now| node.answer(&circle, thing, answer, now))
        .unwrap();
    assert!(net.run_until(|net| (0..2).all(|node| record(net, node, &circle, answer).is_some())));
    ask(&mut net, 1, &circle, wrong).unwrap();
    ask(&mut net, 2, &circle, answer).unwrap();
    assert!(net.run_until(|net| (0..3).all(|node| waits(net, node, &circle) == 2)));
    for node in 0..3 {
        decide(&mut net, node, &circle, true);
    }
    net.run(5_000);
    for node in 0..3 {
        let gone = net.nodes[node].thing_of(&circle, wrong).unwrap();
        let entry = |thing: ThingId| {
            let node = &net.nodes[node];
            node.replica
                .alert(&node.memory, &circle, &thing)
                .unwrap()
                .unwrap()
        };
        assert_eq!(entry(gone).asked, None);
        assert!(entry(thing).asked.is_some());
        assert_eq!(
            entry(thing).answers.len(),
            1,
            "taken charge of, whatever was said with it"
        );
        let index = |net: &Net| {
            net.nodes[node]
                .memory
                .scan(&RowPrefix::Alerts(circle))
                .unwrap()
        };
        let before = index(&net);
        net.act(node, |node, _| {
            node.with(|replica, rows, _| replica.reproject(rows, &circle))
        })
        .unwrap();
        assert_eq!(index(&net), before);
    }
    let awaited = net.nodes[1].memory.rows().keys();
    assert!(
        !awaited
            .into_iter()
            .any(|row| matches!(row, Row::Awaited(..)))
    );
}

#[test]
fn several_who_ask_for_the_same_are_each_answered() {
    let (mut net, circle) = three(209);
    let written = net.write(1, &circle, "Deux fois demandé.");
    assert!(net.run_until(|net| record(net, 2, &circle, written).is_some()));
    ask(&mut net, 0, &circle, written).unwrap();
    ask(&mut net, 1, &circle, written).unwrap();
    assert!(net.run_until(|net| (0..3).all(|node| waits(net, node, &circle) == 2)));
    let first = Replica::erasures(&net.nodes[2].memory, &circle).unwrap()[0].thing;
    let draft = professional("DAC");
    net.act(2, |node, now| {
        node.with(|replica, rows, rng| replica.erase(rows, &circle, first, draft, now, rng))
    })
    .unwrap();
    assert_eq!(
        net.act(2, |node, now| node.settle_erasures(&circle, now))
            .unwrap(),
        1
    );
    assert_eq!(waits(&net, 2, &circle), 0);
    let again = net.act(2, |node, now| {
        let draft = Draft {
            thing: None,
            parent: Some(first),
            supersedes: Vec::new(),
            author: professional("DAC"),
            occurred_ms: now,
            content: note("Rien."),
        };
        node.with(|replica, rows, rng| replica.write(rows, &circle, vec![draft], now, rng))
    });
    assert!(again.is_ok(), "an erasure may be talked about");
    net.run(5_000);
    assert_eq!(waits(&net, 2, &circle), 0);
}
