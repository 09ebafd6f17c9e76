//! Circles, what is shown of them, and the invitations around them.

use serde::{Deserialize, Serialize};

use super::{AlertView, RecordView};
use crate::{
    charter::{Grant, Subject},
    content::PatientIdentity,
    ids::{CircleId, InvitationId, NodeId, RecordId, ThingId},
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
    /// The circle that this one continues, where this node is in both.
    #[serde(default)]
    pub continues: Option<CircleId>,
    /// The circle that continues this one, in which this node is: what is new is written there.
    #[serde(default)]
    pub continued: Option<CircleId>,
    /// This node is the steward, was restored, and signs nothing before the head is confirmed.
    #[serde(default)]
    pub unconfirmed: bool,
}

/// A circle that continues another one, and who was asked into it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Succession {
    /// The new circle.
    pub circle: CircleId,
    /// The structures that were asked.
    pub asked: Vec<String>,
    /// Structures that could not be asked, because nothing can be sealed to them: their receive key has expired.
    pub not_asked: Vec<String>,
}

/// What was told again of the circle that another one continues.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct CarriedOver {
    /// Records that were written.
    pub written: u64,
    /// Documents that were left out, because not all of their attachments are here.
    pub left: u64,
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
    /// Whether it is a deputy of the steward.
    #[serde(default)]
    pub deputy: bool,
    /// Number of the entry that admitted it.
    pub since: u64,
    /// The past that it may read.
    pub grant: Grant,
    /// Records here that it has not acknowledged.
    pub waiting: u64,
    /// It has left by its own word; the entry that removes it follows.
    #[serde(default)]
    pub left: bool,
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
    /// Nothing stands, and this was written after its author's removal, or before that and too late: it had been shown, and stays so.
    #[serde(default)]
    pub after_removal: bool,
    /// Those of them that were erased here.
    #[serde(default)]
    pub erased: Vec<ErasedView>,
    /// How many versions were superseded.
    pub superseded: u64,
    /// Versions that their authors had no right to write.
    pub contested: u64,
    /// The newest of these, with who wrote them.
    #[serde(default)]
    pub contested_by: Vec<ContestedView>,
    /// For an alert: where it stands.
    pub alert: Option<AlertView>,
}

/// What stays of a circle whose time is over here.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct FinishedLine {
    /// The circle.
    pub circle: CircleId,
    /// Number of its charter's last entry here.
    pub entry: u64,
    /// Records that its logs had.
    pub records: u64,
    /// The structures that were ever in it.
    pub structures: Vec<String>,
    /// When it had ended, Unix milliseconds.
    pub ended_ms: u64,
    /// When this node let go of it, Unix milliseconds.
    pub finished_ms: u64,
    /// Whether nothing of it is left.
    pub swept: bool,
}

/// What stays of a version that was erased.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ErasedView {
    /// Its record.
    pub record: RecordId,
    /// Number of its kind.
    pub kind: u64,
    /// The structure that wrote it.
    pub structure: String,
    /// When what it said happened, Unix milliseconds.
    pub occurred_ms: u64,
}

/// A version that does not count: its author had no right to write it, or was removed before.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ContestedView {
    /// Its record.
    pub record: RecordId,
    /// The node that wrote it.
    pub node: NodeId,
    /// That node's structure.
    pub structure: String,
    /// The professional who wrote it; empty where it cannot be read.
    pub by: String,
    /// When, Unix milliseconds.
    pub at_ms: u64,
    /// The reason that it gives for withdrawing the thing, where that is what it does.
    pub withdraws: Option<String>,
    /// Its node was removed, and this lies beyond what counts.
    pub after_removal: bool,
}

/// What stands of the person's answer about sharing their file.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case", tag = "sharing")]
pub enum Sharing {
    /// Nothing is recorded.
    Unanswered,
    /// What is recorded allows it.
    Allowed,
    /// An answer that stands is against it, whatever others say.
    Refused(SharingRefused),
}

/// A person's word against sharing.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct SharingRefused {
    /// Withdrawn after it had been given; else refused from the first.
    pub withdrawn: bool,
    /// The record.
    pub record: RecordId,
    /// The professional who recorded it.
    pub by: String,
    /// Of which structure.
    pub structure: String,
    /// When the person answered, Unix milliseconds.
    pub at_ms: u64,
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
    /// What is recorded of the person's answer about sharing.
    pub sharing: Sharing,
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
    /// `waiting`, `accepted`, `admitted`, `declined`, `cancelled` or `expired`.
    pub state: String,
    /// The circle, once it may be named.
    pub circle: Option<CircleId>,
    /// The circle of both nodes that it continues.
    #[serde(default)]
    pub continues: Option<CircleId>,
    /// Not valid at or after this moment, Unix milliseconds.
    pub expires_ms: u64,
}

/// Who an invitation is about, and who might be the same person here.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Candidates {
    /// The invitation.
    pub invitation: InvitationId,
    /// The person.
    pub identity: Option<PatientIdentity>,
    /// Local circles with the reason why they might be of the same person.
    pub candidates: Vec<(CircleId, PatientIdentity, String)>,
}
