//! Lines of the audit trail for acts of care.

use maillon_protocol::ids::{CircleId, NodeId};

use super::{Actor, Care, CareError};
use crate::{
    audit::{self, About},
    ledger::{LedgerError, Tx},
};

impl Care {
    /// Leaves the line of a look, and what else is kept of it, in a commit of their own. Where that fails (a full disk), what is known is shown all the same: care must not
    /// stop there.
    ///
    /// # Errors
    /// Those of the job.
    pub(super) async fn leave_line(
        &self,
        action: &'static str,
        job: impl FnOnce(&mut Tx<'_>) -> Result<(), CareError> + Send + 'static,
    ) -> Result<(), CareError> {
        match self.ledger.run(job).await {
            Err(LedgerError::Commit(error)) => {
                tracing::error!(%error, action, "a line of the audit trail could not be written");
                Ok(())
            }
            done => Ok(done?),
        }
    }
}

/// Lines for members that were removed because they had left.
pub(super) fn note_removed(
    tx: &mut Tx<'_>,
    actor: &Actor,
    circle: CircleId,
    nodes: &[NodeId],
) -> Result<(), CareError> {
    Ok(audit::note_removed(tx, actor.by(), circle, nodes)?)
}

/// Adds a line in the commit of the act.
pub(super) fn note(
    tx: &mut Tx<'_>,
    actor: &Actor,
    action: &str,
    about: About,
) -> Result<(), CareError> {
    Ok(audit::note(tx, actor.by(), action, about)?)
}
