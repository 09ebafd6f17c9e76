//! Events as they commit.

use maillon_protocol::{
    admin::{Outcome, WatchEvent},
    content::Kind,
    replica::Notice,
};
use tokio::sync::{broadcast::error::RecvError, mpsc};

use super::server::reply;
use crate::{
    daemon::{LocalEvent, Node},
    ledger::Notices,
};

fn kind_name(number: u64) -> String {
    Kind::from_number(number)
        .and_then(|kind| serde_json::to_value(kind).ok())
        .and_then(|value| value.as_str().map(str::to_owned))
        .unwrap_or_else(|| number.to_string())
}

fn event(notice: &Notice, at_ms: u64) -> Option<WatchEvent> {
    Some(match notice {
        Notice::Recorded {
            circle,
            record,
            thing,
            kind,
            node,
            ..
        } => WatchEvent::Recorded {
            circle: *circle,
            record: *record,
            thing: *thing,
            kind: kind_name(*kind),
            node: *node,
            at_ms,
        },
        Notice::NotShown { circle, reason, .. } => WatchEvent::Reported {
            circle: Some(*circle),
            what: serde_json::to_value(reason)
                .ok()
                .and_then(|value| value.as_str().map(|word| format!("not-shown-{word}")))
                .unwrap_or_default(),
        },
        Notice::Finished(circle) => WatchEvent::Reported {
            circle: Some(*circle),
            what: "finished".to_owned(),
        },
        Notice::Erased { circle, .. } => WatchEvent::Reported {
            circle: Some(*circle),
            what: "erased".to_owned(),
        },
        Notice::Delivered {
            circle,
            record,
            node,
            at_ms,
        } => WatchEvent::Delivered {
            circle: *circle,
            record: *record,
            node: *node,
            at_ms: *at_ms,
        },
        Notice::Charter {
            circle,
            entry,
            member,
        } => WatchEvent::Charter {
            circle: *circle,
            entry: *entry,
            member: *member,
        },
        Notice::Continued { circle, by } => WatchEvent::Continued {
            circle: *circle,
            by: *by,
        },
        Notice::Invited(invitation) => WatchEvent::Invited {
            invitation: *invitation,
        },
        Notice::Cancelled(invitation) => WatchEvent::Cancelled {
            invitation: *invitation,
        },
        Notice::Aside { circle, what } => WatchEvent::Reported {
            circle: Some(*circle),
            what: (*what).to_owned(),
        },
        Notice::NotKept { circle, .. } => WatchEvent::Reported {
            circle: Some(*circle),
            what: "not-kept".to_owned(),
        },
        Notice::CharterForked { circle, .. } => WatchEvent::Reported {
            circle: Some(*circle),
            what: "charter-fork".to_owned(),
        },
        Notice::RunsTwice { circle, .. } => WatchEvent::Reported {
            circle: Some(*circle),
            what: "runs-twice".to_owned(),
        },
        Notice::ClockAhead { circle, .. } => WatchEvent::Reported {
            circle: Some(*circle),
            what: "clock-ahead".to_owned(),
        },
        Notice::NewIncarnation => WatchEvent::Reported {
            circle: None,
            what: "new-incarnation".to_owned(),
        },
        Notice::Replacing { .. } => WatchEvent::Reported {
            circle: None,
            what: "replacement".to_owned(),
        },
        Notice::Contested(_) => WatchEvent::Reported {
            circle: None,
            what: "second-replacement".to_owned(),
        },
        Notice::Revoked(_) => WatchEvent::Reported {
            circle: None,
            what: "revocation".to_owned(),
        },
        Notice::Descriptor(_) | Notice::Renewing(_) => return None,
    })
}

/// Sends events until the client goes away.
pub(super) async fn watch(node: &Node, id: u64, replies: &mpsc::Sender<Vec<u8>>) {
    let mut notices = node.ledger.shared().notices();
    let mut local = node.events.subscribe();
    let mut next = vec![WatchEvent::Watching];
    // How many notices there had been when the last ones were seen.
    let mut seen: Option<u64> = None;
    loop {
        for event in next {
            if replies
                .send(reply(id, Outcome::Event(event)))
                .await
                .is_err()
            {
                return;
            }
        }
        next = tokio::select! {
            committed = notices.recv() => match committed {
                Ok(Notices {
                    all, at_ms, before, ..
                }) => {
                    let count = before - seen.unwrap_or(before);
                    seen = Some(before + all.len() as u64);
                    let missed = (count > 0).then_some(WatchEvent::Missed { count });
                    let told = all.iter().filter_map(|notice| event(notice, at_ms));
                    missed.into_iter().chain(told).collect()
                }
                // The next commit's notices tell how many were missed.
                Err(RecvError::Lagged(_)) => Vec::new(),
                Err(RecvError::Closed) => return,
            },
            event = local.recv() => match event {
                Ok(LocalEvent::Link { node, up }) => vec![WatchEvent::Link { node, up }],
                Ok(LocalEvent::Pairing(pairing)) => vec![WatchEvent::Pairing { pairing }],
                Err(RecvError::Lagged(count)) => vec![WatchEvent::Missed { count }],
                Err(RecvError::Closed) => Vec::new(),
            },
            () = replies.closed() => return,
        };
    }
}
