//! How long an alert takes from one professional's socket to the other's, durable at both: one by one, beside much other work, and how many a
//! second.

use std::{
    path::Path,
    time::{Duration, Instant},
};

use maillon_protocol::ids::CircleId;

use super::{
    Figure, Goal, Scale,
    crowd::{Crowd, What},
    floor,
    territory::{LONGEST, share_many},
};
use crate::daemon::{Daemon, Settings, Trouble, Two, person};

const WARM_UP: u64 = 100;
const ALERTS: u64 = 1_000;
/// Circles of both, and as many of A alone.
const CIRCLES: usize = 16;
/// Who writes beside the alerts.
const WRITERS: usize = 64;
/// Connections of the rate, and how much each has under way.
const CONNECTIONS: usize = 16;
const UNDER_WAY: usize = 32;
/// Alerts of the rate, those before it is measured among them.
const MANY: u64 = 40_000;
const FIRST: u64 = 8_000;
/// What a commit writes beside the record's body: its header, its place, the views. Measured once, kept low: it makes the floor lower.
const BESIDE: u64 = 1_024;

pub(super) fn measure(root: &Path, _: Scale) -> Result<Vec<Figure>, Trouble> {
    let two = Two::peered(root, Settings::dac(), Settings::cpts())?;
    let circles = share_many(&two, CIRCLES)?;
    let alone = one_by_one(&two, circles[0], ALERTS)?;
    let bytes = two.a.client()?.acting_as(&two.at_a).records(circles[0])?;
    let bytes = bytes.last().map_or(512, |line| line.bytes) + BESIDE;
    let wal = floor::wal(&root.join("floor"), bytes, ALERTS)?;
    let ping = milliseconds(alone.ping);
    let (p50, p99) = (2.0 * wal.p50_ms + ping, 2.0 * wal.p99_ms + ping);

    let own = own_circles(&two)?;
    let crowd = Crowd {
        daemon: &two.a,
        who: &two.at_a,
        circles: &own,
        what: What::Notes,
        writers: WRITERS,
        together: WRITERS / 4,
    };
    let busy = crowd.during(|| one_by_one(&two, circles[0], ALERTS))?;
    let rate = rate(&two, &circles)?;
    let figure = |name, value, floor, goal| {
        let value = milliseconds(value);
        Figure::new(name, value, "ms", Some(floor), goal)
    };
    Ok(vec![
        figure("alert_p50", alone.percent(50), p50, Goal::Times(1.3)),
        figure("alert_p99", alone.percent(99), p99, Goal::Times(2.0)),
        figure("alert_busy_p99", busy.percent(99), p99, Goal::Times(4.0)),
        Figure::new("alert_rate", rate, "1/s", None, Goal::AtLeast(7_500.0)),
    ])
}

/// Circles of A alone. What 64 writers write without a pause, A writes faster than anybody takes it over on the same two processors: an alert
/// would stand in a queue that only grows.
fn own_circles(two: &Two) -> Result<Vec<CircleId>, Trouble> {
    let mut a = two.a.client()?.acting_as(&two.at_a);
    (0..CIRCLES)
        .map(|_| Ok(a.circle_open(person())?.line.circle))
        .collect()
}

/// Sorted times of alerts, and the middle one of the pings between them.
struct Times {
    times: Vec<Duration>,
    ping: Duration,
}

impl Times {
    fn percent(&self, percent: usize) -> Duration {
        self.times[self.times.len() * percent / 100]
    }
}

/// Milliseconds that half of some alerts take at most.
pub(super) fn half_of_them(two: &Two, circle: CircleId) -> Result<f64, Trouble> {
    let times = one_by_one(two, circle, ALERTS / 4)?;
    Ok(milliseconds(times.percent(50)))
}

/// Sends one alert after the other, each once the one before was seen at B.
fn one_by_one(two: &Two, circle: CircleId, alerts: u64) -> Result<Times, Trouble> {
    let mut at_b = two.b.watch()?;
    let mut a = two.a.client()?.acting_as(&two.at_a);
    let mut times = Vec::new();
    let mut pings = Vec::new();
    for number in 0..WARM_UP + alerts {
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
    times.sort_unstable();
    pings.sort_unstable();
    let ping = pings.get(pings.len() / 2);
    let ping = *ping.ok_or_else(|| Trouble::wrong("no ping was measured"))?;
    Ok(Times { times, ping })
}

/// Alerts a second, from the first request until B has told of the last one.
fn rate(two: &Two, circles: &[CircleId]) -> Result<f64, Trouble> {
    let mut at_b = two.b.watch()?;
    let crowd = Crowd {
        daemon: &two.a,
        who: &two.at_a,
        circles,
        what: What::Alerts,
        writers: CONNECTIONS * UNDER_WAY,
        together: UNDER_WAY,
    };
    let mut all = |count| {
        let begun = Instant::now();
        let last = std::thread::scope(|scope| {
            let crowd = scope.spawn(move || crowd.count(count));
            let last = at_b.until_so_many("alert", count, LONGEST)?;
            crowd
                .join()
                .unwrap_or_else(|_| Err(Trouble::wrong("a crowd panicked")))?;
            Ok(last)
        })?;
        Ok::<_, Trouble>(last.duration_since(begun))
    };
    all(FIRST)?;
    let count = MANY - FIRST;
    Ok(count as f64 / all(count)?.as_secs_f64())
}

fn ping(from: &Daemon, to: &Daemon) -> Result<Option<Duration>, Trouble> {
    let peer = from.client()?.peer_show(to.node()?)?;
    Ok(peer.round_trip_us.map(Duration::from_micros))
}

fn milliseconds(time: Duration) -> f64 {
    time.as_secs_f64() * 1_000.0
}
