//! One synced write after another: what a durable alert cannot be faster than.

use std::{
    path::Path,
    time::{Duration, Instant},
};

use rand_core::Rng;
use serde::Serialize;

use super::{FloorError, fresh, within};
use crate::random::SystemRandom;

/// Times of synced writes, milliseconds.
#[derive(Debug, Clone, Copy, PartialEq, Serialize)]
pub struct Wal {
    /// Half of the writes took no longer.
    pub p50_ms: f64,
    /// 95 of a hundred took no longer.
    pub p95_ms: f64,
    /// 99 of a hundred took no longer.
    pub p99_ms: f64,
}

/// Writes `count` values (1 to 1,000,000) of `bytes` random bytes (1 to 16 MiB), each with a sync, into the fresh folder `dir`.
///
/// # Errors
/// [`FloorError::Range`], [`FloorError::NotEmpty`], [`FloorError::Folder`], [`FloorError::Engine`].
pub fn wal(dir: &Path, bytes: u64, count: u64) -> Result<Wal, FloorError> {
    within("the size of a write in bytes", bytes, 1, 16 << 20)?;
    within("the number of writes", count, 1, 1_000_000)?;
    let (db, synced) = fresh(dir)?;
    // Random, as what is sealed looks; the same for each, so that randomness costs nothing here.
    let mut value = vec![0; usize::try_from(bytes).unwrap_or(usize::MAX)];
    SystemRandom.fill_bytes(&mut value);
    let mut times = Vec::new();
    for number in 0..count {
        let begun = Instant::now();
        db.put_opt(number.to_be_bytes(), &value, &synced)?;
        times.push(begun.elapsed());
    }
    times.sort_unstable();
    Ok(Wal {
        p50_ms: percentile(&times, 50),
        p95_ms: percentile(&times, 95),
        p99_ms: percentile(&times, 99),
    })
}

/// The nearest rank of sorted times, milliseconds; 0 where there are none.
fn percentile(sorted: &[Duration], percent: usize) -> f64 {
    let rank = (sorted.len() * percent).div_ceil(100).max(1);
    sorted
        .get(rank - 1)
        .map_or(0.0, |time| time.as_secs_f64() * 1000.0)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn percentiles_are_those_of_the_nearest_rank() {
        let times: Vec<_> = (1..=200).map(Duration::from_millis).collect();
        assert!((percentile(&times, 50) - 100.0).abs() < 1e-9);
        assert!((percentile(&times, 95) - 190.0).abs() < 1e-9);
        assert!((percentile(&times, 99) - 198.0).abs() < 1e-9);
        assert!((percentile(&times[..1], 99) - 1.0).abs() < 1e-9);
    }

    #[test]
    fn a_folder_in_use_is_not_written_to() {
        let dir = tempfile::tempdir().expect("a folder");
        let folder = dir.path().join("floor");
        assert!(wal(&folder, 700, 3).expect("a floor").p50_ms > 0.0);
        assert!(matches!(wal(&folder, 700, 3), Err(FloorError::NotEmpty(_))));
        assert!(matches!(wal(&folder, 0, 3), Err(FloorError::Range { .. })));
    }
}
