//! A charter that has forked: two valid entries of one number.
//!
//! The steward was put back from a copy, or its key is in other hands. Nobody votes: a node stays on the branch that it committed first. It checks
//! another one as it checked its own, keeps it beside, and sends nothing more to whom one of them removes. To members that both list it passes
//! records as before, for the heads of the branches count as the same head. The circle is continued by a successor.

use super::{Charter, CharterError, Entry};
use crate::{
    ids::{EntryHash, NodeId},
    limits::{self, LimitError},
    sign::Verified,
};

impl Charter {
    /// The other branches that are known, each as a charter of its own.
    pub fn rivals(&self) -> &[Self] {
        &self.rivals
    }

    /// Whether an entry belongs to another branch.
    pub fn is_rival(&self, number: u64, hash: EntryHash) -> bool {
        let mut rivals = self.rivals.iter();
        self.hash_of(number) != Some(hash) && rivals.any(|one| one.hash_of(number) == Some(hash))
    }

    /// The branch on which an entry stands: this one, where it is on both.
    pub fn naming(&self, number: u64, hash: EntryHash) -> Option<&Self> {
        let mut branches = std::iter::once(self).chain(&self.rivals);
        branches.find(|one| one.hash_of(number) == Some(hash))
    }

    /// Whether `node` may read the epoch of a record that names this entry.
    pub fn may_read(&self, node: &NodeId, (number, hash): (u64, EntryHash)) -> bool {
        let epoch = self.naming(number, hash).and_then(|named| {
            let (epoch, _) = named.epoch_of(number)?;
            Some(named.is_granted(node, epoch))
        });
        self.is_member(node) && epoch == Some(true)
    }

    /// Whether another branch removes a node that this one lists: nothing is sent to it.
    pub fn shuns(&self, node: &NodeId) -> bool {
        self.shunned.contains(node)
    }

    /// The charter with what an entry of another branch says, if it follows one that is known, here or there; `replay` gives this charter as it was
    /// at an earlier entry.
    ///
    /// # Errors
    /// [`CharterError`] where it follows and does not fit, or there are too many branches.
    pub fn beside(
        &self,
        entry: &Verified<Entry>,
        own: &NodeId,
        replay: impl FnOnce(u64) -> Option<Self>,
    ) -> Result<Option<Self>, CharterError> {
        let (Some(before), Some(previous)) =
            (entry.object.number.checked_sub(1), entry.object.previous)
        else {
            return Ok(None);
        };
        let mut rivals = self.rivals.clone();
        let longer = rivals
            .iter()
            .position(|one| one.number() == before && one.head() == previous);
        if let Some(place) = longer {
            rivals[place] = rivals[place].extend(entry)?;
        } else if self.hash_of(before) == Some(previous) && before < self.number() {
            let known = EntryHash(entry.id);
            if self.naming(entry.object.number, known).is_some() {
                return Ok(None);
            }
            self.room_for_one_more()?;
            let Some(base) = replay(before) else {
                return Ok(None);
            };
            rivals.push(base.extend(entry)?);
        } else {
            return Ok(None);
        }
        let removes = |node: &NodeId| {
            let mut removing = rivals.iter();
            removing.any(|one| one.ever_listed(node) && one.listed(node).is_none())
        };
        let members = self.state.members.iter().map(|member| member.node);
        let shunned = members
            .filter(|node| node != own && removes(node))
            .collect();
        let mut next = self.clone();
        (next.rivals, next.shunned) = (rivals, shunned);
        Ok(Some(next))
    }

    fn room_for_one_more(&self) -> Result<(), LimitError> {
        limits::within(
            "the branches of a charter",
            self.rivals.len() as u64 + 2,
            limits::BRANCHES as u64,
        )
    }
}
