//! What this node does about identities: it says whose place it takes, revokes its own, takes a person's word that two are one structure, and as
//! the steward puts one in the place of the other.

use rand_core::CryptoRng;

use super::{
    Fate, Replica, Rows, StewardshipError, StorageError, Written, depart::heads_of, fate::stored,
};
use crate::{
    cbor::Bytes,
    charter::{self, Charter, EpochSecret},
    identity::{Identity, Replacement, Revocation, recovery_hash},
    ids::{CircleId, Hash, NodeId},
    limits,
    sign::{self, Verified},
};

/// Why an identity is not taken for another one.
#[derive(Debug, thiserror::Error)]
pub enum IdentityRefused {
    /// No statement.
    #[error(
        "no recovery key has said here that another identity stands in that node's place: the new node brings its statement once both are paired"
    )]
    NoStatement,
    /// Another one is named.
    #[error(
        "the recovery key names another node in its place: two nodes that both claim it are told apart by their people, not by this node"
    )]
    AnotherNode,
    /// The new node has not brought it.
    #[error(
        "the new node has not brought the statement itself yet: pair with it, and wait for its first contact"
    )]
    NotPresented,
    /// The new one is given up, too.
    #[error("the new identity was itself revoked or replaced")]
    Refused,
    /// Not this node's own.
    #[error("the statement names another node than this one")]
    NotOurs,
    /// It was done.
    #[error("this node's identity was revoked: it signs nothing more")]
    Revoked,
    /// Storage.
    #[error(transparent)]
    Storage(#[from] StorageError),
}

/// Why a member's identity is not replaced.
#[derive(Debug, thiserror::Error)]
pub enum ReplaceFailed {
    /// Nobody has compared.
    #[error(
        "nobody has said here that the two nodes are one structure: pair with the new one, compare the words, then `maillonctl peer replace`"
    )]
    Unconfirmed,
    /// The steward.
    #[error(
        "the identity is the circle's steward's: any other member continues the circle (`maillonctl circle continue`) and invites the new node"
    )]
    Steward,
    /// Not in it.
    #[error("the identity that is to be replaced is not in the circle")]
    NotMember,
    /// It says another recovery key than it should.
    #[error(
        "the new node's descriptor, or the statements, do not fit what the circle's charter knows of the old one: remove it and invite the new one"
    )]
    DoesNotFit,
    /// Stewardship.
    #[error(transparent)]
    Stewardship(#[from] StewardshipError),
    /// Storage.
    #[error(transparent)]
    Storage(#[from] StorageError),
}

impl Replica {
    /// This node stands in another one's place: it keeps the statement, shows it to whoever it meets, and takes the circles that quote it.
    ///
    /// # Errors
    /// [`IdentityRefused::NotOurs`], [`IdentityRefused::Storage`].
    pub fn stand_for(
        &mut self,
        rows: &impl Rows,
        statement: &Verified<Replacement>,
        now_ms: u64,
    ) -> Result<(), IdentityRefused> {
        let said = &statement.object;
        if said.new != Some(self.own()) {
            return Err(IdentityRefused::NotOurs);
        }
        let ours = Bytes(statement.bytes.clone());
        // It may have been told by others before, or be known as somebody's peer.
        let held = self.known_fate(rows, &said.old)?;
        let mut fate = held.unwrap_or_else(|| {
            Fate::of(Identity {
                node: said.old,
                recovery: recovery_hash(&said.recovery),
                counter: 0,
            })
        });
        if fate.replaced.as_ref() == Some(&ours) && fate.confirmed_ms != 0 {
            return Ok(());
        }
        fate.replaced = Some(ours);
        fate.presented = true;
        fate.confirmed_ms = now_ms;
        self.put_fate(&fate);
        Ok(())
    }

    /// This node's own recovery key has said that another one rules from now on; `first` is the hash of the one that ruled at the beginning.
    ///
    /// # Errors
    /// [`IdentityRefused::NotOurs`] where that does not follow from what stands; [`IdentityRefused::Storage`].
    pub fn rotate_recovery(
        &mut self,
        rows: &impl Rows,
        first: Hash,
        statement: &Verified<Replacement>,
    ) -> Result<(), IdentityRefused> {
        let said = &statement.object;
        let (own, ours) = (self.own(), Bytes(statement.bytes.clone()));
        if said.old != own || said.new.is_some() {
            return Err(IdentityRefused::NotOurs);
        }
        let first = Identity {
            node: own,
            recovery: first,
            counter: 0,
        };
        let mut fate = self.fate(rows, &own)?.unwrap_or_else(|| Fate::of(first));
        if fate.rotations.contains(&ours) {
            return Ok(());
        }
        let after = fate.identity().after(statement);
        let after = after.map_err(|_| IdentityRefused::NotOurs)?;
        fate.recovery = after.recovery;
        fate.counter = after.counter;
        fate.rotations.push(ours);
        self.put_fate(&fate);
        Ok(())
    }

    /// Whether this node made the last of some statements: that is how it accepted to stand in another one's place.
    pub(super) fn said_so(
        &self,
        rows: &impl Rows,
        statements: &[Bytes],
    ) -> Result<bool, StorageError> {
        let Some(last) = statements.last() else {
            return Ok(false);
        };
        let Ok(statement) = Replacement::verify(last.0.clone()) else {
            return Ok(false);
        };
        let fate = self.fate(rows, &statement.object.old)?;
        let said = |fate: Fate| fate.confirmed_ms != 0 && fate.replaced.as_ref() == Some(last);
        Ok(statement.object.new == Some(self.own()) && fate.is_some_and(said))
    }

    /// This node's identity is used no more: it says so to whoever it meets, and signs nothing else.
    ///
    /// # Errors
    /// [`IdentityRefused::Revoked`] where it was done, [`IdentityRefused::Storage`].
    pub fn revoke(&mut self, rows: &impl Rows, now_ms: u64) -> Result<(), IdentityRefused> {
        if self.is_revoked(rows)? {
            return Err(IdentityRefused::Revoked);
        }
        let revocation = Revocation {
            version: 1,
            node: self.own(),
            time_ms: now_ms,
        };
        let revocation = sign::sign(revocation, &self.keys.node);
        Ok(self.take_revocation(rows, &revocation)?)
    }

    /// Whether this node's own identity was revoked.
    ///
    /// # Errors
    /// [`StorageError`].
    pub fn is_revoked(&self, rows: &impl Rows) -> Result<bool, StorageError> {
        let fate = self.fate(rows, &self.own())?;
        Ok(fate.is_some_and(|fate| fate.revoked.is_some()))
    }

    /// This node's administrator has compared, and says that `new` is the structure that `old` was. From then on `old` is refused here.
    ///
    /// # Errors
    /// [`IdentityRefused`].
    pub fn same_structure(
        &mut self,
        rows: &impl Rows,
        old: &NodeId,
        new: &NodeId,
        now_ms: u64,
    ) -> Result<(), IdentityRefused> {
        let fate = self.fate(rows, old)?;
        let mut fate = fate.ok_or(IdentityRefused::NoStatement)?;
        match fate.replaced_by() {
            None => return Err(IdentityRefused::NoStatement),
            Some(named) if named != *new => return Err(IdentityRefused::AnotherNode),
            Some(_) => {}
        }
        if !fate.presented {
            return Err(IdentityRefused::NotPresented);
        }
        if self.is_refused(rows, new)? {
            return Err(IdentityRefused::Refused);
        }
        if fate.confirmed_ms == 0 {
            fate.confirmed_ms = now_ms;
            self.put_fate(&fate);
        }
        Ok(())
    }

    /// Puts the identity that a person has compared in the place of `old`, in a circle of which this node is the steward: which one that is. Its logs
    /// count up to what this node holds of them.
    ///
    /// # Errors
    /// [`ReplaceFailed`].
    pub fn replace(
        &mut self,
        rows: &impl Rows,
        id: &CircleId,
        old: &NodeId,
        now_ms: u64,
        rng: &mut impl CryptoRng,
    ) -> Result<(NodeId, Vec<Written>), ReplaceFailed> {
        let held = self.circles.get(id).ok_or(StewardshipError::NoCircle)?;
        if held.charter.state().steward == *old {
            return Err(ReplaceFailed::Steward);
        }
        let circle = self.steward_circle(id)?;
        if !circle.charter.is_member(old) {
            return Err(ReplaceFailed::NotMember);
        }
        let (new, statements) = self.led_to(rows, &circle.charter, old)?;
        let descriptor = self
            .descriptor_of(rows, &new)?
            .ok_or(StewardshipError::NoDescriptor)?;
        let cuts = heads_of(&circle, old).into_values().collect();
        self.make(rows, id, Some(new), now_ms, |steward, circle| {
            let secrets: Vec<(u64, EpochSecret)> = circle
                .secrets
                .iter()
                .map(|(number, secret)| (*number, secret.clone()))
                .collect();
            charter::replace(
                steward,
                (*old, cuts),
                &descriptor,
                statements,
                &secrets,
                rng,
            )
        })?;
        // What either was asked before leads nowhere any more.
        self.cancel_invitations(rows, id, Some(old))?;
        self.cancel_invitations(rows, id, Some(&new))?;
        let written = self.renew(rows, id, now_ms, rng)?;
        Ok((new, written))
    }

    /// The statements that lead from a member, as the charter knows it, to the identity that a person has compared.
    fn led_to(
        &self,
        rows: &impl Rows,
        charter: &Charter,
        old: &NodeId,
    ) -> Result<(NodeId, Vec<Bytes>), ReplaceFailed> {
        let mut statements = Vec::new();
        let mut node = *old;
        while statements.len() < limits::REPLACEMENTS {
            let Some(fate) = self.fate(rows, &node)? else {
                break;
            };
            statements.extend(fate.rotations.iter().cloned());
            let next = fate.replaced_by().filter(|_| fate.confirmed_ms != 0);
            let (Some(next), Some(statement)) = (next, fate.replaced) else {
                break;
            };
            statements.push(statement);
            node = next;
        }
        if node == *old {
            return Err(ReplaceFailed::Unconfirmed);
        }
        if self.is_refused(rows, &node)? {
            return Err(ReplaceFailed::Unconfirmed);
        }
        // Some recovery keys may have changed before the member was admitted: the charter begins after them.
        let stands = charter.identity_of(old).ok_or(ReplaceFailed::DoesNotFit)?;
        for first in 0..statements.len() {
            let mut at = stands;
            let rest = &statements[first..];
            let mut leads = true;
            for statement in rest {
                match at.after(&stored(statement)?) {
                    Ok(after) => at = after,
                    Err(_) => leads = false,
                }
            }
            if leads && at.node == node {
                return Ok((node, rest.to_vec()));
            }
        }
        Err(ReplaceFailed::DoesNotFit)
    }
}
