//! The only writer, over a real database: what a job stages is kept whole, or not at all, and never outlives the last handle.
#![allow(
    clippy::expect_used,
    reason = "a test that cannot go on should say where"
)]

mod ground;

use std::{
    path::Path,
    sync::{Arc, Mutex},
    time::Duration,
};

use maillon_node::{
    ledger::{Ledger, LedgerError, Tx},
    store::{Options, StorageKey, Store, Table},
};

fn open(folder: &Path) -> Store {
    Store::open(folder, &StorageKey::new(&[7; 32]), Options::default()).expect("a store")
}

fn ledger(folder: &Path) -> Ledger {
    ground::ledger(folder, 7, "DAC du Pays de Caux")
}

#[derive(Debug, PartialEq, thiserror::Error)]
#[error("no")]
struct No;

async fn write(ledger: &Ledger, rows: &[(&str, &str)], good: bool) -> Result<(), LedgerError<No>> {
    let rows: Vec<_> = rows
        .iter()
        .map(|(key, value)| (key.as_bytes().to_vec(), value.as_bytes().to_vec()))
        .collect();
    ledger
        .run(move |tx| {
            for (key, value) in rows {
                tx.put(Table::People, key, value);
            }
            if good { Ok(()) } else { Err(No) }
        })
        .await
}

/// How long a job waits for the test, or the test for a job.
const BOUND: Duration = Duration::from_secs(10);

/// A job that holds the writer, so that those which are submitted meanwhile come together.
struct HeldUp {
    go: std::sync::mpsc::Sender<()>,
    job: std::pin::Pin<Box<dyn Future<Output = Result<(), LedgerError<No>>> + Send>>,
}

impl HeldUp {
    fn new(ledger: &Ledger) -> Self {
        let (go, wait) = std::sync::mpsc::channel::<()>();
        let (holds, begun) = std::sync::mpsc::channel::<()>();
        let job = ledger.submit(move |_| {
            let _ = holds.send(());
            let _ = wait.recv_timeout(BOUND);
            Ok::<(), No>(())
        });
        begun.recv_timeout(BOUND).expect("the job runs");
        Self {
            go,
            job: Box::pin(job),
        }
    }

    async fn go(self) {
        self.go.send(()).expect("the writer waits");
        self.job.await.expect("done");
    }
}

/// Submits a job that puts one row.
fn put(
    ledger: &Ledger,
    key: &'static str,
) -> impl Future<Output = Result<(), LedgerError<No>>> + Send + use<> {
    ledger.submit(move |tx| {
        tx.put(Table::People, key.as_bytes().to_vec(), b"here".to_vec());
        Ok::<(), No>(())
    })
}

/// Waits until a row is on the disk, and for what follows a write on the same thread.
fn until_held(store: &Store, key: &str) {
    let end = std::time::Instant::now() + BOUND;
    while held(store, key).is_none() && std::time::Instant::now() < end {
        std::thread::sleep(Duration::from_millis(5));
    }
    std::thread::sleep(Duration::from_millis(100));
}

fn held(store: &Store, key: &str) -> Option<String> {
    let value = store.get(Table::People, key.as_bytes()).expect("it reads");
    value.map(|value| String::from_utf8(value).expect("text"))
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_alert_goes_before_the_notes_that_wait() {
    let folder = tempfile::tempdir().expect("a folder");
    let ledger = ledger(folder.path());
    let held_up = HeldUp::new(&ledger);
    let order = Arc::new(Mutex::new(Vec::new()));
    let comes = |what: &'static str| {
        let order = Arc::clone(&order);
        move |_: &mut Tx<'_>| {
            order.lock().expect("nobody panics").push(what);
            Ok::<(), No>(())
        }
    };
    let notes = ["first note", "second note"].map(|note| ledger.submit(comes(note)));
    let alert = ledger.submit_first(comes("alert"));
    let note = ledger.submit(comes("third note"));
    held_up.go().await;
    for job in notes {
        job.await.expect("done");
    }
    alert.await.expect("done");
    note.await.expect("done");
    assert_eq!(
        *order.lock().expect("nobody panics"),
        ["alert", "first note", "second note", "third note"]
    );
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn alerts_without_a_pause_do_not_hold_a_note_up_until_the_last_of_them() {
    const ALERTS: usize = 4_000;
    let folder = tempfile::tempdir().expect("a folder");
    let ledger = ledger(folder.path());
    let held_up = HeldUp::new(&ledger);
    let done = Arc::new(Mutex::new(0));
    let alerts: Vec<_> = (0..ALERTS)
        .map(|_| {
            let done = Arc::clone(&done);
            ledger.submit_first(move |_| {
                *done.lock().expect("nobody panics") += 1;
                Ok::<(), No>(())
            })
        })
        .collect();
    let before = Arc::clone(&done);
    let note = ledger.submit(move |_| Ok::<usize, No>(*before.lock().expect("nobody panics")));
    held_up.go().await;
    let before = note.await.expect("done");
    assert!(before < ALERTS, "all {before} alerts went before the note");
    for alert in alerts {
        alert.await.expect("done");
    }
}

#[tokio::test]
async fn a_job_that_fails_leaves_what_others_of_its_batch_have_staged() {
    let folder = tempfile::tempdir().expect("a folder");
    let ledger = ledger(folder.path());
    // The first job holds the writer until all have been submitted: they are one batch, or two at most.
    let (go, wait) = std::sync::mpsc::channel::<()>();
    let first = ledger.submit(move |_| {
        let _ = wait.recv_timeout(Duration::from_secs(5));
        Ok::<(), No>(())
    });
    let a = write(
        &ledger,
        &[("a", "of the first"), ("b", "of the first")],
        true,
    );
    let b = write(
        &ledger,
        &[
            ("a", "of the one that fails"),
            ("c", "of the one that fails"),
        ],
        false,
    );
    let c = write(&ledger, &[("d", "of the last")], true);
    let all = async { tokio::join!(a, b, c) };
    let (first, (a, b, c)) = tokio::join!(first, async {
        let waiting = tokio::spawn(async move {
            tokio::task::yield_now().await;
            let _ = go.send(());
        });
        let done = all.await;
        waiting.await.expect("it was sent");
        done
    });
    first.expect("done");
    a.expect("done");
    assert!(matches!(b, Err(LedgerError::Job(No))), "{b:?}");
    c.expect("done");
    let store = &ledger.shared().rows().0;
    assert_eq!(held(store, "a").as_deref(), Some("of the first"));
    assert_eq!(held(store, "b").as_deref(), Some("of the first"));
    assert_eq!(held(store, "c"), None);
    assert_eq!(held(store, "d").as_deref(), Some("of the last"));
    ledger.stop().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_last_handle_takes_the_writer_and_its_database_with_it() {
    let folder = tempfile::tempdir().expect("a folder");
    for round in 0..20 {
        let ledger = ledger(folder.path());
        let other = ledger.clone();
        let value = format!("round {round}");
        write(&other, &[("a", &value)], true).await.expect("done");
        drop(ledger);
        // Nobody waits for this one: what it stages is whole or absent.
        drop(other.submit(|tx| {
            tx.put(Table::People, b"b".to_vec(), b"whole".to_vec());
            Ok::<(), No>(())
        }));
        drop(other);
        // In use no more, at once: nothing had to be waited for.
        let store = open(folder.path());
        assert_eq!(held(&store, "a"), Some(value));
        assert_eq!(held(&store, "b").as_deref(), Some("whole"));
    }
}

#[tokio::test]
async fn after_it_was_stopped_a_ledger_says_so() {
    let folder = tempfile::tempdir().expect("a folder");
    let ledger = ledger(folder.path());
    ledger.stop().await;
    let late = write(&ledger, &[("a", "too late")], true).await;
    assert!(matches!(late, Err(LedgerError::Stopped)), "{late:?}");
    ledger.stop().await;
    drop(ledger);
    assert_eq!(held(&open(folder.path()), "a"), None);
}

/// From the next log file on, RocksDB writes to a device that is always full.
fn fill_the_disk(folder: &Path, store: &Store) {
    let rocksdb = folder.join("rocksdb");
    let names = std::fs::read_dir(&rocksdb).expect("a folder");
    let newest = names
        .filter_map(|entry| {
            let name = entry.ok()?.file_name().into_string().ok()?;
            name.strip_suffix(".log")?.parse::<u64>().ok()
        })
        .max()
        .expect("a log");
    for next in newest + 1..newest + 60 {
        // Some of these numbers belong to files that are there.
        let _ = std::os::unix::fs::symlink("/dev/full", rocksdb.join(format!("{next:06}.log")));
    }
    store.compact(Table::People).expect("a new log begins");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_commit_that_fails_takes_with_it_what_ran_above_it() {
    let folder = tempfile::tempdir().expect("a folder");
    let ledger = ledger(folder.path());
    write(&ledger, &[("a", "confirmed")], true)
        .await
        .expect("done");
    let store = ledger.shared().rows().0.clone();
    fill_the_disk(folder.path(), &store);

    // The first job holds the writer until all have been submitted: half of them are one commit, the others run above it.
    let (go, wait) = std::sync::mpsc::channel::<()>();
    let first = ledger.submit(move |_| {
        let _ = wait.recv_timeout(Duration::from_secs(5));
        Ok::<(), No>(())
    });
    let jobs: Vec<_> = (0..8)
        .map(|number| {
            ledger.submit(move |tx| {
                let before = tx.get(Table::People, b"a").expect("it reads");
                tx.put(Table::People, b"a".to_vec(), vec![number]);
                let now = tx.now_ms;
                tx.replica.found(
                    maillon_protocol::charter::Subject::Patient,
                    now,
                    &mut tx.rng,
                );
                Ok::<_, No>(before)
            })
        })
        .collect();
    go.send(()).expect("it waits");
    // It staged nothing, and fails with the others where it shares their commit.
    let _ = first.await;
    for job in jobs {
        let ended = job.await;
        assert!(matches!(ended, Err(LedgerError::Commit(_))), "{ended:?}");
    }

    // Nothing of any of them is left: not in the rows, not in what the next job sees, not in what others see.
    let seen = ledger
        .run(|tx| {
            let circles = tx.replica.circles().count();
            let row = tx.get(Table::People, b"a").expect("it reads");
            Ok::<_, No>((circles, row))
        })
        .await
        .expect("it stages nothing");
    assert_eq!(seen, (0, Some(b"confirmed".to_vec())));
    assert!(ledger.shared().circles().is_empty());
    assert_eq!(held(&store, "a").as_deref(), Some("confirmed"));
    ledger.stop().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn whoever_has_heard_that_a_commit_failed_and_asks_again_does_not_fail_with_it() {
    let folder = tempfile::tempdir().expect("a folder");
    let ledger = ledger(folder.path());
    let store = ledger.shared().rows().0.clone();
    let held_up = HeldUp::new(&ledger);
    let two = [put(&ledger, "one"), put(&ledger, "two")];
    // The disk gets full while this runs, so that it is the first to fail, on the thread that commits and with nothing above it.
    let (seen, place) = (store.clone(), folder.path().to_owned());
    let last = ledger.submit(move |tx| {
        until_held(&seen, "two");
        fill_the_disk(&place, &seen);
        tx.put(Table::People, b"two".to_vec(), b"lost".to_vec());
        Ok::<(), No>(())
    });
    held_up.go().await;
    for job in two {
        job.await.expect("done");
    }
    let ended = last.await;
    assert!(matches!(ended, Err(LedgerError::Commit(_))), "{ended:?}");
    // It needs no room on the disk, and sees what is kept.
    let again = ledger.run(|tx| Ok::<_, No>(tx.get(Table::People, b"two").expect("it reads")));
    let again = again.await.expect("it stages nothing");
    assert_eq!(again.as_deref(), Some(&b"here"[..]));
    ledger.stop().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn jobs_that_each_fill_more_than_half_of_the_largest_commit_are_not_made_one() {
    const LARGE: usize = maillon_node::store::MAX_BATCH_BYTES / 2 + 1;
    let folder = tempfile::tempdir().expect("a folder");
    let ledger = ledger(folder.path());
    let held_up = HeldUp::new(&ledger);
    let jobs: Vec<_> = (0..4_u8)
        .map(|number| {
            ledger.submit(move |tx| {
                tx.put(Table::People, vec![number], vec![number; LARGE]);
                Ok::<(), No>(())
            })
        })
        .collect();
    held_up.go().await;
    for job in jobs {
        job.await.expect("done");
    }
    let store = &ledger.shared().rows().0;
    for number in 0..4 {
        let row = store.get(Table::People, &[number]).expect("it reads");
        assert_eq!(row.map(|row| row.len()), Some(LARGE));
    }
    ledger.stop().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_was_handed_over_above_a_commit_that_fails_is_not_made_although_it_could_be() {
    const MOST: usize = maillon_node::store::MAX_BATCH_BYTES;
    let folder = tempfile::tempdir().expect("a folder");
    let ledger = ledger(folder.path());
    let store = ledger.shared().rows().0.clone();
    let held_up = HeldUp::new(&ledger);
    let large = |key: &'static [u8], bytes| {
        ledger.submit(move |tx| {
            tx.put(Table::People, key.to_vec(), vec![1; bytes]);
            Ok::<(), No>(())
        })
    };
    // While the first is written, the two others are handed over.
    let (below, fails) = (large(b"below", MOST / 2), large(b"fails", MOST + 1));
    let above = put(&ledger, "above");
    held_up.go().await;
    below.await.expect("done");
    for gone in [fails.await, above.await] {
        assert!(matches!(gone, Err(LedgerError::Commit(_))), "{gone:?}");
    }
    assert_eq!(held(&store, "above"), None);
    put(&ledger, "after").await.expect("done");
    assert_eq!(held(&store, "after").as_deref(), Some("here"));
    ledger.stop().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn each_job_sees_what_the_ones_before_it_did_whether_it_is_written_yet_or_not() {
    let folder = tempfile::tempdir().expect("a folder");
    let ledger = ledger(folder.path());
    let jobs: Vec<_> = (0..500_u64)
        .map(|number| {
            ledger.submit(move |tx| {
                let before = tx.get(Table::People, b"count").expect("it reads");
                let before = before.map_or(0, |bytes| {
                    u64::from_be_bytes(bytes.try_into().expect("eight bytes"))
                });
                // Every seventh changes its mind after it has written.
                let after = if number % 7 == 0 {
                    1_000_000
                } else {
                    before + 1
                };
                tx.put(Table::People, b"count".to_vec(), after.to_be_bytes().into());
                if number % 7 == 0 { Err(No) } else { Ok(before) }
            })
        })
        .collect();
    let mut expected = 0;
    for (number, job) in (0_u64..).zip(jobs) {
        match job.await {
            Ok(before) => {
                assert_eq!(before, expected, "job {number}");
                expected += 1;
            }
            Err(error) => assert!(matches!(error, LedgerError::Job(No)), "{error:?}"),
        }
    }
    assert_eq!(expected, 428);
    let store = &ledger.shared().rows().0;
    let kept = store.get(Table::People, b"count").expect("it reads");
    assert_eq!(kept, Some(428_u64.to_be_bytes().to_vec()));
    ledger.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn nothing_is_committed_above_what_nobody_has_been_shown_yet() {
    use std::sync::mpsc::channel;
    let folder = tempfile::tempdir().expect("a folder");
    let ledger = ledger(folder.path());
    let store = ledger.shared().rows().0.clone();
    // Two go to the thread that commits, and then one.
    let held_up = HeldUp::new(&ledger);
    let two = [put(&ledger, "one"), put(&ledger, "two")];
    // While somebody looks at the state, nothing new is shown: the look begins when this job runs, and the two are shown already.
    let (runs, begun) = channel::<()>();
    let (looks, looking) = channel::<()>();
    let before = store.clone();
    let last = ledger.submit(move |tx| {
        until_held(&before, "two");
        let _ = runs.send(());
        let _ = looking.recv_timeout(BOUND);
        tx.put(Table::People, b"last".to_vec(), b"here".to_vec());
        Ok::<(), No>(())
    });
    let (other, seen) = (ledger.clone(), store.clone());
    let look = tokio::task::spawn_blocking(move || {
        begun.recv_timeout(BOUND).expect("the job runs");
        other.shared().look(0, |_| {
            looks.send(()).expect("the job waits");
            until_held(&seen, "last");
            // Its rows are on the disk, and nobody has been shown them. One more comes now, which the writer would commit itself.
            let after = put(&other, "after");
            std::thread::sleep(Duration::from_millis(300));
            let (last, above) = (held(&seen, "last"), held(&seen, "after"));
            (after, last.is_some(), above.is_some())
        })
    });
    held_up.go().await;
    let (after, last_is_held, after_is_held) = look.await.expect("it looked");
    assert!(last_is_held);
    assert!(!after_is_held, "committed above what nobody has been shown");
    for done in [last.await, after.await] {
        done.expect("done");
    }
    for done in two {
        done.await.expect("done");
    }
    assert_eq!(held(&store, "after").as_deref(), Some("here"));
}
