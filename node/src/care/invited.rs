//! Invitations from other territories, as somebody reads them who may decide.

use std::sync::Arc;

use maillon_protocol::{
    cbor,
    charter::Subject,
    content::PatientIdentity,
    ids::{CircleId, InvitationId, NodeId},
    invite::{Invitation, InvitationReason},
    replica::{Incoming, IncomingState, Row, Rows},
    sign::Unverified,
};

use super::{Actor, Care, CareError, Category, Filed, Likeness, audit};
use crate::{
    audit::{About, Object},
    clock::now_ms,
};

/// An invitation that waits for a decision.
#[derive(Debug, Clone)]
pub struct InvitationShown {
    /// Which.
    pub id: InvitationId,
    /// Who asks.
    pub from: NodeId,
    /// Their structure.
    pub structure: String,
    /// Why.
    pub reason: InvitationReason,
    /// Until when it can be accepted, Unix milliseconds.
    pub expires_ms: u64,
}

/// An invitation with the person whom it is about.
#[derive(Debug, Clone)]
pub struct Invited {
    /// The invitation.
    pub invitation: InvitationShown,
    /// Who the person is, as the other structure says.
    pub identity: PatientIdentity,
    /// Files here that might be of the same person.
    pub alike: Vec<(Arc<Filed>, Likeness)>,
    /// The file here that the invitation continues.
    pub continues: Option<CircleId>,
}

/// Where an invitation stands that was accepted here.
#[derive(Debug, Clone)]
pub enum Accepted {
    /// The file is on its way.
    Coming,
    /// It is here, and whoever asks is in the person's team.
    Here(Arc<Filed>),
}

impl Care {
    /// Where an invitation stands that was accepted here, for whoever accepted it; none where it was not.
    ///
    /// # Errors
    /// [`CareError`].
    pub fn accepted(&self, actor: &Actor, id: InvitationId) -> Result<Option<Accepted>, CareError> {
        let row = self.shared().rows().get(&Row::Incoming(id))?;
        let row = row.and_then(|bytes| cbor::decode::<Incoming>(&bytes).ok());
        let circle = match row.map(|row| row.state) {
            Some(IncomingState::Accepted { circle, .. }) => circle,
            _ => return Ok(None),
        };
        let Some(circle) = circle else {
            return Ok(Some(Accepted::Coming));
        };
        let filed = match self.follows(actor, &circle)? {
            true => self.filed(&circle)?,
            false => None,
        };
        Ok(Some(filed.map_or(Accepted::Coming, Accepted::Here)))
    }

    /// The invitations to circles of persons that wait, those that end first before the others.
    ///
    /// # Errors
    /// [`CareError::NotReadable`].
    pub async fn invitations(&self, actor: &Actor) -> Result<Vec<InvitationShown>, CareError> {
        self.may_read(actor, Category::Administration)?;
        let rows = self
            .ledger
            .run(|tx| Ok::<_, CareError>(tx.replica.open_invitations(tx.rows)?.received))
            .await?;
        let now = now_ms();
        let shown = rows
            .into_iter()
            .filter_map(|(id, row)| self.waiting_line(id, &row));
        let mut shown: Vec<_> = shown.filter(|one| one.expires_ms > now).collect();
        shown.sort_by_key(|one| (one.expires_ms, one.id));
        Ok(shown)
    }

    fn waiting_line(&self, id: InvitationId, row: &Incoming) -> Option<InvitationShown> {
        if row.state != IncomingState::Waiting {
            return None;
        }
        let said = Unverified::<Invitation>::parse(row.invitation.0.clone()).ok()?;
        let said = said.object;
        (said.subject == Subject::Patient).then(|| InvitationShown {
            id,
            from: row.from,
            structure: self.structure_of(&row.from),
            reason: said.reason,
            expires_ms: said.expires_ms,
        })
    }

    /// An invitation with whom it is about; none where it does not wait. The look stands in the trail.
    ///
    /// # Errors
    /// [`CareError::NotAllowed`] where the habilitation does not let them decide, [`CareError::NotReadable`].
    pub async fn invitation(
        &self,
        actor: &Actor,
        id: InvitationId,
    ) -> Result<Option<Invited>, CareError> {
        self.may_read(actor, Category::Identity)?;
        self.may_write(actor, &[Category::Administration])?;
        let waiting = self.invitations(actor).await?;
        let Some(invitation) = waiting.into_iter().find(|one| one.id == id) else {
            return Ok(None);
        };
        let reader = actor.clone();
        let (identity, continues) = self
            .ledger
            .run(move |tx| {
                let identity = tx.replica.invited_identity(tx.rows, &id)?;
                let continues = tx.replica.invited_to_continue(tx.rows, &id)?;
                let about = About::object(Object::Invitation(id));
                audit::note(tx, &reader, "invitation.read", about)?;
                Ok::<_, CareError>((identity, continues))
            })
            .await?;
        Ok(identity.map(|identity| Invited {
            alike: self.alike(&identity),
            invitation,
            identity,
            continues,
        }))
    }
}
