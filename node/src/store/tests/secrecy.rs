//! Nothing readable on the disk.

use data_encoding::{BASE64, BASE64URL_NOPAD, HEXLOWER, HEXUPPER};

use super::*;

const NOTE: &str = "Mme Plantefleur, chute dans la salle de bain";
const INS: &str = "269054958815780";

/// Every way in which a text could stand in a file.
fn disguises(text: &str) -> Vec<Vec<u8>> {
    let bytes = text.as_bytes();
    let utf16: Vec<u8> = text.encode_utf16().flat_map(u16::to_le_bytes).collect();
    // Base64 looks different for each of the three places in which a text can begin; the inner part is enough.
    let base64 = (0..3).flat_map(|skip| {
        let whole = (bytes.len() - skip) / 3 * 3;
        let part = &bytes[skip..skip + whole];
        [BASE64.encode(part), BASE64URL_NOPAD.encode(part)]
    });
    [bytes.to_vec(), utf16]
        .into_iter()
        .chain([HEXLOWER.encode(bytes), HEXUPPER.encode(bytes)].map(String::into_bytes))
        .chain(base64.map(String::into_bytes))
        .collect()
}

fn assert_nothing_readable(dir: &Path) {
    let files = files(dir);
    assert!(files.len() > 5, "the database has files");
    for (path, content) in &files {
        for needle in [NOTE, INS].iter().flat_map(|text| disguises(text)) {
            assert!(!contains(content, &needle), "{path} holds a plaintext");
        }
    }
}

#[test]
fn a_search_of_the_whole_folder_finds_no_plaintext_while_open_and_after() {
    let dir = folder();
    let store = open(dir.path());
    for (number, table) in Table::ALL.into_iter().enumerate() {
        let name = store.namer().name("ins", &[INS.as_bytes()]);
        let key = row_key(&name, number as u64);
        put(&store, table, &key, format!("{NOTE} {INS}").as_bytes());
    }
    let logs = files(dir.path());
    assert!(
        logs.iter()
            .any(|(path, log)| path.ends_with(".log") && !log.is_empty()),
        "the write-ahead log is among what is searched"
    );
    assert_nothing_readable(dir.path());

    store.checkpoint(&dir.path().join("copy")).expect("copied");
    assert!(files(dir.path()).keys().any(|path| path.ends_with(".sst")));
    assert_nothing_readable(dir.path());

    drop(store);
    open(dir.path());
    assert_nothing_readable(dir.path());
}

#[test]
fn a_value_moved_to_another_row_or_table_does_not_open() {
    let dir = folder();
    let store = open(dir.path());
    put(&store, Table::Records, b"here", NOTE.as_bytes());
    let stored = raw(&store, Table::Records, b"here");

    for (table, key) in [(Table::Records, b"gone"), (Table::People, b"here")] {
        let family = store.inner.family(table.name()).expect("a table");
        store.inner.db.put_cf(family, key, &stored).expect("moved");
        let refused = store.get(table, key).expect_err("must not open");
        assert!(matches!(refused, StoreError::Damaged { table: named, .. } if named == table));
    }
    let value = store.get(Table::Records, b"here").expect("its place");
    assert_eq!(value.as_deref(), Some(NOTE.as_bytes()));
}

#[test]
fn a_flipped_bit_anywhere_in_a_value_is_seen() {
    let dir = folder();
    let store = open(dir.path());
    put(&store, Table::Records, b"row", NOTE.as_bytes());
    let stored = raw(&store, Table::Records, b"row");
    let family = store.inner.family("records").expect("a table");
    for at in 0..stored.len() {
        let mut bad = stored.clone();
        bad[at] ^= 1 << (at % 8);
        store
            .inner
            .db
            .put_cf(family, b"row", &bad)
            .expect("changed");
        let refused = store
            .get(Table::Records, b"row")
            .expect_err("must not open");
        assert!(matches!(
            refused,
            StoreError::Damaged {
                table: Table::Records,
                ..
            }
        ));
    }
    for length in 0..stored.len() {
        store
            .inner
            .db
            .put_cf(family, b"row", &stored[..length])
            .expect("cut");
        assert!(store.get(Table::Records, b"row").is_err(), "{length}");
    }
}

#[test]
fn the_same_value_never_looks_the_same_twice() {
    let dir = folder();
    let store = open(dir.path());
    put(&store, Table::Records, b"row", b"same");
    let first = raw(&store, Table::Records, b"row");
    put(&store, Table::Records, b"row", b"same");
    assert_ne!(raw(&store, Table::Records, b"row"), first);
}

#[test]
fn an_erased_value_leaves_the_files_when_its_table_is_compacted() {
    let dir = folder();
    let store = open(dir.path());
    put(&store, Table::Records, b"erased", NOTE.as_bytes());
    put(&store, Table::Records, b"kept", NOTE.as_bytes());
    let erased = raw(&store, Table::Records, b"erased");
    let on_disk = || {
        files(&dir.path().join(FOLDER_NAME))
            .values()
            .any(|file| contains(file, &erased))
    };
    store.compact(Table::Records).expect("compacted");
    assert!(on_disk());

    let mut batch = store.batch();
    batch.delete(Table::Records, b"erased").expect("room");
    store.commit(batch).expect("committed");
    store.compact(Table::Records).expect("compacted");

    assert!(!on_disk());
    assert!(store.get(Table::Records, b"kept").expect("read").is_some());
}

#[test]
fn names_tell_apart_what_is_apart_and_nobody_else_can_make_them() {
    let namer = Namer::new(&key());
    let name = namer.name("ins", &[b"ab", b"c"]);
    assert_eq!(name, Namer::new(&key()).name("ins", &[b"ab", b"c"]));
    assert_ne!(name, namer.name("ins", &[b"a", b"bc"]));
    assert_ne!(name, namer.name("ins", &[b"abc"]));
    assert_ne!(name, namer.name("ins", &[b"ab", b"c", b""]));
    assert_ne!(name, namer.name("rpps", &[b"ab", b"c"]));
    assert_ne!(
        name,
        Namer::new(&StorageKey::new(&[1; 32])).name("ins", &[b"ab", b"c"])
    );
    let row = row_key(&name, 258);
    assert!(row.starts_with(&name) && row.ends_with(&[0, 0, 0, 0, 0, 0, 1, 2]));
    assert_eq!(sequence_of(&row), Some(258));
    assert_eq!(sequence_of(b"short"), None);
}

fn raw(store: &Store, table: Table, key: &[u8]) -> Vec<u8> {
    let family = store.inner.family(table.name()).expect("a table");
    store
        .inner
        .db
        .get_cf(family, key)
        .expect("read")
        .expect("a row")
}
