//! What came late of what a removed node wrote: the steward's node lets it count, and every member shows it unmarked from then on.

use std::{collections::BTreeMap, sync::Arc};

use rand_core::CryptoRng;

use super::{Replica, Row, Rows, StewardshipError, StorageError, project::read_record};
use crate::{
    charter::{self, Cut, Removal},
    circle::{self, Circle, Evidence, Ingested},
    ids::{CircleId, LogId, NodeId, RecordId},
    record::Record,
    sync::{Change, News},
};

/// Why what lies beyond a cut is not let count.
#[derive(Debug, thiserror::Error)]
pub enum LateError {
    /// The circle, or what its steward may sign.
    #[error(transparent)]
    Stewardship(#[from] StewardshipError),
    /// It is a member, or never was one.
    #[error("that node was not removed from the circle")]
    NotRemoved,
    /// The limit of [`CUT_MOVES`](crate::limits::CUT_MOVES).
    #[error("what counts of that node was changed as often as it may be")]
    TooOften,
    /// Storage.
    #[error(transparent)]
    Storage(#[from] StorageError),
}

impl Replica {
    /// A person decides that what members hold of what `node` wrote before its removal counts, whatever the reason of that was. What is here counts
    /// at once, the rest when a member next says that it has it.
    ///
    /// # Errors
    /// [`LateError`].
    pub fn let_late_count(
        &mut self,
        rows: &impl Rows,
        id: &CircleId,
        node: &NodeId,
        now_ms: u64,
        rng: &mut impl CryptoRng,
    ) -> Result<(), LateError> {
        let circle = self.steward_circle(id)?;
        let removal = circle.charter.last_removal(node);
        let removal = removal.ok_or(LateError::NotRemoved)?;
        if !removal.movable {
            return Err(LateError::TooOften);
        }
        let mut next = Circle::clone(&circle);
        next.waived.insert(removal.entry);
        self.put_circle(next);
        self.published.news.push(News {
            circle: Some(*id),
            change: Change::Charter,
            from: None,
        });
        self.count_what_is_here(rows, id, now_ms, rng)?;
        Ok(())
    }

    /// Takes a batch of records as far as it counts.
    pub(super) fn ingest(
        &self,
        rows: &impl Rows,
        circle: &Circle,
        records: Vec<Record>,
        now_ms: u64,
    ) -> (Circle, Ingested) {
        let id = circle.id();
        circle::ingest(
            circle,
            records,
            &self.own(),
            &self.own_log(),
            now_ms,
            |log, sequence| self.held_at(rows, &id, log, sequence),
            |record| self.is_branch(rows, &id, record).unwrap_or(false),
            |record| {
                let known = || self.erased(rows, &id, record).ok().flatten().is_some();
                circle.erasures > 0 && known()
            },
        )
    }

    fn held_at(
        &self,
        rows: &impl Rows,
        id: &CircleId,
        log: &LogId,
        sequence: u64,
    ) -> Option<RecordId> {
        let row = self.row(rows, &Row::Record(*id, *log, sequence));
        let record = read_record(&row.ok()??).ok()?;
        Some(record.id())
    }

    /// Where this node is the steward: moves the cuts to what a member sent of what a removed node wrote, and takes it. `next` is the circle with what
    /// counted already.
    pub(super) fn count_what_came(
        &mut self,
        rows: &impl Rows,
        next: Circle,
        mut ingested: Ingested,
        now_ms: u64,
        rng: &mut impl CryptoRng,
    ) -> Result<(Circle, Ingested), StorageError> {
        let own = self.own();
        let taken = |record: &Record| {
            let header = &record.header.object;
            let removal = next.charter.removal_of(&header.log, header.entry);
            removal.filter(|removal| next.takes_late(&own, removal))
        };
        let late: Vec<(Removal, Record)> = ingested
            .evidence
            .iter()
            .filter_map(|one| match one {
                Evidence::AfterRemoval(record) => Some((taken(record)?, record.clone())),
                _ => None,
            })
            .collect();
        if late.is_empty() {
            return Ok((next, ingested));
        }
        let id = next.id();
        let records: Vec<Record> = late.iter().map(|(_, record)| record.clone()).collect();
        // As if all of it counted: how far do the logs hang together?
        let mut open = next.clone();
        for ((node, removal), cuts) in last_of_each(&late) {
            if let Ok(charter) = open.charter.with_cuts_moved(node, removal, &cuts) {
                open.charter = Arc::new(charter);
            }
        }
        let (reached, _) = self.ingest(rows, &open, records.clone(), now_ms);
        let mut cuts: BTreeMap<(NodeId, u64), Vec<Cut>> = BTreeMap::new();
        for ((node, removal), wanted) in last_of_each(&late) {
            for cut in wanted {
                let log = LogId {
                    node,
                    incarnation: cut.incarnation,
                };
                let before = next.logs.get(&log).map_or(0, |tip| tip.height);
                let Some(tip) = reached.logs.get(&log).filter(|tip| tip.height > before) else {
                    continue;
                };
                if !next.branches.parted(&log, tip.height) {
                    cuts.entry((node, removal)).or_default().push(Cut {
                        incarnation: cut.incarnation,
                        sequence: tip.height,
                        id: tip.head,
                    });
                }
            }
        }
        if cuts.is_empty() {
            return Ok((next, ingested));
        }
        let before = Arc::clone(&next.charter);
        let circle = self.put_circle(next);
        self.move_cuts(rows, &id, cuts, now_ms, rng)?;
        let moved = self.circles.get(&id).cloned().unwrap_or(circle);
        if moved.charter.number() == before.number() {
            return Ok((Circle::clone(&moved), ingested));
        }
        let counts = |one: &Evidence| matches!(one, Evidence::AfterRemoval(record) if records.iter().any(|late| late.id() == record.id()));
        ingested.evidence.retain(|one| !counts(one));
        let (next, late) = self.ingest(rows, &moved, records, now_ms);
        ingested.accepted.extend(late.accepted);
        ingested.filled.extend(late.filled);
        ingested.evidence.extend(late.evidence);
        ingested.spoiled |= late.spoiled;
        Ok((next, ingested))
    }

    /// Where this node is the steward: moves the cuts to what it holds itself beyond them, as one does that became the steward after the removal.
    pub(super) fn count_what_is_here(
        &mut self,
        rows: &impl Rows,
        id: &CircleId,
        now_ms: u64,
        rng: &mut impl CryptoRng,
    ) -> Result<(), StorageError> {
        let own = self.own();
        let Ok(circle) = self.steward_circle(id) else {
            return Ok(());
        };
        let mut cuts: BTreeMap<(NodeId, u64), Vec<Cut>> = BTreeMap::new();
        for log in circle.logs.keys() {
            let removal = circle.removal_of(log);
            let Some(removal) = removal.filter(|removal| circle.takes_late(&own, removal)) else {
                continue;
            };
            let Some(beyond) = circle.beyond(log) else {
                continue;
            };
            let joins = match circle.cut(log).flatten() {
                Some((sequence, cut)) => self.held_at(rows, id, log, sequence) == Some(cut),
                None => true,
            };
            if joins {
                cuts.entry((log.node, removal.entry))
                    .or_default()
                    .push(Cut {
                        incarnation: log.incarnation,
                        sequence: beyond.height,
                        id: beyond.head,
                    });
            }
        }
        self.move_cuts(rows, id, cuts, now_ms, rng)
    }

    fn move_cuts(
        &mut self,
        rows: &impl Rows,
        id: &CircleId,
        cuts: BTreeMap<(NodeId, u64), Vec<Cut>>,
        now_ms: u64,
        rng: &mut impl CryptoRng,
    ) -> Result<(), StorageError> {
        for ((node, removal), cuts) in cuts {
            let made = self.make(rows, id, None, now_ms, |steward, _| {
                charter::move_cuts(steward, node, removal, cuts, rng)
            });
            match made {
                Ok(()) => self.count_again(rows, id, &node)?,
                Err(StewardshipError::Storage(error)) => return Err(error),
                // A full charter, a revoked identity: it stays as it is, and marked.
                Err(_) => {}
            }
        }
        Ok(())
    }

    /// The cuts of a removed node have moved: what lies before them now is shown without a mark.
    pub(super) fn count_again(
        &mut self,
        rows: &impl Rows,
        id: &CircleId,
        node: &NodeId,
    ) -> Result<(), StorageError> {
        let Some(circle) = self.circles.get(id).cloned() else {
            return Ok(());
        };
        let mut next = Circle::clone(&circle);
        next.recount(node);
        self.look_beside(rows, &mut next, node)?;
        self.put_circle(next);
        self.reproject(rows, id)?;
        Ok(())
    }
}

/// By node and removal, the last record of each log that came beyond its cut.
fn last_of_each(late: &[(Removal, Record)]) -> BTreeMap<(NodeId, u64), Vec<Cut>> {
    let mut last: BTreeMap<(NodeId, u64), BTreeMap<_, Cut>> = BTreeMap::new();
    for (removal, record) in late {
        let header = &record.header.object;
        let cut = Cut {
            incarnation: header.log.incarnation,
            sequence: header.sequence,
            id: record.id(),
        };
        let logs = last.entry((header.log.node, removal.entry)).or_default();
        let held = logs.entry(cut.incarnation).or_insert(cut);
        if held.sequence < cut.sequence {
            *held = cut;
        }
    }
    let cuts = last.into_iter();
    cuts.map(|(removal, logs)| (removal, logs.into_values().collect()))
        .collect()
}
