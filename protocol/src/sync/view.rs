//! What a session reads.

use std::{collections::BTreeSet, sync::Arc};

use super::Message;
use crate::{
    cbor::Bytes,
    charter::SealedSecret,
    circle::{Circle, FileRow, Wanted},
    ids::{CircleId, EntryHash, Hash, LogId, NodeId, RecordId, Token},
    record::Record,
};

/// What a session reads: committed state, and nothing else; and the claims, by which sessions share the missing attachments out.
pub trait View {
    /// This node.
    fn own(&self) -> NodeId;
    /// A circle, as committed.
    fn circle(&self, circle: &CircleId) -> Option<Arc<Circle>>;
    /// Number and hash of the charter's head of a circle whose time is over here, if `peer` was ever in it.
    fn finished(&self, circle: &CircleId, peer: &NodeId) -> Option<(u64, EntryHash)>;
    /// Circles whose charter lists or listed `peer` and that changed after `cursor`.
    fn changed_since(&self, peer: &NodeId, cursor: u64) -> Vec<CircleId>;
    /// Circles in which alerts of this node wait for `peer`.
    fn alerting(&self, peer: &NodeId) -> BTreeSet<CircleId>;
    /// The node's change counter.
    fn counter(&self) -> u64;
    /// Charter entries after number `after`, up to `up_to`, of about `bytes` bytes, at least one where there is one.
    fn entries(&self, circle: &CircleId, after: u64, up_to: u64, bytes: usize) -> Vec<Bytes>;
    /// Sealed copies for `recipient` of those `epochs` that this node holds a copy of or can seal again, by the numbers of their entries.
    fn seals(
        &self,
        circle: &CircleId,
        recipient: &NodeId,
        epochs: &BTreeSet<u64>,
    ) -> Vec<SealedSecret>;
    /// The entries of a circle's charter that stand on other branches and are kept aside, in the order of their numbers.
    fn rival_entries(&self, circle: &CircleId) -> Vec<Bytes>;
    /// Sealed copies for `recipient` of the secrets of other branches' epochs that it may have.
    fn rival_seals(&self, circle: &CircleId, recipient: &NodeId) -> Vec<SealedSecret>;
    /// Records of a log from `from` to `up_to`, of about `bytes` bytes, at least one where there is one.
    fn records(
        &self,
        circle: &CircleId,
        log: &LogId,
        from: u64,
        up_to: u64,
        bytes: usize,
    ) -> Vec<Record>;
    /// Id of the record at a place of a log.
    fn record_id(&self, circle: &CircleId, log: &LogId, sequence: u64) -> Option<RecordId>;
    /// Whether a record is kept aside as one of another branch of its log.
    fn is_branch(&self, circle: &CircleId, record: &RecordId) -> bool;
    /// The records of other branches that are kept aside of a circle, log by log.
    fn branches(&self, circle: &CircleId) -> Vec<Record>;
    /// The newest acknowledgement of every member, this node's own included.
    fn acks(&self, circle: &CircleId) -> Vec<Bytes>;
    /// This node's own acknowledgement of what is committed.
    fn own_ack(&self, circle: &CircleId) -> Option<Bytes>;
    /// This node's own descriptor.
    fn descriptor(&self) -> Bytes;
    /// Marks of past exchanges with `peer` and the change counter that each stands for, newest first.
    fn marks(&self, peer: &NodeId) -> Vec<(Token, u64)>;
    /// A fresh random mark.
    fn new_mark(&self) -> Token;
    /// Invitations and acceptances that `peer` may not have yet.
    fn letters(&self, peer: &NodeId) -> Vec<Message>;
    /// What is known of identities and concerns `peer`: recovery keys' statements and revocations.
    fn statements(&self, peer: &NodeId) -> Vec<Message>;
    /// The statements by which this node's own recovery key became another one: said before the hello, whose descriptor names that one.
    fn rotations(&self) -> Vec<Message>;
    /// Whether `peer` is not spoken to any more: its identity was revoked or replaced.
    fn refuses(&self, peer: &NodeId) -> bool;
    /// Where a record is: its circle, its log, its place there.
    fn place(&self, record: &RecordId) -> Option<(CircleId, LogId, u64)>;
    /// Circles of `peer` in which attachments are missing here.
    fn lacking(&self, peer: &NodeId) -> Vec<CircleId>;
    /// Circles shared with `peer` of which this node lacks a body, or the secret of an epoch, that it is granted.
    fn incomplete(&self, peer: &NodeId) -> Vec<CircleId>;
    /// The next attachment of a circle, after this one, that is missing here.
    fn wanted(&self, circle: &CircleId, after: Option<Wanted>) -> Option<Wanted>;
    /// How much of an attachment is here.
    fn file(&self, circle: &CircleId, address: &Hash) -> FileRow;
    /// Sealed chunks of an attachment, `count` at most.
    fn chunks(&self, circle: &CircleId, address: &Hash, from: u64, count: u64) -> Vec<Bytes>;
    /// Whether `peer` may be asked for an attachment now: not while somebody else is. Not durable.
    fn claim(&self, address: Hash, peer: NodeId) -> bool;
    /// `peer` is asked for it no more.
    fn free(&self, address: &Hash, peer: &NodeId);
}
