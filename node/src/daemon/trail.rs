//! The audit trail is signed once a day, and looked through when somebody asks.

use std::{sync::Arc, time::Duration};

use maillon_protocol::{admin::AuditPage, ids::ThingId, keys::NodeKey};
use zeroize::Zeroizing;

use super::Node;
use crate::{
    audit::{self, About, AuditError, Broken, By, Held, SignedTo, Trail, Wanted},
    clock::now_ms,
};

pub(super) const NAME: &str = "signature";
/// Time between two signatures, and between two looks whether one is due.
const SIGNED_EVERY_MS: u64 = 24 * 3_600_000;
const LOOK_EVERY: Duration = Duration::from_secs(3600);

impl Node {
    /// Reads the whole trail.
    ///
    /// # Errors
    /// The first thing at which it does not hold.
    pub(crate) async fn verify_trail(&self) -> Result<Held, Broken> {
        let shared = Arc::clone(self.ledger.shared());
        let read =
            tokio::task::spawn_blocking(move || audit::verify(&shared.rows().0, &shared.own()));
        read.await.unwrap_or(Err(Broken::Interrupted))
    }

    /// Leaves lines in a commit of their own. Where that fails (a full disk), what is known is shown all the same: care must not stop there.
    pub(crate) async fn leave_lines(&self, by: By, action: &'static str, about: Vec<About>) {
        let job = self.ledger.run(move |tx| {
            about
                .into_iter()
                .try_for_each(|about| audit::note(tx, by, action, about))
        });
        if let Err(error) = job.await {
            tracing::error!(%error, action, "a line of the audit trail could not be written");
        }
    }

    /// A page of the trail; `name` says who an actor is.
    ///
    /// # Errors
    /// [`AuditError`].
    pub(crate) async fn trail_page(
        &self,
        wanted: Wanted,
        name: impl Fn(&ThingId) -> Option<String> + Send + 'static,
    ) -> Result<AuditPage, AuditError> {
        let store = self.ledger.shared().rows().0.clone();
        // Whoever wants what is rare looks through many lines.
        let read = tokio::task::spawn_blocking(move || Trail(&store).page(&wanted, name));
        read.await.unwrap_or(Err(AuditError::Interrupted))
    }

    /// How far the trail is signed; none where it is not, or where that cannot be read, which verification names.
    pub(crate) fn trail_signed(&self) -> Option<SignedTo> {
        let shared = self.ledger.shared();
        audit::signed_to(&shared.rows().0, &shared.own()).ok()?
    }

    async fn sign_where_due(&self) -> Result<(), String> {
        let shared = self.ledger.shared();
        let last = audit::signed_to(&shared.rows().0, &shared.own());
        let last = last.map_err(|broken| broken.to_string())?;
        if let Some(last) = last {
            self.workers.succeeded(NAME, last.at_ms);
            // A clock that was put back does not keep it from being signed.
            if now_ms().abs_diff(last.at_ms) < SIGNED_EVERY_MS {
                return Ok(());
            }
        }
        let seed = Zeroizing::new(self.keyring.lock().await.identity_seed());
        let signed = audit::sign_trail(&self.ledger, &NodeKey::from_seed(&seed)).await;
        if let Some(signed) = signed.map_err(|error| error.to_string())? {
            // Outside of the database, where nobody who changes that one reaches it.
            tracing::info!(line = signed.number, hash = %signed.hash, "the audit trail was signed");
        }
        Ok(())
    }
}

/// Runs for as long as the node does.
pub(super) async fn sign(node: Arc<Node>) {
    loop {
        let begun = node.workers.begin(NAME);
        let result = node.sign_where_due().await;
        if let Err(error) = &result {
            tracing::error!(%error, "the audit trail could not be signed");
        }
        tokio::time::sleep(node.workers.end(NAME, begun, result) + LOOK_EVERY).await;
    }
}
