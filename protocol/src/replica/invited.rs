//! Invitations received: taken, shown, answered by a person, and known again when the charter comes that quotes the answer.

use std::collections::BTreeSet;

use super::{
    Incoming, IncomingState, LetterError, Notice, Replica, Row, RowPrefix, Rows, StorageError,
    invitations::{invitation_id, stored_invitation},
    rows::read,
};
use crate::{
    cbor::Bytes,
    charter::{Change::Admit, Entry},
    circle::Circle,
    content::PatientIdentity,
    ids::{CircleId, Hash, InvitationId, NodeId},
    invite::{Acceptance, Invitation, InviteError},
    sign::Verified,
    sync::{Change, News},
};

/// How many undecided invitations of one peer are kept.
const WAITING_A_PEER: usize = 200;

impl Replica {
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
        if self.sort_letters(rows, &peer, now_ms)? >= WAITING_A_PEER {
            return Err(LetterError::TooMany(WAITING_A_PEER));
        }
        let row = Incoming {
            invitation: Bytes(invitation.bytes),
            from: peer,
            received_ms: now_ms,
            state: IncomingState::Waiting,
        };
        self.put_incoming(id, &row);
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
        self.put_incoming(*id, &row);
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
        self.put_incoming(*id, &row);
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
            self.put_incoming(id, &row);
            self.published.notices.push(Notice::Cancelled(id));
        }
        Ok(())
    }

    /// Ids of the acceptances that `entries` quote, that this node gave and that may admit it to `circle`. Looked up one by one: how many
    /// invitations came in all these years plays no part. A machine that went back to before it accepted, and accepted again, has given two of one
    /// invitation, at two times: either counts.
    pub(super) fn acceptances_for(
        &self,
        rows: &impl Rows,
        circle: &CircleId,
        entries: &[Verified<Entry>],
    ) -> Result<BTreeSet<Hash>, StorageError> {
        let mut ours = BTreeSet::new();
        for (_, quoted) in self.quoted_of_ours(entries) {
            let row = Row::Incoming(quoted.object.invitation);
            let row: Option<Incoming> = self.read_row(rows, &row)?;
            if let Some(IncomingState::Accepted { circle: used, .. }) = row.map(|row| row.state)
                && used.is_none_or(|used| used == *circle)
            {
                ours.insert(Hash(quoted.id));
            }
        }
        Ok(ours)
    }

    /// Notes which circle those acceptances of ours admitted us to that `entries` quote.
    pub(super) fn claim_acceptances(
        &mut self,
        rows: &impl Rows,
        circle: &mut Circle,
        entries: &[Verified<Entry>],
    ) -> Result<(), StorageError> {
        for (_, quoted) in self.quoted_of_ours(entries) {
            let id = quoted.object.invitation;
            let Some(mut row) = self.read_row::<Incoming>(rows, &Row::Incoming(id))? else {
                continue;
            };
            if let IncomingState::Accepted {
                circle: used @ None,
                ..
            } = &mut row.state
            {
                *used = Some(circle.id());
                self.put_incoming(id, &row);
                let invitation = stored_invitation(&row.invitation)?;
                self.link(circle, invitation.object.continues);
            }
        }
        Ok(())
    }

    /// The acceptances in this node's name that `entries` quote, with their bytes.
    pub(super) fn quoted_of_ours(
        &self,
        entries: &[Verified<Entry>],
    ) -> Vec<(Bytes, Verified<Acceptance>)> {
        let own = self.own();
        let quoted = entries
            .iter()
            .filter_map(|entry| match &entry.object.change {
                Admit {
                    node, acceptance, ..
                } if *node == own => Some(acceptance),
                _ => None,
            });
        quoted
            .filter_map(|bytes| Some((bytes.clone(), Acceptance::verify(bytes.0.clone()).ok()?)))
            .collect()
    }
}
