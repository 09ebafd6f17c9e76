//! A daemon of a few lines: it listens on a socket of its own and does what a test tells it.

use std::{
    io::{Read, Write},
    os::unix::net::{UnixListener, UnixStream},
    path::PathBuf,
    thread::JoinHandle,
};

use maillon_protocol::admin::{Call, Greeting, Outcome, Reply, Request, VERSION};
use serde::Serialize;

/// A socket that somebody listens on, and what they found out.
pub(crate) struct Daemon<T> {
    folder: tempfile::TempDir,
    thread: JoinHandle<T>,
}

impl<T: Send + 'static> Daemon<T> {
    /// Serves one connection as `script` wants.
    pub(crate) fn doing(script: impl FnOnce(UnixStream) -> T + Send + 'static) -> Self {
        let folder = tempfile::tempdir().expect("a folder");
        let listener = UnixListener::bind(folder.path().join("admin.sock")).expect("a socket");
        let thread = std::thread::spawn(move || script(listener.accept().expect("a client").0));
        Self { folder, thread }
    }

    pub(crate) fn socket(&self) -> PathBuf {
        self.folder.path().join("admin.sock")
    }

    /// Waits until the connection is over.
    pub(crate) fn end(self) -> T {
        self.thread.join().expect("the daemon's script")
    }
}

impl Daemon<Vec<Request>> {
    /// Greets and answers every call until the client closes; ends with what was asked.
    pub(crate) fn answering(answer: impl Fn(&Call) -> Outcome + Send + 'static) -> Self {
        Self::doing(move |mut stream| {
            greet(&mut stream);
            let mut asked = Vec::new();
            while let Some(request) = request(&mut stream) {
                send(
                    &mut stream,
                    &Reply {
                        id: request.id,
                        outcome: answer(&request.call),
                    },
                );
                asked.push(request);
            }
            asked
        })
    }
}

/// One frame's bytes.
pub(crate) fn frame(value: &impl Serialize) -> Vec<u8> {
    let json = serde_json::to_vec(value).expect("JSON");
    let mut bytes = u32::try_from(json.len())
        .expect("short")
        .to_be_bytes()
        .to_vec();
    bytes.extend(json);
    bytes
}

pub(crate) fn send(stream: &mut UnixStream, value: &impl Serialize) {
    // The client may have gone, which is for its side of the test to judge.
    drop(stream.write_all(&frame(value)));
}

pub(crate) fn greeting() -> Greeting {
    Greeting {
        maillon_admin: VERSION,
        program: "0.1.0".to_owned(),
    }
}

pub(crate) fn greet(stream: &mut UnixStream) {
    send(stream, &greeting());
}

/// The next request; `None` once the client has closed.
pub(crate) fn request(stream: &mut UnixStream) -> Option<Request> {
    let mut head = [0; 4];
    stream.read_exact(&mut head).ok()?;
    let mut bytes = vec![0; u32::from_be_bytes(head) as usize];
    stream.read_exact(&mut bytes).ok()?;
    Some(serde_json::from_slice(&bytes).expect("a request"))
}
