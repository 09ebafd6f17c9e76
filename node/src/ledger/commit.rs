//! One commit: rows to the disk, then the news, then the answers.

use std::sync::{Arc, mpsc};

use maillon_protocol::replica::Flight;

use super::{
    Shared, StoreRows,
    job::{Answer, OwnChanges},
    rows::place,
};
use crate::{clock::now_ms, store::StoreError};

/// What one commit makes durable, and who waits for it.
pub(super) struct Sortie {
    pub(super) flight: Flight,
    pub(super) own: Arc<OwnChanges>,
    pub(super) answers: Vec<Answer>,
}

/// Whether a commit's rows are durable.
pub(super) type Landing = Result<(), Arc<StoreError>>;

/// Makes commits, one at a time and each published before the next: nobody is ever shown an older state after a newer one.
pub(super) struct Committer {
    rows: StoreRows,
    shared: Arc<Shared>,
}

impl Committer {
    pub(super) const fn new(rows: StoreRows, shared: Arc<Shared>) -> Self {
        Self { rows, shared }
    }

    /// Takes commits from the writer until it has gone; says of each whether it landed as soon as it is published, so that the next one can be
    /// made, here or by the writer itself, while this one's jobs are answered.
    pub(super) fn run(&self, work: &mpsc::Receiver<Sortie>, landings: &mpsc::SyncSender<Landing>) {
        while let Ok(sortie) = work.recv() {
            let (landing, answers) = self.land(sortie);
            // The writer waits for each landing before it goes.
            let _ = landings.send(landing.clone());
            answer(answers, &landing);
        }
    }

    /// Writes the rows, with one sync, and publishes them; who is to be answered.
    pub(super) fn land(&self, sortie: Sortie) -> (Landing, Vec<Answer>) {
        let landing = self.write(&sortie).map_err(Arc::new);
        let Sortie {
            flight, answers, ..
        } = sortie;
        match &landing {
            Ok(()) => self.shared.publish(
                flight.published,
                flight.incarnation,
                &flight.descriptor,
                now_ms(),
            ),
            Err(error) => {
                let jobs = answers.len();
                tracing::error!(%error, jobs, "a commit failed; nothing of it is kept");
            }
        }
        (landing, answers)
    }

    fn write(&self, sortie: &Sortie) -> Result<(), StoreError> {
        let store = &self.rows.0;
        let mut batch = store.batch();
        for (row, value) in &*sortie.flight.rows {
            let (table, key) = place(store, row);
            match value {
                Some(value) => batch.put(table, &key, value)?,
                None => batch.delete(table, &key)?,
            }
        }
        for ((table, key), value) in &*sortie.own {
            match value {
                Some(value) => batch.put(*table, key, value)?,
                None => batch.delete(*table, key)?,
            }
        }
        // An empty batch costs nothing: a job may have told others something without writing.
        store.commit(batch)
    }
}

/// Tells whoever waits for these jobs.
pub(super) fn answer(answers: Vec<Answer>, landing: &Landing) {
    for answer in answers {
        answer(landing.clone());
    }
}
