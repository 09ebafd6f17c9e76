//! Who joins a circle that continues another one reads what the structures tell again of the old one: in virtual time.
#![allow(
    clippy::unwrap_used,
    reason = "a test that cannot go on should say where"
)]

use maillon_protocol::{
    attachment::{Named, Sealer, Shape},
    cbor,
    charter::Grant,
    circle::{FileRow, WriteError},
    content::{Alert, AttachmentRef, Content, Document, Severity},
    ids::{CircleId, RecordId, ThingId},
    record::Record,
    replica::{CarriedOver, CarryOverError, Row, Rows, WriteFailed},
};
use maillon_tests::net::{Net, note};

const WALKED: &str = "A marché jusqu'au portail ce matin.";
const ATE: &str = "N'a rien mangé à midi.";
const SLEPT: &str = "A bien dormi.";
const FELL: &str = "Est tombée dans la salle de bains.";

const LOST: usize = 0;
const FOUNDER: usize = 1;
const MEMBER: usize = 2;
const LATE: usize = 3;

/// What each of three members wrote in a circle whose steward is lost since.
fn written(net: &mut Net) -> CircleId {
    let old = net.circle(LOST, &[FOUNDER, MEMBER]);
    net.connect(FOUNDER, MEMBER);
    net.write(LOST, &old, WALKED);
    net.write(FOUNDER, &old, ATE);
    net.write(MEMBER, &old, SLEPT);
    let all = |net: &Net| net.same(LOST, FOUNDER, &old) && net.same(LOST, MEMBER, &old);
    assert!(net.run_until(all));
    net.run(60_000);
    old
}

/// The founder's circle that continues it, with the other member in it.
fn continued(net: &mut Net, old: CircleId) -> CircleId {
    for other in [FOUNDER, MEMBER, LATE] {
        net.cut(LOST, other);
    }
    let founded = net.act(FOUNDER, |node, now| {
        node.with(|replica, rows, rng| replica.succeed(rows, &old, &[], now, rng))
    });
    let new = founded.unwrap().circle;
    assert!(net.run_until(|net| net.nodes[MEMBER].undecided().is_some()));
    net.act(MEMBER, |node, now| node.accept_first(now));
    assert!(net.run_until(|net| {
        net.nodes[MEMBER].circles.contains_key(&new) && net.same(FOUNDER, MEMBER, &new)
    }));
    new
}

fn continued_with(seed: u64) -> (Net, CircleId, CircleId) {
    let mut net = Net::new(seed, 4);
    let old = written(&mut net);
    let new = continued(&mut net, old);
    (net, old, new)
}

/// One step after the other, to the end.
fn carry_over(
    net: &mut Net,
    node: usize,
    new: &CircleId,
) -> Result<Vec<CarriedOver>, CarryOverError> {
    let (mut steps, mut from) = (Vec::new(), None);
    loop {
        let step = net.act(node, |node, now| {
            node.with(|replica, rows, rng| replica.carry_over(rows, new, from, now, rng))
        })?;
        from = step.further;
        steps.push(step);
        if from.is_none() {
            return Ok(steps);
        }
    }
}

fn count(steps: &[CarriedOver]) -> usize {
    steps.iter().map(|step| step.written.len()).sum()
}

#[test]
fn who_joins_the_successor_later_reads_what_was_told_again_and_never_hears_of_the_old_circle() {
    let (mut net, old, new) = continued_with(411);
    net.connect(FOUNDER, LATE);
    net.invite(FOUNDER, LATE, new);
    assert!(net.run_until(|net| net.nodes[LATE].circles.contains_key(&new)));
    // Until the lost one's invitation has expired.
    net.run(8 * 24 * 3_600_000);
    assert!(net.texts(LATE, &new).is_empty());

    // The founder, who is the steward here, also for the structure that is not in this circle.
    assert_eq!(count(&carry_over(&mut net, FOUNDER, &new).unwrap()), 2);
    assert!(net.run_until(|net| net.texts(LATE, &new).len() == 2));
    assert_eq!(count(&carry_over(&mut net, MEMBER, &new).unwrap()), 1);
    let all = [WALKED, ATE, SLEPT].map(str::to_owned).into();
    assert!(net.run_until(|net| net.texts(LATE, &new) == all));
    for node in [FOUNDER, MEMBER] {
        assert!(net.run_until(|net| net.same(node, LATE, &new)));
        assert_eq!(net.texts(node, &old), all, "where it was");
    }
    assert!(!net.knows(LATE, &old.0));
    net.invariants().unwrap();

    // Asked again it tells nothing twice, and what was corrected here since stays so.
    for node in [FOUNDER, MEMBER] {
        assert_eq!(count(&carry_over(&mut net, node, &new).unwrap()), 0);
    }
}

/// The thing of the only note that a node has written in a circle.
fn thing_of(net: &Net, node: usize, circle: &CircleId) -> (ThingId, u64) {
    let records = net.nodes[node].all_records(circle);
    let own = net.id(node);
    let held = &net.nodes[node].circles[circle];
    let mut notes = records
        .iter()
        .filter(|record| record.header.object.log.node == own)
        .filter_map(|record| held.read(record).ok())
        .filter(|opened| matches!(opened.content, Content::LiaisonNote(_)));
    let found = notes.next().unwrap().envelope;
    assert!(notes.next().is_none());
    (found.thing, found.occurred_ms)
}

/// The records of a thing in a circle.
fn versions(net: &Net, node: usize, circle: &CircleId, thing: ThingId) -> Vec<RecordId> {
    let records = net.nodes[node].all_records(circle);
    let held = &net.nodes[node].circles[circle];
    let about = |record: &&Record| {
        let opened = held.read(record);
        opened.is_ok_and(|opened| opened.envelope.thing == thing)
    };
    records.iter().filter(about).map(Record::id).collect()
}

#[test]
fn what_is_told_again_keeps_its_thing_and_its_date_and_goes_on_in_the_successor_only() {
    let (mut net, old, new) = continued_with(412);
    let before = thing_of(&net, MEMBER, &old);
    let standing = versions(&net, MEMBER, &old, before.0);
    net.run(3_600_000);
    carry_over(&mut net, MEMBER, &new).unwrap();
    assert_eq!(thing_of(&net, MEMBER, &new), before);
    let refused = net.act(MEMBER, |node, now| {
        node.supersede(&old, before.0, standing, note(FELL), now)
    });
    let Err(WriteFailed::Write(WriteError::Continued)) = refused else {
        panic!("{refused:?}");
    };
    // Corrected where it goes on, and told again no more.
    let told = versions(&net, MEMBER, &new, before.0);
    net.act(MEMBER, |node, now| {
        node.supersede(&new, before.0, told, note(FELL), now)
    })
    .unwrap();
    assert_eq!(count(&carry_over(&mut net, MEMBER, &new).unwrap()), 0);
    let texts = net.notes(MEMBER, &new);
    assert!(texts.contains(FELL) && !texts.contains(SLEPT));
}

#[test]
fn nothing_is_told_where_a_member_may_not_read_the_past() {
    let (mut net, old, new) = continued_with(413);
    net.connect(FOUNDER, LATE);
    net.invite_with(FOUNDER, LATE, new, Grant::Nothing);
    assert!(net.run_until(|net| net.nodes[LATE].circles.contains_key(&new)));
    let refused = carry_over(&mut net, FOUNDER, &new);
    let late = net.id(LATE);
    assert!(matches!(refused, Err(CarryOverError::NotWhole(node)) if node == late));
    let nothing = carry_over(&mut net, FOUNDER, &old);
    assert!(matches!(nothing, Err(CarryOverError::NothingBefore)));
    let unknown = carry_over(&mut net, LATE, &old);
    assert!(matches!(unknown, Err(CarryOverError::NoCircle)));
    net.run(60_000);
    assert!(net.texts(LATE, &new).is_empty());
    net.invariants().unwrap();
}

#[test]
fn from_whom_the_old_circle_withheld_the_past_the_successor_does_not_tell_it() {
    let mut net = Net::new(417, 4);
    let old = net.circle(LOST, &[FOUNDER]);
    net.write(FOUNDER, &old, ATE);
    net.connect(LOST, MEMBER);
    net.invite_with(LOST, MEMBER, old, Grant::Nothing);
    net.connect(FOUNDER, MEMBER);
    assert!(net.run_until(|net| net.nodes[MEMBER].circles.contains_key(&old)));
    net.run(60_000);
    let new = continued(&mut net, old);
    let member = net.id(MEMBER);
    let refused = carry_over(&mut net, FOUNDER, &new);
    assert!(matches!(refused, Err(CarryOverError::NotWhole(node)) if node == member));
    net.run(60_000);
    assert!(!net.texts(MEMBER, &new).contains(ATE));
    assert!(!net.knows(MEMBER, ATE.as_bytes()));
}

#[test]
fn what_somebody_said_is_told_once_whoever_tells_it() {
    let mut net = Net::new(418, 4);
    let old = written(&mut net);
    for other in [FOUNDER, MEMBER, LATE] {
        net.cut(LOST, other);
    }
    let founded = net.act(FOUNDER, |node, now| {
        node.with(|replica, rows, rng| replica.succeed(rows, &old, &[], now, rng))
    });
    let new = founded.unwrap().circle;
    // Both others are asked and have not answered: each may tell for itself.
    assert_eq!(count(&carry_over(&mut net, FOUNDER, &new).unwrap()), 1);
    assert!(net.run_until(|net| net.nodes[MEMBER].undecided().is_some()));
    net.act(MEMBER, |node, now| node.accept_first(now));
    assert!(net.run_until(|net| {
        net.nodes[MEMBER].circles.contains_key(&new) && net.same(FOUNDER, MEMBER, &new)
    }));
    assert_eq!(count(&carry_over(&mut net, MEMBER, &new).unwrap()), 1);
    // Eight days later nobody waits for the lost one any more.
    net.run(8 * 24 * 3_600_000);
    assert_eq!(count(&carry_over(&mut net, FOUNDER, &new).unwrap()), 1);
    assert!(net.run_until(|net| net.same(FOUNDER, MEMBER, &new)));
    // Another steward has nothing to add.
    let member = net.id(MEMBER);
    net.act(FOUNDER, |node, now| {
        node.with(|replica, rows, rng| replica.hand_over(rows, &new, member, now, rng))
    })
    .unwrap();
    assert!(net.run_until(|net| net.nodes[MEMBER].circles[&new].charter.state().steward == member));
    for node in [FOUNDER, MEMBER] {
        assert_eq!(count(&carry_over(&mut net, node, &new).unwrap()), 0);
    }
    let all = [WALKED, ATE, SLEPT].map(str::to_owned).into();
    assert_eq!(net.notes(MEMBER, &new), all);
    net.invariants().unwrap();
}

#[test]
fn what_is_corrected_in_the_old_circle_after_it_was_told_takes_its_place() {
    let (mut net, old, new) = continued_with(419);
    let (thing, _) = thing_of(&net, LOST, &old);
    net.run(8 * 24 * 3_600_000);
    assert_eq!(count(&carry_over(&mut net, FOUNDER, &new).unwrap()), 2);
    // The lost one was not lost: it corrects what it said, and knows of no other circle.
    let standing = versions(&net, LOST, &old, thing);
    net.act(LOST, |node, now| {
        node.supersede(&old, thing, standing, note(FELL), now)
    })
    .unwrap();
    net.connect(LOST, FOUNDER);
    assert!(net.run_until(|net| net.texts(FOUNDER, &old).contains(FELL)));
    assert_eq!(count(&carry_over(&mut net, FOUNDER, &new).unwrap()), 1);
    let notes = net.notes(FOUNDER, &new);
    assert!(notes.contains(FELL) && !notes.contains(WALKED), "{notes:?}");
}

#[test]
fn alerts_and_what_stands_no_more_are_not_told_again() {
    let mut net = Net::new(414, 4);
    let old = written(&mut net);
    net.act(MEMBER, |node, now| {
        let alert = Alert {
            severity: Severity::High,
            text: FELL.to_owned(),
            addressees: Vec::new(),
            answer_by_ms: 0,
        };
        node.write(&old, Content::Alert(alert), now)
    })
    .unwrap();
    let (thing, _) = thing_of(&net, MEMBER, &old);
    let standing = versions(&net, MEMBER, &old, thing);
    net.act(MEMBER, |node, now| {
        node.supersede(&old, thing, standing, note("A très bien dormi."), now)
    })
    .unwrap();
    assert!(net.run_until(|net| net.same(FOUNDER, MEMBER, &old)));
    let new = continued(&mut net, old);
    assert_eq!(count(&carry_over(&mut net, MEMBER, &new).unwrap()), 1);
    let said = net.nodes[MEMBER].contents(&new);
    assert!(
        !said
            .iter()
            .any(|content| matches!(content, Content::Alert(_)))
    );
    let texts = net.texts(MEMBER, &new);
    assert_eq!(texts, ["A très bien dormi.".to_owned()].into());
}

#[test]
fn a_file_of_hundreds_of_notes_is_told_in_steps_of_a_hundred() {
    let mut net = Net::new(415, 4);
    let old = written(&mut net);
    for number in 0..250 {
        net.write(MEMBER, &old, &format!("Passage numéro {number}."));
    }
    assert!(net.run_until(|net| net.same(FOUNDER, MEMBER, &old)));
    let new = continued(&mut net, old);
    let steps = carry_over(&mut net, MEMBER, &new).unwrap();
    let sizes: Vec<_> = steps.iter().map(|step| step.written.len()).collect();
    assert_eq!(sizes, [100, 100, 51]);
    assert_eq!(net.texts(MEMBER, &new).len(), 251);
}

/// Adds a document with a file to a circle; where not, the file is named and not here.
fn document(net: &mut Net, node: usize, circle: &CircleId, here: bool) -> AttachmentRef {
    let plain = vec![7; 3 * maillon_protocol::limits::CHUNK];
    net.act(node, |node, now| {
        let named = node.with(|replica, _, rng| {
            let (mut sealer, mut chunks) = (Sealer::new(rng), Vec::new());
            sealer.add(&plain, &mut |chunk| chunks.push(chunk)).unwrap();
            let named = Named {
                media_type: "application/pdf".to_owned(),
                name: "courrier.pdf".to_owned(),
            };
            let named = sealer
                .finish(named, &mut |chunk| chunks.push(chunk))
                .unwrap();
            if here {
                replica.keep_chunks(*circle, named.address, 0, &chunks);
                replica.keep_file(*circle, named.address, Shape::of(named.length).unwrap());
            }
            named
        });
        let document = Content::Document(Document {
            title: "Lettre de sortie".to_owned(),
            type_code: None,
            confidentiality: Vec::new(),
            attachments: vec![named.clone()],
            withdrawn: String::new(),
        });
        node.write(circle, document, now).unwrap();
        named
    })
}

fn is_here(net: &Net, node: usize, circle: &CircleId, named: &AttachmentRef) -> bool {
    let row = Row::File(*circle, named.address);
    let row = net.nodes[node].memory.get(&row).unwrap();
    row.is_some_and(|bytes| cbor::decode::<FileRow>(&bytes).unwrap().complete)
}

#[test]
fn a_document_goes_along_with_its_attachment_if_all_of_it_is_here() {
    let mut net = Net::new(416, 4);
    let old = written(&mut net);
    let kept = document(&mut net, FOUNDER, &old, true);
    let missing = document(&mut net, FOUNDER, &old, false);
    net.run(60_000);
    let new = continued(&mut net, old);
    net.connect(FOUNDER, LATE);
    net.invite(FOUNDER, LATE, new);
    let steps = carry_over(&mut net, FOUNDER, &new).unwrap();
    assert_eq!(steps.iter().map(|step| step.left).sum::<u64>(), 1);
    assert!(net.run_until(|net| is_here(net, LATE, &new, &kept)));
    assert!(!is_here(&net, FOUNDER, &new, &missing));
    let file = |net: &Net, node: usize, circle: CircleId, number| {
        let row = Row::Chunk(circle, kept.address, number);
        net.nodes[node].memory.get(&row).unwrap()
    };
    for number in 0..3 {
        let at_first = file(&net, FOUNDER, old, number);
        assert!(at_first.is_some());
        assert_eq!(file(&net, LATE, new, number), at_first);
    }
}
