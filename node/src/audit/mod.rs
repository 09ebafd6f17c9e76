//! The audit trail: who did what, when, in the same commit as the act.
//!
//! Each line names the hash of the one before it, so that a line that was taken out, changed or slipped in is found ([`verify`]). Once a day the node's key signs how far
//! the trail is ([`sign_trail`]), so that what was written anew with links that fit, or cut off with the head, is found too, up to there. What was cut off behind the last
//! signature, or with it, is not, as long as nobody kept a later number. A line holds ids and fixed words, never what was written or about whom.
//!
//! - `circles`: which lines are about one circle
//! - `signature`: the daily statements
//!
//! This module knows the ledger and nobody above it: care, peering and the administrator's calls all leave their lines through [`note`].

mod circles;
mod line;
mod signature;
mod trail;
mod verify;

pub use circles::follow_older;
pub(crate) use line::own_user;
pub use line::{ADMINISTRATOR, By, ITSELF, Object};
pub use signature::{SignedTo, SigningError, sign_trail, signed_to};
pub use trail::{Trail, Wanted};
pub use verify::{Broken, Held, verify};

use maillon_protocol::{
    cbor,
    ids::{CircleId, NodeId, RecordId},
};
use sha2::{Digest, Sha256};

use crate::{
    ledger::Tx,
    store::{StoreError, Table},
};
use line::{Head, Line};

/// Where the head of the trail is.
const HEAD: &[u8] = b"head";
/// What the keys of lines begin with; the number follows, big-endian.
const LINES: &[u8] = b"l";

/// Why a line cannot be added, or the trail cannot be read.
#[derive(Debug, thiserror::Error)]
pub enum AuditError {
    /// The head is there and makes no sense.
    #[error("the audit trail's head cannot be read: run `maillonctl audit verify`")]
    Head,
    /// A line makes no sense.
    #[error("line {0} of the audit trail cannot be read: run `maillonctl audit verify`")]
    Line(u64),
    /// Reading broke off: the node stops, or a thread of it did.
    #[error("reading the audit trail broke off: try again")]
    Interrupted,
    /// The store.
    #[error(transparent)]
    Store(#[from] StoreError),
}

/// What an act was about.
#[derive(Debug, Clone, Copy, Default)]
pub struct About {
    /// A circle.
    pub circle: Option<CircleId>,
    /// A record.
    pub record: Option<RecordId>,
    /// Another node.
    pub node: Option<NodeId>,
    /// Something else.
    pub object: Option<Object>,
}

impl About {
    /// About nothing that has a name here.
    pub const NOTHING: Self = Self {
        circle: None,
        record: None,
        node: None,
        object: None,
    };

    /// About a circle.
    pub const fn circle(circle: CircleId) -> Self {
        Self {
            circle: Some(circle),
            ..Self::NOTHING
        }
    }

    /// About another node.
    pub const fn node(node: NodeId) -> Self {
        Self {
            node: Some(node),
            ..Self::NOTHING
        }
    }

    /// About a record of a circle.
    pub const fn record(circle: CircleId, record: RecordId) -> Self {
        Self {
            circle: Some(circle),
            record: Some(record),
            ..Self::NOTHING
        }
    }

    /// About something else.
    pub const fn object(object: Object) -> Self {
        Self {
            object: Some(object),
            ..Self::NOTHING
        }
    }
}

/// Adds a line in the commit of the act. `action` is a fixed word, such as `note.add`.
///
/// # Errors
/// [`AuditError`]; the act must then not be done.
pub fn note(tx: &mut Tx<'_>, by: By, action: &str, about: About) -> Result<(), AuditError> {
    let head = match tx.get(Table::Audit, HEAD)? {
        Some(bytes) => minicbor::decode::<Head>(&bytes).map_err(|_| AuditError::Head)?,
        None => Head::START,
    };
    let line = Line {
        number: head.number + 1,
        previous: head.hash,
        at_ms: tx.now_ms,
        actor: by.actor,
        action: action.to_owned(),
        circle: about.circle,
        record: about.record,
        user: u64::from(by.user),
        node: about.node,
        object: about.object.map(|object| object.to_string()),
    };
    let bytes = cbor::encode(&line);
    let next = Head {
        number: line.number,
        hash: maillon_protocol::ids::Hash(Sha256::digest(&bytes).into()),
    };
    tx.put(Table::Audit, key(line.number), bytes);
    if let Some(circle) = &line.circle {
        circles::follow(tx, circle, line.number);
    }
    tx.put(Table::Audit, HEAD.to_vec(), cbor::encode(&next));
    Ok(())
}

/// Adds a line for each member that was removed because it had left.
///
/// # Errors
/// As [`note`].
pub fn note_removed(
    tx: &mut Tx<'_>,
    by: By,
    circle: CircleId,
    nodes: &[NodeId],
) -> Result<(), AuditError> {
    for node in nodes {
        let about = About {
            node: Some(*node),
            ..About::circle(circle)
        };
        note(tx, by, "circle.remove", about)?;
    }
    Ok(())
}

fn key(number: u64) -> Vec<u8> {
    [LINES, &number.to_be_bytes()].concat()
}

#[cfg(test)]
mod tests;
