//! Waiting for a condition, bounded. Never for a time.

use std::time::Duration;

use tokio::time::{interval, timeout};

use super::DemoError;

/// Time between two looks.
const EVERY: Duration = Duration::from_millis(20);
/// The longest wait for one condition.
const LONGEST: Duration = Duration::from_secs(60);

/// Looks until there is something.
///
/// # Errors
/// [`DemoError::TooLong`] with `what` after a minute, and those of `look`.
pub(super) async fn until<T>(
    what: &'static str,
    look: impl AsyncFn() -> Result<Option<T>, DemoError>,
) -> Result<T, DemoError> {
    let looking = async {
        let mut looks = interval(EVERY);
        loop {
            looks.tick().await;
            if let Some(found) = look().await? {
                return Ok(found);
            }
        }
    };
    timeout(LONGEST, looking)
        .await
        .unwrap_or(Err(DemoError::TooLong {
            what,
            seconds: LONGEST.as_secs(),
        }))
}
