//! What the doctor found last: pages show it without reading the whole database for each look.

use std::{
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    time::Duration,
};

use maillon_protocol::admin::Check;

use crate::{clock::now_ms, daemon::Node};

/// How long whoever asks waits for it: a small node is checked by then.
const PATIENCE: Duration = Duration::from_secs(3);

/// What was found, and when.
#[derive(Debug, Clone)]
pub(crate) struct Checked {
    /// Unix milliseconds.
    pub(crate) at_ms: u64,
    pub(crate) checks: Vec<Check>,
}

/// The last look since the start.
#[derive(Default)]
pub(crate) struct Latest {
    found: Mutex<Option<Checked>>,
    /// Held by whoever looks.
    looking: Arc<tokio::sync::Mutex<()>>,
}

impl Latest {
    fn held(&self) -> MutexGuard<'_, Option<Checked>> {
        // Every change is whole; a poisoned lock loses nothing.
        self.found.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// What was found last; none since the start.
    pub(crate) fn found(&self) -> Option<Checked> {
        self.held().clone()
    }

    /// Whether somebody looks now.
    pub(crate) fn is_looking(&self) -> bool {
        self.looking.try_lock().is_err()
    }

    /// Keeps what was found.
    pub(crate) fn keep(&self, at_ms: u64, checks: &[Check]) {
        let checks = checks.to_vec();
        *self.held() = Some(Checked { at_ms, checks });
    }
}

impl Node {
    /// Checks everything beside what goes on, and waits a little for it. Where it is being checked already, that look counts.
    pub(crate) async fn check_again(self: &Arc<Self>) {
        let Ok(turn) = Arc::clone(&self.latest.looking).try_lock_owned() else {
            return;
        };
        let node = Arc::clone(self);
        let looking = tokio::spawn(async move {
            let now_ms = now_ms();
            let checks = node.doctor(now_ms).await;
            node.latest.keep(now_ms, &checks);
            drop(turn);
        });
        // What is not done by then goes on, and shows later.
        let _ = tokio::time::timeout(PATIENCE, looking).await;
    }
}
