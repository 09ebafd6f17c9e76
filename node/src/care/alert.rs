//! Alerts and the answers to them.

use maillon_protocol::{
    content::{Alert, AlertAnswer, AlertStep, Content},
    ids::{CircleId, RecordId},
    replica::Written,
};

use super::{Actor, Care, CareError, fresh, note::check_text, read, write_one};

impl Care {
    /// Sends an alert.
    ///
    /// # Errors
    /// [`CareError`].
    pub async fn send_alert(
        &self,
        actor: &Actor,
        circle: CircleId,
        alert: Alert,
    ) -> Result<Written, CareError> {
        check_text(&alert.text)?;
        let draft = fresh(actor, Content::Alert(alert), None);
        let actor = actor.clone();
        Ok(self
            .ledger
            .run(move |tx| write_one(tx, &actor, circle, draft, "alert.send"))
            .await?)
    }

    /// Acknowledges, takes charge of or closes an alert.
    ///
    /// # Errors
    /// [`CareError::NoRecord`], [`CareError::NoAlert`] and those of writing.
    pub async fn answer_alert(
        &self,
        actor: &Actor,
        alert: RecordId,
        step: AlertStep,
        comment: String,
    ) -> Result<Written, CareError> {
        if comment.len() > 4096 {
            return Err(CareError::Text(
                "the comment is longer than 4,096 bytes: write a note",
            ));
        }
        let (circle, opened) =
            read::opened(self.shared(), &alert)?.ok_or_else(|| super::no_record(&alert))?;
        if !matches!(opened.content, Content::Alert(_)) {
            return Err(CareError::NoAlert);
        }
        let answer = Content::AlertAnswer(AlertAnswer { step, comment });
        let draft = fresh(actor, answer, Some(opened.envelope.thing));
        let actor = actor.clone();
        Ok(self
            .ledger
            .run(move |tx| write_one(tx, &actor, circle, draft, "alert.answer"))
            .await?)
    }
}
