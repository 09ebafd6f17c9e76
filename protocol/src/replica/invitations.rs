//! Invitations: what is kept of those that were sent and received, why there is none, and the sending side: made, taken back, accepted. The
//! receiving side is [`super::invited`].

use minicbor::{Decode, Encode};
use rand_core::CryptoRng;
use serde::{Deserialize, Serialize};

use super::{
    Replica, Row, RowPrefix, Rows, StorageError, Written, rows::read, steward::StewardshipError,
};
use crate::{
    cbor::Bytes,
    charter::Grant,
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
        if self.is_refused(rows, &to)? {
            return Err(StewardshipError::Refused.into());
        }
        if held.charter.listed(&to).is_some() {
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
        self.sort_letters(rows, &to, now_ms)?;
        self.cancel_invitations(rows, circle, Some(&to))?;
        let row = Outgoing {
            invitation: Bytes(made.bytes),
            circle: *circle,
            to,
            grant,
            expires_ms: made.object.expires_ms,
            state: OutgoingState::Waiting,
        };
        self.put_outgoing(id, &row);
        self.published.news.push(News {
            circle: None,
            change: Change::Letter(to),
            from: None,
        });
        Ok(id)
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
        for (id, mut row) in self.open_outgoing(rows, to)? {
            if row.circle == *circle && row.state == OutgoingState::Waiting {
                row.state = OutgoingState::Cancelled;
                self.put_outgoing(id, &row);
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
            .is_some_and(|circle| circle.charter.listed(&peer).is_some());
        if row.state != OutgoingState::Waiting || member {
            return Ok(None);
        }
        if row.expires_ms <= now_ms {
            return Err(LetterError::Invite(InviteError::Expired));
        }
        self.admit(rows, &row.circle, &acceptance, row.grant, now_ms, rng)?;
        row.state = OutgoingState::Admitted;
        self.put_outgoing(id, &row);
        self.cancel_invitations(rows, &row.circle, Some(&peer))?;
        let renewed = self.renew(rows, &row.circle, now_ms, rng)?;
        Ok(Some((row.circle, renewed)))
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
