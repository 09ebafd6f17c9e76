//! The person's information, without which nothing is shared.

use std::{
    collections::HashMap,
    sync::{Mutex, PoisonError},
};

use maillon_protocol::{
    admin::{Sharing, SharingRefused},
    content::{Consent, ConsentDecision, Content, Kind},
    ids::{CircleId, RecordId, ThingId},
    replica::{Draft, Written},
};

use super::{Actor, Care, CareError, Category, audit, fresh, read};
use crate::{audit::About, ledger::Shared};

/// What is known of sharing in circles that were asked about, until somebody records another answer. For what is said in passing, where reading
/// everything again would cost more than it is worth; what is decided reads.
#[derive(Default)]
pub(super) struct SharingCache {
    known: Mutex<Known>,
}

#[derive(Default)]
struct Known {
    /// Grows with each answer that somebody records: what was read before it is not kept.
    answers: u64,
    circles: HashMap<CircleId, Sharing>,
}

impl SharingCache {
    fn get(
        &self,
        circle: &CircleId,
        read: impl FnOnce() -> Result<Sharing, CareError>,
    ) -> Result<Sharing, CareError> {
        // A poisoned lock leaves a map that is whole.
        let known = || self.known.lock().unwrap_or_else(PoisonError::into_inner);
        let answers = {
            let known = known();
            if let Some(sharing) = known.circles.get(circle) {
                return Ok(sharing.clone());
            }
            known.answers
        };
        let sharing = read()?;
        let mut known = known();
        if known.answers == answers {
            known.circles.insert(*circle, sharing.clone());
        }
        Ok(sharing)
    }

    fn forget(&self, circle: &CircleId) {
        let mut known = self.known.lock().unwrap_or_else(PoisonError::into_inner);
        known.answers += 1;
        known.circles.remove(circle);
    }
}

impl Care {
    /// Records what the person was told and answered. It follows every answer that is known here, whichever structure wrote it down: the
    /// person's last word counts. One that does not allow sharing cancels the invitations that wait, in the same commit.
    ///
    /// # Errors
    /// [`CareError`].
    pub async fn record_consent(
        &self,
        actor: &Actor,
        circle: CircleId,
        consent: Consent,
    ) -> Result<Written, CareError> {
        self.may_write_in(actor, &circle, &[Category::Administration])?;
        let allows = consent.allows_sharing();
        let answer: Draft = fresh(actor, Content::Consent(consent), None);
        let follows = |(thing, supersedes)| Draft {
            thing: Some(thing),
            supersedes,
            ..answer.clone()
        };
        // Structures that did not know of each other's first answers have begun a thing each: all of them are followed.
        let mut drafts: Vec<Draft> = standing_consents(self.shared(), &circle)?
            .into_iter()
            .map(follows)
            .collect();
        if drafts.is_empty() {
            drafts.push(answer);
        }
        let actor = actor.clone();
        let written = self
            .ledger
            .run(move |tx| {
                if !allows {
                    tx.replica.cancel_invitations(tx.rows, &circle, None)?;
                }
                let now = tx.now_ms;
                let all = tx.replica.write(tx.rows, &circle, drafts, now, tx.rng)?;
                let first = *all.first().ok_or(CareError::NothingWritten)?;
                for one in &all {
                    let about = About::record(circle, one.record);
                    audit::note(tx, &actor, "consent.record", about)?;
                }
                Ok::<_, CareError>(first)
            })
            .await?;
        self.sharing.forget(&circle);
        Ok(written)
    }

    /// Somebody recorded a consent, here or at another structure: where the file may not be shared now, invitations that wait are cancelled.
    ///
    /// # Errors
    /// [`CareError`].
    pub async fn consent_changed(&self, circle: CircleId) -> Result<(), CareError> {
        self.sharing.forget(&circle);
        if self.sharing(&circle)? == Sharing::Allowed {
            return Ok(());
        }
        self.ledger
            .run(move |tx| {
                tx.replica.cancel_invitations(tx.rows, &circle, None)?;
                Ok::<(), CareError>(())
            })
            .await?;
        Ok(())
    }

    /// What stands about sharing: allowed where at least one answer allows it, and none refuses or withdraws.
    ///
    /// # Errors
    /// [`CareError`].
    pub fn sharing(&self, circle: &CircleId) -> Result<Sharing, CareError> {
        let shared = self.shared();
        let mut answers = Vec::new();
        for record in standing_consents(shared, circle)?
            .into_iter()
            .flat_map(|(_, records)| records)
        {
            if let Some(view) = self.view(&record)?
                && let Content::Consent(consent) = &view.content
            {
                answers.push((consent.decision, view));
            }
        }
        answers.sort_by_key(|(_, view)| std::cmp::Reverse((view.time, view.record)));
        let allowed = !answers.is_empty();
        let against = answers
            .into_iter()
            .find(|(decision, _)| *decision != ConsentDecision::Given);
        Ok(match against {
            Some((decision, view)) => Sharing::Refused(SharingRefused {
                withdrawn: decision == ConsentDecision::Withdrawn,
                record: view.record,
                by: view.author.name,
                structure: view.structure,
                at_ms: view.occurred_ms,
            }),
            None if allowed => Sharing::Allowed,
            None => Sharing::Unanswered,
        })
    }

    /// The person's refusal, where one stands and others are in the circle all the same: whoever writes there should know.
    ///
    /// # Errors
    /// [`CareError`].
    pub fn against_sharing(&self, circle: &CircleId) -> Result<Option<SharingRefused>, CareError> {
        let alone = (self.shared().circle(circle))
            .is_none_or(|circle| circle.charter.members().count() < 2);
        if alone {
            return Ok(None);
        }
        Ok(match self.sharing.get(circle, || self.sharing(circle))? {
            Sharing::Refused(refused) => Some(refused),
            Sharing::Allowed | Sharing::Unanswered => None,
        })
    }
}

/// The person's answers, each with its records that stand.
fn standing_consents(
    shared: &Shared,
    circle: &CircleId,
) -> Result<Vec<(ThingId, Vec<RecordId>)>, CareError> {
    Ok(read::things(shared, circle)?
        .into_iter()
        .filter(|(_, thing)| thing.kind() == Some(Kind::Consent as u64))
        .map(|(id, thing)| {
            let standing = read::standing(&thing);
            (id, standing.iter().map(|version| version.record).collect())
        })
        .collect())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_was_read_before_an_answer_came_is_not_kept() {
        let cache = SharingCache::default();
        let circle = CircleId([1; 32]);
        let of = |read: Sharing| cache.get(&circle, || Ok(read)).expect("read");
        let raced = cache.get(&circle, || {
            cache.forget(&circle);
            Ok(Sharing::Allowed)
        });
        assert_eq!(raced.expect("read"), Sharing::Allowed);
        assert_eq!(of(Sharing::Unanswered), Sharing::Unanswered);
        assert_eq!(of(Sharing::Allowed), Sharing::Unanswered);
        cache.forget(&circle);
        assert_eq!(of(Sharing::Allowed), Sharing::Allowed);
    }
}
