//! What is kept: typed rows, and where they are read from.

use std::collections::{BTreeMap, BTreeSet};

use minicbor::{Decode, Encode};

use super::Changes;
use crate::{
    circle::Wanted,
    ids::{CircleId, Hash, Incarnation, InvitationId, LogId, NodeId, RecordId, ThingId},
};

/// The name of a row. The order groups what is read together.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Row {
    /// The hybrid clock's last timestamp.
    Clock,
    /// The change counter.
    Counter,
    /// This node's current incarnation.
    Incarnation,
    /// When this node began its incarnations of the last day, Unix milliseconds.
    Lives,
    /// When this node was put back from a copy, Unix milliseconds.
    Restored,
    /// A verified charter.
    Charter(CircleId),
    /// A circle's logs, exceptions and secrets.
    Circle(CircleId),
    /// A circle whose time is over, as far as it is not swept away.
    Finishing(CircleId),
    /// What stays of it.
    Finished(CircleId),
    /// A charter entry as it came.
    Entry(CircleId, u64),
    /// A sealed copy: circle, number of the epoch's entry, recipient.
    Seal(CircleId, NodeId, u64),
    /// A record as it came.
    Record(CircleId, LogId, u64),
    /// Where a record is.
    Place(RecordId),
    /// A thing's versions.
    Thing(CircleId, ThingId),
    /// An alert with its answers, by the alert's thing: the index of alerts.
    Alert(CircleId, ThingId),
    /// A request that the circle's steward has not answered.
    Request(CircleId, ThingId),
    /// An erasure that this node has not answered.
    Erasing(CircleId, ThingId),
    /// What stays of a record whose erasure was carried out here.
    Erased(CircleId, RecordId),
    /// The index of alerts is there: whoever finds a database without it makes it first.
    AlertsIndexed,
    /// The newest acknowledgement of a member.
    Ack(CircleId, NodeId),
    /// Delivery of an alert of ours.
    Delivery(CircleId, RecordId),
    /// An alert of ours, by the log and the sequence, that this member has not acknowledged yet.
    Awaited(NodeId, CircleId, LogId, u64),
    /// Something signed that does not fit, kept aside; numbered by its hash.
    Aside(CircleId, Hash),
    /// A record whose clock was ahead: when it arrived.
    Ahead(CircleId, RecordId),
    /// A sealed chunk of an attachment.
    Chunk(CircleId, Hash, u64),
    /// How much of an attachment is here.
    File(CircleId, Hash),
    /// An attachment that the record at this place names and that is not here.
    Wanted(CircleId, LogId, u64, Hash),
    /// An attachment that is being added here.
    Upload(CircleId, Hash),
    /// How far this node is with writing again for new members what it wrote beside their admission.
    Renewing(CircleId),
    /// The newest descriptor of a node.
    Descriptor(NodeId),
    /// Marks of exchanges with a peer.
    Marks(NodeId),
    /// An invitation that this node sent.
    Outgoing(InvitationId),
    /// An invitation that this node received.
    Incoming(InvitationId),
    /// An invitation, sent to that node or received from it, that is not settled: the index of letters.
    Letter(NodeId, InvitationId),
    /// The index of letters is there: whoever finds a database without it makes it first.
    LettersIndexed,
    /// What is known of a node's identity beside its descriptor.
    Fate(NodeId),
}

/// Rows that are read one after another, in the order of their names.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum RowPrefix {
    /// All charters.
    Charters,
    /// All circles that are being swept away.
    Finishing,
    /// All circles whose time is over.
    Finished,
    /// Entries of a charter after a number.
    Entries(CircleId, u64),
    /// Sealed copies for a recipient.
    Seals(CircleId, NodeId),
    /// Records of a log from a sequence.
    Records(CircleId, LogId, u64),
    /// Things of a circle.
    Things(CircleId),
    /// The index of a circle's alerts.
    Alerts(CircleId),
    /// Requests of a circle that wait for its steward.
    Requests(CircleId),
    /// Erasures of a circle that wait for this node's word.
    Erasing(CircleId),
    /// Those of all circles.
    AllErasing,
    /// Acknowledgements of a circle.
    Acks(CircleId),
    /// Alerts of ours in one log that a member has not acknowledged, from a sequence.
    Awaited(NodeId, CircleId, LogId, u64),
    /// Those of all logs of a circle.
    AwaitedIn(NodeId, CircleId),
    /// Those of all circles.
    AwaitedOf(NodeId),
    /// What is kept aside of a circle.
    Aside(CircleId),
    /// Records of a circle with a clock ahead.
    Ahead(CircleId),
    /// Chunks of an attachment from a number.
    Chunks(CircleId, Hash, u64),
    /// Attachments of a circle that are missing, after one.
    Wanted(CircleId, Option<Wanted>),
    /// Attachments that records of one log name and that are missing.
    WantedOf(CircleId, LogId),
    /// All attachments that are being added.
    Uploads,
    /// All circles in which something is still to be written again.
    Renewing,
    /// All invitations sent.
    Outgoing,
    /// All invitations received.
    Incoming,
    /// Open invitations that are exchanged with a node.
    Letters(NodeId),
    /// Those of all nodes.
    AllLetters,
    /// What is known of all identities of which something is known.
    Fates,
}

impl RowPrefix {
    /// Where its rows begin in the order of names.
    pub(super) fn first(&self) -> Row {
        let low16 = [0; 16];
        let low32 = [0; 32];
        let low_log = LogId {
            node: NodeId(low32),
            incarnation: Incarnation(low16),
        };
        match *self {
            Self::Charters => Row::Charter(CircleId(low32)),
            Self::Finishing => Row::Finishing(CircleId(low32)),
            Self::Finished => Row::Finished(CircleId(low32)),
            Self::Entries(circle, after) => Row::Entry(circle, after.saturating_add(1)),
            Self::Seals(circle, node) => Row::Seal(circle, node, 0),
            Self::Records(circle, log, sequence) => Row::Record(circle, log, sequence),
            Self::Things(circle) => Row::Thing(circle, ThingId(low16)),
            Self::Alerts(circle) => Row::Alert(circle, ThingId(low16)),
            Self::Requests(circle) => Row::Request(circle, ThingId(low16)),
            Self::Erasing(circle) => Row::Erasing(circle, ThingId(low16)),
            Self::AllErasing => Row::Erasing(CircleId(low32), ThingId(low16)),
            Self::Acks(circle) => Row::Ack(circle, NodeId(low32)),
            Self::Awaited(node, circle, log, sequence) => Row::Awaited(node, circle, log, sequence),
            Self::AwaitedIn(node, circle) => Row::Awaited(node, circle, low_log, 0),
            Self::AwaitedOf(node) => Row::Awaited(node, CircleId(low32), low_log, 0),
            Self::Aside(circle) => Row::Aside(circle, Hash(low32)),
            Self::Ahead(circle) => Row::Ahead(circle, RecordId(low32)),
            Self::Chunks(circle, address, number) => Row::Chunk(circle, address, number),
            Self::Wanted(
                circle,
                Some(Wanted {
                    log,
                    sequence,
                    address,
                    ..
                }),
            ) => match next_hash(address) {
                Some(next) => Row::Wanted(circle, log, sequence, next),
                None => Row::Wanted(circle, log, sequence.saturating_add(1), Hash(low32)),
            },
            Self::Wanted(circle, None) => Row::Wanted(circle, low_log, 0, Hash(low32)),
            Self::WantedOf(circle, log) => Row::Wanted(circle, log, 0, Hash(low32)),
            Self::Uploads => Row::Upload(CircleId(low32), Hash(low32)),
            Self::Renewing => Row::Renewing(CircleId(low32)),
            Self::Outgoing => Row::Outgoing(InvitationId(low32)),
            Self::Incoming => Row::Incoming(InvitationId(low32)),
            Self::Letters(node) => Row::Letter(node, InvitationId(low32)),
            Self::AllLetters => Row::Letter(NodeId(low32), InvitationId(low32)),
            Self::Fates => Row::Fate(NodeId(low32)),
        }
    }

    /// Whether a row at or behind the first one is among them.
    pub(super) fn holds(&self, row: &Row) -> bool {
        match (*self, *row) {
            (Self::Charters, Row::Charter(_))
            | (Self::Finishing, Row::Finishing(_))
            | (Self::Finished, Row::Finished(_))
            | (Self::AllErasing, Row::Erasing(..))
            | (Self::Uploads, Row::Upload(..))
            | (Self::Renewing, Row::Renewing(_))
            | (Self::Outgoing, Row::Outgoing(_))
            | (Self::Incoming, Row::Incoming(_))
            | (Self::AllLetters, Row::Letter(..))
            | (Self::Fates, Row::Fate(_)) => true,
            (Self::Entries(circle, _), Row::Entry(of, _))
            | (Self::Things(circle), Row::Thing(of, _))
            | (Self::Alerts(circle), Row::Alert(of, _))
            | (Self::Requests(circle), Row::Request(of, _))
            | (Self::Erasing(circle), Row::Erasing(of, _))
            | (Self::Acks(circle), Row::Ack(of, _))
            | (Self::Aside(circle), Row::Aside(of, _))
            | (Self::Ahead(circle), Row::Ahead(of, _))
            | (Self::Wanted(circle, _), Row::Wanted(of, ..)) => of == circle,
            (Self::Letters(node), Row::Letter(with, _))
            | (Self::AwaitedOf(node), Row::Awaited(with, ..)) => with == node,
            (Self::AwaitedIn(node, circle), Row::Awaited(by, of, ..)) => by == node && of == circle,
            (Self::Awaited(node, circle, log, _), Row::Awaited(by, of, within, _)) => {
                by == node && of == circle && within == log
            }
            (Self::Seals(circle, node), Row::Seal(of, to, _)) => of == circle && to == node,
            (Self::Records(circle, log, _), Row::Record(of, by, _))
            | (Self::WantedOf(circle, log), Row::Wanted(of, by, ..)) => of == circle && by == log,
            (Self::Chunks(circle, address, _), Row::Chunk(of, file, _)) => {
                of == circle && file == address
            }
            _ => false,
        }
    }
}

/// The hash that follows another one in their order, where there is one.
fn next_hash(Hash(mut bytes): Hash) -> Option<Hash> {
    let place = bytes.iter().rposition(|byte| *byte < 0xff)?;
    bytes[place] += 1;
    bytes[place + 1..].fill(0);
    Some(Hash(bytes))
}

/// Rows cannot be read.
#[derive(Debug, thiserror::Error)]
#[error("{message}")]
pub struct StorageError {
    message: String,
    #[source]
    source: Option<Box<dyn std::error::Error + Send + Sync>>,
}

impl StorageError {
    /// The storage says why.
    pub fn new(error: impl std::error::Error + Send + Sync + 'static) -> Self {
        Self {
            message: error.to_string(),
            source: Some(Box::new(error)),
        }
    }

    pub(crate) fn damaged(what: &str) -> Self {
        Self {
            message: format!(
                "a stored {what} cannot be read: run `maillonctl doctor`, restore from a backup"
            ),
            source: None,
        }
    }

    pub(crate) fn missing(what: &str) -> Self {
        Self {
            message: format!(
                "a stored {what} is missing: run `maillonctl doctor`, restore from a backup"
            ),
            source: None,
        }
    }
}

/// Committed rows.
pub trait Rows {
    /// One row.
    ///
    /// # Errors
    /// [`StorageError`].
    fn get(&self, row: &Row) -> Result<Option<Vec<u8>>, StorageError>;

    /// Values one after another, in the order of their rows' names where these are numbered, until `more` says no; without those of the rows
    /// `but`, of which whoever asks knows better.
    ///
    /// # Errors
    /// [`StorageError`].
    fn each_but(
        &self,
        prefix: &RowPrefix,
        but: &BTreeSet<Row>,
        more: &mut dyn FnMut(Vec<u8>) -> bool,
    ) -> Result<(), StorageError>;

    /// As [`each_but`](Self::each_but), leaving out none.
    ///
    /// # Errors
    /// [`StorageError`].
    fn each(
        &self,
        prefix: &RowPrefix,
        more: &mut dyn FnMut(Vec<u8>) -> bool,
    ) -> Result<(), StorageError> {
        self.each_but(prefix, &BTreeSet::new(), more)
    }

    /// All values of a prefix.
    ///
    /// # Errors
    /// [`StorageError`].
    fn scan(&self, prefix: &RowPrefix) -> Result<Vec<Vec<u8>>, StorageError> {
        let mut found = Vec::new();
        self.each(prefix, &mut |value| {
            found.push(value);
            true
        })?;
        Ok(found)
    }
}

pub(super) fn read<T>(bytes: &[u8]) -> Result<T, StorageError>
where
    T: for<'b> Decode<'b, ()> + Encode<()>,
{
    minicbor::decode(bytes).map_err(|_| StorageError::damaged("row"))
}

/// Rows in a map: for tests, the simulation and whoever wants a node without a database.
#[derive(Debug, Clone, Default)]
pub struct Memory {
    rows: BTreeMap<Row, Vec<u8>>,
}

impl Memory {
    /// Makes staged rows durable.
    pub fn commit(&mut self, staged: &Changes) {
        for (row, value) in staged {
            match value {
                Some(value) => self.rows.insert(*row, value.clone()),
                None => self.rows.remove(row),
            };
        }
    }

    /// All rows.
    pub const fn rows(&self) -> &BTreeMap<Row, Vec<u8>> {
        &self.rows
    }
}

impl Rows for Memory {
    fn get(&self, row: &Row) -> Result<Option<Vec<u8>>, StorageError> {
        Ok(self.rows.get(row).cloned())
    }

    fn each_but(
        &self,
        prefix: &RowPrefix,
        but: &BTreeSet<Row>,
        more: &mut dyn FnMut(Vec<u8>) -> bool,
    ) -> Result<(), StorageError> {
        let found = self.rows.range(prefix.first()..);
        for (row, value) in found.take_while(|(row, _)| prefix.holds(row)) {
            if !but.contains(row) && !more(value.clone()) {
                break;
            }
        }
        Ok(())
    }
}
