//! Waiting for a condition, never for a time.

use std::{
    fmt::Debug,
    sync::OnceLock,
    thread,
    time::{Duration, Instant},
};

use super::Trouble;

/// Between two looks. Short beside everything that is awaited, long beside the cost of a look.
const PAUSE: Duration = Duration::from_millis(10);

/// Far above what anything takes on a busy machine with two cores.
pub const LONG: Duration = Duration::from_secs(60);

static END: OnceLock<Instant> = OnceLock::new();

/// No wait of this process goes on beyond this moment: for a program that promises to end in time. Only the first call counts.
pub fn end_by(end: Instant) {
    let _ = END.set(end);
}

/// A bound, shortened to what is left of this process's time.
pub fn bounded(bound: Duration) -> Duration {
    match END.get() {
        Some(end) => bound.min(end.saturating_duration_since(Instant::now())),
        None => bound,
    }
}

/// Looks until there is something, and returns it. An error of the look itself ends the wait.
///
/// # Errors
/// [`Trouble::TooLate`] after `bound`, with what was awaited.
pub fn until<T>(
    what: &str,
    bound: Duration,
    mut look: impl FnMut() -> Result<Option<T>, Trouble>,
) -> Result<T, Trouble> {
    let (found, _) = until_seen(what, bound, || Ok((look()?, "")))?;
    Ok(found)
}

/// As [`until`]; the look also says what it saw, which stands in the error.
///
/// # Errors
/// [`Trouble::TooLate`] after `bound`.
pub fn until_seen<T, S: Debug>(
    what: &str,
    bound: Duration,
    mut look: impl FnMut() -> Result<(Option<T>, S), Trouble>,
) -> Result<(T, S), Trouble> {
    let begun = Instant::now();
    let bound = bounded(bound);
    loop {
        let (found, seen) = look()?;
        if let Some(found) = found {
            return Ok((found, seen));
        }
        if begun.elapsed() >= bound {
            let seen = format!("{seen:?}");
            return Err(Trouble::TooLate {
                what: what.to_owned(),
                seconds: bound.as_secs_f64(),
                last: match seen.as_str() {
                    "\"\"" => String::new(),
                    seen => format!("; last seen: {seen}"),
                },
            });
        }
        thread::sleep(PAUSE);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_wait_ends_with_the_condition_or_says_what_it_waited_for() -> Result<(), Trouble> {
        let mut looks = 0;
        let found = until("three looks", LONG, || {
            looks += 1;
            Ok((looks == 3).then_some(looks))
        })?;
        assert_eq!(found, 3);
        let late = until_seen("the moon", Duration::ZERO, || Ok((None::<()>, "clouds")));
        let late = late.expect_err("it never comes").to_string();
        assert!(
            late.contains("the moon") && late.contains("clouds"),
            "{late}"
        );
        Ok(())
    }
}
