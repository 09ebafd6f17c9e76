//! The writer's thread.

use std::{
    collections::VecDeque,
    sync::{Arc, mpsc},
};

use maillon_protocol::replica::{Published, Replica};
use tokio::sync::oneshot;

use super::{
    Shared, StoreRows, Tx,
    job::{Answer, Job, OwnRows},
    rows::place,
};
use crate::{clock::now_ms, random::SystemRandom, store::StoreError};

/// Jobs in one commit.
const BATCH: usize = 1024;
/// Staged bytes after which a commit is made without waiting for more jobs.
const BATCH_BYTES: usize = 8 << 20;

pub(super) enum Work {
    Job(Job),
    Stop(oneshot::Sender<()>),
}

pub(super) struct Writer {
    replica: Replica,
    rows: StoreRows,
    shared: Arc<Shared>,
    own: OwnRows,
}

impl Writer {
    pub(super) fn new(replica: Replica, rows: StoreRows, shared: Arc<Shared>) -> Self {
        Self {
            replica,
            rows,
            shared,
            own: OwnRows::default(),
        }
    }

    /// Runs what waits, commits, answers; until it is told to stop or nobody can tell it anything any more.
    pub(super) fn run(mut self, queue: &mpsc::Receiver<Work>) {
        if let Err(error) = self.commit() {
            tracing::error!(%error, "the first commit failed");
        }
        let mut waiting = VecDeque::new();
        loop {
            // A commit takes what waits when it begins, and no more. While it is written, those who were answered before bring their
            // next jobs: taking these too would let all writers wait for one another, at each commit.
            if waiting.is_empty() {
                let Ok(work) = queue.recv() else {
                    return;
                };
                waiting.push_back(work);
            }
            waiting.extend(queue.try_iter().take(BATCH.saturating_sub(waiting.len())));
            if let Some(done) = self.batch(&mut waiting) {
                let _ = done.send(());
                return;
            }
        }
    }

    /// One commit, of jobs from the front; who is to be told that the writer has stopped, if it was asked to.
    fn batch(&mut self, waiting: &mut VecDeque<Work>) -> Option<oneshot::Sender<()>> {
        let mut answers = Vec::with_capacity(waiting.len());
        let mut stop = None;
        while self.replica.staged_bytes() + self.own.bytes() < BATCH_BYTES
            && let Some(work) = waiting.pop_front()
        {
            match work {
                Work::Job(job) => answers.push(self.job(job)),
                Work::Stop(done) => {
                    stop = Some(done);
                    break;
                }
            }
        }
        let committed = self.commit().map_err(Arc::new);
        if let Err(error) = &committed {
            tracing::error!(%error, jobs = answers.len(), "a commit failed; nothing of it is kept");
        }
        for answer in answers {
            answer(committed.clone());
        }
        stop
    }

    fn job(&mut self, job: Job) -> Answer {
        let before = self.replica.savepoint();
        let mut tx = Tx {
            replica: &mut self.replica,
            rows: &self.rows,
            now_ms: now_ms(),
            rng: SystemRandom,
            own: &mut self.own,
        };
        let (good, answer) = job(&mut tx);
        if good {
            self.replica.keep(before);
            self.own.keep();
        } else {
            self.replica.back_to(before);
            self.own.take_back();
        }
        answer
    }

    fn commit(&mut self) -> Result<(), StoreError> {
        if self.replica.staged().is_empty() && self.own.is_empty() {
            // A job may have told others something without writing.
            let published = self.replica.committed();
            self.publish(published);
            return Ok(());
        }
        match self.write() {
            Ok(()) => {
                self.own.clear();
                let published = self.replica.committed();
                self.publish(published);
                Ok(())
            }
            Err(error) => {
                self.own.clear();
                self.replica.rolled_back();
                Err(error)
            }
        }
    }

    fn publish(&self, published: Published) {
        let incarnation = self.replica.own_log().incarnation;
        self.shared
            .publish(published, incarnation, self.replica.descriptor(), now_ms());
    }

    fn write(&self) -> Result<(), StoreError> {
        let store = &self.rows.0;
        let mut batch = store.batch();
        for (row, value) in self.replica.staged() {
            let (table, key) = place(store, row);
            match value {
                Some(value) => batch.put(table, &key, value)?,
                None => batch.delete(table, &key)?,
            }
        }
        for (table, key, value) in self.own.iter() {
            match value {
                Some(value) => batch.put(table, key, value)?,
                None => batch.delete(table, key)?,
            }
        }
        store.commit(batch)
    }
}
