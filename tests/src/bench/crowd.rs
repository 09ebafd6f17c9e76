//! Many writers on one thread: sixty-four threads would measure how the system wakes threads, on the cores that the daemon needs.
//!
//! Sixteen writers share a connection, as the socket allows, or the figure would be that of system calls: each has one request under way, and
//! writes the next when its answer has come.

use std::{
    io,
    path::Path,
    time::{Duration, Instant},
};

use maillon_protocol::{
    admin::{Answer, Call, Outcome, Reply, Request},
    content::NoteKind,
    ids::CircleId,
    limits,
};
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::UnixStream,
    task::JoinSet,
};

use crate::daemon::Trouble;

/// Writers on one connection.
const TOGETHER: usize = 16;

/// Notes a second by so many writers, each waiting for its answer before it writes the next.
pub(super) fn rate(
    socket: &Path,
    who: &str,
    circles: &[CircleId],
    writers: usize,
    time: Duration,
) -> Result<f64, Trouble> {
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()
        .map_err(Trouble::io("a runtime"))?;
    runtime.block_on(async {
        let begun = Instant::now();
        let mut all = JoinSet::new();
        for first in (0..writers).step_by(TOGETHER) {
            let crowd = Crowd {
                stream: UnixStream::connect(socket)
                    .await
                    .map_err(Trouble::io("the admin socket"))?,
                who: who.to_owned(),
                circles: circles.to_vec(),
                incoming: Vec::new(),
                turn: first,
            };
            all.spawn(crowd.write(TOGETHER.min(writers - first), begun + time));
        }
        let mut written = 0;
        while let Some(ended) = all.join_next().await {
            written += ended.map_err(|_| Trouble::wrong("a writer panicked"))??;
        }
        Ok(written as f64 / begun.elapsed().as_secs_f64())
    })
}

/// Writers that share a connection.
struct Crowd {
    stream: UnixStream,
    who: String,
    circles: Vec<CircleId>,
    incoming: Vec<u8>,
    /// Whose turn it is among the circles.
    turn: usize,
}

impl Crowd {
    /// Notes that so many wrote until a moment.
    async fn write(mut self, writers: usize, until: Instant) -> Result<u64, Trouble> {
        let lost = |error: io::Error| Trouble::io("the admin socket")(error);
        // The greeting.
        while self.frame()?.is_none() {
            self.read().await.map_err(lost)?;
        }
        let (mut written, mut under_way, mut id) = (0, 0, 0);
        let mut outgoing = Vec::new();
        loop {
            while under_way < writers && Instant::now() < until {
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
        let circle = self.circles[self.turn % self.circles.len()];
        let request = Request {
            id,
            actor: Some(self.who.clone()),
            call: Call::NoteAdd {
                circle: circle.to_string(),
                note: NoteKind::Observation,
                text: format!("Tension stable, a bien mangé, visite {id}."),
                emergency: false,
            },
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
