//! Acknowledgements: what a member holds of a circle, signed.
//!
//! One object is the outbox's cursor, the delivery receipt and the retry cursor. A record is delivered to a structure if it is at or below the
//! acknowledged height of its log and in no exception. A higher counter replaces a lower one, lower heights included.

use minicbor::{Decode, Encode};
use serde::{Deserialize, Serialize};

use crate::{
    ids::{CircleId, EntryHash, Incarnation, LogId, NodeId, RecordId},
    limits::{self, LimitError},
    sign::{SignError, Signed, Unverified, Verified},
};

/// How far a log is held.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Encode, Decode)]
#[cbor(array)]
pub struct LogHeight {
    /// The log.
    #[n(0)]
    pub log: LogId,
    /// Last sequence held.
    #[n(1)]
    pub height: u64,
    /// Its record.
    #[n(2)]
    pub head: RecordId,
}

/// Why a record at or below the height is not shown.
#[derive(
    Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Encode, Decode, Serialize, Deserialize,
)]
#[cbor(index_only)]
#[serde(rename_all = "kebab-case")]
pub enum Reason {
    /// Of an epoch that the member is not granted.
    #[n(0)]
    NotGranted,
    /// The epoch's secret has not arrived.
    #[n(1)]
    NotOpened,
    /// The body is not what it should be.
    #[n(2)]
    Invalid,
    /// Of a kind that the member does not know: kept, passed on, not displayed.
    #[n(3)]
    KindUnknown,
    /// The body was erased.
    #[n(4)]
    Erased,
    /// Written after its author's removal.
    #[n(5)]
    AfterRemoval,
    /// The header came from a member that had erased the body, and no erasure of it has been carried out here: other members are asked for it.
    #[n(6)]
    Missing,
}

/// A range of a log with the reason why it is not shown.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Encode, Decode)]
#[cbor(array)]
pub struct Exception {
    /// The log.
    #[n(0)]
    pub log: LogId,
    /// First sequence.
    #[n(1)]
    pub from: u64,
    /// Last sequence.
    #[n(2)]
    pub to: u64,
    /// Why.
    #[n(3)]
    pub reason: Reason,
}

/// What a member holds, signed by it.
#[derive(Debug, Clone, PartialEq, Eq, Encode, Decode)]
#[cbor(array)]
pub struct Ack {
    /// 1.
    #[n(0)]
    pub version: u64,
    /// The circle.
    #[n(1)]
    pub circle: CircleId,
    /// The member; it signs.
    #[n(2)]
    pub node: NodeId,
    /// Its incarnation.
    #[n(3)]
    pub incarnation: Incarnation,
    /// The greater of the previous counter plus one and Unix milliseconds.
    #[n(4)]
    pub counter: u64,
    /// Number of its charter's head.
    #[n(5)]
    pub entry: u64,
    /// Hash of its charter's head.
    #[n(6)]
    pub entry_hash: EntryHash,
    /// Entries whose epochs it has opened.
    #[n(7)]
    pub opened: Vec<u64>,
    /// Heights.
    #[n(8)]
    pub heights: Vec<LogHeight>,
    /// What is not shown, and why.
    #[n(9)]
    pub exceptions: Vec<Exception>,
    /// Logs in which attachments are missing, each with the last sequence up to which all are here. Of a log that is not listed, all are here up
    /// to its height.
    #[n(10)]
    pub attachments: Vec<(LogId, u64)>,
    /// When it was made, Unix milliseconds.
    #[n(11)]
    pub time_ms: u64,
}

impl Signed for Ack {
    const DOMAIN: &'static str = "ack";
    fn signer(&self) -> NodeId {
        self.node
    }
}

/// Why an acknowledgement is refused.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum AckError {
    /// Form or signature.
    #[error(transparent)]
    Sign(#[from] SignError),
    /// A limit.
    #[error(transparent)]
    Limit(#[from] LimitError),
    /// Written by a later version of the protocol.
    #[error("the acknowledgement has version {0}, this node reads version 1: update this node")]
    Version(u64),
}

impl Ack {
    /// Reads and verifies.
    ///
    /// # Errors
    /// [`AckError`].
    pub fn verify(bytes: Vec<u8>) -> Result<Verified<Self>, AckError> {
        let parsed = Unverified::<Self>::parse(bytes)?;
        if parsed.object.version != 1 {
            return Err(AckError::Version(parsed.object.version));
        }
        limits::within(
            "the logs of a circle",
            parsed.object.heights.len() as u64,
            limits::LOGS as u64,
        )?;
        limits::within(
            "the logs of a circle",
            parsed.object.attachments.len() as u64,
            limits::LOGS as u64,
        )?;
        Ok(parsed.verify()?)
    }

    /// Whether the attachments of a record that is delivered are there too.
    pub fn has_attachments(&self, log: &LogId, sequence: u64) -> bool {
        self.attachments
            .iter()
            .all(|(lacking, up_to)| lacking != log || sequence <= *up_to)
    }

    /// Height acknowledged for `log`; 0 where none is.
    pub fn height_of(&self, log: &LogId) -> u64 {
        self.heights
            .iter()
            .find(|height| height.log == *log)
            .map_or(0, |height| height.height)
    }

    /// How far the member holds *our* log: its height where its head is the record that is held here at that place, 0 where it stands on another
    /// branch. Further than `height`, up to which the log is held here, it is `height` for the logs of others; of this node's own log nobody holds
    /// more, unless it has forked or this node lost its end.
    pub fn reached(
        &self,
        log: &LogId,
        height: u64,
        own: &NodeId,
        held: impl FnOnce(u64) -> Option<RecordId>,
    ) -> u64 {
        let Some(said) = self.heights.iter().find(|said| said.log == *log) else {
            return 0;
        };
        if said.height > height {
            return if log.node == *own { 0 } else { height };
        }
        if held(said.height) == Some(said.head) {
            said.height
        } else {
            0
        }
    }

    /// `Ok` if the record is delivered, the reason if it is held without being shown, `None` if it is waiting.
    pub fn delivery(&self, log: &LogId, sequence: u64) -> Option<Result<(), Reason>> {
        if let Some(exception) = self.exceptions.iter().find(|exception| {
            exception.log == *log && (exception.from..=exception.to).contains(&sequence)
        }) {
            return Some(Err(exception.reason));
        }
        (sequence <= self.height_of(log)).then_some(Ok(()))
    }
}
