//! A whole node's replication without I/O: what is committed, what each command and each arrival makes of it.
//!
//! A [`Replica`] is the single writer. Each of its methods checks, stages rows ([`Row`]) and remembers what to tell others; nothing is visible
//! to anybody until the driver has made the staged rows durable and says so ([`Replica::committed`]). Many commands can be staged before
//! one commit; a command that fails stages nothing. After a restart [`Replica::load`] builds the same replica from the rows.
//!
//! A driver need not stand still while the disk writes: what is staged *takes off* ([`Replica::take_off`]), further commands are staged above
//! it and may take off too; one that fails to land takes all above it with it ([`Replica::rolled_back`]).
//!
//! The daemon's ledger drives it over RocksDB; the tests and the simulation drive it over a map ([`Memory`]). There is no second
//! implementation of any rule.
//!
//! What sessions read is [`Committed`]: the circles and rows as of the last commit, never what is staged.

mod acks;
mod alerts;
mod arrive;
mod aside;
mod branches;
mod carry_over;
mod claims;
mod committed;
mod deliveries;
mod depart;
mod descriptors;
mod entries;
mod erasure;
mod fate;
mod files;
mod flight;
mod invitations;
mod invited;
mod late;
mod layers;
mod letters;
mod lives;
mod notice;
mod presented;
mod project;
mod renew;
mod replace;
mod requests;
mod restore;
mod retention;
mod rivals;
mod rows;
mod staging;
mod standing;
mod steward;
mod successor;
mod view;
mod write;

pub use acks::AckCache;
pub use arrive::{ArriveError, ByItself};
pub use carry_over::{CarriedOver, CarryOverError, Further};
pub use claims::Claims;
pub use committed::Committed;
pub use deliveries::{AwaitedRow, DeliveryRow};
pub use depart::DepartFailed;
pub use erasure::{EraseFailed, Erasing};
pub use fate::Fate;
pub use flight::{Flight, Savepoint};
pub use invitations::{Incoming, IncomingState, LetterError, Outgoing, OutgoingState};
pub use late::LateError;
pub use layers::{Layer, Layers};
pub use letters::OpenInvitations;
pub use notice::{Notice, Published};
pub use project::Location;
pub use replace::{IdentityRefused, ReplaceFailed};
pub use retention::{FinishFailed, Finished};
pub use rows::{Memory, Row, RowPrefix, Rows, StorageError};
pub use staging::Changes;
pub use steward::StewardshipError;
pub use successor::{Succession, SuccessionError};
pub use write::{Draft, WriteFailed, Written};

use std::{
    collections::{HashMap, VecDeque},
    sync::Arc,
};

use rand_core::CryptoRng;

use crate::{
    cbor,
    circle::{Circle, CircleRow},
    descriptor::Descriptor,
    ids::{CircleId, Incarnation, LogId, NodeId, Token},
    keys::{NodeKey, SealKey},
    sign::Verified,
    sync::News,
    time::{HybridClock, Timestamp},
};
use flight::{Aloft, Before};
use staging::{Overlay, Staging};

/// The node's keys, as the replica uses them.
#[derive(Debug, Clone)]
pub struct Keys {
    /// Signs.
    pub node: NodeKey,
    /// Open, newest first.
    pub seals: Vec<SealKey>,
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
    /// The commits under way, oldest first.
    aloft: VecDeque<Aloft>,
    published: Published,
    /// While a savepoint is open: what each circle was before, and whether it was changed for the first time since the last take-off.
    journal: Vec<(CircleId, Option<Arc<Circle>>, bool)>,
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
            let mut charter: crate::charter::Charter = rows::read(&bytes)?;
            let id = charter.circle();
            fate::recall_recoveries(rows, &mut charter)?;
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
            aloft: VecDeque::new(),
            published: Published::default(),
            journal: Vec::new(),
        };
        replica.index_once(rows)?;
        replica.index_letters_once(rows)?;
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

    fn stage(&mut self, row: Row, value: Vec<u8>) {
        self.put_row(row, Some(value));
    }

    fn stage_delete(&mut self, row: Row) {
        self.put_row(row, None);
    }

    fn put_row(&mut self, row: Row, value: Option<Vec<u8>>) {
        self.staging.put(row, value);
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
        let same = |old: &Arc<Circle>| Arc::ptr_eq(&old.charter, &circle.charter);
        if !old.as_ref().is_some_and(same) {
            self.stage(Row::Charter(id), cbor::encode(&*circle.charter));
        }
        let circle = Arc::new(circle);
        let first = !self.undo.contains_key(&id);
        self.journal.push((id, old.clone(), first));
        self.undo.entry(id).or_insert(old);
        self.circles.insert(id, Arc::clone(&circle));
        self.published.circles.push((id, Some(Arc::clone(&circle))));
        circle
    }

    /// Lets go of a circle: it is not here any more.
    fn drop_circle(&mut self, id: &CircleId) {
        let Some(old) = self.circles.remove(id) else {
            return;
        };
        self.counter += 1;
        self.stage_delete(Row::Charter(*id));
        self.stage_delete(Row::Circle(*id));
        let first = !self.undo.contains_key(id);
        self.journal.push((*id, Some(Arc::clone(&old)), first));
        self.undo.entry(*id).or_insert(Some(old));
        self.published.circles.push((*id, None));
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
