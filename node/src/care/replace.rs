//! Identities that take the place of others: an administrator's word, and what follows from it in circles.

use maillon_protocol::{
    admin::Replaced,
    ids::{CircleId, NodeId},
    replica::{ReplaceFailed, StewardshipError},
};

use super::{Actor, Care, CareError, Category, audit};
use crate::{
    audit::{self as trail, About, By},
    ledger::Tx,
};

impl Care {
    /// Takes an administrator's word that `new` is the structure that `old` was; where `circles`, it takes that one's place in all circles of which
    /// this node is the steward.
    ///
    /// # Errors
    /// [`CareError::NodeIdentity`]; nothing has changed then.
    pub async fn same_structure(
        &self,
        actor: &Actor,
        old: NodeId,
        new: NodeId,
        circles: bool,
    ) -> Result<Replaced, CareError> {
        self.may_write(actor, &[Category::Administration])?;
        let actor = actor.clone();
        Ok(self
            .ledger
            .run(move |tx| {
                let now = tx.now_ms;
                tx.replica.same_structure(tx.rows, &old, &new, now)?;
                audit::note(tx, &actor, "peer.replace", About::node(old))?;
                let mut done = Replaced {
                    old,
                    new,
                    replaced: Vec::new(),
                    left: Vec::new(),
                };
                let member_in: Vec<CircleId> = tx
                    .replica
                    .circles()
                    .filter(|circle| circle.charter.is_member(&old))
                    .map(|circle| circle.id())
                    .collect();
                for circle in member_in {
                    if !circles {
                        done.left.push((circle, "not asked for".to_owned()));
                        continue;
                    }
                    match replace_in(tx, &actor, circle, old) {
                        Ok(()) => done.replaced.push(circle),
                        Err(CareError::Replace(
                            error @ (ReplaceFailed::Storage(_)
                            | ReplaceFailed::Stewardship(StewardshipError::Storage(_))),
                        )) => return Err(error.into()),
                        Err(CareError::Replace(error)) => {
                            done.left.push((circle, error.to_string()));
                        }
                        Err(error) => return Err(error),
                    }
                }
                Ok::<_, CareError>(done)
            })
            .await?)
    }

    /// Puts the identity that was compared in the place of a member. `node` is that member, or, because both go by one name, the one in its place.
    ///
    /// # Errors
    /// [`CareError::Replace`].
    pub async fn replace(
        &self,
        actor: &Actor,
        circle: CircleId,
        node: NodeId,
    ) -> Result<(), CareError> {
        self.may_write_in(actor, &circle, &[Category::Administration])?;
        let actor = actor.clone();
        Ok(self
            .ledger
            .run(move |tx| {
                let old = member_meant(tx, circle, node)?;
                replace_in(tx, &actor, circle, old)
            })
            .await?)
    }

    /// In how many circles, of which this node is the steward, a node is a member.
    pub fn rules_with(&self, node: &NodeId) -> usize {
        let own = self.shared().own();
        let circles = self.shared().circles();
        let ruled = circles.iter().filter(|circle| {
            let charter = &circle.charter;
            charter.state().steward == own && !charter.state().closed && charter.is_member(node)
        });
        ruled.count()
    }
}

/// The member that is meant by a node that stands in its place, or the node itself.
fn member_meant(tx: &Tx<'_>, circle: CircleId, node: NodeId) -> Result<NodeId, CareError> {
    let Some(held) = tx.replica.circle(&circle) else {
        return Ok(node);
    };
    if held.charter.is_member(&node) {
        return Ok(node);
    }
    for member in held.charter.members() {
        let fate = tx.replica.fate(tx.rows, &member.node)?;
        if fate.is_some_and(|fate| fate.replaced_by() == Some(node)) {
            return Ok(member.node);
        }
    }
    Ok(node)
}

fn replace_in(
    tx: &mut Tx<'_>,
    actor: &Actor,
    circle: CircleId,
    old: NodeId,
) -> Result<(), CareError> {
    let now = tx.now_ms;
    let (_, written) = tx.replica.replace(tx.rows, &circle, &old, now, tx.rng)?;
    let about = About {
        node: Some(old),
        ..About::circle(circle)
    };
    audit::note(tx, actor, "circle.replace", about)?;
    for one in written {
        let about = About::record(circle, one.record);
        trail::note(tx, By::itself(), "record.renew", about)?;
    }
    Ok(())
}
