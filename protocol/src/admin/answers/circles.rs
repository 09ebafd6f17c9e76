//! Circles, what is shown of them, and the invitations around them.

use serde::{Deserialize, Serialize};

use super::RecordView;
use crate::{
    charter::{Grant, Subject},
    content::{AlertStep, PatientIdentity, Severity},
    dossier::Delivery,
    ids::{CircleId, InvitationId, NodeId, ThingId},
    invite::InvitationReason,
};

/// One circle, in a list: nothing about the person.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct CircleLine {
    /// The circle.
    pub circle: CircleId,
    /// Patient or community.
    pub subject: Subject,
    /// Whether this node is its steward.
    pub steward: bool,
    /// Whether this node is a member now.
    pub member: bool,
    /// Members.
    pub members: u64,
    /// Number of the charter's head.
    pub entry: u64,
    /// Records held.
    pub records: u64,
    /// Closed.
    pub closed: bool,
}

/// One member of a circle.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct MemberLine {
    /// The node.
    pub node: NodeId,
    /// Its structure.
    pub structure: String,
    /// Whether it is the steward.
    pub steward: bool,
    /// Number of the entry that admitted it.
    pub since: u64,
    /// The past that it may read.
    pub grant: Grant,
    /// Records here that it has not acknowledged.
    pub waiting: u64,
}

/// What stands of one thing.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct ThingView {
    /// The thing.
    pub thing: ThingId,
    /// What it belongs to.
    pub parent: Option<ThingId>,
    /// The versions that stand, newest first: one, or several in a conflict.
    pub standing: Vec<RecordView>,
    /// How many versions were superseded.
    pub superseded: u64,
    /// Versions that their authors had no right to write.
    pub contested: u64,
    /// For an alert: where it stands.
    pub alert: Option<AlertView>,
}

/// Where an alert stands.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct AlertView {
    /// How much it matters.
    pub severity: Severity,
    /// The furthest step anybody took.
    pub step: Option<AlertStep>,
    /// Each structure.
    pub structures: Vec<(NodeId, String, Delivery)>,
}

/// One circle in full.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct CircleView {
    /// As in the list.
    pub line: CircleLine,
    /// Members.
    pub members: Vec<MemberLine>,
    /// Who the person is, as it stands (several in a conflict).
    pub identity: Vec<PatientIdentity>,
    /// Whether sharing is allowed by what is recorded.
    pub consent: bool,
    /// Everything else that stands, in the order in which it happened; the newest, as far as they fit into one answer.
    pub things: Vec<ThingView>,
    /// How many older things there are.
    #[serde(default)]
    pub older: u64,
    /// Where the page with those goes on; none where there are none.
    #[serde(default)]
    pub next: Option<String>,
    /// Doubts about the person's identity.
    pub doubts: Vec<String>,
}

/// One invitation.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct InvitationLine {
    /// Which.
    pub invitation: InvitationId,
    /// Whether it was received (otherwise sent).
    pub received: bool,
    /// The other node.
    pub node: NodeId,
    /// Its structure.
    pub structure: String,
    /// Patient or community.
    pub subject: Subject,
    /// Why.
    pub reason: InvitationReason,
    /// `waiting`, `accepted`, `admitted`, `declined` or `expired`.
    pub state: String,
    /// The circle, once it may be named.
    pub circle: Option<CircleId>,
    /// Not valid at or after this moment, Unix milliseconds.
    pub expires_ms: u64,
}

/// Who an invitation is about, and who might be the same person here.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Candidates {
    /// The person.
    pub identity: Option<PatientIdentity>,
    /// Local circles with the reason why they might be of the same person.
    pub candidates: Vec<(CircleId, PatientIdentity, String)>,
}
