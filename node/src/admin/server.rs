//! The socket.

use std::{
    io,
    os::unix::fs::{FileTypeExt, PermissionsExt},
    path::{Path, PathBuf},
    sync::Arc,
};

use maillon_protocol::{
    admin::{AdminError, ErrorCode, Greeting, Outcome, Reply, Request, VERSION},
    limits,
};
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt, BufReader},
    net::{UnixListener, UnixStream, unix::OwnedWriteHalf},
    sync::{Semaphore, mpsc},
    task::JoinHandle,
};

use crate::{audit::own_user, daemon::Node};

/// Connections at one time.
const CONNECTIONS: usize = 256;
/// Requests of one connection that are under way.
const REQUESTS: usize = 32;
/// Replies that wait to be written to one connection.
const REPLIES: usize = 256;

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

async fn serve(stream: UnixStream, node: Arc<Node>, user: u32) -> io::Result<()> {
    let (reader, writer) = stream.into_split();
    let mut reader = BufReader::new(reader);
    let (replies, queue) = mpsc::channel::<Vec<u8>>(REPLIES);
    let writing = tokio::spawn(write(writer, queue));
    let greeting = Greeting {
        maillon_admin: VERSION,
        program: env!("CARGO_PKG_VERSION").to_owned(),
    };
    let _ = replies.send(frame(&greeting)).await;
    let under_way = Arc::new(Semaphore::new(REQUESTS));
    loop {
        let mut length = [0; 4];
        if reader.read_exact(&mut length).await.is_err() {
            break;
        }
        let length = u32::from_be_bytes(length) as usize;
        if length > limits::FRAME {
            let cause = format!(
                "a frame is limited to {} bytes, this has {length}",
                limits::FRAME
            );
            let _ = replies.send(refusal(0, ErrorCode::Limit, &cause)).await;
            break;
        }
        let mut bytes = vec![0; length];
        reader.read_exact(&mut bytes).await?;
        let request: Request = match serde_json::from_slice(&bytes) {
            Ok(request) => request,
            Err(error) => {
                let cause = format!("the frame is no request: {error}");
                let _ = replies
                    .send(refusal(0, ErrorCode::BadRequest, &cause))
                    .await;
                break;
            }
        };
        let Ok(slot) = Arc::clone(&under_way).acquire_owned().await else {
            break;
        };
        let (node, replies) = (Arc::clone(&node), replies.clone());
        tokio::spawn(async move {
            super::calls::answer(&node, user, request, &replies).await;
            drop(slot);
        });
    }
    drop(replies);
    let _ = writing.await;
    Ok(())
}

async fn write(mut writer: OwnedWriteHalf, mut queue: mpsc::Receiver<Vec<u8>>) {
    while let Some(frame) = queue.recv().await {
        if writer.write_all(&frame).await.is_err() {
            return;
        }
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
        return refusal(id, ErrorCode::Limit, &cause);
    }
    bytes
}

fn refusal(id: u64, code: ErrorCode, cause: &str) -> Vec<u8> {
    let error = AdminError {
        code,
        cause: cause.to_owned(),
        action: "use the maillonctl of this daemon's version, and smaller pages".to_owned(),
        request: format!("r{id}"),
    };
    frame(&Reply {
        id,
        outcome: Outcome::Failed(error),
    })
}
