//! Commits: rows to the disk, then the news, then the answers.

use std::{collections::BTreeSet, sync::Arc};

use crossbeam_channel::{Receiver, Sender};
use maillon_protocol::{
    ids::CircleId,
    replica::{Changes, Flight, Layer, Published, Row},
};

use super::{
    Shared, StoreRows,
    herald::{Herald, Word},
    job::{Answer, OwnChanges},
    rows::place,
};
use crate::{clock::now_ms, store::StoreError};

/// Bytes of sorties that are one commit: far below what a batch of the store takes, so that those which fit into it alone do so together.
const TOGETHER: usize = 16 << 20;

/// What the writer hands over at once, and who waits for it.
pub(super) struct Sortie {
    pub(super) flight: Flight,
    pub(super) own: Arc<OwnChanges>,
    pub(super) answers: Vec<Answer>,
    /// About how many bytes its rows have.
    pub(super) bytes: usize,
    /// Failed commits that the writer had heard of: this was staged above what they left.
    pub(super) failures: u64,
}

/// Whether a sortie's rows are durable.
pub(super) type Landing = Result<(), Arc<StoreError>>;

/// Makes commits, one at a time and each published before the next: nobody is ever shown an older state after a newer one.
pub(super) struct Committer {
    rows: StoreRows,
    shared: Arc<Shared>,
    herald: Herald,
}

impl Committer {
    pub(super) fn new(rows: StoreRows, shared: Arc<Shared>) -> Self {
        let herald = Herald::start(Arc::clone(shared.audience()));
        Self {
            rows,
            shared,
            herald,
        }
    }

    /// Tells whoever waits, and whoever listens.
    pub(super) fn tell(&self, word: Word) {
        self.herald.tell(word);
    }

    /// Takes sorties from the writer until it has gone; those that have come meanwhile are one commit. Says of each whether it landed as soon as it
    /// is published, so that the writer may commit itself while its jobs are answered.
    pub(super) fn run(&self, work: &Receiver<Sortie>, landings: &Sender<Landing>) {
        let mut failures = 0;
        let mut failed: Landing = Ok(());
        let mut left = None;
        while let Some(first) = left.take().or_else(|| work.recv().ok()) {
            let mut bytes = first.bytes;
            let mut sorties = vec![first];
            while let Ok(sortie) = work.try_recv() {
                bytes += sortie.bytes;
                if bytes > TOGETHER {
                    left = Some(sortie);
                    break;
                }
                sorties.push(sortie);
            }
            let (ready, stale): (Vec<_>, Vec<_>) = sorties
                .into_iter()
                .partition(|sortie| sortie.failures == failures);
            // Staged above what is gone, before the writer knew.
            for sortie in stale {
                let _ = landings.send(failed.clone());
                answer(sortie.answers, &failed);
            }
            if ready.is_empty() {
                continue;
            }
            let landed = ready.len();
            let word = self.land(ready);
            if word.landing.is_err() {
                failures += 1;
                failed = word.landing.clone();
            }
            for _ in 0..landed {
                // The writer waits for each landing before it goes.
                let _ = landings.send(word.landing.clone());
            }
            self.tell(word);
        }
    }

    /// Writes the rows of sorties that took off one above the other, with one sync, and publishes them; what is to be told.
    pub(super) fn land(&self, sorties: Vec<Sortie>) -> Word {
        let commit = self.shared.begin();
        let landing = self.write(&sorties).map_err(Arc::new);
        let mut word = Word {
            news: Vec::new(),
            notices: Vec::new(),
            at_ms: now_ms(),
            commit,
            answers: Vec::new(),
            landing,
        };
        for Sortie {
            flight, answers, ..
        } in sorties
        {
            if word.landing.is_ok() {
                let written = written(&flight.rows);
                let Published {
                    news,
                    notices,
                    circles,
                    counter,
                } = flight.published;
                self.shared.publish(
                    (commit, written),
                    circles,
                    counter,
                    flight.incarnation,
                    &flight.descriptor,
                );
                word.news.extend(news);
                word.notices.extend(notices);
            }
            word.answers.extend(answers);
        }
        if let Err(error) = &word.landing {
            let jobs = word.answers.len();
            tracing::error!(%error, jobs, "a commit failed; nothing of it is kept");
        }
        word
    }

    fn write(&self, sorties: &[Sortie]) -> Result<(), StoreError> {
        let store = &self.rows.0;
        let mut batch = store.batch();
        for (row, value) in last(sorties, |sortie| &sortie.flight.rows) {
            let (table, key) = place(store, row);
            match value {
                Some(value) => batch.put(table, &key, value)?,
                None => batch.delete(table, &key)?,
            }
        }
        for ((table, key), value) in last(sorties, |sortie| &sortie.own) {
            match value {
                Some(value) => batch.put(*table, key, value)?,
                None => batch.delete(*table, key)?,
            }
        }
        // An empty batch costs nothing: a job may have told others something without writing.
        store.commit(batch)
    }
}

/// The circles of whose records, or of what is made of them, something is written.
fn written(rows: &Changes) -> BTreeSet<CircleId> {
    let circles = rows.keys().filter_map(|row| match row {
        Row::Charter(circle)
        | Row::Circle(circle)
        | Row::Record(circle, ..)
        | Row::Thing(circle, _)
        | Row::Aside(circle, _)
        | Row::Erased(circle, _) => Some(*circle),
        _ => None,
    });
    circles.collect()
}

/// What becomes of each row: what the last sortie that names it says.
fn last<'a, K: Ord + 'a>(
    sorties: &'a [Sortie],
    layer: impl Fn(&'a Sortie) -> &'a Layer<K> + Copy + 'a,
) -> impl Iterator<Item = (&'a K, &'a Option<Vec<u8>>)> {
    sorties
        .iter()
        .enumerate()
        .flat_map(move |(number, sortie)| {
            let above = &sorties[number + 1..];
            layer(sortie)
                .iter()
                .filter(move |(row, _)| !above.iter().any(|later| layer(later).contains_key(*row)))
        })
}

/// Tells whoever waits for these jobs.
pub(super) fn answer(answers: Vec<Answer>, landing: &Landing) {
    for answer in answers {
        answer(landing.clone());
    }
}
