//! Calls about a person's team.

use maillon_protocol::{
    admin::{Answer, Team, TeamCall, TeamLine},
    ids::CircleId,
};

use super::errors::Refusal;
use crate::{
    care::{Actor, CareError},
    daemon::Node,
};

impl Node {
    pub(super) async fn team_call(&self, actor: &Actor, call: TeamCall) -> Result<Answer, Refusal> {
        let circle = match call {
            TeamCall::Add {
                circle,
                professional,
            } => {
                let circle = self.circle_named(&circle)?;
                let whom = self.care.actor(&professional)?;
                self.care.add_to_team(actor, circle, &whom).await?;
                circle
            }
            TeamCall::List { circle } => self.circle_named(&circle)?,
        };
        Ok(self.team(actor, circle)?)
    }

    fn team(&self, actor: &Actor, circle: CircleId) -> Result<Answer, CareError> {
        let members = self.care.team_of(actor, &circle)?.into_iter();
        let line = |one: crate::care::TeamMember| TeamLine {
            participation: one.participation,
            lasts: one.lasts,
        };
        Ok(Answer::Team(Team {
            circle,
            members: members.map(line).collect(),
        }))
    }
}
