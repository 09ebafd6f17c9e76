//! Attachments of a circle: which ones are missing, how far each has come.

use minicbor::{Decode, Encode};

use crate::{
    attachment::{AttachmentError, Shape, open_chunk},
    cbor::Bytes,
    ids::{CircleId, Hash, LogId, NodeId, RecordId},
};

/// How often one node may give a file that turns out to be another before it is not asked for it again.
const PATIENCE: u64 = 3;

/// An attachment that a record here names and that is not here.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Encode, Decode)]
#[cbor(array)]
pub struct Wanted {
    /// The record's log.
    #[n(0)]
    pub log: LogId,
    /// The record's place in it.
    #[n(1)]
    pub sequence: u64,
    /// The attachment.
    #[n(2)]
    pub address: Hash,
    /// The record.
    #[n(3)]
    pub record: RecordId,
}

/// How much of an attachment is here.
#[derive(Debug, Clone, Default, PartialEq, Eq, Encode, Decode)]
#[cbor(array)]
pub struct FileRow {
    /// Chunks that are here, the first ones without a gap.
    #[n(0)]
    pub here: u64,
    /// All are here and the address is right.
    #[n(1)]
    pub complete: bool,
    /// The address as far as it has come; empty once the file is complete.
    #[n(2)]
    pub address: Bytes,
    /// Who gave the chunks.
    #[n(3)]
    pub sources: Vec<NodeId>,
    /// Who had given chunks of a file that turned out to be another, and how often.
    #[n(4)]
    pub wrong: Vec<(NodeId, u64)>,
}

impl FileRow {
    /// A file that is all here.
    pub fn complete(chunks: u64) -> Self {
        Self {
            here: chunks,
            complete: true,
            ..Self::default()
        }
    }

    /// Whether `node` has given another file so often that it is not asked again.
    pub fn has_given_up_on(&self, node: &NodeId) -> bool {
        self.wrong
            .iter()
            .any(|(found, times)| found == node && *times >= PATIENCE)
    }

    /// Whether what is here may be continued with chunks of `node`: once a file of several sources was wrong, each must give it alone, so that it is
    /// known whose chunks are.
    pub(crate) fn may_go_on_with(&self, node: &NodeId) -> bool {
        self.wrong.is_empty() || self.sources.iter().all(|source| source == node)
    }

    /// All of it was another file: what is kept of that.
    pub(crate) fn begin_again(&mut self) {
        for source in std::mem::take(&mut self.sources) {
            match self.wrong.iter_mut().find(|(node, _)| *node == source) {
                Some((_, times)) => *times += 1,
                None => self.wrong.push((source, 1)),
            }
        }
        self.here = 0;
        self.address = Bytes::default();
    }
}

/// Chunks that a peer sent because they were asked for.
#[derive(Clone)]
pub struct Fetched {
    /// The circle.
    pub circle: CircleId,
    /// What they are for.
    pub wanted: Wanted,
    /// The attachment's key, as the record says.
    pub key: Bytes,
    /// The plaintext's length, as the record says.
    pub length: u64,
    /// Number of the first chunk.
    pub from: u64,
    /// As sealed.
    pub chunks: Vec<Bytes>,
}

impl std::fmt::Debug for Fetched {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let Self {
            wanted,
            from,
            chunks,
            ..
        } = self;
        write!(
            f,
            "Fetched({:?}, {} from {from})",
            wanted.address,
            chunks.len()
        )
    }
}

impl Drop for Fetched {
    fn drop(&mut self) {
        zeroize::Zeroize::zeroize(&mut self.key.0);
    }
}

impl Fetched {
    /// Whether each chunk opens in its place. Takes a millisecond or so: not for a thread that others wait for.
    ///
    /// # Errors
    /// [`AttachmentError`] of the first that does not.
    pub fn check(&self) -> Result<(), AttachmentError> {
        for (number, chunk) in (self.from..).zip(&self.chunks) {
            open_chunk(&self.key.0, self.length, number, &chunk.0)?;
        }
        Ok(())
    }

    /// How the file is cut.
    ///
    /// # Errors
    /// [`AttachmentError::Limit`].
    pub fn shape(&self) -> Result<Shape, AttachmentError> {
        Shape::of(self.length)
    }
}
