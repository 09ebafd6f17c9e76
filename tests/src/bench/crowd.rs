//! Many writers on one thread: sixty-four threads would measure how the system wakes threads, on the cores that the daemon needs.
//!
//! Writers share a connection, as the socket allows, or the figure would be that of system calls: each has one request under way, and writes
//! the next when its answer has come.

use std::{
    sync::{
        Arc,
        atomic::{AtomicBool, AtomicU64, Ordering::Relaxed},
    },
    thread,
    time::{Duration, Instant},
};

use maillon_protocol::{
    admin::{Answer, Call},
    content::{NoteKind, Severity},
    ids::CircleId,
};
use tokio::task::JoinSet;

use super::pipe::Pipe;
use crate::daemon::{Daemon, Trouble};

/// What a crowd writes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum What {
    /// Observations of a line.
    Notes,
    /// Observations of 600 bytes.
    LongNotes,
    /// Alerts to all structures of the circle.
    Alerts,
}

/// A crowd of writers: whoever of them has its answer writes the next.
#[derive(Debug, Clone, Copy)]
pub(super) struct Crowd<'a> {
    /// Where they write.
    pub(super) daemon: &'a Daemon,
    /// In whose name.
    pub(super) who: &'a str,
    /// In which circles, in turn.
    pub(super) circles: &'a [CircleId],
    /// What.
    pub(super) what: What,
    /// How many they are.
    pub(super) writers: usize,
    /// How many of them share a connection.
    pub(super) together: usize,
}

/// When a crowd is done.
#[derive(Debug, Clone)]
enum End {
    /// At a moment.
    At(Instant),
    /// When so many are written, by all connections together.
    After(Arc<AtomicU64>),
    /// When it is told to.
    Told(Arc<AtomicBool>),
}

impl End {
    /// Whether one more is to be written; counts it.
    fn one_more(&self) -> bool {
        match self {
            Self::At(moment) => Instant::now() < *moment,
            Self::After(left) => left
                .fetch_update(Relaxed, Relaxed, |left| left.checked_sub(1))
                .is_ok(),
            Self::Told(told) => !told.load(Relaxed),
        }
    }
}

impl Crowd<'_> {
    /// How many a second they write, during so long.
    pub(super) fn rate(self, time: Duration) -> Result<f64, Trouble> {
        let begun = Instant::now();
        let written = self.write(&End::At(begun + time))?;
        Ok(written as f64 / begun.elapsed().as_secs_f64())
    }

    /// Writes so many.
    pub(super) fn count(self, count: u64) -> Result<(), Trouble> {
        self.write(&End::After(Arc::new(AtomicU64::new(count))))
            .map(drop)
    }

    /// Writes while something else is done, and says what came of that.
    pub(super) fn during<T>(self, work: impl FnOnce() -> Result<T, Trouble>) -> Result<T, Trouble> {
        let told = Arc::new(AtomicBool::new(false));
        let end = End::Told(Arc::clone(&told));
        thread::scope(|scope| {
            let crowd = scope.spawn(move || self.write(&end));
            let done = work();
            told.store(true, Relaxed);
            crowd
                .join()
                .unwrap_or_else(|_| Err(Trouble::wrong("a crowd panicked")))?;
            done
        })
    }

    fn write(self, end: &End) -> Result<u64, Trouble> {
        let runtime = tokio::runtime::Builder::new_current_thread()
            .enable_all()
            .build()
            .map_err(Trouble::io("a runtime"))?;
        runtime.block_on(async {
            let mut all = JoinSet::new();
            for first in (0..self.writers).step_by(self.together) {
                let table = Table {
                    pipe: Pipe::open(self.daemon).await?,
                    who: self.who.to_owned(),
                    circles: self.circles.to_vec(),
                    what: self.what,
                    turn: first,
                };
                all.spawn(table.write(self.together.min(self.writers - first), end.clone()));
            }
            let mut written = 0;
            while let Some(ended) = all.join_next().await {
                written += ended.map_err(|_| Trouble::wrong("a writer panicked"))??;
            }
            Ok(written)
        })
    }
}

/// Writers that share a connection.
struct Table {
    pipe: Pipe,
    who: String,
    circles: Vec<CircleId>,
    what: What,
    /// Whose turn it is among the circles.
    turn: usize,
}

impl Table {
    /// How many so many wrote until the end.
    async fn write(mut self, writers: usize, end: End) -> Result<u64, Trouble> {
        let (mut written, mut under_way, mut id) = (0, 0, 0);
        loop {
            while under_way < writers && end.one_more() {
                id += 1;
                under_way += 1;
                self.request(id)?;
            }
            if under_way == 0 {
                return Ok(written);
            }
            for (_, answer) in self.pipe.answers().await? {
                if !matches!(answer, Answer::Written(_)) {
                    let what = String::from("no answer to what was asked");
                    return Err(Trouble::Protocol(what));
                }
                written += 1;
                under_way -= 1;
            }
        }
    }

    /// Adds a request to what is to be sent.
    fn request(&mut self, id: u64) -> Result<(), Trouble> {
        self.turn += 1;
        let circle = self.circles[self.turn % self.circles.len()].to_string();
        let note = |text| Call::NoteAdd {
            circle: circle.clone(),
            note: NoteKind::Observation,
            text,
            emergency: false,
        };
        let call = match self.what {
            What::Notes => note(format!(
                "Passage {id} : tension 13/8, pansement refait, moral bon, a bien mangé à midi. Prochain passage demain matin."
            )),
            What::LongNotes => note(format!(
                "Visite {id:.>17}{}",
                "Pansement refait, plaie propre. ".repeat(18)
            )),
            What::Alerts => Call::AlertSend {
                circle,
                severity: Severity::High,
                text: format!("Chute dans la salle de bains, appel {id}."),
                to: Vec::new(),
                within_s: 0,
            },
        };
        self.pipe.put(id, &self.who, call)
    }
}
