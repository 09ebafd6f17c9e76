//! Attachments in virtual time: they arrive, go on where a connection was cut, and reach nobody else.
#![allow(
    clippy::unwrap_used,
    reason = "a test that cannot go on should say where"
)]

use std::convert::Infallible;

use maillon_protocol::{
    attachment::{Named, Opener, Sealer, Shape},
    charter::Grant,
    circle::FileRow,
    content::{AttachmentRef, Content, Document},
    ids::{CircleId, RecordId},
    replica::{Row, Rows},
    sync::{Limits, Message, Problem},
};
use maillon_tests::net::Net;
use rand::rand_core::{TryCryptoRng, TryRng};

const CHUNK: usize = maillon_protocol::limits::CHUNK;

fn letter(length: usize) -> Vec<u8> {
    (0..length)
        .map(|place| u8::try_from(place * 7 % 253).unwrap())
        .collect()
}

/// Gives the same bytes always: a key that somebody has learnt.
struct Known(Vec<u8>);

impl TryRng for Known {
    type Error = Infallible;
    fn try_next_u32(&mut self) -> Result<u32, Infallible> {
        Ok(0)
    }
    fn try_next_u64(&mut self) -> Result<u64, Infallible> {
        Ok(0)
    }
    fn try_fill_bytes(&mut self, to: &mut [u8]) -> Result<(), Infallible> {
        to.copy_from_slice(&self.0[..to.len()]);
        Ok(())
    }
}

impl TryCryptoRng for Known {}

fn seal(plain: &[u8], mut sealer: Sealer) -> (AttachmentRef, Vec<Vec<u8>>) {
    let mut chunks = Vec::new();
    sealer.add(plain, &mut |chunk| chunks.push(chunk)).unwrap();
    let named = Named {
        media_type: "application/pdf".to_owned(),
        name: "courrier.pdf".to_owned(),
    };
    let named = sealer
        .finish(named, &mut |chunk| chunks.push(chunk))
        .unwrap();
    (named, chunks)
}

/// Writes a document with a file.
fn add(net: &mut Net, node: usize, circle: &CircleId, plain: &[u8]) -> (RecordId, AttachmentRef) {
    net.act(node, |node, now| {
        let named = node.with(|replica, _, rng| {
            let (named, chunks) = seal(plain, Sealer::new(rng));
            replica.keep_chunks(*circle, named.address, 0, &chunks);
            replica.keep_file(*circle, named.address, Shape::of(named.length).unwrap());
            named
        });
        let document = Content::Document(Document {
            title: "Lettre de sortie".to_owned(),
            type_code: None,
            confidentiality: Vec::new(),
            attachments: vec![named.clone()],
            withdrawn: String::new(),
        });
        (node.write(circle, document, now).unwrap(), named)
    })
}

fn state(net: &Net, node: usize, circle: &CircleId, named: &AttachmentRef) -> FileRow {
    let rows = &net.nodes[node].memory;
    rows.get(&Row::File(*circle, named.address))
        .unwrap()
        .map_or_else(FileRow::default, |bytes| {
            maillon_protocol::cbor::decode(&bytes).unwrap()
        })
}

/// The file as the node can open it, once it is all there.
fn opened(net: &Net, node: usize, circle: &CircleId, named: &AttachmentRef) -> Option<Vec<u8>> {
    if !state(net, node, circle, named).complete {
        return None;
    }
    let mut opener = Opener::new(named).unwrap();
    let mut plain = Vec::new();
    for number in 0..Shape::of(named.length).unwrap().chunks() {
        let row = Row::Chunk(*circle, named.address, number);
        let sealed = net.nodes[node].memory.get(&row).unwrap()?;
        plain.extend_from_slice(&opener.open(&sealed).unwrap());
    }
    opener.finish().unwrap();
    Some(plain)
}

/// Whether `writer` has been told that `reader` has every attachment.
fn known_to_be_there(net: &Net, writer: usize, reader: usize, circle: &CircleId) -> bool {
    let (node, reader) = (&net.nodes[writer], net.id(reader));
    let log = node.replica.own_log();
    let height = node.circles[circle].logs[&log].height;
    let acks = node.replica.acks(&node.memory, circle).unwrap();
    acks.iter().any(|ack| {
        ack.node == reader && ack.height_of(&log) >= height && ack.has_attachments(&log, height)
    })
}

fn chunks_sent(net: &Net, from: usize, to: usize) -> usize {
    let frames = net.frames.get(&(from, to)).into_iter().flatten();
    frames
        .filter_map(|frame| match Message::decode(frame) {
            Ok(Message::Chunks { chunks, .. }) => Some(chunks.len()),
            _ => None,
        })
        .sum()
}

/// Everybody asks for and gives one chunk at a time.
fn one_by_one(net: &mut Net) {
    for node in &mut net.nodes {
        node.limits = Limits {
            chunks: 1,
            ..Limits::default()
        };
    }
}

#[test]
fn the_file_of_an_erased_document_is_gone_unless_a_version_that_stays_names_it() {
    let mut net = Net::new(40, 3);
    let circle = net.circle(0, &[1, 2]);
    net.connect(1, 2);
    let (plain, other) = (letter(3 * CHUNK), letter(2 * CHUNK + 9));
    let (first, kept) = add(&mut net, 0, &circle, &plain);
    let (wrong, dropped) = add(&mut net, 0, &circle, &other);
    let thing = net.nodes[0].thing_of(&circle, first).unwrap();
    let again = Content::Document(Document {
        title: "Lettre de sortie, corrigée".to_owned(),
        type_code: None,
        confidentiality: Vec::new(),
        attachments: vec![kept.clone()],
        withdrawn: String::new(),
    });
    net.act(0, |node, now| {
        node.supersede(&circle, thing, vec![first], again, now)
    })
    .unwrap();
    // Node 2 has not all of the second file yet when it is erased.
    net.nodes[2].limits = Limits {
        chunks: 1,
        ..Limits::default()
    };
    assert!(net.run_until(|net| {
        (1..3).all(|node| opened(net, node, &circle, &kept).as_deref() == Some(&plain[..]))
            && opened(net, 1, &circle, &dropped).is_some()
    }));
    for record in [first, wrong] {
        net.act(0, |node, now| node.ask_erasure(&circle, record, now))
            .unwrap();
    }
    let waits = |net: &Net, node: usize| {
        maillon_protocol::replica::Replica::erasures(&net.nodes[node].memory, &circle)
            .unwrap()
            .len()
    };
    assert!(net.run_until(|net| (0..3).all(|node| waits(net, node) == 2)));
    for node in 0..3 {
        net.act(node, |node, now| {
            node.decide_erasures(&circle, |_| true, now)
        });
    }
    net.run(30_000);
    for node in 0..3 {
        assert!(opened(&net, node, &circle, &kept).is_some());
        assert_eq!(state(&net, node, &circle, &dropped), FileRow::default());
        let chunk = Row::Chunk(circle, dropped.address, 0);
        assert!(net.nodes[node].memory.get(&chunk).unwrap().is_none());
        assert!(net.nodes[node].circles[&circle].lacking.is_empty());
    }
}

#[test]
fn a_document_arrives_with_its_file_and_the_writer_is_told_when_it_is_there() {
    let mut net = Net::new(41, 2);
    let circle = net.circle(0, &[1]);
    let plain = letter(9 * CHUNK + 5);
    let (_, named) = add(&mut net, 0, &circle, &plain);
    // The record is there before its file.
    assert!(net.run_until(|net| net.same(0, 1, &circle)));
    assert!(opened(&net, 1, &circle, &named).is_none());
    assert!(!known_to_be_there(&net, 0, 1, &circle));
    assert!(net.run_until(|net| known_to_be_there(net, 0, 1, &circle)));
    assert_eq!(opened(&net, 1, &circle, &named), Some(plain));
    assert_eq!(chunks_sent(&net, 0, 1), 10, "each chunk once");
    assert!(
        net.nodes[1].problems.is_empty(),
        "{:?}",
        net.nodes[1].problems
    );
}

/// Commits take long and frames come one by one, so that a charter's entries, the secrets behind them and the comparison meet in every order.
#[test]
fn whoever_is_admitted_has_records_and_files_within_seconds_in_whatever_order_commits_end() {
    for (jitter_ms, commit_ms, seed) in [(20, 60), (200, 30)]
        .into_iter()
        .flat_map(|(jitter, commit)| (0..150).map(move |seed| (jitter, commit, 4_700 + seed)))
    {
        let mut net = Net::new(seed, 2);
        net.weather.delay_ms = 1;
        net.weather.jitter_ms = jitter_ms;
        net.commit_ms = commit_ms;
        let circle = net.act(0, |node, now| node.found(now));
        net.run(100);
        let (_, named) = add(&mut net, 0, &circle, &letter(74));
        net.connect(0, 1);
        net.invite(0, 1, circle);
        assert!(net.run_until(|net| net.nodes[1].circles.contains_key(&circle)));
        net.run(2_000);
        let case = format!("seed {seed}, jitter {jitter_ms} ms, commits of {commit_ms} ms");
        assert!(net.same(0, 1, &circle), "{case}: the records");
        let file = opened(&net, 1, &circle, &named);
        assert!(file.is_some(), "{case}: the file");
    }
}

#[test]
fn who_joins_late_gets_the_files_of_the_past_that_it_is_granted_from_whoever_has_them() {
    let mut net = Net::new(82, 4);
    let circle = net.circle(0, &[1]);
    let (_, old) = add(&mut net, 1, &circle, &letter(3 * CHUNK));
    net.act(0, |node, now| node.rotate(&circle, now)).unwrap();
    let epoch = net.nodes[0].circles[&circle].charter.number();
    assert!(net.run_until(|net| net.nodes[1].circles[&circle].charter.number() == epoch));
    net.run(1_000);
    let (_, new) = add(&mut net, 1, &circle, &letter(2 * CHUNK));
    assert!(net.run_until(|net| opened(net, 0, &circle, &new).is_some()));
    assert!(opened(&net, 0, &circle, &old).is_some());
    // Whoever wrote them is off for good.
    net.cut(0, 1);
    net.connect(0, 2);
    net.connect(0, 3);
    net.invite_with(0, 2, circle, Grant::Whole);
    net.invite_with(0, 3, circle, Grant::From(epoch));
    let has = |net: &Net, node, named| opened(net, node, &circle, named).is_some();
    assert!(net.run_until(|net| has(net, 2, &old) && has(net, 2, &new) && has(net, 3, &new)));
    net.run(300_000);
    assert!(!has(&net, 3, &old));
    assert_eq!(chunks_sent(&net, 0, 3), 2);
}

#[test]
fn a_file_goes_on_where_it_was_cut_at_every_chunk() {
    let mut net = Net::new(42, 2);
    one_by_one(&mut net);
    let circle = net.circle(0, &[1]);
    let plain = letter(11 * CHUNK + 1);
    let (_, named) = add(&mut net, 0, &circle, &plain);
    for here in 1..=12 {
        assert!(net.run_until(|net| state(net, 1, &circle, &named).here >= here));
        // Once the line, once the receiver, once the sender.
        net.cut(0, 1);
        match here % 3 {
            0 => {}
            1 => net.crash(1),
            _ => net.crash(0),
        }
        assert_eq!(
            state(&net, 1, &circle, &named).here,
            here,
            "nothing is lost"
        );
        net.connect(0, 1);
    }
    assert!(net.run_until(|net| known_to_be_there(net, 0, 1, &circle)));
    assert_eq!(opened(&net, 1, &circle, &named), Some(plain));
    let sent = chunks_sent(&net, 0, 1);
    assert!(
        sent <= 24,
        "{sent} chunks for 12: one under way at each cut"
    );
}

#[test]
fn any_member_that_has_a_file_gives_it_and_nobody_fetches_it_twice() {
    let mut net = Net::new(43, 4);
    let circle = net.circle(0, &[1, 2, 3]);
    net.cut_all();
    net.connect(0, 1);
    net.connect(0, 2);
    let plain = letter(40 * CHUNK);
    let (_, named) = add(&mut net, 0, &circle, &plain);
    assert!(net.run_until(|net| {
        known_to_be_there(net, 0, 1, &circle) && known_to_be_there(net, 0, 2, &circle)
    }));
    net.cut_all();
    // The author is away; two others have it.
    net.connect(1, 3);
    net.connect(2, 3);
    assert!(net.run_until(|net| opened(net, 3, &circle, &named).is_some()));
    assert_eq!(opened(&net, 3, &circle, &named), Some(plain));
    assert_eq!(chunks_sent(&net, 1, 3) + chunks_sent(&net, 2, 3), 40);
}

#[test]
fn a_file_that_was_begun_with_one_member_is_finished_with_another() {
    let mut net = Net::new(44, 3);
    let circle = net.circle(0, &[1, 2]);
    net.cut_all();
    net.connect(0, 1);
    let plain = letter(20 * CHUNK);
    let (_, named) = add(&mut net, 0, &circle, &plain);
    assert!(net.run_until(|net| opened(net, 1, &circle, &named).is_some()));
    net.connect(0, 2);
    net.connect(1, 2);
    assert!(net.run_until(|net| state(net, 2, &circle, &named).here >= 8));
    let (gives, other) = match chunks_sent(&net, 0, 2) {
        0 => (1, 0),
        _ => (0, 1),
    };
    assert_eq!(chunks_sent(&net, other, 2), 0);
    net.cut(gives, 2);
    assert!(net.run_until(|net| opened(net, 2, &circle, &named).is_some()));
    assert!(
        chunks_sent(&net, other, 2) <= 12,
        "what was here is not sent again"
    );
}

#[test]
fn what_is_said_meanwhile_does_not_wait_behind_a_file() {
    let mut net = Net::new(45, 2);
    let circle = net.circle(0, &[1]);
    let (_, named) = add(&mut net, 0, &circle, &letter(200 * CHUNK));
    assert!(net.run_until(|net| state(net, 1, &circle, &named).here >= 8));
    let before = chunks_sent(&net, 0, 1);
    net.write(0, &circle, "A chuté dans l'escalier.");
    assert!(net.run_until(|net| net.texts(1, &circle).contains("A chuté dans l'escalier.")));
    assert!(!state(&net, 1, &circle, &named).complete);
    assert!(chunks_sent(&net, 0, 1) - before <= 8);
    assert!(net.run_until(|net| known_to_be_there(net, 0, 1, &circle)));
}

#[test]
fn no_chunk_is_sent_while_records_are_missing() {
    let mut net = Net::new(52, 2);
    let circle = net.circle(0, &[1]);
    net.cut(0, 1);
    // The record that names the file comes first, and what follows is more than one range.
    let (_, named) = add(&mut net, 0, &circle, &letter(20 * CHUNK));
    for number in 0..40 {
        let text = format!("{number} {}", "Longue observation. ".repeat(2_500));
        net.write(0, &circle, &text);
    }
    net.connect(0, 1);
    let log = net.nodes[0].replica.own_log();
    let held = |net: &Net| {
        let circle = net.nodes[1].circles.get(&circle)?;
        circle.logs.get(&log).map(|tip| tip.height)
    };
    let before = held(&net);
    assert!(net.run_until(|net| held(net) > before), "a first range");
    assert!(!net.same(0, 1, &circle), "there is only one range");
    assert!(net.run_until(|net| chunks_sent(net, 0, 1) > 0));
    assert!(net.same(0, 1, &circle), "a file came before records");
    assert!(net.run_until(|net| opened(net, 1, &circle, &named).is_some()));
}

#[test]
fn changed_chunks_are_seen_at_once_and_the_file_comes_from_another_member() {
    let mut net = Net::new(46, 3);
    let circle = net.circle(0, &[1, 2]);
    net.cut_all();
    net.connect(0, 1);
    let plain = letter(6 * CHUNK);
    let (_, named) = add(&mut net, 0, &circle, &plain);
    assert!(net.run_until(|net| opened(net, 1, &circle, &named).is_some()));
    // Node 0's disk goes bad in chunk 2.
    let row = Row::Chunk(circle, named.address, 2);
    let mut sealed = net.nodes[0].memory.get(&row).unwrap().unwrap();
    sealed[70] ^= 1;
    net.nodes[0].memory.commit(&[(row, Some(sealed))].into());
    net.cut_all();
    net.connect(0, 2);
    assert!(net.run_until(|net| net.same(0, 2, &circle)));
    net.run(300_000);
    assert!(opened(&net, 2, &circle, &named).is_none());
    let sent = chunks_sent(&net, 0, 2);
    assert!(sent <= 3 * 4, "{sent}: not asked for ever");
    net.connect(1, 2);
    assert!(net.run_until(|net| opened(net, 2, &circle, &named) == Some(plain.clone())));
}

#[test]
fn another_file_under_the_same_key_is_dropped_counted_and_fetched_from_another_member() {
    let mut net = Net::new(47, 3);
    let circle = net.circle(0, &[1, 2]);
    net.cut_all();
    net.connect(0, 1);
    let plain = letter(6 * CHUNK);
    let (_, named) = add(&mut net, 0, &circle, &plain);
    assert!(net.run_until(|net| opened(net, 1, &circle, &named).is_some()));
    // Node 0 has the key, and gives another letter.
    let (_, others) = seal(
        &vec![b'x'; 6 * CHUNK],
        Sealer::new(&mut Known(named.key.0.clone())),
    );
    let rows = (0..).zip(others).map(|(number, sealed)| {
        let row = Row::Chunk(circle, named.address, number);
        (row, Some(sealed))
    });
    net.nodes[0].memory.commit(&rows.collect());
    net.cut_all();
    net.connect(0, 2);
    net.run(900_000);
    let count = |net: &Net| {
        let problems = net.nodes[2].problems.iter();
        problems
            .filter(|problem| **problem == Problem::WrongAttachment)
            .count()
    };
    assert_eq!(count(&net), 3, "tried three times, each counted");
    assert_eq!(state(&net, 2, &circle, &named).here, 0, "dropped");
    let row = Row::Chunk(circle, named.address, 0);
    assert_eq!(net.nodes[2].memory.get(&row).unwrap(), None);
    // Not after a restart either.
    net.crash(2);
    net.connect(0, 2);
    net.run(900_000);
    assert_eq!(chunks_sent(&net, 0, 2), 3 * 6);
    net.connect(1, 2);
    assert!(net.run_until(|net| opened(net, 2, &circle, &named) == Some(plain.clone())));
}

/// What `from` answers when `to` asks by hand: the number of chunks.
fn asks(
    net: &mut Net,
    from: usize,
    to: usize,
    circle: CircleId,
    record: RecordId,
    named: &AttachmentRef,
) -> usize {
    let before = chunks_sent(net, from, to);
    let want = Message::WantChunks {
        circle,
        record,
        address: named.address,
        from: 0,
        count: 4,
    };
    net.say(to, from, &want);
    net.run(1_000);
    chunks_sent(net, from, to) - before
}

#[test]
fn a_file_is_given_to_those_who_may_read_the_record_that_names_it() {
    let mut net = Net::new(48, 4);
    let circle = net.circle(0, &[1, 2]);
    let (record, named) = add(&mut net, 0, &circle, &letter(5 * CHUNK));
    let (other, _) = add(&mut net, 0, &circle, &letter(5));
    assert!(net.run_until(|net| known_to_be_there(net, 0, 1, &circle)));
    net.connect_all();
    net.run(10_000);
    assert_eq!(asks(&mut net, 0, 1, circle, record, &named), 4, "a member");
    assert_eq!(
        asks(&mut net, 0, 1, circle, other, &named),
        0,
        "by a record that does not name it"
    );
    assert_eq!(
        asks(&mut net, 0, 3, circle, record, &named),
        0,
        "a stranger"
    );
    // Node 3 comes in without the past.
    net.invite_with(0, 3, circle, Grant::Nothing);
    assert!(
        net.run_until(|net| net.same(0, 1, &circle) && net.nodes[3].circles.contains_key(&circle))
    );
    net.run(10_000);
    assert_eq!(
        asks(&mut net, 0, 3, circle, record, &named),
        0,
        "of an epoch not granted"
    );
    let (late, newer) = add(&mut net, 0, &circle, &letter(3 * CHUNK));
    assert!(net.run_until(|net| opened(net, 3, &circle, &newer).is_some()));
    assert_eq!(
        asks(&mut net, 0, 3, circle, late, &newer),
        3,
        "of one granted"
    );
    // Node 2 goes, and asks for what it had.
    let gone = net.id(2);
    net.act(0, |node, now| node.remove(&circle, gone, now));
    net.run(10_000);
    assert_eq!(asks(&mut net, 0, 2, circle, record, &named), 0, "removed");
    assert_eq!(
        asks(&mut net, 1, 2, circle, record, &named),
        0,
        "by others too"
    );
    let (_, last) = add(&mut net, 0, &circle, &letter(2 * CHUNK));
    assert!(net.run_until(|net| opened(net, 3, &circle, &last).is_some()));
    assert!(!net.knows(2, &last.address.0));
}

#[test]
fn a_file_written_beside_an_admission_is_not_given_to_who_may_not_read_its_record() {
    let mut net = Net::new(51, 3);
    let circle = net.circle(0, &[1]);
    // The admission says from which record on node 2 gets this log.
    net.write(1, &circle, "A bien dormi.");
    assert!(net.run_until(|net| net.same(0, 1, &circle)));
    net.cut(0, 1);
    net.connect(0, 2);
    net.invite_with(0, 2, circle, Grant::Nothing);
    assert!(net.run_until(|net| net.nodes[2].circles.contains_key(&circle)));
    // Node 1 has not heard of it, and writes under the secret of before.
    let (record, named) = add(&mut net, 1, &circle, &letter(3 * CHUNK));
    net.connect(0, 1);
    net.connect(1, 2);
    let log = net.nodes[1].replica.own_log();
    let held = |net: &Net| net.nodes[2].circles[&circle].logs.contains_key(&log);
    assert!(net.run_until(held), "the header comes");
    assert!(net.run_until(|net| known_to_be_there(net, 1, 0, &circle)));
    net.run(10_000);
    for member in [0, 1] {
        assert_eq!(asks(&mut net, member, 2, circle, record, &named), 0);
    }
    assert_eq!(asks(&mut net, 1, 0, circle, record, &named), 3);
}

#[test]
fn chunks_that_nobody_asked_for_cost_their_sender_and_change_nothing() {
    let mut net = Net::new(49, 2);
    let circle = net.circle(0, &[1]);
    let (_, named) = add(&mut net, 0, &circle, &letter(5 * CHUNK));
    assert!(net.run_until(|net| known_to_be_there(net, 0, 1, &circle)));
    let rows = net.nodes[1].memory.rows().clone();
    let chunks = vec![vec![7; CHUNK + 16].into(); 4];
    let unasked = Message::Chunks {
        address: named.address,
        from: 5,
        chunks,
    };
    net.say(0, 1, &unasked);
    net.run(1_000);
    assert_eq!(
        net.nodes[1].problems,
        [Problem::Unasked("chunks of an attachment")]
    );
    assert!(*net.nodes[1].memory.rows() == rows);
    assert!(net.nodes[1].sessions.contains_key(&0), "and the line stays");
}

#[test]
fn what_was_being_added_when_the_node_stopped_is_taken_away() {
    let mut net = Net::new(50, 2);
    let circle = net.circle(0, &[1]);
    let before = net.nodes[0].memory.rows().len();
    net.act(0, |node, _| {
        node.with(|replica, _, rng| {
            let (named, chunks) = seal(&letter(5 * CHUNK), Sealer::new(rng));
            replica.keep_chunks(circle, named.address, 0, &chunks[..3]);
        });
    });
    net.crash(0);
    assert_eq!(net.nodes[0].memory.rows().len(), before + 4);
    let dropped = net.act(0, |node, _| {
        node.with(|replica, rows, _| replica.drop_uploads(rows).unwrap())
    });
    assert_eq!(dropped, 1);
    assert_eq!(net.nodes[0].memory.rows().len(), before);
}
