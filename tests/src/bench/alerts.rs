//! How long an alert takes from one professional's socket to the other's, durable at both.

use std::{
    path::Path,
    time::{Duration, Instant},
};

use super::{Figure, Goal, Scale, floor};
use crate::daemon::{Daemon, Settings, Trouble, Two};

const WARM_UP: u64 = 100;
const ALERTS: u64 = 1_000;
/// What a commit writes beside the record's body: its header, its place, the views. Measured once, kept low: it makes the floor lower.
const BESIDE: u64 = 1_024;

pub(super) fn measure(root: &Path, _: Scale) -> Result<Vec<Figure>, Trouble> {
    let shared = Two::peered(root, Settings::dac(), Settings::cpts())?.share()?;
    let (two, circle) = (shared.two, shared.circle);
    let mut at_b = two.b.watch()?;
    let mut a = two.a.client()?.acting_as(&two.at_a);
    let mut times = Vec::new();
    let mut pings = Vec::new();
    for number in 0..WARM_UP + ALERTS {
        let begun = Instant::now();
        let alert = a.alert_send(
            circle,
            "Chute dans la salle de bains, ne se relève pas seule.",
        )?;
        let told = at_b.until_recorded(alert.record)?;
        if number >= WARM_UP {
            times.push(told.at.duration_since(begun));
        }
        at_b.forget();
        if number % 50 == 0 {
            pings.extend(ping(&two.a, &two.b)?);
            pings.extend(ping(&two.b, &two.a)?);
        }
    }
    let bytes = a.records(circle)?.last().map_or(512, |line| line.bytes) + BESIDE;
    let wal = floor::wal(&root.join("floor"), bytes, ALERTS)?;
    times.sort_unstable();
    pings.sort_unstable();
    let ping = pings.get(pings.len() / 2);
    let ping = ping.ok_or_else(|| Trouble::wrong("no ping was measured"))?;
    let ping = milliseconds(*ping);
    let figure = |name, percent: usize, floor, goal| {
        let value = milliseconds(times[times.len() * percent / 100]);
        Figure::new(name, value, "ms", Some(floor), goal)
    };
    Ok(vec![
        figure("alert_p50", 50, 2.0 * wal.p50_ms + ping, Goal::Times(2.0)),
        figure("alert_p99", 99, 2.0 * wal.p99_ms + ping, Goal::Times(5.0)),
    ])
}

fn ping(from: &Daemon, to: &Daemon) -> Result<Option<Duration>, Trouble> {
    let peer = from.client()?.peer_show(to.node()?)?;
    Ok(peer.round_trip_us.map(Duration::from_micros))
}

fn milliseconds(time: Duration) -> f64 {
    time.as_secs_f64() * 1_000.0
}
