//! Who is let into the room, and who only before its door.
//!
//! A node on the list gets everything that is spoken inside. Anybody else is a *guest*: a few of them at a time, at a slow pace, may open one stream
//! of [`PRESENT_PROTOCOL`] and say one thing on it ([`super::present`]); no other protocol is negotiated with a guest, and nothing inside hears
//! of it. Where there is no place, and through a relay, a stranger is refused right after the handshake.

use std::{
    collections::{HashSet, VecDeque},
    task::{Context, Poll},
    time::Instant,
};

use either::Either;
use libp2p::{
    Multiaddr, PeerId, StreamProtocol,
    core::{Endpoint, transport::PortUse},
    swarm::{
        ConnectionDenied, ConnectionId, FromSwarm, NetworkBehaviour, NotifyHandler, THandler,
        THandlerInEvent, THandlerOutEvent, ToSwarm,
    },
};

use super::{
    allow::{Gate, Stranger},
    pace::Pace,
    present::{GUESTS, GUESTS_A_MINUTE, PRESENT_PROTOCOL},
    relay::relay_in,
    streams::{Handler, StreamEvent},
};

/// What happens at the door.
#[derive(Debug)]
#[expect(
    clippy::large_enum_variant,
    reason = "one at a time lives, on the stack of the room's loop"
)]
pub(super) enum DoorEvent<E> {
    /// Something inside.
    Inside(E),
    /// A guest opened its stream.
    Guest(PeerId, ConnectionId, StreamEvent),
}

/// The behaviour that stands before those inside. The gate keeps the list for dials, and for who comes through a relay.
pub(super) struct Door<B> {
    gate: Gate,
    pub(super) inside: B,
    guests: HashSet<ConnectionId>,
    pace: Pace,
    said: VecDeque<(PeerId, ConnectionId, StreamEvent)>,
}

impl<B> Door<B> {
    pub(super) fn new(gate: Gate, inside: B) -> Self {
        Self {
            gate,
            inside,
            guests: HashSet::new(),
            pace: Pace::new(GUESTS_A_MINUTE, Instant::now()),
            said: VecDeque::new(),
        }
    }

    /// Whether this is the connection of a guest.
    pub(super) fn is_guest(&self, connection: ConnectionId) -> bool {
        self.guests.contains(&connection)
    }

    fn receive(&mut self, connection: ConnectionId, local: &Multiaddr) -> Result<(), Stranger> {
        let direct = relay_in(local).is_none();
        if !direct || self.guests.len() >= GUESTS || !self.pace.take(Instant::now()) {
            return Err(Stranger);
        }
        self.guests.insert(connection);
        Ok(())
    }
}

/// The connection that an event of the swarm is about.
fn connection_of(event: &FromSwarm<'_>) -> Option<ConnectionId> {
    Some(match event {
        FromSwarm::ConnectionEstablished(event) => event.connection_id,
        FromSwarm::ConnectionClosed(event) => event.connection_id,
        FromSwarm::AddressChange(event) => event.connection_id,
        FromSwarm::ListenFailure(event) => event.connection_id,
        _ => return None,
    })
}

impl<B: NetworkBehaviour> NetworkBehaviour for Door<B> {
    type ConnectionHandler = Either<THandler<B>, Handler>;
    type ToSwarm = DoorEvent<B::ToSwarm>;

    fn handle_pending_inbound_connection(
        &mut self,
        id: ConnectionId,
        local: &Multiaddr,
        remote: &Multiaddr,
    ) -> Result<(), ConnectionDenied> {
        self.gate
            .handle_pending_inbound_connection(id, local, remote)?;
        self.inside
            .handle_pending_inbound_connection(id, local, remote)
    }

    fn handle_established_inbound_connection(
        &mut self,
        id: ConnectionId,
        peer: PeerId,
        local: &Multiaddr,
        remote: &Multiaddr,
    ) -> Result<THandler<Self>, ConnectionDenied> {
        // Of a guest, too: the limits inside count who is in the middle of a handshake. Nothing else is said of it to them, for they keep a line for
        // every name that they have heard.
        let inside = &mut self.inside;
        let handler = inside.handle_established_inbound_connection(id, peer, local, remote)?;
        if self.gate.admits(&peer) {
            return Ok(Either::Left(handler));
        }
        self.receive(id, local).map_err(ConnectionDenied::new)?;
        let protocol = StreamProtocol::new(PRESENT_PROTOCOL);
        Ok(Either::Right(Handler::new(protocol, true)))
    }

    fn handle_pending_outbound_connection(
        &mut self,
        id: ConnectionId,
        peer: Option<PeerId>,
        addresses: &[Multiaddr],
        role: Endpoint,
    ) -> Result<Vec<Multiaddr>, ConnectionDenied> {
        let gate = &mut self.gate;
        gate.handle_pending_outbound_connection(id, peer, addresses, role)?;
        let inside = &mut self.inside;
        inside.handle_pending_outbound_connection(id, peer, addresses, role)
    }

    fn handle_established_outbound_connection(
        &mut self,
        id: ConnectionId,
        peer: PeerId,
        address: &Multiaddr,
        role: Endpoint,
        port: PortUse,
    ) -> Result<THandler<Self>, ConnectionDenied> {
        let gate = &mut self.gate;
        gate.handle_established_outbound_connection(id, peer, address, role, port)?;
        let inside = &mut self.inside;
        let handler =
            inside.handle_established_outbound_connection(id, peer, address, role, port)?;
        Ok(Either::Left(handler))
    }

    fn on_swarm_event(&mut self, event: FromSwarm) {
        let connection = connection_of(&event);
        if !connection.is_some_and(|connection| self.is_guest(connection)) {
            return self.inside.on_swarm_event(event);
        }
        // One that the limits denied after it was received here is over, too.
        if let FromSwarm::ConnectionClosed(_) | FromSwarm::ListenFailure(_) = event {
            self.guests.retain(|guest| Some(*guest) != connection);
        }
    }

    fn on_connection_handler_event(
        &mut self,
        peer: PeerId,
        connection: ConnectionId,
        event: THandlerOutEvent<Self>,
    ) {
        match event {
            Either::Left(event) => {
                let inside = &mut self.inside;
                inside.on_connection_handler_event(peer, connection, event);
            }
            Either::Right(event) => self.said.push_back((peer, connection, event)),
        }
    }

    fn poll(
        &mut self,
        context: &mut Context<'_>,
    ) -> Poll<ToSwarm<Self::ToSwarm, THandlerInEvent<Self>>> {
        if let Some((peer, connection, event)) = self.said.pop_front() {
            let said = DoorEvent::Guest(peer, connection, event);
            return Poll::Ready(ToSwarm::GenerateEvent(said));
        }
        loop {
            let event = match self.inside.poll(context) {
                Poll::Ready(event) => event,
                Poll::Pending => return Poll::Pending,
            };
            // Nothing inside knows of guests; what is for any connection of a node that has become one since is for nobody.
            if let ToSwarm::NotifyHandler {
                peer_id, handler, ..
            } = &event
            {
                let for_guest = match handler {
                    NotifyHandler::One(connection) => self.is_guest(*connection),
                    NotifyHandler::Any => !self.gate.admits(peer_id),
                };
                if for_guest {
                    continue;
                }
            }
            return Poll::Ready(event.map_in(Either::Left).map_out(DoorEvent::Inside));
        }
    }
}
