//! What runs beside the calls: the network's events, the allow-list, urgency, and slow checks.

use std::{
    collections::BTreeSet,
    fs::OpenOptions,
    io::Write,
    path::Path,
    sync::{Arc, Mutex, PoisonError},
    time::Duration,
};

use maillon_protocol::{content::Kind, replica::Notice};
use tokio::sync::{broadcast, broadcast::error::RecvError, mpsc};

use super::{LocalEvent, Node, describe};
use crate::{
    network::{Direction, FrameError, LinkEnd, NetworkEvent, Tap},
    peering::PeeringEvent,
};

/// A file that gets every byte handed to the network's streams. For tests.
pub(super) fn tap(path: &Path) -> std::io::Result<Tap> {
    let file = Mutex::new(OpenOptions::new().create(true).append(true).open(path)?);
    Ok(Arc::new(move |_: Direction, bytes: &[u8]| {
        let mut file = file.lock().unwrap_or_else(PoisonError::into_inner);
        // A test that cannot write its tap sees too little, and fails.
        let _ = file.write_all(bytes);
    }))
}

pub(super) fn start(
    node: &Arc<Node>,
    events: mpsc::Receiver<NetworkEvent>,
    peering: broadcast::Receiver<PeeringEvent>,
) {
    let tasks = vec![
        tokio::spawn(network(Arc::clone(node), events)),
        tokio::spawn(membership(Arc::clone(node), peering)),
        tokio::spawn(urgency(Arc::clone(node))),
        tokio::spawn(consents(Arc::clone(node))),
        tokio::spawn(requests(Arc::clone(node))),
        tokio::spawn(super::patients::run(Arc::clone(node))),
        tokio::spawn(super::erasure::settle(Arc::clone(node))),
        tokio::spawn(super::erasure::scrub(Arc::clone(node))),
        tokio::spawn(super::renewal::run(Arc::clone(node))),
        tokio::spawn(super::retention::run(Arc::clone(node))),
        tokio::spawn(super::upkeep::keys(Arc::clone(node))),
        tokio::spawn(super::upkeep::verify(Arc::clone(node))),
        tokio::spawn(super::upkeep::mark(Arc::clone(node))),
        tokio::spawn(super::trail::sign(Arc::clone(node))),
    ];
    node.tasks
        .lock()
        .unwrap_or_else(PoisonError::into_inner)
        .extend(tasks);
}

async fn network(node: Arc<Node>, mut events: mpsc::Receiver<NetworkEvent>) {
    while let Some(event) = events.recv().await {
        match event {
            NetworkEvent::LinkUp { node: peer, link } => {
                node.exchange.link_up(peer, link);
                node.connected.send_modify(|all| {
                    all.insert(peer);
                });
                // Nobody watching is no error.
                let _ = node.events.send(LocalEvent::Link {
                    node: peer,
                    up: true,
                });
            }
            NetworkEvent::LinkDown { node: peer, reason } => {
                tracing::info!(peer = %peer.short(), %reason, "link down");
                if let Some(fault) = fault_of(&reason) {
                    node.scores.problem(peer, &fault);
                }
                node.exchange.link_down(peer);
                node.connected.send_modify(|all| {
                    all.remove(&peer);
                });
                let _ = node.events.send(LocalEvent::Link {
                    node: peer,
                    up: false,
                });
            }
            NetworkEvent::DialFailed { node: peer, error } => {
                tracing::debug!(peer = %peer.short(), %error, "not reached");
            }
            NetworkEvent::StrangerRefused { total } => {
                tracing::info!(total, "a stranger was refused")
            }
            NetworkEvent::AtTheDoor { node: peer, door } => {
                let Some(frame) = node.exchange.presentation(peer) else {
                    continue;
                };
                tokio::spawn(async move {
                    match door.present(&frame).await {
                        Ok(()) => tracing::info!(peer = %peer.short(), "presented"),
                        // It is dialled again.
                        Err(error) => {
                            tracing::debug!(peer = %peer.short(), %error, "not presented")
                        }
                    }
                });
            }
            NetworkEvent::Presented {
                node: stranger,
                frame,
            } => {
                let node = Arc::clone(&node);
                tokio::spawn(async move {
                    // Whom this node has suspended, or with whom its peering has ended, it does not take as a fellow either.
                    if node.peering.relation(&stranger).is_some() {
                        return;
                    }
                    match node.exchange.presented(stranger, frame).await {
                        Ok(circle) => {
                            tracing::info!(node = %stranger.short(), circle = %circle.short(), "a fellow member presented itself");
                        }
                        Err(error) => tracing::debug!(%error, "a stranger was passed over"),
                    }
                });
            }
            NetworkEvent::ListenOn(address) => {
                tracing::info!(%address, "listening");
                {
                    let listening = node.listening.lock();
                    let mut listening = listening.unwrap_or_else(PoisonError::into_inner);
                    if !listening.contains(&address) {
                        listening.push(address);
                    }
                }
                node.describe().await;
            }
            NetworkEvent::ListenNoMore(address) => {
                let tells = {
                    let listening = node.listening.lock();
                    let mut listening = listening.unwrap_or_else(PoisonError::into_inner);
                    describe::without(&mut listening, &address)
                };
                if tells {
                    node.describe().await;
                }
            }
        }
    }
}

/// What the other node did wrong, where a link ended by that. Without the numbers that it chose, so that it cannot fill the list of problems.
fn fault_of(reason: &LinkEnd) -> Option<String> {
    match reason {
        LinkEnd::Frame(FrameError::TooLong { limit, .. }) => Some(format!(
            "a frame of more than {limit} bytes was announced; the link was closed"
        )),
        LinkEnd::Frame(FrameError::ReadStalled) => {
            Some("a frame was begun and not continued; the link was closed".to_owned())
        }
        _ => None,
    }
}

/// Keeps the allow-list and the kept connections in line with peers, charters and descriptors.
async fn membership(node: Arc<Node>, mut peering: broadcast::Receiver<PeeringEvent>) {
    let mut notices = node.ledger.shared().notices();
    loop {
        let changed = tokio::select! {
            notice = notices.recv() => match notice {
                Ok(notices) => notices
                    .all
                    .iter()
                    .any(|notice| matches!(notice, Notice::Charter { .. } | Notice::Descriptor(_) | Notice::Revoked(_))),
                Err(RecvError::Lagged(_)) => true,
                Err(RecvError::Closed) => return,
            },
            event = peering.recv() => match event {
                Ok(PeeringEvent::Pairing(pairing)) => {
                    let _ = node.events.send(LocalEvent::Pairing(pairing));
                    false
                }
                Ok(PeeringEvent::Peers) => false,
                Err(RecvError::Lagged(_)) => true,
                Err(RecvError::Closed) => return,
            },
        };
        if changed {
            let begun = node.workers.begin("membership");
            let result = node
                .peering
                .refresh()
                .await
                .map_err(|error| error.to_string());
            tokio::time::sleep(node.workers.end("membership", begun, result)).await;
        }
    }
}

/// Where somebody recorded, here or elsewhere, that a file may not be shared, nobody is admitted by an invitation that waits.
async fn consents(node: Arc<Node>) {
    let mut notices = node.ledger.shared().notices();
    loop {
        let circles: BTreeSet<_> = match notices.recv().await {
            Ok(notices) => notices
                .all
                .iter()
                .filter_map(|notice| match notice {
                    Notice::Recorded { circle, kind, .. } if *kind == Kind::Consent as u64 => {
                        Some(*circle)
                    }
                    _ => None,
                })
                .collect(),
            // What was missed is looked at in every circle.
            Err(RecvError::Lagged(_)) => {
                let all = node.ledger.shared().circles();
                all.iter().map(|circle| circle.id()).collect()
            }
            Err(RecvError::Closed) => return,
        };
        for circle in circles {
            if let Err(error) = node.care.consent_changed(circle).await {
                tracing::warn!(circle = %circle.short(), %error, "invitations could not be looked at");
            }
        }
    }
}

/// Grants what members ask for, as far as the configuration lets this node do that by itself.
async fn requests(node: Arc<Node>) {
    let words = &node.config.circles.grant_by_itself;
    if words.is_empty() {
        return;
    }
    let mut notices = node.ledger.shared().notices();
    loop {
        // At the start too: what came before it was stopped.
        if let Err(error) = node.care.grant_by_itself(words).await {
            tracing::warn!(%error, "requests could not be looked at");
        }
        loop {
            let asked = match notices.recv().await {
                Ok(notices) => notices.all.iter().any(|notice| match notice {
                    Notice::Recorded { kind, .. } => *kind == Kind::MembershipRequest as u64,
                    // It may be the steward since.
                    Notice::Charter { .. } => true,
                    _ => false,
                }),
                Err(RecvError::Lagged(_)) => true,
                Err(RecvError::Closed) => return,
            };
            if asked {
                break;
            }
        }
    }
}

/// Tells the network for whom an alert waits: it tries those more often.
async fn urgency(node: Arc<Node>) {
    let mut notices = node.ledger.shared().notices();
    let mut urgent = BTreeSet::new();
    // An alert must not wait for a look at ten thousand circles: who is in them changes seldom.
    let mut fellows = None;
    loop {
        let looked = tokio::time::timeout(Duration::from_secs(30), notices.recv()).await;
        let look = match looked {
            Err(_) | Ok(Err(RecvError::Lagged(_))) => {
                fellows = None;
                true
            }
            Ok(Err(RecvError::Closed)) => return,
            Ok(Ok(notices)) => {
                let charter = |notice: &Notice| matches!(notice, Notice::Charter { .. });
                if notices.all.iter().any(charter) {
                    fellows = None;
                }
                notices.all.iter().any(|notice| match notice {
                    Notice::Recorded { kind, .. } => *kind == Kind::Alert as u64,
                    Notice::Delivered { .. } => !urgent.is_empty(),
                    _ => false,
                })
            }
        };
        if !look {
            continue;
        }
        let begun = node.workers.begin("urgency");
        let known = fellows.get_or_insert_with(|| node.care.fellows());
        let now = match node.care.urgent(known) {
            Ok(now) => now,
            Err(error) => {
                tokio::time::sleep(node.workers.end("urgency", begun, Err(error.to_string())))
                    .await;
                continue;
            }
        };
        for peer in now.symmetric_difference(&urgent) {
            // A network that has stopped needs no urgency.
            let _ = node.network.urgent(*peer, now.contains(peer)).await;
        }
        node.workers.queue("urgency", now.len() as u64);
        urgent = now;
        tokio::time::sleep(node.workers.end("urgency", begun, Ok(()))).await;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_frame_that_is_too_long_is_counted_as_one_fault_whatever_length_it_claims() {
        let of = |announced| {
            let limit = 1 << 20;
            fault_of(&LinkEnd::Frame(FrameError::TooLong { announced, limit }))
        };
        assert!(of(2_000_000).is_some_and(|fault| fault.contains("1048576")));
        assert_eq!(of(2_000_000), of(3_000_000));
        // A line that breaks is nobody's fault.
        assert_eq!(fault_of(&LinkEnd::ClosedByPeer), None);
        let broken = FrameError::Broken(std::io::ErrorKind::ConnectionReset);
        assert_eq!(fault_of(&LinkEnd::Frame(broken)), None);
    }
}
