//! The audit trail: who did what, when, in the same commit as the act. Hash-linked.

use maillon_protocol::{
    cbor,
    ids::{CircleId, Hash, RecordId, ThingId},
};
use minicbor::{Decode, Encode};
use sha2::{Digest, Sha256};

use super::{Actor, CareError};
use crate::{ledger::Tx, store::Table};

/// Where the trail stands.
#[derive(Debug, Clone, Copy, Encode, Decode)]
#[cbor(array)]
struct Head {
    #[n(0)]
    number: u64,
    #[n(1)]
    hash: Hash,
}

/// One line.
#[derive(Debug, Clone, Encode, Decode)]
#[cbor(array)]
struct Line {
    #[n(0)]
    number: u64,
    /// Hash of the line before.
    #[n(1)]
    previous: Hash,
    #[n(2)]
    at_ms: u64,
    /// The professional's id at this node.
    #[n(3)]
    actor: ThingId,
    /// A fixed word, such as `note.add`.
    #[n(4)]
    action: String,
    #[n(5)]
    circle: Option<CircleId>,
    #[n(6)]
    record: Option<RecordId>,
    /// Always 0; keeps the array's length.
    #[n(7)]
    reserved: u64,
}

const HEAD: &[u8] = b"head";

/// Adds a line in the commit of the act.
pub(super) fn note(
    tx: &mut Tx<'_>,
    actor: &Actor,
    action: &str,
    circle: Option<CircleId>,
    record: Option<RecordId>,
) -> Result<(), CareError> {
    let head = match tx.get(Table::Audit, HEAD)? {
        Some(bytes) => minicbor::decode::<Head>(&bytes).map_err(|_| {
            CareError::Text("the audit trail's head cannot be read: run `maillonctl doctor`")
        })?,
        None => Head {
            number: 0,
            hash: Hash([0; 32]),
        },
    };
    let line = Line {
        number: head.number + 1,
        previous: head.hash,
        at_ms: tx.now_ms,
        actor: actor.id,
        action: action.to_owned(),
        circle,
        record,
        reserved: 0,
    };
    let bytes = cbor::encode(&line);
    let next = Head {
        number: line.number,
        hash: Hash(Sha256::digest(&bytes).into()),
    };
    tx.put(
        Table::Audit,
        [&b"l"[..], &line.number.to_be_bytes()].concat(),
        bytes,
    );
    tx.put(Table::Audit, HEAD.to_vec(), cbor::encode(&next));
    Ok(())
}
