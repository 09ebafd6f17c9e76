//! A client of the daemon's admin socket: one blocking connection, one call at a time.
//!
//! The stream is described in [`maillon_protocol::admin`]: the daemon greets, then answers each request with frames until the last one.
//! This client trusts nothing that it reads: a frame's length is checked before its bytes are awaited, everything is parsed into the typed
//! API, and every way in which the other end can fail is one variant of [`ClientError`]. It knows nothing of terminals; the command line, the
//! tests and the benchmarks use the same one.
//!
//! ```no_run
//! use maillon_admin_cli::client::Client;
//! use maillon_protocol::admin::{Answer, Call};
//!
//! # fn main() -> Result<(), maillon_admin_cli::client::ClientError> {
//! let mut client = Client::connect("/run/maillon/admin.sock")?;
//! if let Answer::Status(status) = client.call(None, Call::Status)? {
//!     println!("{}", status.sentence);
//! }
//! # Ok(())
//! # }
//! ```

mod error;
mod frame;
mod place;
#[cfg(test)]
mod tests;
mod watch;

pub use error::ClientError;
pub use place::PLACES;
pub use watch::Watch;

use std::{
    os::unix::net::UnixStream,
    path::{Path, PathBuf},
    time::Duration,
};

use maillon_protocol::admin::{
    AdminError, Answer, Call, Greeting, Outcome, Reply, Request, VERSION, WatchEvent,
};

use frame::Frames;

/// How long the greeting may take.
const GREETING_WITHIN: Duration = Duration::from_secs(if cfg!(test) { 1 } else { 10 });

/// How far a long call is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Progress {
    /// Steps done.
    pub done: u64,
    /// All steps, where known.
    pub of: Option<u64>,
    /// What is being done, in the daemon's words.
    pub what: String,
}

/// What one frame meant to the request that waits.
#[allow(clippy::large_enum_variant, reason = "one lives at a time")]
enum Step {
    Done(Answer),
    Event(WatchEvent),
    Progress(Progress),
}

/// A connection to the daemon, after its greeting.
#[derive(Debug)]
pub struct Client {
    frames: Frames,
    last: u64,
    program: String,
}

impl Client {
    /// Connects to the daemon of this machine: the first that listens in one of the [`PLACES`].
    ///
    /// # Errors
    /// [`ClientError::Nowhere`], or what is wrong at the place where there is something.
    pub fn find() -> Result<Self, ClientError> {
        place::first_of(&PLACES.map(PathBuf::from))
    }

    /// Connects to the socket at `path`, or to the usual socket in it where it is a data folder, and reads the greeting.
    ///
    /// # Errors
    /// [`ClientError`]: nobody listens, the daemon does not serve this user, or it speaks another version.
    pub fn connect(path: impl AsRef<Path>) -> Result<Self, ClientError> {
        let path = place::meant(path.as_ref());
        let path = path.as_path();
        let stream =
            UnixStream::connect(path).map_err(|cause| ClientError::connecting(path, cause))?;
        let mut frames = Frames::new(stream);
        // A daemon greets before it does anything else: one that is held (or a socket of something else) is not waited for without end.
        frames.set_read_timeout(Some(GREETING_WITHIN))?;
        let first = frames.read().map_err(|error| match error {
            ClientError::Closed => ClientError::NoGreeting(path.to_owned()),
            ClientError::TimedOut => ClientError::Silent(path.to_owned()),
            other => other,
        })?;
        frames.set_read_timeout(None)?;
        let greeting: Greeting = match serde_json::from_slice(&first) {
            Ok(greeting) => greeting,
            Err(_) => return Err(refusal(&first).unwrap_or(ClientError::Garbled)),
        };
        if greeting.maillon_admin != VERSION {
            return Err(ClientError::Version {
                daemon: greeting.maillon_admin,
                program: greeting.program,
            });
        }
        Ok(Self {
            frames,
            last: 0,
            program: greeting.program,
        })
    }

    /// Version of the daemon's program, as it greeted.
    pub fn program(&self) -> &str {
        &self.program
    }

    /// How long one read may wait; `None`: for ever, which is what a connection starts with. A read that times out is
    /// [`ClientError::TimedOut`], and no byte is lost by it.
    ///
    /// # Errors
    /// [`ClientError::Io`], also where `timeout` is zero.
    pub fn set_read_timeout(&self, timeout: Option<Duration>) -> Result<(), ClientError> {
        self.frames.set_read_timeout(timeout)
    }

    /// Calls the daemon in the name of `actor` (a professional's id at that node, or its beginning) and waits for the answer.
    ///
    /// # Errors
    /// [`ClientError::Refused`] with the daemon's reasons; the others where the connection fails.
    pub fn call(&mut self, actor: Option<&str>, call: Call) -> Result<Answer, ClientError> {
        self.call_with(actor, call, &mut |_| {})
    }

    /// As [`Self::call`]; `progress` hears how far a long call is.
    ///
    /// # Errors
    /// As [`Self::call`].
    pub fn call_with(
        &mut self,
        actor: Option<&str>,
        call: Call,
        progress: &mut dyn FnMut(Progress),
    ) -> Result<Answer, ClientError> {
        let id = self.send(actor, call)?;
        loop {
            match self.step(id)? {
                Step::Done(answer) => return Ok(answer),
                Step::Progress(done) => progress(done),
                Step::Event(_) => return Err(ClientError::Garbled),
            }
        }
    }

    /// Turns the connection into a stream of events, from now on until either end closes.
    ///
    /// # Errors
    /// As [`Self::call`]; a refusal is the iterator's first item.
    pub fn watch(mut self, actor: Option<&str>) -> Result<Watch, ClientError> {
        let id = self.send(actor, Call::Watch)?;
        Ok(Watch::new(self, id))
    }

    fn send(&mut self, actor: Option<&str>, call: Call) -> Result<u64, ClientError> {
        self.last += 1;
        let request = Request {
            id: self.last,
            actor: actor.map(str::to_owned),
            call,
        };
        self.frames.write(&request)?;
        Ok(self.last)
    }

    /// Reads the next frame for request `id`. An answer to an earlier request (one whose caller had stopped waiting) is passed over.
    fn step(&mut self, id: u64) -> Result<Step, ClientError> {
        loop {
            let bytes = self.frames.read()?;
            let Ok(reply) = serde_json::from_slice::<Reply>(&bytes) else {
                return Err(refusal(&bytes).unwrap_or(ClientError::Garbled));
            };
            if reply.id != id {
                match reply.outcome {
                    // A request that could not be read has no id of its own.
                    Outcome::Failed(error) if reply.id == 0 => {
                        return Err(ClientError::Refused(error));
                    }
                    _ if reply.id < id => continue,
                    _ => return Err(ClientError::Garbled),
                }
            }
            return match reply.outcome {
                Outcome::Done(answer) => Ok(Step::Done(answer)),
                Outcome::Failed(error) => Err(ClientError::Refused(error)),
                Outcome::Event(event) => Ok(Step::Event(event)),
                Outcome::Progress { done, of, what } => {
                    Ok(Step::Progress(Progress { done, of, what }))
                }
            };
        }
    }
}

/// A bare error in place of a greeting or a reply.
fn refusal(bytes: &[u8]) -> Option<ClientError> {
    serde_json::from_slice::<AdminError>(bytes)
        .ok()
        .map(ClientError::Refused)
}
