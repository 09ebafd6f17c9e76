//! B is away while A goes on working.

use std::{collections::BTreeSet, time::Instant};

use super::{Stopped, Teller, World, teller::shown};
use crate::daemon::{Trouble, records_of, same_digests, wait, write_notes};

/// Records that A writes meanwhile.
const RECORDS: u64 = 1_000;
const WRITERS: usize = 16;

pub(super) fn tell(teller: &mut Teller, world: &mut World) -> Result<(), Stopped> {
    let (circle, notebook) = (world.circle, world.notebook);
    let two = &mut world.two;
    teller.tell("B stops, with exit code 0", || two.b.stop())?;
    let written = teller.tell("A writes 1,000 records meanwhile", || {
        let caller = two.a.caller().acting_as(&two.at_a);
        let begun = Instant::now();
        let written = write_notes(&caller, &[circle, notebook], WRITERS, RECORDS)?;
        Ok((written, begun.elapsed()))
    });
    // B is needed later, whatever became of the writing.
    let started = teller.tell("B starts again", || two.b.start());
    let ((written, writing), _) = (written?, started?);
    let begun = Instant::now();
    teller.tell("all 1,000 arrive at B", || {
        let written: BTreeSet<_> = written.iter().copied().collect();
        wait::until_seen("everything at B", wait::LONG, || {
            let mut held = records_of(&two.b, circle)?;
            held.append(&mut records_of(&two.b, notebook)?);
            let missing = written
                .iter()
                .filter(|record| !held.contains_key(record))
                .count();
            Ok(((missing == 0).then_some(()), format!("{missing} missing")))
        })
        .map(drop)
    })?;
    let caught_up = begun.elapsed();
    teller.tell_with(
        "the views are equal: the same digests in both circles",
        || {
            let records = same_digests(&two.a, &two.b, circle)?;
            let more = same_digests(&two.a, &two.b, notebook)?;
            if records + more < RECORDS {
                return Err(Trouble::wrong(format!(
                    "over {} records only",
                    records + more
                )));
            }
            Ok(((), format!("over {} records", records + more)))
        },
    )?;
    teller.figure(
        "1,000 records by 16 writers",
        format!("{}, then {} to reach B", shown(writing), shown(caught_up)),
    );
    Ok(())
}
