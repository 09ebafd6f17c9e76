//! How many connections a minute a listener takes from whoever comes.

use std::{
    convert::Infallible,
    task::{Context, Poll},
    time::{Duration, Instant},
};

use libp2p::{
    Multiaddr, PeerId,
    core::{Endpoint, transport::PortUse},
    swarm::{
        ConnectionDenied, ConnectionId, FromSwarm, NetworkBehaviour, THandler, THandlerInEvent,
        THandlerOutEvent, ToSwarm, dummy,
    },
};

const MINUTE: Duration = Duration::from_secs(60);

/// A bucket of time: a connection costs its part of a minute, and the bucket holds one minute.
#[derive(Debug, Clone)]
pub(super) struct Pace {
    cost: Duration,
    saved: Duration,
    counted: Instant,
}

impl Pace {
    /// So many at most at once, and in each minute.
    pub(super) fn new(per_minute: u32, now: Instant) -> Self {
        Self {
            cost: MINUTE / per_minute.max(1),
            saved: MINUTE,
            counted: now,
        }
    }

    /// Takes one, where there is one.
    pub(super) fn take(&mut self, now: Instant) -> bool {
        let passed = now.saturating_duration_since(self.counted);
        self.counted = now;
        self.saved = self.saved.saturating_add(passed).min(MINUTE);
        match self.saved.checked_sub(self.cost) {
            Some(left) => {
                self.saved = left;
                true
            }
            None => false,
        }
    }
}

/// Too many connections came in the last minute.
#[derive(Debug, Clone, Copy, thiserror::Error)]
#[error("too many connections in a minute")]
struct TooFast;

/// The behaviour that keeps the pace: it speaks no protocol, and refuses before the handshake.
pub(super) struct Doorkeeper(pub(super) Pace);

impl NetworkBehaviour for Doorkeeper {
    type ConnectionHandler = dummy::ConnectionHandler;
    type ToSwarm = Infallible;

    fn handle_pending_inbound_connection(
        &mut self,
        _: ConnectionId,
        _: &Multiaddr,
        _: &Multiaddr,
    ) -> Result<(), ConnectionDenied> {
        match self.0.take(Instant::now()) {
            true => Ok(()),
            false => Err(ConnectionDenied::new(TooFast)),
        }
    }

    fn handle_established_inbound_connection(
        &mut self,
        _: ConnectionId,
        _: PeerId,
        _: &Multiaddr,
        _: &Multiaddr,
    ) -> Result<THandler<Self>, ConnectionDenied> {
        Ok(dummy::ConnectionHandler)
    }

    fn handle_established_outbound_connection(
        &mut self,
        _: ConnectionId,
        _: PeerId,
        _: &Multiaddr,
        _: Endpoint,
        _: PortUse,
    ) -> Result<THandler<Self>, ConnectionDenied> {
        Ok(dummy::ConnectionHandler)
    }

    fn on_swarm_event(&mut self, _: FromSwarm) {}

    fn on_connection_handler_event(
        &mut self,
        _: PeerId,
        _: ConnectionId,
        event: THandlerOutEvent<Self>,
    ) {
        match event {}
    }

    fn poll(&mut self, _: &mut Context<'_>) -> Poll<ToSwarm<Infallible, THandlerInEvent<Self>>> {
        Poll::Pending
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_crowd_is_let_in_evenly() {
        let start = Instant::now();
        let mut pace = Pace::new(6, start);
        let admitted = |pace: &mut Pace, now| (0..100).filter(|_| pace.take(now)).count();
        assert_eq!(admitted(&mut pace, start), 6);
        assert_eq!(admitted(&mut pace, start + Duration::from_secs(9)), 0);
        assert_eq!(admitted(&mut pace, start + Duration::from_secs(20)), 2);
        assert_eq!(admitted(&mut pace, start + Duration::from_secs(3600)), 6);
    }
}
