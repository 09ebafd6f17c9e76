//! Invitations into circles, received and sent, as their rows say now.

use maillon_protocol::{
    admin::InvitationLine,
    invite::Invitation,
    replica::{IncomingState, OutgoingState},
    sign::Unverified,
};

use super::errors::Refusal;
use crate::{care::CareError, daemon::Node};

impl Node {
    pub(super) async fn invitations(&self, now_ms: u64) -> Result<Vec<InvitationLine>, Refusal> {
        let (received, sent) = self
            .ledger
            .run(|tx| {
                let received = tx.replica.incoming(tx.rows)?;
                let sent = tx.replica.outgoing(tx.rows)?;
                Ok::<_, CareError>((received, sent))
            })
            .await
            .map_err(CareError::from)?;
        let mut lines = Vec::new();
        for (id, row) in received {
            let Ok(invitation) = Unverified::<Invitation>::parse(row.invitation.0.clone()) else {
                continue;
            };
            let invitation = invitation.object;
            let (state, circle) = match &row.state {
                IncomingState::Waiting if invitation.expires_ms <= now_ms => ("expired", None),
                IncomingState::Waiting => ("waiting", None),
                IncomingState::Accepted { circle: None, .. } => ("accepted", None),
                IncomingState::Accepted { circle, .. } => ("admitted", *circle),
                IncomingState::Declined => ("declined", None),
                IncomingState::Cancelled => ("cancelled", None),
            };
            lines.push(InvitationLine {
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
            });
        }
        for (id, row) in sent {
            let Ok(invitation) = Unverified::<Invitation>::parse(row.invitation.0.clone()) else {
                continue;
            };
            let state = match row.state {
                OutgoingState::Admitted => "admitted",
                OutgoingState::Cancelled => "cancelled",
                OutgoingState::Waiting if row.expires_ms <= now_ms => "expired",
                OutgoingState::Waiting => "waiting",
            };
            lines.push(InvitationLine {
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
            });
        }
        Ok(lines)
    }
}
