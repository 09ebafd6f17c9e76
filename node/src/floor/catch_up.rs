//! The least work of taking over records: check every signature, open every body, write the bytes durably.

use std::{
    fs,
    path::{Path, PathBuf},
    sync::Arc,
    time::Instant,
};

use maillon_protocol::{
    charter::Charter,
    circle::{Circle, CircleRow},
    record::{self, Header},
    replica::{Row, RowPrefix, Rows},
    sign::Unverified,
    sync::{Limits, SentRecord},
};
use rocksdb::WriteBatch;
use serde::Serialize;

use super::{FloorError, fresh};
use crate::{
    keystore::{Keystore, Unlock},
    ledger::StoreRows,
    random,
    store::{Options, StorageKey, Store},
};

/// How long the least work took.
#[derive(Debug, Clone, Copy, PartialEq, Serialize)]
pub struct CatchUp {
    /// Seconds for all of it.
    pub seconds: f64,
    /// How many records.
    pub records: u64,
}

/// A record as it came, read ahead of the measurement.
struct Held {
    circle: Arc<Circle>,
    header: Unverified<Header>,
    body: Vec<u8>,
}

/// A folder that goes when the measurement ends.
struct Scratch(PathBuf);

impl Drop for Scratch {
    fn drop(&mut self) {
        // What cannot be removed is empty of anything readable.
        let _ = fs::remove_dir_all(&self.0);
    }
}

/// Reads all records of the stopped node in `data` into memory, then times: the strict check of every header's signature on one thread,
/// the opening of every body, and synced raw writes of the same bytes, in batches as large as the exchange's answers, into a fresh folder
/// beside `data` that is removed afterwards. The node's rows are read, none is written.
///
/// Headers of which no body is held are checked and written, and open nothing.
///
/// # Errors
/// [`FloorError`]; [`StoreError::InUse`](crate::store::StoreError::InUse) within while the node runs.
pub fn catch_up(data: &Path, unlock: &Unlock) -> Result<CatchUp, FloorError> {
    let held = read(data, unlock)?;
    let records = held.len() as u64;
    let mut name = data.file_name().unwrap_or_default().to_owned();
    name.push(format!(
        ".floor-{}",
        data_encoding::HEXLOWER.encode(&random::token()[..6])
    ));
    let scratch = Scratch(data.with_file_name(name));
    let (db, synced) = fresh(&scratch.0)?;
    let batch_bytes = Limits::default().answer_bytes;

    let begun = Instant::now();
    let mut batch = WriteBatch::default();
    for Held {
        circle,
        header,
        body,
    } in held
    {
        let header = header.verify()?;
        if !body.is_empty() {
            let secret = circle
                .secret_of(&header.object)
                .ok_or(FloorError::NotGranted)?;
            record::open(&header.object, secret, &body)?;
        }
        batch.put(header.id, [header.bytes, body].concat());
        if batch.size_in_bytes() >= batch_bytes {
            db.write_opt(std::mem::take(&mut batch), &synced)?;
        }
    }
    if !batch.is_empty() {
        db.write_opt(batch, &synced)?;
    }
    let seconds = begun.elapsed().as_secs_f64();
    drop(db);
    Ok(CatchUp { seconds, records })
}

/// Every record of a data folder with its circle.
fn read(data: &Path, unlock: &Unlock) -> Result<Vec<Held>, FloorError> {
    let (_, secrets) = Keystore::open(data, unlock)?;
    let key = StorageKey::new(secrets.storage_key.expose());
    let rows = StoreRows(Store::open(data, &key, Options::default())?);
    let mut held = Vec::new();
    for bytes in rows.scan(&RowPrefix::Charters)? {
        let charter: Charter =
            minicbor::decode(&bytes).map_err(|_| FloorError::Damaged("charter"))?;
        let row = rows
            .get(&Row::Circle(charter.circle()))?
            .ok_or(FloorError::Damaged("circle"))?;
        let row: CircleRow = minicbor::decode(&row).map_err(|_| FloorError::Damaged("circle"))?;
        let circle = Arc::new(Circle::from_rows(Arc::new(charter), row));
        for log in circle.logs.keys() {
            for bytes in rows.scan(&RowPrefix::Records(circle.id(), *log, 0))? {
                // Kept as it is sent: header and body.
                let record: SentRecord =
                    minicbor::decode(&bytes).map_err(|_| FloorError::Damaged("record"))?;
                held.push(Held {
                    circle: Arc::clone(&circle),
                    header: Unverified::parse(record.header.0)?,
                    body: record.body.0,
                });
            }
        }
    }
    Ok(held)
}
