//! The matrix of rights of this node: read by everybody, changed by whoever administers it, and asked by every command before it does anything.

use std::sync::{Arc, PoisonError, RwLock};

use maillon_protocol::cbor;

use super::{
    Actor, Care, CareError,
    rights::{Category, Level, Rights, Role, Row},
};
use crate::{
    audit::{self, ADMINISTRATOR, About, By, ITSELF, Object},
    store::Table,
};

/// Where the matrix is kept.
const RIGHTS: &[u8] = b"rights";

/// The newest matrix that was seen: it is asked with each act.
#[derive(Default)]
pub(super) struct InForce(RwLock<Option<Arc<Rights>>>);

impl InForce {
    fn get(&self) -> Option<Arc<Rights>> {
        // A poisoned lock leaves a value that is whole.
        let held = self.0.read().unwrap_or_else(PoisonError::into_inner);
        held.clone()
    }

    /// Tasks wake in any order: what was committed later stays.
    fn publish(&self, rights: Rights) -> Arc<Rights> {
        let mut held = self.0.write().unwrap_or_else(PoisonError::into_inner);
        match &*held {
            Some(newer) if newer.revision > rights.revision => Arc::clone(newer),
            _ => Arc::clone(held.insert(Arc::new(rights))),
        }
    }
}

fn read(row: Option<Vec<u8>>) -> Result<Rights, CareError> {
    let Some(row) = row else {
        return Ok(Rights::shipped());
    };
    cbor::decode(&row).map_err(|_| CareError::DamagedRights)
}

impl Care {
    /// The matrix in force.
    ///
    /// # Errors
    /// [`CareError::Store`]; [`CareError::DamagedRights`]: nobody may do anything then.
    pub fn rights(&self) -> Result<Arc<Rights>, CareError> {
        if let Some(rights) = self.in_force.get() {
            return Ok(rights);
        }
        let row = self.shared().rows().0.get(Table::Access, RIGHTS)?;
        Ok(self.in_force.publish(read(row)?))
    }

    /// Changes a role's rights, for what is done from now on. `seen` is the revision that the person saw.
    ///
    /// # Errors
    /// [`CareError::RightsChanged`] where somebody changed the matrix meanwhile.
    pub async fn set_rights(
        &self,
        by: By,
        role: Role,
        row: Row,
        seen: u64,
    ) -> Result<Arc<Rights>, CareError> {
        let changed = self
            .ledger
            .run(move |tx| {
                let before = read(tx.get(Table::Access, RIGHTS)?.map(|row| row.to_vec()))?;
                if before.revision != seen {
                    return Err(CareError::RightsChanged);
                }
                if before.row(role) == row {
                    // Nothing to say in the trail.
                    return Ok(before);
                }
                let after = before.with(role, row, tx.now_ms);
                tx.put(Table::Access, RIGHTS.to_vec(), cbor::encode(&after));
                let about = About::object(Object::Rights(role.name(), row.letters()));
                audit::note(tx, by, "rights.set", about)?;
                Ok(after)
            })
            .await?;
        Ok(self.in_force.publish(changed))
    }

    /// How far somebody's right goes in a category. The administrator at the socket, and the node itself, manage files and see nothing of what is in them.
    ///
    /// # Errors
    /// Those of [`rights`](Self::rights).
    pub fn level(&self, actor: &Actor, category: Category) -> Result<Level, CareError> {
        if [ADMINISTRATOR, ITSELF].contains(&actor.id) {
            return Ok(match category {
                Category::Administration => Level::Write,
                _ => Level::Nothing,
            });
        }
        let role = Role::of(&actor.professional);
        Ok(self.rights()?.row(role).level(category))
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
