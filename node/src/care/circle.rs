//! Files and the circles around them: open, invite, accept.

use maillon_protocol::{
    admin::Sharing,
    charter::{Grant, Subject},
    circle::WriteError,
    content::{Content, PatientIdentity},
    ids::{CircleId, InvitationId, NodeId},
    invite::InvitationReason,
    replica::WriteFailed,
};

use super::{Actor, Care, CareError, Category, Likeness, audit, fresh, identity, joining, read};
use crate::{
    audit::{About, Object},
    clock::now_ms,
};

impl Care {
    /// Opens a file: a circle with this node alone in it, and the person's identity.
    ///
    /// # Errors
    /// [`CareError::Identity`] where a trait cannot be right.
    pub async fn open_circle(
        &self,
        actor: &Actor,
        identity: PatientIdentity,
    ) -> Result<CircleId, CareError> {
        self.may_write(actor, &[Category::Administration, Category::Identity])?;
        identity::check(&identity, now_ms())?;
        let draft = fresh(actor, Content::PatientIdentity(identity), None);
        let actor = actor.clone();
        Ok(self
            .ledger
            .run(move |tx| {
                let now = tx.now_ms;
                let circle = tx.replica.found(Subject::Patient, now, tx.rng);
                tx.replica
                    .write(tx.rows, &circle, vec![draft], now, tx.rng)?;
                audit::note(tx, &actor, "circle.open", About::circle(circle))?;
                Ok::<_, CareError>(circle)
            })
            .await?)
    }

    /// Invites a peer into a file's circle.
    ///
    /// # Errors
    /// [`CareError::NoConsent`] before the person's information is recorded, [`CareError::Against`] where they refused; [`CareError::NoIdentity`];
    /// those of the protocol.
    pub async fn invite(
        &self,
        actor: &Actor,
        circle: CircleId,
        to: NodeId,
        reason: InvitationReason,
        grant: Grant,
    ) -> Result<InvitationId, CareError> {
        self.may_write_in(actor, &circle, &[Category::Administration])?;
        let identity = self.whom_to_share(&circle)?;
        let actor = actor.clone();
        Ok(self
            .ledger
            .run(move |tx| {
                let now = tx.now_ms;
                let id = tx.replica.invite(
                    tx.rows,
                    &circle,
                    to,
                    reason,
                    identity.as_ref(),
                    grant,
                    now,
                    tx.rng,
                )?;
                let about = About {
                    node: Some(to),
                    object: Some(Object::Invitation(id)),
                    ..About::circle(circle)
                };
                audit::note(tx, &actor, "circle.invite", about)?;
                Ok::<_, CareError>(id)
            })
            .await?)
    }

    /// Who an invitation to a circle is about, where the person lets it be shared; none for a community.
    ///
    /// # Errors
    /// As [`Care::invite`].
    pub(super) fn whom_to_share(
        &self,
        circle: &CircleId,
    ) -> Result<Option<PatientIdentity>, CareError> {
        let held = self.shared().circle(circle).ok_or(CareError::NoCircle)?;
        if held.charter.state().subject == Subject::Community {
            return Ok(None);
        }
        if held.charter.state().closed {
            // Nobody comes into a circle that has ended: who the person is stays where it is.
            return Err(WriteFailed::Write(WriteError::Closed).into());
        }
        match self.sharing(circle)? {
            Sharing::Allowed => {}
            Sharing::Unanswered => return Err(CareError::NoConsent),
            Sharing::Refused(refused) => return Err(CareError::Against(refused)),
        }
        let person = read::identities(self.shared(), circle)?.into_iter().next();
        Ok(Some(person.ok_or(CareError::NoIdentity)?))
    }

    /// A person accepts an invitation: for a person whose file is here already, or for a new one.
    ///
    /// # Errors
    /// [`CareError`].
    pub async fn accept(
        &self,
        actor: &Actor,
        invitation: InvitationId,
        same_as: Option<CircleId>,
    ) -> Result<(), CareError> {
        self.may_write(actor, &[Category::Administration])?;
        let actor = actor.clone();
        self.ledger
            .run(move |tx| {
                let now = tx.now_ms;
                tx.replica.accept(tx.rows, &invitation, same_as, now)?;
                joining::remember(tx, &actor, &invitation);
                let about = About {
                    circle: same_as,
                    ..About::object(Object::Invitation(invitation))
                };
                audit::note(tx, &actor, "invitation.accept", about)
            })
            .await?;
        // The file may come at once, or may have come.
        self.joins.awaited();
        Ok(())
    }

    /// Local files that might be of the person whom an invitation is about, each with the reason.
    ///
    /// # Errors
    /// [`CareError`].
    pub async fn candidates(
        &self,
        invitation: InvitationId,
    ) -> Result<
        (
            Option<PatientIdentity>,
            Vec<(CircleId, PatientIdentity, String)>,
        ),
        CareError,
    > {
        let (identity, continues) = self
            .ledger
            .run(move |tx| {
                let identity = tx.replica.invited_identity(tx.rows, &invitation)?;
                let continues = tx.replica.invited_to_continue(tx.rows, &invitation)?;
                Ok::<_, CareError>((identity, continues))
            })
            .await?;
        let Some(person) = identity else {
            return Ok((None, Vec::new()));
        };
        let mut found = Vec::new();
        if let Some(old) = continues {
            let local = read::identities(self.shared(), &old)?.into_iter().next();
            let why = "the invitation continues this circle".to_owned();
            found.extend(local.map(|local| (old, local, why)));
        }
        for circle in self.shared().circles() {
            if continues == Some(circle.id()) {
                continue;
            }
            for local in read::identities(self.shared(), &circle.id())? {
                if let Some(likeness) = Likeness::of(&person, &local) {
                    found.push((circle.id(), local, likeness.said().to_owned()));
                    break;
                }
            }
        }
        Ok((Some(person), found))
    }
}
