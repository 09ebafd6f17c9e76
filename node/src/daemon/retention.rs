//! The worker that lets go of the files whose time is over, where the configuration says how long they are kept, and that sweeps away what is left of
//! those that were let go of: a part at a time, after a restart too. It also drops what people keep for themselves, when its time is over.

use std::{sync::Arc, time::Duration};

use maillon_protocol::replica::{Notice, Replica};
use tokio::{sync::broadcast::error::RecvError, time::Instant};

use super::Node;
use crate::{
    care::{Actor, CareError, YEAR_MS},
    clock::now_ms,
};

const NAME: &str = "retention";
/// Time between two looks at what has ended.
const EVERY: Duration = Duration::from_secs(3600);

/// Runs for as long as the node does.
pub(super) async fn run(node: Arc<Node>) {
    let mut notices = node.ledger.shared().notices();
    let mut look = Instant::now();
    loop {
        if look <= Instant::now() {
            look = Instant::now() + EVERY;
            if let Err(error) = let_go(&node).await {
                tracing::warn!(%error, "the files whose time is over could not be looked up");
            }
            if let Err(error) = node.care.sweep_own(now_ms()).await {
                tracing::warn!(%error, "what people kept for themselves could not be swept");
            }
        }
        if let Err(error) = sweep(&node).await {
            tracing::warn!(%error, "what is left of a file could not be swept away");
        }
        tokio::select! {
            () = tokio::time::sleep_until(look) => {}
            () = finished(&mut notices) => {}
        }
    }
}

/// Until something was let go of; for ever where the node is stopping.
async fn finished(notices: &mut tokio::sync::broadcast::Receiver<crate::ledger::Notices>) {
    loop {
        match notices.recv().await {
            Ok(notices) => {
                let mut all = notices.all.iter();
                if all.any(|notice| matches!(notice, Notice::Finished(_))) {
                    return;
                }
            }
            Err(RecvError::Lagged(_)) => return,
            Err(RecvError::Closed) => std::future::pending().await,
        }
    }
}

async fn let_go(node: &Node) -> Result<(), CareError> {
    let kept_ms = match node.config.retention.years {
        0 => return Ok(()),
        years => u64::from(years) * YEAR_MS,
    };
    for circle in node.care.over(kept_ms, now_ms()).await? {
        match node.care.finish(&Actor::itself(), circle).await {
            Ok(_) => {}
            // Looked at again in an hour.
            Err(CareError::Finish(error)) => {
                tracing::info!(circle = %circle.short(), %error, "a file whose time is over waits");
                continue;
            }
            Err(error) => return Err(error),
        }
        tracing::info!(circle = %circle.short(), "the time of a file is over: this node has let go of it");
    }
    Ok(())
}

async fn sweep(node: &Node) -> Result<(), CareError> {
    let left = Replica::finishing(node.ledger.shared().rows())?;
    node.workers.queue(NAME, left.len() as u64);
    for circle in left {
        let mut more = true;
        while more {
            let begun = node.workers.begin(NAME);
            let swept = node.care.sweep(circle).await;
            let result = swept.as_ref().map(drop).map_err(ToString::to_string);
            tokio::time::sleep(node.workers.end(NAME, begun, result)).await;
            more = swept?;
        }
    }
    node.workers.queue(NAME, 0);
    Ok(())
}
