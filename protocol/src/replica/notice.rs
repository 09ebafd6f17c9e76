//! What becomes visible with a commit: what others are told, what people are told.

use std::sync::Arc;

use crate::{
    circle::{Circle, Reason},
    ids::{CircleId, Incarnation, InvitationId, NodeId, RecordId, ThingId},
    limits::LimitError,
    sync::News,
};

/// Something that people or administrators want to know, told after the commit.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Notice {
    /// A record can be read.
    Recorded {
        /// The circle.
        circle: CircleId,
        /// The record.
        record: RecordId,
        /// What it is about.
        thing: ThingId,
        /// What that belongs to.
        parent: Option<ThingId>,
        /// Number of its kind.
        kind: u64,
        /// The node that wrote it.
        node: NodeId,
    },
    /// A record is held and cannot be shown.
    NotShown {
        /// The circle.
        circle: CircleId,
        /// The record.
        record: RecordId,
        /// Why.
        reason: Reason,
    },
    /// A record's body was erased here.
    Erased {
        /// The circle.
        circle: CircleId,
        /// The record.
        record: RecordId,
    },
    /// A structure's node acknowledged an alert of ours.
    Delivered {
        /// The circle.
        circle: CircleId,
        /// The alert's record.
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
        /// Whether this node is a member now.
        member: bool,
    },
    /// A circle is continued by another one, in which this node is now.
    Continued {
        /// The circle.
        circle: CircleId,
        /// The one that continues it.
        by: CircleId,
    },
    /// A circle's time is over, and this node has let go of it: [`sweep`](super::Replica::sweep).
    Finished(CircleId),
    /// An invitation has arrived.
    Invited(InvitationId),
    /// An invitation that had arrived was taken back by whoever sent it.
    Cancelled(InvitationId),
    /// Something signed does not fit: it was kept aside.
    Aside {
        /// The circle.
        circle: CircleId,
        /// A fixed word: `fork`, `own-log-ahead`, `after-removal`, `entry`, `attachment`.
        what: &'static str,
    },
    /// No more is kept aside of what a node has signed in a circle: it forks its logs without end, or its key is in many hands.
    NotKept {
        /// The circle.
        circle: CircleId,
        /// The node.
        node: NodeId,
        /// How much is kept.
        error: LimitError,
    },
    /// This node's identity writes in a log that this node never began: it runs twice, or it was put back from a copy of an earlier life.
    RunsTwice {
        /// The circle.
        circle: CircleId,
        /// The other life.
        incarnation: Incarnation,
    },
    /// The steward has signed two entries of one number: each member stays on the one that came first there.
    CharterForked {
        /// The circle.
        circle: CircleId,
        /// The number.
        entry: u64,
    },
    /// A record's clock was more than ten minutes ahead.
    ClockAhead {
        /// The circle.
        circle: CircleId,
        /// The record.
        record: RecordId,
        /// Its node.
        node: NodeId,
    },
    /// A node's newer descriptor is here: its addresses may have changed.
    Descriptor(NodeId),
    /// A recovery key says that another identity stands in a node's place: a person compares, and says so.
    Replacing {
        /// The identity that is to be given up.
        old: NodeId,
        /// The one in its place.
        new: NodeId,
    },
    /// A second statement of this node's recovery key contradicts the first one, which stays.
    Contested(NodeId),
    /// A node's identity is used no more, by its own word.
    Revoked(NodeId),
    /// Something is still to be written again in this circle: [`renew_further`](super::Replica::renew_further).
    Renewing(CircleId),
    /// This node began a new incarnation: its own log had been seen ahead of what it holds, or on another branch.
    NewIncarnation,
}

/// What becomes visible with a commit.
#[derive(Debug, Default)]
pub struct Published {
    /// For sessions.
    pub news: Vec<News>,
    /// For people.
    pub notices: Vec<Notice>,
    /// Circles as they are now; none where one is not here any more.
    pub circles: Vec<(CircleId, Option<Arc<Circle>>)>,
    /// The change counter.
    pub counter: u64,
}
