//! When to try again: the schedule of the attempts to reach one node.
//!
//! It never gives up. Waits double from a first one to a cap; they are counted from the start of one attempt to the start of the next, so
//! a slow failure does not slow the pace; jitter shortens each by up to a quarter, so that two nodes do not move in step, and so that no
//! wait exceeds its cap. The schedule has no clock and no randomness of its own.

use std::time::{Duration, Instant};

/// The lengths of the waits.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Waits {
    /// The first wait.
    pub first: Duration,
    /// The longest wait.
    pub cap: Duration,
    /// The longest wait while an alert waits.
    pub urgent_cap: Duration,
}

/// Where an attempt stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Phase {
    Waiting { until: Instant },
    Trying,
    Connected { since: Instant },
}

/// The schedule for one node.
#[derive(Debug, Clone)]
pub struct Backoff {
    waits: Waits,
    urgent: bool,
    failures: u32,
    started: Instant,
    phase: Phase,
}

impl Backoff {
    /// A schedule whose first attempt is due now.
    pub fn new(waits: Waits, now: Instant) -> Self {
        Self {
            waits,
            urgent: false,
            failures: 0,
            started: now,
            phase: Phase::Waiting { until: now },
        }
    }

    /// When the next attempt is due. Nothing while one is under way or the node is connected.
    pub fn due(&self) -> Option<Instant> {
        match self.phase {
            Phase::Waiting { until } => Some(until),
            Phase::Trying | Phase::Connected { .. } => None,
        }
    }

    /// When the last attempt started.
    pub fn started(&self) -> Instant {
        self.started
    }

    /// An attempt starts.
    pub fn start(&mut self, now: Instant) {
        self.started = now;
        self.phase = Phase::Trying;
    }

    /// The attempt failed. `jitter` is a random number from 0 to 1.
    pub fn failed(&mut self, now: Instant, jitter: f64) {
        if matches!(self.phase, Phase::Trying) {
            self.wait_after_failure(now, jitter);
        }
    }

    /// The node is connected, whoever dialled: the wait is over.
    pub fn connected(&mut self, now: Instant) {
        match self.phase {
            Phase::Trying => {}
            Phase::Waiting { .. } => self.started = now,
            Phase::Connected { .. } => return,
        }
        self.phase = Phase::Connected { since: now };
    }

    /// The last connection ended. One that lasted for `settled` starts the waits anew; a shorter one counts as a failure, or two nodes
    /// of which one refuses the other would meet twice a second for ever.
    pub fn closed(&mut self, now: Instant, settled: Duration, jitter: f64) {
        let Phase::Connected { since } = self.phase else {
            return;
        };
        if now.saturating_duration_since(since) < settled {
            return self.wait_after_failure(now, jitter);
        }
        self.failures = 0;
        self.phase = Phase::Waiting {
            until: now + shortened(self.waits.first, jitter),
        };
    }

    /// Ends the wait: the next attempt is due now.
    pub fn retry(&mut self, now: Instant) {
        if let Phase::Waiting { until } = &mut self.phase {
            *until = (*until).min(now);
        }
    }

    /// Says whether an alert waits for this node. A wait that is longer than the urgent cap is cut to it.
    pub fn set_urgent(&mut self, urgent: bool, now: Instant) {
        self.urgent = urgent;
        if let (true, Phase::Waiting { until }) = (urgent, &mut self.phase) {
            *until = (*until).min((self.started + self.waits.urgent_cap).max(now));
        }
    }

    fn wait_after_failure(&mut self, now: Instant, jitter: f64) {
        let cap = match self.urgent {
            true => self.waits.urgent_cap.min(self.waits.cap),
            false => self.waits.cap,
        };
        let doubled = self
            .waits
            .first
            .saturating_mul(1u32.checked_shl(self.failures).unwrap_or(u32::MAX));
        self.failures = self.failures.saturating_add(1);
        self.phase = Phase::Waiting {
            until: (self.started + shortened(doubled.min(cap), jitter)).max(now),
        };
    }
}

fn shortened(wait: Duration, jitter: f64) -> Duration {
    wait.mul_f64(1.0 - jitter.clamp(0.0, 1.0) / 4.0)
}

#[cfg(test)]
mod tests {
    use super::*;

    const WAITS: Waits = Waits {
        first: Duration::from_millis(500),
        cap: Duration::from_secs(300),
        urgent_cap: Duration::from_secs(10),
    };
    const SETTLED: Duration = Duration::from_secs(10);

    fn seconds(seconds: f64) -> Duration {
        Duration::from_secs_f64(seconds)
    }

    /// Lets every attempt fail after `takes` and gives the times between their starts.
    fn gaps(backoff: &mut Backoff, takes: Duration, jitter: f64, count: usize) -> Vec<Duration> {
        let mut starts = Vec::new();
        for _ in 0..=count {
            let now = backoff.due().expect("an attempt is due");
            starts.push(now);
            backoff.start(now);
            assert_eq!(backoff.due(), None, "one attempt at a time");
            backoff.failed(now + takes, jitter);
        }
        starts.windows(2).map(|pair| pair[1] - pair[0]).collect()
    }

    #[test]
    fn waits_double_from_half_a_second_to_five_minutes_and_never_end() {
        let mut backoff = Backoff::new(WAITS, Instant::now());
        let gaps = gaps(&mut backoff, Duration::ZERO, 0.0, 200);
        assert_eq!(
            gaps[..4],
            [seconds(0.5), seconds(1.0), seconds(2.0), seconds(4.0)]
        );
        assert_eq!(gaps[10..], [WAITS.cap; 190]);
    }

    #[test]
    fn a_wait_is_counted_from_start_to_start() {
        let mut backoff = Backoff::new(WAITS, Instant::now());
        let gaps = gaps(&mut backoff, seconds(3.0), 0.0, 5);
        // Three seconds of trying are part of the wait, and a wait that is over by then costs nothing more.
        assert_eq!(gaps, [3.0, 3.0, 3.0, 4.0, 8.0].map(seconds));
    }

    #[test]
    fn jitter_shortens_a_wait_by_a_quarter_at_most_and_lengthens_none() {
        let mut backoff = Backoff::new(WAITS, Instant::now());
        let gaps = gaps(&mut backoff, Duration::ZERO, 1.0, 20);
        assert_eq!(gaps[0], seconds(0.375));
        assert_eq!(gaps[19], WAITS.cap.mul_f64(0.75));
    }

    #[test]
    fn an_alert_cuts_the_wait_that_runs_and_those_that_follow() {
        let start = Instant::now();
        let mut backoff = Backoff::new(WAITS, start);
        gaps(&mut backoff, Duration::ZERO, 0.0, 15);
        let long = backoff.due().expect("due");
        let started = long - WAITS.cap;
        backoff.set_urgent(true, started + seconds(2.0));
        assert_eq!(backoff.due(), Some(started + WAITS.urgent_cap));
        let urgent = gaps(&mut backoff, seconds(8.0), 0.0, 3);
        assert_eq!(urgent, [WAITS.urgent_cap; 3]);

        // An alert that comes late in a long wait does not ask for an attempt in the past.
        let mut late = Backoff::new(WAITS, start);
        gaps(&mut late, Duration::ZERO, 0.0, 15);
        let now = late.due().expect("due") - seconds(60.0);
        late.set_urgent(true, now);
        assert_eq!(late.due(), Some(now));
    }

    #[test]
    fn retry_ends_the_wait_and_a_connection_ends_it_too() {
        let start = Instant::now();
        let mut backoff = Backoff::new(WAITS, start);
        gaps(&mut backoff, Duration::ZERO, 0.0, 15);
        let now = backoff.due().expect("due") - seconds(100.0);
        backoff.retry(now);
        assert_eq!(backoff.due(), Some(now));
        backoff.connected(now);
        assert_eq!(backoff.due(), None);
        backoff.retry(now);
        assert_eq!(backoff.due(), None, "nothing to retry while connected");
    }

    #[test]
    fn only_a_connection_that_lasted_starts_the_waits_anew() {
        let start = Instant::now();
        let mut backoff = Backoff::new(WAITS, start);
        gaps(&mut backoff, Duration::ZERO, 0.0, 6);
        let now = backoff.due().expect("due");

        backoff.start(now);
        backoff.connected(now);
        backoff.closed(now + seconds(0.1), SETTLED, 0.0);
        assert_eq!(backoff.due(), Some(now + seconds(64.0)), "refused at once");

        let now = now + seconds(64.0);
        backoff.start(now);
        backoff.connected(now);
        let end = now + seconds(3600.0);
        backoff.closed(end, SETTLED, 0.0);
        assert_eq!(backoff.due(), Some(end + WAITS.first));
    }
}
