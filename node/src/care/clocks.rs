//! Records from clocks that ran ahead: kept, shown with a mark, and told to the administrator by structure.

use std::collections::BTreeMap;

use maillon_protocol::{
    admin::ClockAhead,
    cbor,
    ids::{NodeId, RecordId},
    replica::{RowPrefix, Rows},
};

use super::{Care, CareError, read};

/// Most records that are looked at; more are left out of the counts.
const MOST: usize = 10_000;

impl Care {
    /// The nodes whose records came with a time more than ten minutes ahead of this node's clock, in the order of their names.
    ///
    /// # Errors
    /// [`CareError`].
    pub fn clocks_ahead(&self) -> Result<Vec<ClockAhead>, CareError> {
        let shared = self.shared();
        let mut found: BTreeMap<NodeId, ClockAhead> = BTreeMap::new();
        let mut looked = 0;
        for circle in shared.circles() {
            for bytes in shared.rows().scan(&RowPrefix::Ahead(circle.id()))? {
                looked += 1;
                let arrived = cbor::decode::<(RecordId, u64)>(&bytes);
                let Ok((record, arrived_ms)) = arrived else {
                    continue;
                };
                let Some((_, record)) = read::record(shared, &record)? else {
                    continue;
                };
                let header = &record.header.object;
                let node = header.log.node;
                let line = found.entry(node).or_insert_with(|| ClockAhead {
                    node,
                    structure: self.structure_of(&node),
                    records: 0,
                    last_ms: 0,
                    by_ms: 0,
                });
                line.records += 1;
                if arrived_ms >= line.last_ms {
                    line.last_ms = arrived_ms;
                    line.by_ms = header.time.ms().saturating_sub(arrived_ms);
                }
                if looked >= MOST {
                    return Ok(found.into_values().collect());
                }
            }
        }
        Ok(found.into_values().collect())
    }
}
