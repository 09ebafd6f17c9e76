//! A whole node's replication without I/O: what is committed, what each command and each arrival makes of it.
//!
//! A [`Replica`] is the single writer. Each of its methods checks, stages rows ([`Row`]) and remembers what to tell others; nothing is visible
//! to anybody until the driver has made the staged rows durable and says so ([`Replica::committed`]). Many commands can be staged before
//! one commit; a command that fails stages nothing. After a restart [`Replica::load`] builds the same replica from the rows.
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
mod rows;
mod steward;
mod view;
mod write;

pub use arrive::ArriveError;
pub use claims::Claims;
pub use invitations::{Incoming, IncomingState, LetterError, Outgoing, OutgoingState};
pub use project::{DeliveryRow, Location};
pub use rows::{Memory, Row, RowPrefix, Rows, StorageError};
pub use steward::StewardshipError;
pub use view::{AckCache, Committed};
pub use write::{Draft, WriteFailed, Written};

use std::{
    collections::{BTreeMap, BTreeSet, HashMap},
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

/// A node's replication.
#[derive(Debug)]
pub struct Replica {
    keys: Keys,
    descriptor: Verified<Descriptor>,
    incarnation: Incarnation,
    clock: HybridClock,
    counter: u64,
    circles: HashMap<CircleId, Arc<Circle>>,
    staged: BTreeMap<Row, Option<Vec<u8>>>,
    staged_bytes: usize,
    undo: HashMap<CircleId, Option<Arc<Circle>>>,
    before: Before,
    published: Published,
    /// While a savepoint is open: what each staged row and circle was before.
    journal: Option<Journal>,
}

#[derive(Debug, Default)]
struct Journal {
    rows: Vec<(Row, Option<Option<Vec<u8>>>)>,
    circles: Vec<(CircleId, Option<Arc<Circle>>, bool)>,
}

/// Where a failed job goes back to.
#[derive(Debug)]
#[must_use = "a savepoint is kept or gone back to"]
pub struct Savepoint {
    before: Before,
    descriptor: Verified<Descriptor>,
    news: usize,
    notices: usize,
    circles: usize,
}

/// What a failed commit goes back to.
#[derive(Debug, Clone, Copy)]
struct Before {
    clock: HybridClock,
    counter: u64,
    incarnation: Incarnation,
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
        let mut staged = BTreeMap::new();
        let incarnation = match rows.get(&Row::Incarnation)? {
            Some(bytes) => rows::read::<Incarnation>(&bytes)?,
            None => {
                let fresh = Incarnation(crate::record::random_token(rng).0);
                staged.insert(Row::Incarnation, Some(cbor::encode(&fresh)));
                fresh
            }
        };
        let descriptor_row = Row::Descriptor(descriptor.object.node);
        staged.insert(descriptor_row, Some(descriptor.bytes.clone()));
        let mut replica = Self {
            keys,
            descriptor,
            incarnation,
            clock,
            counter,
            circles,
            staged,
            staged_bytes: 0,
            undo: HashMap::new(),
            before: Before {
                clock,
                counter,
                incarnation,
            },
            published: Published::default(),
            journal: None,
        };
        replica.index_once(rows)?;
        Ok(replica)
    }

    /// This node.
    pub fn own(&self) -> NodeId {
        self.keys.node.id()
    }

    /// This node's descriptor.
    pub const fn descriptor(&self) -> &Verified<Descriptor> {
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
    pub const fn staged(&self) -> &BTreeMap<Row, Option<Vec<u8>>> {
        &self.staged
    }

    /// The staged rows are durable: what becomes visible now.
    pub fn committed(&mut self) -> Published {
        self.staged.clear();
        self.staged_bytes = 0;
        self.undo.clear();
        self.before = Before {
            clock: self.clock,
            counter: self.counter,
            incarnation: self.incarnation,
        };
        let mut published = std::mem::take(&mut self.published);
        published.counter = self.counter;
        let mut seen = BTreeSet::new();
        published.circles.retain(|(id, _)| seen.insert(*id));
        for (id, circle) in &mut published.circles {
            if let Some(now) = self.circles.get(id) {
                *circle = Arc::clone(now);
            }
        }
        published
    }

    /// The staged rows could not be made durable: everything is as after the last commit.
    pub fn rolled_back(&mut self) {
        self.staged.clear();
        self.staged_bytes = 0;
        self.published = Published::default();
        for (id, circle) in self.undo.drain() {
            match circle {
                Some(circle) => self.circles.insert(id, circle),
                None => self.circles.remove(&id),
            };
        }
        self.clock = self.before.clock;
        self.counter = self.before.counter;
        self.incarnation = self.before.incarnation;
    }

    fn stage(&mut self, row: Row, value: Vec<u8>) {
        self.put_row(row, Some(value));
    }

    fn stage_delete(&mut self, row: Row) {
        self.put_row(row, None);
    }

    fn put_row(&mut self, row: Row, value: Option<Vec<u8>>) {
        self.staged_bytes += value.as_ref().map_or(0, Vec::len);
        let old = self.staged.insert(row, value);
        if let Some(journal) = &mut self.journal {
            journal.rows.push((row, old));
        }
    }

    /// About how many bytes are staged.
    pub const fn staged_bytes(&self) -> usize {
        self.staged_bytes
    }

    /// Begins a job: everything from here on is kept, or gone back from, together.
    pub fn savepoint(&mut self) -> Savepoint {
        self.journal = Some(Journal::default());
        Savepoint {
            before: Before {
                clock: self.clock,
                counter: self.counter,
                incarnation: self.incarnation,
            },
            descriptor: self.descriptor.clone(),
            news: self.published.news.len(),
            notices: self.published.notices.len(),
            circles: self.published.circles.len(),
        }
    }

    /// The job is good.
    pub fn keep(&mut self, _: Savepoint) {
        self.journal = None;
    }

    /// The job failed: nothing of it is staged.
    pub fn back_to(&mut self, savepoint: Savepoint) {
        let journal = self.journal.take().unwrap_or_default();
        for (row, old) in journal.rows.into_iter().rev() {
            match old {
                Some(old) => self.staged.insert(row, old),
                None => self.staged.remove(&row),
            };
        }
        for (id, old, first) in journal.circles.into_iter().rev() {
            match old {
                Some(old) => self.circles.insert(id, old),
                None => self.circles.remove(&id),
            };
            if first {
                self.undo.remove(&id);
            }
        }
        self.clock = savepoint.before.clock;
        self.counter = savepoint.before.counter;
        self.incarnation = savepoint.before.incarnation;
        self.descriptor = savepoint.descriptor;
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
        self.descriptor = descriptor;
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

    /// A row, staged or committed.
    fn row(&self, rows: &impl Rows, row: &Row) -> Result<Option<Vec<u8>>, StorageError> {
        match self.staged.get(row) {
            Some(staged) => Ok(staged.clone()),
            None => rows.get(row),
        }
    }

    /// Stages a circle's row, with a new place in the order of changes. Its charter's row too, where the charter is another one.
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
        self.stage(Row::Circle(id), cbor::encode(&circle.row()));
        self.stage(Row::Counter, cbor::encode(&self.counter));
        let circle = Arc::new(circle);
        let first = !self.undo.contains_key(&id);
        if let Some(journal) = &mut self.journal {
            journal.circles.push((id, old.clone(), first));
        }
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
