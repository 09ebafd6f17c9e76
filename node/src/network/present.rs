//! What a stranger may say at the door, and how this node says it at another one's.
//!
//! One frame on one stream, without an answer: who came, and what it is about, is for the layers above. A guest has seconds to open its stream and
//! to write; then its connection is closed, whatever it said. This node presents itself on connections that it dialled to a node with which no link has stood
//! since the start or since that node refused it; a node that knows it does not speak this protocol with it.

use std::{
    collections::HashMap,
    time::{Duration, Instant},
};

use futures::AsyncWriteExt;
use libp2p::{PeerId, Stream, swarm::ConnectionId};
use maillon_protocol::{ids::NodeId, limits};
use tokio::{
    sync::mpsc,
    task::{JoinError, JoinSet},
    time::timeout,
};

use super::{
    NetworkEvent,
    allow::node_id,
    frame::{self, FrameError},
    room::Room,
    streams::StreamEvent,
};

/// The protocol of the one thing that a stranger may say.
pub const PRESENT_PROTOCOL: &str = "/maillon/present/1";
/// Guests at one time.
pub(super) const GUESTS: usize = 8;
/// Guests in a minute.
pub(super) const GUESTS_A_MINUTE: u32 = 60;
/// How long a guest may take to open its stream.
const OPENING: Duration = Duration::from_secs(3);
/// How long a guest's connection stands.
const VISIT: Duration = Duration::from_secs(10);

/// The stream on which this node may present itself to another one.
pub struct Doorway(Stream);

impl std::fmt::Debug for Doorway {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Doorway")
    }
}

impl Doorway {
    /// Says it. Nothing comes back.
    ///
    /// # Errors
    /// [`FrameError`]: not taken in time, or the other side has closed.
    pub async fn present(mut self, frame: &[u8]) -> Result<(), FrameError> {
        frame::write_frame(&mut self.0, frame, VISIT).await?;
        frame::flush(&mut self.0, VISIT).await?;
        let closed = timeout(VISIT, self.0.close()).await;
        closed
            .map_err(|_| FrameError::WriteStalled)?
            .map_err(|error| FrameError::Broken(error.kind()))
    }
}

/// The guests that are here.
#[derive(Default)]
pub(super) struct Guests {
    /// Until when the connection of each stands; none where it is being closed.
    until: HashMap<ConnectionId, Option<Instant>>,
    /// What is being read.
    reading: JoinSet<ConnectionId>,
}

impl Guests {
    pub(super) fn came(&mut self, connection: ConnectionId, now: Instant) {
        self.until.insert(connection, Some(now + OPENING));
    }

    /// Whether this was a guest's connection, which is over.
    pub(super) fn left(&mut self, connection: ConnectionId) -> bool {
        self.until.remove(&connection).is_some()
    }

    /// The connection of the next guest that has said what it had to say.
    pub(super) async fn next(&mut self) -> Option<Result<ConnectionId, JoinError>> {
        self.reading.join_next().await
    }

    fn read(
        &mut self,
        node: NodeId,
        connection: ConnectionId,
        stream: Stream,
        events: mpsc::Sender<NetworkEvent>,
    ) {
        if let Some(Some(until)) = self.until.get_mut(&connection) {
            *until += VISIT - OPENING;
        }
        self.reading.spawn(async move {
            let frame = timeout(VISIT, read(stream)).await;
            if let Ok(Ok(Some(frame))) = frame {
                // A room without a consumer has no use for it.
                let _ = events.send(NetworkEvent::Presented { node, frame }).await;
            }
            connection
        });
    }

    /// Those whose time is over. They are told once.
    fn over(&mut self, now: Instant) -> Vec<ConnectionId> {
        let over = self.until.iter_mut();
        let over = over.filter_map(|(connection, until)| {
            until.take_if(|until| *until <= now).map(|_| *connection)
        });
        over.collect()
    }

    /// One has said what it had to say; whether its connection is to be closed.
    pub(super) fn done(&mut self, connection: ConnectionId) -> bool {
        let until = self.until.get_mut(&connection);
        until.is_some_and(|until| until.take().is_some())
    }
}

async fn read(mut stream: Stream) -> Result<Option<Vec<u8>>, FrameError> {
    match frame::read_length(&mut stream, limits::PRESENTATION, VISIT).await? {
        Some(length) => Ok(Some(frame::read_body(&mut stream, length, VISIT).await?)),
        None => Ok(None),
    }
}

impl Room {
    /// A guest's stream is open.
    pub(super) fn on_guest(&mut self, peer: &PeerId, id: ConnectionId, event: StreamEvent) {
        if let (Some(node), StreamEvent::Accepted(stream)) = (node_id(peer), event) {
            let events = self.events.clone();
            self.guests.read(node, id, stream, events);
        }
    }

    /// Shows the guests out whose time is over, and says when the next one's is.
    pub(super) fn show_out(&mut self, now: Instant) -> Option<Instant> {
        for connection in self.guests.over(now) {
            self.swarm.close_connection(connection);
        }
        self.guests.until.values().flatten().min().copied()
    }

    /// The stream on which this node may present itself: used where the other node has refused it, or has said nothing yet.
    pub(super) fn at_the_door(&mut self, peer: &PeerId, event: StreamEvent) {
        let Some(node) = node_id(peer) else { return };
        if let StreamEvent::Opened(stream) = event
            && !self.peer(node).met
        {
            let door = Doorway(stream);
            self.say(NetworkEvent::AtTheDoor { node, door });
        }
    }
}
