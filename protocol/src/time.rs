//! Time that survives wrong clocks: a hybrid logical clock.
//!
//! A [`Timestamp`] is Unix milliseconds and a counter. It orders what one node knew before what it wrote next, even where clocks
//! disagree, and stays close to the wall clock. It decides how versions are *shown*; it never decides whether a record is
//! accepted.

use minicbor::{Decode, Encode};
use serde::{Deserialize, Serialize};

/// How far ahead of our clock a timestamp may be before it is only marked and no longer moves our clock: ten minutes, in milliseconds.
pub const AHEAD_LIMIT_MS: u64 = 10 * 60 * 1000;

/// Unix milliseconds (48 bits) and a counter (16 bits), one unsigned integer on the wire.
#[derive(
    Debug,
    Clone,
    Copy,
    PartialEq,
    Eq,
    PartialOrd,
    Ord,
    Hash,
    Default,
    Encode,
    Decode,
    Serialize,
    Deserialize,
)]
#[cbor(transparent)]
#[serde(transparent)]
pub struct Timestamp(#[n(0)] pub u64);

impl Timestamp {
    /// The first timestamp of a millisecond.
    pub const fn from_ms(ms: u64) -> Self {
        Self(ms << 16)
    }

    /// Unix milliseconds.
    pub const fn ms(self) -> u64 {
        self.0 >> 16
    }

    /// Whether this is further ahead of `now_ms` than a clock may be.
    pub const fn is_ahead_of(self, now_ms: u64) -> bool {
        self.ms() > now_ms.saturating_add(AHEAD_LIMIT_MS)
    }
}

/// The node's clock: the greatest timestamp that it made or took over.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct HybridClock {
    last: Timestamp,
}

impl HybridClock {
    /// Goes on from what was committed.
    pub const fn starting_at(last: Timestamp) -> Self {
        Self { last }
    }

    /// The next timestamp: later than everything this clock has made or seen, and not before `now_ms`.
    pub fn tick(&mut self, now_ms: u64) -> Timestamp {
        let next = Timestamp(self.last.0.saturating_add(1)).max(Timestamp::from_ms(now_ms));
        self.last = next;
        next
    }

    /// Takes over what a peer wrote. A timestamp that is too far ahead is left alone; returns whether it was.
    pub fn observe(&mut self, seen: Timestamp, now_ms: u64) -> bool {
        let ahead = seen.is_ahead_of(now_ms);
        if !ahead {
            self.last = self.last.max(seen);
        }
        ahead
    }

    /// The greatest timestamp so far.
    pub const fn last(&self) -> Timestamp {
        self.last
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_clock_never_goes_back_even_when_the_wall_clock_does() {
        let mut clock = HybridClock::default();
        let first = clock.tick(1_000_000);
        let second = clock.tick(999_000);
        assert!(second > first);
        assert_eq!(second.ms(), 1_000_000);
    }

    #[test]
    fn a_record_from_a_clock_far_ahead_is_marked_and_does_not_move_ours() {
        let mut clock = HybridClock::default();
        let now = 1_000_000;
        clock.tick(now);
        assert!(clock.observe(Timestamp::from_ms(now + AHEAD_LIMIT_MS + 1), now));
        assert_eq!(clock.last().ms(), now);
        assert!(!clock.observe(Timestamp::from_ms(now + AHEAD_LIMIT_MS), now));
        assert_eq!(clock.last().ms(), now + AHEAD_LIMIT_MS);
    }
}
