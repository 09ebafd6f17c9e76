//! Reads, copies, verification, sizes.

use std::ops::ControlFlow;

use super::*;

fn sequences(store: &Store, prefix: &[u8], range: Range<'_>) -> Vec<u64> {
    let rows = store.scan(Table::Records, prefix, range).expect("a scan");
    rows.map(|row| {
        let (key, value) = row.expect("a row");
        assert!(key.starts_with(prefix));
        assert_eq!(value, key.to_vec());
        sequence_of(&key).expect("a sequence")
    })
    .collect()
}

#[test]
fn a_scan_goes_both_ways_and_never_leaves_its_prefix() {
    let dir = folder();
    let store = open(dir.path());
    let mut batch = store.batch();
    for prefix in [b"A", b"B", b"C", b"\xff"] {
        for sequence in [1, 2, 255, 256] {
            let key = row_key(prefix, sequence);
            batch.put(Table::Records, &key, &key).expect("room");
        }
    }
    store.commit(batch).expect("committed");

    for prefix in [b"A", b"B", b"\xff"] {
        assert_eq!(sequences(&store, prefix, Range::all()), [1, 2, 255, 256]);
        assert_eq!(
            sequences(&store, prefix, Range::backwards()),
            [256, 255, 2, 1]
        );
        let two = row_key(prefix, 2);
        assert_eq!(sequences(&store, prefix, Range::from(&two)), [2, 255, 256]);
        assert_eq!(
            sequences(&store, prefix, Range::backwards_from(&two)),
            [2, 1]
        );
        let three = row_key(prefix, 3);
        assert_eq!(sequences(&store, prefix, Range::from(&three)), [255, 256]);
        assert_eq!(
            sequences(&store, prefix, Range::backwards_from(&three)),
            [2, 1]
        );
    }
    let (before, after) = (row_key(b"A", 2), row_key(b"C", 2));
    assert_eq!(
        sequences(&store, b"B", Range::from(&before)),
        [1, 2, 255, 256]
    );
    assert!(sequences(&store, b"B", Range::from(&after)).is_empty());
    assert_eq!(
        sequences(&store, b"B", Range::backwards_from(&after)),
        [256, 255, 2, 1]
    );
    assert!(sequences(&store, b"B", Range::backwards_from(&before)).is_empty());
    assert!(sequences(&store, b"D", Range::all()).is_empty());
    assert_eq!(sequences(&store, b"", Range::all()).len(), 16);
}

#[test]
fn several_rows_are_read_at_once_in_the_order_asked_for() {
    let dir = folder();
    let store = open(dir.path());
    put(&store, Table::Ids, b"b", b"second");
    put(&store, Table::Ids, b"a", b"first");
    let found = store
        .multi_get(Table::Ids, &[&b"b"[..], b"none", b"a"])
        .expect("read");
    assert_eq!(
        found,
        [Some(b"second".to_vec()), None, Some(b"first".to_vec())]
    );
    assert!(
        store
            .multi_get::<&[u8]>(Table::Ids, &[])
            .expect("read")
            .is_empty()
    );
}

#[test]
fn a_checkpoint_opens_as_a_store_of_that_moment() {
    let dir = folder();
    let dest = dir.path().join("backups/monday");
    let store = open(&dir.path().join("data"));
    put(&store, Table::Circles, b"row", b"then");
    store.checkpoint(&dest).expect("copied");
    put(&store, Table::Circles, b"row", b"now");
    assert!(matches!(
        store.checkpoint(&dest),
        Err(StoreError::Exists { .. })
    ));

    let copy = open(&dest);
    let value = copy.get(Table::Circles, b"row").expect("read");
    assert_eq!(value.as_deref(), Some(&b"then"[..]));
    put(&copy, Table::Circles, b"row", b"elsewhere");
    let value = store.get(Table::Circles, b"row").expect("read");
    assert_eq!(
        value.as_deref(),
        Some(&b"now"[..]),
        "the original is not the copy"
    );
    let wrong = Store::open(&dest, &StorageKey::new(&[1; 32]), Options::default());
    assert!(matches!(wrong, Err(StoreError::WrongKey)));
}

#[test]
fn a_verification_counts_every_row_and_names_the_damaged_ones() {
    let dir = folder();
    let store = open(dir.path());
    let mut batch = store.batch();
    for number in 0..3000u64 {
        batch
            .put(Table::Records, &number.to_be_bytes(), b"value")
            .expect("room");
    }
    batch.put(Table::Audit, b"entry", b"value").expect("room");
    store.commit(batch).expect("committed");

    let mut seen = Vec::new();
    let good = store
        .verify(|progress| {
            seen.push((progress.table, progress.rows));
            ControlFlow::Continue(())
        })
        .expect("verified");
    assert!(good.is_good());
    assert_eq!(good.rows(), 3001);
    assert!(seen.contains(&(Table::Records, 2048)), "{seen:?}");
    assert_eq!(seen.last(), Some(&(Table::Access, 3001)));

    let records = store.inner.family("records").expect("a table");
    for number in 100..150u64 {
        store
            .inner
            .db
            .put_cf(records, number.to_be_bytes(), b"\x01rot")
            .expect("damaged");
    }
    let bad = store
        .verify(|_| ControlFlow::Continue(()))
        .expect("verified");
    assert!(!bad.is_good());
    assert_eq!(bad.rows(), 3001);
    for check in &bad.tables {
        let damaged = if check.table == Table::Records { 50 } else { 0 };
        assert_eq!(check.damaged, damaged);
        assert_eq!(check.broken_off, None);
    }
    let named = &bad.tables[3].first_damaged;
    assert_eq!((named.len(), named[0].as_str()), (10, "0000000000000064"));
    let mut scan = store
        .scan(Table::Records, b"", Range::all())
        .expect("a scan");
    assert_eq!(
        scan.by_ref().filter(Result::is_err).count(),
        50,
        "the others are still read"
    );

    let stopped = store.verify(|_| ControlFlow::Break(()));
    assert!(matches!(stopped, Err(StoreError::Stopped)));
}

/// Tells the next test, run again as a child, that the process is its own.
const CHILD: &str = "MAILLON_TEST_MEMORY";

#[test]
fn sizes_are_told_and_a_hundred_thousand_records_stay_within_bounds() {
    if std::env::var_os(CHILD).is_some() {
        return write_and_read_a_hundred_thousand_records();
    }
    // In a process of its own, so that its memory is nobody else's.
    let child = std::process::Command::new(std::env::current_exe().expect("this test"))
        .args(["--exact", "--nocapture"])
        .arg("store::tests::reading::sizes_are_told_and_a_hundred_thousand_records_stay_within_bounds")
        .env(CHILD, "1")
        .output()
        .expect("the child runs");
    let said = String::from_utf8_lossy(&child.stdout).into_owned()
        + &String::from_utf8_lossy(&child.stderr);
    assert!(
        child.status.success() && said.contains("1 passed"),
        "{said}"
    );
}

fn write_and_read_a_hundred_thousand_records() {
    let dir = folder();
    let store = open(dir.path());
    let value = [b'x'; 1000];
    for round in 0..100u64 {
        let mut batch = store.batch();
        for number in 0..1000 {
            let key = row_key(&round.to_be_bytes(), number);
            batch.put(Table::Records, &key, &value).expect("room");
            batch.put(Table::Timeline, &key, b"where").expect("room");
        }
        store.commit(batch).expect("committed");
    }
    let checked = store
        .verify(|_| ControlFlow::Continue(()))
        .expect("verified");
    assert!(checked.is_good());
    assert_eq!(checked.rows(), 200_000);
    for round in 0..100u64 {
        for number in (0..1000).step_by(50) {
            let key = row_key(&round.to_be_bytes(), number);
            assert!(store.get(Table::Records, &key).expect("read").is_some());
        }
    }

    let stats = store.stats().expect("stats");
    let options = Options::default();
    let records = stats.tables[3];
    assert_eq!(records.table, Table::Records);
    assert!((90_000..=110_000).contains(&records.rows), "{stats:?}");
    assert!(stats.file_bytes() > 50_000_000, "{stats:?}");
    assert!(stats.wal_bytes > 0 && stats.wal_syncs >= 100, "{stats:?}");
    assert!(
        stats.block_cache_bytes <= options.block_cache_bytes as u64 * 5 / 4,
        "{stats:?}"
    );
    assert!(
        stats.memtable_bytes() <= options.write_buffer_bytes as u64 * 3 / 2,
        "{stats:?}"
    );
    let mib = most_memory_mib();
    assert!(
        mib < 150,
        "{mib} MiB, of the 200 that a node may take; {stats:?}"
    );
}

/// The most memory that this process has had, MiB.
fn most_memory_mib() -> u64 {
    let status = fs::read_to_string("/proc/self/status").expect("Linux");
    let line = status.lines().find(|line| line.starts_with("VmHWM:"));
    let kib = line.and_then(|line| line.split_whitespace().nth(1)?.parse::<u64>().ok());
    kib.expect("a number") / 1024
}

#[test]
fn a_checkpoint_whose_list_of_files_was_cut_short_on_the_way_is_refused() {
    let dir = folder();
    let dest = dir.path().join("monday");
    let store = open(&dir.path().join("data"));
    put(&store, Table::Circles, b"row", b"then");
    store.checkpoint(&dest).expect("copied");
    let files = std::fs::read_dir(dest.join("rocksdb")).expect("a folder");
    let list = files
        .map(|file| file.expect("a file").path())
        .find(|path| path.to_string_lossy().contains("MANIFEST-"))
        .expect("a list");
    let bytes = std::fs::read(&list).expect("read");
    std::fs::write(&list, &bytes[..bytes.len() - 1]).expect("written");
    let cut = refusal(&dest).to_string();
    assert!(cut.contains("when it was last used"), "{cut}");
}
