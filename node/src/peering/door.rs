//! The inviter's side: pairing listens while somebody may come for an open invitation, and not a moment longer.

use std::{sync::Arc, time::Duration};

use futures::FutureExt;
use libp2p::Multiaddr;
use maillon_protocol::{
    ids::NodeId,
    limits,
    pairing::{Inviter, Message, PairingError, Role},
};
use tokio::{task::JoinSet, time::timeout};

use super::{
    PeeringError,
    converse::{Ended, Machine, converse, refuse},
    room::Room,
};
use crate::{
    clock::now_ms,
    network::pairing::{FrameStream, PairingListener},
    random::SystemRandom,
};

/// Longest wait for the system to say on which addresses it listens.
const LISTENING: Duration = Duration::from_secs(5);

impl Room {
    /// Opens the door, unless it is open, and says where. `door` is the content of [`Room::door`].
    pub(super) async fn open_door(
        self: &Arc<Self>,
        door: &mut Option<Vec<Multiaddr>>,
    ) -> Result<Vec<Multiaddr>, PeeringError> {
        if let Some(addresses) = door {
            return Ok(addresses.clone());
        }
        let config = self.config.pairing();
        if config.listen.is_empty() {
            return Err(PeeringError::NoAddress);
        }
        let mut listener = PairingListener::start(&config, &self.identity)?;
        let mut addresses = Vec::new();
        while addresses.len() < config.listen.len() {
            match timeout(LISTENING, listener.address()).await {
                Ok(Some(address)) => addresses.push(address),
                _ => break,
            }
        }
        // An address such as 0.0.0.0 stands for several.
        while let Some(Some(address)) = listener.address().now_or_never() {
            addresses.push(address);
        }
        if addresses.is_empty() {
            return Err(PeeringError::NoAddress);
        }
        *door = Some(addresses.clone());
        self.tasks.spawn(Arc::clone(self).keep_door(listener));
        Ok(addresses)
    }

    /// What invitations name.
    pub(super) fn advertised(&self, listening: Vec<Multiaddr>) -> Vec<String> {
        let addresses = match self.config.advertise.is_empty() {
            true => listening,
            false => self.config.advertise.clone(),
        };
        addresses
            .iter()
            .take(limits::INVITATION_ADDRESSES)
            .map(Multiaddr::to_string)
            .collect()
    }

    pub(super) fn door_is_needed(&self) -> bool {
        let now_ms = now_ms();
        self.courses()
            .iter()
            .any(|course| course.awaits_guests(now_ms))
    }

    async fn keep_door(self: Arc<Self>, mut listener: PairingListener) {
        let mut guests = JoinSet::new();
        let at_once = self.config.pairing().at_once as usize;
        loop {
            tokio::select! {
                () = self.stop.cancelled() => break,
                arrival = listener.next(), if guests.len() < at_once => match arrival {
                    Some((node, stream)) => { guests.spawn(Arc::clone(&self).guest(node, stream)); }
                    None => break,
                },
                Some(_) = guests.join_next() => {}
                () = self.look.notified() => {}
            }
            if guests.is_empty() && !self.door_is_needed() {
                let mut door = self.door.lock().await;
                if !self.door_is_needed() {
                    listener.stop().await;
                    *door = None;
                    return;
                }
            }
        }
        // Guests watch the same signal.
        while guests.join_next().await.is_some() {}
        let mut door = self.door.lock().await;
        listener.stop().await;
        *door = None;
    }

    async fn guest(self: Arc<Self>, node: NodeId, stream: FrameStream) {
        tokio::select! {
            () = self.stop.cancelled() => {}
            () = self.receive(node, stream) => {}
        }
    }

    /// One node that came.
    async fn receive(&self, node: NodeId, mut stream: FrameStream) {
        // A node that says nothing, or breaks off, is not worth a word.
        let Ok(Some(bytes)) = stream.recv().await else {
            return;
        };
        let message = match Message::from_bytes(&bytes) {
            Ok(message) => message,
            Err(error) => {
                refuse(stream, error).await;
                return;
            }
        };
        let course = match &message {
            Message::Open { invitation, .. } => self
                .course(invitation)
                .filter(|course| course.look(|pending| pending.role() == Role::Inviter)),
            other => {
                refuse(stream, PairingError::Unexpected(other.name())).await;
                return;
            }
        };
        let Some(course) = course else {
            refuse(stream, PairingError::Unknown).await;
            return;
        };
        let own = self.ledger.shared().descriptor();
        let machine = Machine::Inviter(Inviter::new(own, node, &mut SystemRandom));
        match converse(self, &course, machine, stream, Some(message)).await {
            Ended::Politely => {}
            Ended::Refused(error) => {
                tracing::warn!(node = %node.short(), %error, "a pairing connection was refused");
            }
            Ended::Broken(reason) => {
                tracing::debug!(node = %node.short(), reason, "a pairing connection broke");
            }
        }
    }
}
