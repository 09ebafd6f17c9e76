//! The files that somebody looks for first (« favoris »): their own choice, which nobody else sees. It gives no right: a file that they do not follow any more is in
//! no list of theirs, whatever they once chose.

use std::collections::BTreeSet;

use maillon_protocol::{cbor, ids::CircleId};

use super::{
    Actor, Care, CareError,
    own::{AboutFile, Own},
};
use crate::store::{Range, Table};

/// Of one person at most: more are no favourites.
pub const FAVOURITES: usize = 200;

impl Care {
    /// The circles of the files that somebody has chosen, whether they follow them or not.
    ///
    /// # Errors
    /// [`CareError::Store`].
    pub fn favourites(&self, actor: &Actor) -> Result<BTreeSet<CircleId>, CareError> {
        let store = &self.shared().rows().0;
        let begins = self.own_of(Own::Favourite, actor);
        let mut chosen = BTreeSet::new();
        for row in store.scan(Table::Access, &begins, Range::all())? {
            let (_, row) = row?;
            // One that cannot be read is as one that was not chosen.
            if let Ok((circle, _)) = cbor::decode::<AboutFile>(&row) {
                chosen.insert(circle);
            }
        }
        Ok(chosen)
    }

    /// Whether somebody has chosen a file.
    pub(super) fn is_favourite(&self, actor: &Actor, circle: &CircleId) -> Result<bool, CareError> {
        let key = self.own_key(Own::Favourite, actor, circle, b"");
        Ok(self.shared().rows().0.get(Table::Access, &key)?.is_some())
    }

    /// Chooses a file, or no more.
    ///
    /// # Errors
    /// [`CareError::NotInTeam`], [`CareError::TooManyFavourites`] where somebody has chosen as many as there may be.
    pub async fn choose(
        &self,
        actor: &Actor,
        circle: CircleId,
        chosen: bool,
    ) -> Result<(), CareError> {
        self.in_team(actor, &circle)?;
        let held = self.favourites(actor)?;
        if held.contains(&circle) == chosen {
            return Ok(());
        }
        if chosen && held.len() >= FAVOURITES {
            return Err(CareError::TooManyFavourites);
        }
        let key = self.own_key(Own::Favourite, actor, &circle, b"");
        Ok(self
            .ledger
            .run(move |tx| {
                if chosen {
                    let row: AboutFile = (circle, Vec::new());
                    tx.put(Table::Access, key, cbor::encode(&row));
                } else {
                    tx.delete(Table::Access, key);
                }
                Ok::<_, CareError>(())
            })
            .await?)
    }
}
