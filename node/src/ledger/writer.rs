//! The writer's thread.

use std::{
    collections::{BTreeMap, HashMap},
    sync::{Arc, Mutex, PoisonError, mpsc},
    thread::{self, JoinHandle},
};

use maillon_protocol::{
    descriptor::Descriptor,
    replica::{Keys, Replica, Savepoint, StorageError},
    sign::Verified,
};
use tokio::sync::oneshot;

use super::{Shared, StoreRows, rows::place};
use crate::{
    clock::now_ms,
    random::SystemRandom,
    store::{Store, StoreError, Table},
};

/// Jobs that wait for the writer; whoever brings one more waits.
const QUEUE: usize = 4096;
/// Jobs in one commit.
const BATCH: usize = 1024;
/// Staged bytes after which a commit is made without waiting for more jobs.
const BATCH_BYTES: usize = 8 << 20;

/// Why a job was not done.
#[derive(Debug, thiserror::Error)]
pub enum LedgerError<E> {
    /// The job itself.
    #[error(transparent)]
    Job(E),
    /// The commit. Nothing of the batch is kept.
    #[error("nothing was kept: {0}")]
    Commit(Arc<StoreError>),
    /// The node is stopping.
    #[error("the node is stopping: try again when it has started")]
    Stopped,
}

/// What a job works on.
pub struct Tx<'a> {
    /// The rules.
    pub replica: &'a mut Replica,
    /// Committed rows of the replica.
    pub rows: &'a StoreRows,
    /// Now, Unix milliseconds: the same for all of a job.
    pub now_ms: u64,
    /// Randomness.
    pub rng: SystemRandom,
    extra: &'a mut BTreeMap<(Table, Vec<u8>), Option<Vec<u8>>>,
}

impl Tx<'_> {
    /// A row of the node's own, staged or committed.
    ///
    /// # Errors
    /// [`StoreError`].
    pub fn get(&self, table: Table, key: &[u8]) -> Result<Option<Vec<u8>>, StoreError> {
        match self.extra.get(&(table, key.to_vec())) {
            Some(staged) => Ok(staged.clone()),
            None => self.rows.0.get(table, key),
        }
    }

    /// Stages a row of the node's own, beside those of the replica.
    pub fn put(&mut self, table: Table, key: Vec<u8>, value: Vec<u8>) {
        self.extra.insert((table, key), Some(value));
    }

    /// Stages the end of such a row.
    pub fn delete(&mut self, table: Table, key: Vec<u8>) {
        self.extra.insert((table, key), None);
    }
}

type Answer = Box<dyn FnOnce(Result<(), Arc<StoreError>>) + Send>;
type Job = Box<dyn FnOnce(&mut Tx<'_>) -> (bool, Answer) + Send>;

enum Work {
    Job(Job),
    Stop(oneshot::Sender<()>),
}

/// The way to the writer. Cheap to clone.
#[derive(Clone)]
pub struct Ledger {
    work: mpsc::SyncSender<Work>,
    shared: Arc<Shared>,
    writer: Arc<Mutex<Option<JoinHandle<()>>>>,
}

impl Ledger {
    /// Loads what is committed and starts the writer.
    ///
    /// # Errors
    /// [`StorageError`] where rows cannot be read.
    pub fn start(
        store: Store,
        keys: Keys,
        descriptor: Verified<Descriptor>,
    ) -> Result<Self, StorageError> {
        let rows = StoreRows(store);
        let key = keys.node.clone();
        let replica = Replica::load(&rows, keys, descriptor.clone(), &mut SystemRandom)?;
        let circles: HashMap<_, _> = replica
            .circles()
            .map(|circle| (circle.id(), Arc::clone(circle)))
            .collect();
        let counter = circles
            .values()
            .map(|circle| circle.changed)
            .max()
            .unwrap_or(0);
        let shared = Arc::new(Shared::new(
            rows.clone(),
            key,
            circles,
            counter,
            replica.own_log().incarnation,
            descriptor,
        ));
        let (work, queue) = mpsc::sync_channel(QUEUE);
        let writer = Writer {
            replica,
            rows,
            shared: Arc::clone(&shared),
            extra: BTreeMap::new(),
        };
        let writer = thread::Builder::new()
            .name("ledger".to_owned())
            .spawn(move || writer.run(&queue))
            .map_err(StorageError::new)?;
        Ok(Self {
            work,
            shared,
            writer: Arc::new(Mutex::new(Some(writer))),
        })
    }

    /// The state as of the last commit.
    pub const fn shared(&self) -> &Arc<Shared> {
        &self.shared
    }

    /// Runs a job; the answer comes when what it staged is durable.
    ///
    /// # Errors
    /// [`LedgerError`].
    pub async fn run<T, E>(
        &self,
        job: impl FnOnce(&mut Tx<'_>) -> Result<T, E> + Send + 'static,
    ) -> Result<T, LedgerError<E>>
    where
        T: Send + 'static,
        E: Send + 'static,
    {
        self.submit(job).await
    }

    /// Queues a job now, before the future is awaited: jobs submitted one after another run in that order as long as the queue has room.
    ///
    /// # Errors
    /// [`LedgerError`].
    pub fn submit<T, E, F>(
        &self,
        job: F,
    ) -> impl Future<Output = Result<T, LedgerError<E>>> + Send + use<T, E, F>
    where
        T: Send + 'static,
        E: Send + 'static,
        F: FnOnce(&mut Tx<'_>) -> Result<T, E> + Send + 'static,
    {
        let (sender, receiver) = oneshot::channel();
        let job: Job = Box::new(move |tx| {
            let result = job(tx);
            let good = result.is_ok();
            let answer: Answer = Box::new(move |committed| {
                let answer = match (result, committed) {
                    (Err(error), _) => Err(LedgerError::Job(error)),
                    (Ok(_), Err(error)) => Err(LedgerError::Commit(error)),
                    (Ok(value), Ok(())) => Ok(value),
                };
                // Whoever asked may have gone; what was committed stays committed.
                let _ = sender.send(answer);
            });
            (good, answer)
        });
        let full = match self.work.try_send(Work::Job(job)) {
            Ok(()) | Err(mpsc::TrySendError::Disconnected(_)) => None,
            Err(mpsc::TrySendError::Full(work)) => Some((self.work.clone(), work)),
        };
        async move {
            if let Some((queue, work)) = full {
                // The queue is full: wait on a thread that may block.
                let sent = tokio::task::spawn_blocking(move || queue.send(work)).await;
                if !matches!(sent, Ok(Ok(()))) {
                    return Err(LedgerError::Stopped);
                }
            }
            receiver.await.map_err(|_| LedgerError::Stopped)?
        }
    }

    async fn push(&self, work: Work) -> Result<(), ()> {
        match self.work.try_send(work) {
            Ok(()) => Ok(()),
            Err(mpsc::TrySendError::Disconnected(_)) => Err(()),
            Err(mpsc::TrySendError::Full(work)) => {
                let queue = self.work.clone();
                tokio::task::spawn_blocking(move || queue.send(work))
                    .await
                    .map_err(|_| ())?
                    .map_err(|_| ())
            }
        }
    }

    /// Commits what waits and ends the writer.
    pub async fn stop(&self) {
        let (sender, receiver) = oneshot::channel();
        if self.push(Work::Stop(sender)).await.is_ok() {
            let _ = receiver.await;
        }
        // The thread holds the database until its very end: a process that exits before would take it away under its hands.
        let writer = self
            .writer
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .take();
        if let Some(writer) = writer {
            let _ = tokio::task::spawn_blocking(move || writer.join()).await;
        }
    }
}

struct Writer {
    replica: Replica,
    rows: StoreRows,
    shared: Arc<Shared>,
    extra: BTreeMap<(Table, Vec<u8>), Option<Vec<u8>>>,
}

impl Writer {
    fn run(mut self, queue: &mpsc::Receiver<Work>) {
        if let Err(error) = self.commit() {
            tracing::error!(%error, "the first commit failed");
        }
        while let Ok(work) = queue.recv() {
            let mut answers = Vec::new();
            let mut stop = None;
            let mut next = Some(work);
            while let Some(work) = next.take() {
                match work {
                    Work::Job(job) => answers.push(self.job(job)),
                    Work::Stop(done) => {
                        stop = Some(done);
                        break;
                    }
                }
                if answers.len() < BATCH && self.replica.staged_bytes() < BATCH_BYTES {
                    next = queue.try_recv().ok();
                }
            }
            let committed = self.commit().map_err(Arc::new);
            if let Err(error) = &committed {
                tracing::error!(%error, jobs = answers.len(), "a commit failed; nothing of it is kept");
            }
            for answer in answers {
                answer(committed.clone());
            }
            if let Some(done) = stop {
                let _ = done.send(());
                return;
            }
        }
    }

    fn job(&mut self, job: Job) -> Answer {
        let before: Savepoint = self.replica.savepoint();
        let own = self.extra.clone();
        let mut tx = Tx {
            replica: &mut self.replica,
            rows: &self.rows,
            now_ms: now_ms(),
            rng: SystemRandom,
            extra: &mut self.extra,
        };
        let (good, answer) = job(&mut tx);
        if good {
            self.replica.keep(before);
        } else {
            self.replica.back_to(before);
            self.extra = own;
        }
        answer
    }

    fn commit(&mut self) -> Result<(), StoreError> {
        if self.replica.staged().is_empty() && self.extra.is_empty() {
            // A job may have told others something without writing.
            let published = self.replica.committed();
            self.publish(published);
            return Ok(());
        }
        match self.write() {
            Ok(()) => {
                self.extra.clear();
                let published = self.replica.committed();
                self.publish(published);
                Ok(())
            }
            Err(error) => {
                self.extra.clear();
                self.replica.rolled_back();
                Err(error)
            }
        }
    }

    fn publish(&self, published: maillon_protocol::replica::Published) {
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
        for ((table, key), value) in &self.extra {
            match value {
                Some(value) => batch.put(*table, key, value)?,
                None => batch.delete(*table, key)?,
            }
        }
        store.commit(batch)
    }
}
