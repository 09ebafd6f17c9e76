//! A process that is killed in the middle of its commits.

use std::io::{BufRead, BufReader, Write};
use std::process::{Command, Stdio};

use super::*;

/// Tells this test, run again as a child, in which folder to commit until it is killed.
const CHILD_FOLDER: &str = "MAILLON_TEST_COMMIT_UNTIL_KILLED";

const TABLES: [Table; 3] = [Table::Records, Table::Timeline, Table::Audit];

#[test]
fn after_a_kill_every_acknowledged_batch_is_whole_and_no_batch_is_half() {
    if let Ok(dir) = std::env::var(CHILD_FOLDER) {
        commit_for_ever(Path::new(&dir));
    }
    for kill_after in [1, 20, 150] {
        let dir = folder();
        let mut child = Command::new(std::env::current_exe().expect("this test"))
            .args(["--exact", "--nocapture"])
            .arg("store::tests::crash::after_a_kill_every_acknowledged_batch_is_whole_and_no_batch_is_half")
            .env(CHILD_FOLDER, dir.path())
            .stdout(Stdio::piped())
            .spawn()
            .expect("the child starts");
        let mut lines = BufReader::new(child.stdout.take().expect("its output")).lines();
        let mut acknowledged = Vec::new();
        while acknowledged.len() < kill_after {
            let line = lines.next().expect("the child goes on").expect("a line");
            acknowledged.extend(number_in(&line));
        }
        assert!(
            matches!(refusal(dir.path()), StoreError::InUse),
            "another process has it"
        );
        child.kill().expect("killed");
        child.wait().expect("it ended");
        acknowledged.extend(
            lines
                .map_while(Result::ok)
                .filter_map(|line| number_in(&line)),
        );

        let store = open(dir.path());
        let expected: Vec<u64> = (0..acknowledged.len() as u64).collect();
        assert_eq!(acknowledged, expected);
        // One more may have been committed, but not acknowledged any more.
        let written = TABLES.map(|table| {
            let rows = store.scan(table, b"", Range::all()).expect("a scan");
            rows.map(|row| sequence_of(&row.expect("a whole row").0).expect("a number"))
                .collect::<Vec<_>>()
        });
        assert_eq!(written[0], written[1]);
        assert_eq!(written[0], written[2]);
        assert!(written[0].starts_with(&acknowledged));
        assert!(written[0].len() <= acknowledged.len() + 1);
    }
}

fn commit_for_ever(dir: &Path) -> ! {
    let store = open(dir);
    let mut out = std::io::stdout().lock();
    for number in 0.. {
        let mut batch = store.batch();
        for table in TABLES {
            batch
                .put(table, &row_key(b"", number), &[7; 3000])
                .expect("room");
        }
        store.commit(batch).expect("committed");
        writeln!(out, "\ncommitted {number}")
            .and_then(|()| out.flush())
            .expect("the parent listens");
    }
    unreachable!("the parent kills this process");
}

fn number_in(line: &str) -> Option<u64> {
    line.strip_prefix("committed ")?.parse().ok()
}
