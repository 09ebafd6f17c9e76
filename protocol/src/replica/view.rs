//! What sessions and queries read: the state as of the last commit.

use std::{
    collections::{BTreeMap, BTreeSet, HashMap},
    convert::Infallible,
    sync::{Arc, Mutex, PoisonError},
};

use rand_core::{TryCryptoRng, TryRng, utils::next_word_via_fill};

use super::{
    AwaitedRow, Claims, Finished, IncomingState, Location, OutgoingState, Row, RowPrefix, Rows,
    StorageError, branches, project::read_record, renew::Renewing, rivals, rows::read,
};
use crate::{
    cbor::Bytes,
    charter::{Charter, SealedSecret},
    circle::{Ack, Circle, FileRow, Wanted},
    descriptor::Descriptor,
    ids::{CircleId, EntryHash, Hash, Incarnation, LogId, NodeId, RecordId, Token},
    keys::{NodeKey, SealPublic},
    record::Record,
    sign::{self, Unverified, Verified},
    sync::{Message, View},
};

/// This node's own acknowledgements, signed once for each thing that they say.
#[derive(Debug, Default)]
pub struct AckCache {
    signed: Mutex<HashMap<CircleId, Signed>>,
    counter: Mutex<u64>,
}

/// An acknowledgement without its counter and time, its counter, and its bytes.
type Signed = (Ack, u64, Vec<u8>);

/// Statements about identities that one contact brings at most.
const STATEMENTS: usize = 64;
/// Alerts that wait for a peer, of which a round looks up the circles at most.
const ALERTS: usize = 4096;
/// More acknowledgements than a node signs before it hears of one of them.
const LEAP: u64 = 1 << 20;
/// How many signed acknowledgements are kept for reuse.
const CACHED_ACKS: usize = 4096;

impl AckCache {
    /// The signed acknowledgement of a circle as it is committed, with a counter above `after`, the greatest that others hold of this node.
    pub fn sign(
        &self,
        circle: &Circle,
        incarnation: Incarnation,
        key: &NodeKey,
        after: u64,
        now_ms: u64,
    ) -> Vec<u8> {
        let ack = Ack {
            version: 1,
            circle: circle.id(),
            node: key.id(),
            incarnation,
            counter: 0,
            entry: circle.charter.number(),
            entry_hash: circle.charter.head(),
            opened: circle.secrets.keys().copied().collect(),
            heights: circle.heights(),
            exceptions: circle.exceptions.clone(),
            attachments: circle
                .lacking
                .iter()
                .map(|(log, first)| (*log, first - 1))
                .collect(),
            time_ms: 0,
        };
        // A poisoned lock only means that another thread panicked between two whole writes.
        let mut signed = self.signed.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some((said, counter, bytes)) = signed.get(&circle.id())
            && *said == ack
            && *counter > after
        {
            return bytes.clone();
        }
        let counter = {
            let mut counter = self.counter.lock().unwrap_or_else(PoisonError::into_inner);
            // The first since a start, with a clock that was put back: what was signed last before it may be on its way, and nobody has told of it.
            let step = if *counter == 0 && after >= now_ms {
                LEAP
            } else {
                1
            };
            *counter = counter.max(after).saturating_add(step).max(now_ms);
            *counter
        };
        let bytes = sign::sign(
            Ack {
                counter,
                time_ms: now_ms,
                ..ack.clone()
            },
            key,
        )
        .bytes;
        if signed.len() >= CACHED_ACKS {
            signed.clear();
        }
        signed.insert(circle.id(), (ack, counter, bytes.clone()));
        bytes
    }
}

/// The committed state, for one look.
pub struct Committed<'a, R> {
    /// Rows.
    pub rows: &'a R,
    /// Circles as of the last commit.
    pub circles: &'a HashMap<CircleId, Arc<Circle>>,
    /// The change counter as of the last commit.
    pub counter: u64,
    /// Signs acknowledgements.
    pub key: &'a NodeKey,
    /// The incarnation that acknowledgements name.
    pub incarnation: Incarnation,
    /// This node's descriptor.
    pub descriptor: &'a Verified<Descriptor>,
    /// Signed acknowledgements.
    pub acks: &'a AckCache,
    /// Who is asked for which attachment.
    pub claims: &'a Claims,
    /// Now, Unix milliseconds.
    pub now_ms: u64,
    /// Gives random marks.
    pub random: &'a dyn Fn() -> [u8; 16],
}

impl<R: Rows> Committed<'_, R> {
    fn values(&self, prefix: &RowPrefix) -> Vec<Vec<u8>> {
        self.rows.scan(prefix).unwrap_or_default()
    }

    fn stored<T>(&self, row: &Row) -> Option<T>
    where
        T: for<'b> minicbor::Decode<'b, ()> + minicbor::Encode<()>,
    {
        read(&self.rows.get(row).ok()??).ok()
    }

    /// The newest receive key that is known of a node.
    fn seal_key_of(&self, node: &NodeId) -> Option<SealPublic> {
        let bytes = self.rows.get(&Row::Descriptor(*node)).ok()??;
        let descriptor = Unverified::<Descriptor>::parse(bytes).ok()?;
        Some(descriptor.object.seal)
    }

    /// A copy of an epoch's secret, made by this node, which has opened it.
    fn seal_again(
        &self,
        circle: &CircleId,
        epoch: u64,
        recipient: &NodeId,
        key: &SealPublic,
    ) -> Option<SealedSecret> {
        let circle = self.circles.get(circle)?;
        circle
            .charter
            .seal_secret(
                epoch,
                circle.secret(epoch)?,
                self.key.id(),
                *recipient,
                key,
                self.now_ms,
                &mut Random(self.random),
            )?
            .ok()
    }

    /// Whether a member says that it holds a body that is missing here.
    fn may_give_a_body(&self, peer: &NodeId, circle: &Circle, own: &NodeId) -> bool {
        let mut missing = circle.missing(own).peekable();
        if missing.peek().is_none() {
            return false;
        }
        let row = self.rows.get(&Row::Ack(circle.id(), *peer)).ok().flatten();
        let ack = row.and_then(|bytes| Unverified::<Ack>::parse(bytes).ok());
        ack.is_some_and(|ack| {
            missing.any(|range| ack.object.delivery(&range.log, range.from) == Some(Ok(())))
        })
    }

    /// How far a member's acknowledgement reaches in a log as it is held here: see [`Ack::reached`].
    pub fn reached(&self, circle: &Circle, ack: &Ack, log: &LogId) -> u64 {
        let height = circle.logs.get(log).map_or(0, |tip| tip.height);
        ack.reached(log, height, &self.key.id(), |sequence| {
            self.record_id(&circle.id(), log, sequence)
        })
    }

    /// What `member` may have and has not acknowledged: (log, first sequence, last sequence). Of a forked log, where the member stands on another
    /// branch, that is what this node has still to write again.
    pub fn owed(
        &self,
        circle: &Circle,
        member: &NodeId,
        ack: Option<&Ack>,
    ) -> Vec<(LogId, u64, u64)> {
        circle
            .heights_for(member)
            .into_iter()
            .filter(|height| height.log.node != *member)
            .filter_map(|height| {
                let tip = circle.logs.get(&height.log)?;
                let first = tip.first_for(member, &height.log, &circle.charter)?;
                let reached = ack.map_or(0, |ack| {
                    let renewed = self.renewed(circle, ack, &height.log);
                    renewed.unwrap_or_else(|| self.reached(circle, ack, &height.log))
                });
                let from = first.max(tip.first).max(reached + 1);
                (from <= height.height).then_some((height.log, from, height.height))
            })
            .collect()
    }

    /// Up to which place a member that stands on another branch of a forked log needs nothing of ours: what stands of it is written again by the node
    /// whose log it is, and of its own this node knows from where on that is still to be done.
    fn renewed(&self, circle: &Circle, ack: &Ack, log: &LogId) -> Option<u64> {
        let said = ack.heights.iter().find(|said| said.log == *log)?;
        if !circle.branches.parted(log, said.height) {
            return None;
        }
        let height = circle.logs.get(log)?.height;
        let same = self.record_id(&circle.id(), log, said.height) == Some(said.head);
        let row = self.rows.get(&Row::Renewing(circle.id())).ok()?;
        let row = row.and_then(|bytes| read::<Renewing>(&bytes).ok());
        let own = log.node == self.key.id();
        let open = row.filter(|_| own).and_then(|row| row.forked_from(log));
        (!same).then(|| open.map_or(height, |from| from.saturating_sub(1)))
    }

    /// A record, wherever it is kept: in its log, or aside as one of another branch; and its circle.
    ///
    /// # Errors
    /// [`StorageError`].
    pub fn find(&self, record: &RecordId) -> Result<Option<(CircleId, Record)>, StorageError> {
        let found = branches::find(self.rows, record)?;
        Ok(found.map(|(place, record)| (place.circle, record)))
    }

    /// A committed record.
    ///
    /// # Errors
    /// [`StorageError`].
    pub fn record(
        &self,
        circle: &CircleId,
        log: &LogId,
        sequence: u64,
    ) -> Result<Option<Record>, StorageError> {
        self.rows
            .get(&Row::Record(*circle, *log, sequence))?
            .map(|bytes| read_record(&bytes))
            .transpose()
    }
}

/// The driver's source of randomness, as sealing takes it.
struct Random<'a>(&'a dyn Fn() -> [u8; 16]);

impl TryRng for Random<'_> {
    type Error = Infallible;

    fn try_next_u32(&mut self) -> Result<u32, Infallible> {
        next_word_via_fill(self)
    }

    fn try_next_u64(&mut self) -> Result<u64, Infallible> {
        next_word_via_fill(self)
    }

    fn try_fill_bytes(&mut self, bytes: &mut [u8]) -> Result<(), Infallible> {
        for some in bytes.chunks_mut(16) {
            some.copy_from_slice(&(self.0)()[..some.len()]);
        }
        Ok(())
    }
}

impl TryCryptoRng for Random<'_> {}

/// Reads that fail give nothing: the session then has nothing to say, and the storage's own checks report the damage.
impl<R: Rows> View for Committed<'_, R> {
    fn own(&self) -> NodeId {
        self.key.id()
    }

    fn circle(&self, circle: &CircleId) -> Option<Arc<Circle>> {
        self.circles.get(circle).cloned()
    }

    fn finished(&self, circle: &CircleId, peer: &NodeId) -> Option<(u64, EntryHash)> {
        let row = self.rows.get(&Row::Finished(*circle)).ok()??;
        let finished: Finished = read(&row).ok()?;
        let known = finished.nodes.contains(peer);
        known.then_some((finished.entry, finished.head))
    }

    fn changed_since(&self, peer: &NodeId, cursor: u64) -> Vec<CircleId> {
        let mut changed: Vec<_> = self
            .circles
            .values()
            .filter(|circle| circle.changed > cursor && circle.charter.ever_listed(peer))
            .map(|circle| (circle.changed, circle.id()))
            .collect();
        changed.sort_unstable();
        changed.into_iter().map(|(_, id)| id).collect()
    }

    fn alerting(&self, peer: &NodeId) -> BTreeSet<CircleId> {
        let mut circles = BTreeSet::new();
        let mut looked_at = 0;
        // Whatever is behind so many alerts has its turn as everything else has.
        let read = self.rows.each(&RowPrefix::AwaitedOf(*peer), &mut |bytes| {
            looked_at += 1;
            circles.extend(read::<AwaitedRow>(&bytes).ok().map(|row| row.circle));
            looked_at < ALERTS
        });
        read.map_or_else(|_| BTreeSet::new(), |()| circles)
    }

    fn counter(&self) -> u64 {
        self.counter
    }

    fn entries(&self, circle: &CircleId, after: u64, up_to: u64, bytes: usize) -> Vec<Bytes> {
        let mut found = Vec::new();
        let mut total = 0;
        let mut number = after;
        let read = self
            .rows
            .each(&RowPrefix::Entries(*circle, after), &mut |value| {
                number += 1;
                if number > up_to {
                    return false;
                }
                total += value.len();
                found.push(Bytes(value));
                total < bytes
            });
        if read.is_err() {
            return Vec::new();
        }
        found
    }

    fn seals(
        &self,
        circle: &CircleId,
        recipient: &NodeId,
        epochs: &BTreeSet<u64>,
    ) -> Vec<SealedSecret> {
        let key = self.seal_key_of(recipient);
        let held: BTreeMap<u64, SealedSecret> = self
            .values(&RowPrefix::Seals(*circle, *recipient))
            .iter()
            .filter_map(|bytes| read::<SealedSecret>(bytes).ok())
            .map(|copy| (copy.number, copy))
            .collect();
        epochs
            .iter()
            .filter_map(|epoch| match (held.get(epoch), &key) {
                (Some(copy), Some(key)) if copy.key == key.id => Some(copy.clone()),
                (copy, Some(key)) => self
                    .seal_again(circle, *epoch, recipient, key)
                    .or_else(|| copy.cloned()),
                (copy, None) => copy.cloned(),
            })
            .collect()
    }

    fn rival_entries(&self, circle: &CircleId) -> Vec<Bytes> {
        let Some(held) = self.circles.get(circle) else {
            return Vec::new();
        };
        rivals::entries(self.rows, held).unwrap_or_default()
    }

    fn rival_seals(&self, circle: &CircleId, recipient: &NodeId) -> Vec<SealedSecret> {
        let held = self.circles.get(circle);
        let Some((circle, key)) = held.zip(self.seal_key_of(recipient)) else {
            return Vec::new();
        };
        let (own, now, mut random) = (self.key.id(), self.now_ms, Random(self.random));
        let mut seals = Vec::new();
        for (epoch, secret) in &circle.beside {
            let mut rivals = circle.charter.rivals().iter();
            let of_it = |rival: &Charter| {
                let mut epochs = rival.epochs();
                epochs.find(|number| rival.hash_of(*number) == Some(*epoch))
            };
            let sealed = rivals.find_map(|rival| {
                let number = of_it(rival)?;
                rival.seal_secret(number, secret, own, *recipient, &key, now, &mut random)
            });
            seals.extend(sealed.and_then(Result::ok));
        }
        seals
    }

    fn records(
        &self,
        circle: &CircleId,
        log: &LogId,
        from: u64,
        up_to: u64,
        bytes: usize,
    ) -> Vec<Record> {
        let mut found = Vec::new();
        let mut total = 0;
        let mut sequence = from;
        let read = self
            .rows
            .each(&RowPrefix::Records(*circle, *log, from), &mut |value| {
                if sequence > up_to {
                    return false;
                }
                sequence += 1;
                total += value.len();
                let Ok(record) = read_record(&value) else {
                    return false;
                };
                found.push(record);
                total < bytes
            });
        if read.is_err() {
            return Vec::new();
        }
        found
    }

    fn record_id(&self, circle: &CircleId, log: &LogId, sequence: u64) -> Option<RecordId> {
        self.record(circle, log, sequence)
            .ok()
            .flatten()
            .map(|record| record.id())
    }

    fn is_branch(&self, circle: &CircleId, record: &RecordId) -> bool {
        branches::is_aside(self.rows, circle, record).unwrap_or(false)
    }

    fn branches(&self, circle: &CircleId) -> Vec<Record> {
        branches::branches(self.rows, circle).unwrap_or_default()
    }

    fn acks(&self, circle: &CircleId) -> Vec<Bytes> {
        let mut acks = Vec::new();
        let own = BTreeSet::from([Row::Ack(*circle, self.key.id())]);
        let others = RowPrefix::Acks(*circle);
        let read = self.rows.each_but(&others, &own, &mut |value| {
            acks.push(Bytes(value));
            true
        });
        if read.is_err() {
            acks.clear();
        }
        acks.extend(self.own_ack(circle));
        acks
    }

    fn own_ack(&self, circle: &CircleId) -> Option<Bytes> {
        let circle = self.circles.get(circle)?;
        let row = Row::Ack(circle.id(), self.key.id());
        let ahead = self.rows.get(&row).ok().flatten();
        let ahead = ahead.and_then(|bytes| Unverified::<Ack>::parse(bytes).ok());
        Some(Bytes(self.acks.sign(
            circle,
            self.incarnation,
            self.key,
            ahead.map_or(0, |ack| ack.object.counter),
            self.now_ms,
        )))
    }

    fn descriptor(&self) -> Bytes {
        Bytes(self.descriptor.bytes.clone())
    }

    fn marks(&self, peer: &NodeId) -> Vec<(Token, u64)> {
        self.rows
            .get(&Row::Marks(*peer))
            .ok()
            .flatten()
            .and_then(|bytes| read(&bytes).ok())
            .unwrap_or_default()
    }

    fn new_mark(&self) -> Token {
        Token((self.random)())
    }

    fn letters(&self, peer: &NodeId) -> Vec<Message> {
        let open = self.values(&RowPrefix::Letters(*peer));
        let open = open
            .iter()
            .filter_map(|bytes| read::<super::letters::Letter>(bytes).ok());
        open.filter_map(|letter| match letter.received {
            false => {
                let row: super::Outgoing = self.stored(&Row::Outgoing(letter.id))?;
                match row.state {
                    _ if row.expires_ms <= self.now_ms => None,
                    OutgoingState::Waiting => Some(Message::Invitation(row.invitation)),
                    OutgoingState::Cancelled => Some(Message::Cancelled(letter.id)),
                    OutgoingState::Admitted => None,
                }
            }
            true => match self
                .stored::<super::Incoming>(&Row::Incoming(letter.id))?
                .state
            {
                IncomingState::Accepted {
                    acceptance,
                    circle: None,
                    ..
                } => Some(Message::Acceptance(acceptance)),
                _ => None,
            },
        })
        .collect()
    }

    fn statements(&self, peer: &NodeId) -> Vec<Message> {
        let own = self.key.id();
        let fates = self.values(&RowPrefix::Fates);
        let fates = fates
            .iter()
            .filter_map(|bytes| read::<super::Fate>(bytes).ok());
        let shared = |node: &NodeId| {
            let mut circles = self.circles.values();
            circles.any(|circle| {
                let charter = &circle.charter;
                charter.ever_listed(node) && charter.is_member(peer) && charter.is_member(&own)
            })
        };
        let concerns = |fate: &super::Fate| {
            let ends = [Some(fate.node), fate.replaced_by()];
            ends.contains(&Some(own)) || ends.contains(&Some(*peer)) || shared(&fate.node)
        };
        let concerning = fates.filter(concerns).flat_map(|fate| fate.messages());
        concerning.take(STATEMENTS).collect()
    }

    fn rotations(&self) -> Vec<Message> {
        let fate = self.rows.get(&Row::Fate(self.key.id())).ok().flatten();
        let fate = fate.and_then(|bytes| read::<super::Fate>(&bytes).ok());
        let rotations = fate.map(|fate| fate.rotations).unwrap_or_default();
        rotations.into_iter().map(Message::Replacement).collect()
    }

    fn refuses(&self, peer: &NodeId) -> bool {
        let row = self.rows.get(&Row::Fate(*peer)).ok().flatten();
        row.and_then(|bytes| read::<super::Fate>(&bytes).ok())
            .is_some_and(|fate| fate.is_refused())
    }

    fn place(&self, record: &RecordId) -> Option<(CircleId, LogId, u64)> {
        let bytes = self.rows.get(&Row::Place(*record)).ok().flatten()?;
        let place: Location = read(&bytes).ok()?;
        Some((place.circle, place.log, place.sequence))
    }

    fn lacking(&self, peer: &NodeId) -> Vec<CircleId> {
        self.circles
            .values()
            .filter(|circle| !circle.lacking.is_empty() && circle.charter.ever_listed(peer))
            .map(|circle| circle.id())
            .collect()
    }

    fn incomplete(&self, peer: &NodeId) -> Vec<CircleId> {
        let own = self.key.id();
        self.circles
            .values()
            .filter(|circle| circle.charter.is_member(peer))
            .filter(|circle| {
                circle.lacks_a_secret(&own) || self.may_give_a_body(peer, circle, &own)
            })
            .map(|circle| circle.id())
            .collect()
    }

    fn wanted(&self, circle: &CircleId, after: Option<Wanted>) -> Option<Wanted> {
        let mut found = None;
        let read = self
            .rows
            .each(&RowPrefix::Wanted(*circle, after), &mut |value| {
                found = read(&value).ok();
                false
            });
        read.ok().and(found)
    }

    fn file(&self, circle: &CircleId, address: &Hash) -> FileRow {
        self.rows
            .get(&Row::File(*circle, *address))
            .ok()
            .flatten()
            .and_then(|bytes| read(&bytes).ok())
            .unwrap_or_default()
    }

    fn chunks(&self, circle: &CircleId, address: &Hash, from: u64, count: u64) -> Vec<Bytes> {
        let mut found = Vec::new();
        let read = self
            .rows
            .each(&RowPrefix::Chunks(*circle, *address, from), &mut |value| {
                found.push(Bytes(value));
                (found.len() as u64) < count
            });
        if read.is_err() || count == 0 {
            return Vec::new();
        }
        found
    }

    fn claim(&self, address: Hash, peer: NodeId) -> bool {
        self.claims.claim(address, peer, self.now_ms)
    }

    fn free(&self, address: &Hash, peer: &NodeId) {
        self.claims.free(address, peer);
    }
}
