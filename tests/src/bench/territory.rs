//! What the figures begin with: two nodes that share many circles, and what they hold.

use std::{fs, time::Duration};

use maillon_protocol::ids::CircleId;

use crate::daemon::{Client, Daemon, Trouble, Two, person, wait};

/// Invitations that wait at one time; a node keeps 200 of one peer.
const INVITATIONS: usize = 100;
/// Ten times what the slowest of them takes.
pub(super) const LONGEST: Duration = Duration::from_secs(1_200);

/// Opens circles at A and makes B a member of each, some at a time.
pub(super) fn share_many(two: &Two, count: usize) -> Result<Vec<CircleId>, Trouble> {
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
            let invitations = b.invitations(false)?.into_iter();
            for line in invitations.filter(|line| line.received && line.state == "waiting") {
                b.circle_accept(line.invitation)?;
            }
            let held = b.status()?.circles;
            Ok(((held == circles.len() as u64).then_some(()), held))
        })?;
    }
    same_records(&mut a, &mut b)?;
    Ok(circles)
}

/// Waits until B holds as many records as A.
pub(super) fn same_records(a: &mut Client, b: &mut Client) -> Result<(), Trouble> {
    let due = a.status()?.records;
    wait::until_seen("B holds all records", LONGEST, || {
        let held = b.status()?.records;
        Ok(((held == due).then_some(()), (held, due)))
    })
    .map(drop)
}

/// Waits until B has finished an exchange with A since its start: all circles were compared.
pub(super) fn compared(two: &Two) -> Result<(), Trouble> {
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
pub(super) fn resident(daemon: &Daemon) -> Result<f64, Trouble> {
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
