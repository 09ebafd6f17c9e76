//! Acknowledgements: those of others, taken and kept, and this node's own, signed once for each thing that they say.

use std::{
    collections::HashMap,
    sync::{Mutex, PoisonError},
};

use super::{ArriveError, Replica, Row, RowPrefix, Rows, StorageError, erasure::tells_of_missing};
use crate::{
    circle::{Ack, Circle},
    ids::{CircleId, Incarnation, NodeId},
    keys::NodeKey,
    sign::{self, Verified},
    sync::{Change, News},
};

/// More acknowledgements than a node signs before it hears of one of them.
const LEAP: u64 = 1 << 20;
/// How many signed acknowledgements are kept for reuse.
const CACHED_ACKS: usize = 4096;

/// This node's own acknowledgements, signed once for each thing that they say.
#[derive(Debug, Default)]
pub struct AckCache {
    signed: Mutex<HashMap<CircleId, Signed>>,
    counter: Mutex<u64>,
}

/// An acknowledgement without its counter and time, its counter, and its bytes.
type Signed = (Ack, u64, Vec<u8>);

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

impl Replica {
    /// Takes acknowledgements, whose signatures have been verified. Older ones, and those that say nothing new, are passed over.
    ///
    /// # Errors
    /// [`ArriveError`].
    pub fn take_acks(
        &mut self,
        rows: &impl Rows,
        peer: NodeId,
        id: CircleId,
        acks: Vec<Verified<Ack>>,
        now_ms: u64,
    ) -> Result<(), ArriveError> {
        let own = self.own();
        let Some(circle) = self.at_hand(rows, &id, &peer)?.cloned() else {
            return Ok(());
        };
        if !circle.charter.is_member(&peer) {
            // Signed before it knew of its removal, and on its way since: of no use, and nobody's fault.
            let before = |removal| acks.iter().all(|ack| ack.object.entry < removal);
            return match circle.charter.removed_by(&peer) {
                Some(removal) if before(removal) => Ok(()),
                _ => Err(ArriveError::NotShared),
            };
        }
        let (mut changed, mut told) = (false, false);
        for ack in acks {
            let node = ack.object.node;
            if ack.object.circle != id || !circle.charter.is_member(&node) {
                continue;
            }
            // This node's clock was put back: what it signs from now on must be taken for newer than what others hold of it.
            if node == own && ack.object.counter < now_ms {
                continue;
            }
            let held: Option<Verified<Ack>> = self
                .row(rows, &Row::Ack(id, node))?
                .map(crate::sign::Unverified::parse)
                .transpose()
                .map_err(|_| StorageError::damaged("acknowledgement"))?
                .map(crate::sign::Unverified::trust_stored);
            if let Some(held) = &held {
                let news = Ack {
                    counter: 0,
                    time_ms: 0,
                    ..held.object.clone()
                } != Ack {
                    counter: 0,
                    time_ms: 0,
                    ..ack.object.clone()
                };
                let said = !news && node != own;
                if ack.object.counter <= held.object.counter || said {
                    continue;
                }
            }
            self.stage(Row::Ack(id, node), ack.bytes.clone());
            changed = true;
            if node == own {
                continue;
            }
            let held = held.as_ref().map(|held| &held.object);
            told |= tells_of_missing(&circle, &ack.object, held);
            self.note_deliveries(rows, &circle, &ack.object, held, now_ms)?;
        }
        if changed {
            self.put_circle((*circle).clone());
            if told {
                self.follow_what_is_missing(rows, &id)?;
            }
            self.published.news.push(News {
                circle: Some(id),
                change: Change::Acks,
                from: Some(peer),
            });
        }
        Ok(())
    }

    /// Acknowledgements of others held of a circle.
    ///
    /// # Errors
    /// [`StorageError`].
    pub fn acks(&self, rows: &impl Rows, circle: &CircleId) -> Result<Vec<Ack>, StorageError> {
        let own = self.own();
        self.over(rows)
            .scan(&RowPrefix::Acks(*circle))?
            .into_iter()
            .map(|bytes| {
                crate::sign::Unverified::<Ack>::parse(bytes)
                    .map(|ack| ack.object)
                    .map_err(|_| StorageError::damaged("acknowledgement"))
            })
            .filter(|ack| ack.as_ref().map_or(true, |ack| ack.node != own))
            .collect()
    }
}
