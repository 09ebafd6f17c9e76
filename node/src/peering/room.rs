//! What all of peering's tasks share, and the one way in which a pairing changes: a step, committed before anybody hears of it.

use std::{
    collections::{BTreeMap, HashMap},
    sync::{Arc, Mutex, MutexGuard, PoisonError, RwLock},
};

use libp2p::{Multiaddr, identity::Keypair};
use maillon_protocol::{
    descriptor::Descriptor,
    ids::{NodeId, PairingId},
    pairing::{Effect, Message, PairingError, Pending},
    replica::ArriveError,
    sign::Verified,
};
use tokio::sync::{Mutex as Turn, Notify, broadcast};
use tokio_util::{sync::CancellationToken, task::TaskTracker};

use super::{
    PeeringConfig, PeeringError, PeeringEvent,
    course::Course,
    rows::{self, PeerRow, Standing},
};
use crate::{
    audit::{self, About, By, Object},
    clock::now_ms,
    ledger::Ledger,
    network::{AllowList, NetworkHandle},
    shortened,
    store::{Store, Table},
};

/// Pairings that are open at one time.
const OPEN: usize = 64;

pub(super) struct Room {
    pub(super) ledger: Ledger,
    pub(super) network: NetworkHandle,
    pub(super) allow: AllowList,
    pub(super) identity: Keypair,
    pub(super) config: PeeringConfig,
    pub(super) events: broadcast::Sender<PeeringEvent>,
    pub(super) peers: RwLock<BTreeMap<NodeId, PeerRow>>,
    /// Who is kept, and at which addresses.
    pub(super) kept: Turn<BTreeMap<NodeId, Vec<Multiaddr>>>,
    /// The addresses on which pairing listens, while it does. Whoever begins a pairing holds it.
    pub(super) door: Turn<Option<Vec<Multiaddr>>>,
    /// Asks the door whether it is still needed.
    pub(super) look: Notify,
    pub(super) stop: CancellationToken,
    pub(super) tasks: TaskTracker,
    courses: Mutex<HashMap<PairingId, Arc<Course>>>,
}

/// What an administrator asked for: a line of the audit trail, in the same commit.
#[derive(Debug, Clone, Copy)]
pub(super) struct Asked {
    pub(super) by: By,
    pub(super) action: &'static str,
}

/// What a step leaves to be done.
#[derive(Default)]
pub(super) struct Step {
    /// To send, in this order.
    pub(super) say: Vec<Message>,
    /// Why the connection ends after that.
    pub(super) failed: Option<PairingError>,
}

impl Room {
    pub(super) fn load(
        ledger: Ledger,
        network: NetworkHandle,
        allow: AllowList,
        identity: Keypair,
        config: PeeringConfig,
        events: broadcast::Sender<PeeringEvent>,
    ) -> Result<Self, PeeringError> {
        let store = ledger.shared().rows().0.clone();
        let peers = rows::peers(&store)?;
        let courses = rows::pairings(&store)?;
        Ok(Self {
            ledger,
            network,
            allow,
            identity,
            config,
            events,
            peers: RwLock::new(peers.into_iter().map(|row| (row.node, row)).collect()),
            kept: Turn::default(),
            door: Turn::default(),
            look: Notify::new(),
            stop: CancellationToken::new(),
            tasks: TaskTracker::new(),
            courses: Mutex::new(
                courses
                    .into_iter()
                    .map(|pending| (pending.id(), Arc::new(Course::new(pending))))
                    .collect(),
            ),
        })
    }

    pub(super) fn store(&self) -> &Store {
        &self.ledger.shared().rows().0
    }

    fn courses_now(&self) -> MutexGuard<'_, HashMap<PairingId, Arc<Course>>> {
        self.courses.lock().unwrap_or_else(PoisonError::into_inner)
    }

    pub(super) fn courses(&self) -> Vec<Arc<Course>> {
        self.courses_now().values().cloned().collect()
    }

    pub(super) fn course(&self, id: &PairingId) -> Option<Arc<Course>> {
        self.courses_now().get(id).cloned()
    }

    /// The pairing whose name is, or begins like, this.
    pub(super) fn named(&self, name: &str) -> Result<Arc<Course>, PeeringError> {
        let all = self.courses();
        Ok(shortened::one(name, "pairing", all, |course| {
            course.id.to_string()
        })?)
    }

    pub(super) fn tell(&self, event: PeeringEvent) {
        // Nobody listening is no error.
        let _ = self.events.send(event);
    }

    /// Keeps a new pairing, in the place of the one with its name, if there is one.
    pub(super) async fn begin(
        &self,
        pending: Pending,
        asked: Asked,
    ) -> Result<Arc<Course>, PeeringError> {
        let now_ms = now_ms();
        let unfinished = self
            .courses()
            .iter()
            .filter(|course| course.is_unfinished(now_ms))
            .count();
        if unfinished >= OPEN {
            return Err(PeeringError::TooMany(OPEN));
        }
        let course = Arc::new(Course::new(pending));
        self.commit(&course, course.pending(), None, Some(asked))
            .await?;
        let before = self.courses_now().insert(course.id, Arc::clone(&course));
        if let Some(before) = before {
            before.gone.cancel();
        }
        self.tell(PeeringEvent::Pairing(course.id.to_string()));
        Ok(course)
    }

    /// One step of a pairing: nobody else's step is between its beginning and its commit. When it returns, what it says may be sent.
    pub(super) async fn step(
        &self,
        course: &Course,
        asked: Option<Asked>,
        act: impl FnOnce(&mut Pending, u64) -> Result<Vec<Effect>, PairingError> + Send,
    ) -> Result<Step, PeeringError> {
        let turn = course.turn.lock().await;
        if course.gone.is_cancelled() {
            return Err(PeeringError::Over);
        }
        let mut pending = course.pending();
        let mut step = Step::default();
        let (mut store, mut paired, mut news) = (false, None, false);
        for effect in act(&mut pending, now_ms())? {
            match effect {
                Effect::Store => store = true,
                Effect::Send(message) => step.say.push(message),
                Effect::ShowWords(_) => news = true,
                Effect::Paired(descriptor) => paired = Some(descriptor),
                Effect::Failed(error) => step.failed = Some(error),
            }
        }
        let new_peer = paired.is_some();
        if store {
            self.commit(course, pending, paired, asked).await?;
        }
        drop(turn);
        if store || news {
            self.tell(PeeringEvent::Pairing(course.id.to_string()));
            self.look.notify_one();
        }
        if new_peer {
            self.renew().await;
        }
        Ok(step)
    }

    /// Makes a pairing's new state durable, with the peer that it made, in one commit. Where that fails, the stored state counts.
    async fn commit(
        &self,
        course: &Course,
        pending: Pending,
        paired: Option<Box<Verified<Descriptor>>>,
        asked: Option<Asked>,
    ) -> Result<(), PeeringError> {
        let namer = self.store().namer();
        let key = rows::pairing_key(namer, &course.id);
        let bytes = pending.to_bytes();
        let (id, bound) = (course.id, pending.remote());
        let peer = paired.as_ref().map(|descriptor| descriptor.object.node);
        let peer_key = peer.map(|node| (node, rows::peer_key(namer, &node)));
        let done = self.ledger.run(move |tx| {
            tx.put(Table::Peers, key, bytes.to_vec());
            if let Some(asked) = asked {
                let about = About {
                    node: bound,
                    ..About::object(Object::Pairing(id))
                };
                audit::note(tx, asked.by, asked.action, about)?;
            }
            if let (Some((node, key)), Some(descriptor)) = (peer_key, paired) {
                let fate = tx.replica.fate(tx.rows, &node)?;
                if fate.is_some_and(|fate| fate.is_refused()) {
                    return Err(PeeringError::Refused);
                }
                let row = PeerRow {
                    node,
                    standing: Standing::Active,
                    since_ms: tx.now_ms,
                };
                tx.put(Table::Peers, key, row.to_bytes());
                audit::note(tx, By::itself(), "peer.paired", About::node(node))?;
                match tx.replica.take_descriptor(tx.rows, &descriptor) {
                    // Days may have passed since the exchange: a newer one may be here.
                    Ok(()) | Err(ArriveError::OlderDescriptor) => {}
                    Err(ArriveError::Storage(error)) => return Err(PeeringError::Storage(error)),
                    Err(error) => {
                        tracing::warn!(node = %node.short(), %error, "the descriptor held before is kept");
                    }
                }
            }
            Ok(())
        });
        if let Err(error) = done.await {
            if let Ok(Some(stored)) = rows::pairing(self.store(), &course.id) {
                course.committed(stored);
            }
            return Err(error.into());
        }
        course.committed(pending);
        match peer {
            Some(node) => {
                tracing::info!(node = %node.short(), "paired");
                self.reread(&node)
            }
            None => Ok(()),
        }
    }

    /// Ends the row of a pairing, and the pairing itself where `forget`; else it can be looked at until it expires or the node stops.
    pub(super) async fn delete(&self, course: &Course, forget: bool) -> Result<(), PeeringError> {
        let _turn = course.turn.lock().await;
        if course.gone.is_cancelled() {
            return Ok(());
        }
        let key = rows::pairing_key(self.store().namer(), &course.id);
        self.ledger
            .run(move |tx| {
                tx.delete(Table::Peers, key);
                Ok::<_, PeeringError>(())
            })
            .await?;
        if forget {
            course.gone.cancel();
            self.courses_now().remove(&course.id);
        }
        Ok(())
    }

    /// Does something to its end, even if whoever asked for it goes away in between.
    pub(super) async fn to_the_end<T: Send + 'static>(
        self: &Arc<Self>,
        what: impl Future<Output = Result<T, PeeringError>> + Send + 'static,
    ) -> Result<T, PeeringError> {
        if self.stop.is_cancelled() {
            return Err(PeeringError::Stopped);
        }
        self.tasks
            .spawn(what)
            .await
            .map_err(|_| PeeringError::Stopped)?
    }
}
