//! What each change makes of the state before it, and which changes there are not.

use std::collections::BTreeSet;

use super::{
    Change, Charter, CharterError, Cut, Grant, LogStart, Member, RemovalReason,
    chain::{CutAt, Term},
};
use crate::{
    cbor::Bytes,
    descriptor::Descriptor,
    ids::{Hash, NodeId},
    invite::Acceptance,
    limits,
};

/// An entry that is being applied.
#[derive(Clone, Copy)]
pub(super) struct At {
    pub(super) number: u64,
    signer: NodeId,
}

impl At {
    pub(super) const fn of(number: u64, signer: NodeId) -> Self {
        Self { number, signer }
    }

    pub(super) fn require(self, holds: bool, cause: &'static str) -> Result<(), CharterError> {
        let number = self.number;
        if holds {
            Ok(())
        } else {
            Err(CharterError::Change { number, cause })
        }
    }
}

/// What an admit entry says.
struct Admission<'a> {
    node: NodeId,
    descriptor: &'a Bytes,
    acceptance: &'a Bytes,
    grant: Grant,
    starts: &'a [LogStart],
}

impl Charter {
    /// Makes the state of entry `number` of the one before. An epoch that it starts has begun already.
    pub(super) fn apply(
        &mut self,
        number: u64,
        signer: NodeId,
        change: &Change,
    ) -> Result<(), CharterError> {
        let at = At { number, signer };
        match change {
            Change::Found { .. } => at.require(false, "a circle is founded once"),
            Change::Admit {
                node,
                descriptor,
                acceptance,
                grant,
                starts,
            } => self.apply_admit(
                at,
                Admission {
                    node: *node,
                    descriptor,
                    acceptance,
                    grant: *grant,
                    starts,
                },
            ),
            Change::Remove { node, cuts, reason } => {
                self.apply_remove(at, *node, cuts, Some(*reason))
            }
            Change::Rotate { .. } => Ok(()),
            Change::Close { .. } => {
                self.state.closed = true;
                Ok(())
            }
            Change::HandOver { to } => {
                at.require(*to != signer, "the steward hands over to another member")?;
                at.require(self.listed(to).is_some(), "the new steward is no member")?;
                self.state.steward = *to;
                self.stewards.push((number, *to));
                // It left before it knew: it hands over or closes first.
                self.departed.remove(to);
                // Who is the steward needs no successor.
                self.state.deputies.retain(|deputy| deputy != to);
                Ok(())
            }
            Change::Appoint { deputies } => self.apply_appoint(at, deputies),
            Change::Reopen { .. } => {
                at.require(self.state.closed, "the circle is not closed")?;
                self.state.closed = false;
                Ok(())
            }
            Change::Replace {
                old,
                cuts,
                new,
                descriptor,
                statements,
            } => self.apply_replace(at, (*old, cuts), (*new, descriptor), statements),
            Change::MoveCuts {
                node,
                removal,
                cuts,
            } => self.apply_move_cuts(at, *node, *removal, cuts),
        }
    }

    fn apply_admit(&mut self, at: At, admission: Admission<'_>) -> Result<(), CharterError> {
        let Admission {
            node,
            descriptor,
            acceptance,
            grant,
            starts,
        } = admission;
        let number = at.number;
        at.require(
            self.listed(&node).is_none(),
            "the admitted node is a member already",
        )?;
        at.require(
            !self.replaced.contains(&node),
            "the admitted node is an identity that was replaced",
        )?;
        limits::within(
            "the members of a circle",
            self.state.members.len() as u64 + 1,
            limits::MEMBERS as u64,
        )?;
        let said = check_descriptor(number, descriptor.0.clone(), node)?;
        let acceptance = Acceptance::verify(acceptance.0.clone())
            .map_err(|error| CharterError::Acceptance { number, error })?;
        at.require(
            acceptance.object.node == node && acceptance.object.to == at.signer,
            "the quoted acceptance is of another node or for another steward",
        )?;
        let id = Hash(acceptance.id);
        at.require(
            !self.acceptances.contains(&id),
            "the quoted acceptance has been used",
        )?;
        match grant {
            Grant::Whole => at.require(
                starts.is_empty(),
                "a grant of the whole past names no starts",
            )?,
            Grant::From(from) => at.require(
                self.epochs.iter().any(|epoch| epoch.number == from),
                "the granted epoch does not exist",
            )?,
            Grant::Nothing => {}
        }
        limits::within(
            "the logs of a circle",
            starts.len() as u64,
            limits::LOGS as u64,
        )?;
        self.acceptances.push(id);
        self.state.members.push(Member {
            node,
            since: number,
            grant,
        });
        self.terms.entry(node).or_default().push(Term {
            from: number,
            until: 0,
        });
        self.starts.insert(node, starts.to_vec());
        self.inherited.remove(&node);
        self.recoveries.insert(node, (said.recovery, 0));
        Ok(())
    }

    pub(super) fn apply_remove(
        &mut self,
        at: At,
        node: NodeId,
        cuts: &[Cut],
        reason: Option<RemovalReason>,
    ) -> Result<(), CharterError> {
        at.require(
            self.listed(&node).is_some(),
            "the removed node is no member",
        )?;
        at.require(
            node != self.state.steward,
            "the steward cannot be removed: it hands over or closes first",
        )?;
        let distinct: BTreeSet<_> = cuts.iter().map(|cut| cut.incarnation).collect();
        at.require(distinct.len() == cuts.len(), "a log is cut twice")?;
        limits::within(
            "the logs of a circle",
            cuts.len() as u64,
            limits::LOGS as u64,
        )?;
        self.state.members.retain(|member| member.node != node);
        self.state.deputies.retain(|deputy| *deputy != node);
        if let Some(term) = self.terms.get_mut(&node).and_then(|terms| terms.last_mut()) {
            term.until = at.number;
        }
        self.starts.remove(&node);
        self.departed.remove(&node);
        self.cuts.entry(node).or_default().push(CutAt {
            entry: at.number,
            cuts: cuts.to_vec(),
            reason,
            moves: 0,
        });
        Ok(())
    }

    fn apply_appoint(&mut self, at: At, deputies: &[NodeId]) -> Result<(), CharterError> {
        limits::within(
            "the deputies of a circle",
            deputies.len() as u64,
            limits::DEPUTIES as u64,
        )?;
        let distinct: BTreeSet<_> = deputies.iter().collect();
        at.require(
            distinct.len() == deputies.len(),
            "a deputy is appointed twice",
        )?;
        let able = |node: &NodeId| *node != self.state.steward && self.listed(node).is_some();
        at.require(
            deputies.iter().all(able),
            "a deputy is a member, and not the steward",
        )?;
        self.state.deputies = deputies.to_vec();
        Ok(())
    }
}

pub(super) fn check_descriptor(
    number: u64,
    bytes: Vec<u8>,
    node: NodeId,
) -> Result<Descriptor, CharterError> {
    let descriptor =
        Descriptor::verify(bytes).map_err(|error| CharterError::Descriptor { number, error })?;
    let at = At {
        number,
        signer: node,
    };
    at.require(
        descriptor.object.node == node,
        "the quoted descriptor is of another node",
    )?;
    Ok(descriptor.object)
}
