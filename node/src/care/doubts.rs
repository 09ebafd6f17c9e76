//! Doubts about who somebody is (« doutes d’identité »): files here that might be of one person, which somebody looks at and decides.
//!
//! Whoever opens files sees them, whoever's team they are in: two files of one person are a danger to them (référentiel national d'identitovigilance). That they are two
//! people is kept with the reason for which they were alike; where a stronger reason comes, the doubt does too.

use std::sync::Arc;

use maillon_protocol::{cbor, ids::CircleId};

use super::{Actor, Care, CareError, Filed, Likeness, audit, team::OPENS};
use crate::{
    audit::About,
    store::{Range, Table},
};

/// What the keys of those begin with that were found to be two people.
const KEY: &[u8] = b"apart";
/// What is kept of them: which files, and for which reason they were alike.
type Apart = (CircleId, CircleId, u8);

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
    /// The doubts that somebody may decide; none where they may not open files.
    ///
    /// # Errors
    /// [`CareError`].
    pub fn doubts(&self, actor: &Actor) -> Result<Doubts, CareError> {
        if !self.may_open_files(actor)? {
            return Ok(Doubts::default());
        }
        let Some(pairs) = self.alike_pairs() else {
            return Ok(Doubts {
                partial: true,
                ..Doubts::default()
            });
        };
        let mut doubts = Vec::new();
        for ((one, other), why) in pairs {
            if self.are_apart(&one, &other, why)? {
                continue;
            }
            if let (Some(one), Some(other)) = (self.filed(&one)?, self.filed(&other)?) {
                doubts.push(Doubt { one, other, why });
            }
        }
        doubts.sort_by_key(|doubt| (doubt.why, doubt.one.circle, doubt.other.circle));
        let total = doubts.len();
        doubts.truncate(SHOWN);
        Ok(Doubts {
            doubts,
            total,
            partial: false,
        })
    }

    /// Whether somebody has found that they are two, with no stronger reason since.
    fn are_apart(
        &self,
        one: &CircleId,
        other: &CircleId,
        why: Likeness,
    ) -> Result<bool, CareError> {
        let row = self
            .shared()
            .rows()
            .0
            .get(Table::Access, &self.apart_key(one, other))?;
        // One that cannot be read is as one that was never written: somebody is asked once more.
        let known = row.and_then(|row| cbor::decode::<Apart>(&row).ok());
        Ok(known.is_some_and(|(.., known)| why as u8 >= known))
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
        let pairs = self.alike_pairs().unwrap_or_default();
        let (one, other) = (one.min(other), one.max(other));
        let why = pairs.get(&(one, other)).ok_or(CareError::NoCircle)?;
        if *why == Likeness::SameQualifiedIns {
            return Err(CareError::OnePerson);
        }
        let row: Apart = (one, other, *why as u8);
        let (key, row) = (self.apart_key(&one, &other), cbor::encode(&row));
        let actor = actor.clone();
        Ok(self
            .ledger
            .run(move |tx| {
                tx.put(Table::Access, key, row);
                for circle in [one, other] {
                    audit::note(tx, &actor, "identity.apart", About::circle(circle))?;
                }
                Ok::<_, CareError>(())
            })
            .await?)
    }

    /// The keys of decisions about files that are here no more.
    pub(super) fn apart_left_behind(&self) -> Result<Vec<Vec<u8>>, CareError> {
        let store = &self.shared().rows().0;
        let here = |circle: &CircleId| self.shared().circle(circle).is_some();
        let mut left = Vec::new();
        for row in store.scan(Table::Access, KEY, Range::all())? {
            let (key, row) = row?;
            let about = cbor::decode::<Apart>(&row);
            if !about.is_ok_and(|(one, other, _)| here(&one) && here(&other)) {
                left.push(key.into_vec());
            }
        }
        Ok(left)
    }

    fn apart_key(&self, one: &CircleId, other: &CircleId) -> Vec<u8> {
        let namer = self.shared().rows().0.namer();
        let name = namer.name("apart", &[&one.min(other).0, &one.max(other).0]);
        [KEY, &name[..]].concat()
    }
}
