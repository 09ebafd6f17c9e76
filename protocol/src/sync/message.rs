//! What two nodes say on their stream, one message in each frame.

use minicbor::{Decode, Encode};

use crate::{
    cbor::{self, Bytes, CborError},
    charter::SealedSecret,
    circle::LogHeight,
    ids::{CircleId, EntryHash, InvitationId, LogId, RecordId, Token},
    limits::{self, LimitError},
};

/// The protocol version that this code speaks. A node speaks its version and the one before.
pub const VERSION: u64 = 1;

/// A record as it is sent.
#[derive(Debug, Clone, PartialEq, Eq, Encode, Decode)]
#[cbor(array)]
pub struct SentRecord {
    /// COSE_Sign1 bytes.
    #[n(0)]
    pub header: Bytes,
    /// COSE_Encrypt0 bytes; empty where only the header is sent: the peer may not have the body, or it was erased.
    #[n(1)]
    pub body: Bytes,
}

impl SentRecord {
    /// About how many bytes it takes.
    pub fn about_bytes(&self) -> usize {
        self.header.0.len() + self.body.0.len()
    }
}

/// Where a node stands in one circle.
#[derive(Debug, Clone, PartialEq, Eq, Encode, Decode)]
#[cbor(array)]
pub struct CircleState {
    /// The circle.
    #[n(0)]
    pub circle: CircleId,
    /// Number of the charter's head; 0: this node has no such circle, or may not speak of it.
    #[n(1)]
    pub entry: u64,
    /// Hash of the charter's head; zeros where `entry` is 0.
    #[n(2)]
    pub entry_hash: EntryHash,
    /// Heights of the logs.
    #[n(3)]
    pub heights: Vec<LogHeight>,
    /// The newest acknowledgements that this node has of each member, its own included: COSE_Sign1 bytes.
    #[n(4)]
    pub acks: Vec<Bytes>,
    /// Departures that no charter entry has followed yet: COSE_Sign1 bytes. Who is no member any more is told its own.
    #[n(5)]
    pub departures: Vec<Bytes>,
    /// The circle's time is over at this node: it had it up to this entry, has let go of it, and takes it again only where a later entry admits it.
    #[n(6)]
    pub finished: bool,
}

impl CircleState {
    /// About how many bytes it takes.
    pub fn about_bytes(&self) -> usize {
        // The circle, its head, and for each height a log and a record.
        let signed = self.acks.iter().chain(&self.departures);
        96 + 96 * self.heights.len() + signed.map(|one| one.0.len() + 4).sum::<usize>()
    }
}

/// A message.
#[derive(Debug, Clone, PartialEq, Eq, Encode, Decode)]
pub enum Message {
    /// First message of each side, but for the statements of its own recovery key.
    #[n(0)]
    Hello {
        /// Lowest protocol version spoken.
        #[n(0)]
        lowest: u64,
        /// Highest protocol version spoken.
        #[n(1)]
        highest: u64,
        /// The sender's newest descriptor.
        #[n(2)]
        descriptor: Bytes,
        /// Marks of past exchanges, newest first, eight at most.
        #[n(3)]
        marks: Vec<Token>,
    },
    /// Where the sender stands in some circles.
    #[n(1)]
    States(#[n(0)] Vec<CircleState>),
    /// All circles that changed have been stated in this round.
    #[n(2)]
    Compared(#[n(0)] u64),
    /// Nothing of this round is open any more.
    #[n(3)]
    Finished(#[n(0)] u64),
    /// Both sides finished: the mark to keep, made by the node with the lower name.
    #[n(4)]
    Mark(#[n(0)] u64, #[n(1)] Token),
    /// Charter entries, in order, and sealed copies for the receiver.
    #[n(5)]
    Entries {
        /// The circle.
        #[n(0)]
        circle: CircleId,
        /// COSE_Sign1 bytes.
        #[n(1)]
        entries: Vec<Bytes>,
        /// Copies.
        #[n(2)]
        seals: Vec<SealedSecret>,
        /// More entries follow in another message.
        #[n(3)]
        more: bool,
    },
    /// Asks for records of one log after a sequence, up to another one.
    #[n(6)]
    Want {
        /// The circle.
        #[n(0)]
        circle: CircleId,
        /// The log.
        #[n(1)]
        log: LogId,
        /// Last sequence held; 0: none.
        #[n(2)]
        after: u64,
        /// Last sequence wanted.
        #[n(3)]
        up_to: u64,
    },
    /// Records of one circle.
    #[n(7)]
    Records {
        /// The circle.
        #[n(0)]
        circle: CircleId,
        /// Number of the sender's charter head.
        #[n(1)]
        entry: u64,
        /// Its hash.
        #[n(2)]
        entry_hash: EntryHash,
        /// The records; those of one log in order.
        #[n(3)]
        records: Vec<SentRecord>,
        /// Whether this answers a [`Message::Want`].
        #[n(4)]
        wanted: bool,
    },
    /// An acknowledgement: COSE_Sign1 bytes.
    #[n(8)]
    Ack(#[n(0)] Bytes),
    /// An invitation to a circle: COSE_Sign1 bytes.
    #[n(9)]
    Invitation(#[n(0)] Bytes),
    /// An acceptance: COSE_Sign1 bytes.
    #[n(10)]
    Acceptance(#[n(0)] Bytes),
    /// The sender's or a fellow member's newer descriptor: COSE_Sign1 bytes.
    #[n(11)]
    Descriptor(#[n(0)] Bytes),
    /// Asks for chunks of an attachment that a record names.
    #[n(12)]
    WantChunks {
        /// The circle.
        #[n(0)]
        circle: CircleId,
        /// The record whose body names it.
        #[n(1)]
        record: RecordId,
        /// The attachment's address.
        #[n(2)]
        address: crate::ids::Hash,
        /// First chunk wanted.
        #[n(3)]
        from: u64,
        /// How many.
        #[n(4)]
        count: u64,
    },
    /// Chunks of an attachment.
    #[n(13)]
    Chunks {
        /// The attachment's address.
        #[n(0)]
        address: crate::ids::Hash,
        /// Number of the first chunk.
        #[n(1)]
        from: u64,
        /// Sealed chunks; empty: not here.
        #[n(2)]
        chunks: Vec<Bytes>,
    },
    /// Nobody is admitted any more by this invitation of the sender's. Repeated with each contact until the invitation would have expired.
    #[n(14)]
    Cancelled(#[n(0)] InvitationId),
    /// What a recovery key says of the sender's identity, or of one that both know: COSE_Sign1 bytes. Repeated with each contact.
    #[n(15)]
    Replacement(#[n(0)] Bytes),
    /// A node's word that its identity is used no more: COSE_Sign1 bytes. Repeated with each contact.
    #[n(16)]
    Revocation(#[n(0)] Bytes),
}

/// Why a frame is no message.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum MessageError {
    /// Too long.
    #[error(transparent)]
    Limit(#[from] LimitError),
    /// Not a message of this protocol.
    #[error("the frame is no message: {0}")]
    Form(#[from] CborError),
}

impl Message {
    /// The frame's content.
    pub fn encode(&self) -> Vec<u8> {
        cbor::encode(self)
    }

    /// Reads a frame's content.
    ///
    /// # Errors
    /// [`MessageError`].
    pub fn decode(frame: &[u8]) -> Result<Self, MessageError> {
        limits::within("a frame in bytes", frame.len() as u64, limits::FRAME as u64)?;
        Ok(cbor::decode(frame)?)
    }

    /// The number under which this message is written.
    pub const fn number(&self) -> u64 {
        match self {
            Self::Hello { .. } => 0,
            Self::States(_) => 1,
            Self::Compared(_) => 2,
            Self::Finished(_) => 3,
            Self::Mark(..) => 4,
            Self::Entries { .. } => 5,
            Self::Want { .. } => 6,
            Self::Records { .. } => 7,
            Self::Ack(_) => 8,
            Self::Invitation(_) => 9,
            Self::Acceptance(_) => 10,
            Self::Descriptor(_) => 11,
            Self::WantChunks { .. } => 12,
            Self::Chunks { .. } => 13,
            Self::Cancelled(_) => 14,
            Self::Replacement(_) => 15,
            Self::Revocation(_) => 16,
        }
    }

    /// A short name for counters and logs.
    pub const fn name(&self) -> &'static str {
        name_of(self.number())
    }
}

/// The short name of the message with this number.
pub const fn name_of(number: u64) -> &'static str {
    match number {
        0 => "hello",
        1 => "states",
        2 => "compared",
        3 => "finished",
        4 => "mark",
        5 => "entries",
        6 => "want",
        7 => "records",
        8 => "ack",
        9 => "invitation",
        10 => "acceptance",
        11 => "descriptor",
        12 => "want-chunks",
        13 => "chunks",
        14 => "cancelled",
        15 => "replacement",
        16 => "revocation",
        _ => "unknown",
    }
}
