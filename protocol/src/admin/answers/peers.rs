//! Pairings and peers.

use serde::{Deserialize, Serialize};

use crate::{
    descriptor::StructureKind,
    ids::{CircleId, Hash, NodeId},
};

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
    /// Another identity stands in its place, as an administrator here has said.
    Replaced,
    /// Its identity is used no more, by its own word.
    Revoked,
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
    /// Whose relay carries the connection, where one does.
    #[serde(default)]
    pub relay: Option<String>,
    /// Last time it was heard from, Unix milliseconds.
    pub last_seen_ms: Option<u64>,
    /// Records that it has not acknowledged.
    pub waiting: u64,
    /// How often it sent something that was refused, since the start.
    pub refused: u64,
    /// The last error, where the last attempt failed.
    pub last_error: Option<String>,
    /// The node that its recovery key names in its place. It counts once an administrator has said so ([`Relation::Replaced`]).
    #[serde(default)]
    pub replaced_by: Option<NodeId>,
}

/// What came of saying that two nodes are one structure.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Replaced {
    /// The identity that is refused here from now on.
    pub old: NodeId,
    /// The one in its place.
    pub new: NodeId,
    /// Circles in which it took that place now.
    pub replaced: Vec<CircleId>,
    /// Circles in which the old one is a member still, and why.
    pub left: Vec<(CircleId, String)>,
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
    /// SHA-256 of the offline recovery public key that it names.
    #[serde(default)]
    pub recovery: Option<Hash>,
    /// Circles in common.
    pub circles: u64,
    /// `quic`, `tcp` or `relay` (then the line says whose), while connected.
    pub transport: Option<String>,
    /// Round trip, microseconds, as the last ping measured it.
    pub round_trip_us: Option<u64>,
    /// Milliseconds until the next attempt; while a relay carries the connection, until the next one to reach it directly.
    pub next_attempt_ms: Option<u64>,
    /// Frames by protocol and direction since the start, such as `sync.in.records`, and their bytes, `sync.in.bytes`.
    pub frames: Vec<(String, u64)>,
    /// What it did wrong, with counts.
    pub problems: Vec<(String, u64)>,
}
