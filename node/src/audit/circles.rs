//! Which lines are about a circle: a row without a value for each, beside the line and in its commit, so that whoever asks who opened one file does not read what was done
//! to all others.

use maillon_protocol::{cbor, ids::CircleId};

use super::{AuditError, LINES, key, line::Line};
use crate::{
    ledger::{Ledger, LedgerError, Tx},
    store::{Range, Store, Table, row_key, sequence_of},
};

/// What the keys begin with; the circle's name and the line's number follow.
const LINES_OF: &[u8] = b"c";
/// Up to which line those of an older program have their rows; [`DONE`] where all have.
const FOLLOWED: &[u8] = b"followed";
const DONE: u64 = u64::MAX;
/// Lines that one commit looks at.
const AT_ONCE: usize = 5_000;

fn prefix(store: &Store, circle: &CircleId) -> Vec<u8> {
    let name = store.namer().name("audit-circle", &[&circle.0]);
    [LINES_OF, &name].concat()
}

/// Notes that a line is about a circle.
pub(super) fn follow(tx: &mut Tx<'_>, circle: &CircleId, number: u64) {
    let prefix = prefix(&tx.rows.0, circle);
    tx.put(Table::Audit, row_key(&prefix, number), Vec::new());
}

/// The same behind the ledger's back.
#[cfg(test)]
pub(super) fn put(store: &Store, batch: &mut crate::store::Batch, circle: &CircleId, number: u64) {
    let row = row_key(&prefix(store, circle), number);
    batch.put(Table::Audit, &row, &[]).expect("room");
}

/// Whether it is noted.
pub(super) fn holds(store: &Store, circle: &CircleId, number: u64) -> Result<bool, AuditError> {
    let row = row_key(&prefix(store, circle), number);
    Ok(store.get(Table::Audit, &row)?.is_some())
}

/// The numbers of a circle's lines, from `last` downwards.
pub(super) fn before<'a>(
    store: &'a Store,
    circle: &CircleId,
    last: u64,
) -> Result<impl Iterator<Item = Result<u64, AuditError>> + use<'a>, AuditError> {
    let prefix = prefix(store, circle);
    let last = row_key(&prefix, last);
    let rows = store.scan(Table::Audit, &prefix, Range::backwards_from(&last))?;
    Ok(rows.map(|row| Ok(sequence_of(&row?.0).unwrap_or(0))))
}

/// Notes it for the lines of an older program: once, at the first start of this one. How many were looked at.
///
/// # Errors
/// [`AuditError`].
pub async fn follow_older(ledger: &Ledger) -> Result<u64, LedgerError<AuditError>> {
    let mut all = 0;
    loop {
        let looked = ledger.run(follow_some).await?;
        all += looked;
        if looked < AT_ONCE as u64 {
            return Ok(all);
        }
    }
}

fn follow_some(tx: &mut Tx<'_>) -> Result<u64, AuditError> {
    let row = tx.get(Table::Audit, FOLLOWED)?;
    let followed = row.and_then(|row| cbor::decode::<u64>(&row).ok());
    let mut followed = followed.unwrap_or(0);
    if followed == DONE {
        return Ok(0);
    }
    let store = tx.rows.0.clone();
    let from = key(followed + 1);
    let mut looked = 0;
    for row in store
        .scan(Table::Audit, LINES, Range::from(&from))?
        .take(AT_ONCE)
    {
        let (at, bytes) = row?;
        looked += 1;
        followed = sequence_of(&at).unwrap_or(followed);
        // A line that cannot be read is what verification names.
        let line = minicbor::decode::<Line>(&bytes).ok();
        if let Some(circle) = line.and_then(|line| line.circle) {
            follow(tx, &circle, followed);
        }
    }
    let now = if looked < AT_ONCE { DONE } else { followed };
    tx.put(Table::Audit, FOLLOWED.to_vec(), cbor::encode(&now));
    Ok(looked as u64)
}
