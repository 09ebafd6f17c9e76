//! Identities that are given up: what an administrator says about them, and what is told of them.

use maillon_protocol::{
    admin::{ErrorCode, Relation, Replaced, Verdict},
    ids::NodeId,
    replica::{Fate, Replica},
};

use super::{errors::Refusal, findings::Findings};
use crate::{
    audit::{self, About, By},
    care::{Actor, CareError},
    daemon::Node,
};

impl Node {
    /// The administrator has compared: `new`, a peer, is the structure that `old` was.
    pub(super) async fn replace_peer(
        &self,
        actor: &Actor,
        old: NodeId,
        new: NodeId,
        circles: bool,
    ) -> Result<Replaced, Refusal> {
        if self.peering.relation(&new) != Some(Relation::Peer) {
            return Err(Refusal::new(
                ErrorCode::Conflict,
                "the node that is to stand in the other one's place is no peer of this one: nobody has compared its words",
                "pair with it first: `maillonctl peer invite`, and `maillonctl peer confirm` after the words were compared",
            ));
        }
        let replaced = self.care.same_structure(actor, old, new, circles).await?;
        self.peering.refresh().await?;
        Ok(replaced)
    }

    /// This node's identity is used no more.
    pub(super) async fn revoke_identity(&self, by: By) -> Result<(), Refusal> {
        let job = self.ledger.run(move |tx| {
            let now = tx.now_ms;
            tx.replica.revoke(tx.rows, now)?;
            audit::note(tx, by, "keys.revoke", About::NOTHING)?;
            Ok::<(), CareError>(())
        });
        job.await.map_err(CareError::from)?;
        Ok(())
    }

    /// Identities about which somebody must decide, or that decide everything.
    pub(super) fn identities(&self, findings: &mut Findings) {
        let own = self.ledger.shared().own();
        // A row that cannot be read is what `doctor` is for.
        for fate in Replica::fates(self.ledger.shared().rows()).unwrap_or_default() {
            if fate.node == own {
                self.own_identity(findings, &fate);
            } else if fate.replaced_by() != Some(own) {
                self.others_identity(findings, &fate);
            }
        }
    }

    fn own_identity(&self, findings: &mut Findings, fate: &Fate) {
        if fate.revoked.is_some() {
            findings.add(
                Verdict::Act,
                "this node's identity was revoked: it signs nothing more, and its peers refuse it. Make a new node with the recovery key: maillond init --recover",
                None,
            );
        } else if let Some(new) = fate.replaced_by() {
            findings.add(
                Verdict::Act,
                format!("this node's recovery key names another node in its place ({new}): if that was not you, somebody has the key: call your peers at once"),
                Some("maillonctl peer list"),
            );
        }
    }

    fn others_identity(&self, findings: &mut Findings, fate: &Fate) {
        let structure = self.care.structure_of(&fate.node);
        let (old, new) = (fate.node, fate.replaced_by());
        if !fate.others.is_empty() {
            findings.add(
                Verdict::Act,
                format!("the recovery key of {structure} has named two different nodes in its place: the first one stays; call its administrator, the key may be in other hands"),
                Some(&format!("maillonctl peer show {old}")),
            );
        }
        let member_in = self.care.rules_with(&old);
        match new {
            Some(new) if fate.confirmed_ms == 0 => findings.add(
                Verdict::Look,
                format!("the recovery key of {structure} names another node in its place: pair with that one, compare the words by telephone, then say that it is the same structure"),
                Some(&format!("maillonctl peer replace {old} --by {new}")),
            ),
            Some(_) if member_in > 0 => findings.add(
                Verdict::Look,
                format!("the node of {structure} that was replaced is still a member of {member_in} circles of which this node is the steward"),
                Some(&format!("maillonctl circle replace CIRCLE {old}")),
            ),
            None if fate.revoked.is_some() && member_in > 0 => findings.add(
                Verdict::Look,
                format!("the node of {structure} has revoked its identity and is still a member of {member_in} circles of which this node is the steward: wait for its new node, or remove it"),
                Some(&format!("maillonctl circle remove CIRCLE {old} --reason compromised")),
            ),
            _ => {}
        }
    }
}
