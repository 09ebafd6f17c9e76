//! Clocks that differ, as committed rows tell it: whose records came from ahead of this node's clock, and whether this node's own clock runs
//! ahead of those who acknowledge what it writes. Nothing is refused for it; somebody should set a clock.

use std::collections::BTreeMap;

use maillon_protocol::{
    cbor,
    circle::Ack,
    ids::{NodeId, RecordId},
    replica::{Location, Row, Rows, StorageError},
    sign::Unverified,
    sync::View,
    time::AHEAD_LIMIT_MS,
};

use crate::{
    ledger::Shared,
    store::{Range, Table},
};

/// For how long a record from ahead is worth a word: a week. It stays marked for ever.
const RECENT_MS: u64 = 7 * 24 * 3600 * 1000;

/// Records that arrived from ahead.
#[derive(Debug, Default)]
pub(crate) struct FromAhead {
    /// In the last seven days.
    pub(crate) recent: Vec<RecordId>,
    /// Before.
    pub(crate) older: u64,
}

/// Reads the marks of all records that arrived with a clock more than ten minutes ahead.
pub(crate) fn from_ahead(shared: &Shared, now_ms: u64) -> Result<FromAhead, StorageError> {
    let mut found = FromAhead::default();
    let rows = shared.rows().0.scan(Table::Exchange, b"t", Range::all());
    for row in rows.map_err(StorageError::new)? {
        let (_, bytes) = row.map_err(StorageError::new)?;
        let Ok((record, arrived)) = cbor::decode::<(RecordId, u64)>(&bytes) else {
            found.older += 1;
            continue;
        };
        if arrived.saturating_add(RECENT_MS) > now_ms {
            found.recent.push(record);
        } else {
            found.older += 1;
        }
    }
    Ok(found)
}

/// How many of these records each node wrote.
pub(crate) fn by_author(shared: &Shared, records: &[RecordId]) -> BTreeMap<NodeId, u64> {
    let mut authors = BTreeMap::new();
    for record in records {
        let place = shared.rows().get(&Row::Place(*record)).ok().flatten();
        if let Some(place) = place.and_then(|bytes| cbor::decode::<Location>(&bytes).ok()) {
            *authors.entry(place.log.node).or_default() += 1;
        }
    }
    authors
}

/// By how many milliseconds this node's clock was ahead of another's at least, where that is more than ten minutes: a member acknowledged
/// a record of this node, by its own clock, before the record had been written by this one's.
pub(crate) fn own_ahead(shared: &Shared, now_ms: u64) -> Option<(NodeId, u64)> {
    let own = shared.own();
    let mut worst: Option<(NodeId, u64)> = None;
    for circle in shared.circles() {
        let id = circle.id();
        for bytes in shared.look(now_ms, |view| view.acks(&id)) {
            let Ok(ack) = Unverified::<Ack>::parse(bytes.0) else {
                continue;
            };
            let ack = ack.object;
            let mine = ack.heights.iter().filter(|held| held.log.node == own);
            for held in mine.filter(|held| ack.node != own && held.height > 0) {
                let last = shared.look(now_ms, |view| {
                    view.records(&id, &held.log, held.height, held.height, 1)
                });
                let written = last.first().map(|record| record.header.object.time.ms());
                let ahead = written.unwrap_or(0).saturating_sub(ack.time_ms);
                if ahead > AHEAD_LIMIT_MS && worst.is_none_or(|(_, most)| ahead > most) {
                    worst = Some((ack.node, ahead));
                }
            }
        }
    }
    worst
}
