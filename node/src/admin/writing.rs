//! What people write into a file: consent, alerts and answers, notes; and the alerts that wait for an answer.

use maillon_protocol::{
    admin::{Answer, Call, Written as WrittenAnswer},
    content::{Alert, Consent},
    ids::CircleId,
    replica::Written,
};

use super::{calls::misrouted, errors::Refusal};
use crate::{
    care::{Actor, AlertsWanted, NewNote},
    daemon::Node,
};

impl Node {
    /// What was written, with what its author should know of who reads it.
    pub(super) fn written(&self, circle: CircleId, written: Written) -> Answer {
        // It stands, whatever becomes of this look.
        let against = self.care.against_sharing(&circle).unwrap_or_default();
        Answer::Written(WrittenAnswer {
            circle,
            record: written.record,
            thing: written.thing,
            against,
        })
    }

    pub(super) async fn writing_call(
        &self,
        actor: &Actor,
        call: Call,
        now_ms: u64,
    ) -> Result<Answer, Refusal> {
        let care = &self.care;
        Ok(match call {
            Call::ConsentRecord {
                circle,
                kind,
                decision,
                answered_by,
                how,
            } => {
                let circle = self.circle_named(&circle)?;
                let consent = Consent {
                    kind,
                    decision,
                    answered_by,
                    how,
                };
                self.written(circle, care.record_consent(actor, circle, consent).await?)
            }

            Call::AlertSend {
                circle,
                severity,
                text,
                to,
                within_s,
            } => {
                let circle = self.circle_named(&circle)?;
                let addressees = to
                    .iter()
                    .map(|to| self.node_named(to))
                    .collect::<Result<Vec<_>, _>>()?;
                let answer_by_ms = if within_s == 0 {
                    0
                } else {
                    now_ms.saturating_add(within_s.saturating_mul(1000))
                };
                let alert = Alert {
                    severity,
                    text,
                    addressees,
                    answer_by_ms,
                };
                self.written(circle, care.send_alert(actor, circle, alert).await?)
            }
            Call::AlertList {
                circle,
                open,
                after,
                limit,
            } => {
                let wanted = AlertsWanted {
                    circles: circle
                        .map(|circle| Ok::<_, Refusal>(vec![self.circle_named(&circle)?]))
                        .transpose()?,
                    open,
                    after: after.map(|mark| mark.parse()).transpose()?,
                    limit: limit as usize,
                };
                Answer::Alerts(care.alerts(&wanted, now_ms)?)
            }
            Call::AlertAnswer {
                alert,
                step,
                comment,
            } => {
                let alert = self.record_named(&alert)?;
                let answer = care.answer_alert(actor, alert, step, comment).await?;
                let circle = care
                    .view(&answer.record)?
                    .map_or(CircleId([0; 32]), |view| view.circle);
                self.written(circle, answer)
            }
            Call::NoteAdd {
                circle,
                note,
                text,
                emergency,
            } => {
                let circle = self.circle_named(&circle)?;
                self.written(
                    circle,
                    care.add_note(
                        actor,
                        circle,
                        NewNote {
                            kind: note,
                            text,
                            emergency,
                            answers: None,
                        },
                    )
                    .await?,
                )
            }
            _ => return Err(misrouted()),
        })
    }
}
