//! What this node does as the steward of its circles.

use std::{
    collections::{BTreeMap, BTreeSet},
    sync::Arc,
};

use rand_core::CryptoRng;

use super::{Notice, Replica, Row, Rows, StorageError, depart::heads_of};
use crate::{
    cbor,
    charter::{
        self, Charter, Cut, EpochSecret, Grant, Made, Predecessor, RemovalReason, RotationReason,
        Steward, StewardError, Subject,
    },
    circle::{Branches, Circle},
    ids::{CircleId, NodeId},
    invite::Acceptance,
    keys::SealPublic,
    sign::Verified,
    sync::{Change, News},
};

/// Why a membership change is not made.
#[derive(Debug, thiserror::Error)]
pub enum StewardshipError {
    /// No such circle.
    #[error(
        "there is no such circle at this node: `maillonctl circle list` shows those that there are"
    )]
    NoCircle,
    /// The charter.
    #[error(transparent)]
    Steward(#[from] StewardError),
    /// The new steward would lack secrets that it must pass on to those whom it admits.
    #[error(
        "the member was not admitted to the whole past, and could not pass it on to those whom it admits"
    )]
    Partly,
    /// By its own word, which the entry follows.
    #[error("that member has left the circle: it can be no steward and no deputy")]
    HasLeft,
    /// What was written in an epoch could not be read by anybody any more.
    #[error(
        "the secret of what was written since entry {0} has come to no other member from this one yet: without it nobody could read that"
    )]
    OnlyHolder(u64),
    /// It was restored, and might sign a second entry of one number.
    #[error(
        "this node was restored from a copy, and no other member has confirmed yet that the circle's membership here is the newest"
    )]
    Unconfirmed,
    /// This node's own identity was revoked.
    #[error(
        "this node's identity was revoked: it signs nothing more. Another member continues the circle (`maillonctl circle continue`)"
    )]
    Revoked,
    /// The node to admit was revoked or replaced.
    #[error("that node's identity was revoked or replaced: it is admitted to nothing any more")]
    Refused,
    /// Nothing is known of the node to admit.
    #[error("nothing is known of the node to admit: it has no descriptor here")]
    NoDescriptor,
    /// Storage.
    #[error(transparent)]
    Storage(#[from] StorageError),
}

impl Replica {
    /// Founds a circle with this node alone in it.
    pub fn found(&mut self, subject: Subject, now_ms: u64, rng: &mut impl CryptoRng) -> CircleId {
        self.found_after(subject, None, now_ms, rng)
    }

    /// The same, where it may continue another circle.
    pub(super) fn found_after(
        &mut self,
        subject: Subject,
        predecessor: Option<Predecessor>,
        now_ms: u64,
        rng: &mut impl CryptoRng,
    ) -> CircleId {
        let time = self.tick(now_ms);
        let made = charter::found(
            subject,
            predecessor,
            &self.descriptor,
            &self.keys.node,
            time,
            rng,
        );
        let circle = Circle {
            charter: Arc::new(made.charter.clone()),
            logs: BTreeMap::new(),
            secrets: BTreeMap::new(),
            exceptions: Vec::new(),
            lacking: BTreeMap::new(),
            continues: predecessor,
            continued: None,
            unconfirmed: false,
            erasures: 0,
            branches: Branches::default(),
            beside: BTreeMap::new(),
            waived: BTreeSet::new(),
            changed: 0,
        };
        self.put_made(circle, made)
    }

    /// The circle, if this node is its steward and may sign.
    pub(super) fn steward_circle(
        &self,
        circle: &CircleId,
    ) -> Result<Arc<Circle>, StewardshipError> {
        let held = self.circles.get(circle).ok_or(StewardshipError::NoCircle)?;
        if held.charter.state().steward != self.own() {
            return Err(StewardError::NotSteward.into());
        }
        if held.unconfirmed {
            return Err(StewardshipError::Unconfirmed);
        }
        Ok(Arc::clone(held))
    }

    /// The newest receive keys of the circle's members and of `also`.
    fn seal_keys(
        &self,
        rows: &impl Rows,
        charter: &Charter,
        also: Option<NodeId>,
    ) -> Result<BTreeMap<NodeId, SealPublic>, StorageError> {
        let members = charter.state().members.iter().map(|member| member.node);
        let mut keys = BTreeMap::new();
        for node in members.chain(also) {
            if let Some(descriptor) = self.descriptor_of(rows, &node)? {
                keys.insert(node, descriptor.object.seal);
            }
        }
        Ok(keys)
    }

    pub(super) fn make(
        &mut self,
        rows: &impl Rows,
        id: &CircleId,
        also: Option<NodeId>,
        now_ms: u64,
        change: impl FnOnce(
            &Steward<'_, &dyn Fn(&NodeId) -> Option<SealPublic>>,
            &Circle,
        ) -> Result<Made, StewardError>,
    ) -> Result<(), StewardshipError> {
        let circle = self.steward_circle(id)?;
        if self.is_revoked(rows)? {
            return Err(StewardshipError::Revoked);
        }
        let keys = self.seal_keys(rows, &circle.charter, also)?;
        let seal_key = |node: &NodeId| keys.get(node).cloned();
        let mut clock = self.clock;
        let time = clock.tick(now_ms);
        let steward = Steward {
            charter: &circle.charter,
            key: &self.keys.node,
            seal_key: &seal_key as &dyn Fn(&NodeId) -> Option<SealPublic>,
            time,
        };
        let made = change(&steward, &circle)?;
        self.tick(now_ms);
        self.put_made((*circle).clone(), made);
        Ok(())
    }

    fn put_made(&mut self, mut circle: Circle, made: Made) -> CircleId {
        let own = self.own();
        let id = made.charter.circle();
        let number = made.charter.number();
        self.stage(Row::Entry(id, number), made.entry.bytes.clone());
        for seal in &made.seals {
            self.stage(
                Row::Seal(id, seal.recipient, seal.number),
                cbor::encode(seal),
            );
        }
        if let Some(secret) = made.secret {
            circle.secrets.insert(number, secret);
        }
        let member = made.charter.is_member(&own);
        circle.charter = Arc::new(made.charter);
        self.put_circle(circle);
        self.published.notices.push(Notice::Charter {
            circle: id,
            entry: number,
            member,
        });
        self.published.news.push(News {
            circle: Some(id),
            change: Change::Charter,
            from: None,
        });
        id
    }

    /// Admits the node that signed `acceptance`.
    pub(super) fn admit(
        &mut self,
        rows: &impl Rows,
        id: &CircleId,
        acceptance: &Verified<Acceptance>,
        grant: Grant,
        now_ms: u64,
        rng: &mut impl CryptoRng,
    ) -> Result<(), StewardshipError> {
        let node = acceptance.object.node;
        if self.is_refused(rows, &node)? {
            return Err(StewardshipError::Refused);
        }
        let descriptor = self
            .descriptor_of(rows, &node)?
            .ok_or(StewardshipError::NoDescriptor)?;
        self.make(rows, id, Some(node), now_ms, |steward, circle| {
            let starts = match grant {
                Grant::Whole => Vec::new(),
                Grant::Nothing | Grant::From(_) => starts_of(circle, grant),
            };
            let secrets: Vec<(u64, EpochSecret)> = circle
                .secrets
                .iter()
                .map(|(number, secret)| (*number, secret.clone()))
                .collect();
            charter::admit(
                steward,
                &descriptor,
                acceptance,
                grant,
                starts,
                &secrets,
                rng,
            )
        })
    }

    /// Removes a member; its logs count up to what this node holds of them. One that holds a secret alone stays until another member has it, unless its key may
    /// be in other hands: then the circle does without.
    ///
    /// # Errors
    /// [`StewardshipError`].
    pub fn remove(
        &mut self,
        rows: &impl Rows,
        id: &CircleId,
        node: NodeId,
        reason: RemovalReason,
        now_ms: u64,
        rng: &mut impl CryptoRng,
    ) -> Result<(), StewardshipError> {
        let circle = self.steward_circle(id)?;
        if reason != RemovalReason::Compromised
            && let Some(epoch) = self.held_by_nobody_but(rows, &circle, &node)?
        {
            return Err(StewardshipError::OnlyHolder(epoch));
        }
        let cuts = heads_of(&circle, &node).into_values().collect();
        self.remove_up_to(rows, id, node, reason, cuts, now_ms, rng)
    }

    /// Removes a member whose logs count up to `cuts`.
    #[expect(clippy::too_many_arguments, reason = "one change of a membership")]
    pub(super) fn remove_up_to(
        &mut self,
        rows: &impl Rows,
        id: &CircleId,
        node: NodeId,
        reason: RemovalReason,
        cuts: Vec<Cut>,
        now_ms: u64,
        rng: &mut impl CryptoRng,
    ) -> Result<(), StewardshipError> {
        self.make(rows, id, None, now_ms, |steward, _| {
            charter::remove(steward, node, reason, cuts, rng)
        })?;
        // What it was asked before does not bring it back.
        self.cancel_invitations(rows, id, Some(&node))?;
        Ok(())
    }

    /// An epoch whose secret this node is granted and has not, and of which no other member but `node` has said that it has opened it.
    fn held_by_nobody_but(
        &self,
        rows: &impl Rows,
        circle: &Circle,
        node: &NodeId,
    ) -> Result<Option<u64>, StorageError> {
        let own = self.own();
        if !circle.lacks_a_secret(&own) {
            return Ok(None);
        }
        let acks = self.acks(rows, &circle.id())?;
        let charter = &circle.charter;
        let elsewhere = |epoch: &u64| {
            let mut others = acks.iter().filter(|ack| ack.node != *node);
            others.any(|ack| charter.is_member(&ack.node) && ack.opened.contains(epoch))
        };
        Ok(charter.epochs().find(|epoch| {
            charter.is_granted(&own, *epoch)
                && circle.secret(*epoch).is_none()
                && charter.was_member(node, *epoch)
                && !elsewhere(epoch)
        }))
    }

    /// Starts a new epoch.
    ///
    /// # Errors
    /// [`StewardshipError`].
    pub fn rotate(
        &mut self,
        rows: &impl Rows,
        id: &CircleId,
        reason: RotationReason,
        now_ms: u64,
        rng: &mut impl CryptoRng,
    ) -> Result<(), StewardshipError> {
        self.make(rows, id, None, now_ms, |steward, _| {
            charter::rotate(steward, reason, rng)
        })
    }

    /// Closes a circle. Nobody is admitted to it by what was asked before.
    ///
    /// # Errors
    /// [`StewardshipError`].
    pub fn close(
        &mut self,
        rows: &impl Rows,
        id: &CircleId,
        reason: u64,
        now_ms: u64,
        rng: &mut impl CryptoRng,
    ) -> Result<(), StewardshipError> {
        self.make(rows, id, None, now_ms, |steward, _| {
            charter::close(steward, reason, rng)
        })?;
        self.cancel_invitations(rows, id, None)?;
        Ok(())
    }

    /// Opens a closed circle again. Who left and could not be removed yet is removed now: those are returned.
    ///
    /// # Errors
    /// [`StewardshipError`].
    pub fn reopen(
        &mut self,
        rows: &impl Rows,
        id: &CircleId,
        reason: u64,
        now_ms: u64,
        rng: &mut impl CryptoRng,
    ) -> Result<Vec<NodeId>, StewardshipError> {
        self.make(rows, id, None, now_ms, |steward, _| {
            charter::reopen(steward, reason, rng)
        })?;
        let removed = self.remove_who_left(rows, id, now_ms, rng)?;
        if self.row(rows, &Row::Renewing(*id))?.is_some() {
            self.published.notices.push(Notice::Renewing(*id));
        }
        Ok(removed)
    }

    /// Makes another member, which reads the whole past, the circle's steward. An acceptance of what this node asked before would be for a steward that there is no more: it
    /// is taken back.
    ///
    /// # Errors
    /// [`StewardshipError`].
    pub fn hand_over(
        &mut self,
        rows: &impl Rows,
        id: &CircleId,
        to: NodeId,
        now_ms: u64,
        rng: &mut impl CryptoRng,
    ) -> Result<(), StewardshipError> {
        let circle = self.steward_circle(id)?;
        if circle.charter.has_left(&to) {
            return Err(StewardshipError::HasLeft);
        }
        let member = circle.charter.member(&to);
        if member.is_some_and(|member| member.grant != Grant::Whole) {
            return Err(StewardshipError::Partly);
        }
        self.make(rows, id, None, now_ms, |steward, _| {
            charter::hand_over(steward, to, rng)
        })?;
        self.cancel_invitations(rows, id, None)?;
        Ok(())
    }

    /// Says who a circle's deputies are from now on.
    ///
    /// # Errors
    /// [`StewardshipError`].
    pub fn appoint(
        &mut self,
        rows: &impl Rows,
        id: &CircleId,
        deputies: Vec<NodeId>,
        now_ms: u64,
        rng: &mut impl CryptoRng,
    ) -> Result<(), StewardshipError> {
        let circle = self.steward_circle(id)?;
        if deputies.iter().any(|node| circle.charter.has_left(node)) {
            return Err(StewardshipError::HasLeft);
        }
        self.make(rows, id, None, now_ms, |steward, _| {
            charter::appoint(steward, deputies, rng)
        })
    }
}

/// Where logs start for a member that is not granted the whole past.
fn starts_of(circle: &Circle, grant: Grant) -> Vec<charter::LogStart> {
    circle
        .logs
        .iter()
        .map(|(log, tip)| {
            let sequence = match grant {
                Grant::From(entry) => tip.first_naming(entry).unwrap_or(tip.height + 1),
                Grant::Nothing | Grant::Whole => tip.height + 1,
            };
            charter::LogStart {
                log: *log,
                sequence,
            }
        })
        .collect()
}
