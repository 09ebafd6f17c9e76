//! Charter entries that peers send, and what they change beside the charter: what a removed node wrote beyond its cut counts no more, a node that
//! is admitted again begins anew, and what waited for an epoch's secret is opened.

use std::collections::BTreeSet;

use rand_core::CryptoRng;

use super::{
    ArriveError, ByItself, Notice, Replica, Row, Rows, StorageError, erasure::about,
    project::read_record,
};
use crate::{
    cbor,
    charter::{Entry, SealedSecret},
    circle::{self, Circle, IngestError, Reason},
    ids::{CircleId, EntryHash, Hash, NodeId, ThingId},
    sign::Verified,
    sync::{Change, News},
};

impl Replica {
    /// Takes charter entries and sealed copies, whose signatures have been verified, from `peer`.
    ///
    /// # Errors
    /// [`ArriveError`].
    #[allow(
        clippy::too_many_arguments,
        reason = "rows, time and chance come from the driver"
    )]
    pub fn take_entries(
        &mut self,
        rows: &impl Rows,
        peer: NodeId,
        id: CircleId,
        entries: Vec<Verified<Entry>>,
        seals: &[SealedSecret],
        now_ms: u64,
        rng: &mut impl CryptoRng,
    ) -> Result<ByItself, ArriveError> {
        let own = self.own();
        let mut strange = Vec::new();
        let (mut next, taken) = match self.circles.get(&id) {
            Some(circle) => {
                strange = strangers(circle, &entries);
                let (next, taken) = circle::extend(circle, entries);
                // Or these entries list it: a steward whose disk went back does not know whom it has admitted since.
                if !next.charter.ever_listed(&peer) {
                    return Err(ArriveError::NotShared);
                }
                (next, taken)
            }
            None => {
                if self.row(rows, &Row::Finishing(id))?.is_some() {
                    // It comes again when nothing of its earlier time is left.
                    return Ok(ByItself::default());
                }
                let came = self.row(rows, &Row::Finished(id))?.map(|_| entries.clone());
                let acceptances = self.acceptances_for(rows, &id, &entries)?;
                let accepted = |quoted: &_| {
                    let spent = || self.is_spent(rows, &id, quoted).unwrap_or(true);
                    let forgotten = || self.has_forgotten(rows, quoted).unwrap_or(false);
                    (acceptances.contains(&Hash(quoted.id)) || forgotten()) && !spent()
                };
                // One identity takes another one's place in a circle once: a circle whose time is over here does not come back by that.
                let over = came.is_some();
                let said =
                    |quoted: &[cbor::Bytes]| !over && self.said_so(rows, quoted).unwrap_or(false);
                let forgotten =
                    |first: &Entry| !over && self.was_restored_after(rows, first).unwrap_or(false);
                let begun = circle::begin(entries, &own, accepted, said, forgotten);
                if let (Err(IngestError::Uninvited), Some(came)) = (&begun, came) {
                    self.who_came_after(rows, &id, &came)?;
                    return Ok(ByItself::default());
                }
                let (mut circle, taken) = begun?;
                // What it signed since then may be on its way, too.
                circle.unconfirmed = circle.charter.state().steward == own;
                if circle.id() != id || !circle.charter.ever_listed(&peer) {
                    return Err(ArriveError::NotShared);
                }
                if over {
                    self.stage_delete(Row::Finished(id));
                }
                (circle, taken)
            }
        };
        for entry in &taken.accepted {
            self.stage(Row::Entry(id, entry.object.number), entry.bytes.clone());
            self.take_quoted(rows, &entry.object)?;
        }
        let stopped = match &taken.stopped {
            Some((entry, _)) => self.keep_entry(rows, &mut next, entry)?.changed,
            None => false,
        };
        let rivals = self.take_rivals(rows, &mut next, &strange)?;
        let (opened, refused) = circle::open_secrets(&mut next, seals, own, &self.keys.seals);
        let ours = |seal: &&SealedSecret| next.charter.hash_of(seal.number) == Some(seal.epoch);
        let fresh = |seal: &&SealedSecret| opened.contains(&seal.number);
        for seal in seals.iter().filter(ours).filter(fresh) {
            self.stage(Row::Seal(id, own, seal.number), cbor::encode(seal));
        }
        if !refused.is_empty() {
            self.published.notices.push(Notice::Aside {
                circle: id,
                what: "seal",
            });
        }
        if taken.accepted.is_empty() && opened.is_empty() {
            if stopped || rivals {
                self.put_circle(next);
            }
            if rivals {
                self.published.news.push(News {
                    circle: Some(id),
                    change: Change::Charter,
                    from: None,
                });
            }
            return Ok(ByItself::default());
        }
        self.claim_forgotten(rows, &mut next, &taken.accepted)?;
        self.claim_acceptances(rows, &mut next, &taken.accepted)?;
        let moved = self.apply_changes(rows, &mut next, &taken.accepted, now_ms, rng)?;
        let erasures = match opened.is_empty() {
            true => BTreeSet::new(),
            false => self.open_what_waited(rows, &mut next)?,
        };
        let member = next.charter.is_member(&own);
        let entry = next.charter.number();
        self.put_circle(next);
        for node in moved {
            self.count_again(rows, &id, &node)?;
        }
        self.count_what_is_here(rows, &id, now_ms, rng)?;
        self.follow_erasures(rows, &id, erasures)?;
        self.published.notices.push(Notice::Charter {
            circle: id,
            entry,
            member,
        });
        self.published.news.push(News {
            circle: Some(id),
            change: Change::Charter,
            from: Some(peer),
        });
        Ok(ByItself {
            removed: self.remove_who_left(rows, &id, now_ms, rng)?,
            accepted: self.follow_deputy(rows, &id, now_ms)?,
            renewed: self.renew(rows, &id, now_ms, rng)?,
        })
    }

    /// What entries that were taken change beside the charter: what a removed node wrote beyond the cut counts no more, and a node that is
    /// admitted again begins anew. The removed nodes of which more counts than before.
    fn apply_changes(
        &mut self,
        rows: &impl Rows,
        next: &mut Circle,
        entries: &[Verified<Entry>],
        now_ms: u64,
        rng: &mut impl CryptoRng,
    ) -> Result<BTreeSet<NodeId>, StorageError> {
        use crate::charter::Change::{Admit, MoveCuts, Remove, Replace};
        let (own, own_log) = (self.own(), self.own_log());
        let (mut again, mut moved) = (false, BTreeSet::new());
        for entry in entries {
            match &entry.object.change {
                Remove { node, .. } | Replace { old: node, .. } => {
                    self.uncount(rows, next, node)?;
                }
                Admit { node, .. } => again |= *node == own,
                MoveCuts { node, .. } => {
                    moved.insert(*node);
                }
                _ => {}
            }
        }
        if again && next.charter.is_member(&own) {
            next.begin_again(&own);
            if next.logs.contains_key(&own_log) {
                self.begin_incarnation(rows, now_ms, rng)?;
            }
        }
        Ok(moved)
    }

    /// Marks what a removed node wrote beyond the cut and what was projected before this was known.
    fn uncount(
        &mut self,
        rows: &impl Rows,
        next: &mut Circle,
        node: &NodeId,
    ) -> Result<(), StorageError> {
        let id = next.id();
        let logs: Vec<_> = next
            .logs
            .iter()
            .filter(|(log, _)| log.node == *node)
            .map(|(log, tip)| (*log, tip.first, tip.height))
            .collect();
        for (log, first, height) in logs {
            let counted = next.counted(&log);
            let from = counted.map_or(first, |counted| counted.height + 1);
            for sequence in from.max(first)..=height {
                let Some(bytes) = self.row(rows, &Row::Record(id, log, sequence))? else {
                    continue;
                };
                let record = read_record(&bytes)?;
                next.except(log, sequence, Reason::AfterRemoval);
                if let Some(facts) = self.facts(rows, next, &record)? {
                    self.mark_after_removal(rows, next, &facts.thing, &record.id())?;
                }
            }
        }
        self.look_beside(rows, next, node)?;
        self.uncount_branches(rows, next, node)
    }

    /// Projects the records that were taken while their epoch's secret was missing. The erasures that they are, or answer.
    fn open_what_waited(
        &mut self,
        rows: &impl Rows,
        next: &mut Circle,
    ) -> Result<BTreeSet<ThingId>, StorageError> {
        let (id, mut erasures) = (next.id(), BTreeSet::new());
        let waiting: Vec<_> = next
            .exceptions
            .iter()
            .filter(|exception| exception.reason == Reason::NotOpened)
            .copied()
            .collect();
        for exception in waiting {
            for sequence in exception.from..=exception.to {
                let Some(bytes) = self.row(rows, &Row::Record(id, exception.log, sequence))? else {
                    continue;
                };
                let record = read_record(&bytes)?;
                if let Ok(opened) = next.reopen(&record) {
                    self.want_files(rows, next, &record, &opened)?;
                    self.project_opened(rows, next, &record, &opened, false)?;
                    erasures.extend(about(&opened));
                }
            }
        }
        erasures.extend(self.open_branches(rows, next)?);
        Ok(erasures)
    }
}

/// The entries that are not, or not next, in a circle's charter: they may belong to another branch of it.
fn strangers(circle: &Circle, entries: &[Verified<Entry>]) -> Vec<Verified<Entry>> {
    let charter = &circle.charter;
    let is_held =
        |entry: &Verified<Entry>| charter.hash_of(entry.object.number) == Some(EntryHash(entry.id));
    let (number, head) = (charter.number(), charter.head());
    let extends = |entry: &Verified<Entry>| {
        entry.object.number == number + 1 && entry.object.previous == Some(head)
    };
    let mut new = entries.iter().filter(|entry| !is_held(entry)).peekable();
    if new.peek().is_none_or(|first| extends(first)) {
        return Vec::new();
    }
    new.cloned().collect()
}
