//! Changing a person's circle from a page: the steward's structure makes the change, any other asks the steward for it.

use maillon_protocol::{
    content::AskedChange,
    ids::{CircleId, NodeId},
    replica::OutgoingState,
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

/// A structure that was invited into a circle and has not answered.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Awaited {
    /// Which.
    pub node: NodeId,
    /// Until when it can accept, Unix milliseconds.
    pub until_ms: u64,
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

    /// The structures that were invited into a circle by this one, have not answered and still may, for whoever may open the file.
    ///
    /// # Errors
    /// [`CareError::NotInTeam`].
    pub async fn invited_into(
        &self,
        actor: &Actor,
        circle: CircleId,
    ) -> Result<Vec<Awaited>, CareError> {
        self.may_open(actor, &circle)?;
        Ok(self
            .ledger
            .run(move |tx| {
                let now_ms = tx.now_ms;
                let open = tx.replica.open_invitations(tx.rows)?.sent;
                let here = open.into_iter().filter(|(_, sent)| {
                    let waits = sent.state == OutgoingState::Waiting && sent.expires_ms > now_ms;
                    waits && sent.circle == circle
                });
                let awaited = here.map(|(_, sent)| Awaited {
                    node: sent.to,
                    until_ms: sent.expires_ms,
                });
                Ok::<_, CareError>(awaited.collect())
            })
            .await?)
    }
}
