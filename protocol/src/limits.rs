//! Every limit of the protocol, in one place.
//!
//! A limit that is hit gives a typed error that names it. Nodes of one federation use the same values; the daemon's configuration may only
//! lower what concerns itself (streams, work for each peer).

/// Bytes of one frame, its length field excluded: 1 MiB.
pub const FRAME: usize = 1 << 20;
/// Bytes of a record's body, as sealed: 256 KiB.
pub const BODY: usize = 256 << 10;
/// Bytes of an attachment: 25 MiB.
pub const ATTACHMENT: u64 = 25 << 20;
/// Bytes of a FHIR file to import: 36 MiB. An attachment in base64 is a third longer, and the rest of its bundle stands around it.
pub const IMPORT: u64 = 36 << 20;
/// Attachments that one record names.
pub const ATTACHMENTS: usize = 64;
/// Bytes of plaintext in one chunk of an attachment: 64 KiB.
pub const CHUNK: usize = 64 << 10;
/// Members of a circle.
pub const MEMBERS: usize = 64;
/// Entries of a charter.
pub const ENTRIES: u64 = 10_000;
/// The last entries of a charter, kept for removing, handing over and closing.
pub const RESERVED_ENTRIES: u64 = 100;
/// How often the cuts of one removal move: what comes late comes in few pieces.
pub const CUT_MOVES: u64 = 16;
/// Entries that a stranger may present at once.
pub const PRESENTED: u64 = 64;
/// Bytes of what a stranger may present at once: 256 KiB.
pub const PRESENTATION: usize = 256 << 10;
/// Deputies of a circle.
pub const DEPUTIES: usize = 8;
/// Logs of a circle, all incarnations counted.
pub const LOGS: usize = 1_024;
/// Bytes of a descriptor.
pub const DESCRIPTOR: usize = 8 << 10;
/// Bytes of a charter entry.
pub const ENTRY: usize = 64 << 10;
/// Bytes of a member's word that it leaves: the states of a circle whose members all left fit into a frame.
pub const DEPARTURE: usize = 4 << 10;
/// Bytes of a recovery key's statement.
pub const REPLACEMENT: usize = 512;
/// Statements of recovery keys that lead from one identity to another, in one charter entry.
pub const REPLACEMENTS: usize = 8;
/// Bytes of a node's word that its identity is used no more.
pub const REVOCATION: usize = 256;
/// Bytes of the acknowledgements in one state of a circle.
pub const STATED_ACKS: usize = 512 << 10;
/// Ranges of a circle's records whose bodies are missing: a header without its body beyond them is taken when there are less. Acknowledgements list them.
pub const MISSING: usize = 256;
/// Branches of a charter that has forked, the own one included, that are followed. Those beyond are kept aside and reported.
pub const BRANCHES: usize = 8;
/// Pieces of evidence that are kept aside of what one node has signed in one circle: the other branches of its logs, what it wrote after its removal,
/// charter entries that do not fit. What comes beyond is reported and not kept.
pub const ASIDE: usize = 256;
/// Bytes of them: 4 MiB.
pub const ASIDE_BYTES: usize = 4 << 20;
/// Versions that one version may supersede.
pub const SUPERSEDES: usize = 64;
/// Life of an invitation, milliseconds: 7 days.
pub const INVITATION_LIFE_MS: u64 = 7 * 24 * 3600 * 1000;
/// By how much clocks may differ where a letter's time is looked at, milliseconds.
pub const CLOCK_GRACE_MS: u64 = 24 * 3600 * 1000;
/// Bytes of one pairing message: two descriptors would fit.
pub const PAIRING_MESSAGE: usize = 16 << 10;
/// Wrong proofs that end an invitation to peer.
pub const BAD_PROOFS: u64 = 5;
/// Addresses in an invitation to peer.
pub const INVITATION_ADDRESSES: usize = 8;
/// Bytes of one address in an invitation to peer.
pub const INVITATION_ADDRESS: usize = 256;
/// Bytes of the text of an invitation to peer, as pasted, line breaks included.
pub const INVITATION_TEXT: usize = 8 << 10;
/// Time that two administrators have to compare words and confirm, milliseconds: 7 days.
pub const CONFIRMATION_LIFE_MS: u64 = 7 * 24 * 3600 * 1000;
/// Incarnations that a node may start in a day before it stops writing.
pub const INCARNATIONS_A_DAY: usize = 16;

/// A limit that something exceeds.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("{what} is limited to {limit}, this has {found}")]
pub struct LimitError {
    /// What is limited, such as "a record's body in bytes".
    pub what: &'static str,
    /// The limit.
    pub limit: u64,
    /// What was found.
    pub found: u64,
}

/// Checks one limit.
///
/// # Errors
/// [`LimitError`] where `found` is greater than `limit`.
pub const fn within(what: &'static str, found: u64, limit: u64) -> Result<(), LimitError> {
    if found > limit {
        return Err(LimitError { what, limit, found });
    }
    Ok(())
}
