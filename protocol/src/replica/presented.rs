//! What a stranger presented, taken into what is committed.

use rand_core::CryptoRng;

use super::{ArriveError, ByItself, Replica, Rows};
use crate::{
    circle,
    ids::{CircleId, NodeId},
    sync::Presented,
};

impl Replica {
    /// Takes the end of a charter from a node that is not known yet, where all of it extends the committed head and lists that node at last. The circle
    /// is named beside what followed: the node is a fellow member from now on.
    ///
    /// # Errors
    /// [`ArriveError::NotShared`] where the head has moved, an entry does not fit, or the node would be a stranger still; nothing is staged then.
    pub fn take_presented(
        &mut self,
        rows: &impl Rows,
        stranger: NodeId,
        presented: Presented,
        now_ms: u64,
        rng: &mut impl CryptoRng,
    ) -> Result<(CircleId, ByItself), ArriveError> {
        let last = presented.head();
        let Presented {
            circle: id,
            entries,
            seals,
        } = presented;
        let Some(circle) = self.circles.get(&id) else {
            return Err(ArriveError::NotShared);
        };
        let (next, _) = circle::extend(circle, entries.clone());
        let all = last == Some(next.charter.head());
        let fellow = next.charter.is_member(&stranger) && !self.is_refused(rows, &stranger)?;
        if !all || !fellow || !circle.charter.is_member(&self.own()) {
            return Err(ArriveError::NotShared);
        }
        let done = self.take_entries(rows, stranger, id, entries, &seals, now_ms, rng)?;
        Ok((id, done))
    }
}
