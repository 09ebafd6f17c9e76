//! A loses its power again and again, in the middle of its work.

use std::time::Duration;

use maillon_protocol::ids::CircleId;
use rand::{RngExt, SeedableRng};
use rand_chacha::ChaCha8Rng;

use super::{Stopped, Teller, World};
use crate::daemon::{Acknowledged, Trouble, Two, Writers, records_of, same_digests};

const KILLS: u32 = 20;
const WRITERS: usize = 16;
/// The instant of a kill, in milliseconds after the writers began.
const INSTANTS: std::ops::Range<u64> = 20..300;

pub(super) fn tell(teller: &mut Teller, world: &mut World, seed: u64) -> Result<(), Stopped> {
    let (circle, notebook) = (world.circle, world.notebook);
    let two = &mut world.two;
    let sentence = format!(
        "A is killed at {KILLS} instants (seed {seed}) under {WRITERS} writers, and nothing acknowledged is lost, nothing half-written shows"
    );
    let killed = teller.tell_with(&sentence, || {
        let mut rng = ChaCha8Rng::seed_from_u64(seed);
        let acknowledged = Acknowledged::default();
        for number in 1..=KILLS {
            let instant = Duration::from_millis(rng.random_range(INSTANTS));
            kill_once(two, circle, &acknowledged, instant)
                .map_err(|why| Trouble::wrong(format!("kill {number} after {instant:?}: {why}")))?;
        }
        let count = acknowledged.count();
        if count == 0 {
            return Err(Trouble::wrong(
                "nothing was acknowledged, so nothing was shown",
            ));
        }
        Ok(((), format!("{count} acknowledged")))
    });
    if killed.is_err() && two.a.pid().is_none() {
        // The later chapters need it.
        let _ = two.a.start();
    }
    killed?;
    teller.tell(
        "A and B agree again: the same digests in both circles",
        || {
            two.a.client()?.retry_all()?;
            same_digests(&two.a, &two.b, circle)?;
            same_digests(&two.a, &two.b, notebook)?;
            Ok(())
        },
    )?;
    teller.tell_with("every invariant holds at A and at B", || {
        let checked = two.a.invariants()? + two.b.invariants()?;
        Ok(((), format!("{checked} checks")))
    })
}

/// Writers begin, the power goes at the instant, and what is there afterwards is looked at.
fn kill_once(
    two: &mut Two,
    circle: CircleId,
    acknowledged: &Acknowledged,
    instant: Duration,
) -> Result<(), Trouble> {
    let before = records_of(&two.a, circle)?;
    let caller = two.a.caller().acting_as(&two.at_a);
    let writers = Writers::begin(&caller, &[circle], WRITERS, acknowledged)?;
    // Not a wait for anything: the instant is what the seed chooses.
    std::thread::sleep(instant);
    two.a.kill()?;
    writers.end()?;
    two.a.start()?;

    let after = records_of(&two.a, circle)?;
    let lost = |record: &&_| !after.contains_key(*record);
    let told = acknowledged.all();
    let missing = told.iter().chain(before.keys()).filter(lost).count();
    if missing > 0 {
        return Err(Trouble::wrong(format!("{missing} records are lost")));
    }
    // At most one for each writer was committed and not acknowledged; those must be whole too.
    let mut reader = two.a.client()?.acting_as(&two.at_a);
    let silent = after
        .keys()
        .filter(|record| !before.contains_key(*record) && !told.contains(record));
    let newest = told.iter().rev().take(WRITERS);
    for record in silent.chain(newest) {
        reader.record_show(*record)?;
    }
    Ok(())
}
