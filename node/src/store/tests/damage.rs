//! Broken files and full disks, as they happen.

use std::ops::ControlFlow;
use std::os::unix::fs::symlink;
use std::path::PathBuf;

use super::*;

/// A store whose rows are in the write-ahead log only: 20 commits of 500 bytes; and that log.
fn twenty_commits(dir: &Path) -> PathBuf {
    let store = open(dir);
    for number in 0..20u8 {
        put(&store, Table::Records, &[number], &[number; 500]);
    }
    drop(store);
    newest(dir, "log")
}

fn newest(dir: &Path, extension: &str) -> PathBuf {
    files(&dir.join(FOLDER_NAME))
        .into_iter()
        .filter(|(path, content)| path.ends_with(&format!(".{extension}")) && !content.is_empty())
        .map(|(path, _)| PathBuf::from(path))
        .next_back()
        .expect("such a file")
}

fn rows(store: &Store) -> usize {
    store
        .scan(Table::Records, b"", Range::all())
        .expect("a scan")
        .count()
}

#[test]
fn an_unfinished_last_write_is_dropped_and_all_before_it_stay() {
    let dir = folder();
    let log = twenty_commits(dir.path());
    let whole = fs::read(&log).expect("the log");
    for cut in [1, 7, 100, 400] {
        fs::write(&log, &whole[..whole.len() - cut]).expect("cut");
        let copy = folder();
        copy_all(dir.path(), copy.path());
        assert_eq!(rows(&open(copy.path())), 19, "{cut} bytes are missing");
    }
}

#[test]
fn damage_in_the_middle_of_the_log_is_an_error_and_not_a_silent_loss() {
    let dir = folder();
    let log = twenty_commits(dir.path());
    let mut content = fs::read(&log).expect("the log");
    let middle = content.len() / 2;
    content[middle] ^= 1;
    fs::write(&log, content).expect("damaged");

    let refused = refusal(dir.path());
    assert!(
        matches!(refused, StoreError::FilesDamaged { .. }),
        "{refused:?}"
    );
    assert!(refused.to_string().contains("restore the last good backup"));
}

#[test]
fn damage_in_a_table_file_is_found_by_reading_and_by_verification() {
    let dir = folder();
    let store = open(dir.path());
    for number in 0..200u8 {
        put(&store, Table::Records, &[number], &[number; 500]);
    }
    store
        .compact(Table::Records)
        .expect("written to a table file");
    drop(store);
    let path = newest(dir.path(), "sst");
    let mut content = fs::read(&path).expect("the file");
    content[50_000] ^= 1;
    fs::write(&path, content).expect("damaged");

    let store = open(dir.path());
    let failed = (0..200u8)
        .filter_map(|number| store.get(Table::Records, &[number]).err())
        .next()
        .expect("a row that cannot be read");
    assert!(
        matches!(failed, StoreError::FilesDamaged { .. }),
        "{failed:?}"
    );
    let found = store
        .verify(|_| ControlFlow::Continue(()))
        .expect("verified");
    assert!(!found.is_good());
    assert!(found.tables[3].broken_off.is_some());
}

#[test]
fn a_full_disk_is_told_as_such_and_loses_nothing_that_was_confirmed() {
    let dir = folder();
    let store = open(dir.path());
    put(&store, Table::Records, b"confirmed", b"value");
    // The next log files that RocksDB will make lead to a device that is always full.
    let log = newest(dir.path(), "log");
    let number: u64 = log
        .file_stem()
        .and_then(|stem| stem.to_str())
        .and_then(|stem| stem.parse().ok())
        .expect("a number");
    let traps: Vec<PathBuf> = (number + 1..number + 60)
        .map(|next| dir.path().join(FOLDER_NAME).join(format!("{next:06}.log")))
        .filter(|path| symlink("/dev/full", path).is_ok())
        .collect();
    store.compact(Table::Records).expect("a new log begins");

    let mut batch = store.batch();
    batch
        .put(Table::Records, b"unconfirmed", b"value")
        .expect("room");
    let refused = store.commit(batch).expect_err("there is no room");
    assert!(matches!(refused, StoreError::DiskFull), "{refused:?}");
    assert_eq!(store.trouble(), Some(refused.to_string()));
    assert!(
        store
            .get(Table::Records, b"confirmed")
            .expect("read")
            .is_some()
    );
    drop(store);

    for trap in traps {
        fs::remove_file(trap).ok();
    }
    let store = open(dir.path());
    assert!(
        store
            .get(Table::Records, b"confirmed")
            .expect("read")
            .is_some()
    );
    assert_eq!(
        store.get(Table::Records, b"unconfirmed").expect("read"),
        None
    );
    put(&store, Table::Records, b"unconfirmed", b"value");
    assert_eq!(store.trouble(), None);
}

fn copy_all(from: &Path, to: &Path) {
    for (path, content) in files(from) {
        let dest = to.join(Path::new(&path).strip_prefix(from).expect("under it"));
        fs::create_dir_all(dest.parent().expect("a folder")).expect("made");
        fs::write(dest, content).expect("copied");
    }
}

/// Three lives of a database, so that its manifest has seen table files and log files come and go.
fn three_lives(dir: &Path) -> PathBuf {
    for life in 0..3u8 {
        let store = open(dir);
        for number in 0..10u8 {
            put(&store, Table::Records, &[life, number], &[number; 500]);
        }
    }
    fs::read_to_string(dir.join(FOLDER_NAME).join("CURRENT"))
        .map(|name| dir.join(FOLDER_NAME).join(name.trim_end()))
        .expect("CURRENT names the manifest")
}

#[test]
fn a_list_of_files_that_is_cut_anywhere_is_an_error_and_not_a_silent_loss() {
    let dir = folder();
    let manifest = three_lives(dir.path());
    let whole = fs::read(&manifest).expect("the manifest");
    let mut silent = Vec::new();
    for length in (0..whole.len()).step_by(37) {
        let copy = folder();
        copy_all(dir.path(), copy.path());
        let before = files(copy.path()).len();
        let cut = copy
            .path()
            .join(manifest.strip_prefix(dir.path()).expect("in it"));
        fs::write(cut, &whole[..length]).expect("cut");
        match Store::open(copy.path(), &key(), Options::default()) {
            Ok(store) if rows(&store) == 30 => {}
            Ok(store) => silent.push((length, rows(&store))),
            Err(StoreError::FilesDamaged { .. }) => {
                assert_eq!(files(copy.path()).len(), before, "nothing was touched");
            }
            Err(other) => panic!("{length} bytes: {other:?}"),
        }
    }
    assert_eq!(silent, [], "of {} bytes", whole.len());
}

#[test]
fn a_list_of_files_that_grew_after_the_last_mark_is_no_damage() {
    let dir = folder();
    three_lives(dir.path());
    let mark = dir.path().join(FOLDER_NAME).join("MARK");
    let old = fs::read(&mark).expect("a mark");
    drop(open(dir.path()));
    // A life that ended without one, and one in which somebody wrote over it.
    for mark_then in [old.as_slice(), b"", b"MANIFEST-what 7\n"] {
        fs::write(&mark, mark_then).expect("an older mark");
        assert_eq!(rows(&open(dir.path())), 30);
    }
    fs::remove_file(&mark).expect("no mark");
    assert_eq!(rows(&open(dir.path())), 30);
}

#[test]
fn a_log_that_is_shorter_than_it_was_is_told_until_the_node_has_begun_anew() {
    let dir = folder();
    // A life before, so that not all of it is in the log.
    drop(open(dir.path()));
    let log = twenty_commits(dir.path());
    let whole = fs::read(&log).expect("the log");
    for left in [0, whole.len() / 2, whole.len() - 1] {
        let copy = folder();
        copy_all(dir.path(), copy.path());
        let name = log.strip_prefix(dir.path()).expect("in it");
        fs::write(copy.path().join(name), &whole[..left]).expect("cut");
        let missing = Some((whole.len() - left) as u64);
        assert_eq!(open(copy.path()).cut(), missing);
        // Told again by each start, and not forgotten with the next mark.
        let store = open(copy.path());
        assert_eq!(store.cut(), missing);
        store.begun_anew().expect("forgotten");
        drop(store);
        assert_eq!(open(copy.path()).cut(), None);
    }
    // Whole, or gone into tables.
    assert_eq!(open(dir.path()).cut(), None);
    assert_eq!(open(dir.path()).cut(), None);
}

#[test]
fn a_log_is_marked_while_it_is_written_and_only_as_far_as_the_disk_has_it() {
    let dir = folder();
    let store = open(dir.path());
    let mark = || fs::read_to_string(dir.path().join(FOLDER_NAME).join("MARK")).expect("a mark");
    put(&store, Table::Records, b"first", &[1; 500]);
    let at_first = mark();
    store.mark();
    assert_eq!(mark(), at_first, "seen, and not known to be on the disk");
    put(&store, Table::Records, b"second", &[2; 500]);
    store.mark();
    let then = mark();
    assert_ne!(then, at_first, "the second one waited for the first");
    store.mark();
    store.mark();
    assert_ne!(mark(), then, "nothing is under way");
    // Killed: what stands on the disk is what was marked, or more.
    let copy = folder();
    copy_all(dir.path(), copy.path());
    assert_eq!(open(copy.path()).cut(), None);
}

#[test]
fn a_batch_is_whole_or_absent_wherever_the_log_ends() {
    let dir = folder();
    let store = open(dir.path());
    put(&store, Table::Records, b"before", b"value");
    let mut batch = store.batch();
    for number in 0..5u8 {
        for table in [Table::Records, Table::Audit] {
            batch.put(table, &[number], &[number; 200]).expect("room");
        }
    }
    store.commit(batch).expect("committed");
    drop(store);
    let log = newest(dir.path(), "log");
    let whole = fs::read(&log).expect("the log");
    let mut seen = Vec::new();
    for cut in (0..2_400).step_by(150) {
        let copy = folder();
        fs::write(&log, &whole[..whole.len() - cut]).expect("cut");
        copy_all(dir.path(), copy.path());
        let store = open(copy.path());
        let audit = store
            .scan(Table::Audit, b"", Range::all())
            .expect("a scan")
            .count();
        seen.push((rows(&store), audit));
    }
    assert_eq!(seen.remove(0), (6, 5), "all of it, with the whole log");
    assert!(seen.iter().all(|rows| *rows == (1, 0)), "{seen:?}");
}
