//! The writer's thread: runs jobs, and hands what they stage to the thread that commits.
//!
//! While one commit is being written, the jobs of the next one run, above the rows of the first (*in flight*): two processors work, and a
//! commit costs its jobs' time or the disk's, whichever is longer, and not both. A commit that fails takes the jobs above it with it.
//!
//! Where jobs come one by one, each is committed on this thread: an alert is not slower for a second thread that it does not need.

use std::{
    collections::VecDeque,
    sync::{Arc, mpsc},
    thread,
};

use maillon_protocol::replica::Replica;
use tokio::sync::oneshot;

use super::{
    Shared, StoreRows, Tx,
    commit::{Committer, Landing, Sortie, answer},
    job::{Answer, Job, OwnRows},
};
use crate::{clock::now_ms, random::SystemRandom};

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
    own: OwnRows,
    committer: Arc<Committer>,
    /// Of the jobs that are staged.
    answers: Vec<Answer>,
    /// Jobs in the last commit.
    last: usize,
    stop: Option<oneshot::Sender<()>>,
    /// The thread that commits has broken off.
    broken: bool,
}

/// The way to the thread that commits.
struct Runway {
    sorties: mpsc::SyncSender<Sortie>,
    landings: mpsc::Receiver<Landing>,
    /// One is in flight.
    busy: bool,
}

impl Writer {
    pub(super) fn new(replica: Replica, rows: StoreRows, shared: Arc<Shared>) -> Self {
        Self {
            replica,
            committer: Arc::new(Committer::new(rows.clone(), shared)),
            rows,
            own: OwnRows::default(),
            answers: Vec::new(),
            last: 0,
            stop: None,
            broken: false,
        }
    }

    /// Runs what waits and has it committed, until it is told to stop or nobody can tell it anything any more. Returns when the last commit is
    /// answered.
    pub(super) fn run(mut self, queue: &mpsc::Receiver<Work>) {
        let (sorties, incoming) = mpsc::sync_channel(1);
        let (outgoing, landings) = mpsc::sync_channel(1);
        let committer = Arc::clone(&self.committer);
        let started = thread::Builder::new()
            .name("commit".to_owned())
            .spawn(move || committer.run(&incoming, &outgoing));
        let committing = match started {
            Ok(thread) => thread,
            // Whoever asks is told that the node is stopping: nothing was promised yet.
            Err(error) => return tracing::error!(%error, "no thread to commit with"),
        };
        let mut runway = Runway {
            sorties,
            landings,
            busy: false,
        };
        // What loading has staged: an incarnation, the descriptor.
        self.commit_here();
        self.work(queue, &mut runway);
        drop(runway);
        if committing.join().is_err() {
            tracing::error!("the thread that commits broke off");
        }
        if let Some(done) = self.stop.take() {
            let _ = done.send(());
        }
    }

    fn work(&mut self, queue: &mpsc::Receiver<Work>, runway: &mut Runway) {
        let mut waiting = VecDeque::new();
        while self.goes_on() {
            if waiting.is_empty() {
                let Ok(work) = queue.recv() else {
                    break;
                };
                waiting.push_back(work);
            }
            waiting.extend(queue.try_iter().take(BATCH.saturating_sub(waiting.len())));
            while self.has_room()
                && let Some(work) = waiting.pop_front()
            {
                // Whoever has been told that a commit failed, and asks again, does not fail with it: its landing is there by now.
                self.is_free(runway);
                self.take(work);
                // Half of what waits is one commit, so that the other half runs while it is written; and so does whatever comes meanwhile.
                // Waiting for all would let the writers wait for one another, and each of the two threads for the other.
                if self.is_free(runway) && self.answers.len() >= waiting.len() {
                    break;
                }
                if waiting.is_empty() {
                    waiting.extend(queue.try_iter().take(BATCH));
                }
            }
            let one_by_one = self.last <= 1 && self.answers.len() <= 1 && waiting.is_empty();
            self.last = self.answers.len();
            if one_by_one && self.is_free(runway) {
                self.commit_here();
            } else {
                self.commit_there(runway);
            }
        }
        self.wait_for_landing(runway);
    }

    fn goes_on(&self) -> bool {
        self.stop.is_none() && !self.broken
    }

    fn has_room(&self) -> bool {
        self.goes_on()
            && self.answers.len() < BATCH
            && self.replica.staged_bytes() + self.own.bytes() < BATCH_BYTES
    }

    fn take(&mut self, work: Work) {
        match work {
            Work::Job(job) => {
                let answer = self.job(job);
                self.answers.push(answer);
            }
            Work::Stop(done) => self.stop = Some(done),
        }
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

    fn sortie(&mut self) -> Sortie {
        Sortie {
            flight: self.replica.take_off(),
            own: self.own.take_off(),
            answers: std::mem::take(&mut self.answers),
        }
    }

    /// Commits what is staged, on this thread.
    fn commit_here(&mut self) {
        let sortie = self.sortie();
        let (landing, answers) = self.committer.land(sortie);
        self.after(&landing);
        answer(answers, &landing);
    }

    /// Hands what is staged to the other thread, once the commit before has landed.
    fn commit_there(&mut self, runway: &mut Runway) {
        self.wait_for_landing(runway);
        let sortie = self.sortie();
        match runway.sorties.send(sortie) {
            Ok(()) => runway.busy = true,
            // It panicked, and has said so. Whoever waits is told that the node is stopping.
            Err(mpsc::SendError(_)) => self.broken = true,
        }
    }

    /// Whether no commit is under way, or the last one has landed by now.
    fn is_free(&mut self, runway: &mut Runway) -> bool {
        if runway.busy {
            match runway.landings.try_recv() {
                Ok(landing) => self.after(&landing),
                Err(mpsc::TryRecvError::Empty) => return false,
                Err(mpsc::TryRecvError::Disconnected) => self.broken = true,
            }
            runway.busy = false;
        }
        true
    }

    fn wait_for_landing(&mut self, runway: &mut Runway) {
        if !std::mem::take(&mut runway.busy) {
            return;
        }
        match runway.landings.recv() {
            Ok(landing) => self.after(&landing),
            Err(mpsc::RecvError) => self.broken = true,
        }
    }

    /// What was in flight is durable, or it is gone, with all that was staged above it.
    fn after(&mut self, landing: &Landing) {
        match landing {
            Ok(()) => {
                self.replica.landed();
                self.own.landed();
            }
            Err(_) => {
                self.replica.rolled_back();
                self.own.clear();
                answer(std::mem::take(&mut self.answers), landing);
            }
        }
    }
}
