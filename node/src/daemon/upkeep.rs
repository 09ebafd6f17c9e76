//! Slow work: verification, projection anew, the persisted throttle of workers, the disk.

use std::{path::Path, sync::Arc, time::Duration};

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
                "keys",
                "Makes a new receive key thirty days before the present one expires.",
                0,
            ),
            (
                "verify",
                "Checks once a day, at low priority, everything that `maillonctl doctor` checks.",
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

/// Checks every invariant once a day, at low priority.
pub(super) async fn verify(node: Arc<Node>) {
    let every = node.config.test.verify_every_s;
    let every = every.map_or(VERIFY_EVERY, Duration::from_secs);
    loop {
        tokio::time::sleep(every).await;
        let begun = node.workers.begin("verify");
        let broken: Vec<String> = node
            .doctor(now_ms())
            .await
            .into_iter()
            .filter(|check| !check.holds)
            .map(|check| check.name)
            .collect();
        let result = if broken.is_empty() {
            Ok(())
        } else {
            Err(format!(
                "{} does not hold: run `maillonctl doctor`",
                broken.join(", ")
            ))
        };
        if let Err(error) = &result {
            tracing::error!(%error, "verification");
        }
        tokio::time::sleep(node.workers.end("verify", begun, result)).await;
    }
}

/// Looks now and every hour whether the receive key must be replaced.
pub(super) async fn keys(node: Arc<Node>) {
    loop {
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
