//! The signed header.

use minicbor::{Decode, Decoder, Encode, Encoder, data::Type};

use crate::{
    ids::{CircleId, EntryHash, Hash, Incarnation, LogId, NodeId, RecordId},
    sign::Signed,
    time::Timestamp,
};

/// An older log of the same node in the same circle, named where a new incarnation begins.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Encode, Decode)]
#[cbor(array)]
pub struct OlderLog {
    /// Its incarnation.
    #[n(0)]
    pub incarnation: Incarnation,
    /// How far the node knows it.
    #[n(1)]
    pub height: u64,
    /// Its last known record.
    #[n(2)]
    pub head: RecordId,
}

/// What comes before a record in its log.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Previous {
    /// The record before it: a byte string.
    Record(RecordId),
    /// Sequence 1: the node's older logs in this circle, an array, often empty.
    Opening(Vec<OlderLog>),
}

impl<C> Encode<C> for Previous {
    fn encode<W: minicbor::encode::Write>(
        &self,
        encoder: &mut Encoder<W>,
        context: &mut C,
    ) -> Result<(), minicbor::encode::Error<W::Error>> {
        match self {
            Self::Record(id) => id.encode(encoder, context),
            Self::Opening(logs) => logs.encode(encoder, context),
        }
    }
}

impl<'b, C> Decode<'b, C> for Previous {
    fn decode(decoder: &mut Decoder<'b>, context: &mut C) -> Result<Self, minicbor::decode::Error> {
        match decoder.datatype()? {
            Type::Bytes => RecordId::decode(decoder, context).map(Self::Record),
            _ => Vec::decode(decoder, context).map(Self::Opening),
        }
    }
}

/// A record's header.
#[derive(Debug, Clone, PartialEq, Eq, Encode, Decode)]
#[cbor(array)]
pub struct Header {
    /// 1.
    #[n(0)]
    pub version: u64,
    /// The circle.
    #[n(1)]
    pub circle: CircleId,
    /// The log; its node signs.
    #[n(2)]
    pub log: LogId,
    /// From 1, without gaps.
    #[n(3)]
    pub sequence: u64,
    /// What comes before.
    #[n(4)]
    pub previous: Previous,
    /// Number of the charter entry that the writer knew.
    #[n(5)]
    pub entry: u64,
    /// Its hash.
    #[n(6)]
    pub entry_hash: EntryHash,
    /// Hash of the entry that started the epoch under which the body is sealed.
    #[n(7)]
    pub epoch: EntryHash,
    /// The writer's hybrid clock.
    #[n(8)]
    pub time: Timestamp,
    /// HMAC-SHA256 of the padded plaintext under 32 fresh random bytes.
    #[n(9)]
    pub salt: Hash,
    /// SHA-256 of the body's bytes.
    #[n(10)]
    pub body_hash: Hash,
    /// Length of the body in bytes.
    #[n(11)]
    pub body_length: u64,
    /// Number of the charter entry that the record before named; 0 at sequence 1. Who receives a log from an entry on sees by it that nobody left
    /// out where that part begins.
    #[n(12)]
    pub entry_before: u64,
}

impl Signed for Header {
    const DOMAIN: &'static str = "record";
    fn signer(&self) -> NodeId {
        self.log.node
    }
}
