//! What must hold of the rows themselves.

use std::{collections::BTreeMap, ops::ControlFlow, time::Duration};

use maillon_protocol::{
    cbor,
    circle::Wanted,
    ids::{CircleId, LogId},
    replica::{Row, RowPrefix, Rows},
    sync::View,
};

use super::{GO_BACK, RECENT_MS, Remedy};
use crate::{checkpoint::LOG_CUT, ledger::Shared, store::Table};

/// Looks at a circle and its rows that must differ before that means something: the node works meanwhile.
const LOOKS: u32 = 5;
const BETWEEN_LOOKS: Duration = Duration::from_millis(100);

/// Every row of every table opens under the storage key.
pub(super) fn rows_open(shared: &Shared) -> Result<String, (String, Remedy)> {
    let go_back = || Remedy::Advice(GO_BACK);
    let verified = shared
        .rows()
        .0
        .verify(|_| ControlFlow::Continue(()))
        .map_err(|error| (error.to_string(), go_back()))?;
    if verified.is_good() {
        return Ok(format!("{} rows", verified.rows()));
    }
    let bad: Vec<_> = verified
        .tables
        .iter()
        .filter(|table| table.damaged > 0 || table.broken_off.is_some())
        .collect();
    let found: Vec<String> = bad
        .iter()
        .map(|table| match &table.broken_off {
            Some(error) => format!("{} cannot be read to its end: {error}", table.table.name()),
            None => format!("{} damaged in {}", table.damaged, table.table.name()),
        })
        .collect();
    // Views are worked out from records; everything else is what was written.
    let views_only = bad.iter().all(|table| {
        matches!(table.table, Table::Things | Table::Timeline) && table.broken_off.is_none()
    });
    let remedy = if views_only {
        Remedy::Command("maillonctl sync rebuild")
    } else {
        go_back()
    };
    Err((found.join(", "), remedy))
}

/// No start of the last week found the log shorter than it had been.
pub(super) fn log_whole(shared: &Shared, now_ms: u64) -> Result<String, (String, Remedy)> {
    let row = shared.rows().0.get(Table::Meta, LOG_CUT);
    let row = row.map_err(|error| (error.to_string(), Remedy::Advice(GO_BACK)))?;
    let cut = row.and_then(|bytes| cbor::decode::<(u64, u64)>(&bytes).ok());
    match cut.filter(|(at, _)| now_ms.saturating_sub(*at) < RECENT_MS) {
        None => Ok("nothing was missing".to_owned()),
        Some((at, bytes)) => Err((
            format!(
                "at the start {} ago {bytes} bytes of the log were missing: what was written last. What others have has come back or will; what only this node had is gone",
                ago(now_ms.saturating_sub(at))
            ),
            Remedy::Advice(
                "check the disk; `maillonctl audit list` ends before what is missing: ask those who wrote then. This line goes after a week",
            ),
        )),
    }
}

/// Hours and minutes.
fn ago(ms: u64) -> String {
    let minutes = ms / 60_000;
    match minutes / 60 {
        0 => format!("{minutes} minutes"),
        hours => format!("{hours} hours"),
    }
}

/// What is written reaches the disk.
pub(super) fn commits(shared: &Shared) -> Result<String, String> {
    match shared.rows().0.trouble() {
        None => Ok("the last commit reached the disk".to_owned()),
        Some(trouble) => Err(trouble),
    }
}

/// The record at each log's height is the one that the circle names, and names its place.
pub(super) fn heights_hold(shared: &Shared) -> Result<String, String> {
    let mut logs = 0_u64;
    for circle in shared.circles() {
        for (log, tip) in &circle.logs {
            logs += 1;
            let held = shared.read(|view| view.record_id(&circle.id(), log, tip.height));
            if held != Some(tip.head) {
                return Err(format!(
                    "circle {}: a log's head is not the record at its height",
                    circle.id().short()
                ));
            }
        }
    }
    Ok(format!("{logs} logs"))
}

/// Charters name their entries, and every entry is here.
pub(super) fn charters_hold(shared: &Shared) -> Result<String, String> {
    let mut entries = 0_u64;
    for circle in shared.circles() {
        for number in 1..=circle.charter.number() {
            entries += 1;
            let held = shared
                .rows()
                .get(&Row::Entry(circle.id(), number))
                .map_err(|error| error.to_string())?;
            if held.is_none() {
                return Err(format!(
                    "circle {}: entry {number} is missing",
                    circle.id().short()
                ));
            }
        }
    }
    Ok(format!("{entries} entries"))
}

/// Where files are missing, the circle says so, and from the first place on: what acknowledgements tell.
pub(super) fn files_hold(shared: &Shared) -> Result<String, String> {
    let mut missing = 0;
    for circle in shared.circles() {
        let id = circle.id();
        let mut looks = 0;
        missing += loop {
            // The circle first: where its rows are of a later commit, the next look is at a later circle.
            let said = shared.circle(&id).map(|circle| circle.lacking.clone());
            let (count, first) = files_missing(shared, &id)?;
            if said == Some(first) {
                break count;
            }
            looks += 1;
            if looks == LOOKS {
                return Err(format!(
                    "circle {}: other files are missing than it says",
                    id.short()
                ));
            }
            std::thread::sleep(BETWEEN_LOOKS);
        };
    }
    Ok(format!("{missing} files are on their way"))
}

/// How many files of a circle are missing, and the first place in each log.
fn files_missing(
    shared: &Shared,
    circle: &CircleId,
) -> Result<(u64, BTreeMap<LogId, u64>), String> {
    let mut count = 0;
    let mut first = BTreeMap::new();
    let rows = shared
        .rows()
        .scan(&RowPrefix::Wanted(*circle, None))
        .map_err(|error| error.to_string())?;
    for bytes in rows {
        let wanted: Wanted = minicbor::decode(&bytes)
            .map_err(|_| format!("circle {}: a row cannot be read", circle.short()))?;
        count += 1;
        let place = first.entry(wanted.log).or_insert(wanted.sequence);
        *place = wanted.sequence.min(*place);
    }
    Ok((count, first))
}
