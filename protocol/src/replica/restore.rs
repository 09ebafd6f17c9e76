//! A node whose disk went back: it was restored from a copy, and does not know what it has done since that was made.
//!
//! What it had written since then is at its peers and comes back from them, so its logs begin a new incarnation, whatever they say. What it had
//! signed as a steward is there too, and a second entry of the same number would split the charter: so it signs none before another member has
//! stated the same head as it holds, or its administrator has said that there is no other.

use rand_core::CryptoRng;

use super::{Replica, Row, Rows, StewardshipError, StorageError};
use crate::{
    cbor,
    ids::{CircleId, EntryHash, NodeId},
    invite::Acceptance,
};

impl Replica {
    /// Takes note that what is here is a copy from before. How many circles wait for a confirmation now.
    ///
    /// # Errors
    /// [`StorageError`].
    pub fn restored(
        &mut self,
        rows: &impl Rows,
        now_ms: u64,
        rng: &mut impl CryptoRng,
    ) -> Result<usize, StorageError> {
        self.begin_incarnation(rows, now_ms, rng)?;
        self.stage(Row::Restored, cbor::encode(&now_ms));
        let own = self.own();
        let ruled: Vec<CircleId> = self
            .circles()
            .filter(|circle| circle.charter.state().steward == own)
            .map(|circle| circle.id())
            .collect();
        for id in &ruled {
            self.set_unconfirmed(id, true);
        }
        Ok(ruled.len())
    }

    /// Whether this node has forgotten that it gave an acceptance: it signed it before its disk went back, and there is no row of it.
    pub(super) fn has_forgotten(
        &self,
        rows: &impl Rows,
        acceptance: &Acceptance,
    ) -> Result<bool, StorageError> {
        let restored: u64 = self.read_row(rows, &Row::Restored)?.unwrap_or(0);
        let before = acceptance.node == self.own() && acceptance.accepted_ms < restored;
        let row = Row::Incoming(acceptance.invitation);
        Ok(before && self.row(rows, &row)?.is_none())
    }

    /// Takes note that `peer` has stated a head: where it is a member and that is the head here, this node signs again. Who was removed then because it
    /// had left.
    ///
    /// # Errors
    /// [`StorageError`].
    pub fn take_confirmation(
        &mut self,
        rows: &impl Rows,
        peer: &NodeId,
        id: &CircleId,
        head: EntryHash,
        now_ms: u64,
        rng: &mut impl CryptoRng,
    ) -> Result<Vec<NodeId>, StorageError> {
        let same = self.circles.get(id).is_some_and(|held| {
            held.unconfirmed && held.charter.is_member(peer) && held.charter.head() == head
        });
        if same {
            self.set_unconfirmed(id, false);
            return self.remove_who_left(rows, id, now_ms, rng);
        }
        Ok(Vec::new())
    }

    /// The administrator knows that no other member has a later entry: this node signs again, where it is still the steward. Who was
    /// removed then because it had left.
    ///
    /// # Errors
    /// [`StewardshipError::NoCircle`], [`StewardshipError::Storage`].
    pub fn confirm(
        &mut self,
        rows: &impl Rows,
        id: &CircleId,
        now_ms: u64,
        rng: &mut impl CryptoRng,
    ) -> Result<Vec<NodeId>, StewardshipError> {
        let held = self.circles.get(id).ok_or(StewardshipError::NoCircle)?;
        if held.unconfirmed {
            self.set_unconfirmed(id, false);
            return Ok(self.remove_who_left(rows, id, now_ms, rng)?);
        }
        Ok(Vec::new())
    }

    fn set_unconfirmed(&mut self, id: &CircleId, unconfirmed: bool) {
        if let Some(held) = self.circles.get(id) {
            let mut next = (**held).clone();
            next.unconfirmed = unconfirmed;
            self.put_circle(next);
        }
    }
}
