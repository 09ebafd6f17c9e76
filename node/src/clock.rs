//! The wall clock, read in one place and passed in everywhere else.

use std::{
    sync::atomic::{AtomicI64, Ordering::Relaxed},
    time::{SystemTime, UNIX_EPOCH},
};

/// The farthest that a test may set the clock off: ten years, seconds.
pub const MAX_OFFSET_S: i64 = 10 * 366 * 24 * 3600;

static OFFSET_MS: AtomicI64 = AtomicI64::new(0);

/// Unix milliseconds; 0 before 1970.
pub fn now_ms() -> u64 {
    machine_ms().saturating_add_signed(OFFSET_MS.load(Relaxed))
}

/// The same by the machine's own clock.
fn machine_ms() -> u64 {
    SystemTime::now()
        .duration_since(UNIX_EPOCH)
        .map_or(0, |since| {
            u64::try_from(since.as_millis()).unwrap_or(u64::MAX)
        })
}

/// Makes this process's clock run so many seconds ahead, or behind where negative; beyond [`MAX_OFFSET_S`] it is cut to that. Only `[test]
/// clock_offset_s` leads here, for a test that shows what others make of a clock that is wrong, and the demonstration with 0.
pub fn set_offset(seconds: i64) {
    OFFSET_MS.store(seconds.clamp(-MAX_OFFSET_S, MAX_OFFSET_S) * 1000, Relaxed);
}

/// Makes this process's clock show a moment, Unix milliseconds, and go on from there. Only the demonstration does so, while it tells what happened in past
/// weeks; `set_offset(0)` makes it right again.
pub(crate) fn set(at_ms: u64) {
    let signed = |ms: u64| i64::try_from(ms).unwrap_or(i64::MAX);
    OFFSET_MS.store(signed(at_ms) - signed(machine_ms()), Relaxed);
}

/// The day that it is in France, `2026-11-27`.
pub fn today() -> String {
    day_of(now_ms())
}

/// The day of a moment in France; the moment in Unix milliseconds.
pub fn day_of(at_ms: u64) -> String {
    let zone: jiff::tz::TimeZone = jiff::tz::get!("Europe/Paris");
    let at = i64::try_from(at_ms).unwrap_or(i64::MAX);
    let at = jiff::Timestamp::from_millisecond(at).unwrap_or(jiff::Timestamp::MAX);
    at.to_zoned(zone).date().to_string()
}
