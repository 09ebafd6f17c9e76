//! What is written again so that others can read it: new members, and those who stand on another branch of a log of this node.
//!
//! Whoever is admitted without the whole past would not even know whose file it is, nor that the person agreed to share it. So each node,
//! once it knows of an admission, writes again what it wrote itself, still stands, and the new member may not read:
//!
//! - the person's identity and their answer about sharing, of which the invitation said as much;
//! - everything that was written *beside* the admission, by nodes that did not know of it yet: the new member has the headers and may not read
//!   the bodies, which are sealed for an epoch before it came;
//! - of epochs that it was granted, what stands in a log of which the steward had nothing when it admitted: the entry names no start of it, so
//!   for the new member it begins behind all that.
//!
//! What is written again is read by all who are there by then. So where somebody has come meanwhile who may not know it at all, it is not: the others have its
//! header, see that they may not read it, and ask. The same holds for what it says again: a note from before somebody's time does not become theirs because it was
//! written again for somebody else.
//!
//! The steward does so for the identity that a structure wrote which has left since. A version that is written again supersedes the one
//! before, keeps its author and its date, and says the same.
//!
//! And a node whose own log has forked writes again what stands of its own branch from the place on where the branches part, whoever
//! has it already: see `branches`.
//!
//! A node that was cut off for weeks has thousands of those. So one commit writes a hundred at most; a row keeps how far it is, and whoever
//! drives the replica goes on ([`Replica::renew_further`]) until it says no more ([`Notice::Renewing`]), after a restart too
//! ([`Replica::renewing`]).

use minicbor::{Decode, Encode};
use rand_core::CryptoRng;

use super::{
    Draft, Notice, Replica, Row, RowPrefix, Rows, StorageError, WriteFailed, Written,
    project::read_record,
    rows::read,
    standing::{again, is_for_everybody},
};
use crate::{
    cbor,
    charter::Grant,
    circle::{Circle, WriteError},
    ids::{CircleId, LogId, NodeId},
};
use std::collections::BTreeMap;

/// Records that one commit writes again at most.
const WRITTEN: usize = 100;
/// Records that one commit looks at for that.
const LOOKED_AT: usize = 2000;

/// How far a node is with writing again, in one circle.
#[derive(Debug, Clone, PartialEq, Eq, Encode, Decode)]
#[cbor(array)]
pub(super) struct Renewing {
    #[n(0)]
    circle: CircleId,
    /// Of what it wrote beside an admission, all before this place of its logs is done. None where all is.
    #[n(1)]
    beside: Option<Beside>,
    /// Its logs that have forked: what stands of them from this place on is to be written again.
    #[n(2)]
    forked: BTreeMap<LogId, u64>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Encode, Decode)]
#[cbor(array)]
struct Beside {
    #[n(0)]
    log: LogId,
    #[n(1)]
    next: u64,
}

impl Renewing {
    /// Nothing, in a circle.
    pub(super) const fn nothing(circle: CircleId) -> Self {
        Self {
            circle,
            beside: None,
            forked: BTreeMap::new(),
        }
    }

    /// Also a forked log from a place on.
    pub(super) fn also(mut self, log: LogId, from: u64) -> Self {
        let next = self.forked.entry(log).or_insert(from);
        *next = from.min(*next);
        self
    }

    /// From which place on a forked log is still to be written again; none where all of it is.
    pub(super) fn forked_from(&self, log: &LogId) -> Option<u64> {
        self.forked.get(log).copied()
    }
}

impl Replica {
    /// Begins to write again what members lack. Nothing where nobody lacks anything, and nothing where this node cannot write now (the circle's
    /// newest secret has not come, the circle is closed): the next change of the charter or of the secrets asks again.
    ///
    /// # Errors
    /// [`StorageError`].
    pub(super) fn renew(
        &mut self,
        rows: &impl Rows,
        id: &CircleId,
        now_ms: u64,
        rng: &mut impl CryptoRng,
    ) -> Result<Vec<Written>, StorageError> {
        let Some((circle, partly)) = self.to_renew_for(id) else {
            return self.stop_renewing(rows, id);
        };
        let drafts = self.what_everybody_reads(rows, &circle, &partly)?;
        self.write_again(rows, &circle, &partly, drafts, None, now_ms, rng)
    }

    /// Goes on with what [`Notice::Renewing`] says is not at its end. Nothing where it is.
    ///
    /// # Errors
    /// [`StorageError`].
    pub fn renew_further(
        &mut self,
        rows: &impl Rows,
        id: &CircleId,
        now_ms: u64,
        rng: &mut impl CryptoRng,
    ) -> Result<Vec<Written>, StorageError> {
        let Some(row) = self.read_row::<Renewing>(rows, &Row::Renewing(*id))? else {
            return Ok(Vec::new());
        };
        if !row.forked.is_empty() {
            return self.write_branch_again(rows, row, now_ms, rng);
        }
        let (Some((circle, partly)), Some(from)) = (self.to_renew_for(id), row.beside) else {
            return self.stop_renewing(rows, id);
        };
        self.write_again(rows, &circle, &partly, Vec::new(), Some(from), now_ms, rng)
    }

    /// The circles for which it is not at its end.
    ///
    /// # Errors
    /// [`StorageError`].
    pub fn renewing(rows: &impl Rows) -> Result<Vec<CircleId>, StorageError> {
        let found = rows.scan(&RowPrefix::Renewing)?;
        let circles = found
            .iter()
            .map(|bytes| Ok(read::<Renewing>(bytes)?.circle));
        circles.collect()
    }

    fn stop_renewing(
        &mut self,
        rows: &impl Rows,
        id: &CircleId,
    ) -> Result<Vec<Written>, StorageError> {
        self.set_beside(rows, id, None)?;
        Ok(Vec::new())
    }

    /// Keeps how far it is with what was written beside an admission, and goes on with whatever is left.
    fn set_beside(
        &mut self,
        rows: &impl Rows,
        id: &CircleId,
        beside: Option<Beside>,
    ) -> Result<(), StorageError> {
        let row: Option<Renewing> = self.read_row(rows, &Row::Renewing(*id))?;
        let known = row.is_some();
        let next = Renewing {
            beside,
            ..row.unwrap_or_else(|| Renewing::nothing(*id))
        };
        if known || beside.is_some() {
            self.keep_renewing(next);
        }
        Ok(())
    }

    fn keep_renewing(&mut self, next: Renewing) {
        let id = next.circle;
        if next == Renewing::nothing(id) {
            return self.stage_delete(Row::Renewing(id));
        }
        self.stage(Row::Renewing(id), cbor::encode(&next));
        self.published.notices.push(Notice::Renewing(id));
    }

    /// Writes again some of what stands of this node's branch of a forked log. Where nothing can be written now, the next start or change of the
    /// charter or of the secrets asks again.
    fn write_branch_again(
        &mut self,
        rows: &impl Rows,
        mut row: Renewing,
        now_ms: u64,
        rng: &mut impl CryptoRng,
    ) -> Result<Vec<Written>, StorageError> {
        let id = row.circle;
        let Some((circle, (log, from))) =
            (self.circles.get(&id).cloned()).zip(row.forked.pop_first())
        else {
            self.keep_renewing(row);
            return Ok(Vec::new());
        };
        let partly = self
            .to_renew_for(&id)
            .map_or_else(Vec::new, |(_, partly)| partly);
        let height = circle.logs.get(&log).map_or(0, |tip| tip.height);
        let (mut drafts, mut older, mut next) = (Vec::new(), Vec::new(), from);
        while next <= height && drafts.len() < WRITTEN && next - from < LOOKED_AT as u64 {
            if let Some(bytes) = self.row(rows, &Row::Record(id, log, next))? {
                let record = read_record(&bytes)?;
                if let Some((thing, draft)) = again(&circle, &record)
                    && (is_for_everybody(draft.content.kind().0)
                        || !self.is_kept_from_some(&circle, &partly, &log, next, &record))
                    && self.stands(rows, &id, thing, record.id())?
                {
                    drafts.push(draft);
                    older.push(next);
                }
            }
            next += 1;
        }
        let wanted = !drafts.is_empty();
        let written = self.write_what_fits(rows, &id, drafts, now_ms, rng)?;
        if wanted && written.is_empty() {
            return Ok(Vec::new());
        }
        // An alert waits for those who have not acknowledged it as it was written now.
        for sequence in older {
            self.no_longer_awaited(&circle, log, sequence);
        }
        if next <= height {
            row.forked.insert(log, next);
        }
        self.keep_renewing(row);
        Ok(written)
    }

    /// The circle, and those who were admitted to it without the whole past and can read what this node writes.
    fn to_renew_for(&self, id: &CircleId) -> Option<(std::sync::Arc<Circle>, Vec<NodeId>)> {
        let circle = self.circles.get(id)?;
        let members = circle.charter.members();
        let partly: Vec<NodeId> = members
            .filter(|member| member.grant != Grant::Whole && member.node != self.own())
            .map(|member| member.node)
            .filter(|member| self.reads_what_comes(circle, member))
            .collect();
        let some = !partly.is_empty() && circle.charter.is_member(&self.own());
        some.then(|| (std::sync::Arc::clone(circle), partly))
    }

    /// Writes `drafts` and what is found from a place on, and keeps how far that was.
    #[expect(clippy::too_many_arguments, reason = "one step of two ways")]
    fn write_again(
        &mut self,
        rows: &impl Rows,
        circle: &Circle,
        partly: &[NodeId],
        mut drafts: Vec<Draft>,
        from: Option<Beside>,
        now_ms: u64,
        rng: &mut impl CryptoRng,
    ) -> Result<Vec<Written>, StorageError> {
        let id = circle.id();
        let further = self.written_beside(rows, circle, partly, from, &mut drafts)?;
        let wanted = !drafts.is_empty();
        let written = self.write_what_fits(rows, &id, drafts, now_ms, rng)?;
        if wanted && written.is_empty() {
            return Ok(Vec::new());
        }
        let Some(further) = further else {
            self.stop_renewing(rows, &id)?;
            return Ok(written);
        };
        self.set_beside(rows, &id, Some(further))?;
        Ok(written)
    }

    /// Writes all of it, or, where one is beyond a limit (it names the version before it, and so is longer than that was), the others. Nothing where
    /// this node cannot write now.
    fn write_what_fits(
        &mut self,
        rows: &impl Rows,
        id: &CircleId,
        drafts: Vec<Draft>,
        now_ms: u64,
        rng: &mut impl CryptoRng,
    ) -> Result<Vec<Written>, StorageError> {
        if drafts.is_empty() {
            return Ok(Vec::new());
        }
        match self.write_here(rows, id, drafts.clone(), now_ms, rng) {
            Ok(written) => return Ok(written),
            Err(WriteFailed::Storage(error)) => return Err(error),
            Err(WriteFailed::Write(WriteError::Limit(_))) => {}
            Err(_) => return Ok(Vec::new()),
        }
        let mut written = Vec::new();
        for draft in drafts {
            match self.write_here(rows, id, vec![draft], now_ms, rng) {
                Ok(one) => written.extend(one),
                Err(WriteFailed::Storage(error)) => return Err(error),
                Err(_) => {}
            }
        }
        Ok(written)
    }

    /// Adds what this node wrote, from a place on, of which one of these members has the header and may not read the body, or might read it and has no
    /// header. The next place, where that was not all.
    fn written_beside(
        &self,
        rows: &impl Rows,
        circle: &Circle,
        partly: &[NodeId],
        from: Option<Beside>,
        drafts: &mut Vec<Draft>,
    ) -> Result<Option<Beside>, StorageError> {
        let id = circle.id();
        let mut looked_at = 0;
        for (log, tip) in &circle.logs {
            if log.node != self.own() || from.is_some_and(|from| *log < from.log) {
                continue;
            }
            let given = |member: &NodeId| tip.first_for(member, log, &circle.charter);
            let granted = |member: &NodeId| match circle.charter.member(member)?.grant {
                Grant::From(entry) => tip.first_naming(entry),
                Grant::Whole | Grant::Nothing => None,
            };
            let firsts = partly
                .iter()
                .flat_map(|member| [given(member), granted(member)]);
            let Some(first) = firsts.flatten().min() else {
                continue;
            };
            let next = from
                .filter(|from| from.log == *log)
                .map_or(0, |from| from.next);
            for sequence in first.max(next).max(tip.first)..=tip.height {
                if looked_at == LOOKED_AT || drafts.len() >= WRITTEN {
                    return Ok(Some(Beside {
                        log: *log,
                        next: sequence,
                    }));
                }
                looked_at += 1;
                let Some(bytes) = self.row(rows, &Row::Record(id, *log, sequence))? else {
                    continue;
                };
                let record = read_record(&bytes)?;
                let lacks = |member: &NodeId| {
                    let (header, body) = self.reads(circle, member, log, sequence, &record);
                    header != body
                };
                if !partly.iter().any(lacks)
                    || self.is_kept_from_some(circle, partly, log, sequence, &record)
                    || self.repeats_what_is_kept(rows, circle, partly, &record)?
                {
                    continue;
                }
                let Some((thing, draft)) = again(circle, &record) else {
                    continue;
                };
                if is_for_everybody(draft.content.kind().0) {
                    continue;
                }
                if self.stands(rows, &id, thing, record.id())? {
                    drafts.push(draft);
                }
            }
        }
        Ok(None)
    }
}
