//! The end of a file's time at this node: when it comes, and what is let go of then.

use std::collections::BTreeSet;

use maillon_protocol::{
    admin::FinishedLine,
    cbor,
    circle::Circle,
    ids::CircleId,
    replica::{Finished, Location, Replica, Row, Rows},
};

use super::{Actor, Care, CareError, Category, audit, import};
use crate::{
    audit::About,
    store::{Range, Table},
};

/// Milliseconds of a year of 365.25 days.
pub const YEAR_MS: u64 = 31_557_600_000;

impl Care {
    /// When a circle ended for this node, Unix milliseconds; none while it goes on.
    ///
    /// # Errors
    /// [`CareError`].
    pub async fn ended_ms(&self, circle: CircleId) -> Result<Option<u64>, CareError> {
        let job = self.ledger.run(move |tx| {
            let held = tx.replica.circle(&circle).ok_or(CareError::NoCircle)?;
            Ok::<_, CareError>(tx.replica.ended_ms(tx.rows, held)?)
        });
        Ok(job.await?)
    }

    /// Lets go of a circle that has ended, for good. What is left of it is swept away by and by.
    ///
    /// # Errors
    /// [`CareError::Finish`].
    pub async fn finish(&self, actor: &Actor, circle: CircleId) -> Result<Finished, CareError> {
        self.may_write_in(actor, &circle, &[Category::Administration])?;
        let imported = self.imported(&circle)?;
        let actor = actor.clone();
        let job = self.ledger.run(move |tx| {
            let now = tx.now_ms;
            let finished = tx.replica.finish(tx.rows, &circle, now)?;
            for key in imported {
                tx.delete(Table::Originals, key);
            }
            super::origin::empty(tx, circle, None)?;
            audit::note(tx, &actor, "circle.finish", About::circle(circle))?;
            Ok::<_, CareError>(finished)
        });
        Ok(job.await?)
    }

    /// What imports remember of a circle: the names that sources give its person, and which thing came from where.
    fn imported(&self, circle: &CircleId) -> Result<Vec<Vec<u8>>, CareError> {
        let rows = self.shared().rows();
        let mut keys = Vec::new();
        for letter in import::REMEMBERED {
            for row in rows.0.scan(Table::Originals, &[letter], Range::all())? {
                let (key, value) = row?;
                let of_it = match import::about(letter, &value) {
                    Some(import::Remembered::Circle(found)) => found == *circle,
                    Some(import::Remembered::Record(record)) => {
                        let place = rows.get(&Row::Place(record))?;
                        place.is_some_and(|bytes| {
                            cbor::decode::<Location>(&bytes).is_ok_and(|at| at.circle == *circle)
                        })
                    }
                    // What cannot be read is what `doctor` is for.
                    None => false,
                };
                if of_it {
                    keys.push(key.to_vec());
                }
            }
        }
        Ok(keys)
    }

    /// The circles whose time is over here, newest first.
    ///
    /// # Errors
    /// [`CareError`].
    pub fn finished(&self) -> Result<Vec<FinishedLine>, CareError> {
        let rows = self.shared().rows();
        let left: BTreeSet<CircleId> = Replica::finishing(rows)?.into_iter().collect();
        let names = self.names();
        let mut lines: Vec<_> = Replica::finished(rows)?
            .into_iter()
            .map(|one| FinishedLine {
                circle: one.circle,
                entry: one.entry,
                records: one.heights.iter().map(|height| height.height).sum(),
                structures: one.nodes.iter().map(|node| names.of(node)).collect(),
                ended_ms: one.ended_ms,
                finished_ms: one.finished_ms,
                swept: !left.contains(&one.circle),
            })
            .collect();
        lines.sort_by_key(|line| std::cmp::Reverse((line.finished_ms, line.circle)));
        Ok(lines)
    }

    /// The circles that ended at least so many milliseconds ago.
    ///
    /// # Errors
    /// [`CareError`].
    pub async fn over(&self, kept_ms: u64, now_ms: u64) -> Result<Vec<CircleId>, CareError> {
        let may_be_over = |circle: &Circle| {
            let charter = &circle.charter;
            charter.state().closed
                || circle.continued.is_some()
                || !charter.is_member(&self.shared().own())
        };
        let mut over = Vec::new();
        for circle in self.shared().circles() {
            if may_be_over(&circle)
                && let Some(ended) = self.ended_ms(circle.id()).await?
                && ended.saturating_add(kept_ms) <= now_ms
            {
                over.push(circle.id());
            }
        }
        Ok(over)
    }

    /// Takes away a part of what is left of a finished circle; whether there is more.
    ///
    /// # Errors
    /// [`CareError`].
    pub async fn sweep(&self, circle: CircleId) -> Result<bool, CareError> {
        let job = self
            .ledger
            .run(move |tx| tx.replica.sweep(tx.rows, &circle).map_err(CareError::from));
        Ok(job.await?)
    }
}
