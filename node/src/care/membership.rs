//! Changing a person's circle from a page: the steward's structure makes the change, any other asks the steward for it.

use maillon_protocol::{
    content::AskedChange,
    ids::{CircleId, NodeId},
};

use super::{Actor, Care, CareError};

/// What became of a change.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Made {
    /// It is made.
    Done,
    /// The structure that is the steward was asked for it.
    Asked,
}

impl Care {
    /// Whether this structure is the steward of a circle.
    ///
    /// # Errors
    /// [`CareError::NoCircle`].
    pub fn is_steward(&self, circle: &CircleId) -> Result<bool, CareError> {
        let held = self.shared().circle(circle).ok_or(CareError::NoCircle)?;
        Ok(held.charter.state().steward == self.shared().own())
    }

    /// Makes a change of a circle, or asks its steward for it, with `why` in words.
    ///
    /// # Errors
    /// Those of the change, or of [`Care::ask`].
    pub async fn change_or_ask(
        &self,
        actor: &Actor,
        circle: CircleId,
        asked: AskedChange,
        why: String,
    ) -> Result<Made, CareError> {
        if !self.is_steward(&circle)? {
            self.ask(actor, circle, asked, why).await?;
            return Ok(Made::Asked);
        }
        match asked {
            AskedChange::Invite {
                node,
                reason,
                grant,
            } => {
                self.invite(actor, circle, node, reason, grant).await?;
            }
            AskedChange::Remove { node, reason } => {
                self.remove(actor, circle, node, reason).await?;
            }
            AskedChange::Rotate { reason } => self.rotate(actor, circle, reason).await?,
            AskedChange::Close { reason } => self.close(actor, circle, reason).await?,
            AskedChange::HandOver { to } => self.hand_over(actor, circle, to).await?,
        }
        // Whoever looks next sees it.
        self.refresh_file(&circle)?;
        Ok(Made::Done)
    }

    /// The structures that were invited into a circle and have not answered, for whoever may open the file.
    ///
    /// # Errors
    /// [`CareError::NotInTeam`].
    pub async fn invited_into(
        &self,
        actor: &Actor,
        circle: CircleId,
    ) -> Result<Vec<NodeId>, CareError> {
        self.may_open(actor, &circle)?;
        Ok(self
            .ledger
            .run(move |tx| {
                let open = tx.replica.open_invitations(tx.rows)?.sent;
                let here = open.into_iter().filter(|(_, sent)| sent.circle == circle);
                Ok::<_, CareError>(here.map(|(_, sent)| sent.to).collect())
            })
            .await?)
    }
}
