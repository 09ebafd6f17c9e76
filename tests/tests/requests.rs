//! Requests for changes of a circle's membership: which of them wait, in virtual time, whatever the order in which request and answer come.
#![allow(
    clippy::unwrap_used,
    reason = "a test that cannot go on should say where"
)]

use maillon_protocol::{
    charter::{RemovalReason, RotationReason},
    content::{Answered, AskedChange, Content, MembershipRequest, RequestAnswer},
    ids::{CircleId, RecordId, ThingId},
    replica::{Draft, Replica},
};
use maillon_tests::net::{Net, professional};

fn request(withdrawn: bool) -> Content {
    Content::MembershipRequest(MembershipRequest {
        asked: AskedChange::Rotate {
            reason: RotationReason::Suspected,
        },
        why: "Un téléphone a été volé.".to_owned(),
        withdrawn,
    })
}

fn refusal() -> Content {
    Content::RequestAnswer(RequestAnswer {
        answer: Answered::Refused,
        comment: String::new(),
    })
}

/// Writes a version of something, or an answer to it.
fn write(
    net: &mut Net,
    node: usize,
    circle: &CircleId,
    content: Content,
    (thing, parent, supersedes): (Option<ThingId>, Option<ThingId>, Vec<RecordId>),
) -> (RecordId, ThingId) {
    net.act(node, |node, now| {
        let draft = Draft {
            thing,
            parent,
            supersedes,
            author: professional("CPTS du Vallon"),
            occurred_ms: now,
            content,
        };
        let written = node
            .with(|replica, rows, rng| replica.write(rows, circle, vec![draft], now, rng))
            .unwrap();
        (written[0].record, written[0].thing)
    })
}

/// The requests that wait at a node.
fn waiting(net: &Net, node: usize, circle: &CircleId) -> Vec<RecordId> {
    let all = Replica::requests(&net.nodes[node].memory, circle).unwrap();
    all.into_iter().map(|(_, record)| record).collect()
}

fn three(seed: u64) -> (Net, CircleId) {
    let mut net = Net::new(seed, 3);
    let circle = net.circle(0, &[1, 2]);
    net.connect(1, 2);
    net.run(60_000);
    (net, circle)
}

#[test]
fn a_request_waits_until_the_steward_answers_and_nobody_elses_answer_counts() {
    let (mut net, circle) = three(91);
    let fresh = (None, None, Vec::new());
    let (asked, thing) = write(&mut net, 1, &circle, request(false), fresh);
    let everywhere =
        |net: &Net, wanted: &[RecordId]| (0..3).all(|node| waiting(net, node, &circle) == wanted);
    assert!(net.run_until(|net| everywhere(net, &[asked])));
    let about = || (None, Some(thing), Vec::new());
    let (other, _) = write(&mut net, 2, &circle, refusal(), about());
    assert!(
        net.run_until(|net| net.nodes[0].record(&circle, other).is_some()
            && net.nodes[1].record(&circle, other).is_some())
    );
    assert!(everywhere(&net, &[asked]));
    write(&mut net, 0, &circle, refusal(), about());
    assert!(net.run_until(|net| everywhere(net, &[])));
    // Through a restart, and made again from the records.
    net.crash(1);
    net.act(1, |node, _| {
        node.with(|replica, rows, _| replica.reproject(rows, &circle))
    })
    .unwrap();
    net.run(1_000);
    assert!(everywhere(&net, &[]));
}

#[test]
fn an_answer_that_comes_before_its_request_ends_it_all_the_same() {
    let (mut net, circle) = three(92);
    net.cut(1, 2);
    net.cut(0, 2);
    let fresh = (None, None, Vec::new());
    let (asked, thing) = write(&mut net, 1, &circle, request(false), fresh);
    assert!(net.run_until(|net| waiting(net, 0, &circle) == [asked]));
    net.run(10_000);
    let about = (None, Some(thing), Vec::new());
    let (answer, _) = write(&mut net, 0, &circle, refusal(), about);
    net.run(10_000);
    // Node 2 takes the steward's log before the other one.
    let (steward, record) = (net.id(0), |net: &Net, id| {
        net.nodes[0].record(&circle, id).unwrap()
    });
    let log = record(&net, answer).header.object.log;
    let height = net.nodes[2].circles[&circle].logs.get(&log);
    let first = height.map_or(1, |tip| tip.height + 1);
    let last = net.nodes[0].circles[&circle].logs[&log].height;
    let records: Vec<_> = (first..=last)
        .map(|sequence| net.nodes[0].stored(&circle, &log, sequence).unwrap())
        .collect();
    net.act(2, |node, now| {
        node.with(|replica, rows, rng| {
            replica.take_records(rows, steward, circle, records, now, rng)
        })
    })
    .unwrap();
    net.run(1_000);
    assert!(net.nodes[2].record(&circle, answer).is_some());
    assert!(net.nodes[2].record(&circle, asked).is_none());
    net.connect(1, 2);
    assert!(net.run_until(|net| net.nodes[2].record(&circle, asked).is_some()));
    assert!(waiting(&net, 2, &circle).is_empty());
}

#[test]
fn whoever_asked_takes_it_back_and_what_a_removed_structure_asks_is_not_asked() {
    let (mut net, circle) = three(93);
    let fresh = || (None, None, Vec::new());
    let (asked, thing) = write(&mut net, 1, &circle, request(false), fresh());
    let (other, _) = write(&mut net, 2, &circle, request(false), fresh());
    let mut both = vec![asked, other];
    both.sort_unstable();
    let at_the_steward = |net: &Net| {
        let mut found = waiting(net, 0, &circle);
        found.sort_unstable();
        found
    };
    assert!(net.run_until(|net| at_the_steward(net) == both));
    write(
        &mut net,
        1,
        &circle,
        request(true),
        (Some(thing), None, vec![asked]),
    );
    assert!(net.run_until(|net| at_the_steward(net) == [other]));
    // What it wrote while the steward did not hear it is beyond the cut.
    net.cut(0, 2);
    let (late, _) = write(&mut net, 2, &circle, request(false), fresh());
    assert!(net.run_until(|net| waiting(net, 1, &circle).contains(&late)));
    let gone = net.id(2);
    net.act(0, |node, now| {
        node.with(|replica, rows, rng| {
            replica.remove(rows, &circle, gone, RemovalReason::Ended, now, rng)
        })
    })
    .unwrap();
    assert!(net.run_until(|net| waiting(net, 1, &circle) == [other]));
}
