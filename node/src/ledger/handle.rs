//! The way to the writer.

use std::{
    collections::HashMap,
    sync::{Arc, Mutex, PoisonError},
    thread::{self, JoinHandle},
};

use crossbeam_channel::{Sender, TrySendError, bounded};
use maillon_protocol::{
    descriptor::Descriptor,
    replica::{Keys, Replica, StorageError},
    sign::Verified,
};
use tokio::sync::oneshot;

use super::{
    LedgerError, Shared, StoreRows, Tx,
    job::{Answer, Job},
    writer::{Queues, Work, Writer},
};
use crate::{random::SystemRandom, store::Store};

/// Jobs that wait for the writer; whoever brings one more waits.
const QUEUE: usize = 4096;

/// The way to the writer. Cheap to clone; the writer ends with the last clone, or with [`Ledger::stop`].
#[derive(Clone)]
pub struct Ledger {
    thread: Arc<WriterThread>,
    shared: Arc<Shared>,
}

struct WriterThread {
    /// There until this is dropped.
    ways: Option<Ways>,
    handle: Mutex<Option<JoinHandle<()>>>,
}

/// The ways to the writer's queues.
struct Ways {
    urgent: Sender<Work>,
    others: Sender<Work>,
}

impl WriterThread {
    fn handle(&self) -> Option<JoinHandle<()>> {
        self.handle
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .take()
    }
}

impl Drop for WriterThread {
    /// Waits for the writer: it holds the database until its very end, and a process that exits before would take the database away under
    /// its hands.
    fn drop(&mut self) {
        drop(self.ways.take());
        if let Some(writer) = self.handle()
            && writer.thread().id() != thread::current().id()
        {
            // A writer that panicked has said so.
            let _ = writer.join();
        }
    }
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
        let (urgent, urgent_queue) = bounded(QUEUE);
        let (others, other_queue) = bounded(QUEUE);
        let queues = Queues {
            urgent: urgent_queue,
            others: other_queue,
        };
        let writer = Writer::new(replica, rows, Arc::clone(&shared));
        let writer = thread::Builder::new()
            .name("ledger".to_owned())
            .spawn(move || writer.run(&queues))
            .map_err(StorageError::new)?;
        Ok(Self {
            thread: Arc::new(WriterThread {
                ways: Some(Ways { urgent, others }),
                handle: Mutex::new(Some(writer)),
            }),
            shared,
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

    /// As [`submit`](Self::submit), before all jobs that wait there: for alerts, which are few, and for nothing else.
    ///
    /// # Errors
    /// [`LedgerError`].
    pub fn submit_first<T, E, F>(
        &self,
        job: F,
    ) -> impl Future<Output = Result<T, LedgerError<E>>> + Send + use<T, E, F>
    where
        T: Send + 'static,
        E: Send + 'static,
        F: FnOnce(&mut Tx<'_>) -> Result<T, E> + Send + 'static,
    {
        self.queue(|ways| &ways.urgent, job)
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
        self.queue(|ways| &ways.others, job)
    }

    fn queue<T, E, F>(
        &self,
        way: fn(&Ways) -> &Sender<Work>,
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
        let sent = self.send(way, Work::Job(job));
        async move {
            sent.await.map_err(|Stopped| LedgerError::Stopped)?;
            receiver.await.map_err(|_| LedgerError::Stopped)?
        }
    }

    /// Sends now where there is room; else the future waits for room, on a thread that may block.
    fn send(
        &self,
        way: fn(&Ways) -> &Sender<Work>,
        work: Work,
    ) -> impl Future<Output = Result<(), Stopped>> + Send + use<> {
        let sent = match self.thread.ways.as_ref().map(way) {
            Some(queue) => match queue.try_send(work) {
                Ok(()) => Ok(None),
                Err(TrySendError::Disconnected(_)) => Err(Stopped),
                Err(TrySendError::Full(work)) => Ok(Some((queue.clone(), work))),
            },
            None => Err(Stopped),
        };
        async move {
            let Some((queue, work)) = sent? else {
                return Ok(());
            };
            match tokio::task::spawn_blocking(move || queue.send(work)).await {
                Ok(Ok(())) => Ok(()),
                _ => Err(Stopped),
            }
        }
    }

    /// Commits what waits and ends the writer.
    pub async fn stop(&self) {
        let (sender, receiver) = oneshot::channel();
        if self
            .send(|ways| &ways.others, Work::Stop(sender))
            .await
            .is_ok()
        {
            let _ = receiver.await;
        }
        if let Some(writer) = self.thread.handle() {
            let _ = tokio::task::spawn_blocking(move || writer.join()).await;
        }
    }
}

/// The writer has ended.
struct Stopped;
