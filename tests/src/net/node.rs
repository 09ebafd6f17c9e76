//! One node in memory.

use std::{
    cell::{Cell, RefCell},
    collections::{BTreeMap, BTreeSet, HashMap},
    sync::Arc,
    time::{Duration, Instant},
};

use maillon_protocol::{
    charter::Departure,
    charter::{Grant, RemovalReason, RotationReason, Subject},
    circle::{Ack, Circle},
    content::{Content, Kind},
    descriptor::{Descriptor, StructureKind},
    dossier::{DossierDigest, Standing, Thing},
    identity::{Replacement, Revocation, recovery_hash},
    ids::{CircleId, Hash, InvitationId, LogId, NodeId, RecordId, ThingId},
    invite::InvitationReason,
    keys::{NodeKey, SealKey},
    record::Record,
    replica::{
        AckCache, Claims, Committed, Draft, IncomingState, Keys, Memory, Notice, Replica, Row,
        RowPrefix, Rows, StewardshipError, WriteFailed,
    },
    sign::{Verified, sign},
    sync::{Batch, Effect, Event, Limits, News, Outcome, Problem, Session, View},
};
use rand::{RngExt, SeedableRng};
use rand_chacha::ChaCha20Rng;

use super::{Counted, identity, professional};

/// What a node had to do with the network and the disk, since it was made.
#[derive(Debug, Clone, Copy, Default)]
pub struct Traffic {
    /// Frames handed to the network.
    pub sent: u64,
    /// Their bytes.
    pub bytes_sent: u64,
    /// Frames that arrived.
    pub received: u64,
    /// Their bytes.
    pub bytes_received: u64,
    /// Commits that made something durable.
    pub commits: u64,
    /// Time of this machine's processor that its replica and its sessions took: a measurement, different each time.
    pub busy: Duration,
}

/// A node: what is durable, and what is rebuilt from it.
pub struct Node {
    /// Durable rows.
    pub memory: Memory,
    /// The single writer.
    pub replica: Replica,
    /// Circles as of the last commit.
    pub circles: HashMap<CircleId, Arc<Circle>>,
    /// Bounds of the sessions that are opened from now on.
    pub limits: Limits,
    /// Sessions by the peer's index.
    pub sessions: BTreeMap<usize, Session>,
    /// What peers did wrong.
    pub problems: Vec<Problem>,
    /// How many batches of peers were refused as a whole.
    pub refused: u64,
    /// What people would be told.
    pub notices: Vec<Notice>,
    /// What it had to do.
    pub traffic: Traffic,
    /// Rows that it read.
    pub(super) read: Cell<u64>,
    /// Circles in which something is still to be written again.
    renewing: BTreeSet<CircleId>,
    pub(super) waiting: BTreeMap<(usize, u64), Batch>,
    /// Taken and not committed yet: (peer, line, number, outcome).
    pub(super) held: Vec<(usize, u64, u64, Outcome)>,
    /// The key on paper.
    pub recovery: NodeKey,
    keys: Keys,
    descriptor: Verified<Descriptor>,
    counter: u64,
    acks: AckCache,
    claims: Claims,
    rng: RefCell<ChaCha20Rng>,
}

impl Node {
    pub(super) fn new(index: usize, kind: StructureKind, now: u64, seed: u64) -> Self {
        let mut rng = ChaCha20Rng::seed_from_u64(seed);
        let node = NodeKey::generate(&mut rng);
        // From its own source: the others stay as they were.
        let recovery = NodeKey::generate(&mut ChaCha20Rng::seed_from_u64(!seed));
        let seal = SealKey::generate(now + 365 * 24 * 3600 * 1000, &mut rng);
        let descriptor = sign(
            Descriptor {
                version: 1,
                node: node.id(),
                counter: now,
                name: format!("DAC {index}"),
                kind,
                finess: String::new(),
                territory: String::new(),
                addresses: Vec::new(),
                suite: maillon_protocol::seal::SUITE.to_owned(),
                seal: seal.public().clone(),
                protocols: (1, 1),
                administrator: String::new(),
                dpo: String::new(),
                recovery: recovery_hash(&recovery.id()),
            },
            &node,
        );
        let keys = Keys {
            node,
            seals: vec![seal],
        };
        let memory = Memory::default();
        let replica = Replica::load(&memory, keys.clone(), descriptor.clone(), &mut rng).unwrap();
        let mut this = Self {
            memory,
            replica,
            circles: HashMap::new(),
            limits: Limits::default(),
            sessions: BTreeMap::new(),
            problems: Vec::new(),
            refused: 0,
            notices: Vec::new(),
            traffic: Traffic::default(),
            read: Cell::new(0),
            renewing: BTreeSet::new(),
            waiting: BTreeMap::new(),
            held: Vec::new(),
            recovery,
            keys,
            descriptor,
            counter: 0,
            acks: AckCache::default(),
            claims: Claims::default(),
            rng: RefCell::new(rng),
        };
        this.commit();
        this
    }

    /// A second machine with the same keys and the same rows, as from a copy of the disk, which has not started yet.
    pub fn twin(&self, seed: u64) -> Self {
        let mut rng = ChaCha20Rng::seed_from_u64(seed);
        let memory = self.memory.clone();
        let (keys, descriptor) = (self.keys.clone(), self.descriptor.clone());
        let replica = Replica::load(&memory, keys.clone(), descriptor.clone(), &mut rng).unwrap();
        let mut twin = Self {
            memory,
            replica,
            circles: HashMap::new(),
            limits: self.limits,
            sessions: BTreeMap::new(),
            problems: Vec::new(),
            refused: 0,
            notices: Vec::new(),
            traffic: Traffic::default(),
            read: Cell::new(0),
            renewing: BTreeSet::new(),
            waiting: BTreeMap::new(),
            held: Vec::new(),
            recovery: self.recovery.clone(),
            keys,
            descriptor,
            counter: 0,
            acks: AckCache::default(),
            claims: Claims::default(),
            rng: RefCell::new(rng),
        };
        twin.restart();
        twin
    }

    /// The node's name.
    pub fn id(&self) -> NodeId {
        self.keys.node.id()
    }

    /// How many rows it has read.
    pub const fn rows_read(&self) -> u64 {
        self.read.get()
    }

    /// Rows as of the last commit; what is read of them is counted.
    pub(super) const fn rows(&self) -> Counted<'_> {
        Counted {
            rows: &self.memory,
            read: &self.read,
        }
    }

    pub(super) fn open_session(&mut self, peer: usize, id: NodeId) {
        self.sessions.insert(peer, Session::new(id, self.limits));
    }

    pub(super) fn close_session(&mut self, peer: usize, id: NodeId) {
        self.sessions.remove(&peer);
        self.claims.free_all(&id);
    }

    /// Starts again from what is durable.
    pub(super) fn restart(&mut self) {
        self.sessions.clear();
        self.waiting.clear();
        self.held.clear();
        self.acks = AckCache::default();
        self.claims = Claims::default();
        self.replica = Replica::load(
            &self.memory,
            self.keys.clone(),
            self.descriptor.clone(),
            &mut *self.rng.borrow_mut(),
        )
        .unwrap();
        self.circles = self
            .replica
            .circles()
            .map(|circle| (circle.id(), Arc::clone(circle)))
            .collect();
        self.renewing = Replica::renewing(&self.memory)
            .unwrap()
            .into_iter()
            .collect();
        self.commit();
    }

    /// The key that this node signs with.
    pub const fn key(&self) -> &NodeKey {
        &self.keys.node
    }

    /// The replica with its rows and a source of randomness.
    pub fn with<T>(
        &mut self,
        act: impl FnOnce(&mut Replica, &Counted<'_>, &mut ChaCha20Rng) -> T,
    ) -> T {
        let rows = Counted {
            rows: &self.memory,
            read: &self.read,
        };
        act(&mut self.replica, &rows, &mut self.rng.borrow_mut())
    }

    /// Makes what is staged durable; what sessions are to be told.
    pub fn commit(&mut self) -> Vec<News> {
        let begun = Instant::now();
        self.memory.commit(self.replica.staged());
        self.traffic.commits += u64::from(self.replica.staged_size().0 > 0);
        let published = self.replica.committed();
        for (id, circle) in published.circles {
            match circle {
                Some(circle) => self.circles.insert(id, circle),
                None => self.circles.remove(&id),
            };
        }
        self.counter = published.counter;
        self.renewing
            .extend(published.notices.iter().filter_map(|notice| match notice {
                Notice::Renewing(circle) => Some(*circle),
                _ => None,
            }));
        self.notices.extend(published.notices);
        self.traffic.busy += begun.elapsed();
        published.news
    }

    /// Goes on writing again for new members, as the daemon's worker does; whether anything was to be done.
    pub(super) fn renew_further(&mut self, now: u64) -> bool {
        let circles = std::mem::take(&mut self.renewing);
        for circle in &circles {
            self.with(|replica, rows, rng| replica.renew_further(rows, circle, now, rng))
                .unwrap();
        }
        !circles.is_empty()
    }

    pub(super) fn view<T>(
        &self,
        now: u64,
        look: impl FnOnce(&Committed<'_, Counted<'_>>) -> T,
    ) -> T {
        let random = || self.rng.borrow_mut().random();
        look(&Committed {
            rows: &self.rows(),
            circles: &self.circles,
            counter: self.counter,
            key: &self.keys.node,
            incarnation: self.replica.own_log().incarnation,
            descriptor: &self.descriptor,
            acks: &self.acks,
            claims: &self.claims,
            now_ms: now,
            random: &random,
        })
    }

    pub(super) fn handle(&mut self, peer: usize, event: Event<'_>, now: u64) -> Vec<Effect> {
        let Some(mut session) = self.sessions.remove(&peer) else {
            return Vec::new();
        };
        let begun = Instant::now();
        let effects = self.view(now, |view| session.handle(event, view, now));
        self.traffic.busy += begun.elapsed();
        self.sessions.insert(peer, session);
        effects
    }

    /// Verifies and stages what a session wants committed.
    pub(super) fn take(&mut self, from: NodeId, batch: Batch, now: u64) -> Outcome {
        let begun = Instant::now();
        let savepoint = self.replica.savepoint();
        let taken = self.stage(from, batch, now);
        self.traffic.busy += begun.elapsed();
        match taken {
            Some(outcome) => {
                self.replica.keep(savepoint);
                outcome
            }
            None => {
                self.refused += 1;
                self.replica.back_to(savepoint);
                Outcome {
                    refused: true,
                    ..Outcome::default()
                }
            }
        }
    }

    /// What became of a batch; none where it is refused as a whole.
    fn stage(&mut self, from: NodeId, batch: Batch, now: u64) -> Option<Outcome> {
        let rng = &mut *self.rng.borrow_mut();
        let rows = &Counted {
            rows: &self.memory,
            read: &self.read,
        };
        let replica = &mut self.replica;
        let done = Some(Outcome::default());
        match batch {
            Batch::Records { circle, records } => {
                let records = records
                    .into_iter()
                    .map(|(header, body)| header.verify().map(|header| Record { header, body }))
                    .collect::<Result<Vec<_>, _>>()
                    .ok()?;
                replica
                    .take_records(rows, from, circle, records, now, rng)
                    .ok()
            }
            Batch::Entries {
                circle,
                entries,
                seals,
            } => {
                let entries = entries
                    .into_iter()
                    .map(|entry| entry.verify())
                    .collect::<Result<Vec<_>, _>>()
                    .ok()?;
                replica
                    .take_entries(rows, from, circle, entries, &seals, now, rng)
                    .ok()?;
                done
            }
            Batch::Acks(circle, acks) => {
                let acks = acks
                    .into_iter()
                    .filter_map(|ack| Ack::verify(ack).ok())
                    .collect();
                replica.take_acks(rows, from, circle, acks, now).ok()?;
                done
            }
            Batch::Departure(bytes) => {
                let departure = Departure::verify(bytes).ok()?;
                replica
                    .take_departure(rows, from, &departure, now, rng)
                    .ok()?;
                done
            }
            Batch::Descriptor(bytes) => {
                let descriptor = Descriptor::verify(bytes).ok()?;
                replica.take_descriptor(rows, &descriptor).ok()?;
                done
            }
            Batch::Replacement(bytes) => {
                let said = Replacement::verify(bytes).ok()?;
                replica.take_replacement(rows, Some(from), &said).ok()?;
                done
            }
            Batch::Revocation(bytes) => {
                let said = Revocation::verify(bytes).ok()?;
                replica.take_revocation(rows, &said).ok()?;
                done
            }
            Batch::Invitation(bytes) => {
                replica.take_invitation(rows, from, bytes, now).ok()?;
                done
            }
            Batch::Acceptance(bytes) => {
                replica.take_acceptance(rows, from, bytes, now, rng).ok()?;
                done
            }
            Batch::Cancelled(id) => {
                replica.take_cancelled(rows, from, id).ok()?;
                done
            }
            Batch::Confirmed(circle, head) => {
                replica
                    .take_confirmation(rows, &from, &circle, head, now, rng)
                    .ok()?;
                done
            }
            Batch::Mark(token, cursor) => {
                replica.keep_mark(rows, from, token, cursor).ok()?;
                done
            }
            Batch::Chunks(fetched) => {
                fetched.check().ok()?;
                replica.take_chunks(rows, from, &fetched).ok()
            }
        }
    }

    /// Opens a circle for a patient and writes who they are.
    pub fn found(&mut self, now: u64) -> CircleId {
        let circle = self.with(|replica, _, rng| replica.found(Subject::Patient, now, rng));
        self.write(&circle, Content::PatientIdentity(identity()), now)
            .unwrap();
        circle
    }

    /// Writes a new thing.
    pub fn write(
        &mut self,
        circle: &CircleId,
        content: Content,
        now: u64,
    ) -> Result<RecordId, WriteFailed> {
        self.draft(circle, (None, None), Vec::new(), content, now)
    }

    /// Writes something about a thing: an answer.
    ///
    /// # Errors
    /// As [`Replica::write`].
    pub fn answer(
        &mut self,
        circle: &CircleId,
        parent: ThingId,
        content: Content,
        now: u64,
    ) -> Result<RecordId, WriteFailed> {
        self.draft(circle, (None, Some(parent)), Vec::new(), content, now)
    }

    /// Writes a new version of a thing.
    ///
    /// # Errors
    /// As [`Replica::write`].
    pub fn supersede(
        &mut self,
        circle: &CircleId,
        thing: ThingId,
        standing: Vec<RecordId>,
        content: Content,
        now: u64,
    ) -> Result<RecordId, WriteFailed> {
        self.draft(circle, (Some(thing), None), standing, content, now)
    }

    fn draft(
        &mut self,
        circle: &CircleId,
        (thing, parent): (Option<ThingId>, Option<ThingId>),
        supersedes: Vec<RecordId>,
        content: Content,
        now: u64,
    ) -> Result<RecordId, WriteFailed> {
        let draft = Draft {
            thing,
            parent,
            supersedes,
            author: professional("DAC"),
            occurred_ms: now,
            content,
        };
        self.with(|replica, rows, rng| replica.write(rows, circle, vec![draft], now, rng))
            .map(|written| written[0].record)
    }

    /// Starts a new epoch.
    ///
    /// # Errors
    /// As [`Replica::rotate`].
    pub fn rotate(&mut self, circle: &CircleId, now: u64) -> Result<(), StewardshipError> {
        let reason = RotationReason::Precaution;
        self.with(|replica, rows, rng| replica.rotate(rows, circle, reason, now, rng))
    }

    /// Invites a node with the whole past.
    pub fn invite(&mut self, circle: &CircleId, to: NodeId, now: u64) -> InvitationId {
        self.invite_with(circle, to, Grant::Whole, now)
    }

    /// Invites a node.
    pub fn invite_with(
        &mut self,
        circle: &CircleId,
        to: NodeId,
        grant: Grant,
        now: u64,
    ) -> InvitationId {
        self.with(|replica, rows, rng| {
            replica
                .invite(
                    rows,
                    circle,
                    to,
                    InvitationReason::CareTeam,
                    Some(&identity()),
                    grant,
                    now,
                    rng,
                )
                .unwrap()
        })
    }

    /// An invitation that nobody has decided about.
    pub fn undecided(&self) -> Option<InvitationId> {
        let all = self.replica.incoming(&self.memory).unwrap();
        all.into_iter()
            .find(|(_, row)| row.state == IncomingState::Waiting)
            .map(|(id, _)| id)
    }

    /// Accepts an undecided invitation as a new person.
    pub fn accept_first(&mut self, now: u64) {
        let id = self.undecided().unwrap();
        self.with(|replica, rows, _| replica.accept(rows, &id, None, now))
            .unwrap();
    }

    /// The statement of this node's recovery key that `new`, which names the recovery key `next`, stands in its place.
    pub fn replaced_by(&self, new: NodeId, next: Hash, counter: u64) -> Verified<Replacement> {
        let statement = Replacement {
            version: 1,
            recovery: self.recovery.id(),
            old: self.id(),
            new: Some(new),
            next,
            counter,
        };
        sign(statement, &self.recovery)
    }

    /// What this node says of itself.
    pub const fn descriptor(&self) -> &Verified<Descriptor> {
        &self.descriptor
    }

    /// Says something else of itself.
    pub fn describe(&mut self, descriptor: Descriptor) {
        self.descriptor = sign(descriptor, &self.keys.node);
        let said = self.descriptor.clone();
        self.with(|replica, _, _| replica.describe(said));
    }

    /// Removes a member.
    pub fn remove(&mut self, circle: &CircleId, node: NodeId, now: u64) {
        self.try_remove(circle, node, now).unwrap();
    }

    /// Removes a node, if it is a member.
    ///
    /// # Errors
    /// As [`Replica::remove`].
    pub fn try_remove(
        &mut self,
        circle: &CircleId,
        node: NodeId,
        now: u64,
    ) -> Result<(), StewardshipError> {
        self.with(|replica, rows, rng| {
            replica.remove(rows, circle, node, RemovalReason::Ended, now, rng)
        })
    }

    /// The patient's identity and the versions of it that stand here.
    pub fn identity_thing(&self, circle: &CircleId) -> Option<(ThingId, Vec<RecordId>)> {
        let rows = self.memory.scan(&RowPrefix::Things(*circle)).unwrap();
        rows.iter().find_map(|bytes| {
            let (id, thing): (ThingId, Thing) = maillon_protocol::cbor::decode(bytes).unwrap();
            let standing: Vec<RecordId> = match thing.standing() {
                Standing::Nothing => Vec::new(),
                Standing::One(one) => vec![one.record],
                Standing::Conflict(several) => several.iter().map(|one| one.record).collect(),
            };
            (thing.kind() == Some(Kind::PatientIdentity as u64)).then_some((id, standing))
        })
    }

    /// A record at a place of a log, whether or not it counts.
    pub fn stored(&self, circle: &CircleId, log: &LogId, sequence: u64) -> Option<Record> {
        self.view(0, |view| view.record(circle, log, sequence).unwrap())
    }

    /// Id of the record at a place of a log.
    pub fn record_at(&self, circle: &CircleId, log: &LogId, sequence: u64) -> Option<RecordId> {
        self.stored(circle, log, sequence).map(|record| record.id())
    }

    /// What another member has not acknowledged: log, first and last sequence.
    pub fn owed(&self, circle: &CircleId, member: &NodeId) -> Vec<(LogId, u64, u64)> {
        let acks = self.replica.acks(&self.memory, circle).unwrap();
        let ack = acks.iter().find(|ack| ack.node == *member);
        self.view(0, |view| view.owed(&self.circles[circle], member, ack))
    }

    /// Every committed record of a circle.
    pub fn all_records(&self, circle: &CircleId) -> Vec<Record> {
        let Some(held) = self.circles.get(circle) else {
            return Vec::new();
        };
        self.view(0, |view| {
            held.logs
                .iter()
                .flat_map(|(log, tip)| view.records(circle, log, tip.first, tip.height, usize::MAX))
                .collect()
        })
    }

    /// Digest of what the node shows of a circle.
    pub fn digest(&self, circle: &CircleId) -> Hash {
        let mut things: BTreeMap<ThingId, Thing> = BTreeMap::new();
        for bytes in self.memory.scan(&RowPrefix::Things(*circle)).unwrap() {
            let (id, thing): (ThingId, Thing) = maillon_protocol::cbor::decode(&bytes).unwrap();
            things.insert(id, thing);
        }
        let mut digest = DossierDigest::default();
        for (id, thing) in &things {
            digest.add(id, thing);
        }
        digest.finish()
    }

    /// What stands of every thing of a circle and can be read here, with whether a branch of a forked log says it.
    pub fn shown(&self, circle: &CircleId) -> Vec<(Content, bool)> {
        let Some(held) = self.circles.get(circle) else {
            return Vec::new();
        };
        let mut shown = Vec::new();
        for bytes in self.memory.scan(&RowPrefix::Things(*circle)).unwrap() {
            let (_, thing): (ThingId, Thing) = maillon_protocol::cbor::decode(&bytes).unwrap();
            let standing = match thing.standing() {
                Standing::Nothing => Vec::new(),
                Standing::One(one) => vec![one],
                Standing::Conflict(several) => several,
            };
            for version in standing {
                let found = self.view(0, |view| view.find(&version.record)).unwrap();
                let (_, record) = found.expect("what is shown is here");
                let header = &record.header.object;
                let parted = held.branches.parted(&header.log, header.sequence);
                if let Ok(opened) = held.read(&record) {
                    shown.push((opened.content, parted));
                }
            }
        }
        shown
    }

    /// What every record that the node can read says.
    pub fn contents(&self, circle: &CircleId) -> Vec<Content> {
        let Some(held) = self.circles.get(circle) else {
            return Vec::new();
        };
        self.all_records(circle)
            .iter()
            .filter_map(|record| held.read(record).ok())
            .map(|opened| opened.content)
            .collect()
    }

    /// Whether `needle` occurs in a durable row, name or value.
    pub fn holds(&self, needle: &[u8]) -> bool {
        self.memory.rows().iter().any(|(row, value)| {
            let name = match row {
                Row::Charter(circle)
                | Row::Circle(circle)
                | Row::Entry(circle, _)
                | Row::Record(circle, ..)
                | Row::Thing(circle, _)
                | Row::Alert(circle, _)
                | Row::Ack(circle, _) => circle.0.to_vec(),
                _ => Vec::new(),
            };
            super::contains(&name, needle) || super::contains(value, needle)
        })
    }

    /// A committed record.
    pub fn record(&self, circle: &CircleId, id: RecordId) -> Option<Record> {
        self.all_records(circle)
            .into_iter()
            .find(|record| record.id() == id)
    }
}
