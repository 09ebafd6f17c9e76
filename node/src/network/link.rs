//! A link: the one sync stream with one node, as two bounded queues of frames.
//!
//! [`Link::send`] waits while the other node takes nothing, and reading stops while this node takes nothing: each queue is bounded in
//! frames and in bytes. Frames arrive whole and in order, or the link ends; it says why, and it is never repaired, only replaced.

use std::{
    fmt,
    pin::pin,
    sync::{
        Arc, OnceLock,
        atomic::{AtomicU64, Ordering::Relaxed},
    },
};

use futures::{AsyncReadExt, AsyncWriteExt, FutureExt, io::ReadHalf, io::WriteHalf};
use libp2p::swarm::Stream;
use maillon_protocol::{
    ids::NodeId,
    limits::{self, LimitError},
};
use tokio::{
    sync::{OwnedSemaphorePermit, Semaphore, mpsc, oneshot},
    time::timeout,
};
use tokio_util::sync::CancellationToken;

use super::{
    config::NetworkConfig,
    frame::{self, FrameError},
};

/// Why a link ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum LinkEnd {
    /// The other node ended it between two frames.
    #[error("the other node closed the link")]
    ClosedByPeer,
    /// A frame or the stream failed.
    #[error(transparent)]
    Frame(#[from] FrameError),
    /// The connection below it ended.
    #[error("the connection ended")]
    ConnectionClosed,
    /// The other node was taken off the list.
    #[error("the node is no longer allowed")]
    NotAllowed,
    /// A newer link with the same node took its place.
    #[error("a newer link took its place")]
    Replaced,
    /// This node's side dropped the link.
    #[error("this node closed the link")]
    Dropped,
    /// This node stops.
    #[error("this node stops")]
    Shutdown,
}

/// Why a frame was not taken.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum SendError {
    /// The frame exceeds the limit of the protocol.
    #[error(transparent)]
    TooLong(#[from] LimitError),
    /// The link has ended.
    #[error("the link has ended: {0}")]
    Ended(LinkEnd),
}

/// Frames and bytes of a link so far, length fields not counted.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct LinkCount {
    /// Frames that arrived and were taken.
    pub frames_in: u64,
    /// Their bytes.
    pub bytes_in: u64,
    /// Frames written to the stream.
    pub frames_out: u64,
    /// Their bytes.
    pub bytes_out: u64,
}

#[derive(Debug, Default)]
pub(super) struct Counters {
    frames_in: AtomicU64,
    bytes_in: AtomicU64,
    frames_out: AtomicU64,
    bytes_out: AtomicU64,
}

impl Counters {
    pub(super) fn read(&self) -> LinkCount {
        LinkCount {
            frames_in: self.frames_in.load(Relaxed),
            bytes_in: self.bytes_in.load(Relaxed),
            frames_out: self.frames_out.load(Relaxed),
            bytes_out: self.bytes_out.load(Relaxed),
        }
    }
}

/// What both halves and the tasks of a link know together.
#[derive(Debug)]
struct Shared {
    node: NodeId,
    number: u64,
    counters: Arc<Counters>,
    /// Bytes that may still be queued for writing. Closed when the link ends.
    room: Arc<Semaphore>,
    end: OnceLock<LinkEnd>,
}

impl Shared {
    fn ended(&self) -> LinkEnd {
        self.end.get().copied().unwrap_or(LinkEnd::ConnectionClosed)
    }
}

/// A frame with the room that it takes in its queue.
type Queued = (Vec<u8>, OwnedSemaphorePermit);

/// The sync stream with one node.
pub struct Link {
    sender: LinkSender,
    receiver: LinkReceiver,
}

/// The half that sends. Clones share one queue.
#[derive(Clone)]
pub struct LinkSender {
    shared: Arc<Shared>,
    queue: mpsc::Sender<Queued>,
}

/// The half that receives.
pub struct LinkReceiver {
    shared: Arc<Shared>,
    queue: mpsc::Receiver<Queued>,
}

impl Link {
    /// The node at the other end.
    pub fn node(&self) -> NodeId {
        self.sender.shared.node
    }

    /// The number of this link: each one that a node makes has a greater number than those before.
    pub fn number(&self) -> u64 {
        self.sender.shared.number
    }

    /// See [`LinkSender::send`].
    ///
    /// # Errors
    /// As there.
    pub async fn send(&self, frame: Vec<u8>) -> Result<(), SendError> {
        self.sender.send(frame).await
    }

    /// See [`LinkReceiver::recv`].
    pub async fn recv(&mut self) -> Option<Vec<u8>> {
        self.receiver.recv().await
    }

    /// Frames and bytes so far.
    pub fn count(&self) -> LinkCount {
        self.sender.shared.counters.read()
    }

    /// The two halves, for two tasks. The link ends when either is dropped: the sender after its last frames are written.
    pub fn split(self) -> (LinkSender, LinkReceiver) {
        (self.sender, self.receiver)
    }
}

impl LinkSender {
    /// Puts a frame in the queue, and waits while it is full.
    ///
    /// # Errors
    /// [`SendError::TooLong`] beyond [`limits::FRAME`], [`SendError::Ended`] where the link is no more. A frame that was taken may still
    /// be lost with the link: only an acknowledgement of the other node says more.
    pub async fn send(&self, frame: Vec<u8>) -> Result<(), SendError> {
        let length = frame.len() as u64;
        limits::within("a frame in bytes", length, limits::FRAME as u64)?;
        let ended = || SendError::Ended(self.shared.ended());
        let room = Arc::clone(&self.shared.room);
        let permit = room
            .acquire_many_owned(weight(frame.len()))
            .await
            .map_err(|_| ended())?;
        self.queue.send((frame, permit)).await.map_err(|_| ended())
    }

    /// Frames and bytes so far.
    pub fn count(&self) -> LinkCount {
        self.shared.counters.read()
    }
}

impl LinkReceiver {
    /// The next frame; nothing once the link has ended and all that had arrived is taken.
    pub async fn recv(&mut self) -> Option<Vec<u8>> {
        self.queue.recv().await.map(|(frame, _room)| frame)
    }

    /// Why the link ended, once it has.
    pub fn end(&self) -> Option<LinkEnd> {
        self.shared.end.get().copied()
    }
}

impl fmt::Debug for Link {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Link")
            .field("node", &self.node())
            .field("number", &self.number())
            .finish_non_exhaustive()
    }
}

/// What a frame weighs against a queue's bytes: an empty one is not free.
fn weight(length: usize) -> u32 {
    u32::try_from(length.max(1)).unwrap_or(u32::MAX)
}

/// The room's hold on a link that runs.
#[derive(Debug)]
pub(super) struct Running {
    pub(super) number: u64,
    pub(super) counters: Arc<Counters>,
    /// Lets what is queued be written, then ends the link.
    drain: CancellationToken,
    /// Ends it at once.
    stop: Option<oneshot::Sender<LinkEnd>>,
    shared: Arc<Shared>,
}

impl Running {
    /// Ends the link at once: nothing that is queued is written any more. Gives the reason that counts: a link that has just ended by itself
    /// has its own.
    pub(super) fn stop(&mut self, end: LinkEnd) -> LinkEnd {
        if let Some(stop) = self.stop.take() {
            // Nobody waits for it where the link has ended.
            let _ = stop.send(end);
        }
        self.shared.end.get().copied().unwrap_or(end)
    }

    /// Writes what is queued, then ends the link.
    pub(super) fn drain(&self) {
        self.drain.cancel();
    }
}

/// Makes a link of a stream. The future runs it and says why it ended; dropping it ends the link.
pub(super) fn run(
    stream: Stream,
    node: NodeId,
    number: u64,
    config: &NetworkConfig,
) -> (
    Link,
    Running,
    impl Future<Output = LinkEnd> + Send + 'static,
) {
    let bytes = config.queue_bytes.clamp(limits::FRAME, u32::MAX as usize);
    let frames = config.queue_frames.max(1);
    let counters = Arc::new(Counters::default());
    let shared = Arc::new(Shared {
        node,
        number,
        counters: Arc::clone(&counters),
        room: Arc::new(Semaphore::new(bytes)),
        end: OnceLock::new(),
    });
    let (outgoing, to_write) = mpsc::channel(frames);
    let (arrived, incoming) = mpsc::channel(frames);
    let (stop, stopped) = oneshot::channel();
    let drain = CancellationToken::new();
    let running = Running {
        number,
        counters: Arc::clone(&counters),
        drain: drain.clone(),
        stop: Some(stop),
        shared: Arc::clone(&shared),
    };
    let link = Link {
        sender: LinkSender {
            shared: Arc::clone(&shared),
            queue: outgoing,
        },
        receiver: LinkReceiver {
            shared: Arc::clone(&shared),
            queue: incoming,
        },
    };
    let stall = config.stall;
    let task = async move {
        let (mut from, to) = stream.split();
        let end = {
            let mut reading = pin!(read(&mut from, arrived, bytes, &counters, stall));
            let (end, heard_all) = tokio::select! {
                biased;
                end = stopped => (end.unwrap_or(LinkEnd::Shutdown), false),
                end = write(to, to_write, &drain, &counters, stall) => (end, false),
                end = &mut reading => (end, true),
            };
            match end {
                LinkEnd::ConnectionClosed | LinkEnd::Frame(FrameError::Broken(_)) if !heard_all => {
                    last_word(reading.now_or_never(), end)
                }
                end => end,
            }
        };
        let _ = shared.end.set(end);
        shared.room.close();
        if end == LinkEnd::Shutdown {
            // Closing the connection now would throw away what is under way. The other node has read all of it when it ends too.
            let _ = futures::io::copy(from, &mut futures::io::sink()).await;
        }
        end
    };
    (link, running, task)
}

/// Why the link ended, where the connection went down before all that had arrived was looked at: a node that breaks the rules and leaves is
/// remembered for the rule, not for leaving.
fn last_word(read: Option<LinkEnd>, end: LinkEnd) -> LinkEnd {
    match read {
        Some(broken @ LinkEnd::Frame(FrameError::TooLong { .. })) => broken,
        _ => end,
    }
}

async fn read(
    from: &mut ReadHalf<Stream>,
    arrived: mpsc::Sender<Queued>,
    bytes: usize,
    counters: &Counters,
    stall: std::time::Duration,
) -> LinkEnd {
    let room = Arc::new(Semaphore::new(bytes));
    loop {
        let length = tokio::select! {
            biased;
            () = arrived.closed() => return LinkEnd::Dropped,
            length = frame::read_length(from, limits::FRAME, stall) => length,
        };
        let length = match length {
            Ok(Some(length)) => length,
            Ok(None) => return LinkEnd::ClosedByPeer,
            Err(error) => return error.into(),
        };
        // Room first, then the bytes: while the consumer takes nothing, nothing is read, and the other node feels it. The place in the
        // queue is waited for here too, so that a consumer who is gone is noticed.
        let permit = tokio::select! {
            biased;
            () = arrived.closed() => return LinkEnd::Dropped,
            permit = Arc::clone(&room).acquire_many_owned(weight(length)) => permit,
        };
        let (Ok(permit), Ok(place)) = (permit, arrived.reserve().await) else {
            return LinkEnd::Dropped;
        };
        let body = match frame::read_body(from, length, stall).await {
            Ok(body) => body,
            Err(error) => return error.into(),
        };
        counters.frames_in.fetch_add(1, Relaxed);
        counters.bytes_in.fetch_add(length as u64, Relaxed);
        place.send((body, permit));
    }
}

async fn write(
    mut to: WriteHalf<Stream>,
    mut queue: mpsc::Receiver<Queued>,
    drain: &CancellationToken,
    counters: &Counters,
    stall: std::time::Duration,
) -> LinkEnd {
    let mut draining = false;
    loop {
        let next = tokio::select! {
            biased;
            () = drain.cancelled(), if !draining => {
                draining = true;
                queue.close();
                continue;
            }
            next = queue.recv() => next,
        };
        let Some((frame, _room)) = next else { break };
        if let Err(error) = frame::write_frame(&mut to, &frame, stall).await {
            return error.into();
        }
        counters.frames_out.fetch_add(1, Relaxed);
        counters.bytes_out.fetch_add(frame.len() as u64, Relaxed);
        // One flush for a burst.
        if queue.is_empty()
            && let Err(error) = frame::flush(&mut to, stall).await
        {
            return error.into();
        }
    }
    // Whether the other node hears the end politely changes nothing for it.
    let _ = timeout(stall, to.close()).await;
    match draining {
        true => LinkEnd::Shutdown,
        false => LinkEnd::Dropped,
    }
}
