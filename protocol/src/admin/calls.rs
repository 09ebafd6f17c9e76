//! What can be asked.

use serde::{Deserialize, Serialize};

use crate::{
    charter::{Grant, RemovalReason, RotationReason},
    content::{AlertStep, ConsentDecision, ConsentKind, NoteKind, PatientIdentity, Severity},
    ids::{InvitationId, Token},
    invite::InvitationReason,
};

/// The name of something, or the beginning of it.
pub type Named = String;

/// A call.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
#[allow(clippy::large_enum_variant, reason = "one lives at a time")]
pub enum Call {
    /// Must I do something? → [`super::Answer::Status`].
    Status,
    /// Every invariant, checked now. → [`super::Answer::Checks`].
    Doctor,

    /// Makes an invitation to peer. → [`super::Answer::PeerInvitation`].
    PeerInvite,
    /// Takes an invitation to peer. Answers once the words are there. → [`super::Answer::Pairing`].
    PeerAccept {
        /// Its text.
        invitation: String,
    },
    /// The administrator has compared the words. → [`super::Answer::Pairing`].
    PeerConfirm {
        /// Which pairing.
        pairing: Named,
        /// The five words that were compared.
        words: String,
    },
    /// The words differ, or nobody wants it. → [`super::Answer::Pairing`].
    PeerReject {
        /// Which pairing.
        pairing: Named,
    },
    /// All peers, and pairings under way. → [`super::Answer::Peers`].
    PeerList,
    /// One peer. → [`super::Answer::Peer`].
    PeerShow {
        /// Node or structure name.
        peer: Named,
    },
    /// Tries to reach a peer now. → [`super::Answer::Peer`]; where it cannot be reached, [`super::ErrorCode::Unreachable`] with what was tried.
    PeerTest {
        /// Which.
        peer: Named,
    },
    /// Ends the wait before the next attempt; all peers where none is named. → [`super::Answer::Ok`].
    PeerRetry {
        /// Which.
        peer: Option<Named>,
    },
    /// Closes the connections to a peer and refuses it. → [`super::Answer::Ok`].
    PeerSuspend {
        /// Which.
        peer: Named,
    },
    /// Takes a suspension back. → [`super::Answer::Ok`].
    PeerResume {
        /// Which.
        peer: Named,
    },
    /// Ends a peering. → [`super::Answer::Ok`].
    PeerEnd {
        /// Which.
        peer: Named,
    },
    /// The administrator has compared, and says that a peer is the structure that another node was. → [`super::Answer::Replaced`].
    PeerReplace {
        /// The identity that is given up.
        old: Named,
        /// The peer in its place.
        new: Named,
        /// Whether it takes that one's place in all circles of which this node is the steward, too.
        circles: bool,
    },

    /// Adds a professional of this structure. → [`super::Answer::Professional`].
    ProfessionalAdd {
        /// Given and family name.
        name: String,
        /// RPPS, eleven digits, where they have one.
        rpps: Option<String>,
        /// Profession: a TRE_G15 or TRE_R94 code.
        profession: Option<String>,
    },
    /// Professionals of this structure. → [`super::Answer::Professionals`].
    ProfessionalList,

    /// About accounts: who may sign in to the pages.
    Account(super::AccountCall),

    /// Records what the person was told and answered. → [`super::Answer::Written`].
    ConsentRecord {
        /// The circle.
        circle: Named,
        /// Non-opposition or consent.
        kind: ConsentKind,
        /// The answer.
        decision: ConsentDecision,
        /// Who answered, where not the person.
        answered_by: String,
        /// How they were informed.
        how: String,
    },

    /// Opens a circle for a patient. → [`super::Answer::Circle`].
    CircleOpen {
        /// Who the person is.
        identity: PatientIdentity,
    },
    /// Circles of this node. → [`super::Answer::Circles`].
    CircleList {
        /// Where to go on: the last circle of the page before.
        after: Option<Named>,
        /// At most so many; 200 at most.
        limit: u32,
    },
    /// One circle: members, dossier, deliveries. → [`super::Answer::Circle`].
    CircleShow {
        /// Which.
        circle: Named,
        /// What happened before the end of an earlier page only ([`super::CircleView::next`]); none: the newest.
        #[serde(default)]
        before: Option<String>,
    },
    /// Invites a peer into a circle. Refused without recorded consent. → [`super::Answer::Invitation`].
    CircleInvite {
        /// Which circle.
        circle: Named,
        /// Which peer.
        peer: Named,
        /// Why.
        reason: InvitationReason,
        /// How much of the past.
        grant: Grant,
    },
    /// Invitations received and sent: first those received, then those sent. → [`super::Answer::Invitations`].
    InvitationList {
        /// Those too that are settled: declined, cancelled, expired, or led into a circle.
        all: bool,
        /// Where to go on: the last invitation of the page before.
        after: Option<InvitationId>,
        /// At most so many; 200 at most.
        limit: u32,
    },
    /// Accepts an invitation. → [`super::Answer::Ok`].
    CircleAccept {
        /// Which invitation.
        invitation: Named,
        /// The local circle of the same person; none: a new person.
        same_as: Option<Named>,
    },
    /// Declines an invitation; nothing is sent. → [`super::Answer::Ok`].
    CircleDecline {
        /// Which invitation.
        invitation: Named,
    },
    /// Removes a member. → [`super::Answer::Ok`].
    CircleRemove {
        /// Which circle.
        circle: Named,
        /// Which member.
        member: Named,
        /// Why.
        reason: RemovalReason,
    },
    /// Puts the identity that was compared in the place of a member's. → [`super::Answer::Ok`].
    CircleReplace {
        /// Which circle.
        circle: Named,
        /// Which member.
        member: Named,
    },
    /// Starts a new epoch. → [`super::Answer::Ok`].
    CircleRotate {
        /// Which circle.
        circle: Named,
        /// Why.
        reason: RotationReason,
    },
    /// Closes a circle. → [`super::Answer::Ok`].
    CircleClose {
        /// Which circle.
        circle: Named,
        /// Coded reason: 0 end of care, 1 moved away, 2 death, 3 opposition, 4 other.
        reason: u64,
    },
    /// Opens a closed circle again. → [`super::Answer::Ok`].
    CircleReopen {
        /// Which circle.
        circle: Named,
        /// Coded reason: 0 care begins again, 1 closed by mistake, 2 other.
        reason: u64,
    },
    /// Lets count what members hold of what a removed node wrote before its removal. → [`super::Answer::Ok`].
    CircleCountLate {
        /// Which circle.
        circle: Named,
        /// The removed node.
        member: Named,
    },
    /// Lets go of a circle that has ended, for good. → [`super::Answer::Ok`].
    CircleFinish {
        /// Which.
        circle: Named,
    },
    /// The circles whose time is over here. → [`super::Answer::Finished`].
    CircleFinished,
    /// Requests for changes of who is in a circle.
    Request(super::RequestCall),
    /// Erasures.
    Erasure(super::ErasureCall),
    /// A person's team.
    Team(super::TeamCall),
    /// This node leaves a circle of which it is not the steward. → [`super::Answer::Ok`].
    CircleLeave {
        /// Which circle.
        circle: Named,
    },
    /// Makes another member the steward. → [`super::Answer::Ok`].
    CircleHandOver {
        /// Which circle.
        circle: Named,
        /// Which member.
        to: Named,
    },
    /// Says who the deputies are: all of them. → [`super::Answer::Ok`].
    CircleDeputies {
        /// Which circle.
        circle: Named,
        /// Which members; none: nobody.
        deputies: Vec<Named>,
    },

    /// The administrator of a restored node knows that no other member has a later charter entry. → [`super::Answer::Ok`].
    CircleConfirm {
        /// Which circle; none: all that wait for it.
        circle: Option<Named>,
    },
    /// Continues a circle whose steward does nothing any more: this node founds another one and asks the members into it.
    /// → [`super::Answer::Succession`].
    CircleContinue {
        /// Which circle.
        circle: Named,
        /// Members that are not asked.
        without: Vec<Named>,
    },
    /// Tells again, in a circle that continues another one, what this structure wrote there. → [`super::Answer::CarriedOver`].
    CircleCarryOver {
        /// The circle that continues the other one.
        circle: Named,
    },

    /// Sends an alert. → [`super::Answer::Written`].
    AlertSend {
        /// The circle.
        circle: Named,
        /// How much it matters.
        severity: Severity,
        /// What it says.
        text: String,
        /// The structures that must answer; empty: all.
        to: Vec<Named>,
        /// Within so many seconds; 0: no limit.
        within_s: u64,
    },
    /// Alerts of all circles, or of one: overdue ones first, then the newest first. → [`super::Answer::Alerts`].
    AlertList {
        /// Those of one circle; of all, where none is named.
        circle: Option<Named>,
        /// Those only that are open ([`super::AlertView::open`]), in circles where this node may still answer.
        open: bool,
        /// Where to go on, as the page before ended.
        after: Option<String>,
        /// At most so many; 200 at most.
        limit: u32,
    },
    /// Answers an alert. Refused where it would say nothing new: see [`crate::dossier::alert`]. → [`super::Answer::Written`].
    AlertAnswer {
        /// The alert's record.
        alert: Named,
        /// What is done.
        step: AlertStep,
        /// In words; closing needs its outcome.
        comment: String,
    },
    /// Writes a note. → [`super::Answer::Written`].
    NoteAdd {
        /// The circle.
        circle: Named,
        /// Which kind.
        note: NoteKind,
        /// What it says.
        text: String,
        /// Whether it is an emergency.
        emergency: bool,
    },

    /// Events as they commit, until the client closes. → [`super::Outcome::Event`].
    Watch,

    /// Records of a circle. → [`super::Answer::Records`].
    RecordList {
        /// Which circle.
        circle: Named,
        /// Log and sequence to go on after, as the page before ended.
        after: Option<String>,
        /// At most so many; 500 at most.
        limit: u32,
    },
    /// What a record says. → [`super::Answer::Record`].
    RecordShow {
        /// Which.
        record: Named,
    },
    /// A record's bytes. → [`super::Answer::Exported`].
    RecordExport {
        /// Which.
        record: Named,
        /// Sealed, as it travels; otherwise its opened content as JSON.
        sealed: bool,
    },
    /// Checks exported sealed bytes against what this node knows. → [`super::Answer::Verified`].
    RecordVerify {
        /// Base64 of the exported bytes.
        sealed: String,
    },

    /// Imports a FHIR file that fits into a frame. → [`super::Answer::Imported`].
    Import {
        /// Its bytes, base64.
        content: String,
        /// Only says what would be done.
        dry_run: bool,
    },
    /// Begins to give a FHIR file in parts: see [`super::Upload`]. → [`super::Answer::Upload`].
    ImportBegin {
        /// The file's length in bytes; [`crate::limits::IMPORT`] at most.
        length: u64,
    },
    /// The next bytes of such a file. → [`super::Answer::Upload`].
    ImportPart {
        /// The upload.
        upload: Token,
        /// Bytes given before.
        offset: u64,
        /// Base64 of [`super::PART`] bytes at most.
        bytes: String,
    },
    /// All bytes were given: the file is imported. → [`super::Answer::Imported`].
    ImportEnd {
        /// The upload.
        upload: Token,
        /// Only says what would be done.
        dry_run: bool,
    },

    /// What waits for whom. → [`super::Answer::Outbox`].
    Outbox,

    /// Background workers. → [`super::Answer::Workers`].
    WorkerList,
    /// Slows a worker down. → [`super::Answer::Workers`].
    WorkerSet {
        /// Which.
        worker: String,
        /// Sleeps so many times the work's own duration; 0 to 1000.
        tranquillity: u32,
    },

    /// Digests of what is shown, circle by circle. → [`super::Answer::SyncCheck`].
    SyncCheck {
        /// One circle, or all.
        circle: Option<Named>,
        /// Works the digests out; otherwise heights only.
        digest: bool,
    },
    /// Projects all views again. → [`super::Answer::SyncCheck`].
    SyncRebuild,

    /// Makes a copy of the whole node, as of now, in its data folder. → [`super::Answer::Checkpoint`].
    Checkpoint,

    /// This node's keys. → [`super::Answer::Keys`].
    KeysShow,
    /// A new receive key. → [`super::Answer::Keys`].
    KeysRotate,
    /// This node's identity is used no more: it says so to whoever it meets, and signs nothing else. For ever. → [`super::Answer::Ok`].
    KeysRevoke,

    /// Lines of the audit trail, the newest first. → [`super::Answer::Audit`].
    AuditList {
        /// Those about one circle; all, where none is named.
        circle: Option<Named>,
        /// Those at or after this moment, Unix milliseconds.
        since_ms: Option<u64>,
        /// Those before the line of this number: where the page before ended.
        before: Option<u64>,
        /// At most so many; 500 at most.
        limit: u32,
    },
    /// Reads the whole audit trail and checks that each line follows the one before it. → [`super::Answer::AuditVerified`].
    AuditVerify,

    /// The candidates for "the same person here?" of an invitation. → [`super::Answer::Candidates`].
    InvitationCandidates {
        /// Which invitation.
        invitation: Named,
    },
    /// Begins to add a file as a document: see [`super::Upload`]. → [`super::Answer::Upload`].
    DocumentAdd {
        /// The circle.
        circle: Named,
        /// Its title.
        title: String,
        /// Media type.
        media_type: String,
        /// The file's name.
        name: String,
        /// The file's length in bytes.
        length: u64,
    },
    /// The next bytes of a file that is being added. → [`super::Answer::Upload`].
    DocumentPart {
        /// The upload.
        upload: Token,
        /// Bytes given before.
        offset: u64,
        /// Base64 of [`super::PART`] bytes at most.
        bytes: String,
    },
    /// All bytes were given: the document is written. → [`super::Answer::Written`].
    DocumentEnd {
        /// The upload.
        upload: Token,
    },
    /// How much is here of a document's files. → [`super::Answer::Document`].
    DocumentShow {
        /// The record.
        record: Named,
    },
    /// Bytes of a document's file that is all here. → [`super::Answer::DocumentBytes`].
    DocumentRead {
        /// The record.
        record: Named,
        /// Which of its files, from 0.
        file: u64,
        /// First chunk.
        from: u64,
    },
}

impl Call {
    /// Whether this shows or writes care content: it needs a professional and `[admin] care_commands = true`.
    pub const fn is_care(&self) -> bool {
        matches!(
            self,
            Self::ConsentRecord { .. }
                | Self::CircleOpen { .. }
                | Self::CircleShow { .. }
                | Self::CircleInvite { .. }
                | Self::CircleAccept { .. }
                | Self::CircleDecline { .. }
                | Self::CircleClose { .. }
                | Self::CircleReopen { .. }
                | Self::CircleContinue { .. }
                | Self::CircleCarryOver { .. }
                | Self::CircleFinish { .. }
                | Self::Request(_)
                | Self::Erasure(_)
                | Self::Team(_)
                | Self::AlertSend { .. }
                | Self::AlertList { .. }
                | Self::AlertAnswer { .. }
                | Self::NoteAdd { .. }
                | Self::RecordShow { .. }
                | Self::RecordExport { sealed: false, .. }
                | Self::Import { .. }
                | Self::ImportBegin { .. }
                | Self::ImportPart { .. }
                | Self::ImportEnd { .. }
                | Self::InvitationCandidates { .. }
                | Self::DocumentAdd { .. }
                | Self::DocumentPart { .. }
                | Self::DocumentEnd { .. }
                | Self::DocumentShow { .. }
                | Self::DocumentRead { .. }
        )
    }
}
