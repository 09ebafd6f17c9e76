//! The figures of a node that has worked for years: 100,000 records in 1,000 circles.

use std::{
    fs,
    path::Path,
    thread,
    time::{Duration, Instant},
};

use maillon_protocol::ids::CircleId;

use super::{Figure, Goal, Scale, floor};
use crate::daemon::{Client, Daemon, Settings, Trouble, Two, person, wait, write_notes};

const WRITERS: usize = 64;
/// Invitations that wait at one time; a node keeps 200 of one peer.
const INVITATIONS: usize = 100;
const LONGEST: Duration = Duration::from_secs(1_200);
/// When the memory is looked at, after the start.
const SETTLED: Duration = Duration::from_secs(10);
const READ: usize = 1_000;
const STARTS: usize = 5;
const MIB: f64 = 1_048_576.0;

pub(super) fn measure(root: &Path, scale: Scale) -> Result<Vec<Figure>, Trouble> {
    let mut two = Two::peered(root, Settings::dac(), Settings::cpts())?;
    let circles = share_many(&two, scale.circles)?;

    two.b.stop()?;
    let caller = two.a.caller().acting_as(&two.at_a);
    let before = two.a.client()?.status()?.records;
    let more = scale.records.saturating_sub(before);
    let written = write_notes(&caller, &circles, WRITERS, more)?;
    let caught_up = catch_up(&mut two)?;

    let reader = two.at_b.clone();
    let few: Vec<_> = written.iter().rev().take(READ).copied().collect();
    two.b.stop()?;
    two.b.start()?;
    let begun = Instant::now();
    compared(&two)?;
    let mut b = two.b.client()?.acting_as(&reader);
    few.iter()
        .try_for_each(|record| b.record_show(*record).map(drop))?;
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

    two.b.stop()?;
    let floor = floor::catch_up(&two.b)?;
    let caught_up = caught_up.as_secs_f64();
    let ready = ready[STARTS / 2].as_secs_f64();
    Ok(vec![
        Figure::new("catch_up", caught_up, "s", Some(floor), Goal::Times(5.0)),
        Figure::new(
            "memory_100k",
            memory,
            "bytes",
            None,
            Goal::AtMost(200.0 * MIB),
        ),
        Figure::new("ready_100k", ready, "s", None, Goal::AtMost(2.0)),
    ])
}

/// Opens circles at A and makes B a member of each, some at a time.
fn share_many(two: &Two, count: usize) -> Result<Vec<CircleId>, Trouble> {
    let mut a = two.a.client()?.acting_as(&two.at_a);
    let mut b = two.b.client()?.acting_as(&two.at_b);
    let to = two.b.node()?;
    let mut circles = Vec::with_capacity(count);
    while circles.len() < count {
        for _ in circles.len()..count.min(circles.len() + INVITATIONS) {
            let circle = a.circle_open(person())?.line.circle;
            a.consent_given(circle)?;
            a.circle_invite(circle, to)?;
            circles.push(circle);
        }
        wait::until_seen("B is a member of all circles", LONGEST, || {
            let invitations = b.invitations()?.into_iter();
            for line in invitations.filter(|line| line.received && line.state == "waiting") {
                b.circle_accept(line.invitation)?;
            }
            let members = b.circles()?.iter().filter(|line| line.member).count();
            Ok(((members == circles.len()).then_some(()), members))
        })?;
    }
    same_records(&mut a, &mut b)?;
    Ok(circles)
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

fn same_records(a: &mut Client, b: &mut Client) -> Result<(), Trouble> {
    let due = a.status()?.records;
    wait::until_seen("B holds all records", LONGEST, || {
        let held = b.status()?.records;
        Ok(((held == due).then_some(()), (held, due)))
    })
    .map(drop)
}

/// Waits until B has finished an exchange with A since its start: all circles were compared.
fn compared(two: &Two) -> Result<(), Trouble> {
    let (mut b, a) = (two.b.client()?, two.a.node()?);
    wait::until_seen("all circles are compared", LONGEST, || {
        let frames = b.peer_show(a)?.frames;
        let finished = frames
            .iter()
            .any(|(name, count)| name.ends_with("finished") && *count > 0);
        Ok((finished.then_some(()), frames))
    })
    .map(drop)
}

/// Resident memory of a daemon, in bytes.
fn resident(daemon: &Daemon) -> Result<f64, Trouble> {
    let pid = daemon
        .pid()
        .ok_or_else(|| Trouble::wrong("it does not run"))?;
    let path = format!("/proc/{pid}/status");
    let status = fs::read_to_string(&path).map_err(Trouble::io(path))?;
    let line = status.lines().find_map(|line| line.strip_prefix("VmRSS:"));
    line.and_then(|line| line.trim().strip_suffix(" kB"))
        .and_then(|kib| kib.trim().parse::<f64>().ok())
        .map(|kib| kib * 1_024.0)
        .ok_or_else(|| Trouble::wrong("the system does not say its memory"))
}
