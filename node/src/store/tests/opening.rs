//! What is refused at the door, and that nothing is touched then.

use std::os::unix::fs::PermissionsExt;

use rocksdb::ErrorKind;

use super::*;

#[test]
fn what_was_committed_is_there_when_the_store_opens_again() {
    let dir = folder();
    let store = open(&dir.path().join("new/data"));
    put(&store, Table::People, b"one", b"first");
    drop(store);

    let store = open(&dir.path().join("new/data"));
    let value = store.get(Table::People, b"one").expect("read");
    assert_eq!(value.as_deref(), Some(&b"first"[..]));
    for made in ["new/data", "new/data/rocksdb"] {
        let mode = fs::metadata(dir.path().join(made))
            .expect("made")
            .permissions()
            .mode();
        assert_eq!(mode & 0o777, 0o700, "{made}");
    }
}

#[test]
fn a_wrong_storage_key_is_refused_and_touches_nothing() {
    let dir = folder();
    put(&open(dir.path()), Table::People, b"one", b"first");
    let before = files(dir.path());

    let refused = Store::open(dir.path(), &StorageKey::new(&[1; 32]), Options::default());

    assert!(matches!(refused, Err(StoreError::WrongKey)));
    assert_eq!(files(dir.path()), before);
}

#[test]
fn a_format_file_from_another_backup_does_not_hide_a_wrong_key() {
    let dir = folder();
    let other = folder();
    let other_key = StorageKey::new(&[1; 32]);
    drop(open(dir.path()));
    drop(Store::open(other.path(), &other_key, Options::default()).expect("another"));
    fs::copy(
        other.path().join(FORMAT_FILE_NAME),
        dir.path().join(FORMAT_FILE_NAME),
    )
    .expect("mixed");

    let refused = Store::open(dir.path(), &other_key, Options::default());
    assert!(matches!(refused, Err(StoreError::WrongKey)));
}

#[test]
fn a_newer_format_is_refused_and_touches_nothing() {
    let dir = folder();
    put(&open(dir.path()), Table::People, b"one", b"first");
    fs::write(
        dir.path().join(FORMAT_FILE_NAME),
        "maillon database 3\nanything\n",
    )
    .expect("written");
    let before = files(dir.path());

    let refused = refusal(dir.path());

    assert!(matches!(refused, StoreError::Newer { found: 3, known: 2 }));
    assert_eq!(files(dir.path()), before);
}

#[test]
fn a_database_of_version_1_becomes_one_of_today_and_keeps_its_rows() {
    let dir = folder();
    put(&open(dir.path()), Table::People, b"one", b"first");
    // As version 1 left it: without the table that came after it.
    let rocksdb = dir.path().join(FOLDER_NAME);
    let settings = rocksdb::Options::default();
    let families = rocksdb::DB::list_cf(&settings, &rocksdb).expect("its tables");
    let mut raw = rocksdb::DB::open_cf(&settings, &rocksdb, families).expect("opened");
    raw.drop_cf(Table::Access.name()).expect("dropped");
    drop(raw);
    let format = dir.path().join(FORMAT_FILE_NAME);
    let today = fs::read_to_string(&format).expect("FORMAT");
    let before = today.replacen("database 2", "database 1", 1);
    assert_ne!(before, today);
    fs::write(&format, before).expect("written");

    let store = open(dir.path());

    let kept = store.get(Table::People, b"one").expect("read");
    assert_eq!(kept.as_deref(), Some(&b"first"[..]));
    put(&store, Table::Access, b"two", b"second");
    drop(store);
    assert_eq!(fs::read_to_string(&format).expect("FORMAT"), today);
    assert!(
        open(dir.path())
            .get(Table::Access, b"two")
            .expect("read")
            .is_some()
    );
}

#[test]
fn a_damaged_or_missing_part_is_refused_and_never_replaced_by_an_empty_database() {
    let dir = folder();
    let other = folder();
    put(&open(dir.path()), Table::People, b"one", b"first");
    let format = dir.path().join(FORMAT_FILE_NAME);
    let good = fs::read(&format).expect("FORMAT");
    for bad in [
        &b""[..],
        b"maillon",
        b"maillon database x\n",
        b"\xff\xfe",
        &good[..30],
        &[b'x'; 5000],
    ] {
        fs::write(&format, bad).expect("written");
        let refused = refusal(dir.path());
        let told = matches!(
            refused,
            StoreError::FilesDamaged { .. } | StoreError::Io { .. }
        );
        assert!(told, "{refused}");
    }
    fs::remove_file(&format).expect("removed");
    assert!(matches!(
        refusal(dir.path()),
        StoreError::FilesDamaged { .. }
    ));
    assert!(!format.exists());
    fs::write(&format, &good).expect("restored");
    assert!(
        open(dir.path())
            .get(Table::People, b"one")
            .expect("read")
            .is_some()
    );

    fs::rename(dir.path().join(FOLDER_NAME), other.path().join("away")).expect("moved");
    assert!(matches!(
        refusal(dir.path()),
        StoreError::FilesDamaged { .. }
    ));
    fs::create_dir(dir.path().join(FOLDER_NAME)).ok();
    assert!(matches!(
        refusal(dir.path()),
        StoreError::FilesDamaged { .. }
    ));
    assert!(!dir.path().join(FOLDER_NAME).join("CURRENT").exists());
}

#[test]
fn a_beginning_that_was_cut_short_is_finished() {
    let dir = folder();
    drop(open(dir.path()));
    fs::remove_file(dir.path().join(FORMAT_FILE_NAME)).expect("as if never written");
    drop(open(dir.path()));
    drop(open(dir.path()));
}

#[test]
fn a_second_opening_is_told_that_the_store_is_in_use() {
    let dir = folder();
    let store = open(dir.path());
    assert!(matches!(refusal(dir.path()), StoreError::InUse));
    let clone = store.clone();
    drop(store);
    assert!(
        matches!(refusal(dir.path()), StoreError::InUse),
        "a clone holds it"
    );
    drop(clone);
    open(dir.path());
}

#[test]
fn rocksdb_open_by_another_tool_is_told_as_in_use() {
    let dir = folder();
    drop(open(dir.path()));
    let _tool = DB::open_cf(
        &rocksdb::Options::default(),
        dir.path().join(FOLDER_NAME),
        std::iter::once("default").chain(Table::ALL.map(Table::name)),
    )
    .expect("opened past our lock");
    assert!(matches!(refusal(dir.path()), StoreError::InUse));
}

#[test]
fn a_place_that_refuses_us_is_told_as_a_permission() {
    // Nobody, not even root, may make folders there. Every machine with Linux has it.
    let refused = refusal(Path::new("/sys/maillon"));
    assert!(
        matches!(refused, StoreError::Permission { .. }),
        "{refused:?}"
    );
}

#[test]
fn the_words_of_rocksdb_become_types() {
    let typed = |kind, words| StoreError::from_words(&kind, words);
    let full = "IO error: No space left on device: While appending to file: /d/000004.log: No space left on device";
    assert!(matches!(
        typed(ErrorKind::IOError, full),
        StoreError::DiskFull
    ));
    let denied = "IO error: While open a file for appending: /d/LOCK: Permission denied";
    assert!(matches!(
        typed(ErrorKind::IOError, denied),
        StoreError::Permission { .. }
    ));
    let dying = "IO error: While appending to file: /d/000004.log: Read-only file system";
    assert!(matches!(
        typed(ErrorKind::IOError, dying),
        StoreError::ReadOnly { .. }
    ));
    let held = "IO error: While lock file: /d/LOCK: Resource temporarily unavailable";
    assert!(matches!(typed(ErrorKind::IOError, held), StoreError::InUse));
    let rotten = "Corruption: block checksum mismatch in /d/000012.sst";
    assert!(matches!(
        typed(ErrorKind::Corruption, rotten),
        StoreError::FilesDamaged { .. }
    ));
    let other = "IO error: While pread: /d/000012.sst: Input/output error";
    assert!(matches!(
        typed(ErrorKind::IOError, other),
        StoreError::Engine { .. }
    ));
}
