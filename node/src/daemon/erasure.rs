//! What the node does by itself about erasures: it answers those that need no person, and takes what was erased off the disk.
//!
//! RocksDB keeps a value that was replaced, sealed, until it rewrites the file that holds it, which may take months. So some minutes after an
//! erasure its tables are rewritten. That this is due is kept: a node that was stopped in between does it after its start.

use std::{collections::BTreeSet, sync::Arc, time::Duration};

use maillon_protocol::{cbor, content::Kind, replica::Notice};
use tokio::sync::broadcast::error::RecvError;

use super::Node;
use crate::{
    care::{CareError, SCRUB},
    store::Table,
};

const NAME: &str = "erasure";
/// Time after an erasure in which others may come, which are then done with it.
const GATHER: Duration = Duration::from_secs(300);
/// Time after which a rewriting that failed is tried again.
const AGAIN: Duration = Duration::from_secs(3600);

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
                    Notice::Charter { .. } | Notice::NotShown { .. } => true,
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
    let test = node.config.test.scrub_after_s;
    let gather = test.map_or(GATHER, Duration::from_secs);
    let mut notices = node.ledger.shared().notices();
    loop {
        if let Some(due) = due(&node) {
            node.workers.queue(NAME, 1);
            tokio::time::sleep(gather).await;
            let begun = node.workers.begin(NAME);
            let done = rewrite(&node, due).await;
            if let Err(error) = &done {
                tracing::warn!(%error, "what was erased could not be taken off the disk");
            }
            let failed = done.is_err();
            node.workers.queue(NAME, u64::from(failed));
            tokio::time::sleep(node.workers.end(NAME, begun, done)).await;
            if failed {
                tokio::time::sleep(AGAIN).await;
            }
        }
        let mut erased = BTreeSet::new();
        while erased.is_empty() {
            match notices.recv().await {
                Ok(notices) => {
                    erased.extend(notices.all.iter().filter_map(|notice| match notice {
                        Notice::Erased { circle, record } => Some((*circle, Some(*record))),
                        Notice::Finished(circle) => Some((*circle, None)),
                        _ => None,
                    }));
                }
                Err(RecvError::Lagged(_)) => break,
                Err(RecvError::Closed) => return,
            }
        }
        for (circle, record) in erased {
            // Done with the erasure, unless it was carried out because of what this node had said before its disk went back.
            if let Err(error) = node.care.forget_origin(circle, record).await {
                tracing::warn!(circle = %circle.short(), %error, "an imported file could not be emptied");
            }
        }
    }
}

async fn rewrite(node: &Node, due: u64) -> Result<(), String> {
    let store = node.ledger.shared().rows().0.clone();
    let rewritten = tokio::task::spawn_blocking(move || {
        [Table::Records, Table::Blobs, Table::Originals]
            .into_iter()
            .try_for_each(|table| store.compact(table))
    });
    let rewritten = rewritten.await.map_err(|error| error.to_string())?;
    rewritten.map_err(|error| error.to_string())?;
    // What was erased meanwhile has set another time.
    if self::due(node) == Some(due) {
        let job = node.ledger.run(move |tx| {
            tx.delete(Table::Meta, SCRUB.to_vec());
            Ok::<(), CareError>(())
        });
        job.await
            .map_err(|error| CareError::from(error).to_string())?;
    }
    Ok(())
}

fn due(node: &Node) -> Option<u64> {
    let kept = node.ledger.shared().rows().0.get(Table::Meta, SCRUB);
    kept.ok()
        .flatten()
        .and_then(|bytes| cbor::decode(&bytes).ok())
}
