//! The person's information, without which nothing is shared.

use maillon_protocol::{
    content::{Consent, Content, Kind},
    ids::{CircleId, RecordId},
    replica::{Draft, Written},
};

use super::{Actor, Care, CareError, fresh, write_one};
use crate::ledger::Shared;

impl Care {
    /// Records what the person was told and answered. A later answer supersedes the ones before it. One that does not allow sharing cancels
    /// the invitations that wait, in the same commit.
    ///
    /// # Errors
    /// [`CareError`].
    pub async fn record_consent(
        &self,
        actor: &Actor,
        circle: CircleId,
        consent: Consent,
    ) -> Result<Written, CareError> {
        let standing = standing_consents(self.shared(), &circle)?;
        let allows = consent.allows_sharing();
        let mut draft: Draft = fresh(actor, Content::Consent(consent), None);
        // One thing: the newest answer of this structure is continued, so that the last word counts.
        let own = self.shared().own();
        if let Some((thing, records)) = standing
            .into_iter()
            .find(|(_, records)| records.iter().all(|(_, node)| *node == own))
        {
            draft.thing = Some(thing);
            draft.supersedes = records.into_iter().map(|(record, _)| record).collect();
        }
        let actor = actor.clone();
        Ok(self
            .ledger
            .run(move |tx| {
                if !allows {
                    tx.replica.cancel_invitations(tx.rows, &circle, None)?;
                }
                write_one(tx, &actor, circle, draft, "consent.record")
            })
            .await?)
    }

    /// Somebody recorded a consent, here or at another structure: where the file may not be shared now, invitations that wait are cancelled.
    ///
    /// # Errors
    /// [`CareError`].
    pub async fn consent_changed(&self, circle: CircleId) -> Result<(), CareError> {
        if self.allows_sharing(&circle)? {
            return Ok(());
        }
        self.ledger
            .run(move |tx| {
                tx.replica.cancel_invitations(tx.rows, &circle, None)?;
                Ok::<(), CareError>(())
            })
            .await?;
        Ok(())
    }

    /// Whether what stands allows sharing: at least one answer does, and none refuses or withdraws.
    ///
    /// # Errors
    /// [`CareError`].
    pub fn allows_sharing(&self, circle: &CircleId) -> Result<bool, CareError> {
        let shared = self.shared();
        let mut allowed = false;
        for (_, records) in standing_consents(shared, circle)? {
            for (record, _) in records {
                let view = super::read::opened(shared, &record)?;
                let Some((_, opened)) = view else { continue };
                if let Content::Consent(consent) = opened.content {
                    if !consent.allows_sharing() {
                        return Ok(false);
                    }
                    allowed = true;
                }
            }
        }
        Ok(allowed)
    }
}

type StandingConsent = (
    maillon_protocol::ids::ThingId,
    Vec<(RecordId, maillon_protocol::ids::NodeId)>,
);

fn standing_consents(
    shared: &Shared,
    circle: &CircleId,
) -> Result<Vec<StandingConsent>, CareError> {
    let things = super::read::things(shared, circle)?;
    Ok(things
        .into_iter()
        .filter(|(_, thing)| thing.kind() == Some(Kind::Consent as u64))
        .map(|(id, thing)| {
            let standing = super::read::standing(&thing);
            (
                id,
                standing
                    .iter()
                    .map(|version| (version.record, version.node))
                    .collect(),
            )
        })
        .collect())
}
