//! Text that somebody is writing and has not sent (« brouillon »): kept sealed on this node, so that a lost network, a closed tab or a locked session loses nothing
//! of it. It is nobody's but its writer's, in no file, and goes to no other node.

use std::collections::BTreeMap;

use maillon_protocol::{
    cbor,
    ids::{CircleId, ThingId},
};
use minicbor::{Decode, Encode};

use super::{Actor, Care, CareError, own::Own};
use crate::{
    clock::now_ms,
    store::{Range, Table},
};

/// For how long it is kept after it was last written, milliseconds: thirty days.
pub const UNSENT_MS: u64 = 30 * 24 * 3_600_000;
/// Bytes of one, all fields together.
const BYTES: usize = 128 << 10;
/// Of one person at one time; the oldest gives way.
const AT_ONCE: usize = 50;

/// The form that somebody is filling in.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Form {
    /// A note, or the answer to one.
    Note(Option<ThingId>),
    /// An alert.
    Alert,
}

impl Form {
    /// As keys name it.
    fn part(self) -> Vec<u8> {
        match self {
            Self::Note(None) => b"note".to_vec(),
            Self::Note(Some(answers)) => [b"note", &answers.0[..]].concat(),
            Self::Alert => b"alert".to_vec(),
        }
    }
}

/// What was written, by the fields of the form.
#[derive(Debug, Clone, PartialEq, Eq, Encode, Decode)]
pub struct Unsent {
    /// The values by name.
    #[n(0)]
    pub fields: BTreeMap<String, String>,
    /// When it was last written, Unix milliseconds.
    #[n(1)]
    pub written_ms: u64,
}

impl Care {
    fn unsent_key(&self, actor: &Actor, circle: &CircleId, form: Form) -> Vec<u8> {
        self.own_key(Own::Unsent, actor, circle, &form.part())
    }

    /// What somebody has written in this form and not sent; none where there is nothing, or it is too old.
    ///
    /// # Errors
    /// [`CareError::NotInTeam`].
    pub fn unsent(
        &self,
        actor: &Actor,
        circle: &CircleId,
        form: Form,
    ) -> Result<Option<Unsent>, CareError> {
        self.may_open(actor, circle)?;
        let key = self.unsent_key(actor, circle, form);
        let row = self.shared().rows().0.get(Table::Access, &key)?;
        // One that cannot be read is as one that is lost; nobody's writing stops for it.
        let unsent: Option<Unsent> = row.and_then(|row| cbor::decode(&row).ok());
        Ok(unsent.filter(|one| now_ms() < one.written_ms.saturating_add(UNSENT_MS)))
    }

    /// Keeps what somebody is writing; with nothing in it, or nothing but spaces, it is dropped. Nothing of it stands in the trail: it is in no file.
    ///
    /// # Errors
    /// [`CareError::NotInTeam`], [`CareError::Text`] where it is longer than anything that could be sent.
    pub async fn keep_unsent(
        &self,
        actor: &Actor,
        circle: CircleId,
        form: Form,
        fields: BTreeMap<String, String>,
    ) -> Result<(), CareError> {
        self.may_open(actor, &circle)?;
        let bytes: usize = fields
            .iter()
            .map(|(name, value)| name.len() + value.len())
            .sum();
        if bytes > BYTES {
            return Err(CareError::Text(
                "this text is longer than anything that can be sent: cut it in two",
            ));
        }
        let key = self.unsent_key(actor, &circle, form);
        if fields
            .get("texte")
            .is_none_or(|text| text.trim().is_empty())
        {
            return self.drop_key(key).await;
        }
        let oldest = self.gives_way(actor, &key)?;
        Ok(self
            .ledger
            .run(move |tx| {
                if let Some(oldest) = oldest {
                    tx.delete(Table::Access, oldest);
                }
                let unsent = Unsent {
                    fields,
                    written_ms: tx.now_ms,
                };
                tx.put(Table::Access, key, cbor::encode(&unsent));
                Ok::<_, CareError>(())
            })
            .await?)
    }

    /// The oldest of somebody's texts, where there are as many as there may be and this one is new.
    fn gives_way(&self, actor: &Actor, key: &[u8]) -> Result<Option<Vec<u8>>, CareError> {
        let held = self.unsent_under(&self.own_of(Own::Unsent, actor))?;
        if held.len() < AT_ONCE || held.iter().any(|(one, _)| one == key) {
            return Ok(None);
        }
        let oldest = held.into_iter().min_by_key(|(_, written_ms)| *written_ms);
        Ok(oldest.map(|(key, _)| key))
    }

    /// The texts under a prefix, with when each was written; one that cannot be read counts as the oldest.
    fn unsent_under(&self, prefix: &[u8]) -> Result<Vec<(Vec<u8>, u64)>, CareError> {
        let store = &self.shared().rows().0;
        let mut held = Vec::new();
        for row in store.scan(Table::Access, prefix, Range::all())? {
            let (key, row) = row?;
            let unsent: Option<Unsent> = cbor::decode(&row).ok();
            held.push((key.into_vec(), unsent.map_or(0, |one| one.written_ms)));
        }
        Ok(held)
    }

    /// Drops what was not sent within its time, and what people keep about files that are here no more. How much there was.
    ///
    /// # Errors
    /// [`CareError`].
    pub(crate) async fn sweep_own(&self, now_ms: u64) -> Result<usize, CareError> {
        let mut old = self.unsent_under(Own::Unsent.word().as_bytes())?;
        old.retain(|(_, written_ms)| written_ms.saturating_add(UNSENT_MS) <= now_ms);
        let count = old.len();
        if count > 0 {
            self.ledger
                .run(move |tx| {
                    for (key, _) in old {
                        tx.delete(Table::Access, key);
                    }
                    Ok::<_, CareError>(())
                })
                .await?;
        }
        Ok(count + self.sweep_left_behind(now_ms).await?)
    }

    /// Drops what was sent, or is not to be sent any more.
    ///
    /// # Errors
    /// [`CareError`].
    pub async fn drop_unsent(
        &self,
        actor: &Actor,
        circle: &CircleId,
        form: Form,
    ) -> Result<(), CareError> {
        self.drop_key(self.unsent_key(actor, circle, form)).await
    }

    async fn drop_key(&self, key: Vec<u8>) -> Result<(), CareError> {
        if self.shared().rows().0.get(Table::Access, &key)?.is_none() {
            return Ok(());
        }
        Ok(self
            .ledger
            .run(move |tx| {
                tx.delete(Table::Access, key);
                Ok::<_, CareError>(())
            })
            .await?)
    }
}
