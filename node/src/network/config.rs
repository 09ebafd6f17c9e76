//! What the room is told before it starts: where to listen, how long to wait, how much to hold.
//!
//! Every bound of the network has its field here. The defaults are those of a territory's node; tests shorten the times.

use std::{fmt, sync::Arc, time::Duration};

use libp2p::Multiaddr;
use maillon_protocol::limits;

use super::relay::NamedRelay;

/// Which way bytes go.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Direction {
    /// From the other node to this one.
    In,
    /// From this node to the other one.
    Out,
}

/// Sees every byte that is handed to, or taken from, a stream of any protocol. For tests only: it is how they show that nothing readable
/// leaves the node. Nothing in the daemon's configuration can set it.
pub type Tap = Arc<dyn Fn(Direction, &[u8]) + Send + Sync>;

/// How the room runs.
#[derive(Clone)]
pub struct NetworkConfig {
    /// Where to listen: `/ip4/0.0.0.0/udp/4001/quic-v1`, `/ip4/0.0.0.0/tcp/443`. Port 0 lets the system choose.
    pub listen: Vec<Multiaddr>,
    /// The relays that this node uses, the best first.
    pub relays: Vec<NamedRelay>,
    /// For so long direct ways are tried before a relay is asked, where they have not failed before.
    pub head_start: Duration,
    /// While a relay carries the link, the first wait before a direct way is tried again; the waits double up to `cap`.
    pub direct_again: Duration,
    /// The longest wait between two attempts to get a place at a relay.
    pub relay_cap: Duration,
    /// Longest attempt to reach a node, over all its addresses side by side. Below `urgent_cap`, so that attempts keep that pace.
    pub dial_timeout: Duration,
    /// The first wait between two attempts, from start to start.
    pub first_wait: Duration,
    /// The longest wait between two attempts.
    pub cap: Duration,
    /// The longest wait between two attempts while an alert waits.
    pub urgent_cap: Duration,
    /// A connection that lasted this long was a good one: the waits begin again at `first_wait` after it.
    pub settled_after: Duration,
    /// A link that cannot write, or that stops in the middle of a frame, is closed after this.
    pub stall: Duration,
    /// Time between two pings. Two in a row without an answer within half that time close the connection.
    pub ping_every: Duration,
    /// A connection without any stream is closed after this.
    pub idle: Duration,
    /// Frames that wait in a link, in each direction.
    pub queue_frames: usize,
    /// Bytes that wait in a link, in each direction. Never less than one frame of the greatest size.
    pub queue_bytes: usize,
    /// Streams of one connection, all protocols.
    pub streams: u32,
    /// Connections in all.
    pub connections: u32,
    /// Connections whose handshake is not finished, incoming. Strangers can hold these, for `dial_timeout` each.
    pub pending: u32,
    /// Nodes that are dialled at one time.
    pub dials: u32,
    /// Memory of the process in bytes beyond which no new connection is taken or made.
    pub memory: usize,
    /// See [`Tap`].
    pub tap: Option<Tap>,
}

impl Default for NetworkConfig {
    fn default() -> Self {
        Self {
            listen: Vec::new(),
            relays: Vec::new(),
            head_start: Duration::from_secs(2),
            direct_again: Duration::from_secs(60),
            relay_cap: Duration::from_secs(30),
            dial_timeout: Duration::from_secs(8),
            first_wait: Duration::from_millis(500),
            cap: Duration::from_secs(300),
            urgent_cap: Duration::from_secs(10),
            settled_after: Duration::from_secs(10),
            stall: Duration::from_secs(30),
            ping_every: Duration::from_secs(15),
            idle: Duration::from_secs(60),
            queue_frames: 64,
            queue_bytes: 2 * limits::FRAME,
            streams: 32,
            connections: 512,
            pending: 128,
            dials: 32,
            memory: 1 << 30,
            tap: None,
        }
    }
}

impl fmt::Debug for NetworkConfig {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("NetworkConfig")
            .field("listen", &self.listen)
            .field("relays", &self.relays)
            .field("tap", &self.tap.is_some())
            .finish_non_exhaustive()
    }
}
