//! Invitations into circles, received and sent, as their rows say now.

use maillon_protocol::{
    admin::InvitationLine,
    ids::InvitationId,
    invite::Invitation,
    replica::{Incoming, IncomingState, OpenInvitations, Outgoing, OutgoingState},
    sign::Unverified,
};

use super::errors::Refusal;
use crate::{care::CareError, daemon::Node};

/// Lines of a page.
const PAGE: usize = 200;

impl Node {
    /// A page of them: the open ones, or all.
    pub(super) async fn invitations(
        &self,
        all: bool,
        after: Option<InvitationId>,
        limit: usize,
        now_ms: u64,
    ) -> Result<Vec<InvitationLine>, Refusal> {
        let found = self.ledger.run(move |tx| {
            let found = if all {
                OpenInvitations {
                    received: tx.replica.incoming(tx.rows)?,
                    sent: tx.replica.outgoing(tx.rows)?,
                }
            } else {
                tx.replica.open_invitations(tx.rows)?
            };
            Ok::<_, CareError>(found)
        });
        let OpenInvitations { received, sent } = found.await.map_err(CareError::from)?;
        let received = received
            .into_iter()
            .filter_map(|(id, row)| self.received_line(id, &row, now_ms));
        let sent = sent
            .into_iter()
            .filter_map(|(id, row)| self.sent_line(id, &row, now_ms));
        let mut lines: Vec<_> = received.chain(sent).collect();
        // The index does not know that a time is over until the next letter.
        lines.retain(|line| all || line.state != EXPIRED);
        lines.sort_by_key(|line| (!line.received, line.invitation));
        let from = match after {
            Some(after) => lines
                .iter()
                .position(|line| line.invitation == after)
                .map_or(lines.len(), |place| place + 1),
            None => 0,
        };
        let page = lines.into_iter().skip(from).take(limit.clamp(1, PAGE));
        Ok(page.collect())
    }

    /// One that this node sent.
    pub(super) async fn sent_invitation(
        &self,
        id: InvitationId,
        now_ms: u64,
    ) -> Result<Option<InvitationLine>, Refusal> {
        let row = self.ledger.run(move |tx| {
            let row = tx.replica.sent_invitation(tx.rows, &id)?;
            Ok::<_, CareError>(row)
        });
        let row = row.await.map_err(CareError::from)?;
        Ok(row.and_then(|row| self.sent_line(id, &row, now_ms)))
    }

    fn received_line(
        &self,
        id: InvitationId,
        row: &Incoming,
        now_ms: u64,
    ) -> Option<InvitationLine> {
        let invitation = Unverified::<Invitation>::parse(row.invitation.0.clone()).ok()?;
        let invitation = invitation.object;
        let (state, circle) = match &row.state {
            IncomingState::Waiting if invitation.expires_ms <= now_ms => (EXPIRED, None),
            IncomingState::Waiting => ("waiting", None),
            IncomingState::Accepted { circle: None, .. } => ("accepted", None),
            IncomingState::Accepted { circle, .. } => ("admitted", *circle),
            IncomingState::Declined => ("declined", None),
            IncomingState::Cancelled => ("cancelled", None),
        };
        Some(InvitationLine {
            invitation: id,
            received: true,
            node: row.from,
            structure: self.care.structure_of(&row.from),
            subject: invitation.subject,
            reason: invitation.reason,
            continues: invitation.continues.map(|old| old.circle),
            state: state.to_owned(),
            circle,
            expires_ms: invitation.expires_ms,
        })
    }

    fn sent_line(&self, id: InvitationId, row: &Outgoing, now_ms: u64) -> Option<InvitationLine> {
        let invitation = Unverified::<Invitation>::parse(row.invitation.0.clone()).ok()?;
        let state = match row.state {
            OutgoingState::Admitted => "admitted",
            OutgoingState::Cancelled => "cancelled",
            OutgoingState::Waiting if row.expires_ms <= now_ms => EXPIRED,
            OutgoingState::Waiting => "waiting",
        };
        Some(InvitationLine {
            invitation: id,
            received: false,
            node: row.to,
            structure: self.care.structure_of(&row.to),
            subject: invitation.object.subject,
            reason: invitation.object.reason,
            continues: invitation.object.continues.map(|old| old.circle),
            state: state.to_owned(),
            circle: Some(row.circle),
            expires_ms: row.expires_ms,
        })
    }
}

const EXPIRED: &str = "expired";
