//! A whole node's replication without I/O: what is committed, what each command and each arrival makes of it.
//!
//! A [`Replica`] is the single writer. Each of its methods checks, stages rows ([`Row`]) and remembers what to tell others; nothing is visible
//! to anybody until the driver has made the staged rows durable and says so ([`Replica::committed`]). Many commands can be staged before
//! one commit; a command that fails stages nothing. After a restart [`Replica::load`] builds the same replica from the rows.
//!
//! A driver need not stand still while the disk writes: what is staged *takes off* ([`Replica::take_off`]), further commands are staged above
//! it, and one that fails to land takes those with it ([`Replica::rolled_back`]).
//!
//! The daemon's ledger drives it over RocksDB; the tests and the simulation drive it over a map ([`Memory`]). There is no second
//! implementation of any rule.
//!
//! What sessions read is [`Committed`]: the circles and rows as of the last commit, never what is staged.

mod alerts;
mod arrive;
mod claims;
mod files;
mod invitations;
mod project;
mod renew;
mod rows;
mod staging;
mod steward;
mod view;
mod write;

pub use arrive::ArriveError;
pub use claims::Claims;
pub use invitations::{Incoming, IncomingState, LetterError, Outgoing, OutgoingState};
pub use project::{DeliveryRow, Location};
pub use rows::{Memory, Row, RowPrefix, Rows, StorageError};
pub use staging::Changes;
pub use steward::StewardshipError;
pub use view::{AckCache, Committed};
pub use write::{Draft, WriteFailed, Written};

use std::{
    collections::{BTreeSet, HashMap},
    sync::Arc,
};

use rand_core::CryptoRng;

use crate::{
    cbor,
    circle::{Circle, CircleRow, Reason},
    descriptor::Descriptor,
    ids::{CircleId, Incarnation, InvitationId, LogId, NodeId, RecordId, ThingId, Token},
    keys::{NodeKey, SealKey},
    sign::Verified,
    sync::News,
    time::{HybridClock, Timestamp},
};
use staging::{Overlay, Staging};

/// The node's keys, as the replica uses them.
#[derive(Debug, Clone)]
pub struct Keys {
    /// Signs.
    pub node: NodeKey,
    /// Open, newest first.
    pub seals: Vec<SealKey>,
}

/// Something that people or administrators want to know, told after the commit.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Notice {
    /// A record can be read.
    Recorded {
        /// The circle.
        circle: CircleId,
        /// The record.
        record: RecordId,
        /// What it is about.
        thing: ThingId,
        /// What that belongs to.
        parent: Option<ThingId>,
        /// Number of its kind.
        kind: u64,
        /// The node that wrote it.
        node: NodeId,
    },
    /// A record is held and cannot be shown.
    NotShown {
        /// The circle.
        circle: CircleId,
        /// The record.
        record: RecordId,
        /// Why.
        reason: Reason,
    },
    /// A structure's node acknowledged an alert of ours.
    Delivered {
        /// The circle.
        circle: CircleId,
        /// The alert's record.
        record: RecordId,
        /// The structure's node.
        node: NodeId,
        /// When, Unix milliseconds.
        at_ms: u64,
    },
    /// A charter has a new head.
    Charter {
        /// The circle.
        circle: CircleId,
        /// Number of the head.
        entry: u64,
        /// Whether this node is a member now.
        member: bool,
    },
    /// An invitation has arrived.
    Invited(InvitationId),
    /// An invitation that had arrived was taken back by whoever sent it.
    Cancelled(InvitationId),
    /// Something signed does not fit: it was kept aside.
    Aside {
        /// The circle.
        circle: CircleId,
        /// A fixed word: `fork`, `own-log-ahead`, `after-removal`, `entry`, `attachment`.
        what: &'static str,
    },
    /// A record's clock was more than ten minutes ahead.
    ClockAhead {
        /// The circle.
        circle: CircleId,
        /// The record.
        record: RecordId,
        /// Its node.
        node: NodeId,
    },
    /// A node's newer descriptor is here: its addresses may have changed.
    Descriptor(NodeId),
    /// This node began a new incarnation: its own log had been seen ahead of what it holds.
    NewIncarnation,
}

/// What becomes visible with a commit.
#[derive(Debug, Default)]
pub struct Published {
    /// For sessions.
    pub news: Vec<News>,
    /// For people.
    pub notices: Vec<Notice>,
    /// Circles as they are now.
    pub circles: Vec<(CircleId, Arc<Circle>)>,
    /// The change counter.
    pub counter: u64,
}

/// What one commit makes durable, and what becomes visible when it has.
#[derive(Debug)]
pub struct Flight {
    /// The rows, all or none.
    pub rows: Arc<Changes>,
    /// What becomes visible.
    pub published: Published,
    /// This node's incarnation from then on.
    pub incarnation: Incarnation,
    /// This node's descriptor from then on.
    pub descriptor: Arc<Verified<Descriptor>>,
}

/// A node's replication.
#[derive(Debug)]
pub struct Replica {
    keys: Keys,
    descriptor: Arc<Verified<Descriptor>>,
    incarnation: Incarnation,
    clock: HybridClock,
    counter: u64,
    circles: HashMap<CircleId, Arc<Circle>>,
    staging: Staging,
    /// What each circle that was changed since the last take-off was then.
    undo: HashMap<CircleId, Option<Arc<Circle>>>,
    /// How things stood then.
    before: Before,
    /// The commit under way.
    aloft: Option<Aloft>,
    published: Published,
    /// While a savepoint is open: what each circle was before, and whether it was changed for the first time since the last take-off.
    journal: Vec<(CircleId, Option<Arc<Circle>>, bool)>,
}

/// How things stood before the commit that is under way.
#[derive(Debug)]
struct Aloft {
    undo: HashMap<CircleId, Option<Arc<Circle>>>,
    before: Before,
}

/// Where a failed job goes back to.
#[derive(Debug)]
#[must_use = "a savepoint is kept or gone back to"]
pub struct Savepoint {
    before: Before,
    news: usize,
    notices: usize,
    circles: usize,
}

/// What is no row and goes back with the rows.
#[derive(Debug, Clone)]
struct Before {
    clock: HybridClock,
    counter: u64,
    incarnation: Incarnation,
    descriptor: Arc<Verified<Descriptor>>,
}

impl Replica {
    /// Builds the replica from its rows. `rng` gives the incarnation of a node that has none yet.
    ///
    /// # Errors
    /// [`StorageError`] where rows cannot be read.
    pub fn load(
        rows: &impl Rows,
        keys: Keys,
        descriptor: Verified<Descriptor>,
        rng: &mut impl CryptoRng,
    ) -> Result<Self, StorageError> {
        let clock = match rows.get(&Row::Clock)? {
            Some(bytes) => HybridClock::starting_at(rows::read::<Timestamp>(&bytes)?),
            None => HybridClock::default(),
        };
        let mut circles = HashMap::new();
        let mut counter = match rows.get(&Row::Counter)? {
            Some(bytes) => rows::read::<u64>(&bytes)?,
            None => 0,
        };
        for bytes in rows.scan(&RowPrefix::Charters)? {
            let charter: crate::charter::Charter = rows::read(&bytes)?;
            let id = charter.circle();
            let row: CircleRow = match rows.get(&Row::Circle(id))? {
                Some(bytes) => rows::read(&bytes)?,
                None => return Err(StorageError::missing("circle row")),
            };
            counter = counter.max(row.changed);
            circles.insert(id, Arc::new(Circle::from_rows(Arc::new(charter), row)));
        }
        let mut staging = Staging::default();
        let incarnation = match rows.get(&Row::Incarnation)? {
            Some(bytes) => rows::read::<Incarnation>(&bytes)?,
            None => {
                let fresh = Incarnation(crate::record::random_token(rng).0);
                staging.put(Row::Incarnation, Some(cbor::encode(&fresh)));
                fresh
            }
        };
        let descriptor_row = Row::Descriptor(descriptor.object.node);
        staging.put(descriptor_row, Some(descriptor.bytes.clone()));
        let descriptor = Arc::new(descriptor);
        let before = Before {
            clock,
            counter,
            incarnation,
            descriptor: Arc::clone(&descriptor),
        };
        let mut replica = Self {
            keys,
            descriptor,
            incarnation,
            clock,
            counter,
            circles,
            staging,
            undo: HashMap::new(),
            before,
            aloft: None,
            published: Published::default(),
            journal: Vec::new(),
        };
        replica.index_once(rows)?;
        Ok(replica)
    }

    /// This node.
    pub fn own(&self) -> NodeId {
        self.keys.node.id()
    }

    /// This node's descriptor.
    pub fn descriptor(&self) -> &Verified<Descriptor> {
        &self.descriptor
    }

    /// The log that this node writes in every circle.
    pub fn own_log(&self) -> LogId {
        LogId {
            node: self.own(),
            incarnation: self.incarnation,
        }
    }

    /// A circle, staged changes included.
    pub fn circle(&self, circle: &CircleId) -> Option<&Arc<Circle>> {
        self.circles.get(circle)
    }

    /// All circles, staged changes included.
    pub fn circles(&self) -> impl Iterator<Item = &Arc<Circle>> {
        self.circles.values()
    }

    /// Nodes that are members beside this one in some circle.
    pub fn fellows(&self) -> BTreeSet<NodeId> {
        let own = self.own();
        self.circles
            .values()
            .filter(|circle| circle.charter.is_member(&own))
            .flat_map(|circle| {
                circle
                    .charter
                    .state()
                    .members
                    .iter()
                    .map(|member| member.node)
            })
            .filter(|node| *node != own)
            .collect()
    }

    /// The rows to make durable, all or none. Empty: nothing to do.
    pub fn staged(&mut self) -> &Changes {
        self.stage_circles();
        self.staging.staged()
    }

    /// Stages the rows of the circles that were changed since the last take-off: once for all the jobs that changed them.
    fn stage_circles(&mut self) {
        for id in self.undo.keys() {
            if let Some(circle) = self.circles.get(id) {
                let row = cbor::encode(&circle.row());
                self.staging.put(Row::Circle(*id), Some(row));
            }
        }
        if !self.undo.is_empty() {
            let counter = cbor::encode(&self.counter);
            self.staging.put(Row::Counter, Some(counter));
        }
    }

    /// The staged rows are durable: what becomes visible now.
    pub fn committed(&mut self) -> Published {
        let flight = self.take_off();
        self.landed();
        flight.published
    }

    /// What is staged leaves for the disk. Commands may go on above it; the next take-off is after [`Self::landed`] or [`Self::rolled_back`].
    pub fn take_off(&mut self) -> Flight {
        debug_assert!(self.aloft.is_none(), "one commit is under way at a time");
        self.stage_circles();
        let before = self.standing();
        let before = std::mem::replace(&mut self.before, before);
        self.aloft = Some(Aloft {
            undo: std::mem::take(&mut self.undo),
            before,
        });
        self.journal.clear();
        let mut published = std::mem::take(&mut self.published);
        published.counter = self.counter;
        let mut seen = BTreeSet::new();
        published.circles.retain(|(id, _)| seen.insert(*id));
        for (id, circle) in &mut published.circles {
            if let Some(now) = self.circles.get(id) {
                *circle = Arc::clone(now);
            }
        }
        Flight {
            rows: self.staging.take_off(),
            published,
            incarnation: self.incarnation,
            descriptor: Arc::clone(&self.descriptor),
        }
    }

    /// What took off is durable.
    pub fn landed(&mut self) {
        self.staging.landed();
        self.aloft = None;
    }

    /// What took off, or what is staged where nothing did, could not be made durable: everything is as after the last commit that could.
    /// What was staged above it is gone too.
    pub fn rolled_back(&mut self) {
        self.staging.clear();
        self.published = Published::default();
        let (older, before) = match self.aloft.take() {
            Some(aloft) => (aloft.undo, aloft.before),
            None => (HashMap::new(), self.before.clone()),
        };
        // The older state comes last, and stays.
        for (id, circle) in self.undo.drain().chain(older) {
            match circle {
                Some(circle) => self.circles.insert(id, circle),
                None => self.circles.remove(&id),
            };
        }
        self.stand(before.clone());
        self.before = before;
    }

    fn standing(&self) -> Before {
        Before {
            clock: self.clock,
            counter: self.counter,
            incarnation: self.incarnation,
            descriptor: Arc::clone(&self.descriptor),
        }
    }

    fn stand(&mut self, before: Before) {
        self.clock = before.clock;
        self.counter = before.counter;
        self.incarnation = before.incarnation;
        self.descriptor = before.descriptor;
    }

    fn stage(&mut self, row: Row, value: Vec<u8>) {
        self.put_row(row, Some(value));
    }

    fn stage_delete(&mut self, row: Row) {
        self.put_row(row, None);
    }

    fn put_row(&mut self, row: Row, value: Option<Vec<u8>>) {
        self.staging.put(row, value);
    }

    /// About how many bytes are staged.
    pub const fn staged_bytes(&self) -> usize {
        self.staging.bytes()
    }

    /// How many rows are staged, and their bytes; those of circles, which are made with the commit, are not counted.
    pub fn staged_size(&self) -> (usize, usize) {
        let staged = self.staging.staged();
        let bytes = staged.values().flatten().map(Vec::len).sum();
        (staged.len(), bytes)
    }

    /// Begins a job: everything from here on is kept, or gone back from, together.
    pub fn savepoint(&mut self) -> Savepoint {
        self.staging.begin();
        self.journal.clear();
        Savepoint {
            before: self.standing(),
            news: self.published.news.len(),
            notices: self.published.notices.len(),
            circles: self.published.circles.len(),
        }
    }

    /// The job is good.
    pub fn keep(&mut self, _: Savepoint) {
        self.staging.keep();
        self.journal.clear();
    }

    /// The job failed: nothing of it is staged.
    pub fn back_to(&mut self, savepoint: Savepoint) {
        self.staging.take_back();
        for (id, old, first) in std::mem::take(&mut self.journal).into_iter().rev() {
            match old {
                Some(old) => self.circles.insert(id, old),
                None => self.circles.remove(&id),
            };
            if first {
                self.undo.remove(&id);
            }
        }
        self.stand(savepoint.before);
        self.published.news.truncate(savepoint.news);
        self.published.notices.truncate(savepoint.notices);
        self.published.circles.truncate(savepoint.circles);
    }

    /// Replaces this node's descriptor by a newer one.
    pub fn describe(&mut self, descriptor: Verified<Descriptor>) {
        self.stage(
            Row::Descriptor(descriptor.object.node),
            descriptor.bytes.clone(),
        );
        self.descriptor = Arc::new(descriptor);
        self.published.news.push(News {
            circle: None,
            change: crate::sync::Change::Descriptor,
            from: None,
        });
    }

    /// Replaces the receive keys that this node opens with, newest first.
    pub fn open_with(&mut self, seals: Vec<SealKey>) {
        self.keys.seals = seals;
    }

    /// Committed rows, with what is staged and in flight above them.
    fn over<'a, R: Rows>(&'a self, rows: &'a R) -> Overlay<'a, R> {
        Overlay {
            rows,
            staging: &self.staging,
        }
    }

    /// A row, staged, in flight or committed.
    fn row(&self, rows: &impl Rows, row: &Row) -> Result<Option<Vec<u8>>, StorageError> {
        self.over(rows).get(row)
    }

    /// Takes a circle as it is now, with a new place in the order of changes. Its row is staged with the commit; its charter's at once, where
    /// the charter is another one.
    fn put_circle(&mut self, mut circle: Circle) -> Arc<Circle> {
        let id = circle.id();
        self.counter += 1;
        circle.changed = self.counter;
        let old = self.circles.get(&id).cloned();
        if old
            .as_ref()
            .is_none_or(|old| old.charter.head() != circle.charter.head())
        {
            self.stage(Row::Charter(id), cbor::encode(&*circle.charter));
        }
        let circle = Arc::new(circle);
        let first = !self.undo.contains_key(&id);
        self.journal.push((id, old.clone(), first));
        self.undo.entry(id).or_insert(old);
        self.circles.insert(id, Arc::clone(&circle));
        self.published.circles.push((id, Arc::clone(&circle)));
        circle
    }

    fn tick(&mut self, now_ms: u64) -> Timestamp {
        let time = self.clock.tick(now_ms);
        self.stage(Row::Clock, cbor::encode(&time));
        time
    }

    /// The newest descriptor held of a node, staged or committed.
    ///
    /// # Errors
    /// [`StorageError`].
    pub fn descriptor_of(
        &self,
        rows: &impl Rows,
        node: &NodeId,
    ) -> Result<Option<Verified<Descriptor>>, StorageError> {
        let Some(bytes) = self.row(rows, &Row::Descriptor(*node))? else {
            return Ok(None);
        };
        let parsed = crate::sign::Unverified::parse(bytes)
            .map_err(|_| StorageError::damaged("descriptor"))?;
        Ok(Some(parsed.trust_stored()))
    }

    /// Keeps the mark of a finished exchange; the last four are kept.
    ///
    /// # Errors
    /// [`StorageError`].
    pub fn keep_mark(
        &mut self,
        rows: &impl Rows,
        peer: NodeId,
        token: Token,
        cursor: u64,
    ) -> Result<(), StorageError> {
        let row = Row::Marks(peer);
        let mut marks: Vec<(Token, u64)> = match self.row(rows, &row)? {
            Some(bytes) => rows::read(&bytes)?,
            None => Vec::new(),
        };
        marks.insert(0, (token, cursor));
        marks.truncate(4);
        self.stage(row, cbor::encode(&marks));
        Ok(())
    }
}
