//! Whoever accepted an invitation on a page joins the person's team as soon as the file is here: until then nobody of this structure is in it.

use std::sync::atomic::{AtomicBool, Ordering};

use maillon_protocol::{
    cbor,
    ids::{CircleId, InvitationId, ThingId},
    replica::{Incoming, IncomingState, Row, Rows},
};

use super::{Actor, Care, CareError, Seat, audit, team};
use crate::{
    audit::About,
    ledger::Tx,
    store::{Range, Table},
};

/// What the keys begin with; the invitation follows.
const KEY: &[u8] = b"joins";

/// Whether somebody waits for a file to arrive. Assumed after a start.
pub(super) struct Joins(AtomicBool);

impl Default for Joins {
    fn default() -> Self {
        Self(AtomicBool::new(true))
    }
}

impl Joins {
    pub(super) fn awaited(&self) {
        self.0.store(true, Ordering::Release);
    }
}

fn key(invitation: &InvitationId) -> Vec<u8> {
    [KEY, &invitation.0].concat()
}

/// Remembers who accepted on a page, in the commit of the acceptance.
pub(super) fn remember(tx: &mut Tx<'_>, actor: &Actor, invitation: &InvitationId) {
    if actor.seat == Seat::Page {
        tx.put(Table::Access, key(invitation), cbor::encode(&actor.id));
    }
}

impl Care {
    /// Whoever accepted an invitation that has led to a file joins its team.
    ///
    /// # Errors
    /// [`CareError`].
    pub(crate) async fn join_where_admitted(&self) -> Result<(), CareError> {
        if !self.joins.0.swap(false, Ordering::AcqRel) {
            return Ok(());
        }
        match self.join_all().await {
            Ok(true) => Ok(()),
            // The next commit asks again.
            Ok(false) => {
                self.joins.awaited();
                Ok(())
            }
            Err(error) => {
                self.joins.awaited();
                Err(error)
            }
        }
    }

    /// Whether nobody waits any more.
    async fn join_all(&self) -> Result<bool, CareError> {
        let mut waiting = Vec::new();
        {
            let store = &self.shared().rows().0;
            for row in store.scan(Table::Access, KEY, Range::all())? {
                let (at, bytes) = row?;
                let invitation = at.get(KEY.len()..).and_then(|id| id.try_into().ok());
                let actor = cbor::decode::<ThingId>(&bytes).ok();
                waiting.extend(invitation.map(InvitationId).zip(actor));
            }
        }
        let mut done = true;
        for (invitation, actor) in waiting {
            done &= self.join(invitation, actor).await?;
        }
        Ok(done)
    }

    /// Whether nothing is to be waited for any more.
    async fn join(&self, invitation: InvitationId, actor: ThingId) -> Result<bool, CareError> {
        let row = self.shared().rows().get(&Row::Incoming(invitation))?;
        let row = row.and_then(|bytes| cbor::decode::<Incoming>(&bytes).ok());
        let state = row.map(|row| row.state);
        let circle = match state {
            Some(IncomingState::Accepted {
                circle: Some(circle),
                ..
            }) => circle,
            Some(IncomingState::Accepted { circle: None, .. }) => return Ok(false),
            _ => {
                self.forget_join(invitation).await?;
                return Ok(true);
            }
        };
        let own = self.shared().own();
        let held = self.shared().circle(&circle);
        let writable = held
            .is_some_and(|held| held.charter.is_member(&own) && held.current_secret().is_some());
        // Who is in the team comes with who the person is: whoever was added to it before joins once.
        if !writable || self.refresh_file(&circle)?.is_none() {
            return Ok(false);
        }
        let actor = self.actor_of(actor)?;
        match actor {
            Some(actor) if !self.follows(&actor, &circle)? => {
                match self.join_now(invitation, circle, actor).await {
                    // Nothing is written in it any more: nobody joins.
                    Err(CareError::Write(error)) => {
                        tracing::warn!(circle = %circle.short(), %error, "whoever accepted an invitation does not join the team");
                        self.forget_join(invitation).await?;
                    }
                    done => done?,
                }
            }
            _ => self.forget_join(invitation).await?,
        }
        Ok(true)
    }

    async fn join_now(
        &self,
        invitation: InvitationId,
        circle: CircleId,
        actor: Actor,
    ) -> Result<(), CareError> {
        let draft = team::entry(self.shared(), &circle, &actor, &actor)?;
        self.ledger
            .run(move |tx| {
                tx.delete(Table::Access, key(&invitation));
                let now = tx.now_ms;
                let written = tx
                    .replica
                    .write(tx.rows, &circle, vec![draft], now, tx.rng)?;
                let first = written.first().ok_or(CareError::NothingWritten)?;
                let about = About::record(circle, first.record);
                audit::note(tx, &actor, "team.add", about)
            })
            .await?;
        self.refresh_file(&circle)?;
        Ok(())
    }

    async fn forget_join(&self, invitation: InvitationId) -> Result<(), CareError> {
        self.ledger
            .run(move |tx| {
                tx.delete(Table::Access, key(&invitation));
                Ok::<(), CareError>(())
            })
            .await?;
        Ok(())
    }
}
