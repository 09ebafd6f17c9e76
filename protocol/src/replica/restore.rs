//! A node whose disk went back: it was restored from a copy, and does not know what it has done since that was made.
//!
//! What it had written since then is at its peers and comes back from them, so its logs begin a new incarnation, whatever they say. What it had
//! signed as a steward is there too, and a second entry of the same number would split the charter: so it signs none before another member has
//! stated the same head as it holds, or its administrator has said that there is no other.

use rand_core::CryptoRng;

use super::{
    Incoming, IncomingState, Replica, Row, Rows, StewardshipError, StorageError,
    invitations::stored_invitation,
};
use crate::{
    cbor,
    charter::Entry,
    circle::Circle,
    ids::{CircleId, EntryHash, Hash, NodeId},
    invite::Acceptance,
    limits,
    sign::Verified,
    sync::{Change, News},
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

    /// Whether this node has forgotten that it gave an acceptance: it signed it before its disk went back, and there is no row of it. The
    /// invitation may have come again since, and may even have been accepted again.
    pub(super) fn has_forgotten(
        &self,
        rows: &impl Rows,
        acceptance: &Verified<Acceptance>,
    ) -> Result<bool, StorageError> {
        let restored: u64 = self.read_row(rows, &Row::Restored)?.unwrap_or(0);
        let said = &acceptance.object;
        // The clock may have gone back with the disk.
        if said.node != self.own()
            || said.accepted_ms >= restored.saturating_add(limits::CLOCK_GRACE_MS)
        {
            return Ok(false);
        }
        let row: Option<Incoming> = self.read_row(rows, &Row::Incoming(said.invitation))?;
        Ok(match row.map(|row| row.state) {
            None | Some(IncomingState::Waiting) => true,
            Some(IncomingState::Accepted { id, circle, .. }) => {
                id.0 != acceptance.id && circle.is_none()
            }
            Some(IncomingState::Declined | IncomingState::Cancelled) => false,
        })
    }

    /// Whether this node's disk went back after an entry was made.
    pub(super) fn was_restored_after(
        &self,
        rows: &impl Rows,
        entry: &Entry,
    ) -> Result<bool, StorageError> {
        let restored: u64 = self.read_row(rows, &Row::Restored)?.unwrap_or(0);
        Ok(entry.time.ms() < restored)
    }

    /// Notes that an acceptance which was forgotten led into a circle: whoever is asked about that invitation again need not answer.
    pub(super) fn claim_forgotten(
        &mut self,
        rows: &impl Rows,
        circle: &mut Circle,
        entries: &[Verified<Entry>],
    ) -> Result<(), StorageError> {
        for (acceptance, quoted) in self.quoted_of_ours(entries) {
            let id = quoted.object.invitation;
            let row: Option<Incoming> = self.read_row(rows, &Row::Incoming(id))?;
            let Some(mut row) = row.filter(|_| self.has_forgotten(rows, &quoted).unwrap_or(false))
            else {
                continue;
            };
            let same_as = match row.state {
                IncomingState::Accepted { same_as, .. } => same_as,
                _ => None,
            };
            row.state = IncomingState::Accepted {
                acceptance,
                id: Hash(quoted.id),
                circle: Some(circle.id()),
                same_as,
                reserved: 0,
            };
            self.put_incoming(id, &row);
            let invitation = stored_invitation(&row.invitation)?;
            self.link(circle, invitation.object.continues);
        }
        Ok(())
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
            return self.sign_again(rows, id, now_ms, rng);
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
            return Ok(self.sign_again(rows, id, now_ms, rng)?);
        }
        Ok(Vec::new())
    }

    /// The head is confirmed: what waited for this node's signature follows. Who was removed because it had left.
    fn sign_again(
        &mut self,
        rows: &impl Rows,
        id: &CircleId,
        now_ms: u64,
        rng: &mut impl CryptoRng,
    ) -> Result<Vec<NodeId>, StorageError> {
        self.set_unconfirmed(id, false);
        self.count_what_is_here(rows, id, now_ms, rng)?;
        // Members may have said meanwhile what they hold beyond a cut.
        self.published.news.push(News {
            circle: Some(*id),
            change: Change::Charter,
            from: None,
        });
        self.remove_who_left(rows, id, now_ms, rng)
    }

    fn set_unconfirmed(&mut self, id: &CircleId, unconfirmed: bool) {
        if let Some(held) = self.circles.get(id) {
            let mut next = (**held).clone();
            next.unconfirmed = unconfirmed;
            self.put_circle(next);
        }
    }
}
