//! What the steward of a circle changes in it, and leaving one as a member. All but closing and opening again an administrator may do without a professional
//! ([`Actor::administrator`]).

use maillon_protocol::{
    charter::{RemovalReason, RotationReason},
    ids::{CircleId, NodeId},
    replica::{Replica, StewardshipError, Succession},
};

use super::{Actor, Care, CareError, Category, audit};
use crate::{audit::About, ledger::StoreRows, random::RandomPool};

impl Care {
    /// Removes a member.
    ///
    /// # Errors
    /// [`CareError`].
    pub async fn remove(
        &self,
        actor: &Actor,
        circle: CircleId,
        node: NodeId,
        reason: RemovalReason,
    ) -> Result<(), CareError> {
        self.may_write_in(actor, &circle, &[Category::Administration])?;
        let about = About {
            node: Some(node),
            ..About::circle(circle)
        };
        self.rule(
            actor,
            "circle.remove",
            about,
            move |replica, rows, now, rng| replica.remove(rows, &circle, node, reason, now, rng),
        )
        .await
    }

    /// Starts a new epoch.
    ///
    /// # Errors
    /// [`CareError`].
    pub async fn rotate(
        &self,
        actor: &Actor,
        circle: CircleId,
        reason: RotationReason,
    ) -> Result<(), CareError> {
        self.may_write_in(actor, &circle, &[Category::Administration])?;
        let about = About::circle(circle);
        self.rule(
            actor,
            "circle.rotate",
            about,
            move |replica, rows, now, rng| replica.rotate(rows, &circle, reason, now, rng),
        )
        .await
    }

    /// Closes a file.
    ///
    /// # Errors
    /// [`CareError`].
    pub async fn close(
        &self,
        actor: &Actor,
        circle: CircleId,
        reason: u64,
    ) -> Result<(), CareError> {
        self.may_write_in(actor, &circle, &[Category::Administration])?;
        let about = About::circle(circle);
        self.rule(
            actor,
            "circle.close",
            about,
            move |replica, rows, now, rng| replica.close(rows, &circle, reason, now, rng),
        )
        .await
    }

    /// Opens a closed file again.
    ///
    /// # Errors
    /// [`CareError`].
    pub async fn reopen(
        &self,
        actor: &Actor,
        circle: CircleId,
        reason: u64,
    ) -> Result<(), CareError> {
        self.may_write_in(actor, &circle, &[Category::Administration])?;
        let actor = actor.clone();
        self.ledger
            .run(move |tx| {
                let left = tx
                    .replica
                    .reopen(tx.rows, &circle, reason, tx.now_ms, tx.rng)?;
                audit::note(tx, &actor, "circle.reopen", About::circle(circle))?;
                audit::note_removed(tx, &actor, circle, &left)
            })
            .await?;
        // Whoever looks next sees it.
        self.refresh_file(&circle)?;
        Ok(())
    }

    /// Lets count what members hold of what a removed node wrote before its removal and this node had not seen then.
    ///
    /// # Errors
    /// [`CareError::Late`].
    pub async fn let_late_count(
        &self,
        actor: &Actor,
        circle: CircleId,
        node: NodeId,
    ) -> Result<(), CareError> {
        self.may_write_in(actor, &circle, &[Category::Administration])?;
        let actor = actor.clone();
        self.ledger
            .run(move |tx| {
                tx.replica
                    .let_late_count(tx.rows, &circle, &node, tx.now_ms, tx.rng)?;
                let about = About {
                    node: Some(node),
                    ..About::circle(circle)
                };
                audit::note(tx, &actor, "circle.count-late", about)
            })
            .await?;
        self.refresh_file(&circle)?;
        Ok(())
    }

    /// This node leaves a circle. What it wrote there stays, and it is sent nothing more of it.
    ///
    /// # Errors
    /// [`CareError::Depart`].
    pub async fn leave(&self, actor: &Actor, circle: CircleId) -> Result<(), CareError> {
        self.may_write_in(actor, &circle, &[Category::Administration])?;
        let actor = actor.clone();
        Ok(self
            .ledger
            .run(move |tx| {
                tx.replica.depart(tx.rows, &circle, tx.now_ms)?;
                audit::note(tx, &actor, "circle.leave", About::circle(circle))
            })
            .await?)
    }

    /// Makes another member the steward.
    ///
    /// # Errors
    /// [`CareError`].
    pub async fn hand_over(
        &self,
        actor: &Actor,
        circle: CircleId,
        to: NodeId,
    ) -> Result<(), CareError> {
        self.may_write_in(actor, &circle, &[Category::Administration])?;
        let about = About {
            node: Some(to),
            ..About::circle(circle)
        };
        self.rule(
            actor,
            "circle.hand-over",
            about,
            move |replica, rows, now, rng| replica.hand_over(rows, &circle, to, now, rng),
        )
        .await
    }

    /// Says who the deputies are: all of them.
    ///
    /// # Errors
    /// [`CareError`].
    pub async fn appoint(
        &self,
        actor: &Actor,
        circle: CircleId,
        deputies: Vec<NodeId>,
    ) -> Result<(), CareError> {
        self.may_write_in(actor, &circle, &[Category::Administration])?;
        let about = About::circle(circle);
        self.rule(
            actor,
            "circle.deputies",
            about,
            move |replica, rows, now, rng| replica.appoint(rows, &circle, deputies, now, rng),
        )
        .await
    }

    /// Says of a circle, or of all that wait for it, that no other member has a later charter entry than this node, which was restored.
    ///
    /// # Errors
    /// [`CareError`].
    pub async fn confirm(&self, actor: &Actor, circle: Option<CircleId>) -> Result<(), CareError> {
        self.may_write(actor, &[Category::Administration])?;
        let circles: Vec<CircleId> = match circle {
            Some(circle) => vec![circle],
            None => self
                .shared()
                .circles()
                .iter()
                .filter(|circle| circle.unconfirmed)
                .map(|circle| circle.id())
                .collect(),
        };
        for circle in &circles {
            self.in_team(actor, circle)?;
        }
        let actor = actor.clone();
        Ok(self
            .ledger
            .run(move |tx| {
                for circle in circles {
                    let left = tx.replica.confirm(tx.rows, &circle, tx.now_ms, tx.rng)?;
                    audit::note(tx, &actor, "circle.confirm", About::circle(circle))?;
                    audit::note_removed(tx, &actor, circle, &left)?;
                }
                Ok::<_, CareError>(())
            })
            .await?)
    }

    /// Continues a circle whose steward does nothing any more, with the members but those named.
    ///
    /// # Errors
    /// [`CareError::Succession`]; and as [`Care::invite`], where the person does not let it be shared.
    pub async fn succeed(
        &self,
        actor: &Actor,
        circle: CircleId,
        without: Vec<NodeId>,
    ) -> Result<Succession, CareError> {
        self.may_write_in(actor, &circle, &[Category::Administration])?;
        self.whom_to_share(&circle)?;
        let actor = actor.clone();
        Ok(self
            .ledger
            .run(move |tx| {
                let now = tx.now_ms;
                let made = tx
                    .replica
                    .succeed(tx.rows, &circle, &without, now, tx.rng)?;
                audit::note(tx, &actor, "circle.continue", About::circle(circle))?;
                audit::note(tx, &actor, "circle.open", About::circle(made.circle))?;
                for node in &made.asked {
                    let about = About {
                        node: Some(*node),
                        ..About::circle(made.circle)
                    };
                    audit::note(tx, &actor, "circle.invite", about)?;
                }
                Ok::<_, CareError>(made)
            })
            .await?)
    }

    /// Tells again, in a circle that continues another one, what this structure wrote there and still stands: how many records that are, and how
    /// many documents were left out because not all of them is here. Each step is a commit; where one fails, those before it stand, and asking again goes on.
    ///
    /// # Errors
    /// [`CareError::CarryOver`]; and as [`Care::invite`], where the person does not let it be shared.
    pub async fn carry_over(
        &self,
        actor: &Actor,
        circle: CircleId,
    ) -> Result<(u64, u64), CareError> {
        self.may_write_in(actor, &circle, &[Category::Administration])?;
        self.whom_to_share(&circle)?;
        let (mut written, mut left, mut from) = (0, 0, None);
        loop {
            let actor = actor.clone();
            let step = self.ledger.run(move |tx| {
                let now = tx.now_ms;
                let replica = &mut *tx.replica;
                let step = replica.carry_over(tx.rows, &circle, from, now, tx.rng)?;
                for one in &step.written {
                    let about = About::record(circle, one.record);
                    audit::note(tx, &actor, "record.carry-over", about)?;
                }
                Ok::<_, CareError>(step)
            });
            let step = step.await?;
            written += step.written.len() as u64;
            left += step.left;
            from = step.further;
            if from.is_none() {
                return Ok((written, left));
            }
        }
    }

    /// A change of the charter, with its line in the audit trail.
    async fn rule(
        &self,
        actor: &Actor,
        action: &'static str,
        about: About,
        act: impl FnOnce(&mut Replica, &StoreRows, u64, &mut RandomPool) -> Result<(), StewardshipError>
        + Send
        + 'static,
    ) -> Result<(), CareError> {
        let actor = actor.clone();
        Ok(self
            .ledger
            .run(move |tx| {
                act(tx.replica, tx.rows, tx.now_ms, tx.rng)?;
                audit::note(tx, &actor, action, about)
            })
            .await?)
    }
}
