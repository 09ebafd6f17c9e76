//! Many writers on one thread: sixty-four threads would measure how the system wakes threads, on the cores that the daemon needs.
//!
//! Writers share a connection, as the socket allows, or the figure would be that of system calls: each has one request under way, and writes
//! the next when its answer has come.

use std::{
    io,
    sync::{
        Arc,
        atomic::{AtomicBool, AtomicU64, Ordering::Relaxed},
    },
    thread,
    time::{Duration, Instant},
};

use maillon_protocol::{
    admin::{Answer, Call, Outcome, Reply, Request},
    content::{NoteKind, Severity},
    ids::CircleId,
    limits,
};
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::UnixStream,
    task::JoinSet,
};

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
                    stream: UnixStream::connect(self.daemon.socket())
                        .await
                        .map_err(Trouble::io("the admin socket"))?,
                    who: self.who.to_owned(),
                    circles: self.circles.to_vec(),
                    what: self.what,
                    incoming: Vec::new(),
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
    stream: UnixStream,
    who: String,
    circles: Vec<CircleId>,
    what: What,
    incoming: Vec<u8>,
    /// Whose turn it is among the circles.
    turn: usize,
}

impl Table {
    /// How many so many wrote until the end.
    async fn write(mut self, writers: usize, end: End) -> Result<u64, Trouble> {
        let lost = |error: io::Error| Trouble::io("the admin socket")(error);
        // The greeting.
        while self.frame()?.is_none() {
            self.read().await.map_err(lost)?;
        }
        let (mut written, mut under_way, mut id) = (0, 0, 0);
        let mut outgoing = Vec::new();
        loop {
            while under_way < writers && end.one_more() {
                id += 1;
                under_way += 1;
                self.request(id, &mut outgoing)?;
            }
            if under_way == 0 {
                return Ok(written);
            }
            self.stream.write_all(&outgoing).await.map_err(lost)?;
            outgoing.clear();
            self.read().await.map_err(lost)?;
            while let Some(frame) = self.frame()? {
                let reply: Reply = serde_json::from_slice(&frame)
                    .map_err(|error| Trouble::Protocol(error.to_string()))?;
                match reply.outcome {
                    Outcome::Done(Answer::Written(_)) => written += 1,
                    Outcome::Failed(error) => return Err(Trouble::Refused(error)),
                    _ => {
                        return Err(Trouble::Protocol(String::from(
                            "no answer to what was asked",
                        )));
                    }
                }
                under_way -= 1;
            }
        }
    }

    /// Adds a request to what is to be sent.
    fn request(&mut self, id: u64, outgoing: &mut Vec<u8>) -> Result<(), Trouble> {
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
        let request = Request {
            id,
            actor: Some(self.who.clone()),
            call,
        };
        let json = serde_json::to_vec(&request)
            .map_err(|error| Trouble::Protocol(format!("a request: {error}")))?;
        let length = u32::try_from(json.len()).unwrap_or(u32::MAX);
        outgoing.extend_from_slice(&length.to_be_bytes());
        outgoing.extend_from_slice(&json);
        Ok(())
    }

    async fn read(&mut self) -> io::Result<()> {
        match self.stream.read_buf(&mut self.incoming).await? {
            0 => Err(io::ErrorKind::UnexpectedEof.into()),
            _ => Ok(()),
        }
    }

    /// The next frame of what has come, where it is whole.
    fn frame(&mut self) -> Result<Option<Vec<u8>>, Trouble> {
        let Some((length, rest)) = self.incoming.split_first_chunk::<4>() else {
            return Ok(None);
        };
        let length = u32::from_be_bytes(*length) as usize;
        if length > limits::FRAME {
            return Err(Trouble::Protocol(String::from("a frame beyond the limit")));
        }
        let Some(frame) = rest.get(..length).map(<[u8]>::to_vec) else {
            return Ok(None);
        };
        self.incoming.drain(..4 + length);
        Ok(Some(frame))
    }
}
