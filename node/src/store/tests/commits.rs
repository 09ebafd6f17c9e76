//! What a commit is.

use super::*;

#[test]
fn a_commit_of_many_rows_in_many_tables_is_one_sync_and_an_empty_one_none() {
    let dir = folder();
    let store = open(dir.path());
    let syncs = || store.stats().expect("stats").wal_syncs;
    let before = syncs();

    store.commit(store.batch()).expect("nothing");
    assert_eq!(syncs(), before);

    let mut batch = store.batch();
    for number in 0..500u64 {
        for table in Table::ALL {
            batch
                .put(table, &number.to_be_bytes(), b"value")
                .expect("room");
        }
    }
    store.commit(batch).expect("committed");
    assert_eq!(syncs(), before + 1);
}

#[test]
fn only_the_test_option_skips_the_sync() {
    let dir = folder();
    let options = Options {
        sync: false,
        ..Options::default()
    };
    let store = Store::open(dir.path(), &key(), options).expect("opened");
    let before = store.stats().expect("stats").wal_syncs;
    put(&store, Table::Meta, b"row", b"value");
    assert_eq!(store.stats().expect("stats").wal_syncs, before);
    assert!(Options::default().sync);
}

#[test]
fn the_steps_of_a_batch_hold_in_their_order_and_prefixes_stay_within_themselves() {
    let dir = folder();
    let store = open(dir.path());
    let keys: [&[u8]; 6] = [b"a", b"b", b"b\x00", b"b\xff\xff", b"c", b"\xff\xff\xff"];
    let mut batch = store.batch();
    for key in keys {
        batch.put(Table::Things, key, b"old").expect("room");
        batch.put(Table::Timeline, key, b"old").expect("room");
    }
    store.commit(batch).expect("committed");

    let mut first = store.batch();
    first.delete_prefix(Table::Things, b"b").expect("room");
    let mut second = store.batch();
    second.put(Table::Things, b"b\x01", b"new").expect("room");
    second.delete(Table::Things, b"c").expect("room");
    second.delete_prefix(Table::Things, b"\xff").expect("room");
    first.append(second).expect("room");
    assert_eq!(first.len(), 4);
    store.commit(first).expect("committed");

    let left = |table| -> Vec<Vec<u8>> {
        let rows = store.scan(table, b"", Range::all()).expect("a scan");
        rows.map(|row| row.expect("a row").0.into_vec()).collect()
    };
    assert_eq!(left(Table::Things), [b"a".to_vec(), b"b\x01".to_vec()]);
    assert_eq!(left(Table::Timeline).len(), keys.len());

    let mut batch = store.batch();
    batch.delete_prefix(Table::Timeline, b"").expect("room");
    store.commit(batch).expect("committed");
    assert!(left(Table::Timeline).is_empty());
}

#[test]
fn a_batch_is_sealed_off_the_writers_thread() {
    let dir = folder();
    let store = open(dir.path());
    let elsewhere = store.clone();
    let batch = std::thread::spawn(move || {
        let mut batch = elsewhere.batch();
        batch.put(Table::Outbox, b"row", b"value").expect("room");
        batch
    })
    .join()
    .expect("the thread ends");
    store.commit(batch).expect("committed");
    assert!(store.get(Table::Outbox, b"row").expect("read").is_some());
}

#[test]
fn batches_and_keys_have_limits_with_names() {
    let dir = folder();
    let store = open(dir.path());
    let mut batch = store.batch();
    let value = vec![0; 10 * 1024 * 1024];
    for number in 0..9u8 {
        batch.put(Table::Blobs, &[number], &value).expect("room");
    }
    let bytes = batch.bytes();
    let refused = batch.put(Table::Blobs, b"one too many", &value);
    assert!(matches!(
        refused,
        Err(StoreError::BatchTooLarge {
            limit: MAX_BATCH_BYTES
        })
    ));
    assert_eq!((batch.len(), batch.bytes()), (9, bytes), "as it was before");
    let mut more = store.batch();
    more.put(Table::Blobs, b"more", &value).expect("room");
    assert!(matches!(
        batch.append(more),
        Err(StoreError::BatchTooLarge { .. })
    ));
    store
        .commit(batch)
        .expect("the largest commit goes through");
    assert!(store.get(Table::Blobs, &[5]).expect("read").is_some());

    let mut batch = store.batch();
    for key in [&[][..], &[0; MAX_KEY_BYTES + 1]] {
        let refused = batch.put(Table::Blobs, key, b"");
        assert!(matches!(refused, Err(StoreError::KeyLength { .. })));
    }
    batch
        .put(Table::Blobs, &[0xff; MAX_KEY_BYTES], b"")
        .expect("the longest key");
    batch.delete_prefix(Table::Blobs, &[0xff]).expect("room");
    store.commit(batch).expect("committed");
    let longest = store
        .get(Table::Blobs, &[0xff; MAX_KEY_BYTES])
        .expect("read");
    assert_eq!(longest, None);
}

#[test]
fn a_batch_of_another_store_is_refused() {
    let (here, there) = (folder(), folder());
    let (store, other) = (open(here.path()), open(there.path()));
    let mut batch = other.batch();
    batch.put(Table::Meta, b"row", b"value").expect("room");
    assert!(matches!(store.commit(batch), Err(StoreError::OtherStore)));
    assert!(matches!(
        store.batch().append(other.batch()),
        Err(StoreError::OtherStore)
    ));
    assert_eq!(store.get(Table::Meta, b"row").expect("read"), None);
}
