//! What goes over each node's streams, by protocol: every byte of every stream passes here.
//!
//! The meter stands below the protocols and above the encryption, so it counts what no behaviour reports (pings that are answered, the
//! negotiation of protocols) and nothing escapes the test's tap. A stream's protocol is read from its own opening lines.

use std::{
    collections::HashMap,
    io,
    pin::Pin,
    sync::{
        Arc, Mutex, PoisonError,
        atomic::{AtomicU64, Ordering::Relaxed},
    },
    task::{Context, Poll, ready},
    time::Duration,
};

use futures::{AsyncRead, AsyncWrite};
use libp2p::core::muxing::{StreamMuxer, StreamMuxerBox, StreamMuxerEvent, SubstreamBox};
use maillon_protocol::ids::NodeId;
use tokio::time::{Sleep, sleep};

use super::config::{Direction, Tap};

/// The protocols that are told apart, by the beginning of their names.
const NAMES: [&str; 3] = ["/ipfs/id/", "/ipfs/ping/", super::SYNC_PROTOCOL];
/// Where streams of any other protocol, and those that never named one, are counted.
const OTHER: usize = NAMES.len();
/// The opening lines are looked for in this many bytes.
const OPENING: usize = 128;

/// Streams of one protocol with one node, since the node is known to this process.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Flow {
    /// Streams, whoever opened them.
    pub streams: u64,
    /// Bytes that came, negotiation and length fields included.
    pub bytes_in: u64,
    /// Bytes that went.
    pub bytes_out: u64,
}

/// Everything that went over the streams with one node.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Traffic {
    /// Names of protocols and versions.
    pub identify: Flow,
    /// Signs of life.
    pub ping: Flow,
    /// The exchange of records: frames and their lengths.
    pub sync: Flow,
    /// Streams that named no protocol, or another one.
    pub other: Flow,
}

/// The counters of one node.
#[derive(Default)]
pub(super) struct Meter {
    flows: [[AtomicU64; 3]; OTHER + 1],
    tap: Option<Tap>,
}

impl Meter {
    fn with_tap(tap: Option<Tap>) -> Arc<Self> {
        Arc::new(Self {
            flows: Default::default(),
            tap,
        })
    }

    pub(super) fn read(&self) -> Traffic {
        let flow = |at: usize| Flow {
            streams: self.flows[at][0].load(Relaxed),
            bytes_in: self.flows[at][1].load(Relaxed),
            bytes_out: self.flows[at][2].load(Relaxed),
        };
        Traffic {
            identify: flow(0),
            ping: flow(1),
            sync: flow(2),
            other: flow(OTHER),
        }
    }
}

/// The meters of all nodes. A meter is made when a node first connects, and forgotten when the room forgets the node.
pub(super) struct Meters {
    nodes: Mutex<HashMap<NodeId, Arc<Meter>>>,
    strangers: Arc<Meter>,
    tap: Option<Tap>,
}

impl Meters {
    pub(super) fn new(tap: Option<Tap>) -> Self {
        Self {
            nodes: Mutex::default(),
            strangers: Meter::with_tap(tap.clone()),
            tap,
        }
    }

    /// The meter of a node.
    pub(super) fn of(&self, node: NodeId) -> Arc<Meter> {
        let mut nodes = self.nodes.lock().unwrap_or_else(PoisonError::into_inner);
        let meter = nodes
            .entry(node)
            .or_insert_with(|| Meter::with_tap(self.tap.clone()));
        Arc::clone(meter)
    }

    /// The one meter of all strangers: protocols that are refused to them, and what they present.
    pub(super) fn of_strangers(&self) -> Arc<Meter> {
        Arc::clone(&self.strangers)
    }

    pub(super) fn forget(&self, node: &NodeId) {
        let mut nodes = self.nodes.lock().unwrap_or_else(PoisonError::into_inner);
        nodes.remove(node);
    }
}

/// How long the end of a connection may take: whoever does not read would hold it for ever. Then the socket is closed.
const CLOSING: Duration = Duration::from_secs(2);

/// A connection whose streams are counted.
pub(super) struct Metered {
    inner: StreamMuxerBox,
    meter: Arc<Meter>,
    closing: Option<Pin<Box<Sleep>>>,
}

impl Metered {
    pub(super) fn new(inner: StreamMuxerBox, meter: Arc<Meter>) -> Self {
        Self {
            inner,
            meter,
            closing: None,
        }
    }

    fn stream(&self, inner: SubstreamBox, names_protocol: Direction) -> MeteredStream {
        MeteredStream {
            inner,
            meter: Arc::clone(&self.meter),
            opening: Opening::new(names_protocol),
        }
    }
}

impl StreamMuxer for Metered {
    type Substream = MeteredStream;
    type Error = io::Error;

    fn poll_inbound(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
    ) -> Poll<io::Result<MeteredStream>> {
        let stream = ready!(Pin::new(&mut self.inner).poll_inbound(cx))?;
        Poll::Ready(Ok(self.stream(stream, Direction::In)))
    }

    fn poll_outbound(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
    ) -> Poll<io::Result<MeteredStream>> {
        let stream = ready!(Pin::new(&mut self.inner).poll_outbound(cx))?;
        Poll::Ready(Ok(self.stream(stream, Direction::Out)))
    }

    fn poll_close(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        let this = &mut *self;
        if let Poll::Ready(done) = Pin::new(&mut this.inner).poll_close(cx) {
            return Poll::Ready(done);
        }
        let closing = this.closing.get_or_insert_with(|| Box::pin(sleep(CLOSING)));
        closing.as_mut().poll(cx).map(Ok)
    }

    fn poll(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<StreamMuxerEvent>> {
        StreamMuxer::poll(Pin::new(&mut self.inner), cx)
    }
}

/// Reads the protocol's name from a stream's opening lines, and holds the bytes counted until then.
struct Opening {
    /// The side that opened the stream names its protocol.
    named_by: Direction,
    seen: Vec<u8>,
    held: [u64; 2],
    protocol: Option<usize>,
}

impl Opening {
    fn new(named_by: Direction) -> Self {
        Self {
            named_by,
            seen: Vec::new(),
            held: [0; 2],
            protocol: None,
        }
    }

    fn look(&mut self, direction: Direction, bytes: &[u8]) {
        if direction == self.named_by {
            let room = OPENING - self.seen.len();
            self.seen.extend_from_slice(&bytes[..bytes.len().min(room)]);
        }
        self.protocol = NAMES
            .iter()
            .position(|name| {
                let name = name.as_bytes();
                self.seen.windows(name.len()).any(|part| part == name)
            })
            .or((self.seen.len() == OPENING).then_some(OTHER));
    }
}

/// A stream that is counted.
pub(super) struct MeteredStream {
    inner: SubstreamBox,
    meter: Arc<Meter>,
    opening: Opening,
}

impl MeteredStream {
    fn passed(&mut self, direction: Direction, bytes: &[u8]) {
        if let Some(tap) = &self.meter.tap {
            tap(direction, bytes);
        }
        let column = match direction {
            Direction::In => 0,
            Direction::Out => 1,
        };
        if let Some(protocol) = self.opening.protocol {
            self.meter.flows[protocol][1 + column].fetch_add(bytes.len() as u64, Relaxed);
            return;
        }
        self.opening.held[column] += bytes.len() as u64;
        self.opening.look(direction, bytes);
        if let Some(protocol) = self.opening.protocol {
            self.settle(protocol);
        }
    }

    /// Counts the stream and what was held under its protocol.
    fn settle(&mut self, protocol: usize) {
        let flow = &self.meter.flows[protocol];
        flow[0].fetch_add(1, Relaxed);
        for (counter, held) in flow[1..].iter().zip(self.opening.held) {
            counter.fetch_add(held, Relaxed);
        }
        self.opening.seen = Vec::new();
    }
}

impl Drop for MeteredStream {
    fn drop(&mut self) {
        if self.opening.protocol.is_none() {
            self.settle(OTHER);
        }
    }
}

impl AsyncRead for MeteredStream {
    fn poll_read(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        into: &mut [u8],
    ) -> Poll<io::Result<usize>> {
        let read = ready!(Pin::new(&mut self.inner).poll_read(cx, into))?;
        self.passed(Direction::In, &into[..read]);
        Poll::Ready(Ok(read))
    }
}

impl AsyncWrite for MeteredStream {
    fn poll_write(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        bytes: &[u8],
    ) -> Poll<io::Result<usize>> {
        let written = ready!(Pin::new(&mut self.inner).poll_write(cx, bytes))?;
        self.passed(Direction::Out, &bytes[..written]);
        Poll::Ready(Ok(written))
    }

    fn poll_flush(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.inner).poll_flush(cx)
    }

    fn poll_close(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.inner).poll_close(cx)
    }
}

#[cfg(test)]
mod tests {
    use std::future::poll_fn;

    use futures::io::Cursor;

    use super::*;

    /// A connection whose other side reads nothing: it can never say goodbye.
    struct Stuck;

    impl StreamMuxer for Stuck {
        type Substream = Cursor<Vec<u8>>;
        type Error = io::Error;

        fn poll_inbound(
            self: Pin<&mut Self>,
            _: &mut Context<'_>,
        ) -> Poll<io::Result<Self::Substream>> {
            Poll::Pending
        }

        fn poll_outbound(
            self: Pin<&mut Self>,
            _: &mut Context<'_>,
        ) -> Poll<io::Result<Self::Substream>> {
            Poll::Pending
        }

        fn poll_close(self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<io::Result<()>> {
            Poll::Pending
        }

        fn poll(self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<io::Result<StreamMuxerEvent>> {
            Poll::Pending
        }
    }

    #[tokio::test]
    async fn a_connection_whose_other_side_reads_nothing_is_closed_all_the_same() {
        let meters = Meters::new(None);
        let stuck = StreamMuxerBox::new(Stuck);
        let mut metered = Metered::new(stuck, meters.of_strangers());
        let closed = poll_fn(|cx| Pin::new(&mut metered).poll_close(cx));
        let closed = tokio::time::timeout(4 * CLOSING, closed).await;
        assert!(matches!(closed, Ok(Ok(()))), "{closed:?}");
    }

    #[test]
    fn a_streams_protocol_is_read_from_the_lines_of_the_side_that_opened_it() {
        let mut opening = Opening::new(Direction::Out);
        opening.look(
            Direction::In,
            b"\x13/multistream/1.0.0\n\x10/maillon/sync/1\n",
        );
        assert_eq!(opening.protocol, None, "the answer names nothing");
        opening.look(Direction::Out, b"\x13/multistream/1.0.0\n\x11/ipfs/pi");
        assert_eq!(opening.protocol, None);
        opening.look(Direction::Out, b"ng/1.0.0\n");
        assert_eq!(opening.protocol, Some(1));
    }

    #[test]
    fn a_stream_that_names_nothing_known_is_another_one() {
        let mut opening = Opening::new(Direction::In);
        opening.look(Direction::In, &[b'x'; 4 * OPENING]);
        assert_eq!(opening.protocol, Some(OTHER));
        assert_eq!(opening.seen.len(), OPENING, "and no more of it is kept");
    }
}
