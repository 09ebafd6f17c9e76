//! One connection to a daemon's socket with several requests under way, for those who write much: each answer comes with the number of its request.

use std::io;

use maillon_protocol::{
    admin::{Answer, Call, Outcome, Reply, Request},
    limits,
};
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::UnixStream,
};

use crate::daemon::{Daemon, Trouble};

/// A connection.
pub(super) struct Pipe {
    stream: UnixStream,
    incoming: Vec<u8>,
    outgoing: Vec<u8>,
}

fn lost(error: io::Error) -> Trouble {
    Trouble::io("the admin socket")(error)
}

impl Pipe {
    /// Connects and reads the greeting.
    pub(super) async fn open(daemon: &Daemon) -> Result<Self, Trouble> {
        let stream = UnixStream::connect(daemon.socket()).await.map_err(lost)?;
        let mut pipe = Self {
            stream,
            incoming: Vec::new(),
            outgoing: Vec::new(),
        };
        while pipe.frame()?.is_none() {
            pipe.read().await?;
        }
        Ok(pipe)
    }

    /// Adds a request to what is to be sent.
    pub(super) fn put(&mut self, id: u64, actor: &str, call: Call) -> Result<(), Trouble> {
        let request = Request {
            id,
            actor: Some(actor.to_owned()),
            call,
        };
        let json = serde_json::to_vec(&request)
            .map_err(|error| Trouble::Protocol(format!("a request: {error}")))?;
        let length = u32::try_from(json.len()).unwrap_or(u32::MAX);
        self.outgoing.extend_from_slice(&length.to_be_bytes());
        self.outgoing.extend_from_slice(&json);
        Ok(())
    }

    /// Sends what was added, and waits for at least some bytes of answers: those that are whole, by their numbers.
    pub(super) async fn answers(&mut self) -> Result<Vec<(u64, Answer)>, Trouble> {
        let outgoing = std::mem::take(&mut self.outgoing);
        self.stream.write_all(&outgoing).await.map_err(lost)?;
        self.read().await?;
        let mut answers = Vec::new();
        while let Some(frame) = self.frame()? {
            let reply: Reply = serde_json::from_slice(&frame)
                .map_err(|error| Trouble::Protocol(error.to_string()))?;
            match reply.outcome {
                Outcome::Done(answer) => answers.push((reply.id, answer)),
                Outcome::Failed(error) => return Err(Trouble::Refused(error)),
                _ => {
                    return Err(Trouble::Protocol(String::from(
                        "no answer to what was asked",
                    )));
                }
            }
        }
        Ok(answers)
    }

    async fn read(&mut self) -> Result<(), Trouble> {
        match self.stream.read_buf(&mut self.incoming).await {
            Ok(0) => Err(lost(io::ErrorKind::UnexpectedEof.into())),
            Ok(_) => Ok(()),
            Err(error) => Err(lost(error)),
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
