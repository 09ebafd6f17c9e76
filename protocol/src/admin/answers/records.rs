//! Records, one by one.

use serde::{Deserialize, Serialize};

use super::{AlertView, SharingRefused};
use crate::{
    content::{Content, Professional},
    dossier::Delivery,
    ids::{CircleId, LogId, NodeId, RecordId, ThingId},
    time::Timestamp,
};

/// Records that were written.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Written {
    /// The circle.
    pub circle: CircleId,
    /// The record.
    pub record: RecordId,
    /// Its thing.
    pub thing: ThingId,
    /// The person's word against sharing, where one stands and other structures of the circle read this all the same.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub against: Option<SharingRefused>,
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
    /// It stands where its log has forked: its node ran on an old copy of its disk, or twice, or its key is in other hands.
    #[serde(default)]
    pub forked: bool,
    /// How far it got: structure by structure.
    pub delivery: Vec<(NodeId, String, Delivery)>,
    /// Where it stands and who has answered, where one alert is shown by itself.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub alert: Option<AlertView>,
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
