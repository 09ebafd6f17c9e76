//! The state as of the last commit, for everybody who reads, and the news of each commit.

use std::{
    collections::HashMap,
    sync::{
        Arc, Mutex, PoisonError, RwLock,
        atomic::{AtomicBool, AtomicU64, Ordering},
    },
};

use maillon_protocol::{
    circle::Circle,
    descriptor::Descriptor,
    ids::{CircleId, Incarnation, NodeId},
    keys::NodeKey,
    replica::{AckCache, Claims, Committed, Notice, Published},
    sign::Verified,
    sync::News,
};
use tokio::sync::{broadcast, mpsc};

use super::StoreRows;

/// News that a session has not taken yet; more are dropped and the session compares everything again.
const NEWS_QUEUE: usize = 1024;
/// Commits whose notices a watcher has not taken yet; those of more are counted as missed.
const NOTICE_QUEUE: usize = 16_384;

/// What is committed, and who wants to hear of commits.
pub struct Shared {
    rows: StoreRows,
    key: NodeKey,
    acks: AckCache,
    claims: Claims,
    state: RwLock<State>,
    subscribers: Mutex<Vec<Subscriber>>,
    notices: broadcast::Sender<Notices>,
    noticed: AtomicU64,
    records: AtomicU64,
}

struct State {
    circles: HashMap<CircleId, Arc<Circle>>,
    counter: u64,
    incarnation: Incarnation,
    descriptor: Verified<Descriptor>,
}

struct Subscriber {
    queue: mpsc::Sender<Arc<News>>,
    lost: Arc<AtomicBool>,
}

/// What one commit told people. One message for each commit, so that a watcher is woken once.
#[derive(Debug, Clone)]
pub struct Notices {
    /// In the order in which they happened.
    pub all: Arc<[Notice]>,
    /// When they were durable, Unix milliseconds.
    pub at_ms: u64,
    /// How many there were before, since the start: whoever missed some knows how many.
    pub before: u64,
}

/// A session's share of the news.
pub struct Subscription {
    /// In the order of the commits.
    pub queue: mpsc::Receiver<Arc<News>>,
    lost: Arc<AtomicBool>,
}

impl Subscription {
    /// Whether news were dropped since the last call.
    pub fn lost(&self) -> bool {
        self.lost.swap(false, Ordering::AcqRel)
    }
}

impl Shared {
    pub(super) fn new(
        rows: StoreRows,
        key: NodeKey,
        circles: HashMap<CircleId, Arc<Circle>>,
        counter: u64,
        incarnation: Incarnation,
        descriptor: Verified<Descriptor>,
    ) -> Self {
        let records = circles.values().map(|circle| records_of(circle)).sum();
        Self {
            rows,
            key,
            acks: AckCache::default(),
            claims: Claims::default(),
            state: RwLock::new(State {
                circles,
                counter,
                incarnation,
                descriptor,
            }),
            subscribers: Mutex::new(Vec::new()),
            notices: broadcast::channel(NOTICE_QUEUE).0,
            noticed: AtomicU64::new(0),
            records: AtomicU64::new(records),
        }
    }

    /// This node.
    pub fn own(&self) -> NodeId {
        self.key.id()
    }

    /// The node's key.
    pub const fn key(&self) -> &NodeKey {
        &self.key
    }

    /// Committed rows.
    pub const fn rows(&self) -> &StoreRows {
        &self.rows
    }

    /// Records held, all circles together.
    pub fn records(&self) -> u64 {
        self.records.load(Ordering::Relaxed)
    }

    /// Looks at the committed state. The look must be short: commits wait for it.
    pub fn look<T>(&self, now_ms: u64, look: impl FnOnce(&Committed<'_, StoreRows>) -> T) -> T {
        // Writers replace whole values; a poisoned lock leaves them whole.
        let state = self.state.read().unwrap_or_else(PoisonError::into_inner);
        look(&Committed {
            rows: &self.rows,
            circles: &state.circles,
            counter: state.counter,
            key: &self.key,
            incarnation: state.incarnation,
            descriptor: &state.descriptor,
            acks: &self.acks,
            claims: &self.claims,
            now_ms,
            random: &crate::random::token,
        })
    }

    /// Who is asked for which attachment.
    pub const fn claims(&self) -> &Claims {
        &self.claims
    }

    /// Looks at what is kept. Reading it needs no time, so none is asked for.
    pub fn read<T>(&self, look: impl FnOnce(&Committed<'_, StoreRows>) -> T) -> T {
        self.look(0, look)
    }

    /// A circle.
    pub fn circle(&self, circle: &CircleId) -> Option<Arc<Circle>> {
        self.state
            .read()
            .unwrap_or_else(PoisonError::into_inner)
            .circles
            .get(circle)
            .cloned()
    }

    /// All circles, in no order.
    pub fn circles(&self) -> Vec<Arc<Circle>> {
        self.state
            .read()
            .unwrap_or_else(PoisonError::into_inner)
            .circles
            .values()
            .cloned()
            .collect()
    }

    /// This node's descriptor.
    pub fn descriptor(&self) -> Verified<Descriptor> {
        self.state
            .read()
            .unwrap_or_else(PoisonError::into_inner)
            .descriptor
            .clone()
    }

    /// News of every commit from now on.
    pub fn subscribe(&self) -> Subscription {
        let (sender, queue) = mpsc::channel(NEWS_QUEUE);
        let lost = Arc::new(AtomicBool::new(false));
        self.subscribers
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .push(Subscriber {
                queue: sender,
                lost: Arc::clone(&lost),
            });
        Subscription { queue, lost }
    }

    /// Notices of every commit from now on.
    pub fn notices(&self) -> broadcast::Receiver<Notices> {
        self.notices.subscribe()
    }

    pub(super) fn publish(
        &self,
        published: Published,
        incarnation: Incarnation,
        descriptor: &Verified<Descriptor>,
        now_ms: u64,
    ) {
        {
            let mut state = self.state.write().unwrap_or_else(PoisonError::into_inner);
            for (id, circle) in published.circles {
                let now = circle.as_deref().map_or(0, records_of);
                let before = match circle {
                    Some(circle) => state.circles.insert(id, circle),
                    None => state.circles.remove(&id),
                };
                let before = before.as_deref().map_or(0, records_of);
                // Wrapping, so that what goes is taken off.
                self.records
                    .fetch_add(now.wrapping_sub(before), Ordering::Relaxed);
            }
            state.counter = published.counter;
            state.incarnation = incarnation;
            if state.descriptor.id != descriptor.id {
                state.descriptor = descriptor.clone();
            }
        }
        if !published.news.is_empty() {
            let mut subscribers = self
                .subscribers
                .lock()
                .unwrap_or_else(PoisonError::into_inner);
            subscribers.retain(|subscriber| !subscriber.queue.is_closed());
            for news in published.news.into_iter().map(Arc::new) {
                for subscriber in subscribers.iter() {
                    if subscriber.queue.try_send(Arc::clone(&news)).is_err() {
                        subscriber.lost.store(true, Ordering::Release);
                    }
                }
            }
        }
        if !published.notices.is_empty() {
            let count = published.notices.len() as u64;
            // Nobody listening is no error.
            let _ = self.notices.send(Notices {
                all: published.notices.into(),
                at_ms: now_ms,
                before: self.noticed.fetch_add(count, Ordering::Relaxed),
            });
        }
    }
}

/// Records held of a circle.
pub(crate) fn records_of(circle: &Circle) -> u64 {
    circle
        .logs
        .values()
        .map(|tip| tip.height + 1 - tip.first)
        .sum()
}
