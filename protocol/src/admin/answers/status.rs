//! Must I do something, and does everything hold?

use serde::{Deserialize, Serialize};

use super::PeerLine;
use crate::{descriptor::StructureKind, ids::NodeId};

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
    /// Why, where there is something; the most serious first.
    pub reasons: Vec<Reason>,
    /// What is worth knowing and needs nobody: it does not change the verdict.
    pub notices: Vec<Reason>,
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
    /// The daemon's clock, and those that ran ahead of it.
    pub clock: ClockState,
    /// Last backup that was verified, Unix milliseconds. Always none: this version makes no backups.
    pub last_backup_ms: Option<u64>,
    /// Whether commands that show or write care content are allowed on the socket.
    pub care_commands: bool,
}

/// One reason of a verdict, or one thing worth knowing.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Reason {
    /// What is so.
    pub sentence: String,
    /// The command to type, where there is one. Never anything that a shell would not take.
    pub command: Option<String>,
}

/// What is known of clocks.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ClockState {
    /// The daemon's clock, Unix milliseconds.
    pub now_ms: u64,
    /// Nodes whose records came with a time more than ten minutes ahead of this clock.
    pub ahead: Vec<ClockAhead>,
}

/// A node whose clock ran ahead of this one's, or behind whose clock this one ran.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ClockAhead {
    /// The node that wrote the records.
    pub node: NodeId,
    /// Its structure.
    pub structure: String,
    /// How many of its records came so.
    pub records: u64,
    /// When the last of them came, Unix milliseconds.
    pub last_ms: u64,
    /// By how much the last of them was ahead, milliseconds.
    pub by_ms: u64,
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
    /// What a person does about it, in one sentence, where no command repairs it.
    pub advice: Option<String>,
}
