//! Events of a watch.

use serde::{Deserialize, Serialize};

use crate::ids::{CircleId, InvitationId, NodeId, RecordId, ThingId};

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
    /// A circle is continued by another one, in which this node is now.
    Continued {
        /// The circle.
        circle: CircleId,
        /// The one that continues it.
        by: CircleId,
    },
    /// An invitation arrived.
    Invited {
        /// Which.
        invitation: InvitationId,
    },
    /// An invitation that had arrived was taken back.
    Cancelled {
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
