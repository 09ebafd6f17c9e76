//! The trail as somebody changes it behind the node's back, who has the storage key and not the node's.

use maillon_protocol::{
    cbor,
    descriptor::{Descriptor, StructureKind},
    ids::{CircleId, Hash, NodeId},
    keys::{NodeKey, SealKey},
    replica::Keys,
    seal::SUITE,
    sign::sign,
};

use super::*;
use crate::{
    audit::line::{Head, Line},
    ledger::{Ledger, LedgerError},
    store::{Options, StorageKey, Store, row_key},
};

fn node_key() -> NodeKey {
    NodeKey::from_seed(&[7; 32])
}

fn own() -> NodeId {
    node_key().id()
}

fn lines_of(store: &Store) -> u64 {
    verify(store, &own()).expect("a trail that holds").lines
}

pub(super) fn store(dir: &std::path::Path) -> Store {
    Store::open(dir, &StorageKey::new(&[7; 32]), Options::default()).expect("a store")
}

pub(super) fn write(store: &Store, lines: &[Line]) {
    let mut batch = store.batch();
    for line in lines {
        let bytes = maillon_protocol::cbor::encode(line);
        batch
            .put(Table::Audit, &key(line.number), &bytes)
            .expect("room");
        if let Some(circle) = &line.circle {
            circles::put(store, &mut batch, circle, line.number);
        }
    }
    let last = lines.last().expect("a line");
    let head = Head {
        number: last.number,
        hash: hash(last),
    };
    let bytes = maillon_protocol::cbor::encode(&head);
    batch.put(Table::Audit, HEAD, &bytes).expect("room");
    store.commit(batch).expect("a commit");
}

fn hash(line: &Line) -> Hash {
    Hash(Sha256::digest(maillon_protocol::cbor::encode(line)).into())
}

/// Lines as they follow each other; every second one is about a circle.
pub(super) fn lines(count: u64) -> Vec<Line> {
    let mut previous = Hash([0; 32]);
    (1..=count)
        .map(|number| {
            let line = Line {
                number,
                previous,
                at_ms: 1000 * number,
                actor: ADMINISTRATOR,
                action: "note.add".to_owned(),
                circle: (number % 2 == 0).then_some(CircleId([5; 32])),
                record: None,
                user: 1001,
                node: None,
                object: None,
            };
            previous = hash(&line);
            line
        })
        .collect()
}

/// A node's ledger, and its database.
fn ledger(dir: &std::path::Path) -> (Ledger, Store) {
    let (key, seal) = (node_key(), SealKey::from_seed(&[7; 32], 4_000_000_000_000));
    let descriptor = Descriptor {
        version: 1,
        node: key.id(),
        counter: 1,
        name: "DAC du Pays de Caux".to_owned(),
        kind: StructureKind::Dac,
        finess: String::new(),
        territory: String::new(),
        addresses: Vec::new(),
        suite: SUITE.to_owned(),
        seal: seal.public().clone(),
        protocols: (1, 1),
        administrator: String::new(),
        dpo: String::new(),
        recovery: Hash([7; 32]),
    };
    let descriptor = sign(descriptor, &key);
    let keys = Keys {
        node: key,
        seals: vec![seal],
    };
    let ledger = Ledger::start(store(dir), keys, descriptor).expect("a ledger");
    let store = ledger.shared().rows().0.clone();
    (ledger, store)
}

async fn act(ledger: &Ledger, times: usize) {
    for _ in 0..times {
        let about = About::circle(CircleId([5; 32]));
        let job = ledger.run(move |tx| note(tx, By::itself(), "note.add", about));
        job.await.expect("a line");
    }
}

/// All lines as they are kept.
fn kept(store: &Store) -> Vec<Line> {
    let rows = store.scan(Table::Audit, LINES, crate::store::Range::all());
    let lines = rows
        .expect("rows")
        .map(|row| cbor::decode(&row.expect("a row").1));
    lines.map(|line| line.expect("a line")).collect()
}

/// Links them anew, as somebody does who knows how.
fn linked(mut lines: Vec<Line>) -> Vec<Line> {
    let mut previous = Hash([0; 32]);
    for line in &mut lines {
        line.previous = previous;
        previous = hash(line);
    }
    lines
}

fn delete(store: &Store, keys: &[Vec<u8>]) {
    let mut batch = store.batch();
    for key in keys {
        batch.delete(Table::Audit, key).expect("room");
    }
    store.commit(batch).expect("a commit");
}

#[tokio::test]
async fn a_day_that_was_written_anew_with_links_that_fit_is_found_by_its_signature() {
    let dir = tempfile::tempdir().expect("a folder");
    let (ledger, store) = ledger(dir.path());
    act(&ledger, 3).await;
    let first = sign_trail(&ledger, &node_key()).await.expect("signed");
    assert_eq!(first.expect("something new").number, 3);
    act(&ledger, 2).await;
    let second = sign_trail(&ledger, &node_key()).await.expect("signed");
    assert_eq!(second.expect("something new").number, 6);
    act(&ledger, 2).await;
    let held = verify(&store, &own()).expect("a trail that holds");
    let signed = held.signed.map(|signed| signed.number);
    assert_eq!((held.lines, held.signatures, signed), (9, 2, Some(6)));

    let mut lines = kept(&store);
    lines[4].user += 1;
    write(&store, &linked(lines.clone()));
    let said = verify(&store, &own()).expect_err("line 5 was changed");
    assert!(
        matches!(said, Broken::Rewritten { from: 4, to: 6 }),
        "{said}"
    );
    // Nothing is signed above it by mistake.
    let refused = sign_trail(&ledger, &node_key()).await.expect_err("broken");
    assert!(
        matches!(refused, SigningError::Broken(Broken::Apart(7))),
        "{refused}"
    );

    lines[4].user -= 1;
    lines[1].action = "file.read".to_owned();
    write(&store, &linked(lines));
    let said = verify(&store, &own()).expect_err("line 2 was changed");
    assert!(
        matches!(said, Broken::Rewritten { from: 1, to: 3 }),
        "{said}"
    );
}

#[tokio::test]
async fn an_end_that_was_cut_off_with_its_head_is_found_as_far_as_it_was_signed() {
    let dir = tempfile::tempdir().expect("a folder");
    let (ledger, store) = ledger(dir.path());
    act(&ledger, 5).await;
    sign_trail(&ledger, &node_key()).await.expect("signed");
    let lines = kept(&store);
    delete(&store, &[key(4), key(5), key(6)]);
    write(&store, &lines[..3]);
    let said = verify(&store, &own()).expect_err("lines are gone");
    assert!(
        matches!(said, Broken::CutOff { line: 4, signed: 5 }),
        "{said}"
    );
    let refused = sign_trail(&ledger, &node_key()).await.expect_err("broken");
    assert!(
        matches!(refused, SigningError::Broken(Broken::CutOff { .. })),
        "{refused}"
    );

    // One that was cut off between two looks, and with it the signature, leaves the line that names it, or nothing.
    write(&store, &lines);
    assert_eq!(lines_of(&store), 6);
    delete(&store, &[row_key(b"s", 5)]);
    let said = verify(&store, &own()).expect_err("a signature is gone");
    assert!(matches!(said, Broken::NoStatement(5)), "{said}");
}

#[tokio::test]
async fn a_signature_of_another_key_or_place_is_none_and_a_quiet_day_needs_none() {
    let dir = tempfile::tempdir().expect("a folder");
    let (ledger, store) = ledger(dir.path());
    assert_eq!(
        sign_trail(&ledger, &node_key()).await.expect("nothing"),
        None
    );
    act(&ledger, 2).await;
    sign_trail(&ledger, &node_key()).await.expect("signed");
    // What was added since is the line of the signature alone.
    assert_eq!(
        sign_trail(&ledger, &node_key()).await.expect("nothing"),
        None
    );
    act(&ledger, 1).await;
    sign_trail(&ledger, &node_key()).await.expect("signed");

    let statement = store.get(Table::Audit, &row_key(b"s", 4));
    let statement = statement.expect("a row").expect("a statement");
    let put = |number: u64, bytes: &[u8]| {
        let mut batch = store.batch();
        let row = row_key(b"s", number);
        batch.put(Table::Audit, &row, bytes).expect("room");
        store.commit(batch).expect("a commit");
    };
    let first = store.get(Table::Audit, &row_key(b"s", 2));
    put(2, &statement);
    let said = verify(&store, &own()).expect_err("another line's signature");
    assert!(matches!(said, Broken::Statement(2)), "{said}");
    put(2, &first.expect("a row").expect("a statement"));
    assert_eq!(lines_of(&store), 5);

    let thief = NodeKey::from_seed(&[8; 32]);
    let forged = sign(
        signature::Statement {
            node: thief.id(),
            number: 4,
            hash: Hash([1; 32]),
            at_ms: 0,
            previous: 2,
        },
        &thief,
    );
    put(4, &forged.bytes);
    let said = verify(&store, &own()).expect_err("another key");
    assert!(matches!(said, Broken::Statement(4)), "{said}");
    // Out of the middle, a signature is missed by the next one.
    put(4, &statement);
    delete(&store, &[row_key(b"s", 2)]);
    let said = verify(&store, &own()).expect_err("a signature is gone");
    assert!(matches!(said, Broken::NoStatement(2)), "{said}");
}

#[tokio::test]
async fn lines_of_an_older_program_are_found_by_their_circle_after_one_start() {
    let dir = tempfile::tempdir().expect("a folder");
    let (ledger, store) = ledger(dir.path());
    let mut lines = lines(4);
    lines.retain(|line| line.number <= 4);
    write(&store, &lines);
    let of_circle = || {
        let wanted = Wanted {
            circle: Some(CircleId([5; 32])),
            limit: 10,
            ..Wanted::default()
        };
        let page = Trail(&store).page(&wanted, |_| None).expect("a page");
        page.lines
            .into_iter()
            .map(|line| line.number)
            .collect::<Vec<_>>()
    };
    assert_eq!(of_circle(), [4, 2]);
    let rows: Vec<_> = store
        .scan(Table::Audit, b"c", crate::store::Range::all())
        .expect("rows")
        .map(|row| row.expect("a row").0.into_vec())
        .collect();
    delete(&store, &rows);
    let said = verify(&store, &own()).expect_err("a list is not whole");
    assert!(matches!(said, Broken::Unlisted(2)), "{said}");
    assert_eq!(of_circle(), [0; 0]);
    let older = |looked: Result<u64, LedgerError<AuditError>>| looked.expect("looked through");
    assert_eq!(older(follow_older(&ledger).await), 4);
    assert_eq!(of_circle(), [4, 2]);
    assert_eq!(lines_of(&store), 4);
    // The next start does not look again.
    assert_eq!(older(follow_older(&ledger).await), 0);
}

#[test]
fn a_changed_a_missing_and_a_cut_off_line_are_found() {
    let dir = tempfile::tempdir().expect("a folder");
    let store = store(dir.path());
    assert_eq!(lines_of(&store), 0);
    let good = lines(5);
    write(&store, &good);
    assert_eq!(lines_of(&store), 5);

    let mut changed = good.clone();
    changed[2].user = 0;
    write(&store, &changed);
    let said = verify(&store, &own()).expect_err("line 3 was changed");
    assert!(matches!(said, Broken::Apart(4)), "{said}");

    write(&store, &good);
    let mut batch = store.batch();
    batch.delete(Table::Audit, &key(2)).expect("room");
    store.commit(batch).expect("a commit");
    let said = verify(&store, &own()).expect_err("line 2 is gone");
    assert!(matches!(said, Broken::Missing(2)), "{said}");

    write(&store, &good);
    let mut batch = store.batch();
    batch.delete(Table::Audit, &key(5)).expect("room");
    store.commit(batch).expect("a commit");
    let said = verify(&store, &own()).expect_err("the last line is gone");
    assert!(matches!(said, Broken::Short { last: 4, head: 5 }), "{said}");
}

#[test]
fn a_trail_that_grows_while_it_is_read_holds() {
    let dir = tempfile::tempdir().expect("a folder");
    let store = store(dir.path());
    let good = lines(300);
    std::thread::scope(|scope| {
        let writer = scope.spawn(|| {
            good.iter()
                .for_each(|line| write(&store, std::slice::from_ref(line)))
        });
        while !writer.is_finished() {
            verify(&store, &own()).expect("nobody has changed it");
        }
    });
    assert_eq!(lines_of(&store), 300);
}

#[test]
fn the_lines_of_one_file_are_found_without_reading_those_of_others() {
    const FILES: u64 = 400;
    let dir = tempfile::tempdir().expect("a folder");
    let store = store(dir.path());
    let of = |file: u64| CircleId(Sha256::digest(file.to_be_bytes()).into());
    let mut lines = lines(20_000);
    for line in &mut lines {
        line.circle = Some(of(line.number % FILES));
    }
    for some in linked(lines).chunks(1_000) {
        write(&store, some);
    }
    let page = |circle| {
        let wanted = Wanted {
            circle,
            limit: 20_000,
            ..Wanted::default()
        };
        let begun = std::time::Instant::now();
        let page = Trail(&store).page(&wanted, |_| None).expect("a page");
        (page.lines.len(), begun.elapsed())
    };
    let ((all, whole), (few, part)) = (page(None), page(Some(of(3))));
    assert_eq!((all, few), (20_000, 50));
    assert!(part * 10 < whole, "{part:?} and {whole:?}");
}
