//! Bandwidth: when the next bytes may leave, for all who share a way.

use std::num::NonZeroU64;
use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use tokio::sync::watch;
use tokio::time::Instant;

use super::weather::{Gone, Sky, Way, wait};

/// The largest piece of a stream that leaves at once, in bytes.
pub(super) const PIECE: usize = 16 * 1024;

/// One way of one transport, as a road that is free again at some instant.
#[derive(Debug)]
pub(super) struct Pace {
    way: Way,
    road: Mutex<Road>,
}

#[derive(Debug)]
struct Road {
    free_at: Instant,
    limit: Option<NonZeroU64>,
}

impl Pace {
    pub(super) fn new(way: Way) -> Self {
        let road = Road {
            free_at: Instant::now(),
            limit: None,
        };
        Self {
            way,
            road: Mutex::new(road),
        }
    }

    /// Waits until `length` bytes have had the time to pass under the present limit. A change of the limit lets go
    /// whoever waits.
    pub(super) async fn pass(
        &self,
        sky: &mut watch::Receiver<Sky>,
        length: usize,
    ) -> Result<(), Gone> {
        let Some(limit) = sky.borrow().over(self.way).bytes_per_second else {
            return Ok(());
        };
        let done = self.reserve(limit, length);
        let way = self.way;
        wait(sky, |sky| {
            Some(if sky.over(way).bytes_per_second == Some(limit) {
                done
            } else {
                Instant::now()
            })
        })
        .await
    }

    /// How much of a stream should be passed at a time, so that a slow wire trickles and does not gulp.
    pub(super) fn piece(&self, sky: &watch::Receiver<Sky>) -> usize {
        match sky.borrow().over(self.way).bytes_per_second {
            None => PIECE,
            Some(limit) => usize::try_from(limit.get() / 20)
                .unwrap_or(PIECE)
                .clamp(1, PIECE),
        }
    }

    fn reserve(&self, limit: NonZeroU64, length: usize) -> Instant {
        let mut road = self.road.lock().unwrap_or_else(PoisonError::into_inner);
        let now = Instant::now();
        if road.limit != Some(limit) {
            road.limit = Some(limit);
            road.free_at = now;
        }
        let took = Duration::from_secs_f64(length as f64 / limit.get() as f64);
        road.free_at = road.free_at.max(now) + took;
        road.free_at
    }
}
