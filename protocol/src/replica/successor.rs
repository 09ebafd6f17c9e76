//! Circles that continue others.
//!
//! When a circle's steward is lost, its key stolen, or its charter has forked, nobody votes: any other member founds a *successor* of the
//! circle up to the last entry that its members have in common, and asks them into it. The invitation names both; the new charter holds a
//! commitment to them, because it goes to members, too, that were never in the old circle. Accepting is a person's act, or the node's own where
//! the charter had named that founder as deputy (the steward's node always asks a person: it was not lost); a node goes on with one successor. The old circle's records stay where they are and are still
//! exchanged by those whom its charter lists. What is new is written in the successor; an answer or a newer version stays beside that
//! which it is about, where everybody who has the one has the other.

use rand_core::CryptoRng;

use super::{
    Draft, LetterError, Notice, Replica, RowPrefix, Rows, StorageError, WriteFailed,
    invitations::stored_invitation,
    rows::read,
    standing::{again, is_for_everybody, standing},
};
use crate::{
    cbor,
    charter::{Grant, Predecessor},
    circle::Circle,
    content::{Content, Kind, PatientIdentity},
    dossier::Thing,
    ids::{CircleId, InvitationId, NodeId, ThingId},
    invite::{Invitation, InvitationReason},
    replica::IncomingState,
};

/// What came of founding a successor.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Succession {
    /// The new circle.
    pub circle: CircleId,
    /// Members of the old one that were asked.
    pub asked: Vec<NodeId>,
    /// Members that could not be asked, because their receive key has expired: to be invited when a newer one has come.
    pub not_asked: Vec<NodeId>,
}

/// Why a circle is not continued.
#[derive(Debug, thiserror::Error)]
pub enum SuccessionError {
    /// No such circle.
    #[error(
        "there is no such circle at this node: `maillonctl circle list` shows those that there are"
    )]
    NoCircle,
    /// Removed, or never in.
    #[error("this node is no longer a member of the circle: only members continue it")]
    NotMember,
    /// Nobody is missing.
    #[error("this node is the circle's steward itself: nothing keeps it from going on")]
    Steward,
    /// It was done.
    #[error("the circle is continued by another one already")]
    Continued,
    /// What everybody must read could not be written.
    #[error(transparent)]
    Write(#[from] WriteFailed),
    /// The members could not be asked.
    #[error(transparent)]
    Letter(#[from] LetterError),
    /// Storage.
    #[error(transparent)]
    Storage(#[from] StorageError),
}

impl Replica {
    /// Continues a circle whose steward does nothing any more: founds another one, writes in it who the person is and what they answered about
    /// sharing, and asks the members, `without` those whom it is founded to be rid of.
    ///
    /// # Errors
    /// [`SuccessionError`].
    pub fn succeed(
        &mut self,
        rows: &impl Rows,
        old: &CircleId,
        without: &[NodeId],
        now_ms: u64,
        rng: &mut impl CryptoRng,
    ) -> Result<Succession, SuccessionError> {
        let held = self.circles.get(old).ok_or(SuccessionError::NoCircle)?;
        let held = std::sync::Arc::clone(held);
        let charter = &held.charter;
        let own = self.own();
        if !charter.is_member(&own) {
            return Err(SuccessionError::NotMember);
        }
        if charter.state().steward == own {
            return Err(SuccessionError::Steward);
        }
        if self.is_continued(rows, &held)? {
            return Err(SuccessionError::Continued);
        }
        let predecessor = self.last_in_common(rows, &held)?;
        let (identity, drafts) = self.what_goes_along(rows, &held)?;
        let subject = charter.state().subject;
        let circle = self.found_after(subject, Some(predecessor), now_ms, rng);
        if !drafts.is_empty() {
            self.write(rows, &circle, drafts, now_ms, rng)?;
        }
        self.go_on(*old, circle);
        let mut succession = Succession {
            circle,
            asked: Vec::new(),
            not_asked: Vec::new(),
        };
        // Whom another branch of the charter removes is asked too, unless somebody says otherwise.
        let listed = charter.state().members.iter().map(|member| member.node);
        let others = listed.filter(|node| !charter.has_left(node));
        for to in others.filter(|node| *node != own && !without.contains(node)) {
            let reason = InvitationReason::Successor;
            let (who, past) = (identity.as_ref(), Grant::Whole);
            match self.invite(rows, &circle, to, reason, who, past, now_ms, rng) {
                Ok(_) => succession.asked.push(to),
                Err(LetterError::Storage(error)) => return Err(error.into()),
                Err(_) => succession.not_asked.push(to),
            }
        }
        Ok(succession)
    }

    /// The last entry before any second one of the same number that was kept aside.
    fn last_in_common(&self, rows: &impl Rows, held: &Circle) -> Result<Predecessor, StorageError> {
        let charter = &held.charter;
        let last = self.last_common(rows, held)?;
        Ok(Predecessor {
            circle: held.id(),
            entry: last,
            hash: charter.hash_of(last).unwrap_or_else(|| charter.head()),
        })
    }

    /// Who the person is, and what is to be written in the new circle so that it can be used: that, and what they answered about sharing.
    fn what_goes_along(
        &self,
        rows: &impl Rows,
        held: &Circle,
    ) -> Result<(Option<PatientIdentity>, Vec<Draft>), StorageError> {
        let mut identity = None;
        let mut drafts = Vec::new();
        for bytes in self.over(rows).scan(&RowPrefix::Things(held.id()))? {
            let (_, thing): (ThingId, Thing) = read(&bytes)?;
            for version in standing(&thing) {
                let whose = version.kind == Kind::PatientIdentity as u64;
                // Of several that contradict each other, the newest; the old circle goes on showing all.
                if !is_for_everybody(version.kind) || (whose && identity.is_some()) {
                    continue;
                }
                let Some((_, _, record)) = self.placed(rows, held, version.record)? else {
                    continue;
                };
                let Some((_, draft)) = again(held, &record) else {
                    continue;
                };
                if let Content::PatientIdentity(person) = &draft.content {
                    identity = Some(person.clone());
                }
                drafts.push(Draft {
                    thing: None,
                    parent: None,
                    supersedes: Vec::new(),
                    ..draft
                });
            }
        }
        Ok((identity, drafts))
    }

    /// Whether what is new of this circle belongs into another one, in which this node is.
    pub(super) fn goes_on_elsewhere(&self, held: &Circle) -> bool {
        let successor = held.continued.and_then(|id| self.circles.get(&id));
        successor.is_some_and(|next| next.charter.is_member(&self.own()))
    }

    /// Whether this node goes on with a circle elsewhere, or has accepted to.
    fn is_continued(&self, rows: &impl Rows, held: &Circle) -> Result<bool, StorageError> {
        let successor = held.continued.and_then(|id| self.circles.get(&id));
        let open = successor.is_some_and(|next| {
            next.charter.is_member(&self.own()) && !next.charter.state().closed
        });
        if open {
            return Ok(true);
        }
        for (_, row) in self.incoming(rows)? {
            if let IncomingState::Accepted { circle: None, .. } = row.state
                && continues(&row.invitation)?.is_some_and(|old| old.circle == held.id())
            {
                return Ok(true);
            }
        }
        Ok(false)
    }

    /// The circle at this node that an invitation continues, if it does and this node may go on with it.
    ///
    /// # Errors
    /// [`LetterError::NotInIt`], [`LetterError::Continued`], [`LetterError::NotThatFar`], [`LetterError::OtherBranch`].
    pub(super) fn to_be_continued(
        &self,
        rows: &impl Rows,
        invitation: &Invitation,
    ) -> Result<Option<CircleId>, LetterError> {
        let Some(old) = invitation.continues else {
            return Ok(None);
        };
        let Some(held) = self.circles.get(&old.circle) else {
            return Ok(None);
        };
        let from = &invitation.from;
        if held.charter.listed(from).is_none() || held.charter.has_left(from) {
            return Err(LetterError::NotInIt);
        }
        if self.is_continued(rows, held)? {
            return Err(LetterError::Continued);
        }
        match held.charter.hash_of(old.entry) {
            None => Err(LetterError::NotThatFar),
            Some(hash) if hash != old.hash => Err(LetterError::OtherBranch),
            Some(_) => Ok(Some(old.circle)),
        }
    }

    /// Accepts what the deputies of a circle ask this node to go on with; which invitations those are. What cannot be accepted waits for a person.
    pub(super) fn follow_deputy(
        &mut self,
        rows: &impl Rows,
        id: &CircleId,
        now_ms: u64,
    ) -> Result<Vec<InvitationId>, StorageError> {
        let mut accepted = Vec::new();
        let Some(held) = self.circles.get(id) else {
            return Ok(accepted);
        };
        let state = held.charter.state();
        // A steward that is there after all asks its people.
        let ours = state.steward == self.own();
        if ours || state.deputies.is_empty() || !held.charter.is_member(&self.own()) {
            return Ok(accepted);
        }
        let deputies = state.deputies.clone();
        for (invitation, row) in self.incoming(rows)? {
            let asked = row.state == IncomingState::Waiting && deputies.contains(&row.from);
            if !asked || continues(&row.invitation)?.is_none_or(|old| old.circle != *id) {
                continue;
            }
            match self.accept(rows, &invitation, None, now_ms) {
                Ok(()) => accepted.push(invitation),
                Err(LetterError::Storage(error)) => return Err(error),
                Err(_) => {}
            }
        }
        Ok(accepted)
    }

    /// A circle has begun here by an invitation that said which one it continues.
    pub(super) fn link(&mut self, circle: &mut Circle, said: Option<Predecessor>) {
        let state = circle.charter.state();
        let is_so = |old: &Predecessor| state.predecessor == Some(old.commitment(&state.founding));
        if let Some(old) = said.filter(is_so) {
            circle.continues = Some(old);
            self.go_on(old.circle, circle.id());
        }
    }

    fn go_on(&mut self, old: CircleId, by: CircleId) {
        let Some(held) = self.circles.get(&old) else {
            return;
        };
        let mut next = (**held).clone();
        next.continued = Some(by);
        self.put_circle(next);
        self.published
            .notices
            .push(Notice::Continued { circle: old, by });
    }
}

/// The circle that a received invitation is to continue.
fn continues(invitation: &cbor::Bytes) -> Result<Option<Predecessor>, StorageError> {
    Ok(stored_invitation(invitation)?.object.continues)
}
