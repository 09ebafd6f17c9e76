//! Those who are close to a person (aidants, personne de confiance, personnes à prévenir): noted by whoever writes what is social.
//!
//! They are no professionals: they open nothing here, and no search shows them. The profile of the circle of care asks for a role and for a way to reach them
//! (`cds-fr-related-person`), so both are asked for here.

use maillon_protocol::{
    content::{Code, Contact, Content, Participation, Party},
    ids::CircleId,
};

use super::{Kin, PhoneNumber, RelativeRole, since_today, team_thing};
use crate::{
    care::{Actor, Care, CareError, Category, fresh},
    signs,
};

/// Bytes of a name.
const NAME: usize = 200;

/// Somebody close to a person.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NewRelative {
    /// Their name, as people say it.
    pub name: String,
    /// How they are related; none where nobody has said.
    pub kin: Option<Kin>,
    /// What they are for: at least one.
    pub roles: Vec<RelativeRole>,
    /// How they are reached.
    pub phone: PhoneNumber,
}

impl Care {
    /// Notes somebody close to a person, from today on. Nothing is written where they are noted so already.
    ///
    /// # Errors
    /// [`CareError::NotInTeam`], [`CareError::NotAllowed`]; [`CareError::Text`] without a name or a role.
    pub async fn add_relative(
        &self,
        actor: &Actor,
        circle: CircleId,
        relative: NewRelative,
    ) -> Result<(), CareError> {
        self.may_write_in(actor, &circle, &[Category::Social])?;
        let name = relative
            .name
            .split_whitespace()
            .collect::<Vec<_>>()
            .join(" ");
        let is_odd = |sign: char| sign.is_control() || signs::is_invisible(sign);
        if name.is_empty() || name.len() > NAME || name.chars().any(is_odd) {
            return Err(CareError::Text(
                "a name has 1 to 200 characters that one sees",
            ));
        }
        let roles = RelativeRole::ALL.into_iter();
        let roles = roles.filter(|one| relative.roles.contains(one));
        let roles: Vec<Code> = roles.map(RelativeRole::code).collect();
        let first = roles.first().cloned();
        let first = first.ok_or(CareError::Text("somebody close has a role: say which"))?;
        // The profile has room for one role here; the term has all of them.
        let kin = relative.kin.map(Kin::code);
        let party = Party::RelatedPerson {
            name,
            relationship: std::iter::once(first).chain(kin).collect(),
            contacts: vec![Contact::Phone(relative.phone.as_str().to_owned())],
            identifiers: Vec::new(),
        };
        let _one = self.once.lock().await;
        let noted = self.team_in(&circle)?;
        let same = |term: &Participation| term.party == party && term.roles == roles;
        if noted
            .iter()
            .any(|one| one.lasts && same(&one.participation))
        {
            return Ok(());
        }
        let term = Content::Participation(Participation {
            party,
            roles,
            period: since_today(),
            referent: false,
        });
        let draft = fresh(actor, term, team_thing(self.shared(), &circle)?);
        self.write_terms(actor, circle, vec![(draft, "team.relative")])
            .await
    }
}
