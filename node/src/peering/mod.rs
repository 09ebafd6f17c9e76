//! Who this node's peers are, and how they become so.
//!
//! A node speaks to its peers, to the fellow members of its circles, and to nobody else. This room keeps that list: from rows of its own
//! (who was paired, and how they stand), from the committed charters (who is a fellow), and by carrying out two administrators' pairing,
//! whose rules are those of [`maillon_protocol::pairing`].
//!
//! It promises:
//!
//! - **Nothing said before it is kept.** Each step of a pairing is one commit; the peer that a pairing makes and the descriptor that says
//!   where it is are in the commit of the step that made it. A pairing goes on after a restart of either side.
//! - **A door that is closed.** Pairing listens while an invitation waits for somebody, and stops when none does. Four connections at once,
//!   twenty a minute, and silence closes them.
//! - **Patience.** An accepter dials again with growing waits, one minute at most, until both sides know that both have confirmed, or until
//!   the invitation is refused for good.
//! - **At once.** Who is suspended or whose peering has ended is cut off when the call returns, as a fellow too. Common circles go on
//!   through others.
//!
//! It does not tell a node that it was suspended, and it does not hide that this node listens for pairing from whoever tries its ports. An
//! accepter that rejects while it is not connected is not heard: the inviter waits until its time is over.

mod config;
mod converse;
mod course;
mod door;
mod error;
mod pursuit;
mod room;
mod rows;
mod who;
mod words;

use std::sync::Arc;

use libp2p::identity::Keypair;
use maillon_protocol::{
    admin::{self, Relation},
    ids::NodeId,
    limits,
    pairing::{Effect, Invitation, PairingError, Pending, Role},
};
use tokio::{sync::broadcast, time::timeout};

pub use config::{PeeringConfig, PeeringEvent};
pub use error::PeeringError;

use self::{
    course::Course,
    room::{Asked, Room},
    rows::Standing,
};
use crate::{
    audit::By,
    clock::now_ms,
    ledger::Ledger,
    network::{AllowList, NetworkHandle},
    random::SystemRandom,
};

/// The peers of this node. Dropped, it stops what it does in the background; [`Peering::stop`] also waits for that.
pub struct Peering(Arc<Room>);

impl Drop for Peering {
    fn drop(&mut self) {
        self.0.stop.cancel();
    }
}

impl Peering {
    /// Loads what is kept, lets those in who may connect, and goes on with pairings that are not finished. Must be called within a tokio
    /// runtime.
    ///
    /// # Errors
    /// [`PeeringError::Store`], [`PeeringError::Damaged`], [`PeeringError::Network`].
    pub async fn start(
        ledger: Ledger,
        network: NetworkHandle,
        allow: AllowList,
        identity: Keypair,
        config: PeeringConfig,
        events: broadcast::Sender<PeeringEvent>,
    ) -> Result<Arc<Self>, PeeringError> {
        let room = Room::load(ledger, network, allow, identity, config, events)?;
        let peering = Self(Arc::new(room));
        let room = &peering.0;
        room.refresh().await?;
        for course in room.courses() {
            let accepter = course.look(|pending| pending.role() == Role::Accepter);
            if accepter && Room::is_pursued(&course) {
                room.pursue(course);
            }
        }
        room.tasks.spawn(Arc::clone(room).sweep());
        Ok(Arc::new(peering))
    }

    /// Makes an invitation, valid for seven days, and listens for whoever comes with it. The text holds a secret: it is shown once, to the
    /// administrator, and is not kept in this form.
    ///
    /// # Errors
    /// [`PeeringError::NoAddress`], [`PeeringError::TooMany`], [`PeeringError::Network`], [`PeeringError::Commit`].
    pub async fn invite(&self, by: By) -> Result<admin::PeerInvitation, PeeringError> {
        let room = Arc::clone(&self.0);
        let inviting = async move {
            let mut door = room.door.lock().await;
            let result = async {
                let addresses = room.open_door(&mut door).await?;
                let invitation = Invitation::new(
                    room.ledger.shared().own(),
                    room.advertised(addresses),
                    now_ms(),
                    limits::INVITATION_LIFE_MS,
                    &mut SystemRandom,
                )?;
                let answer = admin::PeerInvitation {
                    pairing: invitation.id.to_string(),
                    text: invitation.to_text().to_string(),
                    expires_ms: invitation.expires_ms,
                };
                let asked = Asked {
                    by,
                    action: "peer.invite",
                };
                room.begin(Pending::invite(invitation), asked).await?;
                Ok(answer)
            };
            let result = result.await;
            // Where it failed, the door may be open for nobody.
            room.look.notify_one();
            result
        };
        self.0.to_the_end(inviting).await
    }

    /// Accepts an invitation: dials its node, and answers when there are words to compare. The pairing goes on in the background.
    ///
    /// # Errors
    /// [`PeeringError::Invitation`] and [`PeeringError::Pairing`] end it; after [`PeeringError::NotYet`] it goes on.
    pub async fn accept(&self, by: By, text: &str) -> Result<admin::Pairing, PeeringError> {
        let invitation = Invitation::from_text(text)?;
        let pending = Pending::accept(invitation, self.0.ledger.shared().own(), now_ms())?;
        let room = Arc::clone(&self.0);
        let course = self
            .0
            .to_the_end(async move { room.take(by, pending).await })
            .await?;
        let mut changes = course.changed.subscribe();
        let answered = changes.wait_for(|_| course.is_answered());
        let in_time = timeout(self.0.config.accept_wait, answered).await.is_ok();
        match (course.failed(), in_time) {
            (Some(error), _) => Err(error.into()),
            (None, true) => Ok(course.view(now_ms())),
            (None, false) => Err(PeeringError::NotYet {
                pairing: course.id.to_string(),
                reason: course
                    .trouble()
                    .unwrap_or_else(|| "no answer so far".to_owned()),
            }),
        }
    }

    /// This node's administrator has heard the same words. `pairing` is its name or the beginning of it; `words` are taken with or without
    /// capitals, accents, spaces and hyphens.
    ///
    /// # Errors
    /// [`PeeringError::Pairing`] where these are not the words or it is too late, [`PeeringError::WhichPairing`],
    /// [`PeeringError::Over`], [`PeeringError::Commit`].
    pub async fn confirm(
        &self,
        by: By,
        pairing: &str,
        words: &str,
    ) -> Result<admin::Pairing, PeeringError> {
        let course = self.0.named(pairing)?;
        let words = words.to_owned();
        let asked = Asked {
            by,
            action: "peer.confirm",
        };
        self.decide(course, asked, move |pending, now_ms| {
            let present = pending.words().ok_or(PairingError::NotBound)?;
            match words::same(&present, &words) {
                true => pending.confirm(&present, now_ms),
                false => Err(PairingError::OtherWords),
            }
        })
        .await
    }

    /// The words differ, or nobody wants this pairing any more.
    ///
    /// # Errors
    /// As [`Peering::confirm`].
    pub async fn reject(&self, by: By, pairing: &str) -> Result<admin::Pairing, PeeringError> {
        let course = self.0.named(pairing)?;
        let asked = Asked {
            by,
            action: "peer.reject",
        };
        self.decide(course, asked, |pending, _| pending.reject())
            .await
    }

    async fn decide(
        &self,
        course: Arc<Course>,
        asked: Asked,
        decision: impl FnOnce(&mut Pending, u64) -> Result<Vec<Effect>, PairingError> + Send + 'static,
    ) -> Result<admin::Pairing, PeeringError> {
        let room = Arc::clone(&self.0);
        let deciding = async move {
            let step = room.step(&course, Some(asked), decision).await?;
            for message in step.say {
                if !course.say(message) {
                    // No connection: an accepter makes one, an inviter waits for it.
                    course.again.notify_one();
                }
            }
            Ok(course.view(now_ms()))
        };
        self.0.to_the_end(deciding).await
    }

    /// Every pairing that is kept: those under way, and those that ended, until their time is over. The latest to expire comes first.
    pub fn pairings(&self, now_ms: u64) -> Vec<admin::Pairing> {
        let mut all: Vec<_> = self
            .0
            .courses()
            .iter()
            .map(|course| course.view(now_ms))
            .collect();
        all.sort_by(|a, b| (b.expires_ms, &b.pairing).cmp(&(a.expires_ms, &a.pairing)));
        all
    }

    /// How a node is known here; not at all for a stranger.
    pub fn relation(&self, node: &NodeId) -> Option<Relation> {
        self.0.relation(node)
    }

    /// Everybody who was paired, and all fellow members, in the order of their NodeIds.
    pub fn peers(&self) -> Vec<(NodeId, Relation)> {
        self.0.relations().into_iter().collect()
    }

    /// Closes the connections to a peer and refuses it, as a fellow member too, until it is resumed.
    ///
    /// # Errors
    /// [`PeeringError::NotAPeer`], [`PeeringError::Commit`].
    pub async fn suspend(&self, by: By, node: &NodeId) -> Result<(), PeeringError> {
        self.stand(by, *node, Standing::Suspended).await
    }

    /// Ends a suspension.
    ///
    /// # Errors
    /// As [`Peering::suspend`].
    pub async fn resume(&self, by: By, node: &NodeId) -> Result<(), PeeringError> {
        self.stand(by, *node, Standing::Active).await
    }

    /// Ends a peering: as [`Peering::suspend`], until both administrators pair the nodes again.
    ///
    /// # Errors
    /// As [`Peering::suspend`].
    pub async fn end(&self, by: By, node: &NodeId) -> Result<(), PeeringError> {
        self.stand(by, *node, Standing::Ended).await
    }

    async fn stand(&self, by: By, node: NodeId, to: Standing) -> Result<(), PeeringError> {
        let room = Arc::clone(&self.0);
        self.0
            .to_the_end(async move { room.stand(by, node, to).await })
            .await
    }

    /// Brings the network in line with the peers, the charters and the descriptors. To be called after charters or descriptors change; this
    /// room calls it when peers do.
    ///
    /// # Errors
    /// [`PeeringError::Network`], and [`PeeringError::Storage`] or [`PeeringError::Damaged`] for the first descriptor that cannot be read;
    /// the others are done then.
    pub async fn refresh(&self) -> Result<(), PeeringError> {
        let room = Arc::clone(&self.0);
        self.0.to_the_end(async move { room.refresh().await }).await
    }

    /// Stops listening, dialling and talking, and waits until nothing of this room runs. What is committed goes on at the next start.
    pub async fn stop(&self) {
        self.0.stop.cancel();
        self.0.tasks.close();
        self.0.tasks.wait().await;
    }
}

impl Room {
    /// Takes a pasted invitation. Pasted again, one that has bound goes on, and any other begins anew.
    async fn take(self: &Arc<Self>, by: By, pending: Pending) -> Result<Arc<Course>, PeeringError> {
        // One at a time.
        let _door = self.door.lock().await;
        let before = self.course(&pending.id());
        let _turn = match &before {
            Some(before) => Some(before.turn.lock().await),
            None => None,
        };
        if let Some(before) = before.as_ref().filter(|c| c.look(|p| p.words().is_some())) {
            return Ok(Arc::clone(before));
        }
        let asked = Asked {
            by,
            action: "peer.accept",
        };
        let course = self.begin(pending, asked).await?;
        self.pursue(Arc::clone(&course));
        Ok(course)
    }

    /// Forgets what is over, and opens the door where it should be open: at the start, and after a failure.
    async fn sweep(self: Arc<Self>) {
        let mut times = tokio::time::interval(self.config.sweep_every);
        times.set_missed_tick_behavior(tokio::time::MissedTickBehavior::Delay);
        loop {
            tokio::select! {
                () = self.stop.cancelled() => return,
                _ = times.tick() => {}
            }
            let now_ms = now_ms();
            for course in self.courses() {
                if course.look(|pending| pending.is_over(now_ms))
                    && let Err(error) = self.delete(&course, true).await
                {
                    tracing::warn!(%error, "a pairing that is over stays in the store");
                }
            }
            self.look.notify_one();
            let mut door = self.door.lock().await;
            if self.door_is_needed()
                && !self.stop.is_cancelled()
                && let Err(error) = self.open_door(&mut door).await
            {
                tracing::error!(%error, "nobody can come for an open invitation");
            }
        }
    }
}
