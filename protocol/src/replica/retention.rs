//! The end of a file's time: a node lets go of a whole circle, for good.
//!
//! When a circle has ended for this node (closed, or this node is in it no more, or it goes on in one that has ended), a clock runs; what it is set to
//! is not the protocol's matter. At its end the circle is *finished* ([`Replica::finish`]): in one commit nothing of it is shown, served or taken any
//! more, and what is left of it waits in [`Row::Finishing`] until [`Replica::sweep`] has taken it away, some records at a time, secrets and
//! charter last. What stays ([`Finished`]) names nobody's patient: the circle, where its charter and logs stood, when, and with whom it was shared,
//! so that the node can say that it has finished with it and does not take it again, unless a person accepts a new invitation to it.

use std::{collections::BTreeSet, sync::Arc};

use minicbor::{Decode, Encode};

use super::{
    ArriveError, IncomingState, Notice, Outgoing, Replica, Row, RowPrefix, Rows, StorageError,
    invitations::invitation_id, project::read_record, rivals::stored_entry, rows::read,
};
use crate::{
    cbor::{self, Bytes},
    charter::{Charter, Entry},
    circle::{Circle, CircleRow, LogHeight},
    ids::{CircleId, EntryHash, Hash, NodeId},
    invite::Acceptance,
    record::Record,
    sign::{Unverified, Verified},
    sync::{Change, News},
};

/// Time in which a node waits until every member knows that the circle has ended for it, milliseconds: 90 days.
const TELLING_MS: u64 = 90 * 24 * 3600 * 1000;
/// Records that one sweep takes away.
const SWEPT: usize = 500;

/// What stays of a circle whose time is over.
#[derive(Debug, Clone, PartialEq, Eq, Encode, Decode)]
#[cbor(array)]
pub struct Finished {
    /// The circle.
    #[n(0)]
    pub circle: CircleId,
    /// Number of the charter's head.
    #[n(1)]
    pub entry: u64,
    /// Hash of it.
    #[n(2)]
    pub head: EntryHash,
    /// How far each log was held.
    #[n(3)]
    pub heights: Vec<LogHeight>,
    /// When it had ended, Unix milliseconds.
    #[n(4)]
    pub ended_ms: u64,
    /// When it was finished, Unix milliseconds.
    #[n(5)]
    pub finished_ms: u64,
    /// Everybody who was ever in it.
    #[n(6)]
    pub nodes: Vec<NodeId>,
    /// The acceptances that its charter quotes: none of them leads into it again.
    #[n(7)]
    pub acceptances: Vec<Hash>,
}

/// A circle on its way out: what is needed to find its rows.
#[derive(Debug, Encode, Decode)]
#[cbor(array)]
struct Finishing {
    #[n(0)]
    charter: Charter,
    #[n(1)]
    circle: CircleRow,
}

/// Why a circle is not finished.
#[derive(Debug, thiserror::Error)]
pub enum FinishFailed {
    /// No such circle.
    #[error("there is no such circle at this node")]
    NoCircle,
    /// It goes on.
    #[error("the circle has not ended: close it, or leave it, first")]
    GoesOn,
    /// Some member does not know yet that it has ended, and could not hear of it from another one: this node is the steward, or has left and no entry has
    /// followed.
    #[error(
        "not every member knows yet that the circle has ended for this node: it lets go of it when they do, or after 90 days"
    )]
    NotTold,
    /// Storage.
    #[error(transparent)]
    Storage(#[from] StorageError),
}

impl Replica {
    /// When a circle ended for this node, Unix milliseconds: its closing, this node's removal or its word that it leaves, or the end of the circle in which it
    /// goes on. None while it goes on.
    ///
    /// # Errors
    /// [`StorageError`].
    pub fn ended_ms(&self, rows: &impl Rows, circle: &Circle) -> Result<Option<u64>, StorageError> {
        let mut circle = circle;
        // A chain of circles ends; one that led back to itself would not.
        let mut seen = BTreeSet::new();
        loop {
            let charter = &circle.charter;
            let own = charter.removed_by(&self.own());
            // Who left a closed circle is removed afterwards; the circle had ended before.
            let closing = self.closing(rows, circle)?;
            if let Some(number) = closing.into_iter().chain(own).min() {
                return self.entry_ms(rows, &circle.id(), number);
            }
            if let Some(left) = charter.departed_ms(&self.own()) {
                return Ok(Some(left));
            }
            let Some(next) = circle.continued.filter(|next| seen.insert(*next)) else {
                return Ok(None);
            };
            match self.circles.get(&next) {
                Some(next) => circle = next,
                // Finished before the one that it continues.
                None => {
                    let row: Option<Finished> = self.read_row(rows, &Row::Finished(next))?;
                    return Ok(row.map(|finished| finished.ended_ms));
                }
            }
        }
    }

    /// Number of the entry that closed a closed circle: the last one but removals of who left since.
    fn closing(&self, rows: &impl Rows, circle: &Circle) -> Result<Option<u64>, StorageError> {
        let charter = &circle.charter;
        if !charter.state().closed {
            return Ok(None);
        }
        let mut number = charter.number();
        while self
            .entry_at(rows, &circle.id(), number)?
            .change
            .may_follow_closing()
        {
            number -= 1;
        }
        Ok(Some(number))
    }

    fn entry_ms(
        &self,
        rows: &impl Rows,
        circle: &CircleId,
        number: u64,
    ) -> Result<Option<u64>, StorageError> {
        Ok(Some(self.entry_at(rows, circle, number)?.time.ms()))
    }

    fn entry_at(
        &self,
        rows: &impl Rows,
        circle: &CircleId,
        number: u64,
    ) -> Result<Entry, StorageError> {
        let bytes = self.row(rows, &Row::Entry(*circle, number))?;
        let bytes = bytes.ok_or_else(|| StorageError::missing("charter entry"))?;
        Ok(stored_entry(bytes)?.object)
    }

    /// Lets go of a circle that has ended: from this commit on nothing of it is here for anybody. [`Self::sweep`] takes away what is left.
    ///
    /// # Errors
    /// [`FinishFailed`]; nothing is staged then.
    pub fn finish(
        &mut self,
        rows: &impl Rows,
        id: &CircleId,
        now_ms: u64,
    ) -> Result<Finished, FinishFailed> {
        let circle = self.circles.get(id).ok_or(FinishFailed::NoCircle)?.clone();
        let ended_ms = self.ended_ms(rows, &circle)?.ok_or(FinishFailed::GoesOn)?;
        if now_ms < ended_ms.saturating_add(TELLING_MS) && !self.has_told(rows, &circle)? {
            return Err(FinishFailed::NotTold);
        }
        let finished = Finished {
            circle: *id,
            entry: circle.charter.number(),
            head: circle.charter.head(),
            heights: circle.heights(),
            ended_ms,
            finished_ms: now_ms,
            nodes: circle.charter.ever().copied().collect(),
            acceptances: circle.charter.quoted().copied().collect(),
        };
        self.let_go_of_letters(rows, &circle)?;
        let finishing = Finishing {
            charter: Charter::clone(&circle.charter),
            circle: circle.row(),
        };
        self.stage(Row::Finishing(*id), cbor::encode(&finishing));
        self.stage(Row::Finished(*id), cbor::encode(&finished));
        self.drop_circle(id);
        self.published.notices.push(Notice::Finished(*id));
        self.published.news.push(News {
            circle: Some(*id),
            change: Change::Charter,
            from: None,
        });
        Ok(finished)
    }

    /// A circle of which `peer` has sent something; none where its time is over here and the peer was in it: what was on its way then is nobody's fault.
    ///
    /// # Errors
    /// [`ArriveError::NotShared`] where there is no such circle.
    pub(super) fn at_hand(
        &self,
        rows: &impl Rows,
        id: &CircleId,
        peer: &NodeId,
    ) -> Result<Option<&Arc<Circle>>, ArriveError> {
        if let Some(circle) = self.circles.get(id) {
            return Ok(Some(circle));
        }
        let finished: Option<Finished> = self.read_row(rows, &Row::Finished(*id))?;
        match finished.is_some_and(|finished| finished.nodes.contains(peer)) {
            true => Ok(None),
            false => Err(ArriveError::NotShared),
        }
    }

    /// Whether everybody can hear of the end without this node: where it is the steward, every other member has acknowledged the charter's head; where it
    /// has left, an entry has followed.
    fn has_told(&self, rows: &impl Rows, circle: &Circle) -> Result<bool, StorageError> {
        let (own, charter) = (self.own(), &circle.charter);
        if charter.has_left(&own) {
            return Ok(false);
        }
        if charter.state().steward != own {
            return Ok(true);
        }
        let acks = self.acks(rows, &circle.id())?;
        let knows = |node: &NodeId| {
            let ack = acks.iter().find(|ack| ack.node == *node);
            ack.is_some_and(|ack| ack.entry_hash == charter.head())
        };
        let mut others = charter.members().filter(|member| member.node != own);
        Ok(others.all(|member| knows(&member.node)))
    }

    /// Takes away the letters about a circle: they hold the person's identity.
    fn let_go_of_letters(&mut self, rows: &impl Rows, circle: &Circle) -> Result<(), StorageError> {
        let id = circle.id();
        for (invitation, row) in self.incoming(rows)? {
            if let IncomingState::Accepted {
                circle: Some(used), ..
            } = row.state
                && used == id
            {
                self.drop_invitation(row.from, invitation, true);
            }
        }
        for bytes in self.over(rows).scan(&RowPrefix::Outgoing)? {
            let row: Outgoing = read(&bytes)?;
            if row.circle == id {
                self.drop_invitation(row.to, invitation_id(&row.invitation)?, false);
            }
        }
        Ok(())
    }

    /// Whether an acceptance led into a circle whose time is over here.
    pub(super) fn is_spent(
        &self,
        rows: &impl Rows,
        circle: &CircleId,
        acceptance: &Verified<Acceptance>,
    ) -> Result<bool, StorageError> {
        let finished: Option<Finished> = self.read_row(rows, &Row::Finished(*circle))?;
        Ok(finished.is_some_and(|finished| finished.acceptances.contains(&Hash(acceptance.id))))
    }

    /// A member that came after this node had let go of a circle shows its charter: where that goes on from the head that was here, it and everybody
    /// whom it lists are told from now on that the time of the circle is over.
    pub(super) fn who_came_after(
        &mut self,
        rows: &impl Rows,
        id: &CircleId,
        entries: &[Verified<Entry>],
    ) -> Result<(), StorageError> {
        let Some(mut finished) = self.read_row::<Finished>(rows, &Row::Finished(*id))? else {
            return Ok(());
        };
        let mut entries = entries.iter();
        let first = entries.next().map(Charter::found);
        let Some(Ok(mut charter)) = first else {
            return Ok(());
        };
        for entry in entries {
            match charter.extend(entry) {
                Ok(next) => charter = next,
                Err(_) => break,
            }
        }
        if charter.circle() == *id && charter.hash_of(finished.entry) == Some(finished.head) {
            finished.nodes = charter.ever().copied().collect();
            self.stage(Row::Finished(*id), cbor::encode(&finished));
        }
        Ok(())
    }

    /// The circles of which something is still to be swept away.
    ///
    /// # Errors
    /// [`StorageError`].
    pub fn finishing(rows: &impl Rows) -> Result<Vec<CircleId>, StorageError> {
        let all = rows.scan(&RowPrefix::Finishing)?;
        all.iter()
            .map(|bytes| read::<Finishing>(bytes).map(|one| one.charter.circle()))
            .collect()
    }

    /// What stays of the circles whose time is over.
    ///
    /// # Errors
    /// [`StorageError`].
    pub fn finished(rows: &impl Rows) -> Result<Vec<Finished>, StorageError> {
        let all = rows.scan(&RowPrefix::Finished)?;
        all.iter().map(|bytes| read(bytes)).collect()
    }

    /// Takes away a part of what is left of a finished circle; whether there is more. The newest records of a log go first, so that what is left can
    /// be found again after a crash.
    ///
    /// # Errors
    /// [`StorageError`].
    pub fn sweep(&mut self, rows: &impl Rows, id: &CircleId) -> Result<bool, StorageError> {
        let Some(mut left) = self.read_row::<Finishing>(rows, &Row::Finishing(*id))? else {
            return Ok(false);
        };
        let circle = Circle::from_rows(left.charter.clone().into(), left.circle.clone());
        let mut room = SWEPT;
        while room > 0
            && let Some((log, tip)) = left.circle.logs.last_entry().map(|last| {
                let log = *last.key();
                (log, last.into_mut())
            })
        {
            while room > 0 && tip.height > 0 {
                let row = Row::Record(*id, log, tip.height);
                if let Some(bytes) = self.row(rows, &row)? {
                    self.sweep_record(rows, &circle, &read_record(&bytes)?)?;
                    self.stage_delete(row);
                }
                tip.height -= 1;
                room -= 1;
            }
            if tip.height == 0 {
                left.circle.logs.remove(&log);
            }
        }
        if !left.circle.logs.is_empty() {
            self.stage(Row::Finishing(*id), cbor::encode(&left));
            return Ok(true);
        }
        self.sweep_the_rest(rows, &circle)?;
        self.stage_delete(Row::Finishing(*id));
        Ok(false)
    }

    /// What stands beside a record: its files, its place among the things, its delivery.
    fn sweep_record(
        &mut self,
        rows: &impl Rows,
        circle: &Circle,
        record: &Record,
    ) -> Result<(), StorageError> {
        let (id, of) = (circle.id(), record.id());
        if let Some(facts) = self.facts(rows, circle, record)? {
            for thing in [Some(facts.thing), facts.parent].into_iter().flatten() {
                self.stage_delete(Row::Thing(id, thing));
                self.stage_delete(Row::Alert(id, thing));
                self.stage_delete(Row::Request(id, thing));
                self.stage_delete(Row::Erasing(id, thing));
            }
        }
        if let Ok(opened) = circle.read(record) {
            for file in opened.content.attachments() {
                let header = &record.header.object;
                self.stage_delete(Row::Wanted(id, header.log, header.sequence, file.address));
                self.drop_file(rows, id, file.address)?;
            }
        }
        self.stage_delete(Row::Place(of));
        self.stage_delete(Row::Erased(id, of));
        self.stage_delete(Row::Ahead(id, of));
        self.stage_delete(Row::Delivery(id, of));
        let header = &record.header.object;
        self.no_longer_awaited(circle, header.log, header.sequence);
        Ok(())
    }

    /// What belongs to no record: charter, sealed copies, acknowledgements, what was kept aside.
    fn sweep_the_rest(&mut self, rows: &impl Rows, circle: &Circle) -> Result<(), StorageError> {
        let (id, charter) = (circle.id(), &circle.charter);
        for bytes in self.over(rows).scan(&RowPrefix::Things(id))? {
            let (thing, _): (crate::ids::ThingId, crate::dossier::Thing) = read(&bytes)?;
            self.stage_delete(Row::Thing(id, thing));
        }
        for bytes in self.over(rows).scan(&RowPrefix::Aside(id))? {
            let (_, object): (String, Bytes) = read(&bytes)?;
            let name = match read_record(&object.0) {
                Ok(record) => {
                    self.sweep_record(rows, circle, &record)?;
                    Hash(record.id().0)
                }
                Err(_) => match Unverified::<Entry>::parse(object.0) {
                    Ok(entry) => Hash(entry.id),
                    Err(_) => continue,
                },
            };
            self.stage_delete(Row::Aside(id, name));
        }
        for number in 1..=charter.number() {
            self.stage_delete(Row::Entry(id, number));
        }
        for node in charter.ever() {
            self.stage_delete(Row::Ack(id, *node));
            for epoch in charter.epochs() {
                self.stage_delete(Row::Seal(id, *node, epoch));
            }
        }
        for row in [Row::Renewing(id), Row::Charter(id), Row::Circle(id)] {
            self.stage_delete(row);
        }
        Ok(())
    }
}
