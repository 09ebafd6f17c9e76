//! What a removed node wrote and the steward had not seen when it signed the removal: the cut of a log moves by a later entry.
//!
//! A note that its author wrote in good time may have reached one member and not the steward. It lies beyond the cut, then, and would count for
//! nobody. So a member offers the steward what it holds beyond, and the steward's node moves the cut to what came, by itself where the member's
//! care has only ended. Where a key may be in other hands, or the node named its last records itself, that is a person's decision. A cut moves
//! forward only, and not more than [`limits::CUT_MOVES`] times for one removal.

use std::collections::BTreeSet;

use rand_core::CryptoRng;

use super::{
    Change, Charter, CharterError, Cut, Made, RemovalReason, Steward, StewardError, apply::At,
    chain::CutAt,
};
use crate::{
    ids::{LogId, NodeId},
    keys::SealPublic,
    limits,
};

/// The removal that says up to where a log counts.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Removal {
    /// The removing entry.
    pub entry: u64,
    /// Why; none where the node's identity was replaced.
    pub reason: Option<RemovalReason>,
    /// Whether its cuts may still move.
    pub movable: bool,
}

impl Removal {
    const fn of(at: &CutAt) -> Self {
        Self {
            entry: at.entry,
            reason: at.reason,
            movable: at.moves < limits::CUT_MOVES,
        }
    }

    /// Whether the steward's node moves the cut without being told to.
    pub fn moves_by_itself(&self) -> bool {
        self.movable && self.reason == Some(RemovalReason::Ended)
    }
}

impl CutAt {
    fn names(&self, cut: &Cut) -> Option<&Cut> {
        let mut named = self.cuts.iter();
        named.find(|held| held.incarnation == cut.incarnation)
    }
}

impl Charter {
    /// The removal that cuts `log` for a record that names entry `number`: of the term in which that was written. None where it is not cut, or an
    /// earlier removal cut the log: that stays as it is.
    pub fn removal_of(&self, log: &LogId, number: u64) -> Option<Removal> {
        let removals = self.cuts.get(&log.node)?;
        let mut terms = self.terms.get(&log.node)?.iter();
        let until = terms.find(|term| term.holds(number))?.until;
        let earlier = |at: &&CutAt| at.entry < until;
        let of_log = |at: &CutAt| at.cuts.iter().any(|cut| cut.incarnation == log.incarnation);
        if until == 0 || removals.iter().filter(earlier).any(of_log) {
            return None;
        }
        let mut removals = removals.iter();
        removals.find(|at| at.entry == until).map(Removal::of)
    }

    /// The last removal of a node, where it is no member now.
    pub fn last_removal(&self, node: &NodeId) -> Option<Removal> {
        let removed = self.removed_by(node)?;
        let mut removals = self.cuts.get(node)?.iter();
        removals.find(|at| at.entry == removed).map(Removal::of)
    }

    /// The charter in which the removal of `node` by entry `removal` counts its logs up to `cuts`, too.
    ///
    /// # Errors
    /// [`CharterError`] where that is no such removal, or a cut would not move forward.
    pub fn with_cuts_moved(
        &self,
        node: NodeId,
        removal: u64,
        cuts: &[Cut],
    ) -> Result<Self, CharterError> {
        let mut next = self.clone();
        let at = At::of(self.number() + 1, self.state.steward);
        next.apply_move_cuts(at, node, removal, cuts)?;
        Ok(next)
    }

    pub(super) fn apply_move_cuts(
        &mut self,
        at: At,
        node: NodeId,
        removal: u64,
        cuts: &[Cut],
    ) -> Result<(), CharterError> {
        let removals = self.cuts.get_mut(&node).map_or(&mut [][..], |held| held);
        let place = removals.iter().position(|held| held.entry == removal);
        at.require(place.is_some(), "the entry named removed no such node")?;
        let Some(place) = place else {
            return Ok(());
        };
        let distinct: BTreeSet<_> = cuts.iter().map(|cut| cut.incarnation).collect();
        at.require(distinct.len() == cuts.len(), "a log is cut twice")?;
        at.require(!cuts.is_empty(), "no cut is moved")?;
        let (before, from_here) = removals.split_at_mut(place);
        let Some(removed) = from_here.first_mut() else {
            return Ok(());
        };
        limits::within(
            "how often the cuts of one removal move",
            removed.moves + 1,
            limits::CUT_MOVES,
        )?;
        for cut in cuts {
            at.require(
                before.iter().all(|earlier| earlier.names(cut).is_none()),
                "an earlier removal cut the log",
            )?;
            let forward = removed
                .names(cut)
                .is_none_or(|held| held.sequence < cut.sequence);
            at.require(forward, "a cut moves forward only")?;
        }
        removed
            .cuts
            .retain(|held| !distinct.contains(&held.incarnation));
        removed.cuts.extend_from_slice(cuts);
        limits::within(
            "the logs of a circle",
            removed.cuts.len() as u64,
            limits::LOGS as u64,
        )?;
        removed.moves += 1;
        Ok(())
    }
}

/// Moves the cuts of the removal of `node` by entry `removal`.
///
/// # Errors
/// [`StewardError`].
pub fn move_cuts<K: Fn(&NodeId) -> Option<SealPublic>>(
    steward: &Steward<'_, K>,
    node: NodeId,
    removal: u64,
    cuts: Vec<Cut>,
    rng: &mut impl CryptoRng,
) -> Result<Made, StewardError> {
    let change = Change::MoveCuts {
        node,
        removal,
        cuts,
    };
    steward.make(change, |_| {}, rng)
}
