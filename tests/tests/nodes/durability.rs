//! What was acknowledged is on the disk, before anybody hears of it.

use std::{fs, path::Path, time::Duration};

use maillon_protocol::admin::WatchEvent;
use maillon_tests::{
    daemon::{Settings, Trouble, Two, programs, records_of, same_digests, wait, write_notes},
    skip::{Means, skip},
    strace::{self, Fault, Judged},
};

use crate::{Story, ensure, folder, shared};

#[test]
fn a_restart_keeps_everything() -> Story {
    let root = folder()?;
    let mut shared = shared(&root, |_| {})?;
    let two = &mut shared.two;
    let caller = two.a.caller().acting_as(&two.at_a);
    let written = write_notes(&caller, &[shared.circle], 4, 60)?;
    same_digests(&two.a, &two.b, shared.circle)?;
    let before = two.a.client()?.digests(None)?;
    let peers = two.a.client()?.peer_list()?.peers.len();

    for graceful in [true, false] {
        if graceful {
            two.a.stop()?
        } else {
            two.a.kill()?
        }
        two.a.start()?;
        let held = records_of(&two.a, shared.circle)?;
        let lost = written
            .iter()
            .filter(|record| !held.contains_key(record))
            .count();
        ensure(lost == 0, || format!("{lost} records are lost"))?;
        let after = two.a.client()?.digests(None)?;
        ensure(before == after, || format!("{before:?}, then {after:?}"))?;
        let after = two.a.client()?.peer_list()?.peers.len();
        ensure(peers == after, || format!("{peers} peers, then {after}"))?;
    }
    // The professional is known, the peer is reached, and the work goes on.
    two.a
        .client()?
        .acting_as(&two.at_a)
        .note_add(shared.circle, "Après la panne.")?;
    same_digests(&two.a, &two.b, shared.circle).map(drop)
}

const FIRST: u64 = 900_001;
const WRITES: u64 = 10;
const FIRST_ONES: u64 = 3;

/// Alerts one by one at a daemon under strace; what the trace shows.
fn traced(strace: &Path, unsynced: bool) -> Result<Result<Judged, Fault>, Trouble> {
    let root = folder()?;
    let file = root.path().join("trace");
    let [mut a, mut b] = [Settings::dac(), Settings::cpts()];
    a.under = vec![strace.display().to_string()];
    a.under.extend(strace::arguments(&file));
    a.unsynced = unsynced;
    // QUIC probes the size of packets when it likes; in a stream, what is large is a record.
    a.quic = false;
    b.quic = false;
    let shared = Two::peered(root.path(), a, b)?.share()?;
    let (mut two, circle) = (shared.two, shared.circle);
    let mut watch = two.a.watch()?;
    // What sharing has set off is over with the first ones, which are not judged.
    let mut client = two.a.client()?.acting_as(&two.at_a);
    client = client.numbered_from(FIRST - FIRST_ONES);
    for _ in 0..FIRST_ONES + WRITES {
        let alert = client
            .alert_send(circle, "Ne répond plus au téléphone.")?
            .record;
        // Everything that one write sets off is over before the next.
        watch.until(
            "its delivery",
            wait::LONG,
            |event| matches!(event, WatchEvent::Delivered { record, .. } if *record == alert),
        )?;
    }
    two.a.stop()?;
    let trace = wait::until("the end of the trace", Duration::from_secs(20), || {
        let bytes = fs::read(&file).map_err(Trouble::io("the trace"))?;
        let text = String::from_utf8_lossy(&bytes).into_owned();
        Ok(text.contains("+++ exited with 0 +++").then_some(text))
    })?;
    let requests: Vec<u64> = (FIRST..FIRST + WRITES).collect();
    Ok(strace::judge(&trace, &requests))
}

/// As [`traced`], again where the trace does not show a request at all: strace may take hold of the reading thread too late, and
/// a trace that shows nothing proves nothing.
fn judged(strace: &Path, unsynced: bool) -> Result<Result<Judged, Fault>, Trouble> {
    for _ in 0..4 {
        let seen = traced(strace, unsynced)?;
        if !matches!(seen, Err(Fault::Unseen(_))) {
            return Ok(seen);
        }
    }
    traced(strace, unsynced)
}

/// strace, where it is installed and may trace.
fn tracer() -> Option<std::path::PathBuf> {
    let Some(strace) = programs::installed("strace") else {
        skip("strace is not installed", Means::Expected);
        return None;
    };
    let tried = std::process::Command::new(&strace)
        .args(["-f", "-o", "/dev/null", "true"])
        .output();
    if !tried.is_ok_and(|tried| tried.status.success()) {
        skip("strace may not trace processes here", Means::Absent);
        return None;
    }
    Some(strace)
}

#[test]
fn no_reply_and_no_push_leaves_before_the_log_is_synced() -> Story {
    let Some(strace) = tracer() else {
        return Ok(());
    };
    let judged = judged(&strace, false)?.map_err(|fault| Trouble::wrong(fault.to_string()))?;
    ensure(
        judged.replies == WRITES as usize && judged.pushes > 0,
        || format!("the trace shows too little: {judged:?}"),
    )
}

#[test]
fn with_the_sync_switched_off_the_same_trace_shows_a_fault() -> Story {
    let Some(strace) = tracer() else {
        return Ok(());
    };
    match judged(&strace, true)? {
        Err(Fault::Unsynced(_) | Fault::Pushed { .. }) => Ok(()),
        other => Err(Trouble::wrong(format!("no fault was found: {other:?}"))),
    }
}
