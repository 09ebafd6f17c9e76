//! Calls about erasures.

use maillon_protocol::admin::{Answer, ErasureCall};

use super::errors::Refusal;
use crate::{
    care::{Actor, CareError},
    daemon::Node,
};

impl Node {
    pub(super) async fn erasure_call(
        &self,
        actor: &Actor,
        call: ErasureCall,
    ) -> Result<Answer, Refusal> {
        let care = &self.care;
        Ok(match call {
            ErasureCall::Ask { record, reason } => {
                let record = self.record_named(&record)?;
                let asked = care.ask_erasure(actor, record, reason).await?;
                let circle = care.erasures_of(&record)?.first().map(|line| line.circle);
                self.written(circle.ok_or(CareError::NoRecord)?, asked)
            }
            ErasureCall::List { circle } => {
                let circle = circle
                    .map(|circle| self.circle_named(&circle))
                    .transpose()?;
                Answer::Erasures(care.erasures(circle.as_ref())?)
            }
            ErasureCall::Show { record } => {
                Answer::Erasures(care.erasures_of(&self.record_named(&record)?)?)
            }
            ErasureCall::CarryOut { erasure } => {
                care.erase(actor, self.record_named(&erasure)?).await?;
                Answer::Ok
            }
            ErasureCall::Refuse { erasure } => {
                care.refuse_erasure(actor, self.record_named(&erasure)?)
                    .await?;
                Answer::Ok
            }
        })
    }
}
