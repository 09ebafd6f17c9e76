//! The writer's thread: runs jobs, and hands what they stage to the thread that commits.
//!
//! While one commit is being written, the jobs of the next one run, above the rows of the first (*in flight*): two processors work, and a
//! commit costs its jobs' time or the disk's, whichever is longer, and not both. What has been staged is handed over whenever no job waits, so
//! that the other thread finds it the moment it is free. A commit that fails takes the jobs above it with it.
//!
//! Where jobs come one by one, each is committed on this thread: an alert is not slower for a second thread that it does not need. Where many
//! wait, urgent ones (an alert, an answer to one) go before the others and are handed over at once.

use std::{sync::Arc, thread};

use crossbeam_channel::{Receiver, Sender, TryRecvError, bounded, select_biased};
use maillon_protocol::replica::Replica;
use tokio::sync::oneshot;

use super::{
    Shared, StoreRows, Tx,
    commit::{Committer, Landing, Sortie, answer},
    job::{Answer, Job, OwnRows},
};
use crate::{clock::now_ms, random::RandomPool};

/// Jobs in one sortie.
const BATCH: usize = 1024;
/// Staged bytes after which no further job runs before they are handed over.
const BATCH_BYTES: usize = 8 << 20;
/// Sorties under way: each is one more layer in which a job looks for a row.
const ALOFT: usize = 4;

pub(super) enum Work {
    Job(Job),
    Stop(oneshot::Sender<()>),
}

/// What waits for the writer.
pub(super) struct Queues {
    /// Before all others.
    pub(super) urgent: Receiver<Work>,
    /// In the order in which they came.
    pub(super) others: Receiver<Work>,
}

impl Queues {
    fn is_empty(&self) -> bool {
        self.urgent.is_empty() && self.others.is_empty()
    }
}

pub(super) struct Writer {
    replica: Replica,
    rows: StoreRows,
    own: OwnRows,
    random: RandomPool,
    committer: Arc<Committer>,
    /// Of the jobs that are staged.
    answers: Vec<Answer>,
    /// Jobs in the last sortie.
    last: usize,
    /// Commits that failed.
    failures: u64,
    stop: Option<oneshot::Sender<()>>,
    /// The thread that commits has broken off.
    broken: bool,
    /// Something urgent ran last: one of the others is next, so that nobody who sends alerts without a pause holds them up for ever.
    others_next: bool,
}

/// The way to the thread that commits.
struct Runway {
    sorties: Sender<Sortie>,
    landings: Receiver<Landing>,
    /// Sorties under way.
    aloft: usize,
}

impl Writer {
    pub(super) fn new(replica: Replica, rows: StoreRows, shared: Arc<Shared>) -> Self {
        Self {
            replica,
            committer: Arc::new(Committer::new(rows.clone(), shared)),
            rows,
            own: OwnRows::default(),
            random: RandomPool::default(),
            answers: Vec::new(),
            last: 0,
            failures: 0,
            stop: None,
            broken: false,
            others_next: false,
        }
    }

    /// Runs what waits and has it committed, until it is told to stop or nobody can tell it anything any more. Returns when the last commit is
    /// answered.
    pub(super) fn run(mut self, queues: &Queues) {
        let (sorties, incoming) = bounded(ALOFT);
        let (outgoing, landings) = bounded(ALOFT);
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
            aloft: 0,
        };
        // What loading has staged: an incarnation, the descriptor.
        self.commit_here();
        self.work(queues, &mut runway);
        drop(runway);
        if committing.join().is_err() {
            tracing::error!("the thread that commits broke off");
        }
        if let Some(done) = self.stop.take() {
            let _ = done.send(());
        }
    }

    fn work(&mut self, queues: &Queues, runway: &mut Runway) {
        while self.goes_on() {
            let other = if self.has_room() && std::mem::take(&mut self.others_next) {
                queues.others.try_recv().ok()
            } else {
                None
            };
            if let Some(work) = other {
                self.take_all(work, queues, runway);
            } else if self.has_room() {
                select_biased! {
                    recv(runway.landings) -> landing => self.after(landing.ok(), runway),
                    recv(queues.urgent) -> work => match work {
                        Ok(work) => self.take_urgent(work, queues, runway),
                        // The last handle has gone. What it left in the other queue is done all the same.
                        Err(_) => match queues.others.try_recv() {
                            Ok(work) => self.take_all(work, queues, runway),
                            Err(_) => break,
                        },
                    },
                    recv(queues.others) -> work => match work {
                        Ok(work) => self.take_all(work, queues, runway),
                        Err(_) => break,
                    },
                }
            } else {
                self.wait_for_landing(runway);
            }
            let one_by_one = self.last <= 1 && self.answers.len() <= 1;
            if self.answers.is_empty() {
                continue;
            }
            if runway.aloft == 0 && one_by_one && queues.is_empty() {
                self.commit_here();
            } else if runway.aloft < ALOFT {
                self.commit_there(runway);
            }
        }
        if !self.broken && !self.answers.is_empty() {
            while runway.aloft == ALOFT {
                self.wait_for_landing(runway);
            }
            self.commit_there(runway);
        }
        while runway.aloft > 0 {
            self.wait_for_landing(runway);
        }
    }

    /// Runs this and what waits behind it, until something urgent comes.
    ///
    /// Half of what waits is handed over, then half of the rest, so that neither thread waits for the other, and what is done does not wait for a
    /// job behind it that takes long.
    fn take_all(&mut self, work: Work, queues: &Queues, runway: &mut Runway) {
        let mut next = Some(work);
        while let Some(work) = next.take() {
            // Whoever has been told that a commit failed, and asks again, does not fail with it: its landing is there by now.
            self.hear(runway);
            self.take(work);
            if let Ok(work) = queues.urgent.try_recv() {
                return self.take_urgent(work, queues, runway);
            }
            let enough = runway.aloft < ALOFT && self.answers.len() >= queues.others.len();
            if self.has_room() && !enough {
                next = queues.others.try_recv().ok();
            }
        }
    }

    /// Runs this and what else is urgent; it goes with what is staged already, and waits for nothing else.
    fn take_urgent(&mut self, work: Work, queues: &Queues, runway: &mut Runway) {
        self.others_next = true;
        let mut next = Some(work);
        while let Some(work) = next.take() {
            self.hear(runway);
            self.take(work);
            let enough = runway.aloft < ALOFT && self.answers.len() >= queues.urgent.len();
            if self.has_room() && !enough {
                next = queues.urgent.try_recv().ok();
            }
        }
    }

    fn goes_on(&self) -> bool {
        self.stop.is_none() && !self.broken
    }

    fn has_room(&self) -> bool {
        self.goes_on() && self.answers.len() < BATCH && self.staged_bytes() < BATCH_BYTES
    }

    fn staged_bytes(&self) -> usize {
        self.replica.staged_bytes() + self.own.bytes()
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
            rng: &mut self.random,
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
        self.last = self.answers.len();
        Sortie {
            failures: self.failures,
            bytes: self.staged_bytes(),
            flight: self.replica.take_off(),
            own: self.own.take_off(),
            answers: std::mem::take(&mut self.answers),
        }
    }

    /// Commits what is staged, on this thread.
    fn commit_here(&mut self) {
        let sortie = self.sortie();
        let word = self.committer.land(vec![sortie]);
        self.kept(&word.landing);
        self.committer.tell(word);
    }

    /// Hands what is staged to the other thread.
    fn commit_there(&mut self, runway: &mut Runway) {
        let sortie = self.sortie();
        match runway.sorties.send(sortie) {
            Ok(()) => runway.aloft += 1,
            // It panicked, and has said so. Whoever waits is told that the node is stopping.
            Err(_) => self.broken = true,
        }
    }

    /// Hears of the landings that are there.
    fn hear(&mut self, runway: &mut Runway) {
        loop {
            match runway.landings.try_recv() {
                Ok(landing) => self.after(Some(landing), runway),
                Err(TryRecvError::Empty) => return,
                Err(TryRecvError::Disconnected) => return self.after(None, runway),
            }
        }
    }

    fn wait_for_landing(&mut self, runway: &mut Runway) {
        let landing = runway.landings.recv().ok();
        self.after(landing, runway);
    }

    /// The oldest sortie is durable, or it is gone, with all that took off or was staged above it. `None`: the other thread has broken off.
    fn after(&mut self, landing: Option<Landing>, runway: &mut Runway) {
        let Some(landing) = landing else {
            self.broken = true;
            runway.aloft = 0;
            return;
        };
        runway.aloft -= 1;
        self.kept(&landing);
        if landing.is_err() {
            self.failures += 1;
            // The other thread refuses them.
            while runway.aloft > 0 && runway.landings.recv().is_ok() {
                runway.aloft -= 1;
            }
            answer(std::mem::take(&mut self.answers), &landing);
        }
    }

    fn kept(&mut self, landing: &Landing) {
        if landing.is_ok() {
            self.replica.landed();
            self.own.landed();
        } else {
            self.replica.rolled_back();
            self.own.clear();
        }
    }
}
