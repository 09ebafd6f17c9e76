//! The index of patients follows each commit; then whoever has a page open is told.

use std::{collections::BTreeSet, future::pending, pin::pin, sync::Arc, time::Duration};

use maillon_protocol::{content::Kind, ids::CircleId, replica::Notice};
use tokio::{sync::broadcast::error::RecvError, task::spawn_blocking, time::sleep};

use super::Node;
use crate::{care::Change, ledger::Notices};

/// After so long everything is read again, where reading it broke off.
const AGAIN: Duration = Duration::from_secs(60);

/// What a commit means for one file.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum Meaning {
    /// Something came into it.
    Touched,
    /// Who the person is, who follows them, or whether the file is open.
    Changed,
}

fn meaning(notice: &Notice) -> Option<(CircleId, Meaning)> {
    const WHO: [u64; 2] = [Kind::PatientIdentity as u64, Kind::Participation as u64];
    Some(match notice {
        Notice::Recorded { circle, kind, .. } if WHO.contains(kind) => (*circle, Meaning::Changed),
        Notice::Recorded { circle, .. } => (*circle, Meaning::Touched),
        Notice::Erased { circle, .. }
        | Notice::Charter { circle, .. }
        | Notice::Aside { circle, .. }
        | Notice::CharterForked { circle, .. } => (*circle, Meaning::Changed),
        Notice::Continued { circle, .. } => (*circle, Meaning::Changed),
        Notice::Finished(circle) => (*circle, Meaning::Changed),
        _ => return None,
    })
}

/// What a commit changes on pages: the files, and whether that may change which alerts wait.
fn change(commit: &Notices) -> Change {
    const ALERTS: [u64; 3] = [
        Kind::Alert as u64,
        Kind::AlertAnswer as u64,
        Kind::Participation as u64,
    ];
    let mut change = Change {
        commit: commit.commit,
        ..Change::default()
    };
    let mut in_file = |circle: &CircleId, alerts: bool| {
        *change.files.entry(*circle).or_insert(false) |= alerts;
    };
    for notice in commit.all.iter() {
        match notice {
            Notice::Recorded { circle, kind, .. } => in_file(circle, ALERTS.contains(kind)),
            Notice::Delivered { circle, .. } | Notice::NotShown { circle, .. } => {
                in_file(circle, false);
            }
            Notice::Invited(_) | Notice::Cancelled(_) => change.invitations = true,
            other => {
                if let Some((circle, _)) = meaning(other) {
                    in_file(&circle, true);
                }
            }
        }
    }
    change
}

/// Builds the index, beside everything else, and follows.
pub(super) async fn run(node: Arc<Node>) {
    if node.config.web.settings(&node.dir).is_none() {
        // Nobody looks for anybody here.
        return;
    }
    let mut notices = node.ledger.shared().notices();
    let mut missed = false;
    loop {
        join(&node).await;
        let care = node.care.clone();
        // Reading every file takes a while: nobody waits for it.
        let whole = spawn_blocking(move || care.build_index()).await.is_ok();
        if !whole {
            tracing::error!("the list of patients could not be read: it is tried again");
        }
        if missed {
            // What changed was told to nobody.
            node.care.tell_anything();
        }
        let mut again = pin!(async {
            if whole {
                pending::<()>().await;
            }
            sleep(AGAIN).await;
        });
        loop {
            let heard = tokio::select! {
                heard = notices.recv() => heard,
                () = &mut again => break,
            };
            match heard {
                Ok(commit) => {
                    follow(&node, &commit).await;
                    node.care.tell_change(change(&commit));
                }
                // What was missed is read again, with everything.
                Err(RecvError::Lagged(_)) => break,
                Err(RecvError::Closed) => return,
            }
        }
        missed = true;
    }
}

/// Whoever accepted an invitation follows the person as soon as the file is here.
async fn join(node: &Arc<Node>) {
    if let Err(error) = node.care.join_where_admitted().await {
        tracing::warn!(%error, "whoever accepted an invitation could not join the team");
    }
}

async fn follow(node: &Arc<Node>, commit: &Notices) {
    let mut touched = BTreeSet::new();
    let mut changed = BTreeSet::new();
    for (circle, meaning) in commit.all.iter().filter_map(meaning) {
        match meaning {
            Meaning::Touched => touched.insert(circle),
            Meaning::Changed => changed.insert(circle),
        };
    }
    for circle in &touched {
        node.care.touch_file(circle, commit.at_ms);
    }
    if changed.is_empty() {
        return join(node).await;
    }
    let care = node.care.clone();
    let read = spawn_blocking(move || {
        for circle in changed {
            if let Err(error) = care.refresh_file(&circle) {
                tracing::warn!(circle = %circle.short(), %error, "a file could not be read for the list of patients");
            }
        }
    });
    if read.await.is_err() {
        tracing::error!("the list of patients could not be brought up to date");
    }
    // A secret that came with it may be what was missing.
    join(node).await;
}
