//! One stream on each connection, for one protocol.
//!
//! The behaviour opens a stream on the connection that it is told, and reports each one with its connection: the room must know which
//! connection carries a link to choose between two. The other side may open one stream on a connection; any further one is dropped.

use std::{
    collections::VecDeque,
    convert::Infallible,
    future::{Ready, ready},
    option,
    task::{Context, Poll},
};

use libp2p::{
    Multiaddr, PeerId, StreamProtocol,
    core::{Endpoint, InboundUpgrade, UpgradeInfo, transport::PortUse, upgrade::ReadyUpgrade},
    swarm::{
        ConnectionDenied, ConnectionHandler, ConnectionHandlerEvent, ConnectionId, FromSwarm,
        NetworkBehaviour, NotifyHandler, Stream, StreamUpgradeError, SubstreamProtocol, THandler,
        THandlerInEvent, THandlerOutEvent, ToSwarm,
        handler::{
            ConnectionEvent, DialUpgradeError, FullyNegotiatedInbound, FullyNegotiatedOutbound,
        },
    },
};

/// Why a stream was not opened.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum OpenFailure {
    /// The other node does not speak the protocol.
    NotSpoken,
    /// The connection failed or was too slow.
    Broken,
}

/// What happened on a connection.
#[derive(Debug)]
pub(super) enum StreamEvent {
    /// The other side opened a stream.
    Accepted(Stream),
    /// The stream that was asked for is open.
    Opened(Stream),
    /// The stream that was asked for could not be opened.
    Failed(OpenFailure),
}

/// Tells a connection to open its stream.
#[derive(Debug, Clone, Copy)]
pub(super) struct Open;

/// The behaviour.
pub(super) struct Streams {
    protocol: StreamProtocol,
    accepts: bool,
    pending: VecDeque<ToSwarm<(PeerId, ConnectionId, StreamEvent), Open>>,
}

impl Streams {
    /// Streams of this protocol; `accepts` says whether the other side may open one.
    pub(super) fn new(protocol: StreamProtocol, accepts: bool) -> Self {
        Self {
            protocol,
            accepts,
            pending: VecDeque::new(),
        }
    }

    /// Opens a stream on a connection.
    pub(super) fn open(&mut self, peer_id: PeerId, connection: ConnectionId) {
        self.pending.push_back(ToSwarm::NotifyHandler {
            peer_id,
            handler: NotifyHandler::One(connection),
            event: Open,
        });
    }

    fn handler(&self) -> Handler {
        Handler::new(self.protocol.clone(), self.accepts)
    }
}

impl NetworkBehaviour for Streams {
    type ConnectionHandler = Handler;
    type ToSwarm = (PeerId, ConnectionId, StreamEvent);

    fn handle_established_inbound_connection(
        &mut self,
        _: ConnectionId,
        _: PeerId,
        _: &Multiaddr,
        _: &Multiaddr,
    ) -> Result<THandler<Self>, ConnectionDenied> {
        Ok(self.handler())
    }

    fn handle_established_outbound_connection(
        &mut self,
        _: ConnectionId,
        _: PeerId,
        _: &Multiaddr,
        _: Endpoint,
        _: PortUse,
    ) -> Result<THandler<Self>, ConnectionDenied> {
        Ok(self.handler())
    }

    fn on_swarm_event(&mut self, _: FromSwarm) {}

    fn on_connection_handler_event(
        &mut self,
        peer: PeerId,
        connection: ConnectionId,
        event: THandlerOutEvent<Self>,
    ) {
        self.pending
            .push_back(ToSwarm::GenerateEvent((peer, connection, event)));
    }

    fn poll(&mut self, _: &mut Context<'_>) -> Poll<ToSwarm<Self::ToSwarm, THandlerInEvent<Self>>> {
        // Whoever fills the queue polls the swarm next, so no waker is kept.
        match self.pending.pop_front() {
            Some(event) => Poll::Ready(event),
            None => Poll::Pending,
        }
    }
}

/// The part of one connection. It lives as long as the connection, and holds three reports at most.
pub(super) struct Handler {
    offered: Offered,
    protocol: StreamProtocol,
    may_accept: bool,
    wanted: bool,
    reports: VecDeque<StreamEvent>,
}

impl Handler {
    pub(super) fn new(protocol: StreamProtocol, accepts: bool) -> Self {
        Self {
            offered: Offered(accepts.then(|| protocol.clone())),
            protocol,
            may_accept: accepts,
            wanted: false,
            reports: VecDeque::new(),
        }
    }
}

/// The protocol in which the other side may open a stream, if it may.
#[derive(Debug, Clone)]
pub(super) struct Offered(Option<StreamProtocol>);

impl UpgradeInfo for Offered {
    type Info = StreamProtocol;
    type InfoIter = option::IntoIter<StreamProtocol>;

    fn protocol_info(&self) -> Self::InfoIter {
        self.0.clone().into_iter()
    }
}

impl InboundUpgrade<Stream> for Offered {
    type Output = Stream;
    type Error = Infallible;
    type Future = Ready<Result<Stream, Infallible>>;

    fn upgrade_inbound(self, stream: Stream, _: StreamProtocol) -> Self::Future {
        ready(Ok(stream))
    }
}

impl ConnectionHandler for Handler {
    type FromBehaviour = Open;
    type ToBehaviour = StreamEvent;
    type InboundProtocol = Offered;
    type OutboundProtocol = ReadyUpgrade<StreamProtocol>;
    type InboundOpenInfo = ();
    type OutboundOpenInfo = ();

    fn listen_protocol(&self) -> SubstreamProtocol<Self::InboundProtocol> {
        SubstreamProtocol::new(self.offered.clone(), ())
    }

    fn poll(
        &mut self,
        _: &mut Context<'_>,
    ) -> Poll<ConnectionHandlerEvent<Self::OutboundProtocol, (), StreamEvent>> {
        if let Some(report) = self.reports.pop_front() {
            return Poll::Ready(ConnectionHandlerEvent::NotifyBehaviour(report));
        }
        if std::mem::take(&mut self.wanted) {
            let protocol = SubstreamProtocol::new(ReadyUpgrade::new(self.protocol.clone()), ());
            return Poll::Ready(ConnectionHandlerEvent::OutboundSubstreamRequest { protocol });
        }
        Poll::Pending
    }

    fn on_behaviour_event(&mut self, Open: Open) {
        self.wanted = true;
    }

    fn on_connection_event(
        &mut self,
        event: ConnectionEvent<Self::InboundProtocol, Self::OutboundProtocol>,
    ) {
        let report = match event {
            ConnectionEvent::FullyNegotiatedInbound(FullyNegotiatedInbound {
                protocol: stream,
                ..
            }) => {
                if !std::mem::take(&mut self.may_accept) {
                    return;
                }
                StreamEvent::Accepted(stream)
            }
            ConnectionEvent::FullyNegotiatedOutbound(FullyNegotiatedOutbound {
                protocol: stream,
                ..
            }) => StreamEvent::Opened(stream),
            ConnectionEvent::DialUpgradeError(DialUpgradeError { error, .. }) => {
                StreamEvent::Failed(match error {
                    StreamUpgradeError::NegotiationFailed => OpenFailure::NotSpoken,
                    _ => OpenFailure::Broken,
                })
            }
            _ => return,
        };
        self.reports.push_back(report);
    }
}
