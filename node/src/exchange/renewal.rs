//! What this node writes again for new members, with a line of the audit trail for each.

use maillon_protocol::{
    ids::CircleId,
    replica::{StorageError, Written},
};

use crate::{
    audit::{self, About, AuditError, By},
    ledger::{Ledger, LedgerError, Tx},
};

/// Why nothing was written again.
#[derive(Debug, thiserror::Error)]
pub enum RenewError {
    /// Storage.
    #[error(transparent)]
    Storage(#[from] StorageError),
    /// The audit trail.
    #[error(transparent)]
    Audit(#[from] AuditError),
}

/// Writes the next part; [`Notice::Renewing`](maillon_protocol::replica::Notice::Renewing) says that it was not the last.
///
/// # Errors
/// [`LedgerError`]; nothing is written then.
pub async fn renew_further(
    ledger: &Ledger,
    circle: CircleId,
) -> Result<(), LedgerError<RenewError>> {
    let part = ledger.run(move |tx| {
        let now = tx.now_ms;
        let renewed = tx.replica.renew_further(tx.rows, &circle, now, tx.rng)?;
        Ok(note(tx, circle, &renewed)?)
    });
    part.await
}

/// A line for each record that was written again.
pub(super) fn note(
    tx: &mut Tx<'_>,
    circle: CircleId,
    renewed: &[Written],
) -> Result<(), AuditError> {
    renewed.iter().try_for_each(|written| {
        let about = About::record(circle, written.record);
        audit::note(tx, By::itself(), "record.renew", about)
    })
}
