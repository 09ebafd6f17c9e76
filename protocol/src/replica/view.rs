//! What sessions and queries read: the state as of the last commit.

use std::{
    collections::{BTreeMap, BTreeSet},
    sync::Arc,
};

use super::{
    AwaitedRow, Committed, Finished, IncomingState, Location, OutgoingState, Row, RowPrefix, Rows,
    branches, committed::Random, project::read_record, rivals, rows::read,
};
use crate::{
    cbor::Bytes,
    charter::{Charter, SealedSecret},
    circle::{Ack, Circle, FileRow, Wanted},
    ids::{CircleId, EntryHash, Hash, LogId, NodeId, RecordId, Token},
    record::Record,
    sign::Unverified,
    sync::{Message, View},
};

/// Statements about identities that one contact brings at most.
const STATEMENTS: usize = 64;
/// Alerts that wait for a peer, of which a round looks up the circles at most.
const ALERTS: usize = 4096;
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
