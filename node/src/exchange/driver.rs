//! One task for each link.

use std::{
    collections::HashMap,
    future::Future,
    pin::Pin,
    sync::{
        Arc, Mutex, PoisonError,
        atomic::{AtomicU32, AtomicUsize, Ordering::Relaxed},
    },
    time::Duration,
};

use futures::{StreamExt, stream::FuturesOrdered};
use maillon_protocol::{
    ids::{CircleId, InvitationId, NodeId},
    replica::{ArriveError, LetterError, StorageError},
    sync::{Batch, Effect, Event, Limits, Outcome, Problem, Session},
};
use tokio::{sync::mpsc, task::AbortHandle, time::Instant};

use super::{
    Scores,
    outgoing::Outgoing,
    renewal,
    verify::{Checked, check, is_long},
};
use crate::{
    audit::{self, About, AuditError, By, Object},
    clock::now_ms,
    ledger::{Ledger, LedgerError, Shared, Subscription, Tx},
    network::{Link, LinkReceiver},
};

/// Batches of one peer that are being checked or committed; while there are so many, no frame of it is read.
const UNDER_WAY: usize = 32;

/// Bytes that wait to be sent to one peer from which on no news is pushed to it.
const PUSHED: usize = 1 << 20;

/// Bytes that wait to be sent to one peer from which on it is not read: only one that asks much and reads nothing comes here.
const MOST: usize = 32 << 20;
/// Things refused on one link before it is closed: each costs this node a look, so the peer waits between two rounds of them.
const FORGIVEN: u32 = 32;

/// What is said of a peer whose link is closed for it.
const TOO_MUCH: &str = "the peer sent more than 32 things on one connection that were refused";

/// The exchange with everybody.
pub struct Exchange {
    pub(super) ledger: Ledger,
    /// How often this node has presented itself.
    pub(super) turn: AtomicUsize,
    scores: Arc<Scores>,
    limits: Limits,
    running: Mutex<HashMap<NodeId, AbortHandle>>,
}

/// Why a batch was not taken.
#[derive(Debug, thiserror::Error)]
pub(super) enum TakeError {
    #[error(transparent)]
    Arrive(#[from] ArriveError),
    #[error(transparent)]
    Letter(#[from] LetterError),
    #[error(transparent)]
    Storage(#[from] StorageError),
    #[error(transparent)]
    Audit(#[from] AuditError),
}

impl Exchange {
    /// No links yet.
    pub fn new(ledger: Ledger, scores: Arc<Scores>, limits: Limits) -> Self {
        Self {
            ledger,
            turn: AtomicUsize::new(0),
            scores,
            limits,
            running: Mutex::new(HashMap::new()),
        }
    }

    /// Talks over a new link; an older one with the same node has ended.
    pub fn link_up(&self, node: NodeId, link: Link) {
        let task = Task {
            node,
            ledger: self.ledger.clone(),
            scores: Arc::clone(&self.scores),
            session: Session::new(node, self.limits),
            subscription: self.ledger.shared().subscribe(),
            refused: Arc::default(),
        };
        let running = tokio::spawn(task.run(link)).abort_handle();
        let mut all = self.running.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(before) = all.insert(node, running) {
            before.abort();
        }
    }

    /// The link with a node has ended.
    pub fn link_down(&self, node: NodeId) {
        if let Some(task) = self
            .running
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .remove(&node)
        {
            task.abort();
        }
        self.ledger.shared().claims().free_all(&node);
    }
}

struct Task {
    node: NodeId,
    ledger: Ledger,
    scores: Arc<Scores>,
    session: Session,
    subscription: Subscription,
    refused: Refused,
}

/// How much of what came over one link was refused.
type Refused = Arc<AtomicU32>;

type Checking = Pin<Box<dyn Future<Output = (u64, Result<Checked, String>)> + Send>>;

impl Task {
    async fn run(mut self, link: Link) {
        let (sender, mut receiver) = link.split();
        let (done, mut finished) = mpsc::channel::<(u64, Outcome)>(UNDER_WAY * 2);
        let mut checking: FuturesOrdered<Checking> = FuturesOrdered::new();
        let mut committing = 0_usize;
        let mut outgoing = Outgoing::new(sender);
        let mut timer: Option<Instant> = None;
        let mut effects = self.step(Event::Started);
        loop {
            for effect in effects {
                match effect {
                    Effect::Send(message) => {
                        self.scores.frame(self.node, false, message.name());
                        outgoing.push(message.encode());
                    }
                    Effect::Commit(number, batch) => checking.push_back(checked(number, batch)),
                    Effect::Timer(at_ms) => {
                        timer = Some(
                            Instant::now() + Duration::from_millis(at_ms.saturating_sub(now_ms())),
                        );
                    }
                    Effect::Report(problem) => {
                        self.refused.fetch_add(1, Relaxed);
                        self.scores.problem(self.node, &problem.to_string());
                    }
                    // That this node does not speak to it any more is no fault of the peer's.
                    Effect::Close(Problem::Refused) => {
                        tracing::info!(peer = %self.node.short(), "closing the connection: {}", Problem::Refused);
                        return;
                    }
                    Effect::Close(problem) => {
                        self.scores.problem(self.node, &problem.to_string());
                        tracing::warn!(peer = %self.node.short(), %problem, "closing the connection");
                        return;
                    }
                }
            }
            if self.refused.load(Relaxed) > FORGIVEN {
                self.scores.problem(self.node, TOO_MUCH);
                tracing::warn!(peer = %self.node.short(), "closing the connection: {TOO_MUCH}");
                return;
            }
            if self.subscription.lost() {
                effects = self.step(Event::NewsLost);
                continue;
            }
            let busy = checking.len() + committing >= UNDER_WAY;
            effects = tokio::select! {
                biased;
                Some((number, outcome)) = finished.recv(), if committing > 0 => {
                    committing -= 1;
                    self.step(Event::Done(number, outcome))
                }
                Some((number, result)) = checking.next(), if !checking.is_empty() => {
                    committing += 1;
                    self.take(number, result, done.clone());
                    Vec::new()
                }
                sent = outgoing.send(), if !outgoing.is_empty() => {
                    if sent.is_err() {
                        return;
                    }
                    if outgoing.is_empty() { self.step(Event::Flushed) } else { Vec::new() }
                }
                // To a peer that reads too slowly nothing more is pushed: what its queue loses is compared again.
                Some(news) = self.subscription.queue.recv(), if outgoing.bytes() < PUSHED => {
                    self.step(Event::Committed(&news))
                }
                // Reading goes on while frames wait to be sent, or two nodes that both have much to say would wait for each other.
                frame = next(&mut receiver), if !busy && outgoing.bytes() < MOST => {
                    let Some(frame) = frame else { return };
                    self.count(&frame);
                    self.step(Event::Received(&frame))
                }
                () = wait(timer) => {
                    timer = None;
                    self.step(Event::Timer)
                }
            };
        }
    }

    fn step(&mut self, event: Event<'_>) -> Vec<Effect> {
        let now = now_ms();
        let shared: Arc<Shared> = Arc::clone(self.ledger.shared());
        shared.look(now, |view| self.session.handle(event, view, now))
    }

    fn count(&self, frame: &[u8]) {
        // The first element of a message's array is its number; a frame that is no message is counted by its problem.
        let name = match frame.get(1) {
            Some(number) if *number <= 23 => maillon_protocol::sync::name_of(u64::from(*number)),
            _ => "unknown",
        };
        self.scores.frame(self.node, true, name);
    }

    /// Sends a checked batch to the ledger, in the order of arrival, and lets the session know when it is durable.
    fn take(
        &self,
        number: u64,
        result: Result<Checked, String>,
        done: mpsc::Sender<(u64, Outcome)>,
    ) {
        let refused = Outcome {
            refused: true,
            ..Outcome::default()
        };
        let (node, scores) = (self.node, Arc::clone(&self.scores));
        let count = Arc::clone(&self.refused);
        let batch = match result {
            Ok(batch) => batch,
            Err(problem) => {
                count.fetch_add(1, Relaxed);
                scores.problem(node, &problem);
                tokio::spawn(async move { done.send((number, refused)).await });
                return;
            }
        };
        let submitted = self.ledger.submit(move |tx| take(tx, node, batch));
        tokio::spawn(async move {
            let outcome = match submitted.await {
                Ok(outcome) => {
                    for reason in &outcome.reasons {
                        count.fetch_add(1, Relaxed);
                        scores.problem(node, reason);
                    }
                    outcome
                }
                Err(LedgerError::Job(error)) => {
                    count.fetch_add(1, Relaxed);
                    scores.problem(node, &error.to_string());
                    tracing::debug!(peer = %node.short(), %error, "a batch was refused");
                    refused
                }
                Err(_) => refused,
            };
            // The link may have gone meanwhile.
            let _ = done.send((number, outcome)).await;
        });
    }
}

fn take(tx: &mut Tx<'_>, node: NodeId, batch: Checked) -> Result<Outcome, TakeError> {
    let now = tx.now_ms;
    match batch {
        Checked::Records(circle, records) => {
            return Ok(tx
                .replica
                .take_records(tx.rows, node, circle, records, now, tx.rng)?);
        }
        Checked::Entries(circle, entries, seals) => {
            let done = tx
                .replica
                .take_entries(tx.rows, node, circle, entries, &seals, now, tx.rng)?;
            renewal::note(tx, circle, &done.renewed)?;
            followed(tx, node, &done.accepted)?;
            removed(tx, circle, &done.removed)?;
        }
        Checked::Acks(circle, acks) => tx.replica.take_acks(tx.rows, node, circle, acks, now)?,
        Checked::Descriptor(descriptor) => tx.replica.take_descriptor(tx.rows, &descriptor)?,
        Checked::Invitation(bytes) => {
            let accepted = tx.replica.take_invitation(tx.rows, node, bytes, now)?;
            followed(tx, node, &accepted)?;
        }
        Checked::Acceptance(bytes) => {
            let admitted = tx
                .replica
                .take_acceptance(tx.rows, node, bytes, now, tx.rng)?;
            if let Some((circle, renewed)) = admitted {
                let about = About {
                    circle: Some(circle),
                    node: Some(node),
                    ..About::NOTHING
                };
                audit::note(tx, By::itself(), "circle.admit", about)?;
                renewal::note(tx, circle, &renewed)?;
            }
        }
        Checked::Replacement(said) => {
            let old = said.object.old;
            let before = tx.replica.fate(tx.rows, &old)?;
            tx.replica.take_replacement(tx.rows, Some(node), &said)?;
            if tx.replica.fate(tx.rows, &old)? != before {
                audit::note(tx, By::itself(), "peer.statement", About::node(old))?;
            }
        }
        Checked::Revocation(said) => {
            let revoked = said.object.node;
            let before = tx.replica.fate(tx.rows, &revoked)?;
            tx.replica.take_revocation(tx.rows, &said)?;
            if tx.replica.fate(tx.rows, &revoked)? != before {
                audit::note(tx, By::itself(), "peer.revoked", About::node(revoked))?;
            }
        }
        Checked::Cancelled(id) => tx.replica.take_cancelled(tx.rows, node, id)?,
        Checked::Departure(departure) => {
            let circle = departure.object.circle;
            let left = tx
                .replica
                .take_departure(tx.rows, node, &departure, now, tx.rng)?;
            removed(tx, circle, &left)?;
        }
        Checked::Confirmed(circle, head) => {
            let left = tx
                .replica
                .take_confirmation(tx.rows, &node, &circle, head, now, tx.rng)?;
            removed(tx, circle, &left)?;
        }
        Checked::Mark(token, cursor) => tx.replica.keep_mark(tx.rows, node, token, cursor)?,
        Checked::Chunks(fetched) => return Ok(tx.replica.take_chunks(tx.rows, node, &fetched)?),
    }
    Ok(Outcome::default())
}

/// This node goes on with circles that their deputies continue: what it accepted for that.
pub(super) fn followed(
    tx: &mut Tx<'_>,
    node: NodeId,
    accepted: &[InvitationId],
) -> Result<(), TakeError> {
    for invitation in accepted {
        let about = About {
            node: Some(node),
            ..About::object(Object::Invitation(*invitation))
        };
        audit::note(tx, By::itself(), "invitation.accept", about)?;
    }
    Ok(())
}

/// This node, the steward, has made the entries that follow from departures.
pub(super) fn removed(
    tx: &mut Tx<'_>,
    circle: CircleId,
    nodes: &[NodeId],
) -> Result<(), TakeError> {
    Ok(audit::note_removed(tx, By::itself(), circle, nodes)?)
}

fn checked(number: u64, batch: Batch) -> Checking {
    if !is_long(&batch) {
        let result = check(batch);
        return Box::pin(std::future::ready((number, result)));
    }
    let running = tokio::task::spawn_blocking(move || check(batch));
    Box::pin(async move {
        let result = running
            .await
            .unwrap_or_else(|_| Err("a check of signatures broke off".to_owned()));
        (number, result)
    })
}

async fn next(receiver: &mut LinkReceiver) -> Option<Vec<u8>> {
    receiver.recv().await
}

async fn wait(timer: Option<Instant>) {
    match timer {
        Some(at) => tokio::time::sleep_until(at).await,
        None => std::future::pending().await,
    }
}
