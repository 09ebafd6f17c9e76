//! What comes back.

use serde::{Deserialize, Serialize};

use crate::{
    charter::{Grant, Subject},
    content::{AlertStep, Content, IdentityStatus, PatientIdentity, Professional, Severity},
    descriptor::StructureKind,
    dossier::Delivery,
    ids::{CircleId, Hash, InvitationId, KeyId, LogId, NodeId, RecordId, ThingId},
    invite::InvitationReason,
    time::Timestamp,
};

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
    Professional(LocalProfessional),
    Professionals(Vec<LocalProfessional>),
    Written(Written),
    Circle(CircleView),
    Circles(Vec<CircleLine>),
    Invitation(InvitationLine),
    Invitations(Vec<InvitationLine>),
    Candidates(Candidates),
    Records(RecordPage),
    Record(RecordView),
    Exported(Exported),
    Verified(VerifiedRecord),
    Imported(Imported),
    Outbox(Vec<OutboxLine>),
    Workers(Vec<Worker>),
    SyncCheck(Vec<CircleDigest>),
    Keys(Keys),
    Document(DocumentState),
    /// A file that is being added.
    Upload(super::Upload),
    /// A part of a document's file.
    DocumentBytes(super::DocumentBytes),
}

/// How serious a verdict is; `maillonctl status` exits with 0, 1 or 2.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Verdict {
    /// Nothing to do.
    Good,
    /// Look at it in the next days.
    Look,
    /// Do something now.
    Act,
}

/// The answer to "must I do something?".
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Status {
    /// How serious.
    pub verdict: Verdict,
    /// In one sentence.
    pub sentence: String,
    /// Why, where there is something.
    pub reasons: Vec<Reason>,
    /// This node.
    pub node: NodeId,
    /// Its structure.
    pub structure: String,
    /// What it is.
    pub kind: StructureKind,
    /// Version of the daemon.
    pub version: String,
    /// Running since, Unix milliseconds.
    pub started_ms: u64,
    /// Addresses that it listens on.
    pub addresses: Vec<String>,
    /// Peers.
    pub peers: Vec<PeerLine>,
    /// Circles of which it is a member.
    pub circles: u64,
    /// Records that it holds.
    pub records: u64,
    /// Free bytes on the disk of its data folder.
    pub disk_free: u64,
    /// Bytes of its data folder.
    pub disk_used: u64,
    /// Last backup that was verified, Unix milliseconds; none yet.
    pub last_backup_ms: Option<u64>,
    /// Whether commands that show or write care content are allowed on the socket.
    pub care_commands: bool,
}

/// One reason of a verdict.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Reason {
    /// What is so.
    pub sentence: String,
    /// The command to type.
    pub command: String,
}

/// One invariant.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Check {
    /// Its name, such as `store.every-row-opens`.
    pub name: String,
    /// What it promises, in one sentence.
    pub sentence: String,
    /// Whether it holds.
    pub holds: bool,
    /// What was found, where it does not hold, or counts that are worth knowing.
    pub found: String,
    /// The command that repairs it, where there is one.
    pub repair: Option<String>,
}

/// A fresh invitation to peer.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct PeerInvitation {
    /// The pairing.
    pub pairing: String,
    /// The text to hand over; the command line shows it as a QR code too.
    pub text: String,
    /// Not valid at or after this moment, Unix milliseconds.
    pub expires_ms: u64,
}

/// A pairing under way.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Pairing {
    /// Its name.
    pub pairing: String,
    /// Whether this side invited.
    pub inviter: bool,
    /// The other structure, once it is known.
    pub structure: Option<String>,
    /// The other node, once it is known.
    pub node: Option<NodeId>,
    /// The five words to compare, once they are known.
    pub words: Option<String>,
    /// Confirmed here.
    pub confirmed_here: bool,
    /// Confirmed there.
    pub confirmed_there: bool,
    /// Both have confirmed: the nodes are peers.
    pub paired: bool,
    /// Why it failed, where it did.
    pub failed: Option<String>,
    /// Bad proofs so far.
    pub bad_proofs: u64,
    /// Not valid at or after this moment, Unix milliseconds.
    pub expires_ms: u64,
}

/// Peers and pairings.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Peers {
    /// Peers and fellow members.
    pub peers: Vec<PeerLine>,
    /// Pairings that are not finished.
    pub pairings: Vec<Pairing>,
}

/// How two nodes know each other.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Relation {
    /// Paired.
    Peer,
    /// Member of a common circle, never paired.
    Fellow,
    /// Paired, and suspended here.
    Suspended,
    /// The peering has ended here.
    Ended,
}

/// One peer, in a list.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct PeerLine {
    /// The node.
    pub node: NodeId,
    /// Its structure.
    pub structure: String,
    /// How it is known.
    pub relation: Relation,
    /// Connected now.
    pub connected: bool,
    /// Last time it was heard from, Unix milliseconds.
    pub last_seen_ms: Option<u64>,
    /// Records that it has not acknowledged.
    pub waiting: u64,
    /// The last error, where the last attempt failed.
    pub last_error: Option<String>,
}

/// One peer in full.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Peer {
    /// As in the list.
    pub line: PeerLine,
    /// What it is.
    pub kind: StructureKind,
    /// FINESS.
    pub finess: String,
    /// Territory.
    pub territory: String,
    /// Its addresses.
    pub addresses: Vec<String>,
    /// How to reach its administrator.
    pub administrator: String,
    /// How to reach its data protection officer.
    pub dpo: String,
    /// Circles in common.
    pub circles: u64,
    /// `quic`, `tcp` or `relay`, while connected.
    pub transport: Option<String>,
    /// Round trip, microseconds, as the last ping measured it.
    pub round_trip_us: Option<u64>,
    /// Milliseconds until the next attempt, while not connected.
    pub next_attempt_ms: Option<u64>,
    /// Frames by protocol and direction since the start, such as `sync.in.records`.
    pub frames: Vec<(String, u64)>,
    /// What it did wrong, with counts.
    pub problems: Vec<(String, u64)>,
}

/// A professional of this structure.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct LocalProfessional {
    /// Their id at this node: what `--as` takes.
    pub id: String,
    /// Who they are.
    pub professional: Professional,
}

/// Records that were written.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Written {
    /// The circle.
    pub circle: CircleId,
    /// The record.
    pub record: RecordId,
    /// Its thing.
    pub thing: ThingId,
}

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

/// One record, without its content.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct RecordLine {
    /// The record.
    pub record: RecordId,
    /// Its log.
    pub log: LogId,
    /// Its sequence.
    pub sequence: u64,
    /// The writer's clock.
    pub time: Timestamp,
    /// The charter entry that its writer knew.
    pub entry: u64,
    /// Bytes of its body.
    pub bytes: u64,
    /// Arrived with a clock more than ten minutes ahead: when it arrived, Unix milliseconds.
    pub ahead: Option<u64>,
}

/// Records, page by page.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct RecordPage {
    /// The records.
    pub records: Vec<RecordLine>,
    /// Where to go on.
    pub next: Option<String>,
}

/// What a record says.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct RecordView {
    /// The circle.
    pub circle: CircleId,
    /// The record.
    pub record: RecordId,
    /// What it is about.
    pub thing: ThingId,
    /// The node that wrote it.
    pub node: NodeId,
    /// That node's structure.
    pub structure: String,
    /// The professional who wrote it.
    pub author: Professional,
    /// The writer's clock.
    pub time: Timestamp,
    /// When it happened, Unix milliseconds.
    pub occurred_ms: u64,
    /// What it says.
    pub content: Content,
    /// Arrived with a clock more than ten minutes ahead: when it arrived, Unix milliseconds.
    pub ahead: Option<u64>,
    /// How far it got: structure by structure.
    pub delivery: Vec<(NodeId, String, Delivery)>,
}

/// A record's bytes.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Exported {
    /// The record.
    pub record: RecordId,
    /// Base64 of deterministic CBOR `[header, body]`, or the opened content as JSON.
    pub content: String,
}

/// What this node can say of a record's sealed bytes.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct VerifiedRecord {
    /// The record.
    pub record: RecordId,
    /// The circle.
    pub circle: CircleId,
    /// The node that signed it.
    pub node: NodeId,
    /// Whether the signature is right.
    pub signature: bool,
    /// Whether this node holds it.
    pub held: bool,
    /// `opens`, `epoch not granted`, `epoch not opened`, `circle unknown` or `invalid`.
    pub body: String,
    /// Everything in one sentence.
    pub sentence: String,
}

/// What an import did.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Imported {
    /// Circles that were opened or found again, with what was written in each.
    pub circles: Vec<ImportedCircle>,
    /// Paths that were mapped.
    pub mapped: Vec<String>,
    /// Paths that are kept in the sealed original only, with the reason.
    pub kept: Vec<(String, String)>,
    /// Paths that were refused, with the reason.
    pub refused: Vec<(String, String)>,
    /// Warnings, such as empty strings.
    pub warnings: Vec<String>,
    /// The same file had been imported before, and nothing changed.
    pub unchanged: bool,
}

/// What an import did in one circle.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ImportedCircle {
    /// The circle.
    pub circle: CircleId,
    /// Whether it was opened by this import.
    pub opened: bool,
    /// Records written.
    pub records: Vec<RecordId>,
    /// The identity's status after the import.
    pub status: IdentityStatus,
    /// Doubts about the identity.
    pub doubts: Vec<String>,
}

/// What waits for one node in one circle.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct OutboxLine {
    /// For whom.
    pub node: NodeId,
    /// Its structure.
    pub structure: String,
    /// In which circle.
    pub circle: CircleId,
    /// How many records.
    pub records: u64,
    /// The oldest of them, Unix milliseconds.
    pub oldest_ms: u64,
    /// Whether an alert is among them.
    pub alert: bool,
}

/// A background loop.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Worker {
    /// Its name.
    pub name: String,
    /// What it does, in one sentence.
    pub does: String,
    /// `idle`, `busy`, `throttled` or `stopped`.
    pub state: String,
    /// How much waits for it.
    pub queue: u64,
    /// Last success, Unix milliseconds.
    pub last_success_ms: Option<u64>,
    /// Last error, with its time.
    pub last_error: Option<(u64, String)>,
    /// Sleeps so many times the work's own duration.
    pub tranquillity: u32,
}

/// Where this node stands in one circle.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct CircleDigest {
    /// The circle.
    pub circle: CircleId,
    /// Number of the charter's head.
    pub entry: u64,
    /// Records held.
    pub records: u64,
    /// SHA-256 over the canonical views, where asked for.
    pub digest: Option<Hash>,
}

/// This node's keys.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Keys {
    /// Its name, which is its signing key.
    pub node: NodeId,
    /// Receive keys, newest first: id, made, expires (Unix milliseconds).
    pub receive: Vec<(KeyId, u64, u64)>,
    /// SHA-256 of the offline recovery public key.
    pub recovery: Hash,
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

/// Something that happened, told after its commit.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case", tag = "event")]
pub enum WatchEvent {
    /// The watch has begun: everything committed from here on is told.
    Watching,
    /// A record can be read.
    Recorded {
        /// The circle.
        circle: CircleId,
        /// The record.
        record: RecordId,
        /// Its thing.
        thing: ThingId,
        /// Its kind, such as `alert`; the number of an unknown kind.
        kind: String,
        /// The node that wrote it.
        node: NodeId,
        /// When this node committed it, Unix milliseconds.
        at_ms: u64,
    },
    /// An alert of this node reached a structure's node.
    Delivered {
        /// The circle.
        circle: CircleId,
        /// The alert.
        record: RecordId,
        /// The structure's node.
        node: NodeId,
        /// When, Unix milliseconds.
        at_ms: u64,
    },
    /// A charter has a new head.
    Charter {
        /// The circle.
        circle: CircleId,
        /// Number of the head.
        entry: u64,
        /// Whether this node is a member.
        member: bool,
    },
    /// An invitation arrived.
    Invited {
        /// Which.
        invitation: InvitationId,
    },
    /// A node connected or disconnected.
    Link {
        /// The node.
        node: NodeId,
        /// Connected now.
        up: bool,
    },
    /// A pairing went on.
    Pairing {
        /// Which.
        pairing: String,
    },
    /// Something was kept aside or marked: a fixed word.
    Reported {
        /// The circle, where there is one.
        circle: Option<CircleId>,
        /// What.
        what: String,
    },
    /// The watch could not keep up and missed some events.
    Missed {
        /// How many.
        count: u64,
    },
}
