//! Wall clocks that are minutes or days off, and one that jumps: nothing is refused for it, nothing is lost, and whoever looks is told.

use std::time::{Duration, SystemTime, UNIX_EPOCH};

use maillon_protocol::{
    admin::WatchEvent,
    ids::{CircleId, RecordId},
};
use maillon_tests::daemon::{
    Daemon, Settings, Shared, Trouble, Two, Watch, WrongClock, same_digests,
};
use tempfile::TempDir;

use crate::{Story, ensure, folder};

const MINUTE: i64 = 60;
const DAY: i64 = 24 * 3600;
/// What an alert takes between two nodes of one machine, however wrong a clock.
const PROMPT: Duration = Duration::from_secs(10);
/// The check that says whose clock is wrong.
const AGREES: &str = "clock.agrees";

/// Two nodes with a common circle; A lives by a clock that the test sets, which is right so far.
struct Met {
    two: Two,
    circle: CircleId,
    clock: WrongClock,
    _root: TempDir,
}

fn met() -> Result<Option<Met>, Trouble> {
    let root = folder()?;
    let Some(clock) = WrongClock::new(root.path())? else {
        return Ok(None);
    };
    let a = clock.rules(Settings::dac());
    let Shared { two, circle } = Two::peered(root.path(), a, Settings::cpts())?.share()?;
    Ok(Some(Met {
        two,
        circle,
        clock,
        _root: root,
    }))
}

impl Met {
    /// An alert each way, prompt and not refused; the two records, A's first.
    fn both_ways(&self) -> Result<[RecordId; 2], Trouble> {
        let two = &self.two;
        let (mut at_a, mut at_b) = (two.a.watch()?, two.b.watch()?);
        let mut a = two.a.client()?.acting_as(&two.at_a);
        let mut b = two.b.client()?.acting_as(&two.at_b);
        let there = a.alert_send(self.circle, "Quelle heure est-il ?")?.record;
        arrives(&mut at_b, there)?;
        let back = b.alert_send(self.circle, "L'heure de passer.")?.record;
        arrives(&mut at_a, back)?;
        b.alert_acknowledge(there, "Vu.")?;
        a.alert_acknowledge(back, "Vu.")?;
        same_digests(&two.a, &two.b, self.circle)?;
        Ok([there, back])
    }

    /// Sets A's clock, and looks whether A believes it.
    fn set(&self, seconds: i64) -> Story {
        self.clock.set(seconds)?;
        let told = self.two.a.client()?.status()?.clock.now_ms;
        let off = i128::from(told) - i128::from(real_ms()) - i128::from(seconds) * 1000;
        ensure(off.abs() < 30_000, || {
            format!("A's clock was set off by {seconds} s and is {off} ms from there")
        })
    }
}

fn real_ms() -> u64 {
    let now = SystemTime::now().duration_since(UNIX_EPOCH);
    now.map_or(0, |now| now.as_millis() as u64)
}

fn arrives(watch: &mut Watch, wanted: RecordId) -> Story {
    let is_it = |event: &WatchEvent| matches!(event, WatchEvent::Recorded { record, .. } if *record == wanted);
    watch.until("the alert", PROMPT, is_it).map(drop)
}

/// What `doctor` says of clocks: nothing where they agree.
fn told_of_clocks(daemon: &Daemon) -> Result<Option<String>, Trouble> {
    let checks = daemon.client()?.doctor()?;
    let clocks = checks.into_iter().find(|check| check.name == AGREES);
    let clocks = clocks.ok_or_else(|| Trouble::wrong(format!("doctor has no {AGREES}")))?;
    Ok((!clocks.holds).then_some(clocks.found))
}

/// A restarts with a clock that is off, both work on, and it restarts with the right one.
fn lives_with_a_clock_off_by(seconds: i64) -> Story {
    let Some(mut met) = met()? else {
        return Ok(());
    };
    // What doctor says of clocks is the story, and at its end, however that comes, no failure of its own.
    let lived = lives(&mut met, seconds);
    known(&mut met.two)?;
    lived
}

fn lives(met: &mut Met, seconds: i64) -> Story {
    met.both_ways()?;
    met.two.a.stop()?;
    met.clock.set(seconds)?;
    met.two.a.start()?;
    met.set(seconds)?;
    let [from_a, _] = met.both_ways()?;

    let told = [told_of_clocks(&met.two.a)?, told_of_clocks(&met.two.b)?];
    let told = told.each_ref().map(Option::is_some);
    // Whoever is behind sees records of the other that are ahead; the other is acknowledged by a clock that has not come to what it wrote.
    let should = [seconds.abs() >= 10 * MINUTE; 2];
    ensure(told == should, || format!("told at A and at B: {told:?}"))?;
    let ahead = seconds > 10 * MINUTE;
    let view = met
        .two
        .b
        .client()?
        .acting_as(&met.two.at_b)
        .record_show(from_a)?;
    ensure(view.ahead.is_some() == ahead, || format!("{view:?}"))?;

    // Somebody sets the clock right.
    met.two.a.stop()?;
    met.clock.set(0)?;
    met.two.a.start()?;
    met.set(0)?;
    met.both_ways().map(drop)
}

/// What is said of clocks at the end, of the last day, is no failure of the test.
fn known(two: &mut Two) -> Story {
    for end in [&mut two.a, &mut two.b] {
        if told_of_clocks(end)?.is_some() {
            end.settings.broken.push(AGREES);
        }
    }
    Ok(())
}

#[test]
fn a_clock_ten_minutes_ahead_disturbs_nobody() -> Story {
    lives_with_a_clock_off_by(9 * MINUTE + 50)
}

#[test]
fn a_clock_ten_minutes_behind_disturbs_nobody() -> Story {
    lives_with_a_clock_off_by(-(9 * MINUTE + 50))
}

#[test]
fn a_clock_ten_days_ahead_is_told_and_nothing_is_refused_or_lost() -> Story {
    lives_with_a_clock_off_by(10 * DAY)
}

#[test]
fn a_clock_ten_days_behind_is_told_and_nothing_is_refused_or_lost() -> Story {
    lives_with_a_clock_off_by(-10 * DAY)
}

#[test]
fn a_clock_that_jumps_while_its_node_runs_disturbs_no_link_and_loses_nothing() -> Story {
    let Some(mut met) = met()? else {
        return Ok(());
    };
    met.both_ways()?;
    let mut links = met.two.b.watch()?;
    for seconds in [10 * MINUTE, -10 * MINUTE, 10 * DAY, -10 * DAY, 0] {
        met.set(seconds)?;
        met.both_ways()?;
    }
    let ended = links.until("an end of the link", Duration::ZERO, |event| {
        matches!(event, WatchEvent::Link { up: false, .. })
    });
    ensure(ended.is_err(), || {
        String::from("the link did not outlive the jumps")
    })?;
    for end in [&met.two.a, &met.two.b] {
        let told = told_of_clocks(end)?;
        ensure(told.is_some(), || {
            format!("nobody at {} is told", end.settings.name)
        })?;
    }
    known(&mut met.two)
}

#[test]
fn an_invitation_to_peer_from_a_clock_ten_days_behind_is_refused_in_words() -> Story {
    let root = folder()?;
    let Some(clock) = WrongClock::new(root.path())? else {
        return Ok(());
    };
    clock.set(-10 * DAY)?;
    let a = Daemon::new(root.path(), clock.rules(Settings::dac()))?;
    let b = Daemon::new(root.path(), Settings::cpts())?;
    let invitation = a.client()?.peer_invite()?;
    let refused = b.client()?.peer_accept(&invitation.text);
    let words = refused.map_or_else(|refused| refused.to_string(), |one| format!("{one:?}"));
    ensure(words.contains("the invitation has expired"), || words)?;
    // Once the clock is right, a new one serves.
    clock.set(0)?;
    maillon_tests::daemon::pair(&a, &b).map(drop)
}
