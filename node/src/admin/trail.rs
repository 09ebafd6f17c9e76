//! The audit trail at the socket: what leaves a line there by itself, and how the trail is read.
//!
//! What changes something leaves its line in the commit of the change (in `care`, `peering`, `daemon`). What only shows care content, or
//! only moves the network, commits nothing: its line is written here, after the answer is known and before it leaves.

use std::collections::BTreeSet;

use maillon_protocol::{
    admin::{Answer, AuditPage, AuditVerified, Call, ErasureCall, ErrorCode, RequestCall},
    ids::CircleId,
};

use super::errors::Refusal;
use crate::{
    audit::{self, About, AuditError, By, Object, Trail, Wanted},
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
    /// Leaves lines in a commit of their own. Where that fails (a full disk), what is known is shown all the same: care must not stop there.
    pub(super) async fn leave_lines(&self, by: By, action: &'static str, about: Vec<About>) {
        let job = self.ledger.run(move |tx| {
            about
                .into_iter()
                .try_for_each(|about| audit::note(tx, by, action, about))
        });
        if let Err(error) = job.await {
            tracing::error!(%error, action, "a line of the audit trail could not be written");
        }
    }

    pub(super) fn audit_page(&self, mut wanted: Wanted) -> Result<AuditPage, Refusal> {
        wanted.limit = wanted.limit.clamp(1, DEEPEST_PAGE);
        let people = self.care.professionals()?;
        let name = |id: &_| {
            let known = people.iter().find(|one| one.id == *id);
            known.map(|one| one.professional.name.clone())
        };
        Ok(Trail(&self.ledger.shared().rows().0).page(&wanted, name)?)
    }

    pub(super) async fn audit_verify(&self) -> AuditVerified {
        let store = self.ledger.shared().rows().0.clone();
        let verified = tokio::task::spawn_blocking(move || audit::verify(&store)).await;
        match verified.unwrap_or_else(|_| Err("reading it broke off".to_owned())) {
            Ok(lines) => AuditVerified {
                lines,
                broken: None,
            },
            Err(broken) => AuditVerified {
                lines: 0,
                broken: Some(broken),
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
