//! What happens to a session, and what it asks of its driver.

use std::{collections::BTreeMap, sync::Arc};

use super::{Message, Problem};
use crate::{
    charter::{Entry, SealedSecret},
    circle::Fetched,
    ids::{CircleId, EntryHash, InvitationId, LogId, NodeId, Token},
    record::{Header, Record},
    sign::Unverified,
};

/// What happens to a session.
#[derive(Debug)]
pub enum Event<'a> {
    /// The connection is up.
    Started,
    /// A frame arrived.
    Received(&'a [u8]),
    /// A [`Effect::Commit`] is done.
    Done(u64, Outcome),
    /// Something was committed, from wherever it came.
    Committed(&'a News),
    /// News were lost because the driver's queue was full: everything is compared again.
    NewsLost,
    /// All that was sent has left the driver's queue: there is room for the answers that wait.
    Flushed,
    /// The time asked for by [`Effect::Timer`] has come.
    Timer,
}

/// What a commit changed, for every session.
#[derive(Debug, Clone)]
pub struct News {
    /// The circle; none for letters.
    pub circle: Option<CircleId>,
    /// What changed.
    pub change: Change,
    /// The peer from whom it came; none where it was written here.
    pub from: Option<NodeId>,
}

/// Kinds of changes.
#[derive(Debug, Clone)]
pub enum Change {
    /// New records.
    Records(Arc<Vec<Record>>),
    /// A longer charter, or secrets that opened.
    Charter,
    /// Newer acknowledgements.
    Acks,
    /// A letter to this peer.
    Letter(NodeId),
    /// This node's descriptor.
    Descriptor,
    /// What is known of this node's identity: a statement of its recovery key, a revocation, a person's word.
    Identity(NodeId),
    /// An attachment is all here.
    Attachment,
}

/// What a session asks of its driver.
#[derive(Debug)]
pub enum Effect {
    /// Send a message.
    Send(Message),
    /// Verify and commit; answer with [`Event::Done`] and the same number.
    Commit(u64, Batch),
    /// Wake the session at this time, Unix milliseconds; replaces the timer before.
    Timer(u64),
    /// Count and report.
    Report(Problem),
    /// Close the connection.
    Close(Problem),
}

/// What is to be verified and committed.
#[derive(Debug)]
pub enum Batch {
    /// Records of one circle; signatures are not verified yet.
    Records {
        /// The circle.
        circle: CircleId,
        /// Headers and bodies.
        records: Vec<(Unverified<Header>, Option<Vec<u8>>)>,
    },
    /// Charter entries of one circle and sealed copies; signatures are not verified yet.
    Entries {
        /// The circle.
        circle: CircleId,
        /// Entries.
        entries: Vec<Unverified<Entry>>,
        /// Copies.
        seals: Vec<SealedSecret>,
    },
    /// A member's word that it leaves.
    Departure(Vec<u8>),
    /// Acknowledgements.
    Acks(CircleId, Vec<Vec<u8>>),
    /// A descriptor.
    Descriptor(Vec<u8>),
    /// A recovery key's statement.
    Replacement(Vec<u8>),
    /// A node's word that its identity is used no more.
    Revocation(Vec<u8>),
    /// An invitation for this node.
    Invitation(Vec<u8>),
    /// An acceptance of this node's invitation.
    Acceptance(Vec<u8>),
    /// The peer took back an invitation of its own.
    Cancelled(InvitationId),
    /// The peer has stated the head of a circle's charter that this node waits to have confirmed.
    Confirmed(CircleId, EntryHash),
    /// The exchange is finished up to this change counter.
    Mark(Token, u64),
    /// Chunks that were asked for; not checked yet.
    Chunks(Fetched),
}

/// What became of a batch.
#[derive(Debug, Clone, Default)]
pub struct Outcome {
    /// Logs in which something is missing: the sequence that must come next and the last one seen.
    pub gaps: BTreeMap<LogId, (u64, u64)>,
    /// A record names a charter entry that is not here.
    pub unknown_entry: bool,
    /// Logs of which a record came whose predecessor is not here: it stands on another branch that parts from ours before this place.
    pub parted: BTreeMap<LogId, u64>,
    /// Logs of whose other branch something new is kept: up to this place.
    pub branched: BTreeMap<LogId, u64>,
    /// Logs of removed nodes of which something lies beyond what counts, and was not taken: up to this place.
    pub late: BTreeMap<LogId, u64>,
    /// Something in it was refused.
    pub refused: bool,
    /// An attachment came whole and was another one: it was dropped.
    pub wrong_file: bool,
    /// Why, for each signed thing in it that breaks a rule: the driver counts it on the peer's line. Nothing of it is kept.
    pub reasons: Vec<String>,
}
