//! What comes back.

mod alerts;
mod audit;
mod circles;
mod import;
mod peers;
mod records;
mod status;
mod upkeep;
mod watch;

pub use alerts::{AlertLine, AlertPage, AlertView, AnswerView};
pub use audit::{AuditLine, AuditPage, AuditVerified};
pub use circles::{
    Candidates, CarriedOver, CircleLine, CircleView, ContestedView, ErasedView, FinishedLine,
    InvitationLine, MemberLine, Sharing, SharingRefused, Succession, ThingView,
};
pub use import::{Imported, ImportedCircle};
pub use peers::{Pairing, Peer, PeerInvitation, PeerLine, Peers, Relation, Replaced};
pub use records::{Exported, RecordLine, RecordPage, RecordView, VerifiedRecord, Written};
pub use status::{Check, ClockAhead, ClockState, Reason, Status, Verdict};
pub use upkeep::{Checkpoint, CircleDigest, Keys, OutboxLine, Worker};
pub use watch::WatchEvent;

use serde::{Deserialize, Serialize};

use crate::{content::Professional, ids::RecordId};

/// An answer, one for each kind of call.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
#[allow(missing_docs, reason = "each variant is documented by its type")]
#[allow(clippy::large_enum_variant, reason = "one lives at a time")]
pub enum Answer {
    Ok,
    Status(Status),
    Checks(Vec<Check>),
    PeerInvitation(PeerInvitation),
    Pairing(Pairing),
    Peers(Peers),
    Peer(Peer),
    Replaced(Replaced),
    Professional(LocalProfessional),
    Professionals(Vec<LocalProfessional>),
    Accounts(Vec<super::AccountLine>),
    AccountCode(super::AccountCode),
    Written(Written),
    Circle(CircleView),
    Circles(Vec<CircleLine>),
    Succession(Succession),
    CarriedOver(CarriedOver),
    Invitation(InvitationLine),
    Invitations(Vec<InvitationLine>),
    Candidates(Candidates),
    Requests(Vec<super::RequestLine>),
    Erasures(Vec<super::ErasureLine>),
    Team(super::Team),
    Finished(Vec<FinishedLine>),
    Alerts(AlertPage),
    Records(RecordPage),
    Record(RecordView),
    Exported(Exported),
    Verified(VerifiedRecord),
    Imported(Imported),
    Outbox(Vec<OutboxLine>),
    Workers(Vec<Worker>),
    SyncCheck(Vec<CircleDigest>),
    Keys(Keys),
    Checkpoint(Checkpoint),
    Document(DocumentState),
    /// A file that is being added.
    Upload(super::Upload),
    /// A part of a document's file.
    DocumentBytes(super::DocumentBytes),
    Audit(AuditPage),
    AuditVerified(AuditVerified),
}

/// A professional of this structure.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct LocalProfessional {
    /// Their id at this node: what `--as` takes.
    pub id: String,
    /// Who they are.
    pub professional: Professional,
}

/// A document's bytes, as far as they are here.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct DocumentState {
    /// The record.
    pub record: RecordId,
    /// Bytes of all its files.
    pub bytes: u64,
    /// Chunks that are here, and all.
    pub chunks: (u64, u64),
    /// Whether everything is here.
    pub complete: bool,
    /// Each file.
    pub files: Vec<super::FileState>,
}
