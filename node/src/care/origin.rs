//! Which imported files hold what records say: where a record is erased, the file that it came from must not keep it.

use maillon_protocol::{
    cbor,
    ids::{CircleId, Hash, RecordId},
};

use super::CareError;
use crate::{
    ledger::Tx,
    store::{Range, Table},
};

/// The row of `meta` that says when something was erased that the disk still holds, Unix milliseconds.
pub(crate) const SCRUB: &[u8] = b"scrub";

fn name(tx: &Tx<'_>, kind: &[u8], domain: &'static str, part: &[u8]) -> Vec<u8> {
    [kind, &tx.rows.0.namer().name(domain, &[part])].concat()
}

/// Where an imported file is kept.
pub(super) fn file_key(tx: &Tx<'_>, source: &Hash) -> Vec<u8> {
    name(tx, b"s", "import-source", &source.0)
}

/// Notes that a file held what these records of a circle say.
pub(super) fn note(tx: &mut Tx<'_>, circle: CircleId, source: Hash, records: &[RecordId]) {
    let file = file_key(tx, &source);
    let key = [&name(tx, b"o", "import-circle", &circle.0), &file[1..]].concat();
    tx.put(
        Table::Originals,
        key,
        cbor::encode(&(source, records.to_vec())),
    );
}

/// Empties the files that held what a record of a circle says; of the whole circle where none is named. That each of them came once stays: the same
/// file brings nothing back. The disk is to be rewritten soon.
pub(super) fn empty(
    tx: &mut Tx<'_>,
    circle: CircleId,
    record: Option<RecordId>,
) -> Result<(), CareError> {
    let prefix = name(tx, b"o", "import-circle", &circle.0);
    let mut sources = Vec::new();
    for row in tx.rows.0.scan(Table::Originals, &prefix, Range::all())? {
        let (key, value) = row?;
        let (source, records): (Hash, Vec<RecordId>) = cbor::decode(&value).map_err(|_| {
            CareError::Text("what was imported before cannot be read: run `maillonctl doctor`")
        })?;
        if record.is_none_or(|record| records.contains(&record)) {
            sources.push((key.to_vec(), source));
        }
    }
    for (key, source) in sources {
        let file = file_key(tx, &source);
        tx.put(Table::Originals, file, Vec::new());
        if record.is_none() {
            tx.delete(Table::Originals, key);
        }
    }
    let now = tx.now_ms;
    tx.put(Table::Meta, SCRUB.to_vec(), cbor::encode(&now));
    Ok(())
}
