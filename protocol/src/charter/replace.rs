//! A member's identity is replaced: what such an entry must prove, and how its steward makes it.
//!
//! One entry removes the old identity, with the cuts of its logs, and admits the new one in its place. It needs no acceptance of its own: it quotes
//! the statements of the recovery keys, which only the structure that had accepted can make, and a node that is named in one without having made it
//! itself does not take the circle ([`circle::begin`](crate::circle::begin)). They are checked against the recovery key that the charter knows of
//! the old identity, from the descriptor that an entry quoted before anything was stolen; so neither the old key nor the steward can name a new one.
//!
//! The new identity has the past that the old one had: what was granted then, and all that was written since. It is no deputy: the
//! steward appoints deputies.

use rand_core::CryptoRng;

use super::{
    Change, Charter, CharterError, Cut, Entry, EpochSecret, Grant, Made, Member, Steward,
    StewardError,
    apply::{At, check_descriptor},
    chain::Term,
};
use crate::{
    cbor::Bytes,
    descriptor::Descriptor,
    identity::{Identity, Replacement},
    ids::NodeId,
    keys::SealPublic,
    limits,
    sign::{Unverified, Verified},
};

impl Charter {
    /// The identity of whoever is or was listed, as the entry that listed it last says.
    pub fn identity_of(&self, node: &NodeId) -> Option<Identity> {
        let (recovery, counter) = *self.recoveries.get(node)?;
        Some(Identity {
            node: *node,
            recovery,
            counter,
        })
    }

    /// The member that takes the place of `old`, in entry `number`: it reads what `old` could read.
    fn in_place_of(&self, old: &NodeId, new: NodeId, number: u64) -> Option<Member> {
        let before = self.listed(old)?;
        let grant = match before.grant {
            // Its admission began an epoch.
            Grant::Nothing => Grant::From(before.since),
            granted => granted,
        };
        Some(Member {
            node: new,
            since: number,
            grant,
        })
    }

    pub(super) fn apply_replace(
        &mut self,
        at: At,
        (old, cuts): (NodeId, &[Cut]),
        (new, descriptor): (NodeId, &Bytes),
        statements: &[Bytes],
    ) -> Result<(), CharterError> {
        let number = at.number;
        let member = self.in_place_of(&old, new, number);
        at.require(
            member.is_some() && !self.has_left(&old),
            "the replaced identity is no member",
        )?;
        let Some(member) = member else {
            return Ok(());
        };
        at.require(
            old != self.state.steward,
            "the steward's identity is replaced by a successor of the circle",
        )?;
        at.require(
            !self.ever_listed(&new),
            "the new identity was in the circle before",
        )?;
        let said = check_descriptor(number, descriptor.0.clone(), new)?;
        limits::within(
            "the statements of a replacement",
            statements.len() as u64,
            limits::REPLACEMENTS as u64,
        )?;
        let known = self.identity_of(&old);
        at.require(known.is_some(), "no recovery key is known of the member")?;
        let Some(mut stands) = known else {
            return Ok(());
        };
        for statement in statements {
            stands = Replacement::verify(statement.0.clone())
                .and_then(|statement| stands.after(&statement))
                .map_err(|error| CharterError::Replacement { number, error })?;
        }
        at.require(
            stands.node == new,
            "the statements do not lead to the new identity",
        )?;
        at.require(
            stands.recovery == said.recovery,
            "the new identity names another recovery key than the statements do",
        )?;
        let starts = self.starts.get(&old).cloned().unwrap_or_default();
        let begins = self.listed(&old).map_or(number, |before| before.since);
        let begins = self.inherited.get(&old).copied().unwrap_or(begins);
        self.apply_remove(at, old, cuts, None)?;
        self.state.members.push(member);
        let term = Term {
            from: number,
            until: 0,
        };
        self.terms.insert(new, vec![term]);
        self.starts.insert(new, starts);
        self.inherited.insert(new, begins);
        self.recoveries
            .insert(new, (stands.recovery, stands.counter));
        self.replaced.insert(old);
        Ok(())
    }

    /// Whether this charter was kept by a version that did not look at recovery keys.
    pub(crate) fn lacks_recoveries(&self) -> bool {
        self.recoveries.is_empty()
    }

    /// Takes the recovery keys from the charter's own entries, which were checked when they came.
    pub(crate) fn recall_recoveries(&mut self, entries: impl IntoIterator<Item = Entry>) {
        for entry in entries {
            if let Change::Found { descriptor } | Change::Admit { descriptor, .. } = entry.change
                && let Ok(said) = Unverified::<Descriptor>::parse(descriptor.0)
            {
                let Descriptor { node, recovery, .. } = said.object;
                self.recoveries.insert(node, (recovery, 0));
            }
        }
    }
}

/// Puts the identity of `descriptor` in the place of `old`, by the statements that lead there; the logs of `old` count up to `cuts`. `secrets` are
/// the epochs that this node can open, sealed to the new identity as far as they are granted.
///
/// # Errors
/// [`StewardError`].
pub fn replace<K: Fn(&NodeId) -> Option<SealPublic>>(
    steward: &Steward<'_, K>,
    (old, cuts): (NodeId, Vec<Cut>),
    descriptor: &Verified<Descriptor>,
    statements: Vec<Bytes>,
    secrets: &[(u64, EpochSecret)],
    rng: &mut impl CryptoRng,
) -> Result<Made, StewardError> {
    let new = descriptor.object.node;
    let number = steward.charter.number() + 1;
    let member = steward.charter.in_place_of(&old, new, number);
    let change = Change::Replace {
        old,
        cuts,
        new,
        descriptor: Bytes(descriptor.bytes.clone()),
        statements,
    };
    let mut made = steward.make(
        change,
        |state| {
            state.members.retain(|member| member.node != old);
            state.deputies.retain(|deputy| *deputy != old);
            state.members.extend(member);
        },
        rng,
    )?;
    for (epoch, secret) in secrets {
        let sealed = steward.seal(&made.charter, *epoch, secret, new, rng);
        made.seals.extend(sealed);
    }
    Ok(made)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_replacement_begins_an_epoch_and_leaves_the_reserve_to_removals() {
        let replace = Change::Replace {
            old: NodeId([1; 32]),
            cuts: Vec::new(),
            new: NodeId([2; 32]),
            descriptor: Bytes(Vec::new()),
            statements: Vec::new(),
        };
        assert!(replace.starts_epoch());
        // It admits somebody: in a charter that is nearly full, who was stolen is removed.
        assert!(!replace.may_use_reserve());
    }
}
