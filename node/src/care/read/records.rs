//! Records by name, by page, and in their sealed form.

use maillon_protocol::{
    admin::RecordLine,
    cbor,
    circle::Reason,
    ids::{CircleId, LogId, RecordId},
    replica::Location,
    sync::View,
};

use super::{DEEPEST_PAGE, RecordMark, ahead, record};
use crate::{
    care::{Care, CareError},
    ledger::record_head,
    store::{Range, Table},
};

impl Care {
    /// Records whose printed ids begin with `text` (twelve digits or more).
    ///
    /// # Errors
    /// [`CareError`].
    pub fn records_named(&self, text: &str) -> Result<Vec<RecordId>, CareError> {
        if let Ok(id) = text.parse::<RecordId>() {
            return Ok(vec![id]);
        }
        let Some(six) = text
            .get(..12)
            .and_then(|head| data_encoding::HEXLOWER.decode(head.as_bytes()).ok())
        else {
            return Ok(Vec::new());
        };
        let store = &self.shared().rows().0;
        let mut found = Vec::new();
        for row in store
            .scan(Table::Ids, &record_head(store, &six), Range::all())?
            .take(16)
        {
            let (_, bytes) = row?;
            let place: Location = cbor::decode(&bytes).map_err(|_| CareError::NoRecord)?;
            let id = self
                .shared()
                .read(|view| view.record_id(&place.circle, &place.log, place.sequence));
            found.extend(id.filter(|id| id.to_string().starts_with(text)));
        }
        Ok(found)
    }

    /// Why a record that is here cannot be read here.
    ///
    /// # Errors
    /// [`CareError::NoRecord`].
    pub fn unreadable(&self, id: &RecordId) -> Result<Option<Reason>, CareError> {
        let (circle, record) = record(self.shared(), id)?.ok_or(CareError::NoRecord)?;
        Ok(circle.read(&record).err())
    }

    /// A record's sealed bytes: deterministic CBOR `[header, body]`.
    ///
    /// # Errors
    /// [`CareError::NoRecord`].
    pub fn sealed(&self, id: &RecordId) -> Result<Vec<u8>, CareError> {
        let (_, record) = record(self.shared(), id)?.ok_or(CareError::NoRecord)?;
        Ok(cbor::encode(&maillon_protocol::sync::SentRecord {
            header: cbor::Bytes(record.header.bytes),
            body: cbor::Bytes(record.body.unwrap_or_default()),
        }))
    }

    /// Records of a circle, log by log, page by page.
    ///
    /// # Errors
    /// [`CareError`].
    pub fn records(
        &self,
        id: &CircleId,
        after: Option<(LogId, u64)>,
        limit: usize,
    ) -> Result<(Vec<RecordLine>, Option<RecordMark>), CareError> {
        let shared = self.shared();
        let circle = shared.circle(id).ok_or(CareError::NoCircle)?;
        let limit = limit.clamp(1, DEEPEST_PAGE);
        let mut lines = Vec::new();
        for (log, tip) in &circle.logs {
            let from = match after {
                Some((at, _)) if *log < at => continue,
                Some((at, sequence)) if *log == at => sequence + 1,
                _ => tip.first,
            };
            let up_to = tip.height.min(
                from.saturating_add((limit - lines.len()) as u64)
                    .saturating_sub(1),
            );
            if from > up_to {
                continue;
            }
            for record in shared.read(|view| view.records(id, log, from, up_to, usize::MAX)) {
                let header = &record.header.object;
                lines.push(RecordLine {
                    record: record.id(),
                    log: header.log,
                    sequence: header.sequence,
                    time: header.time,
                    entry: header.entry,
                    bytes: header.body_length,
                    ahead: ahead(shared, id, &record.id())?,
                });
            }
            if lines.len() >= limit {
                break;
            }
        }
        let next = (lines.len() >= limit)
            .then(|| lines.last().map(|line| (line.log, line.sequence)))
            .flatten();
        Ok((lines, next))
    }
}
