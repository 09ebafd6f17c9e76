//! Breaking the glass (bris de glace): whoever must act and is not in the person's team opens the file for an hour, says why, and is seen to have done so.
//!
//! What it opens is reading, as far as the habilitation goes, and telling the team: notes, alerts and their answers. Team, circle and documents stay as they are.
//! The referent hears of it by an alert in the file itself, so every structure of the circle does.

use std::{
    collections::HashMap,
    sync::{Mutex, PoisonError},
};

use maillon_protocol::{
    cbor,
    content::{Alert, Content, Severity},
    ids::{CircleId, ThingId},
};

use super::{Actor, Care, CareError, Category, audit, fresh, note};
use crate::{
    audit::{About, Object},
    clock::now_ms,
    signs,
    store::Table,
};

/// For how long a broken glass opens a file, milliseconds: an hour.
pub const GLASS_MS: u64 = 3_600_000;
/// What the keys begin with.
const KEY: &[u8] = b"glass";

/// Why somebody must open a file at once.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum GlassReason {
    /// The person is in danger.
    Danger,
    /// Somebody of the team is away.
    Replacement,
    /// The person asks for it.
    Asked,
}

impl GlassReason {
    /// As the trail says it.
    const fn word(self) -> &'static str {
        match self {
            Self::Danger => "danger",
            Self::Replacement => "replacement",
            Self::Asked => "asked",
        }
    }

    /// As the alert says it, in French: professionals read it.
    const fn said(self) -> &'static str {
        match self {
            Self::Danger => "la personne est en danger",
            Self::Replacement => "remplacement d’un membre de l’équipe, absent",
            Self::Asked => "à la demande de la personne",
        }
    }
}

/// Until when which file is open to whom, Unix milliseconds, as far as it was asked since the start.
#[derive(Default)]
pub(super) struct Broken(Mutex<HashMap<(ThingId, CircleId), u64>>);

/// Words of somebody as they stand in a sentence of the node's own: on one line, and without the marks that end what is quoted.
fn one_line(words: &str) -> String {
    let words = signs::written(words).replace(['«', '»'], "\"");
    words.split_whitespace().collect::<Vec<_>>().join(" ")
}

impl Care {
    fn glass_key(&self, actor: &Actor, circle: &CircleId) -> Vec<u8> {
        let namer = self.shared().rows().0.namer();
        let name = namer.name("glass", &[&actor.id.0, &circle.0]);
        [KEY, &name[..]].concat()
    }

    /// Until when somebody has this file open by a broken glass, Unix milliseconds; none where they have not, or not any more.
    ///
    /// # Errors
    /// [`CareError::Store`].
    pub fn glass(&self, actor: &Actor, circle: &CircleId) -> Result<Option<u64>, CareError> {
        // A poisoned lock leaves a map that is whole.
        let held = || self.broken.0.lock().unwrap_or_else(PoisonError::into_inner);
        let known = held().get(&(actor.id, *circle)).copied();
        let until = match known {
            Some(until) => until,
            None => {
                let row = self
                    .shared()
                    .rows()
                    .0
                    .get(Table::Access, &self.glass_key(actor, circle))?;
                // One that cannot be read opens nothing.
                let until = row.and_then(|row| cbor::decode(&row).ok()).unwrap_or(0);
                // Whoever has broken it meanwhile has put a later moment there.
                *held().entry((actor.id, *circle)).or_insert(until)
            }
        };
        let now = now_ms();
        // A clock that was put back does not make the hour longer.
        Ok((until > now && until <= now + GLASS_MS).then_some(until))
    }

    /// Whether somebody opens this file, by the team or by a broken glass.
    ///
    /// # Errors
    /// [`CareError`].
    pub fn opens(&self, actor: &Actor, circle: &CircleId) -> Result<bool, CareError> {
        match self.may_open(actor, circle) {
            Ok(()) => Ok(true),
            Err(CareError::NotInTeam) => Ok(false),
            Err(error) => Err(error),
        }
    }

    /// Goes on where somebody may see who the persons are whose files are here.
    ///
    /// # Errors
    /// [`CareError::NotReadable`].
    pub fn may_find(&self, actor: &Actor) -> Result<(), CareError> {
        self.may_read(actor, Category::Identity)
    }

    /// Opens a file for an hour to somebody who is not in the team; the alert that says so, the line in the trail and the hour are one commit. Until when.
    ///
    /// # Errors
    /// [`CareError::NotReadable`] where the habilitation does not show who persons are, [`CareError::Text`] without a reason in words.
    pub async fn break_glass(
        &self,
        actor: &Actor,
        circle: CircleId,
        reason: GlassReason,
        words: &str,
    ) -> Result<u64, CareError> {
        self.may_read(actor, Category::Identity)?;
        note::check_text(words)?;
        // Clicked twice it is told once.
        let _one = self.once.lock().await;
        if let Some(until) = self.glass(actor, &circle)? {
            return Ok(until);
        }
        // Who the referent is says the day, too: what was read yesterday may name another structure.
        let filed = self.refresh_file(&circle)?.ok_or(CareError::NoCircle)?;
        let text = format!(
            "Accès exceptionnel : {}, hors de l’équipe, ouvre ce dossier pour une heure. Motif : {}. « {} »",
            actor.professional.name,
            reason.said(),
            one_line(words)
        );
        let alert = Content::Alert(Alert {
            severity: Severity::Medium,
            text,
            addressees: vec![filed.referent.unwrap_or_else(|| self.shared().own())],
            answer_by_ms: 0,
        });
        // In a file that has ended nothing is written any more; the trail says it all the same.
        let draft = (!filed.ended).then(|| fresh(actor, alert, None));
        let (key, reader) = (self.glass_key(actor, &circle), actor.clone());
        let until = self
            .ledger
            .run(move |tx| {
                let now = tx.now_ms;
                let until = now + GLASS_MS;
                if let Some(draft) = draft {
                    tx.replica
                        .write(tx.rows, &circle, vec![draft], now, tx.rng)?;
                }
                tx.put(Table::Access, key, cbor::encode(&until));
                let about = About {
                    object: Some(Object::Glass(reason.word())),
                    ..About::circle(circle)
                };
                audit::note(tx, &reader, "glass.break", about)?;
                Ok::<_, CareError>(until)
            })
            .await?;
        let mut held = self.broken.0.lock().unwrap_or_else(PoisonError::into_inner);
        held.insert((actor.id, circle), until);
        Ok(until)
    }
}
