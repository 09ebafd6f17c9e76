//! A node whose disk went back: it was restored from a copy, and does not know what it has done since that was made.
//!
//! What it had written since then is at its peers and comes back from them, so its logs begin a new incarnation, whatever they say. What it had
//! signed as a steward is there too, and a second entry of the same number would split the charter: so it signs none before another member has
//! stated the same head as it holds, or its administrator has said that there is no other.

use rand_core::CryptoRng;

use super::{Replica, Rows, StewardshipError, StorageError};
use crate::ids::{CircleId, EntryHash, NodeId};

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

    /// Takes note that `peer` has stated a head: where it is a member and that is the head here, this node signs again.
    pub fn take_confirmation(&mut self, peer: &NodeId, id: &CircleId, head: EntryHash) {
        let same = self.circles.get(id).is_some_and(|held| {
            held.unconfirmed && held.charter.is_member(peer) && held.charter.head() == head
        });
        if same {
            self.set_unconfirmed(id, false);
        }
    }

    /// The administrator knows that no other member has a later entry: this node signs again.
    ///
    /// # Errors
    /// [`StewardshipError`] where this node is not the steward.
    pub fn confirm(&mut self, id: &CircleId) -> Result<(), StewardshipError> {
        let held = self.ruled_circle(id)?;
        if held.unconfirmed {
            self.set_unconfirmed(id, false);
        }
        Ok(())
    }

    fn set_unconfirmed(&mut self, id: &CircleId, unconfirmed: bool) {
        if let Some(held) = self.circles.get(id) {
            let mut next = (**held).clone();
            next.unconfirmed = unconfirmed;
            self.put_circle(next);
        }
    }
}
