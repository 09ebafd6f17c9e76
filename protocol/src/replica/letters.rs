//! The index of letters: the invitations, sent and received, that are not settled, by the node that they are exchanged with.
//!
//! A structure has sent and received thousands of invitations after some years, and a few of them are open. Each contact, each news and each
//! invitation looks at the open ones of one node only, whatever the others are. A letter is in the index
//!
//! - from the invitation that was sent until the guest is admitted or the time of the invitation is over: until then it, or that it was
//!   cancelled, is told again with each contact;
//! - from the invitation that was received until it is declined or cancelled, or the acceptance has led into a circle.
//!
//! Those whose time is over leave when the next one is exchanged with that node.

use minicbor::{Decode, Encode};

use super::{
    Incoming, IncomingState, Outgoing, OutgoingState, Replica, Row, RowPrefix, Rows, StorageError,
    invitations::stored_invitation, rows::read,
};
use crate::{
    cbor,
    ids::{InvitationId, NodeId},
};

/// An invitation that is not settled.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Encode, Decode)]
#[cbor(array)]
pub(super) struct Letter {
    /// Who sent it, or to whom it was sent.
    #[n(0)]
    pub(super) peer: NodeId,
    #[n(1)]
    pub(super) id: InvitationId,
    /// It came from there.
    #[n(2)]
    pub(super) received: bool,
}

/// Invitations that are not settled.
#[derive(Debug, Clone, Default)]
pub struct OpenInvitations {
    /// Received.
    pub received: Vec<(InvitationId, Incoming)>,
    /// Sent.
    pub sent: Vec<(InvitationId, Outgoing)>,
}

impl Replica {
    /// Stages what is known of an invitation that this node sent.
    pub(super) fn put_outgoing(&mut self, id: InvitationId, row: &Outgoing) {
        let open = row.state != OutgoingState::Admitted;
        self.put_letter(row.to, id, false, open);
        self.stage(Row::Outgoing(id), cbor::encode(row));
    }

    /// Stages what is known of an invitation that this node received.
    pub(super) fn put_incoming(&mut self, id: InvitationId, row: &Incoming) {
        let open = matches!(
            row.state,
            IncomingState::Waiting | IncomingState::Accepted { circle: None, .. }
        );
        self.put_letter(row.from, id, true, open);
        self.stage(Row::Incoming(id), cbor::encode(row));
    }

    /// Stages that nothing is known of an invitation any more.
    pub(super) fn drop_invitation(&mut self, peer: NodeId, id: InvitationId, received: bool) {
        self.put_letter(peer, id, received, false);
        self.stage_delete(if received {
            Row::Incoming(id)
        } else {
            Row::Outgoing(id)
        });
    }

    fn put_letter(&mut self, peer: NodeId, id: InvitationId, received: bool, open: bool) {
        let name = Row::Letter(peer, id);
        let letter = Letter { peer, id, received };
        match open {
            true => self.stage(name, cbor::encode(&letter)),
            false => self.stage_delete(name),
        }
    }

    /// Invitations that are not settled, received and sent.
    ///
    /// # Errors
    /// [`StorageError`].
    pub fn open_invitations(&self, rows: &impl Rows) -> Result<OpenInvitations, StorageError> {
        let mut open = OpenInvitations::default();
        for bytes in self.over(rows).scan(&RowPrefix::AllLetters)? {
            let Letter { id, received, .. } = read(&bytes)?;
            if received {
                let row = self.read_row(rows, &Row::Incoming(id))?;
                open.received.extend(row.map(|row| (id, row)));
            } else {
                let row = self.read_row(rows, &Row::Outgoing(id))?;
                open.sent.extend(row.map(|row| (id, row)));
            }
        }
        Ok(open)
    }

    /// One invitation that this node sent.
    ///
    /// # Errors
    /// [`StorageError`].
    pub fn sent_invitation(
        &self,
        rows: &impl Rows,
        id: &InvitationId,
    ) -> Result<Option<Outgoing>, StorageError> {
        self.read_row(rows, &Row::Outgoing(*id))
    }

    /// Open invitations that were sent: to one node, or to all.
    pub(super) fn open_outgoing(
        &self,
        rows: &impl Rows,
        to: Option<&NodeId>,
    ) -> Result<Vec<(InvitationId, Outgoing)>, StorageError> {
        let prefix = to.map_or(RowPrefix::AllLetters, |to| RowPrefix::Letters(*to));
        let mut open = Vec::new();
        for bytes in self.over(rows).scan(&prefix)? {
            let letter: Letter = read(&bytes)?;
            if letter.received {
                continue;
            }
            let row = self.read_row(rows, &Row::Outgoing(letter.id))?;
            open.extend(row.map(|row| (letter.id, row)));
        }
        Ok(open)
    }

    /// Takes those whose time is over out of the index, and says how many of one node wait for a person here.
    pub(super) fn sort_letters(
        &mut self,
        rows: &impl Rows,
        peer: &NodeId,
        now_ms: u64,
    ) -> Result<usize, StorageError> {
        let mut waiting = 0;
        for bytes in self.over(rows).scan(&RowPrefix::Letters(*peer))? {
            let letter: Letter = read(&bytes)?;
            let over = if letter.received {
                let row: Option<Incoming> = self.read_row(rows, &Row::Incoming(letter.id))?;
                match row.filter(|row| row.state == IncomingState::Waiting) {
                    Some(row) => {
                        let over = stored_invitation(&row.invitation)?.object.expires_ms <= now_ms;
                        waiting += usize::from(!over);
                        over
                    }
                    // An acceptance is told until it has led somewhere.
                    None => false,
                }
            } else {
                let row: Option<Outgoing> = self.read_row(rows, &Row::Outgoing(letter.id))?;
                row.is_none_or(|row| row.expires_ms <= now_ms)
            };
            if over {
                self.stage_delete(Row::Letter(*peer, letter.id));
            }
        }
        Ok(waiting)
    }

    /// Stages the index, where the rows are of a time before there was one.
    pub(super) fn index_letters_once(&mut self, rows: &impl Rows) -> Result<(), StorageError> {
        if rows.get(&Row::LettersIndexed)?.is_some() {
            return Ok(());
        }
        for (id, row) in self.outgoing(rows)? {
            self.put_outgoing(id, &row);
        }
        for (id, row) in self.incoming(rows)? {
            self.put_incoming(id, &row);
        }
        self.stage(Row::LettersIndexed, cbor::encode(&1_u64));
        Ok(())
    }
}
