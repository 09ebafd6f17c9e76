//! The state as of the last commit, for everybody who reads.

use std::{
    collections::{BTreeSet, HashMap},
    sync::{
        Arc, PoisonError, RwLock,
        atomic::{AtomicU64, Ordering},
    },
};

use maillon_protocol::{
    circle::Circle,
    descriptor::Descriptor,
    ids::{CircleId, Incarnation, NodeId},
    keys::NodeKey,
    replica::{AckCache, Claims, Committed},
    sign::Verified,
};
use tokio::sync::broadcast;

use super::{
    StoreRows,
    herald::{Audience, Notices, Subscription},
};

/// What is committed, and who wants to hear of commits.
pub struct Shared {
    rows: StoreRows,
    key: NodeKey,
    acks: AckCache,
    claims: Claims,
    state: RwLock<State>,
    audience: Arc<Audience>,
    records: AtomicU64,
    begun: AtomicU64,
}

struct State {
    circles: HashMap<CircleId, Arc<Circle>>,
    /// The last commit since the start that changed what a circle says.
    changed: HashMap<CircleId, u64>,
    counter: u64,
    incarnation: Incarnation,
    descriptor: Verified<Descriptor>,
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
                changed: HashMap::new(),
                counter,
                incarnation,
                descriptor,
            }),
            audience: Arc::default(),
            records: AtomicU64::new(records),
            begun: AtomicU64::new(0),
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

    /// How many commits were begun since the start. Whoever has looked, and asks then, has seen nothing of a commit with a higher number.
    pub fn begun(&self) -> u64 {
        self.begun.load(Ordering::Acquire)
    }

    /// A commit begins, before anything of it can be seen; its number.
    pub(super) fn begin(&self) -> u64 {
        self.begun.fetch_add(1, Ordering::AcqRel) + 1
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

    /// The last commit since the start that changed what a circle says; 0 for none. What is read after this was asked holds as long as it answers the same.
    pub fn changed(&self, circle: &CircleId) -> u64 {
        let state = self.state.read().unwrap_or_else(PoisonError::into_inner);
        state.changed.get(circle).copied().unwrap_or(0)
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
        self.audience.subscribe()
    }

    /// Notices of every commit from now on.
    pub fn notices(&self) -> broadcast::Receiver<Notices> {
        self.audience.notices()
    }

    /// Who wants to hear of commits.
    pub(super) const fn audience(&self) -> &Arc<Audience> {
        &self.audience
    }

    /// Shows what a commit has changed to whoever looks from now on: its number, and the circles of whose records it wrote something.
    pub(super) fn publish(
        &self,
        (commit, written): (u64, BTreeSet<CircleId>),
        circles: Vec<(CircleId, Option<Arc<Circle>>)>,
        counter: u64,
        incarnation: Incarnation,
        descriptor: &Verified<Descriptor>,
    ) {
        let mut state = self.state.write().unwrap_or_else(PoisonError::into_inner);
        let changed = circles.iter().map(|(circle, _)| *circle).chain(written);
        state.changed.extend(changed.map(|circle| (circle, commit)));
        for (id, circle) in circles {
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
        state.counter = counter;
        state.incarnation = incarnation;
        if state.descriptor.id != descriptor.id {
            state.descriptor = descriptor.clone();
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
