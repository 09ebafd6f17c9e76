//! Calls about requests for changes of who is in a circle.

use maillon_protocol::{
    admin::{Answer, RequestCall, Wish},
    content::AskedChange,
};

use super::errors::Refusal;
use crate::{care::Actor, daemon::Node};

impl Node {
    pub(super) async fn request_call(
        &self,
        actor: &Actor,
        call: RequestCall,
    ) -> Result<Answer, Refusal> {
        let care = &self.care;
        Ok(match call {
            RequestCall::Ask { circle, wish, why } => {
                let circle = self.circle_named(&circle)?;
                let asked = self.wished(wish)?;
                self.written(circle, care.ask(actor, circle, asked, why).await?)
            }
            RequestCall::List { circle } => {
                let circle = circle
                    .map(|circle| self.circle_named(&circle))
                    .transpose()?;
                Answer::Requests(care.requests(circle.as_ref())?)
            }
            RequestCall::Grant { request } => {
                care.grant_request(actor, self.record_named(&request)?)
                    .await?;
                Answer::Ok
            }
            RequestCall::Refuse { request, why } => {
                care.refuse_request(actor, self.record_named(&request)?, why)
                    .await?;
                Answer::Ok
            }
            RequestCall::Withdraw { request } => {
                care.withdraw_request(actor, self.record_named(&request)?)
                    .await?;
                Answer::Ok
            }
        })
    }

    /// The same, with the nodes that were meant.
    fn wished(&self, wish: Wish) -> Result<AskedChange, Refusal> {
        Ok(match wish {
            Wish::Invite {
                peer,
                reason,
                grant,
            } => AskedChange::Invite {
                node: self.node_named(&peer)?,
                reason,
                grant,
            },
            Wish::Remove { member, reason } => AskedChange::Remove {
                node: self.node_named(&member)?,
                reason,
            },
            Wish::Rotate { reason } => AskedChange::Rotate { reason },
            Wish::Close { reason } => AskedChange::Close { reason },
            Wish::HandOver { to } => AskedChange::HandOver {
                to: self.node_named(&to)?,
            },
        })
    }
}
