//! The other branches of forked logs: kept aside, shown, and, by the node whose log it is, written again.
//!
//! A member goes on with the branch that came first. What comes of another one is kept aside ([`Row::Aside`]) under the word `fork`, with its place
//! among the things: it is shown as everything else, and marked, as is the end of the branch that came first. Members give each other what they keep
//! aside. How much is kept of one node is bounded: see `aside`.
//!
//! A node that sees a second branch of a log of its own goes on in a new incarnation if it still wrote there, and writes again what stands of
//! its own branch, from the place where the two part: so nothing is lost of what people wrote at either disk, however long the branch is. Both
//! disks do so while they live; that of one which was stopped before is shown where it is kept aside.

use super::{
    Location, Replica, Row, RowPrefix, Rows, StorageError,
    project::{read_record, record_row},
    rows::read,
};
use crate::{
    cbor::{self, Bytes},
    circle::Circle,
    ids::{CircleId, Hash, Incarnation, LogId, NodeId, RecordId, ThingId},
    record::{OlderLog, Record, log::LogTip},
};
use std::collections::{BTreeMap, BTreeSet};

/// The word under which records of other branches are kept aside.
pub(super) const FORK: &str = "fork";

/// Finds a record by its name: in its log, or aside where it stands on another branch.
pub(super) fn find(
    rows: &impl Rows,
    id: &RecordId,
) -> Result<Option<(Location, Record)>, StorageError> {
    let Some(bytes) = rows.get(&Row::Place(*id))? else {
        return Ok(None);
    };
    let place: Location = read(&bytes)?;
    if let Some(bytes) = rows.get(&Row::Record(place.circle, place.log, place.sequence))? {
        let record = read_record(&bytes)?;
        if record.id() == *id {
            return Ok(Some((place, record)));
        }
    }
    let aside = rows.get(&Row::Aside(place.circle, Hash(id.0)))?;
    let record = aside.map(|bytes| of_branch(&bytes)).transpose()?.flatten();
    Ok(record.map(|record| (place, record)))
}

/// The record of a piece of evidence, where it is one of another branch.
fn of_branch(bytes: &[u8]) -> Result<Option<Record>, StorageError> {
    let (what, object): (String, Bytes) = read(bytes)?;
    (what == FORK).then(|| read_record(&object.0)).transpose()
}

/// Whether a record is kept aside as one of another branch.
pub(super) fn is_aside(
    rows: &impl Rows,
    circle: &CircleId,
    id: &RecordId,
) -> Result<bool, StorageError> {
    let Some(bytes) = rows.get(&Row::Aside(*circle, Hash(id.0)))? else {
        return Ok(false);
    };
    let (what, _): (String, Bytes) = read(&bytes)?;
    Ok(what == FORK)
}

/// The records of other branches that are kept aside of a circle, log by log, in the order of their places.
pub(super) fn branches(rows: &impl Rows, circle: &CircleId) -> Result<Vec<Record>, StorageError> {
    let mut records = Vec::new();
    for bytes in rows.scan(&RowPrefix::Aside(*circle))? {
        records.extend(of_branch(&bytes)?);
    }
    records.sort_by_key(|record| {
        let header = &record.header.object;
        (header.log, header.sequence, record.id())
    });
    Ok(records)
}

impl Replica {
    /// Whether a record is kept aside as one of another branch, staged changes included.
    pub(super) fn is_branch(
        &self,
        rows: &impl Rows,
        circle: &CircleId,
        id: &RecordId,
    ) -> Result<bool, StorageError> {
        is_aside(&self.over(rows), circle, id)
    }

    /// A record of another branch has lost its body.
    pub(super) fn keep_bare(&mut self, circle: CircleId, bare: &Record) {
        self.stage(
            Row::Aside(circle, Hash(bare.id().0)),
            cbor::encode(&(FORK, Bytes(record_row(bare)))),
        );
    }

    /// Stages what follows from a record of another branch: its place, and what it says among the things. The thing that it erases or answers the
    /// erasure of, where it does.
    pub(super) fn project_branch(
        &mut self,
        rows: &impl Rows,
        circle: &Circle,
        record: &Record,
    ) -> Result<Option<ThingId>, StorageError> {
        let (id, header) = (circle.id(), &record.header.object);
        let place = Location {
            circle: id,
            log: header.log,
            sequence: header.sequence,
        };
        self.stage(Row::Place(record.id()), cbor::encode(&place));
        let Ok(opened) = circle.read(record) else {
            if let Some(facts) = self.facts(rows, circle, record)? {
                self.project_facts(rows, circle, record, facts)?;
            }
            return Ok(None);
        };
        self.project_opened(rows, circle, record, &opened, false)?;
        Ok(super::erasure::about(&opened))
    }

    /// Shows the records of other branches whose epoch's secret has just come.
    pub(super) fn open_branches(
        &mut self,
        rows: &impl Rows,
        circle: &Circle,
    ) -> Result<BTreeSet<ThingId>, StorageError> {
        let mut erasures = BTreeSet::new();
        if circle.branches.from.is_empty() {
            return Ok(erasures);
        }
        for record in branches(&self.over(rows), &circle.id())? {
            let Ok(opened) = circle.read(&record) else {
                continue;
            };
            let held = self.thing(rows, &circle.id(), &opened.envelope.thing)?;
            let shown = |held: &crate::dossier::Thing| {
                let mut versions = held.versions.iter();
                versions.any(|version| version.record == record.id())
            };
            if !held.as_ref().is_some_and(shown) {
                erasures.extend(self.project_branch(rows, circle, &record)?);
            }
        }
        Ok(erasures)
    }

    /// Notes of which logs of a node that was removed, or has left, another branch counts than the one that came first here.
    pub(super) fn look_beside(
        &self,
        rows: &impl Rows,
        next: &mut Circle,
        node: &NodeId,
    ) -> Result<(), StorageError> {
        let logs: Vec<LogId> = next
            .logs
            .keys()
            .filter(|log| log.node == *node)
            .copied()
            .collect();
        for log in logs {
            if let Some(last) = next.counted(&log)
                && let Some(bytes) = self.row(rows, &Row::Record(next.id(), log, last.height))?
                && read_record(&bytes)?.id() != last.head
            {
                next.branches.beside.insert(log);
            }
        }
        Ok(())
    }

    /// Marks what is shown of a removed node's other branches and lies beyond what its removal lets count.
    pub(super) fn uncount_branches(
        &mut self,
        rows: &impl Rows,
        next: &Circle,
        node: &NodeId,
    ) -> Result<(), StorageError> {
        if next.branches.from.keys().all(|log| log.node != *node) {
            return Ok(());
        }
        for record in branches(&self.over(rows), &next.id())? {
            let of_it = record.header.object.log.node == *node;
            if of_it
                && LogTip::is_after_cut(&next.charter, &record.header)
                && let Some(facts) = self.facts(rows, next, &record)?
            {
                self.mark_after_removal(rows, next, &facts.thing, &record.id())?;
            }
        }
        Ok(())
    }

    /// The heads of this node's own logs that it was shown beside those that it holds: the other branches of its forks.
    pub(super) fn own_branches(
        &self,
        rows: &impl Rows,
        id: &CircleId,
    ) -> Result<Vec<OlderLog>, StorageError> {
        let own = self.own();
        let mut heads: BTreeMap<Incarnation, OlderLog> = BTreeMap::new();
        for record in branches(&self.over(rows), id)? {
            let header = &record.header.object;
            let head = OlderLog {
                incarnation: header.log.incarnation,
                height: header.sequence,
                head: record.id(),
            };
            if header.log.node == own {
                let held = heads.entry(head.incarnation).or_insert(head);
                if held.height < head.height {
                    *held = head;
                }
            }
        }
        Ok(heads.into_values().collect())
    }
}
