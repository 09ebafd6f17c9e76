//! Who is around a person, as the first page of their file names them: with the numbers at which they are reached.

use maillon_protocol::content::{Contact, Participation, Party};

use super::team::Line;
use crate::care::{RelativeRole, TeamMember};

/// Somebody around the person.
pub(super) struct Near {
    pub(super) line: Line,
    /// Numbers, as they were written.
    pub(super) phones: Vec<String>,
    /// Whether they are the one to call (personne à prévenir).
    pub(super) first: bool,
}

impl Near {
    pub(super) fn of(member: &TeamMember) -> Self {
        let contacts = match &member.participation.party {
            Party::Professional(_) => &[][..],
            Party::Organisation(_, contacts) | Party::RelatedPerson { contacts, .. } => contacts,
        };
        let number = |contact: &Contact| match contact {
            Contact::Phone(number) => Some(number.clone()),
            _ => None,
        };
        Self {
            line: Line::of(member),
            phones: contacts.iter().filter_map(number).collect(),
            first: is_to_call(&member.participation),
        }
    }
}

/// Whether it is somebody to call (« personne à prévenir »): noted as what they are in the team, or, as other software does, as what they are to the person.
fn is_to_call(part: &Participation) -> bool {
    let kin = match &part.party {
        Party::RelatedPerson { relationship, .. } => &relationship[..],
        Party::Professional(_) | Party::Organisation(..) => &[],
    };
    let emergency = RelativeRole::Emergency.code().code;
    let mut all = part.roles.iter().chain(kin);
    all.any(|role| role.code == emergency)
}

#[cfg(test)]
mod tests {
    use maillon_protocol::content::{Code, CodeSystem, Period};

    use super::*;

    fn relative(relationship: Vec<Code>, roles: Vec<Code>) -> Participation {
        Participation {
            party: Party::RelatedPerson {
                name: "Gwenola Abautret".to_owned(),
                relationship,
                contacts: Vec::new(),
                identifiers: Vec::new(),
            },
            roles,
            period: Period {
                start: None,
                end: None,
            },
            referent: false,
        }
    }

    #[test]
    fn whoever_is_to_be_called_is_found_wherever_it_was_noted() {
        let emergency = || vec![RelativeRole::Emergency.code()];
        let daughter = || {
            vec![Code {
                system: CodeSystem::RoleClass,
                code: "DAUC".to_owned(),
                label: "Fille".to_owned(),
            }]
        };
        assert!(is_to_call(&relative(daughter(), emergency())));
        assert!(is_to_call(&relative(emergency(), Vec::new())));
        assert!(!is_to_call(&relative(daughter(), Vec::new())));
    }
}
