//! Who is around a person, as the first page of their file names them: with the numbers at which they are reached.

use maillon_protocol::content::{Contact, Party};

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
            first: member
                .participation
                .roles
                .iter()
                .any(|role| role.code == RelativeRole::Emergency.code().code),
        }
    }
}
