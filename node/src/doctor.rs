//! Invariants, as code: each has a name, a sentence, and a repair where there is one.

use std::ops::ControlFlow;

use maillon_protocol::{
    admin::Check,
    ids::Hash,
    replica::{Row, RowPrefix, Rows},
    sync::View,
};
use sha2::{Digest, Sha256};

use crate::{
    clock::now_ms,
    clocks,
    daemon::Node,
    ledger::Shared,
    store::{Range, Table},
};

fn check(
    name: &str,
    sentence: &str,
    result: Result<String, String>,
    repair: Option<&str>,
) -> Check {
    let (holds, found) = match result {
        Ok(found) => (true, found),
        Err(found) => (false, found),
    };
    Check {
        name: name.to_owned(),
        sentence: sentence.to_owned(),
        holds,
        repair: repair.filter(|_| !holds).map(str::to_owned),
        found,
    }
}

/// Every row of every table opens under the storage key.
fn rows_open(shared: &Shared) -> Result<String, String> {
    let verified = shared
        .rows()
        .0
        .verify(|_| ControlFlow::Continue(()))
        .map_err(|error| error.to_string())?;
    if verified.is_good() {
        return Ok(format!("{} rows", verified.rows()));
    }
    let bad: Vec<String> = verified
        .tables
        .iter()
        .filter(|table| table.damaged > 0 || table.broken_off.is_some())
        .map(|table| format!("{} damaged in {}", table.damaged, table.table.name()))
        .collect();
    Err(bad.join(", "))
}

/// What is written reaches the disk.
fn commits(shared: &Shared) -> Result<String, String> {
    match shared.rows().0.trouble() {
        None => Ok("the last commit reached the disk".to_owned()),
        Some(trouble) => Err(trouble),
    }
}

/// The record at each log's height is the one that the circle names, and names its place.
fn heights_hold(shared: &Shared) -> Result<String, String> {
    let mut logs = 0_u64;
    for circle in shared.circles() {
        for (log, tip) in &circle.logs {
            logs += 1;
            let held = shared.look(now_ms(), |view| {
                view.record_id(&circle.id(), log, tip.height)
            });
            if held != Some(tip.head) {
                return Err(format!(
                    "circle {}: a log's head is not the record at its height",
                    circle.id().short()
                ));
            }
        }
    }
    Ok(format!("{logs} logs"))
}

/// Charters name their entries, and every entry is here.
fn charters_hold(shared: &Shared) -> Result<String, String> {
    let mut entries = 0_u64;
    for circle in shared.circles() {
        for number in 1..=circle.charter.number() {
            entries += 1;
            let held = shared
                .rows()
                .get(&Row::Entry(circle.id(), number))
                .map_err(|error| error.to_string())?;
            if held.is_none() {
                return Err(format!(
                    "circle {}: entry {number} is missing",
                    circle.id().short()
                ));
            }
        }
    }
    Ok(format!("{entries} entries"))
}

/// Each line of the audit trail names the hash of the one before it.
fn audit_links(shared: &Shared) -> Result<String, String> {
    let mut previous = Hash([0; 32]);
    let mut lines = 0_u64;
    let rows = shared
        .rows()
        .0
        .scan(Table::Audit, b"l", Range::all())
        .map_err(|error| error.to_string())?;
    for row in rows {
        let (_, bytes) = row.map_err(|error| error.to_string())?;
        let mut decoder = minicbor::Decoder::new(&bytes);
        let linked = decoder
            .array()
            .and_then(|_| decoder.u64())
            .and_then(|number| decoder.decode::<Hash>().map(|hash| (number, hash)))
            .map_err(|_| format!("line {} cannot be read", lines + 1))?;
        lines += 1;
        if linked != (lines, previous) {
            return Err(format!("line {lines} does not follow the one before it"));
        }
        previous = Hash(Sha256::digest(&bytes).into());
    }
    Ok(format!("{lines} lines"))
}

fn aside(shared: &Shared) -> Result<String, String> {
    let mut words = std::collections::BTreeMap::<String, u64>::new();
    for circle in shared.circles() {
        for bytes in shared
            .rows()
            .scan(&RowPrefix::Aside(circle.id()))
            .map_err(|error| error.to_string())?
        {
            let mut decoder = minicbor::Decoder::new(&bytes);
            let word = decoder
                .array()
                .and_then(|_| decoder.str())
                .unwrap_or("unreadable")
                .to_owned();
            *words.entry(word).or_default() += 1;
        }
    }
    if words.is_empty() {
        return Ok("nothing is kept aside".to_owned());
    }
    let list: Vec<String> = words
        .into_iter()
        .map(|(word, count)| format!("{word}: {count}"))
        .collect();
    Err(list.join(", "))
}

impl Node {
    /// Whose clock runs ahead: another's, or this node's own.
    async fn clocks_agree(&self) -> Check {
        let shared = std::sync::Arc::clone(self.ledger.shared());
        let read = tokio::task::spawn_blocking(move || {
            let now = now_ms();
            let found = clocks::from_ahead(&shared, now).map_err(|error| error.to_string())?;
            let authors = clocks::by_author(&shared, &found.recent);
            Ok((found.older, authors, clocks::own_ahead(&shared, now)))
        });
        let read = read.await;
        let found = match read.unwrap_or_else(|_| Err("the look broke off".to_owned())) {
            Err(error) => Err(error),
            Ok((older, authors, own)) => {
                let mut words: Vec<String> = authors
                    .iter()
                    .map(|(node, count)| {
                        let structure = self.care.structure_of(node);
                        format!("{count} records of {structure} came from more than ten minutes ahead in the last week")
                    })
                    .collect();
                if let Some((node, ahead)) = own {
                    let structure = self.care.structure_of(&node);
                    let minutes = ahead / 60_000;
                    words.push(format!(
                        "this node's own clock ran {minutes} minutes ahead of that of {structure}"
                    ));
                }
                match words.is_empty() {
                    true => Ok(format!(
                        "{older} records came from ahead before the last week"
                    )),
                    false => Err(words.join("; ")),
                }
            }
        };
        check(
            "clock.agrees",
            "The clocks of this node and of the others differ by ten minutes at most.",
            found,
            Some(
                "set the clock of the machine that is named (`timedatectl`), or call its administrator; no record is lost or refused for it",
            ),
        )
    }

    /// Checks every invariant now.
    pub(crate) async fn doctor(&self) -> Vec<Check> {
        let shared = std::sync::Arc::clone(self.ledger.shared());
        let checked = tokio::task::spawn_blocking(move || {
            vec![
                check(
                    "store.every-row-opens",
                    "Every row of the database opens under this node's storage key.",
                    rows_open(&shared),
                    Some("restore the last verified backup"),
                ),
                check(
                    "store.commits",
                    "What is written reaches the disk.",
                    commits(&shared),
                    Some("make room on the disk (`df -h`); restart maillond if it does not go on by itself"),
                ),
                check(
                    "circle.heights-hold",
                    "The last record of each log is the one that the circle names.",
                    heights_hold(&shared),
                    Some("restore the last verified backup"),
                ),
                check(
                    "charter.every-entry-here",
                    "Every entry of each charter is here.",
                    charters_hold(&shared),
                    Some("restore the last verified backup"),
                ),
                check(
                    "audit.lines-follow",
                    "Each line of the audit trail names the one before it.",
                    audit_links(&shared),
                    None,
                ),
                check(
                    "exchange.nothing-aside",
                    "Nothing signed that does not fit was kept aside.",
                    aside(&shared),
                    Some(
                        "call the administrator of the structure that `maillonctl peer list` names",
                    ),
                ),
            ]
        })
        .await;
        let mut checks = checked.unwrap_or_default();
        checks.push(self.clocks_agree().await);
        let problems: Vec<String> = self
            .peering
            .peers()
            .iter()
            .flat_map(|(node, _)| {
                let structure = self.care.structure_of(node);
                self.scores
                    .score(node)
                    .problems
                    .into_iter()
                    .map(move |(problem, count)| format!("{structure}: {problem} ({count})"))
            })
            .collect();
        checks.push(check(
            "exchange.peers-keep-the-rules",
            "No peer has sent anything that was refused since the start.",
            if problems.is_empty() {
                Ok("nothing was refused".to_owned())
            } else {
                Err(problems.join("; "))
            },
            Some("maillonctl peer show PEER, then call its administrator"),
        ));
        checks
    }
}
