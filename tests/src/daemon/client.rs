//! A small client of the admin socket: blocking, typed, bounded.

use std::{
    io::{self, BufReader, Read, Write},
    os::unix::net::UnixStream,
    path::{Path, PathBuf},
    time::{Duration, Instant},
};

use maillon_protocol::{
    admin::{Answer, Call, Greeting, Outcome, Reply, Request, VERSION},
    limits,
};

use super::{Trouble, wait};

/// How to connect to one daemon: clonable, for threads.
#[derive(Clone, Debug)]
pub struct Caller {
    socket: PathBuf,
    actor: Option<String>,
}

impl Caller {
    pub(super) fn new(socket: &Path) -> Self {
        Self {
            socket: socket.to_owned(),
            actor: None,
        }
    }

    /// The same, in the name of a professional.
    #[must_use]
    pub fn acting_as(mut self, professional: &str) -> Self {
        self.actor = Some(professional.to_owned());
        self
    }

    /// Connects and reads the greeting.
    ///
    /// # Errors
    /// [`Trouble::Io`] where nobody listens, [`Trouble::Protocol`] where the daemon speaks another version.
    pub fn connect(&self) -> Result<Client, Trouble> {
        let stream = UnixStream::connect(&self.socket)
            .map_err(Trouble::io(self.socket.display().to_string()))?;
        let mut client = Client {
            stream: BufReader::new(stream),
            actor: self.actor.clone(),
            next: 1,
            // A timeout of zero means none to the system.
            bound: wait::bounded(wait::LONG).max(Duration::from_millis(1)),
        };
        client.set_bound(client.bound)?;
        let greeting: Greeting = parse(&client.read_frame()?)?;
        if greeting.maillon_admin != VERSION {
            return Err(Trouble::Protocol(format!(
                "it speaks version {}, this client {VERSION}",
                greeting.maillon_admin
            )));
        }
        Ok(client)
    }
}

/// One connection.
#[derive(Debug)]
pub struct Client {
    stream: BufReader<UnixStream>,
    actor: Option<String>,
    next: u64,
    bound: Duration,
}

impl Client {
    /// Speaks in the name of a professional from now on.
    #[must_use]
    pub fn acting_as(mut self, professional: &str) -> Self {
        self.actor = Some(professional.to_owned());
        self
    }

    /// Numbers its requests from here on, so that a trace tells them from others'.
    #[must_use]
    pub fn numbered_from(mut self, id: u64) -> Self {
        self.next = id;
        self
    }

    /// The longest that a call may take, and a read of the watch.
    ///
    /// # Errors
    /// The system's.
    pub fn set_bound(&mut self, bound: Duration) -> Result<(), Trouble> {
        self.bound = bound;
        let stream = self.stream.get_ref();
        stream
            .set_read_timeout(Some(bound))
            .and_then(|()| stream.set_write_timeout(Some(bound)))
            .map_err(Trouble::io("the admin socket"))
    }

    /// Asks, and waits for the answer; progress is passed over.
    ///
    /// # Errors
    /// [`Trouble::Refused`] with the daemon's error, [`Trouble::TooLate`], [`Trouble::Closed`], [`Trouble::Protocol`].
    pub fn call(&mut self, call: Call) -> Result<Answer, Trouble> {
        let id = self.ask(call)?;
        let begun = Instant::now();
        loop {
            match self.reply(id)? {
                Outcome::Done(answer) => return Ok(answer),
                Outcome::Failed(error) => return Err(Trouble::Refused(error)),
                Outcome::Progress { .. } if begun.elapsed() < self.bound => {}
                Outcome::Progress { what, .. } => {
                    return Err(self.late(&format!("the end of a call ({what})")));
                }
                Outcome::Event(_) => {
                    return Err(Trouble::Protocol(String::from("an event without a watch")));
                }
            }
        }
    }

    /// Sends a request and returns its number.
    pub(super) fn ask(&mut self, call: Call) -> Result<u64, Trouble> {
        let id = self.next;
        self.next += 1;
        let request = Request {
            id,
            actor: self.actor.clone(),
            call,
        };
        let bytes = serde_json::to_vec(&request)
            .map_err(|error| Trouble::Protocol(format!("a request: {error}")))?;
        self.write_frame(&bytes)?;
        Ok(id)
    }

    /// The next frame of the answer to a request.
    pub(super) fn reply(&mut self, id: u64) -> Result<Outcome, Trouble> {
        let reply: Reply = parse(&self.read_frame()?)?;
        match reply.outcome {
            // A frame that could not be read has no number to answer to.
            Outcome::Failed(error) if reply.id != id => Err(Trouble::Refused(error)),
            outcome if reply.id == id => Ok(outcome),
            _ => Err(Trouble::Protocol(format!(
                "an answer to {} where {id} was asked",
                reply.id
            ))),
        }
    }

    /// Sends any bytes as one frame, in one write: for tests of bad frames too.
    ///
    /// # Errors
    /// [`Trouble::Closed`], [`Trouble::TooLate`].
    pub fn write_frame(&mut self, bytes: &[u8]) -> Result<(), Trouble> {
        let length = u32::try_from(bytes.len()).unwrap_or(u32::MAX);
        self.write_raw(&[&length.to_be_bytes(), bytes].concat())
    }

    /// Sends bytes without a frame.
    ///
    /// # Errors
    /// [`Trouble::Closed`], [`Trouble::TooLate`].
    pub fn write_raw(&mut self, bytes: &[u8]) -> Result<(), Trouble> {
        let written = self.stream.get_mut().write_all(bytes);
        written.map_err(|error| self.ended(error))
    }

    /// Reads one frame.
    ///
    /// # Errors
    /// [`Trouble::Closed`], [`Trouble::TooLate`], [`Trouble::Protocol`] where it is longer than the limit.
    pub fn read_frame(&mut self) -> Result<Vec<u8>, Trouble> {
        let mut length = [0; 4];
        self.read_exact(&mut length)?;
        let length = u32::from_be_bytes(length) as usize;
        if length > limits::FRAME {
            return Err(Trouble::Protocol(format!("a frame of {length} bytes")));
        }
        let mut bytes = vec![0; length];
        self.read_exact(&mut bytes)?;
        Ok(bytes)
    }

    /// A second handle on the connection, to end it from another thread.
    pub(super) fn handle(&self) -> Result<UnixStream, Trouble> {
        self.stream
            .get_ref()
            .try_clone()
            .map_err(Trouble::io("the admin socket"))
    }

    fn read_exact(&mut self, bytes: &mut [u8]) -> Result<(), Trouble> {
        let read = self.stream.read_exact(bytes);
        read.map_err(|error| self.ended(error))
    }

    fn ended(&self, error: io::Error) -> Trouble {
        match error.kind() {
            io::ErrorKind::WouldBlock | io::ErrorKind::TimedOut => {
                self.late("an answer on the admin socket")
            }
            io::ErrorKind::UnexpectedEof
            | io::ErrorKind::BrokenPipe
            | io::ErrorKind::ConnectionReset => Trouble::Closed,
            _ => Trouble::io("the admin socket")(error),
        }
    }

    fn late(&self, what: &str) -> Trouble {
        Trouble::TooLate {
            what: what.to_owned(),
            seconds: self.bound.as_secs_f64(),
            last: String::new(),
        }
    }
}

fn parse<T: serde::de::DeserializeOwned>(bytes: &[u8]) -> Result<T, Trouble> {
    serde_json::from_slice(bytes).map_err(|error| {
        let text: String = String::from_utf8_lossy(bytes).chars().take(200).collect();
        Trouble::Protocol(format!("{error} in {text}"))
    })
}
