//! The socket.

use std::{
    io,
    os::unix::fs::{FileTypeExt, PermissionsExt},
    path::{Path, PathBuf},
    sync::Arc,
};

use futures::{StreamExt, stream::FuturesUnordered};
use maillon_protocol::{
    admin::{AdminError, ErrorCode, Greeting, Outcome, Reply, Request, VERSION},
    limits,
};
use tokio::{
    io::AsyncWriteExt,
    net::{UnixListener, UnixStream},
    sync::{Semaphore, mpsc},
    task::JoinHandle,
};
use tokio_util::{
    bytes::BytesMut,
    codec::{Decoder, FramedRead},
};

use crate::{audit::own_user, daemon::Node};

/// Connections at one time.
const CONNECTIONS: usize = 256;
/// Requests of one connection that are under way.
const REQUESTS: usize = 32;
/// Replies that wait to be written to one connection.
const REPLIES: usize = 256;
/// Bytes of replies that are being written to one connection, from which on no further reply is taken.
const OUTGOING: usize = 256 << 10;

/// Why the socket cannot be opened.
#[derive(Debug, thiserror::Error)]
pub enum SocketError {
    /// The address is too long, the folder is missing, or another daemon has it.
    #[error("the admin socket {path} cannot be opened: {cause}")]
    Bind {
        /// Where.
        path: PathBuf,
        /// What the system says.
        cause: io::Error,
    },
    /// Another daemon answers there.
    #[error("another maillond answers on {0}: stop it first, or give this node another socket")]
    InUse(PathBuf),
}

/// The open socket.
pub struct AdminSocket {
    path: PathBuf,
    task: JoinHandle<()>,
}

impl AdminSocket {
    /// Opens the socket and serves `node`.
    ///
    /// # Errors
    /// [`SocketError`].
    pub async fn open(path: &Path, node: Arc<Node>) -> Result<Self, SocketError> {
        let bind = |cause| SocketError::Bind {
            path: path.to_owned(),
            cause,
        };
        if let Some(folder) = path.parent() {
            std::fs::create_dir_all(folder).map_err(bind)?;
        }
        if let Ok(there) = std::fs::symlink_metadata(path) {
            if !there.file_type().is_socket() {
                return Err(bind(io::Error::new(
                    io::ErrorKind::AlreadyExists,
                    "something else has this name; it is left alone",
                )));
            }
            if UnixStream::connect(path).await.is_ok() {
                return Err(SocketError::InUse(path.to_owned()));
            }
            // Left behind by a daemon that was killed.
            std::fs::remove_file(path).map_err(bind)?;
        }
        let listener = UnixListener::bind(path).map_err(bind)?;
        std::fs::set_permissions(path, std::fs::Permissions::from_mode(0o600)).map_err(bind)?;
        let task = tokio::spawn(accept(listener, node));
        Ok(Self {
            path: path.to_owned(),
            task,
        })
    }

    /// Closes the socket.
    pub fn close(self) {
        self.task.abort();
        // A socket that is gone already is closed.
        let _ = std::fs::remove_file(&self.path);
    }
}

async fn accept(listener: UnixListener, node: Arc<Node>) {
    let own = own_user();
    let slots = Arc::new(Semaphore::new(CONNECTIONS));
    loop {
        let Ok((stream, _)) = listener.accept().await else {
            tokio::time::sleep(std::time::Duration::from_millis(100)).await;
            continue;
        };
        let user = stream.peer_cred().map(|peer| peer.uid()).ok();
        let Some(user) = user.filter(|user| *user == own || *user == 0) else {
            tracing::warn!("a connection of another user to the admin socket was refused");
            continue;
        };
        let Ok(slot) = Arc::clone(&slots).try_acquire_owned() else {
            tracing::warn!(
                "the admin socket has {CONNECTIONS} connections; another one was refused"
            );
            // In place of the greeting. It fits into the socket's buffer; a client that is gone already hears nothing.
            let _ = stream.writable().await;
            let _ = stream.try_write(&frame(&full()));
            continue;
        };
        let node = Arc::clone(&node);
        tokio::spawn(async move {
            // A client that goes away ends its own connection only.
            let _ = serve(stream, node, user).await;
            drop(slot);
        });
    }
}

/// What is said where every connection is taken.
fn full() -> AdminError {
    AdminError {
        code: ErrorCode::Limit,
        cause: format!("all {CONNECTIONS} connections to the admin socket are taken"),
        action: "end programs that hold connections open (`ss -xp | grep admin.sock` lists them), then try again".to_owned(),
        request: String::new(),
    }
}

/// Serves one connection, in one task: requests are read, worked on and answered side by side, so that neither a long request nor a client
/// that does not read holds up another. What was begun for a client that has gone is done to its end.
async fn serve(stream: UnixStream, node: Arc<Node>, user: u32) -> io::Result<()> {
    let (reader, mut writer) = stream.into_split();
    let mut requests = FramedRead::new(reader, Requests);
    let (replies, mut queue) = mpsc::channel::<Vec<u8>>(REPLIES);
    let greeting = Greeting {
        maillon_admin: VERSION,
        program: env!("CARGO_PKG_VERSION").to_owned(),
    };
    let mut outgoing = BytesMut::from(&frame(&greeting)[..]);
    let mut under_way = FuturesUnordered::new();
    let mut reading = true;
    while reading || !(under_way.is_empty() && queue.is_empty() && outgoing.is_empty()) {
        tokio::select! {
            written = writer.write_buf(&mut outgoing), if !outgoing.is_empty() => {
                if written.is_err() {
                    break;
                }
            }
            Some(reply) = queue.recv(), if outgoing.len() < OUTGOING => {
                outgoing.extend_from_slice(&reply);
                while outgoing.len() < OUTGOING && let Ok(reply) = queue.try_recv() {
                    outgoing.extend_from_slice(&reply);
                }
            }
            Some(()) = under_way.next() => {}
            read = requests.next(), if reading && under_way.len() < REQUESTS => match read {
                Some(Ok(request)) => under_way.push(super::calls::answer(&node, user, request, &replies)),
                Some(Err(Unread::Frame(error))) => {
                    outgoing.extend_from_slice(&frame(&error));
                    reading = false;
                }
                Some(Err(Unread::Stream)) | None => reading = false,
            },
        }
    }
    // Nobody hears of it any more: a watch ends by that.
    drop(queue);
    while under_way.next().await.is_some() {}
    Ok(())
}

/// Requests in a stream of bytes: a length of four bytes, big-endian, and JSON.
struct Requests;

/// Why no request could be read.
enum Unread {
    /// The client has gone, or its stream broke off.
    Stream,
    /// What was read is none: the answer.
    Frame(Box<Reply>),
}

impl From<io::Error> for Unread {
    fn from(_: io::Error) -> Self {
        Self::Stream
    }
}

impl Decoder for Requests {
    type Item = Request;
    type Error = Unread;

    fn decode(&mut self, bytes: &mut BytesMut) -> Result<Option<Request>, Unread> {
        let Some(length) = bytes.first_chunk::<4>() else {
            return Ok(None);
        };
        let length = u32::from_be_bytes(*length) as usize;
        let refused = |code, cause: String| Err(Unread::Frame(Box::new(refusal(0, code, &cause))));
        if length > limits::FRAME {
            return refused(
                ErrorCode::Limit,
                format!(
                    "a frame is limited to {} bytes, this has {length}",
                    limits::FRAME
                ),
            );
        }
        if bytes.len() < 4 + length {
            bytes.reserve(4 + length - bytes.len());
            return Ok(None);
        }
        let whole = bytes.split_to(4 + length);
        match serde_json::from_slice(&whole[4..]) {
            Ok(request) => Ok(Some(request)),
            Err(error) => refused(
                ErrorCode::BadRequest,
                format!("the frame is no request: {error}"),
            ),
        }
    }

    /// A client that goes in the middle of a frame has gone.
    fn decode_eof(&mut self, bytes: &mut BytesMut) -> Result<Option<Request>, Unread> {
        self.decode(bytes)
    }
}

/// A frame with `value` in it; a value that is longer than a frame becomes an error that says so.
pub(super) fn frame(value: &impl serde::Serialize) -> Vec<u8> {
    let json = serde_json::to_vec(value).unwrap_or_default();
    let mut bytes = Vec::with_capacity(json.len() + 4);
    bytes.extend_from_slice(&u32::try_from(json.len()).unwrap_or(u32::MAX).to_be_bytes());
    bytes.extend_from_slice(&json);
    bytes
}

/// A reply as a frame.
pub(super) fn reply(id: u64, outcome: Outcome) -> Vec<u8> {
    let bytes = frame(&Reply { id, outcome });
    if bytes.len() > limits::FRAME + 4 {
        let cause = format!(
            "the answer has {} bytes; a frame is limited to {}",
            bytes.len(),
            limits::FRAME
        );
        return frame(&refusal(id, ErrorCode::Limit, &cause));
    }
    bytes
}

fn refusal(id: u64, code: ErrorCode, cause: &str) -> Reply {
    let error = AdminError {
        code,
        cause: cause.to_owned(),
        action: "use the maillonctl of this daemon's version, and smaller pages".to_owned(),
        request: format!("r{id}"),
    };
    Reply {
        id,
        outcome: Outcome::Failed(error),
    }
}
