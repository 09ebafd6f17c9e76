//! Slow work: verification, projection anew, the persisted throttle of workers, the disk.

use std::{convert::Infallible, path::Path, sync::Arc, time::Duration};

use maillon_protocol::{admin::ErrorCode, cbor};

use super::{Node, StartError};
use crate::{
    admin::Refusal,
    audit::{self, About, By, Object},
    care::CareError,
    clock::now_ms,
    store::{Range, Table},
    workers::MAX_TRANQUILLITY,
};

/// Time between two verifications of the whole database.
const VERIFY_EVERY: Duration = Duration::from_secs(24 * 3600);
/// Time after a start in which people and peers come first.
const SETTLED: Duration = Duration::from_secs(600);
/// When the last one found that everything holds, Unix milliseconds.
const VERIFIED: &[u8] = b"verified";

/// Time between two looks at how far the log is.
const MARK_EVERY: Duration = Duration::from_secs(2);

/// Time between two looks at the receive key.
const KEYS_EVERY: Duration = Duration::from_secs(3600);

fn worker_key(name: &str) -> Vec<u8> {
    [b"worker ", name.as_bytes()].concat()
}

impl Node {
    /// Names the workers and takes over how tranquil the administrator wants them.
    pub(super) fn load_workers(&self) -> Result<(), StartError> {
        for (name, does, tranquillity) in [
            (
                "membership",
                "Lets in those whom charters and peerings name, and dials them.",
                0,
            ),
            (
                "urgency",
                "Looks for whom an alert waits, so that they are tried more often.",
                0,
            ),
            (
                "renewal",
                "Writes again what new members may not read, a hundred records at a time.",
                0,
            ),
            (
                "erasure",
                "Takes what was erased off the disk, some minutes after.",
                1,
            ),
            (
                "keys",
                "Makes a new receive key thirty days before the present one expires.",
                0,
            ),
            (
                "retention",
                "Lets go of the files whose time is over, and sweeps away what is left of them.",
                1,
            ),
            (
                super::trail::NAME,
                "Signs the audit trail once a day with the node's key.",
                0,
            ),
            (
                "verify",
                "Checks once a day, at low priority, everything that `maillonctl doctor` checks, relays left out.",
                4,
            ),
        ] {
            self.workers.register(name, does, tranquillity);
        }
        for row in self
            .ledger
            .shared()
            .rows()
            .0
            .scan(Table::Meta, b"worker ", Range::all())?
        {
            let (key, value) = row?;
            let name = String::from_utf8_lossy(&key["worker ".len()..]).into_owned();
            if let Ok(tranquillity) = cbor::decode::<u32>(&value) {
                self.workers.set(&name, tranquillity);
            }
        }
        Ok(())
    }

    pub(crate) async fn set_worker(
        &self,
        by: By,
        name: &str,
        tranquillity: u32,
    ) -> Result<(), Refusal> {
        if tranquillity > MAX_TRANQUILLITY {
            return Err(Refusal::new(
                ErrorCode::BadRequest,
                format!("tranquillity is 0 to {MAX_TRANQUILLITY}"),
                "`maillonctl worker set WORKER 4`",
            ));
        }
        let Some(name) = self.workers.set(name, tranquillity) else {
            return Err(Refusal::new(
                ErrorCode::NotFound,
                "no worker has this name",
                "see `maillonctl worker list`",
            ));
        };
        let (key, value) = (worker_key(name), cbor::encode(&tranquillity));
        let job = self.ledger.run(move |tx| {
            tx.put(Table::Meta, key, value);
            let about = About::object(Object::Worker(name));
            audit::note(tx, by, "worker.set", about)?;
            Ok::<(), CareError>(())
        });
        Ok(job.await.map_err(CareError::from)?)
    }

    /// Projects every circle's views again, circle by circle.
    pub(crate) async fn rebuild(&self) -> Result<(), Refusal> {
        for circle in self.ledger.shared().circles() {
            let id = circle.id();
            let job = self
                .ledger
                .run(move |tx| tx.replica.reproject(tx.rows, &id).map_err(CareError::from));
            job.await.map_err(CareError::from)?;
        }
        Ok(())
    }

    /// Free bytes on the data folder's disk; 0 where the system does not say.
    pub(crate) fn disk_free(&self) -> u64 {
        rustix::fs::statvfs(&self.dir).map_or(0, |disk| disk.f_bavail * disk.f_frsize)
    }

    /// Bytes of the data folder.
    pub(crate) fn disk_used(&self) -> u64 {
        folder_size(&self.dir)
    }
}

fn folder_size(dir: &Path) -> u64 {
    let Ok(entries) = std::fs::read_dir(dir) else {
        return 0;
    };
    entries
        .flatten()
        .map(|entry| match entry.metadata() {
            Ok(meta) if meta.is_dir() => folder_size(&entry.path()),
            Ok(meta) => meta.len(),
            Err(_) => 0,
        })
        .sum()
}

/// How long until everything is to be checked. A node that is started each morning is checked each day too.
fn until_due(last_ms: Option<u64>, now_ms: u64, every: Duration) -> Duration {
    let since = last_ms.map_or(every, |last| {
        Duration::from_millis(now_ms.saturating_sub(last))
    });
    every.saturating_sub(since).max(SETTLED.min(every))
}

/// Checks every invariant once a day, at low priority.
pub(super) async fn verify(node: Arc<Node>) {
    let every = node.config.test.verify_every_s;
    let every = every.map_or(VERIFY_EVERY, Duration::from_secs);
    let store = &node.ledger.shared().rows().0;
    // A row that cannot be read is found by the check that comes soon then.
    let last = store.get(Table::Meta, VERIFIED).ok().flatten();
    let last = last.and_then(|bytes| cbor::decode::<u64>(&bytes).ok());
    if let Some(last) = last {
        node.workers.succeeded("verify", last);
    }
    tokio::time::sleep(until_due(last, now_ms(), every)).await;
    loop {
        let begun = node.workers.begin("verify");
        let now = now_ms();
        let checks = node.invariants(now).await;
        node.latest.keep(now, &checks);
        let failed = checks.into_iter().filter(|check| !check.holds);
        let broken: Vec<String> = failed.map(|check| check.name).collect();
        let result = if broken.is_empty() {
            Ok(())
        } else {
            Err(format!(
                "{} does not hold: run `maillonctl doctor`",
                broken.join(", ")
            ))
        };
        match &result {
            Err(error) => tracing::error!(%error, "verification"),
            Ok(()) => {
                let row = cbor::encode(&now_ms());
                let noted = node.ledger.run(|tx| {
                    tx.put(Table::Meta, VERIFIED.to_vec(), row);
                    Ok::<(), Infallible>(())
                });
                if let Err(error) = noted.await {
                    tracing::warn!(%error, "that everything holds could not be noted");
                }
            }
        }
        tokio::time::sleep(node.workers.end("verify", begun, result) + every).await;
    }
}

/// Writes down how far the database's log is on the disk.
pub(super) async fn mark(node: Arc<Node>) {
    loop {
        tokio::time::sleep(MARK_EVERY).await;
        let store = node.ledger.shared().rows().0.clone();
        // One that could not be written leaves the one before.
        let _ = tokio::task::spawn_blocking(move || store.mark()).await;
    }
}

/// Looks now and every hour whether the receive key must be replaced.
pub(super) async fn keys(node: Arc<Node>) {
    loop {
        // Another recovery key may rule this node since it was started, or since a peer told it so.
        node.describe().await;
        let begun = node.workers.begin("keys");
        let now_ms = now_ms();
        let result = if node.keyring.lock().await.is_due(now_ms) {
            let renewed = node.rotate_keys(By::itself(), now_ms).await;
            renewed.map_err(|refusal| refusal.cause)
        } else {
            Ok(())
        };
        if let Err(error) = &result {
            tracing::error!(%error, "the receive key could not be renewed");
        }
        tokio::time::sleep(node.workers.end("keys", begun, result) + KEYS_EVERY).await;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn everything_is_checked_a_day_after_the_last_time_however_often_the_node_was_started_since() {
        const HOUR: u64 = 3600;
        let day = VERIFY_EVERY;
        let (now, seconds) = (1_795_348_800_000, Duration::from_secs);
        let ago = |hours: u64| Some(now - hours * HOUR * 1000);
        assert_eq!(until_due(ago(1), now, day), seconds(23 * HOUR));
        // Overdue or never: soon, and not while everybody comes back.
        for last in [None, ago(24), ago(2000)] {
            assert_eq!(until_due(last, now, day), SETTLED);
        }
        // A clock that was turned back puts it off by a day at most.
        assert_eq!(until_due(Some(now + HOUR * 1000), now, day), day);
        assert_eq!(until_due(None, now, seconds(1)), seconds(1));
    }
}
