//! How long an alert takes from one professional's socket to the other's, durable at both: one by one, beside much other work, and how many a
//! second.

use std::{
    path::Path,
    thread,
    time::{Duration, Instant},
};

use maillon_protocol::ids::CircleId;

use super::{
    Figure, Goal, Scale,
    crowd::{Crowd, What},
    floor::{self, Wal},
    territory::{LONGEST, share_many},
};
use crate::daemon::{Daemon, Settings, Trouble, Two, person};

/// Alerts and their floor take turns, because a disk that others use too is not the same from one minute to the next: of each percentage the
/// middle one of the rounds counts.
const ROUNDS: usize = 5;
/// Nodes ping each other every fifteen seconds, and the first time amid all that a new connection brings: the shortest of some counts.
const PINGED: Duration = Duration::from_secs(32);
/// Alerts of a round, and how many go before without being counted.
const ALERTS: u64 = 200;
const WARM_UP: u64 = 40;
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
pub(super) const BESIDE: u64 = 1_024;

pub(super) fn measure(root: &Path, _: Scale) -> Result<Vec<Figure>, Trouble> {
    let two = Two::peered(root, Settings::dac(), Settings::cpts())?;
    let circles = share_many(&two, CIRCLES)?;
    let own = own_circles(&two)?;
    let crowd = Crowd {
        daemon: &two.a,
        who: &two.at_a,
        circles: &own,
        what: What::Notes,
        writers: WRITERS,
        together: WRITERS / 4,
    };
    thread::sleep(PINGED);
    let bytes = written(&two, circles[0])?;
    let alone = rounds(&root.join("alone"), bytes, || {
        one_by_one(&two, circles[0], ALERTS)
    })?;
    let busy = rounds(&root.join("busy"), bytes, || {
        crowd.during(|| one_by_one(&two, circles[0], ALERTS))
    })?;
    let rate = rate(&two, &circles)?;
    let figure = |name, (value, floor), goal| Figure::new(name, value, "ms", Some(floor), goal);
    Ok(vec![
        figure("alert_p50", alone.half, Goal::Times(1.3)),
        figure("alert_p99", alone.most, Goal::Times(2.0)),
        figure("alert_busy_p99", busy.most, Goal::Times(4.0)),
        Figure::new("alert_rate", rate, "1/s", None, Goal::AtLeast(7_500.0)),
    ])
}

/// Milliseconds of alerts, each beside its floor: that half of them take at most, and 99 of a hundred.
struct Rounds {
    half: (f64, f64),
    most: (f64, f64),
}

/// Alerts and synced writes of so many bytes in turns.
fn rounds(
    root: &Path,
    bytes: u64,
    mut alerts: impl FnMut() -> Result<Times, Trouble>,
) -> Result<Rounds, Trouble> {
    let (mut times, mut floors) = (Vec::new(), Vec::new());
    for round in 0..ROUNDS {
        times.push(alerts()?);
        floors.push(floor::wal(&root.join(round.to_string()), bytes, ALERTS)?);
    }
    let ping = times.iter().map(|times| times.ping).min();
    let ping = milliseconds(ping.unwrap_or_default());
    let percent = |percent, of: fn(&Wal) -> f64| {
        let alert = middle(
            times
                .iter()
                .map(|times| milliseconds(times.percent(percent))),
        );
        (alert, 2.0 * middle(floors.iter().map(of)) + ping)
    };
    Ok(Rounds {
        half: percent(50, |wal| wal.p50_ms),
        most: percent(99, |wal| wal.p99_ms),
    })
}

/// Bytes that a commit of an alert writes.
fn written(two: &Two, circle: CircleId) -> Result<u64, Trouble> {
    one_by_one(two, circle, 1)?;
    let records = two.a.client()?.acting_as(&two.at_a).records(circle)?;
    Ok(records.last().map_or(512, |line| line.bytes) + BESIDE)
}

/// The middle one.
fn middle(values: impl Iterator<Item = f64>) -> f64 {
    let mut values: Vec<f64> = values.collect();
    values.sort_by(f64::total_cmp);
    values.get(values.len() / 2).copied().unwrap_or_default()
}

/// Circles of A alone. What 64 writers write without a pause, A writes faster than anybody takes it over on the same two processors: an alert
/// would stand in a queue that only grows.
fn own_circles(two: &Two) -> Result<Vec<CircleId>, Trouble> {
    let mut a = two.a.client()?.acting_as(&two.at_a);
    (0..CIRCLES)
        .map(|_| Ok(a.circle_open(person())?.line.circle))
        .collect()
}

/// Sorted times of alerts, and the shortest of the pings between them.
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
    let times = one_by_one(two, circle, ALERTS)?;
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
    let ping = pings.into_iter().min();
    let ping = ping.ok_or_else(|| Trouble::wrong("no ping was measured"))?;
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
        let last = thread::scope(|scope| {
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
