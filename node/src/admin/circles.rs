//! Calls about circles, their members and the invitations into them.

use maillon_protocol::{
    admin::{Answer, Call, Candidates, CarriedOver, ErrorCode, Succession},
    ids::NodeId,
};

use super::{calls::misrouted, errors::Refusal};
use crate::{
    care::{Actor, DeclineReason},
    daemon::Node,
};

impl Node {
    pub(super) async fn circle_call(
        &self,
        actor: &Actor,
        call: Call,
        now_ms: u64,
    ) -> Result<Answer, Refusal> {
        let care = &self.care;
        Ok(match call {
            Call::CircleOpen { identity } => {
                let circle = care.open_circle(actor, identity).await?;
                Answer::Circle(care.show(&circle)?)
            }
            Call::CircleList { after, limit } => {
                let after = after.map(|after| self.circle_named(&after)).transpose()?;
                Answer::Circles(care.circles(after.as_ref(), limit as usize))
            }
            Call::CircleShow { circle, before } => {
                let before = before.map(|mark| mark.parse()).transpose()?;
                Answer::Circle(care.show_before(&self.circle_named(&circle)?, before)?)
            }
            Call::CircleInvite {
                circle,
                peer,
                reason,
                grant,
            } => {
                let circle = self.circle_named(&circle)?;
                let to = self.node_named(&peer)?;
                let id = care.invite(actor, circle, to, reason, grant).await?;
                let line = self.sent_invitation(id, now_ms).await?;
                Answer::Invitation(line.ok_or_else(|| {
                    Refusal::new(
                        ErrorCode::Internal,
                        "the invitation is not there",
                        "see `maillonctl circle invitations`",
                    )
                })?)
            }
            Call::InvitationList { all, after, limit } => {
                let lines = self.invitations(all, after, limit as usize, now_ms);
                Answer::Invitations(lines.await?)
            }
            Call::InvitationCandidates { invitation } => {
                let id = self.invitation_named(&invitation).await?;
                let (identity, candidates) = care.candidates(id).await?;
                Answer::Candidates(Candidates {
                    invitation: id,
                    identity,
                    candidates,
                })
            }
            Call::CircleAccept {
                invitation,
                same_as,
            } => {
                let id = self.invitation_named(&invitation).await?;
                let same_as = same_as
                    .map(|circle| self.circle_named(&circle))
                    .transpose()?;
                care.accept(actor, id, same_as).await?;
                Answer::Ok
            }
            Call::CircleDecline { invitation } => {
                let id = self.invitation_named(&invitation).await?;
                care.decline(actor, id, DeclineReason::Unsaid, "").await?;
                Answer::Ok
            }
            Call::CircleRemove {
                circle,
                member,
                reason,
            } => {
                let circle = self.circle_named(&circle)?;
                care.remove(actor, circle, self.node_named(&member)?, reason)
                    .await?;
                Answer::Ok
            }
            Call::CircleReplace { circle, member } => {
                let circle = self.circle_named(&circle)?;
                let node = self.node_named(&member)?;
                care.replace(actor, circle, node).await?;
                Answer::Ok
            }
            Call::CircleRotate { circle, reason } => {
                care.rotate(actor, self.circle_named(&circle)?, reason)
                    .await?;
                Answer::Ok
            }
            Call::CircleClose { circle, reason } => {
                care.close(actor, self.circle_named(&circle)?, reason)
                    .await?;
                Answer::Ok
            }
            Call::CircleReopen { circle, reason } => {
                care.reopen(actor, self.circle_named(&circle)?, reason)
                    .await?;
                Answer::Ok
            }
            Call::CircleCountLate { circle, member } => {
                let circle = self.circle_named(&circle)?;
                let node = self.node_named(&member)?;
                care.let_late_count(actor, circle, node).await?;
                Answer::Ok
            }
            Call::CircleLeave { circle } => {
                care.leave(actor, self.circle_named(&circle)?).await?;
                Answer::Ok
            }
            Call::CircleHandOver { circle, to } => {
                let circle = self.circle_named(&circle)?;
                care.hand_over(actor, circle, self.node_named(&to)?).await?;
                Answer::Ok
            }
            Call::CircleDeputies { circle, deputies } => {
                let circle = self.circle_named(&circle)?;
                let deputies = deputies.iter().map(|deputy| self.node_named(deputy));
                let deputies = deputies.collect::<Result<_, _>>()?;
                care.appoint(actor, circle, deputies).await?;
                Answer::Ok
            }
            Call::CircleConfirm { circle } => {
                let circle = circle
                    .map(|circle| self.circle_named(&circle))
                    .transpose()?;
                care.confirm(actor, circle).await?;
                Answer::Ok
            }
            Call::CircleFinish { circle } => {
                care.finish(actor, self.circle_named(&circle)?).await?;
                Answer::Ok
            }
            Call::CircleFinished => Answer::Finished(care.finished()?),
            Call::CircleContinue { circle, without } => {
                let circle = self.circle_named(&circle)?;
                let without = without.iter().map(|member| self.node_named(member));
                let without: Vec<_> = without.collect::<Result<_, _>>()?;
                let made = care.succeed(actor, circle, without).await?;
                let named = |nodes: &[NodeId]| {
                    let names = nodes.iter().map(|node| care.structure_of(node));
                    names.collect::<Vec<_>>()
                };
                Answer::Succession(Succession {
                    circle: made.circle,
                    asked: named(&made.asked),
                    not_asked: named(&made.not_asked),
                })
            }
            Call::CircleCarryOver { circle } => {
                let circle = self.circle_named(&circle)?;
                let (written, left) = care.carry_over(actor, circle).await?;
                Answer::CarriedOver(CarriedOver { written, left })
            }
            _ => return Err(misrouted()),
        })
    }
}
