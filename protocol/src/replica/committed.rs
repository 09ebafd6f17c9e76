//! What is committed, for one look; and what a look makes of it beyond the rows themselves.

use std::{collections::HashMap, convert::Infallible, sync::Arc};

use rand_core::{TryCryptoRng, TryRng, utils::next_word_via_fill};

use super::{
    AckCache, Claims, Row, RowPrefix, Rows, StorageError, branches, project::read_record,
    renew::Renewing, rows::read,
};
use crate::{
    charter::SealedSecret,
    circle::{Ack, Circle},
    descriptor::Descriptor,
    ids::{CircleId, Incarnation, LogId, NodeId, RecordId},
    keys::{NodeKey, SealPublic},
    record::Record,
    sign::{Unverified, Verified},
    sync::View as _,
};

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
    pub(super) fn values(&self, prefix: &RowPrefix) -> Vec<Vec<u8>> {
        self.rows.scan(prefix).unwrap_or_default()
    }

    pub(super) fn stored<T>(&self, row: &Row) -> Option<T>
    where
        T: for<'b> minicbor::Decode<'b, ()> + minicbor::Encode<()>,
    {
        read(&self.rows.get(row).ok()??).ok()
    }

    /// The newest receive key that is known of a node.
    pub(super) fn seal_key_of(&self, node: &NodeId) -> Option<SealPublic> {
        let bytes = self.rows.get(&Row::Descriptor(*node)).ok()??;
        let descriptor = Unverified::<Descriptor>::parse(bytes).ok()?;
        Some(descriptor.object.seal)
    }

    /// A copy of an epoch's secret, made by this node, which has opened it.
    pub(super) fn seal_again(
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
    pub(super) fn may_give_a_body(&self, peer: &NodeId, circle: &Circle, own: &NodeId) -> bool {
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
pub(super) struct Random<'a>(pub(super) &'a dyn Fn() -> [u8; 16]);

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
