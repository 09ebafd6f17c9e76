//! What this node says at the door of one that does not know it yet, and what strangers say at its own.

use std::{sync::Arc, sync::atomic::Ordering::Relaxed};

use maillon_protocol::{
    ids::{CircleId, NodeId},
    sync::{Presentation, PresentationError},
};

use super::{
    driver::{Exchange, TakeError, followed, removed},
    renewal,
};
use crate::{
    clock::now_ms,
    ledger::{LedgerError, Shared},
};

/// Why what a stranger presented was passed over.
#[derive(Debug, thiserror::Error)]
pub enum PresentedError {
    /// Looked at, and not what it should be.
    #[error(transparent)]
    Presentation(#[from] PresentationError),
    /// The ledger did not take it.
    #[error("what a stranger presented was not taken: {0}")]
    NotTaken(String),
}

impl Exchange {
    /// What to present to a node; another circle each time. Nothing where there is nothing that it could not know.
    pub fn presentation(&self, to: NodeId) -> Option<Vec<u8>> {
        let turn = self.turn.fetch_add(1, Relaxed);
        let shared = self.ledger.shared();
        let said = shared.look(now_ms(), |view| Presentation::of(view, &to, turn))?;
        Some(said.encode())
    }

    /// Takes what a stranger presented. The circle in which it is a fellow member from now on.
    ///
    /// # Errors
    /// [`PresentedError`]; nothing has changed then.
    pub async fn presented(
        &self,
        stranger: NodeId,
        frame: Vec<u8>,
    ) -> Result<CircleId, PresentedError> {
        let shared: Arc<Shared> = Arc::clone(self.ledger.shared());
        let check = move || {
            let said = Presentation::decode(&frame)?;
            shared.look(now_ms(), |view| said.check(view, &stranger))
        };
        let broken = |error: &dyn std::fmt::Display| PresentedError::NotTaken(error.to_string());
        let presented = tokio::task::spawn_blocking(check)
            .await
            .map_err(|error| broken(&error))??;
        let taken = self.ledger.run(move |tx| {
            let now = tx.now_ms;
            let (circle, done) = tx
                .replica
                .take_presented(tx.rows, stranger, presented, now, tx.rng)?;
            renewal::note(tx, circle, &done.renewed)?;
            followed(tx, stranger, &done.accepted)?;
            removed(tx, circle, &done.removed)?;
            Ok::<_, TakeError>(circle)
        });
        taken.await.map_err(|error: LedgerError<_>| broken(&error))
    }
}
