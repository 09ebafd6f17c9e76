//! What does not fit, and is kept aside: records of other branches, of this node's own log ahead of what it holds, of who was removed.
//!
//! Each piece counts against the node that signed it, and so much is kept of one node and no more. A second branch of this node's own log, and a life
//! of it that it does not know, are the signs of a disk that went back or was copied.

use super::{
    Notice, Replica, Row, Rows, StorageError, branches::FORK, project::record_row, renew::Renewing,
    rows::read,
};
use crate::{
    cbor::{self, Bytes},
    circle::{Circle, Evidence, Reason},
    ids::{CircleId, Hash, LogId, NodeId},
    limits::LimitError,
    record::Record,
    sync::Outcome,
};
use std::collections::BTreeSet;

/// The word under which is kept what a removed node wrote beyond what counts.
const REMOVED: &str = "after-removal";

/// What a batch brought that is kept aside.
#[derive(Debug, Default)]
pub(super) struct Aside {
    /// Something of it is new.
    pub(super) changed: bool,
    /// A log that this node still writes is longer elsewhere, or has forked.
    pub(super) overtaken: bool,
    /// Records of other branches, to be shown.
    pub(super) shown: Vec<Record>,
}

impl Replica {
    /// Keeps aside what a batch of records brought, and says in `outcome` what is to be asked for because of it.
    pub(super) fn keep_aside(
        &mut self,
        rows: &impl Rows,
        next: &mut Circle,
        evidence: Vec<Evidence>,
        outcome: &mut Outcome,
    ) -> Result<Aside, StorageError> {
        let (id, own_log) = (next.id(), self.own_log());
        let mut aside = Aside::default();
        for one in evidence {
            let Some((what, record, linked)) = kept(one) else {
                continue;
            };
            let header = &record.header.object;
            let (log, sequence, name) = (header.log, header.sequence, Hash(record.id().0));
            if what == REMOVED {
                let last = outcome.late.entry(log).or_insert(sequence);
                *last = sequence.max(*last);
            }
            let held = self.row(rows, &Row::Aside(id, name))?;
            // What was taken for the end of this node's own log may turn out to be another branch of it.
            let known = held
                .map(|bytes| read::<(String, Bytes)>(&bytes))
                .transpose()?;
            if known
                .as_ref()
                .is_some_and(|(word, _)| word == what || word == FORK)
            {
                continue;
            }
            aside.overtaken |= log == own_log && what != REMOVED;
            if what == FORK {
                self.part(rows, next, log, sequence)?;
                aside.changed = true;
                if !linked {
                    let before = outcome.parted.entry(log).or_insert(sequence);
                    *before = sequence.min(*before);
                }
            }
            let record = self.without_what_was_erased(rows, &id, record)?;
            let row = record_row(&record);
            if known.is_none()
                && let Err(error) = next.branches.keep(log.node, row.len())
            {
                aside.changed |= self.say_full(next, log.node, error);
                continue;
            }
            aside.changed = true;
            if what == REMOVED {
                next.except(log, sequence, Reason::AfterRemoval);
            }
            self.stage(Row::Aside(id, name), cbor::encode(&(what, Bytes(row))));
            let notice = Notice::Aside { circle: id, what };
            self.published.notices.push(notice);
            if what == FORK {
                let last = outcome.branched.entry(log).or_insert(sequence);
                *last = sequence.max(*last);
                next.branches.changed = self.counter + 1;
                aside.shown.push(record);
            }
        }
        Ok(aside)
    }

    /// Says once that no more evidence against a node is kept; whether that is new.
    pub(super) fn say_full(&mut self, next: &mut Circle, node: NodeId, error: LimitError) -> bool {
        let fresh = next.branches.overflow(node);
        if fresh {
            self.published.notices.push(Notice::NotKept {
                circle: next.id(),
                node,
                error,
            });
        }
        fresh
    }

    /// Reports the lives of this node that it does not know and that have written something: another machine runs in its name, or it was put back
    /// from a copy of an earlier life.
    pub(super) fn report_other_lives<'a>(
        &mut self,
        circle: &Circle,
        records: impl Iterator<Item = &'a Record>,
    ) {
        let (own, current) = (self.own(), self.own_log());
        let others: BTreeSet<LogId> = records
            .map(|record| record.header.object.log)
            .filter(|log| log.node == own && *log != current)
            .collect();
        for log in others {
            if !self.circles().any(|held| held.logs.contains_key(&log)) {
                self.published.notices.push(Notice::RunsTwice {
                    circle: circle.id(),
                    incarnation: log.incarnation,
                });
            }
        }
    }

    /// A log has forked at or before a place. Of its own, this node writes again what it wrote from there on.
    fn part(
        &mut self,
        rows: &impl Rows,
        next: &mut Circle,
        log: LogId,
        sequence: u64,
    ) -> Result<(), StorageError> {
        if next.branches.parted(&log, sequence) {
            return Ok(());
        }
        next.branches.part(log, sequence);
        let ours = next.logs.get(&log).filter(|_| log.node == self.own());
        if ours.is_some_and(|tip| sequence <= tip.height) {
            let id = next.id();
            let row: Option<Renewing> = self.read_row(rows, &Row::Renewing(id))?;
            let renewing = row
                .unwrap_or_else(|| Renewing::nothing(id))
                .also(log, sequence);
            self.stage(Row::Renewing(id), cbor::encode(&renewing));
            self.published.notices.push(Notice::Renewing(id));
        }
        Ok(())
    }

    fn without_what_was_erased(
        &self,
        rows: &impl Rows,
        circle: &CircleId,
        record: Record,
    ) -> Result<Record, StorageError> {
        let erased = self.erased(rows, circle, &record.id())?.is_some();
        let body = record.body.filter(|_| !erased);
        Ok(Record { body, ..record })
    }
}

/// The word under which a piece of evidence is kept, its record, and whether nothing is missing before that.
fn kept(evidence: Evidence) -> Option<(&'static str, Record, bool)> {
    match evidence {
        Evidence::Fork { other, linked } => Some((FORK, other, linked)),
        Evidence::OwnLogAhead(record) => Some(("own-log-ahead", record, true)),
        Evidence::AfterRemoval(record) => Some((REMOVED, record, true)),
        // A record that breaks a rule proves nothing that a member would need, and could be sent without end: it is named, not kept.
        Evidence::Invalid { .. } => None,
    }
}
