//! What the node does by itself about erasures: it answers those that need no person, and takes what was erased off the disk.
//!
//! RocksDB keeps a value that was replaced, sealed, until it rewrites the file that holds it, which may take months. So some minutes after an
//! erasure its tables are rewritten. How many erasures that covered is kept: a node that was stopped in between does it after its start.

use std::{sync::Arc, time::Duration};

use maillon_protocol::{cbor, content::Kind, replica::Notice};
use tokio::sync::broadcast::error::RecvError;

use super::Node;
use crate::{care::CareError, store::Table};

const NAME: &str = "erasure";
/// Time after an erasure in which others may come, which are then done with it.
const GATHER: Duration = Duration::from_secs(300);
/// Time after which a rewriting that failed is tried again.
const AGAIN: Duration = Duration::from_secs(3600);
/// How many erasures the last rewriting covered.
const SCRUBBED: &[u8] = b"scrubbed";

/// Answers what needs no person, for as long as the node runs.
pub(super) async fn settle(node: Arc<Node>) {
    let all = node.config.circles.erase_by_itself;
    let mut notices = node.ledger.shared().notices();
    loop {
        // At the start too: what came before it was stopped.
        if let Err(error) = node.care.settle_erasures(all).await {
            tracing::warn!(%error, "erasures could not be looked at");
        }
        loop {
            let look = match notices.recv().await {
                Ok(notices) => notices.all.iter().any(|notice| match notice {
                    Notice::Recorded { kind, .. } => *kind == Kind::Erasure as u64,
                    // It can be written now, or what waited for it has come.
                    Notice::Charter { .. } | Notice::NotShown { .. } | Notice::Erased { .. } => {
                        true
                    }
                    _ => false,
                }),
                Err(RecvError::Lagged(_)) => true,
                Err(RecvError::Closed) => return,
            };
            if look {
                break;
            }
        }
    }
}

/// Rewrites the tables from which something was erased, for as long as the node runs.
pub(super) async fn scrub(node: Arc<Node>) {
    let gather = node
        .config
        .test
        .scrub_after_s
        .map_or(GATHER, Duration::from_secs);
    let mut notices = node.ledger.shared().notices();
    loop {
        let (erased, scrubbed) = (erased(&node), scrubbed(&node));
        node.workers.queue(NAME, erased.saturating_sub(scrubbed));
        if erased == scrubbed {
            let news = notices.recv().await;
            if matches!(news, Err(RecvError::Closed)) {
                return;
            }
            continue;
        }
        tokio::time::sleep(gather).await;
        let begun = node.workers.begin(NAME);
        // What is erased from here on is not covered.
        let covered = self::erased(&node);
        let done = rewrite(&node, covered).await;
        if let Err(error) = &done {
            tracing::warn!(%error, "what was erased could not be taken off the disk");
        }
        let failed = done.is_err();
        tokio::time::sleep(node.workers.end(NAME, begun, done)).await;
        if failed {
            tokio::time::sleep(AGAIN).await;
        }
    }
}

async fn rewrite(node: &Node, covered: u64) -> Result<(), String> {
    let store = node.ledger.shared().rows().0.clone();
    let rewritten = tokio::task::spawn_blocking(move || {
        store.compact(Table::Records)?;
        store.compact(Table::Blobs)
    });
    let rewritten = rewritten.await.map_err(|error| error.to_string())?;
    rewritten.map_err(|error| error.to_string())?;
    let job = node.ledger.run(move |tx| {
        tx.put(Table::Meta, SCRUBBED.to_vec(), cbor::encode(&covered));
        Ok::<(), CareError>(())
    });
    job.await
        .map_err(|error| CareError::from(error).to_string())
}

/// How many records were erased here.
fn erased(node: &Node) -> u64 {
    let circles = node.ledger.shared().circles();
    circles.iter().map(|circle| circle.erasures).sum()
}

fn scrubbed(node: &Node) -> u64 {
    let rows = &node.ledger.shared().rows().0;
    let kept = rows.get(Table::Meta, SCRUBBED).ok().flatten();
    kept.and_then(|bytes| cbor::decode(&bytes).ok())
        .unwrap_or(0)
}
