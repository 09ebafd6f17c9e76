//! The figures of a node that has worked for years: 100,000 records in 1,000 circles, and a million.

use std::{
    path::Path,
    thread,
    time::{Duration, Instant},
};

use super::{
    Figure, Goal, Scale,
    crowd::{Crowd, What},
    floor,
    territory::{compared, resident, same_records, share_many},
};
use crate::daemon::{Settings, Trouble, Two};

const WRITERS: usize = 64;
const TOGETHER: usize = 16;
/// When the memory is looked at, after the start.
const SETTLED: Duration = Duration::from_secs(10);
const READ: u64 = 1_000;
const STARTS: usize = 5;
const MIB: f64 = 1_048_576.0;

/// What two nodes with so much cost.
pub(super) struct Grown {
    /// Seconds from B's first answer after a separation until it holds all.
    pub(super) caught_up: f64,
    /// Seconds of the least work for that.
    pub(super) floor: f64,
    /// Bytes of B's memory, [`SETTLED`] after a restart.
    pub(super) memory: f64,
    /// Seconds from A's start until a note is durable, the middle of some.
    pub(super) ready: f64,
    /// Bytes on A's disk for a record, compacted.
    pub(super) disk: f64,
}

pub(super) fn measure(root: &Path, scale: Scale) -> Result<Vec<Figure>, Trouble> {
    let grown = grow(root, scale, What::Notes)?;
    let at_most = |name, value, unit, most| Figure::new(name, value, unit, None, most);
    Ok(vec![
        Figure::new(
            "catch_up",
            grown.caught_up,
            "s",
            Some(grown.floor),
            Goal::Times(1.5),
        ),
        at_most(
            "memory_100k",
            grown.memory,
            "bytes",
            Goal::AtMost(120.0 * MIB),
        ),
        at_most("ready_100k", grown.ready, "s", Goal::AtMost(1.0)),
    ])
}

/// The same with ten times as many records, of 600 bytes of text each.
pub(super) fn million(root: &Path, scale: Scale) -> Result<Vec<Figure>, Trouble> {
    let scale = Scale {
        records: scale.records * 10,
        ..scale
    };
    let grown = grow(root, scale, What::LongNotes)?;
    let at_most = |name, value, unit, most| Figure::new(name, value, unit, None, most);
    Ok(vec![
        at_most(
            "memory_1m",
            grown.memory,
            "bytes",
            Goal::AtMost(250.0 * MIB),
        ),
        at_most("ready_1m", grown.ready, "s", Goal::AtMost(1.0)),
        at_most(
            "disk_per_record",
            grown.disk,
            "bytes",
            Goal::AtMost(1_500.0),
        ),
    ])
}

/// Lets two nodes that share circles grow to so many records while B is away, and looks at both.
pub(super) fn grow(root: &Path, scale: Scale, what: What) -> Result<Grown, Trouble> {
    let mut two = Two::peered(root, Settings::dac(), Settings::cpts())?;
    let circles = share_many(&two, scale.circles)?;

    two.b.stop()?;
    let before = two.a.client()?.status()?.records;
    let crowd = Crowd {
        daemon: &two.a,
        who: &two.at_a,
        circles: &circles,
        what,
        writers: WRITERS,
        together: TOGETHER,
    };
    crowd.count(scale.records.saturating_sub(before))?;
    let caught_up = catch_up(&mut two)?.as_secs_f64();

    two.b.stop()?;
    two.b.start()?;
    let begun = Instant::now();
    compared(&two)?;
    let mut b = two.b.client()?.acting_as(&two.at_b);
    let mut read = 0;
    for circle in circles.iter().cycle().take(circles.len() * 10) {
        for line in b.records(*circle)?.iter().rev().take(10) {
            read += u64::from(b.record_show(line.record).is_ok());
        }
        if read >= READ {
            break;
        }
    }
    thread::sleep(SETTLED.saturating_sub(begun.elapsed()));
    let memory = resident(&two.b)?;

    let mut ready = Vec::new();
    for _ in 0..STARTS {
        two.a.stop()?;
        let begun = Instant::now();
        two.a.start()?;
        let mut a = two.a.client()?.acting_as(&two.at_a);
        a.note_add(circles[0], "La première note après le démarrage.")?;
        ready.push(begun.elapsed());
    }
    ready.sort_unstable();
    let ready = ready[STARTS / 2].as_secs_f64();

    let records = two.a.client()?.status()?.records;
    two.a.stop()?;
    two.b.stop()?;
    let floor = floor::catch_up(&two.b)?;
    let disk = floor::compacted(&two.a)? as f64 / records as f64;
    Ok(Grown {
        caught_up,
        floor,
        memory,
        ready,
        disk,
    })
}

/// B was away; how long until it holds everything that A holds, and shows the same.
fn catch_up(two: &mut Two) -> Result<Duration, Trouble> {
    let mut a = two.a.client()?;
    two.b.start()?;
    let begun = Instant::now();
    same_records(&mut a, &mut two.b.client()?)?;
    let caught_up = begun.elapsed();
    let (here, there) = (a.digests(None)?, two.b.client()?.digests(None)?);
    let mut sorted = [here, there];
    sorted
        .iter_mut()
        .for_each(|circles| circles.sort_by_key(|circle| circle.circle));
    let [here, there] = sorted;
    if here == there {
        return Ok(caught_up);
    }
    Err(Trouble::wrong(
        "B holds as many records, and shows something else",
    ))
}
