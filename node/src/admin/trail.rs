//! The audit trail at the socket: what leaves a line there by itself, and how the trail is read.
//!
//! What changes something leaves its line in the commit of the change (in `care`, `peering`, `daemon`). What only shows care content, or
//! only moves the network, commits nothing: its line is written here, after the answer is known and before it leaves.

use std::collections::BTreeSet;

use maillon_protocol::{
    admin::{
        Answer, AuditPage, AuditVerified, Call, ErasureCall, ErrorCode, RequestCall, TeamCall,
    },
    ids::CircleId,
};

use super::errors::Refusal;
use crate::{
    audit::{About, AuditError, Object, Wanted},
    care::DEEPEST_PAGE,
    daemon::Node,
};

/// The word for a call whose line is written here; none where the act itself carries it, or nobody asks later who did it.
pub(super) const fn action(call: &Call) -> Option<&'static str> {
    Some(match call {
        Call::CircleShow { .. } => "circle.read",
        Call::AlertList { .. } => "alert.list",
        Call::Request(RequestCall::List { .. }) => "request.list",
        Call::Erasure(ErasureCall::List { .. } | ErasureCall::Show { .. }) => "erasure.list",
        Call::Team(TeamCall::List { .. }) => "team.list",
        Call::RecordShow { .. } => "record.read",
        Call::RecordExport { sealed: false, .. } => "record.export",
        Call::RecordExport { sealed: true, .. } => "record.export-sealed",
        Call::InvitationCandidates { .. } => "invitation.read",
        Call::PeerTest { .. } => "peer.test",
        Call::PeerRetry { .. } => "peer.retry",
        Call::SyncRebuild => "sync.rebuild",
        _ => return None,
    })
}

/// What the answer to such a call was about: a line for each, and one in any case.
pub(super) fn about(answer: &Answer) -> Vec<About> {
    vec![match answer {
        Answer::Team(team) => About::circle(team.circle),
        Answer::Circle(circle) => About::circle(circle.line.circle),
        // Whoever asks later who looked at a circle finds this look too.
        Answer::Alerts(page) if !page.alerts.is_empty() => {
            let circles: BTreeSet<CircleId> = page.alerts.iter().map(|one| one.circle).collect();
            return circles.into_iter().map(About::circle).collect();
        }
        Answer::Requests(lines) if !lines.is_empty() => {
            let circles: BTreeSet<CircleId> = lines.iter().map(|line| line.circle).collect();
            return circles.into_iter().map(About::circle).collect();
        }
        Answer::Erasures(lines) if !lines.is_empty() => {
            let records = lines
                .iter()
                .map(|line| About::record(line.circle, line.record));
            return records.collect();
        }
        Answer::Record(record) => About::record(record.circle, record.record),
        Answer::Candidates(found) => About::object(Object::Invitation(found.invitation)),
        Answer::Exported(exported) => About {
            record: Some(exported.record),
            ..About::NOTHING
        },
        Answer::Peer(peer) => About::node(peer.line.node),
        _ => About::NOTHING,
    }]
}

impl Node {
    pub(super) async fn audit_page(&self, mut wanted: Wanted) -> Result<AuditPage, Refusal> {
        wanted.limit = wanted.limit.clamp(1, DEEPEST_PAGE);
        let people = self.care.professionals()?;
        let name = move |id: &_| {
            let known = people.iter().find(|one| one.id == *id);
            known.map(|one| one.professional.name.clone())
        };
        Ok(self.trail_page(wanted, name).await?)
    }

    pub(super) async fn audit_verify(&self) -> AuditVerified {
        match self.verify_trail().await {
            Ok(held) => AuditVerified {
                lines: held.lines,
                broken: None,
                signatures: held.signatures,
                signed_to: held.signed.map(|signed| signed.number),
                signed_ms: held.signed.map(|signed| signed.at_ms),
            },
            Err(broken) => AuditVerified {
                lines: 0,
                broken: Some(broken.to_string()),
                signatures: 0,
                signed_to: None,
                signed_ms: None,
            },
        }
    }
}

impl From<AuditError> for Refusal {
    fn from(error: AuditError) -> Self {
        Self::new(
            ErrorCode::Storage,
            error.to_string(),
            "run `maillonctl audit verify` and `maillonctl doctor`",
        )
    }
}
