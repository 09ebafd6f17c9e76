//! Invitations sent and received, and what became of them.

use std::collections::BTreeSet;

use minicbor::{Decode, Encode};
use rand_core::CryptoRng;
use serde::{Deserialize, Serialize};

use super::{
    Notice, Replica, Row, RowPrefix, Rows, StorageError, Written, rows::read,
    steward::StewardshipError,
};
use crate::{
    cbor::{self, Bytes},
    charter::Grant,
    circle::Circle,
    content::PatientIdentity,
    ids::{CircleId, Hash, InvitationId, NodeId},
    invite::{Acceptance, Invitation, InvitationReason, InviteError},
    sign::{Unverified, Verified},
    sync::{Change, News},
};

/// Where an invitation that was sent stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Encode, Decode, Serialize, Deserialize)]
#[cbor(index_only)]
#[serde(rename_all = "kebab-case")]
pub enum OutgoingState {
    /// No answer; silence and refusal look alike.
    #[n(0)]
    Waiting,
    /// Accepted and admitted.
    #[n(1)]
    Admitted,
    /// Nobody is admitted by it any more: a newer one took its place, the node is in the circle or was removed from it, or the person no
    /// longer agrees.
    #[n(2)]
    Cancelled,
}

/// An invitation that this node sent.
#[derive(Debug, Clone, PartialEq, Eq, Encode, Decode)]
#[cbor(array)]
pub struct Outgoing {
    /// Signed bytes.
    #[n(0)]
    pub invitation: Bytes,
    /// The circle that the node will be admitted to.
    #[n(1)]
    pub circle: CircleId,
    /// Who is asked.
    #[n(2)]
    pub to: NodeId,
    /// The past that it will be granted.
    #[n(3)]
    pub grant: Grant,
    /// Not valid at or after this moment, Unix milliseconds.
    #[n(4)]
    pub expires_ms: u64,
    /// Where it stands.
    #[n(5)]
    pub state: OutgoingState,
}

/// Where an invitation that was received stands.
#[derive(Debug, Clone, PartialEq, Eq, Encode, Decode)]
pub enum IncomingState {
    /// Nobody has decided.
    #[n(0)]
    Waiting,
    /// Accepted: the signed acceptance, its id, and the circle once the charter has arrived.
    #[n(1)]
    Accepted {
        /// Signed bytes.
        #[n(0)]
        acceptance: Bytes,
        /// Its hash.
        #[n(1)]
        id: Hash,
        /// The circle.
        #[n(2)]
        circle: Option<CircleId>,
        /// Id of the local person that the accepting person matched it with; none: a new person.
        #[n(3)]
        same_as: Option<CircleId>,
        /// Always 0; keeps the array's length.
        #[n(4)]
        reserved: u64,
    },
    /// Declined here; the other side hears nothing.
    #[n(2)]
    Declined,
    /// Taken back by the node that sent it, before it led into a circle.
    #[n(3)]
    Cancelled,
}

/// An invitation that this node received.
#[derive(Debug, Clone, PartialEq, Eq, Encode, Decode)]
#[cbor(array)]
pub struct Incoming {
    /// Signed bytes.
    #[n(0)]
    pub invitation: Bytes,
    /// Who asks.
    #[n(1)]
    pub from: NodeId,
    /// When it arrived, Unix milliseconds.
    #[n(2)]
    pub received_ms: u64,
    /// Where it stands.
    #[n(3)]
    pub state: IncomingState,
}

/// Why an invitation cannot be made, taken or answered.
#[derive(Debug, thiserror::Error)]
pub enum LetterError {
    /// The invitation or the acceptance.
    #[error(transparent)]
    Invite(#[from] InviteError),
    /// No such invitation.
    #[error(
        "there is no such invitation at this node: `maillonctl circle list --invitations` shows those that there are"
    )]
    NoInvitation,
    /// It was answered.
    #[error("the invitation was answered already")]
    Answered,
    /// It was taken back.
    #[error(
        "whoever sent the invitation has taken it back: a newer one took its place, or nobody is asked any more"
    )]
    Cancelled,
    /// From somebody else than the peer who brings it.
    #[error("the letter is signed by another node than the peer who brings it")]
    Sender,
    /// The node has no descriptor here.
    #[error("nothing is known of that node yet: peer with it first (`maillonctl peer invite`)")]
    NoDescriptor,
    /// The node is a member already.
    #[error("that structure is in the circle already")]
    Member,
    /// The past is granted from where no epoch begins.
    #[error("no epoch of this circle begins at entry {asked}: the past can be granted whole, not at all, or from entry {}", listed(.epochs))]
    NoEpoch {
        /// The entry that was named.
        asked: u64,
        /// The newest entries at which epochs begin, in order.
        epochs: Vec<u64>,
    },
    /// One continuation of a circle is accepted, not two.
    #[error("this node goes on with the circle elsewhere already, or has accepted to")]
    Continued,
    /// Only members continue a circle.
    #[error("whoever sent the invitation is not in the circle that it is to continue")]
    NotInIt,
    /// The charter of the circle that is to go on is not here as far as the invitation names it.
    #[error(
        "the circle that is to be continued has not arrived here that far: it comes with the next contact with a member"
    )]
    NotThatFar,
    /// It continues a branch of the circle's charter on which this node is not.
    #[error("the invitation continues another branch of the circle than the one that stands here")]
    OtherBranch,
    /// Too many.
    #[error("more than {0} invitations of this peer are waiting: answer or decline them first")]
    TooMany(usize),
    /// Stewardship.
    #[error(transparent)]
    Steward(#[from] StewardshipError),
    /// Storage.
    #[error(transparent)]
    Storage(#[from] StorageError),
}

/// How many beginnings of epochs an error names.
const NAMED: usize = 8;

/// Numbers as people read them.
fn listed(numbers: &[u64]) -> String {
    let words: Vec<String> = numbers.iter().map(u64::to_string).collect();
    words.join(", ")
}

/// How many undecided invitations of one peer are kept.
const WAITING_A_PEER: usize = 200;

impl Replica {
    /// Invites `to` into a circle of which this node is steward. `identity` is sealed to it. An invitation of the same node to the same circle
    /// that still waits is cancelled: one stands at a time.
    ///
    /// # Errors
    /// [`LetterError`].
    #[allow(clippy::too_many_arguments)]
    pub fn invite(
        &mut self,
        rows: &impl Rows,
        circle: &CircleId,
        to: NodeId,
        reason: InvitationReason,
        identity: Option<&PatientIdentity>,
        grant: Grant,
        now_ms: u64,
        rng: &mut impl CryptoRng,
    ) -> Result<InvitationId, LetterError> {
        let held = self.steward_circle(circle)?;
        if held.charter.is_member(&to) {
            return Err(LetterError::Member);
        }
        if let Grant::From(asked) = grant {
            let mut epochs: Vec<u64> = held.charter.epochs().collect();
            if !epochs.contains(&asked) {
                let epochs = epochs.split_off(epochs.len().saturating_sub(NAMED));
                return Err(LetterError::NoEpoch { asked, epochs });
            }
        }
        let subject = held.charter.state().subject;
        let descriptor = self
            .descriptor_of(rows, &to)?
            .ok_or(LetterError::NoDescriptor)?;
        let continues = held.continues.filter(|old| {
            let old = self.circles.get(&old.circle);
            old.is_some_and(|old| old.charter.is_member(&to))
        });
        let made = Invitation::make(
            to,
            &descriptor.object.seal,
            subject,
            reason,
            identity,
            continues,
            &self.keys.node,
            now_ms,
            rng,
        )?;
        let id = InvitationId(made.id);
        self.cancel_invitations(rows, circle, Some(&to))?;
        let row = Outgoing {
            invitation: Bytes(made.bytes),
            circle: *circle,
            to,
            grant,
            expires_ms: made.object.expires_ms,
            state: OutgoingState::Waiting,
        };
        self.stage(Row::Outgoing(id), cbor::encode(&row));
        self.published.news.push(News {
            circle: None,
            change: Change::Letter(to),
            from: None,
        });
        Ok(id)
    }

    /// Takes an invitation that `peer` sent; what this node accepts by itself because of it. The same one twice changes nothing.
    ///
    /// # Errors
    /// [`LetterError`].
    pub fn take_invitation(
        &mut self,
        rows: &impl Rows,
        peer: NodeId,
        bytes: Vec<u8>,
        now_ms: u64,
    ) -> Result<Vec<InvitationId>, LetterError> {
        let invitation = Invitation::verify(bytes, self.own(), now_ms)?;
        if invitation.object.from != peer {
            return Err(LetterError::Sender);
        }
        let id = InvitationId(invitation.id);
        if self.row(rows, &Row::Incoming(id))?.is_some() {
            return Ok(Vec::new());
        }
        let waiting = self
            .incoming(rows)?
            .into_iter()
            .filter(|(_, held)| held.from == peer && held.state == IncomingState::Waiting)
            .count();
        if waiting >= WAITING_A_PEER {
            return Err(LetterError::TooMany(WAITING_A_PEER));
        }
        let row = Incoming {
            invitation: Bytes(invitation.bytes),
            from: peer,
            received_ms: now_ms,
            state: IncomingState::Waiting,
        };
        self.stage(Row::Incoming(id), cbor::encode(&row));
        self.published.notices.push(Notice::Invited(id));
        match invitation.object.continues {
            Some(old) => Ok(self.follow_deputy(rows, &old.circle, now_ms)?),
            None => Ok(Vec::new()),
        }
    }

    /// Invitations received.
    ///
    /// # Errors
    /// [`StorageError`].
    pub fn incoming(
        &self,
        rows: &impl Rows,
    ) -> Result<Vec<(InvitationId, Incoming)>, StorageError> {
        self.over(rows)
            .scan(&RowPrefix::Incoming)?
            .iter()
            .map(|bytes| {
                let row: Incoming = read(bytes)?;
                Ok((invitation_id(&row.invitation)?, row))
            })
            .collect()
    }

    /// Invitations sent.
    ///
    /// # Errors
    /// [`StorageError`].
    pub fn outgoing(
        &self,
        rows: &impl Rows,
    ) -> Result<Vec<(InvitationId, Outgoing)>, StorageError> {
        self.over(rows)
            .scan(&RowPrefix::Outgoing)?
            .iter()
            .map(|bytes| {
                let row: Outgoing = read(bytes)?;
                Ok((invitation_id(&row.invitation)?, row))
            })
            .collect()
    }

    /// The identity that a received invitation is about; none for a community.
    ///
    /// # Errors
    /// [`LetterError`].
    pub fn invited_identity(
        &self,
        rows: &impl Rows,
        id: &InvitationId,
    ) -> Result<Option<PatientIdentity>, LetterError> {
        let row: Incoming = self
            .read_row(rows, &Row::Incoming(*id))?
            .ok_or(LetterError::NoInvitation)?;
        let invitation = stored_invitation(&row.invitation)?;
        Ok(invitation.object.identity(&self.keys.seals)?)
    }

    /// The circle at this node that a received invitation continues.
    ///
    /// # Errors
    /// [`LetterError`].
    pub fn invited_to_continue(
        &self,
        rows: &impl Rows,
        id: &InvitationId,
    ) -> Result<Option<CircleId>, LetterError> {
        let row: Incoming = self
            .read_row(rows, &Row::Incoming(*id))?
            .ok_or(LetterError::NoInvitation)?;
        let old = stored_invitation(&row.invitation)?.object.continues;
        Ok(old
            .map(|old| old.circle)
            .filter(|old| self.circles.contains_key(old)))
    }

    /// A person accepts an invitation; `same_as` is the local file of the same person, if there is one.
    ///
    /// # Errors
    /// [`LetterError`].
    pub fn accept(
        &mut self,
        rows: &impl Rows,
        id: &InvitationId,
        same_as: Option<CircleId>,
        now_ms: u64,
    ) -> Result<(), LetterError> {
        let mut row = self.undecided(rows, id)?;
        let invitation = stored_invitation(&row.invitation)?;
        if invitation.object.expires_ms <= now_ms {
            return Err(LetterError::Invite(InviteError::Expired));
        }
        let continued = self.to_be_continued(rows, &invitation.object)?;
        let same_as = continued.or(same_as);
        let acceptance = Acceptance::make(
            &invitation,
            Hash(self.descriptor.id),
            &self.keys.node,
            now_ms,
        );
        row.state = IncomingState::Accepted {
            acceptance: Bytes(acceptance.bytes),
            id: Hash(acceptance.id),
            circle: None,
            same_as,
            reserved: 0,
        };
        let from = row.from;
        self.stage(Row::Incoming(*id), cbor::encode(&row));
        self.published.news.push(News {
            circle: None,
            change: Change::Letter(from),
            from: None,
        });
        Ok(())
    }

    /// A person declines an invitation. Nothing is sent.
    ///
    /// # Errors
    /// [`LetterError`].
    pub fn decline(&mut self, rows: &impl Rows, id: &InvitationId) -> Result<(), LetterError> {
        let mut row = self.undecided(rows, id)?;
        row.state = IncomingState::Declined;
        self.stage(Row::Incoming(*id), cbor::encode(&row));
        Ok(())
    }

    /// A received invitation that a person may decide about.
    fn undecided(&self, rows: &impl Rows, id: &InvitationId) -> Result<Incoming, LetterError> {
        let row: Incoming = self
            .read_row(rows, &Row::Incoming(*id))?
            .ok_or(LetterError::NoInvitation)?;
        match row.state {
            IncomingState::Waiting => Ok(row),
            IncomingState::Cancelled => Err(LetterError::Cancelled),
            IncomingState::Accepted { .. } | IncomingState::Declined => Err(LetterError::Answered),
        }
    }

    /// Takes note that `peer` took back an invitation of its own. One that led into a circle already, that was declined, or that never came
    /// here, stays what it is.
    ///
    /// # Errors
    /// [`StorageError`].
    pub fn take_cancelled(
        &mut self,
        rows: &impl Rows,
        peer: NodeId,
        id: InvitationId,
    ) -> Result<(), StorageError> {
        let Some(mut row) = self.read_row::<Incoming>(rows, &Row::Incoming(id))? else {
            return Ok(());
        };
        let open = matches!(
            row.state,
            IncomingState::Waiting | IncomingState::Accepted { circle: None, .. }
        );
        if row.from == peer && open {
            row.state = IncomingState::Cancelled;
            self.stage(Row::Incoming(id), cbor::encode(&row));
            self.published.notices.push(Notice::Cancelled(id));
        }
        Ok(())
    }

    /// Cancels the invitations to a circle that wait for an answer: those of one node, or all; whom they asked is told. How many there were.
    ///
    /// # Errors
    /// [`StorageError`].
    pub fn cancel_invitations(
        &mut self,
        rows: &impl Rows,
        circle: &CircleId,
        to: Option<&NodeId>,
    ) -> Result<usize, StorageError> {
        let mut cancelled = 0;
        for (id, _) in self.outgoing(rows)? {
            let Some(mut row) = self.read_row::<Outgoing>(rows, &Row::Outgoing(id))? else {
                continue;
            };
            let meant = row.circle == *circle && to.is_none_or(|to| row.to == *to);
            if meant && row.state == OutgoingState::Waiting {
                row.state = OutgoingState::Cancelled;
                self.stage(Row::Outgoing(id), cbor::encode(&row));
                self.published.news.push(News {
                    circle: None,
                    change: Change::Letter(row.to),
                    from: None,
                });
                cancelled += 1;
            }
        }
        Ok(cancelled)
    }

    /// Takes an acceptance that `peer` sent of an invitation of ours: the peer is admitted, and the circle named. Nothing follows from an
    /// acceptance of an invitation that was used or cancelled.
    ///
    /// What was written again for the new member comes with the circle.
    ///
    /// # Errors
    /// [`LetterError`].
    pub fn take_acceptance(
        &mut self,
        rows: &impl Rows,
        peer: NodeId,
        bytes: Vec<u8>,
        now_ms: u64,
        rng: &mut impl CryptoRng,
    ) -> Result<Option<(CircleId, Vec<Written>)>, LetterError> {
        let acceptance = Acceptance::verify(bytes)?;
        if acceptance.object.node != peer {
            return Err(LetterError::Sender);
        }
        let id = acceptance.object.invitation;
        let mut row: Outgoing = self
            .read_row(rows, &Row::Outgoing(id))?
            .ok_or(LetterError::NoInvitation)?;
        if row.to != peer {
            return Err(LetterError::Sender);
        }
        let member = self
            .circles
            .get(&row.circle)
            .is_some_and(|circle| circle.charter.is_member(&peer));
        if row.state != OutgoingState::Waiting || member {
            return Ok(None);
        }
        if row.expires_ms <= now_ms {
            return Err(LetterError::Invite(InviteError::Expired));
        }
        self.admit(rows, &row.circle, &acceptance, row.grant, now_ms, rng)?;
        row.state = OutgoingState::Admitted;
        self.stage(Row::Outgoing(id), cbor::encode(&row));
        self.cancel_invitations(rows, &row.circle, Some(&peer))?;
        let renewed = self.renew(rows, &row.circle, now_ms, rng)?;
        Ok(Some((row.circle, renewed)))
    }

    /// Ids of the acceptances that this node gave and that may admit it to `circle`.
    pub(super) fn acceptances_for(
        &self,
        rows: &impl Rows,
        circle: &CircleId,
    ) -> Result<BTreeSet<Hash>, StorageError> {
        Ok(self
            .incoming(rows)?
            .into_iter()
            .filter_map(|(_, row)| match row.state {
                IncomingState::Accepted {
                    id, circle: used, ..
                } if used.is_none_or(|used| used == *circle) => Some(id),
                _ => None,
            })
            .collect())
    }

    /// Notes which circle an acceptance of ours admitted us to.
    pub(super) fn claim_acceptance(
        &mut self,
        rows: &impl Rows,
        circle: &mut Circle,
    ) -> Result<(), StorageError> {
        for (id, mut row) in self.incoming(rows)? {
            if let IncomingState::Accepted {
                id: acceptance,
                circle: used @ None,
                ..
            } = &mut row.state
                && circle.charter.quotes(acceptance)
            {
                *used = Some(circle.id());
                self.stage(Row::Incoming(id), cbor::encode(&row));
                let invitation = stored_invitation(&row.invitation)?;
                self.link(circle, invitation.object.continues);
            }
        }
        Ok(())
    }
}

pub(super) fn stored_invitation(bytes: &Bytes) -> Result<Verified<Invitation>, StorageError> {
    Ok(Unverified::parse(bytes.0.clone())
        .map_err(|_| StorageError::damaged("invitation"))?
        .trust_stored())
}

pub(super) fn invitation_id(bytes: &Bytes) -> Result<InvitationId, StorageError> {
    Ok(InvitationId(stored_invitation(bytes)?.id))
}
