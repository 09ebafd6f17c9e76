//! The worker that writes again what new members may not read, a part of it at a time, until nothing of it is left.

use std::{collections::BTreeSet, sync::Arc, time::Duration};

use maillon_protocol::{
    ids::CircleId,
    replica::{Notice, Replica},
};
use tokio::{sync::broadcast::error::RecvError, time::Instant};

use super::Node;
use crate::exchange;

const NAME: &str = "renewal";

/// Time after which a part that failed (the disk was full) is tried again.
const AGAIN: Duration = Duration::from_secs(60);

/// Runs for as long as the node does.
pub(super) async fn run(node: Arc<Node>) {
    let mut notices = node.ledger.shared().notices();
    // What a node that was stopped had not come to.
    let mut circles: BTreeSet<CircleId> = left(&node).into_iter().collect();
    let mut failed = BTreeSet::new();
    let mut again = Instant::now();
    loop {
        node.workers.queue(NAME, circles.len() as u64);
        for circle in std::mem::take(&mut circles) {
            let begun = node.workers.begin(NAME);
            let result = exchange::renew_further(&node.ledger, circle).await;
            if let Err(error) = &result {
                tracing::warn!(circle = %circle.short(), %error, "nothing could be written again for new members");
                failed.insert(circle);
                again = Instant::now() + AGAIN;
            }
            let result = result.map_err(|error| error.to_string());
            tokio::time::sleep(node.workers.end(NAME, begun, result)).await;
        }
        node.workers.queue(NAME, failed.len() as u64);
        // A part that is not the last says so once it is durable.
        tokio::select! {
            next = notices.recv() => match next {
                Ok(notices) => circles.extend(notices.all.iter().filter_map(|notice| match notice {
                    Notice::Renewing(circle) => Some(*circle),
                    _ => None,
                })),
                Err(RecvError::Lagged(_)) => circles.extend(left(&node)),
                Err(RecvError::Closed) => return,
            },
            () = tokio::time::sleep_until(again), if !failed.is_empty() => circles.append(&mut failed),
        }
    }
}

fn left(node: &Node) -> Vec<CircleId> {
    Replica::renewing(node.ledger.shared().rows()).unwrap_or_else(|error| {
        tracing::warn!(%error, "what is to be written again for new members could not be looked up");
        Vec::new()
    })
}
