//! Dates of FHIR: days that may be incomplete, instants, periods.

use maillon_protocol::content::{PartialDate, Period};

use crate::fhir::{
    report::{RefusedReason, WarningKind},
    source::At,
};

/// Unix milliseconds of an instant (RFC 3339, with its offset), from 1970 on.
pub(crate) fn instant_ms(text: &str) -> Option<u64> {
    let instant: jiff::Timestamp = text.parse().ok()?;
    u64::try_from(instant.as_millisecond()).ok()
}

/// The day that a FHIR `date` or `dateTime` names, as precise as it is. The hour is dropped: our periods count days, as written at
/// the source.
pub(crate) fn day(text: &str) -> Option<PartialDate> {
    let date = match text.split_once('T') {
        Some((date, _)) => {
            instant_ms(text).or_else(|| text.parse::<jiff::Timestamp>().ok().map(|_| 0))?;
            date
        }
        None => text,
    };
    PartialDate::try_from(date.to_owned()).ok()
}

/// The day of an element; what is no date is refused with a warning.
pub(crate) fn day_at(at: At<'_>, key: &str) -> Option<PartialDate> {
    let read = day(at.peek(key)?);
    match read {
        Some(_) => at.map_at(key),
        None => at.get(key)?.refuse(RefusedReason::NotADate),
    }
    read
}

/// The instant of an element; what is no instant is refused with a warning.
pub(crate) fn instant_at(at: At<'_>, key: &str) -> Option<u64> {
    let read = instant_ms(at.peek(key)?);
    match read {
        Some(_) => at.map_at(key),
        None => at.get(key)?.refuse(RefusedReason::NotAnInstant),
    }
    read
}

/// When the source last changed a resource.
pub(crate) fn last_updated(resource: At<'_>) -> Option<u64> {
    instant_at(resource.object("meta")?, "lastUpdated")
}

/// The period of an element; open where it is absent.
pub(crate) fn period_at(at: At<'_>, key: &str) -> Period {
    let Some(at) = at.object(key) else {
        return Period {
            start: None,
            end: None,
        };
    };
    let period = Period {
        start: day_at(at, "start"),
        end: day_at(at, "end"),
    };
    if let (Some(start), Some(end)) = (&period.start, &period.end) {
        let shared = start.as_str().len().min(end.as_str().len());
        if end.as_str().get(..shared) < start.as_str().get(..shared) {
            at.warn(WarningKind::PeriodReversed);
        }
    }
    period
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_instant_counts_its_offset() {
        assert_eq!(instant_ms("1970-01-01T01:00:00+01:00"), Some(0));
        assert_eq!(
            instant_ms("2019-03-04T08:30:00+11:00"),
            Some(1_551_648_600_000)
        );
        for bad in [
            "2019-03-04",
            "2019-03-04T08:30:00",
            "1969-12-31T00:00:00Z",
            "hier",
        ] {
            assert_eq!(instant_ms(bad), None, "{bad}");
        }
    }

    #[test]
    fn a_day_is_as_precise_as_the_source_and_of_the_calendar() {
        let read = |text: &str| day(text).map(String::from);
        assert_eq!(read("1938"), Some("1938".to_owned()));
        assert_eq!(
            read("2032-12-18T13:48:19.342+01:00"),
            Some("2032-12-18".to_owned())
        );
        assert_eq!(read("1931-05-02T00:00:00Z"), Some("1931-05-02".to_owned()));
        for bad in ["2023-02-30", "18/12/2032", "2032-12-18T25:00:00Z", "", "T"] {
            assert_eq!(read(bad), None, "{bad}");
        }
    }
}
