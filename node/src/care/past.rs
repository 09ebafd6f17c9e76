//! What happened before it was written down here: a thing with its own date. Used where a file is told again, not by people who write now.

use maillon_protocol::{
    content::Content,
    ids::{CircleId, ThingId},
    replica::Written,
};

use super::{Actor, Care, CareError, fresh, write_one};

impl Care {
    /// Writes `content` as something that happened at `occurred_ms` (Unix milliseconds), in the name of a professional of this structure.
    /// The record's own clock says when it was written: the past is told, never forged.
    ///
    /// # Errors
    /// [`CareError`].
    pub(crate) async fn write_as_of(
        &self,
        actor: &Actor,
        circle: CircleId,
        content: Content,
        parent: Option<ThingId>,
        occurred_ms: u64,
    ) -> Result<Written, CareError> {
        let mut draft = fresh(actor, content, parent);
        draft.occurred_ms = occurred_ms;
        let actor = actor.clone();
        Ok(self
            .ledger
            .run(move |tx| write_one(tx, &actor, circle, draft, "past.write"))
            .await?)
    }
}
