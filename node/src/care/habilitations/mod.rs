//! The habilitations of this node: read by everybody, changed by whoever administers it, and asked by the commands of professionals before they do anything.
//!
//! - `matrix` the rule: professions, categories, levels, and what a node is shipped with

mod matrix;

pub use matrix::{Category, Habilitation, Habilitations, Level, Role};

use std::sync::{Arc, PoisonError, RwLock};

use maillon_protocol::{cbor, ids::CircleId};

use super::{Actor, Care, CareError, people::Seat};
use crate::{
    audit::{self, ADMINISTRATOR, About, By, ITSELF, Object},
    store::Table,
};

/// Where the matrix is kept.
const KEY: &[u8] = b"habilitations";

/// The newest matrix that was seen: it is asked with each act.
#[derive(Default)]
pub(super) struct InForce(RwLock<Option<Arc<Habilitations>>>);

impl InForce {
    fn get(&self) -> Option<Arc<Habilitations>> {
        // A poisoned lock leaves a value that is whole.
        let held = self.0.read().unwrap_or_else(PoisonError::into_inner);
        held.clone()
    }

    /// Tasks wake in any order: what was committed later stays.
    fn publish(&self, seen: Habilitations) -> Arc<Habilitations> {
        let mut held = self.0.write().unwrap_or_else(PoisonError::into_inner);
        match &*held {
            Some(newer) if newer.revision > seen.revision => Arc::clone(newer),
            _ => Arc::clone(held.insert(Arc::new(seen))),
        }
    }
}

fn read(row: Option<Vec<u8>>) -> Result<Habilitations, CareError> {
    let Some(row) = row else {
        return Ok(Habilitations::shipped());
    };
    cbor::decode(&row).map_err(|_| CareError::DamagedHabilitations)
}

impl Care {
    /// The matrix in force.
    ///
    /// # Errors
    /// [`CareError::Store`]; [`CareError::DamagedHabilitations`]: no professional may do anything then.
    pub fn habilitations(&self) -> Result<Arc<Habilitations>, CareError> {
        match self.in_force.get() {
            Some(held) => Ok(held),
            None => Ok(self.in_force.publish(self.kept_habilitations()?)),
        }
    }

    /// The same, as the database has it.
    pub(crate) fn kept_habilitations(&self) -> Result<Habilitations, CareError> {
        read(self.shared().rows().0.get(Table::Access, KEY)?)
    }

    /// Changes a role's rights, for what is done from now on. `seen` is the revision that the person saw.
    ///
    /// # Errors
    /// [`CareError::HabilitationsChanged`] where somebody changed the matrix meanwhile.
    pub async fn set_habilitation(
        &self,
        by: By,
        role: Role,
        row: Habilitation,
        seen: u64,
    ) -> Result<Arc<Habilitations>, CareError> {
        let changed = self
            .ledger
            .run(move |tx| {
                let before = read(tx.get(Table::Access, KEY)?.map(|row| row.to_vec()))?;
                if before.revision != seen {
                    return Err(CareError::HabilitationsChanged);
                }
                if before.row(role) == row {
                    // Nothing to say in the trail.
                    return Ok(before);
                }
                let after = before.with(role, row, tx.now_ms);
                tx.put(Table::Access, KEY.to_vec(), cbor::encode(&after));
                let about = About::object(Object::Habilitation(role.name(), row.letters()));
                audit::note(tx, by, "habilitation.set", about)?;
                Ok(after)
            })
            .await?;
        Ok(self.in_force.publish(changed))
    }

    /// How far somebody's right goes in a category. The administrator at the socket, and the node itself, manage files and see nothing of what is in them.
    ///
    /// # Errors
    /// Those of [`habilitations`](Self::habilitations).
    pub fn level(&self, actor: &Actor, category: Category) -> Result<Level, CareError> {
        if [ADMINISTRATOR, ITSELF].contains(&actor.id) {
            return Ok(match category {
                Category::Administration => Level::Write,
                _ => Level::Nothing,
            });
        }
        let role = Role::of(&actor.professional);
        Ok(self.habilitations()?.row(role).level(category))
    }

    /// Goes on where somebody may open this person's file, and write in it in each of these categories. A broken glass lets them tell the team, and no more.
    pub(super) fn may_write_in(
        &self,
        actor: &Actor,
        circle: &CircleId,
        categories: &[Category],
    ) -> Result<(), CareError> {
        match categories {
            [Category::Messages] => self.may_open(actor, circle)?,
            _ => self.in_team(actor, circle)?,
        }
        self.may_write(actor, categories)
    }

    /// Goes on where somebody may open this person's file: on a page, whoever is in the team or has broken the glass.
    pub(super) fn may_open(&self, actor: &Actor, circle: &CircleId) -> Result<(), CareError> {
        match self.in_team(actor, circle) {
            Err(CareError::NotInTeam) if self.glass(actor, circle)?.is_some() => Ok(()),
            answer => answer,
        }
    }

    /// Goes on where somebody may change a person's file: on a page, whoever is in the team.
    pub(super) fn in_team(&self, actor: &Actor, circle: &CircleId) -> Result<(), CareError> {
        match actor.seat {
            Seat::Socket => Ok(()),
            Seat::Page if self.follows(actor, circle)? => Ok(()),
            Seat::Page => Err(CareError::NotInTeam),
        }
    }

    /// Goes on where somebody may read what is of this category.
    pub(super) fn may_read(&self, actor: &Actor, category: Category) -> Result<(), CareError> {
        if self.level(actor, category)? < Level::Read {
            return Err(CareError::NotReadable(category));
        }
        Ok(())
    }

    /// Goes on where somebody may write in each of these categories.
    pub(super) fn may_write(
        &self,
        actor: &Actor,
        categories: &[Category],
    ) -> Result<(), CareError> {
        for category in categories {
            if self.level(actor, *category)? < Level::Write {
                return Err(CareError::NotAllowed(*category));
            }
        }
        Ok(())
    }
}
