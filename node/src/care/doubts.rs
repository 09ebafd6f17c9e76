//! Doubts about who somebody is (« doutes d’identité »): files here that might be of one person, which somebody looks at and decides.
//!
//! Whoever opens files sees them, whoever's team they are in: two files of one person are a danger to them (référentiel national d'identitovigilance). That they are two
//! people is kept with the reason for which they were alike; where a stronger reason comes, the doubt does too.

use std::sync::Arc;

use maillon_protocol::{cbor, ids::CircleId};

use super::{
    Actor, Care, CareError, Filed, Likeness, audit,
    index::{Apart, pair},
    team::OPENS,
};
use crate::{
    audit::About,
    store::{Range, Table},
};

/// What the keys of those begin with that were found to be two people.
const KEY: &[u8] = b"apart";
/// What is kept of them: which files, and for which reason they were alike.
type Decided = (CircleId, CircleId, u8);

/// Doubts that are shown at once.
const SHOWN: usize = 20;

/// Two files that might be of one person.
#[derive(Debug, Clone)]
pub struct Doubt {
    /// One of them.
    pub one: Arc<Filed>,
    /// The other.
    pub other: Arc<Filed>,
    /// What is alike.
    pub why: Likeness,
}

/// The doubts of a node.
#[derive(Debug, Clone, Default)]
pub struct Doubts {
    /// The strongest first, as many as are shown at once.
    pub doubts: Vec<Doubt>,
    /// How many there are.
    pub total: usize,
    /// Whether every file has been read since the start: before that there may be more.
    pub partial: bool,
}

impl Care {
    /// How many doubts somebody may decide; none before every file has been read.
    ///
    /// # Errors
    /// [`CareError`].
    pub fn doubts_count(&self, actor: &Actor) -> Result<usize, CareError> {
        if !self.may_open_files(actor)? {
            return Ok(0);
        }
        Ok(self.pairs().count().unwrap_or(0))
    }

    /// The doubts that somebody may decide; none where they may not open files.
    ///
    /// # Errors
    /// [`CareError`].
    pub fn doubts(&self, actor: &Actor) -> Result<Doubts, CareError> {
        if !self.may_open_files(actor)? {
            return Ok(Doubts::default());
        }
        let Some(total) = self.pairs().count() else {
            return Ok(Doubts {
                partial: true,
                ..Doubts::default()
            });
        };
        let mut doubts = Vec::new();
        for (why, (one, other)) in self.pairs().first(SHOWN) {
            if let (Some(one), Some(other)) = (self.filed(&one)?, self.filed(&other)?) {
                doubts.push(Doubt { one, other, why });
            }
        }
        Ok(Doubts {
            doubts,
            total,
            partial: false,
        })
    }

    /// These are two people: they are in no doubt any more.
    ///
    /// # Errors
    /// [`CareError::NotAllowed`], [`CareError::NoCircle`] where there is no such doubt, [`CareError::OnePerson`] where both have the same qualified INS.
    pub async fn keep_apart(
        &self,
        actor: &Actor,
        one: CircleId,
        other: CircleId,
    ) -> Result<(), CareError> {
        self.may_write(actor, &OPENS)?;
        let both = pair(&one, &other);
        let why = self.pairs().why(both).ok_or(CareError::NoCircle)?;
        if why == Likeness::SameQualifiedIns {
            return Err(CareError::OnePerson);
        }
        let row: Decided = (both.0, both.1, why as u8);
        let (key, row) = (self.apart_key(&both.0, &both.1), cbor::encode(&row));
        let actor = actor.clone();
        self.ledger
            .run(move |tx| {
                tx.put(Table::Access, key, row);
                for circle in [both.0, both.1] {
                    audit::note(tx, &actor, "identity.apart", About::circle(circle))?;
                }
                Ok::<_, CareError>(())
            })
            .await?;
        self.pairs().decide(both, why);
        Ok(())
    }

    /// What was decided, as it is kept. What cannot be read is as what was never written: somebody is asked once more.
    pub(super) fn kept_apart(&self) -> Result<Apart, CareError> {
        let store = &self.shared().rows().0;
        let mut apart = Apart::new();
        for row in store.scan(Table::Access, KEY, Range::all())? {
            if let Ok((one, other, why)) = cbor::decode::<Decided>(&row?.1) {
                apart.insert(pair(&one, &other), why);
            }
        }
        Ok(apart)
    }

    /// Forgets decisions about files that are here no more; answers their keys.
    pub(super) fn apart_left_behind(&self) -> Result<Vec<Vec<u8>>, CareError> {
        let store = &self.shared().rows().0;
        let here = |circle: &CircleId| self.shared().circle(circle).is_some();
        let mut left = Vec::new();
        for row in store.scan(Table::Access, KEY, Range::all())? {
            let (key, row) = row?;
            let about = cbor::decode::<Decided>(&row);
            if !about.is_ok_and(|(one, other, _)| here(&one) && here(&other)) {
                left.push(key.into_vec());
            }
        }
        self.pairs().forget(here);
        Ok(left)
    }

    fn apart_key(&self, one: &CircleId, other: &CircleId) -> Vec<u8> {
        let namer = self.shared().rows().0.namer();
        let name = namer.name("apart", &[&one.min(other).0, &one.max(other).0]);
        [KEY, &name[..]].concat()
    }
}
