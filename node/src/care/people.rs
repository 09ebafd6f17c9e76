//! The professionals of this structure, who act at this node.

use std::{
    collections::HashMap,
    sync::{PoisonError, RwLock},
};

use maillon_protocol::{
    cbor,
    content::{Code, CodeSystem, Identifier, IdentifierSystem, Professional},
    ids::ThingId,
};

use super::{Care, CareError};
use crate::{
    audit::{self, ADMINISTRATOR, About, By, ITSELF, Object, own_user},
    random, shortened,
    store::{Range, Table},
};

/// Where somebody acts from.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Seat {
    /// The administrator's socket, whose user may name any professional, or this program itself: any file.
    Socket,
    /// A page, signed in: the files of those in whose team they are.
    Page,
}

/// Who acts: a professional of this structure.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Actor {
    /// Their id at this node.
    pub id: ThingId,
    /// As records name them.
    pub professional: Professional,
    /// The number of the local user whose process asks, for the audit trail; the daemon's own where nobody else does.
    pub user: u32,
    /// Where they act from.
    pub seat: Seat,
    /// Whether somebody asks themselves, and not a page that was left open and loads itself again.
    pub present: bool,
}

impl Actor {
    /// The administrator at the socket, for acts that need no professional: no identity of a person.
    pub fn administrator() -> Self {
        Self {
            user: own_user(),
            seat: Seat::Socket,
            present: true,
            id: ADMINISTRATOR,
            professional: Professional {
                name: "administrator".to_owned(),
                identifiers: Vec::new(),
                profession: None,
                structure: maillon_protocol::content::Structure {
                    name: String::new(),
                    identifiers: Vec::new(),
                },
            },
        }
    }
}

impl Actor {
    /// The node itself, for what its configuration lets it do.
    pub(crate) fn itself() -> Self {
        let mut actor = Self::administrator();
        actor.id = ITSELF;
        "node".clone_into(&mut actor.professional.name);
        actor
    }
}

impl Actor {
    /// The same, asked for by a process of this local user.
    #[must_use]
    pub fn asked_by(mut self, user: u32) -> Self {
        self.user = user;
        self
    }

    /// The same, signed in on a page.
    #[must_use]
    pub const fn at_page(mut self) -> Self {
        self.seat = Seat::Page;
        self
    }

    /// The same, where it is a page that loads itself again.
    #[must_use]
    pub const fn away(mut self) -> Self {
        self.present = false;
        self
    }

    /// Who stands in the audit trail.
    pub const fn by(&self) -> By {
        By {
            actor: self.id,
            user: self.user,
        }
    }
}

/// Luhn's check, as RPPS numbers satisfy it (`ehealth.md`, section 2).
fn luhn(digits: &str) -> bool {
    let sum: u32 = digits
        .bytes()
        .rev()
        .enumerate()
        .map(|(place, digit)| {
            let value = u32::from(digit - b'0') * if place % 2 == 1 { 2 } else { 1 };
            value / 10 + value % 10
        })
        .sum();
    sum.is_multiple_of(10)
}

/// Labels of the professions that most professionals here have (TRE_G15 and TRE_R94; `ehealth.md`, section 2).
const PROFESSIONS: &[(&str, CodeSystem, &str)] = &[
    ("10", CodeSystem::ProfessionSante, "Médecin"),
    ("21", CodeSystem::ProfessionSante, "Pharmacien"),
    ("35", CodeSystem::ProfessionSante, "Aide-soignant"),
    ("40", CodeSystem::ProfessionSante, "Chirurgien-dentiste"),
    ("50", CodeSystem::ProfessionSante, "Sage-femme"),
    ("60", CodeSystem::ProfessionSante, "Infirmier"),
    (
        "70",
        CodeSystem::ProfessionSante,
        "Masseur-kinésithérapeute",
    ),
    ("91", CodeSystem::ProfessionSante, "Orthophoniste"),
    ("94", CodeSystem::ProfessionSante, "Ergothérapeute"),
    (
        "41",
        CodeSystem::ProfessionSocial,
        "Assistant de service social",
    ),
    (
        "42",
        CodeSystem::ProfessionSocial,
        "Auxiliaire de vie sociale",
    ),
    ("51", CodeSystem::ProfessionSocial, "Éducateur spécialisé"),
    (
        "330",
        CodeSystem::RolePriseCharge,
        "Coordonnateur de parcours",
    ),
    ("350", CodeSystem::RolePriseCharge, "Aide à domicile"),
];

/// Professionals who have acted since the start: looked up with each request, and a row that was added never changes.
#[derive(Default)]
pub(super) struct Known(RwLock<HashMap<ThingId, Actor>>);

impl Care {
    /// Adds a professional of this structure.
    ///
    /// # Errors
    /// [`CareError::Professional`] where a value is not well formed.
    pub async fn add_professional(
        &self,
        by: By,
        name: &str,
        rpps: Option<&str>,
        profession: Option<&str>,
    ) -> Result<Actor, CareError> {
        let name = name.trim();
        if name.is_empty() || name.len() > 200 || name.chars().any(char::is_control) {
            return Err(CareError::Professional("a name has 1 to 200 characters"));
        }
        let mut identifiers = Vec::new();
        if let Some(rpps) = rpps {
            if rpps.len() != 11 || !rpps.bytes().all(|byte| byte.is_ascii_digit()) || !luhn(rpps) {
                return Err(CareError::Professional(
                    "an RPPS number has eleven digits, the last of which is a control digit: check it on the card",
                ));
            }
            identifiers.push(Identifier {
                system: IdentifierSystem::Rpps,
                value: rpps.to_owned(),
            });
        }
        let profession = match profession {
            None => None,
            Some(code) => Some(
                PROFESSIONS
                    .iter()
                    .find(|(known, ..)| *known == code)
                    .map(|(code, system, label)| Code {
                        system: system.clone(),
                        code: (*code).to_owned(),
                        label: (*label).to_owned(),
                    })
                    .ok_or(CareError::Professional(
                        "unknown profession code: use a TRE_G15, TRE_R94 or TRE_R85 code such as 60 for a nurse",
                    ))?,
            ),
        };
        let actor = Actor {
            user: by.user,
            seat: Seat::Socket,
            present: true,
            id: ThingId(random::token()),
            professional: Professional {
                name: name.to_owned(),
                identifiers,
                profession,
                structure: self.structure.clone(),
            },
        };
        let row = cbor::encode(&(actor.id, actor.professional.clone()));
        let (id, key) = (actor.id, self.person_key(&actor.id));
        self.ledger
            .run(move |tx| {
                tx.put(Table::People, key, row);
                let about = About::object(Object::Professional(id));
                audit::note(tx, by, "professional.add", about)?;
                Ok::<(), CareError>(())
            })
            .await?;
        Ok(actor)
    }

    /// The professionals of this structure, by name.
    ///
    /// # Errors
    /// [`CareError::Store`].
    pub fn professionals(&self) -> Result<Vec<Actor>, CareError> {
        let mut all = Vec::new();
        for row in self
            .shared()
            .rows()
            .0
            .scan(Table::People, b"", Range::all())?
        {
            let (_, bytes) = row?;
            all.push(read_person(&bytes)?);
        }
        all.sort_by(|a, b| (&a.professional.name, a.id).cmp(&(&b.professional.name, b.id)));
        Ok(all)
    }

    /// The professional whose id begins with `text`.
    ///
    /// # Errors
    /// [`CareError::WhichProfessional`] where there is none or more than one, or where too few digits were typed.
    pub fn actor(&self, text: &str) -> Result<Actor, CareError> {
        // Programs give whole ids.
        if let Ok(id) = text.parse::<ThingId>()
            && let Some(actor) = self.actor_of(id)?
        {
            return Ok(actor);
        }
        let all = self.professionals()?;
        Ok(shortened::one(text, "professional", all, |actor| {
            actor.id.to_string()
        })?)
    }

    /// The professional of an id; none where there is no such.
    ///
    /// # Errors
    /// [`CareError::Store`], [`CareError::DamagedProfessional`].
    pub fn actor_of(&self, id: ThingId) -> Result<Option<Actor>, CareError> {
        // A poisoned lock leaves a map that is whole.
        let known = self.known.0.read().unwrap_or_else(PoisonError::into_inner);
        if let Some(actor) = known.get(&id) {
            return Ok(Some(actor.clone()));
        }
        drop(known);
        let store = &self.shared().rows().0;
        let Some(row) = store.get(Table::People, &self.person_key(&id))? else {
            return Ok(None);
        };
        let actor = read_person(&row)?;
        let mut known = self.known.0.write().unwrap_or_else(PoisonError::into_inner);
        known.insert(id, actor.clone());
        Ok(Some(actor))
    }

    fn person_key(&self, id: &ThingId) -> Vec<u8> {
        let namer = self.shared().rows().0.namer();
        namer.name("person", &[&id.0]).to_vec()
    }
}

fn read_person(row: &[u8]) -> Result<Actor, CareError> {
    let (id, professional) = minicbor::decode(row).map_err(|_| CareError::DamagedProfessional)?;
    Ok(Actor {
        id,
        professional,
        user: own_user(),
        seat: Seat::Socket,
        present: true,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_rpps_number_with_a_wrong_last_digit_is_seen() {
        assert!(luhn("79927398713"));
        assert!(!luhn("79927398714"));
    }
}
