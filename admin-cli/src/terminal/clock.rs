//! Times as people say them, in their own zone.

use jiff::{Timestamp, tz::TimeZone};

/// Now, and where.
#[derive(Debug, Clone)]
pub(crate) struct Clock {
    now: Timestamp,
    zone: TimeZone,
}

impl Clock {
    /// The machine's clock and zone, read once.
    pub(crate) fn of_this_machine() -> Self {
        Self {
            now: Timestamp::now(),
            zone: TimeZone::system(),
        }
    }

    /// A clock that stands still.
    #[cfg(test)]
    pub(crate) fn at(now_ms: i64, zone: TimeZone) -> Self {
        Self {
            now: Timestamp::from_millisecond(now_ms).expect("a time of a test"),
            zone,
        }
    }

    /// Now, Unix milliseconds.
    pub(crate) fn now_ms(&self) -> u64 {
        u64::try_from(self.now.as_millisecond()).unwrap_or(0)
    }

    /// How long ago, or in how long, a moment in Unix milliseconds is: `3 minutes ago`, `in 2 days`.
    pub(crate) fn ago(&self, ms: u64) -> String {
        let now = self.now.as_millisecond();
        let Ok(then) = i64::try_from(ms) else {
            return "at an impossible time".to_owned();
        };
        let distance = now.saturating_sub(then).unsigned_abs() / 1000;
        if distance < 5 {
            return "just now".to_owned();
        }
        let span = span(distance);
        if then <= now {
            format!("{span} ago")
        } else {
            format!("in {span}")
        }
    }

    /// How long it has been since a moment in Unix milliseconds: `3 minutes`.
    pub(crate) fn lasting(&self, ms: u64) -> String {
        let then = i64::try_from(ms).unwrap_or(i64::MAX);
        let distance = self.now.as_millisecond().saturating_sub(then).max(0);
        span(distance.unsigned_abs() / 1000)
    }

    /// The moment itself with its distance: `3 minutes ago (14:05)`, `2 days ago (2026-11-20 14:05)`.
    pub(crate) fn when(&self, ms: u64) -> String {
        let exact = i64::try_from(ms)
            .ok()
            .and_then(|ms| Timestamp::from_millisecond(ms).ok())
            .map(|then| then.to_zoned(self.zone.clone()));
        let Some(exact) = exact else {
            return "at an impossible time".to_owned();
        };
        let today = self.now.to_zoned(self.zone.clone()).date();
        let form = if exact.date() == today {
            "%H:%M"
        } else {
            "%Y-%m-%d %H:%M"
        };
        format!("{} ({})", self.ago(ms), exact.strftime(form))
    }

    /// The moment itself, to the second: `2026-11-20 14:05:31`.
    pub(crate) fn exact(&self, ms: u64) -> String {
        i64::try_from(ms)
            .ok()
            .and_then(|ms| Timestamp::from_millisecond(ms).ok())
            .map_or_else(
                || "at an impossible time".to_owned(),
                |then| {
                    let then = then.to_zoned(self.zone.clone());
                    then.strftime("%Y-%m-%d %H:%M:%S").to_string()
                },
            )
    }

    /// The moment that somebody means who types `3d`, `2h` (so long ago), a day or a time such as `2026-11-20T14:05`, in this zone. Unix
    /// milliseconds; none where it is nothing of that kind, or before 1970.
    pub(crate) fn since(&self, typed: &str) -> Option<u64> {
        let now = self.now.to_zoned(self.zone.clone());
        let then = if let Ok(moment) = typed.parse::<jiff::civil::DateTime>() {
            moment.to_zoned(self.zone.clone()).ok()?
        } else {
            let span = typed.parse::<jiff::Span>().ok()?;
            now.checked_sub(span.abs()).ok()?
        };
        u64::try_from(then.timestamp().as_millisecond()).ok()
    }

    /// The time of day with its seconds, for lines that come one after the other.
    pub(crate) fn of_day(&self, ms: u64) -> String {
        i64::try_from(ms)
            .ok()
            .and_then(|ms| Timestamp::from_millisecond(ms).ok())
            .map_or_else(
                || "--:--:--".to_owned(),
                |then| {
                    then.to_zoned(self.zone.clone())
                        .strftime("%H:%M:%S")
                        .to_string()
                },
            )
    }
}

/// Seconds in the unit in which people say them, rounded down.
fn span(seconds: u64) -> String {
    let (count, unit) = match seconds {
        0..60 => (seconds, "second"),
        60..3_600 => (seconds / 60, "minute"),
        3_600..86_400 => (seconds / 3_600, "hour"),
        86_400..5_184_000 => (seconds / 86_400, "day"),
        5_184_000..63_072_000 => (seconds / 2_592_000, "month"),
        _ => (seconds / 31_536_000, "year"),
    };
    format!("{count} {unit}{}", if count == 1 { "" } else { "s" })
}

#[cfg(test)]
mod tests {
    use super::*;

    const NOON: i64 = 1_795_348_800_000; // 2026-11-22 12:00 UTC

    fn clock() -> Clock {
        Clock::at(NOON, TimeZone::fixed(jiff::tz::offset(1)))
    }

    #[test]
    fn times_are_said_as_people_say_them() {
        let before = |seconds: u64| clock().ago(NOON as u64 - seconds * 1000);
        assert_eq!(before(2), "just now");
        assert_eq!(before(59), "59 seconds ago");
        assert_eq!(before(180), "3 minutes ago");
        assert_eq!(before(3_600), "1 hour ago");
        assert_eq!(before(3 * 86_400), "3 days ago");
        assert_eq!(before(800 * 86_400), "2 years ago");
        assert_eq!(clock().ago(NOON as u64 + 7_200_000), "in 2 hours");
    }

    #[test]
    fn the_exact_time_is_in_the_readers_zone_and_has_a_date_on_other_days() {
        assert_eq!(clock().when(NOON as u64 - 180_000), "3 minutes ago (12:57)");
        assert_eq!(
            clock().when(NOON as u64 - 2 * 86_400_000),
            "2 days ago (2026-11-20 13:00)"
        );
    }

    #[test]
    fn what_somebody_types_for_a_beginning_is_a_distance_a_day_or_a_time() {
        let noon = NOON as u64;
        assert_eq!(clock().since("3d"), Some(noon - 3 * 86_400_000));
        assert_eq!(clock().since("90m"), Some(noon - 5_400_000));
        // It is 13:00 in this zone.
        assert_eq!(clock().since("2026-11-22"), Some(noon - 13 * 3_600_000));
        assert_eq!(clock().since("2026-11-22T12:30"), Some(noon - 1_800_000));
        for wrong in ["", "yesterday", "3", "1890-01-01"] {
            assert_eq!(clock().since(wrong), None, "{wrong}");
        }
        assert_eq!(clock().exact(noon), "2026-11-22 13:00:00");
    }

    #[test]
    fn an_impossible_time_is_no_panic() {
        assert_eq!(clock().when(u64::MAX), "at an impossible time");
        assert_eq!(clock().ago(u64::MAX), "at an impossible time");
        assert_eq!(clock().lasting(u64::MAX), "0 seconds");
        assert_eq!(clock().of_day(u64::MAX), "--:--:--");
    }
}
