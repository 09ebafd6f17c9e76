//! One node, put together: keystore, store, ledger, network, peering, exchange, services, socket, health.
//!
//! [`Node::start`] refuses with a sentence before it touches anything: a missing configuration, a wrong passphrase, a data folder in use or of a newer
//! version. [`Node::stop`] ends in the order in which things depend on each other: socket, exchange, network, ledger.

mod background;
mod describe;
mod erasure;
mod keys;
mod origin;
mod patients;
mod peers;
mod relays;
mod renewal;
mod retention;
mod trail;
mod upkeep;

pub(crate) use peers::{Heard, PeerSeen};

use std::{
    collections::HashSet,
    path::{Path, PathBuf},
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    time::Duration,
};

use libp2p::Multiaddr;
use maillon_protocol::{
    content::{Identifier, IdentifierSystem, Structure},
    ids::{Hash, NodeId},
    keys::NodeKey,
    replica::{Keys, StorageError},
    sync::Limits,
};
use tokio::{
    sync::{broadcast, mpsc},
    task::JoinHandle,
};

use crate::{
    access::{Access, AccessError},
    admin::{AdminSocket, SocketError},
    audit::{self, AuditError},
    care::Care,
    checkpoint::{self, WakeError},
    clock::now_ms,
    config::{Config, ConfigError, FILE_NAME, OutOfRange, multiaddresses},
    doctor,
    exchange::{Exchange, Scores},
    http::Http,
    keystore::{Keystore, KeystoreError, Unlock},
    ledger::{Ledger, LedgerError},
    network::{
        self, AllowList, Network, NetworkConfig, NetworkError, NetworkHandle,
        relay::{HostStatus, RelayHost},
    },
    peering::{Peering, PeeringConfig, PeeringError},
    store::{StorageKey, Store, StoreError},
    web::{Web, WebError},
    workers::Workers,
};

/// For so long `peer test` waits for a connection: one whole attempt, and some more.
pub(crate) const REACHED_WITHIN: Duration = Duration::from_secs(10);

/// Why a node does not start. Each says what to do.
#[derive(Debug, thiserror::Error)]
pub enum StartError {
    /// The configuration.
    #[error(transparent)]
    Config(#[from] ConfigError),
    /// The keystore.
    #[error(transparent)]
    Keystore(#[from] KeystoreError),
    /// The database.
    #[error(transparent)]
    Store(#[from] StoreError),
    /// What was being added when the node stopped.
    #[error("files that were being added cannot be taken away: {0}")]
    Uploads(#[source] crate::care::CareError),
    /// The audit trail of an older program.
    #[error("the audit trail cannot be read: {0}")]
    Audit(#[from] LedgerError<AuditError>),
    /// It was restored, and cannot take note of it.
    #[error(transparent)]
    Restored(#[from] LedgerError<WakeError>),
    /// It stands in another one's place, and cannot take note of it.
    #[error("the statement in the file `replaces` cannot be kept: {0}")]
    Origin(#[from] crate::care::CareError),
    /// Rows.
    #[error(transparent)]
    Rows(#[from] StorageError),
    /// The network.
    #[error(transparent)]
    Network(#[from] NetworkError),
    /// Peering.
    #[error(transparent)]
    Peering(#[from] PeeringError),
    /// The socket.
    #[error(transparent)]
    Socket(#[from] SocketError),
    /// Health.
    #[error("the health server cannot listen on the address of [http]: {0}; give it another port")]
    Http(std::io::Error),
    /// Accounts.
    #[error(transparent)]
    Access(#[from] AccessError),
    /// Pages.
    #[error(transparent)]
    Web(#[from] WebError),
    /// A file of the data folder.
    #[error("the data folder cannot be written: {0}; check its owner and its disk")]
    Folder(std::io::Error),
}

/// Something that happened here and is in no record.
#[derive(Debug, Clone)]
pub enum LocalEvent {
    /// A node connected or disconnected.
    Link {
        /// The node.
        node: NodeId,
        /// Connected now.
        up: bool,
    },
    /// A pairing went on.
    Pairing(String),
}

/// A running node.
pub struct Node {
    /// Its configuration.
    pub config: Config,
    /// Its data folder.
    pub dir: PathBuf,
    /// Running since, Unix milliseconds.
    pub started_ms: u64,
    pub(crate) ledger: Ledger,
    pub(crate) care: Care,
    pub(crate) access: Access,
    pub(crate) network: NetworkHandle,
    pub(crate) peering: Arc<Peering>,
    pub(crate) scores: Arc<Scores>,
    pub(crate) workers: Workers,
    pub(crate) latest: doctor::Latest,
    pub(crate) events: broadcast::Sender<LocalEvent>,
    pub(crate) keyring: tokio::sync::Mutex<keys::Keyring>,
    /// The relay that this node hosts, while it runs.
    relay: Mutex<Option<RelayHost>>,
    exchange: Arc<Exchange>,
    listening: Mutex<Vec<Multiaddr>>,
    connected: tokio::sync::watch::Sender<HashSet<NodeId>>,
    tasks: Mutex<Vec<JoinHandle<()>>>,
    doors: Mutex<Doors>,
}

/// Where the administrator and their tools come in.
#[derive(Default)]
struct Doors {
    socket: Option<AdminSocket>,
    http: Option<Http>,
    web: Option<Web>,
}

impl Node {
    /// Starts the node of a data folder.
    ///
    /// # Errors
    /// [`StartError`].
    pub async fn start(
        dir: &Path,
        config: Config,
        unlock: &Unlock,
    ) -> Result<Arc<Self>, StartError> {
        network::refuse_key_log()?;
        let (keystore, secrets) = Keystore::open(dir, unlock)?;
        if let Err(open) = doctor::folder::closed(dir) {
            tracing::warn!(
                "others of this machine may reach what is kept: {open}; see `maillonctl doctor`"
            );
        }
        let options = keys::store_options(&config);
        let store = Store::open(dir, &StorageKey::new(secrets.storage_key.expose()), options)?;
        let node_key = NodeKey::from_seed(secrets.identity_seed.expose());
        let keyring = keys::Keyring::new(keystore, secrets, &config, now_ms())?;
        let descriptor = describe::first(
            &store,
            &config,
            &node_key,
            keyring.newest(),
            keyring.recovery(),
        )?;
        let ledger = Ledger::start(
            store,
            Keys {
                node: node_key,
                seals: keyring.seal_keys(),
            },
            descriptor,
        )?;
        // From here on something runs: whoever fails stops what runs before it says why.
        let started = match Self::begin_anew(dir, keyring.recovery(), &ledger).await {
            Ok(()) => Self::connect(dir, config, keyring, ledger.clone()).await,
            Err(error) => Err(error),
        };
        if started.is_err() {
            ledger.stop().await;
        }
        started
    }

    /// A node that is a copy from before says nothing to anybody before it knows that it is one.
    async fn begin_anew(dir: &Path, recovery: Hash, ledger: &Ledger) -> Result<(), StartError> {
        if checkpoint::is_one(dir) {
            let waiting = checkpoint::wake(dir, ledger).await?;
            tracing::warn!(
                waiting,
                "this node was restored from a checkpoint: it begins a new incarnation, and signs for the circles that it rules when their head is confirmed"
            );
        }
        if let Some(bytes) = ledger.shared().rows().0.cut() {
            let waiting = checkpoint::wake_from_cut(bytes, ledger).await?;
            tracing::error!(
                bytes,
                waiting,
                "the database's log was cut short: what was written last is gone. This node begins a new incarnation; what others have comes back by itself; see `maillonctl doctor`"
            );
        }
        origin::rotate(dir, recovery, ledger).await?;
        origin::take(dir, ledger).await?;
        let older = audit::follow_older(ledger).await?;
        if older > 0 {
            tracing::info!(older, "lines of the audit trail are listed by file now");
        }
        Ok(())
    }

    /// The network over a running ledger, and everything over that.
    async fn connect(
        dir: &Path,
        config: Config,
        keyring: keys::Keyring,
        ledger: Ledger,
    ) -> Result<Arc<Self>, StartError> {
        let in_file = |wrong: OutOfRange| wrong.in_file(&dir.join(FILE_NAME));
        let identity = network::identity(&mut keyring.identity_seed())?;
        let allow = AllowList::new([]);
        let (sender, network_events) = mpsc::channel(256);
        let tap = config
            .test
            .tap
            .as_deref()
            .map(|path| background::tap(&dir.join(path)))
            .transpose()
            .map_err(StartError::Folder)?;
        let relay_config = config.relay.host().map_err(in_file)?;
        let relay_allowed = config.relay.allowed().map_err(in_file)?;
        let network_config = NetworkConfig {
            listen: multiaddresses("network.listen", &config.network.listen).map_err(in_file)?,
            relays: relays::used(&config, &ledger.shared().own()).map_err(in_file)?,
            cap: Duration::from_secs(config.network.longest_wait_s),
            urgent_cap: Duration::from_secs(config.network.longest_wait_urgent_s),
            tap: tap.clone(),
            ..NetworkConfig::default()
        };
        // Read before anything listens: a wrong value costs nothing then.
        let peering_config = PeeringConfig {
            listen: multiaddresses("network.pairing_listen", &config.network.pairing_listen)
                .map_err(in_file)?,
            advertise: multiaddresses(
                "network.pairing_advertise",
                &config.network.pairing_advertise,
            )
            .map_err(in_file)?,
            ..PeeringConfig::default()
        };
        let relay = relays::host(relay_config, relay_allowed, &identity, tap)?;
        let network = Network::start(network_config, &identity, allow.clone(), sender)?;
        let (peering_events, heard) = broadcast::channel(1024);
        let peering = Peering::start(
            ledger.clone(),
            network.clone(),
            allow,
            identity,
            peering_config,
            peering_events,
        )
        .await;
        let peering = match peering {
            Ok(peering) => peering,
            Err(error) => {
                network.shutdown().await;
                return Err(error.into());
            }
        };
        let scores = Arc::new(Scores::default());
        let limits = Limits {
            round_ms: config.network.compare_every_s * 1000,
            ..Limits::default()
        };
        let exchange = Arc::new(Exchange::new(ledger.clone(), Arc::clone(&scores), limits));
        let structure = Structure {
            name: config.structure.name.clone(),
            identifiers: (!config.structure.finess.is_empty())
                .then(|| Identifier {
                    system: IdentifierSystem::Finess,
                    value: config.structure.finess.clone(),
                })
                .into_iter()
                .collect(),
        };
        let access = Access::start(ledger.clone(), config.web.limits())?;
        let node = Arc::new(Self {
            care: Care::new(ledger.clone(), structure),
            access,
            dir: dir.to_owned(),
            started_ms: now_ms(),
            network,
            peering,
            scores,
            workers: Workers::default(),
            latest: doctor::Latest::default(),
            events: broadcast::channel(1024).0,
            keyring: tokio::sync::Mutex::new(keyring),
            relay: Mutex::new(relay),
            exchange,
            listening: Mutex::new(Vec::new()),
            connected: tokio::sync::watch::Sender::new(HashSet::new()),
            tasks: Mutex::new(Vec::new()),
            doors: Mutex::default(),
            ledger,
            config,
        });
        let left = node
            .care
            .forget_uploads()
            .await
            .map_err(StartError::Uploads)?;
        if left > 0 {
            tracing::info!(
                left,
                "files that were being added when the node stopped were taken away"
            );
        }
        background::start(&node, network_events, heard);
        if let Err(error) = node.open().await {
            node.stop().await;
            return Err(error);
        }
        tracing::info!(node = %node.ledger.shared().own().short(), "started");
        Ok(node)
    }

    /// Opens the doors: the admin socket, health.
    async fn open(self: &Arc<Self>) -> Result<(), StartError> {
        self.load_workers()?;
        let socket = AdminSocket::open(&self.socket_path(), Arc::clone(self)).await?;
        self.doors().socket = Some(socket);
        let http = Http::start(self.config.http.listen, Arc::clone(self))
            .await
            .map_err(StartError::Http)?;
        let address = http.address.to_string();
        self.doors().http = Some(http);
        self.tell_of("http", &address)?;
        if let Some(settings) = self.config.web.settings(&self.dir) {
            let web = Web::start(&settings, Arc::clone(self)).await?;
            let address = web.origin();
            tracing::info!(%address, "pages");
            self.doors().web = Some(web);
            self.tell_of("web", &address)?;
        }
        if let Some(text) = &self.config.test.plant_unsealed {
            std::fs::write(self.dir.join("planted"), text).map_err(StartError::Folder)?;
        }
        Ok(())
    }

    /// Says in the folder `run` where a door is, for those who start the node with a port that the system chooses.
    fn tell_of(&self, door: &str, address: &str) -> Result<(), StartError> {
        let run = self.dir.join("run");
        std::fs::create_dir_all(&run)
            .and_then(|()| std::fs::write(run.join(door), address))
            .map_err(StartError::Folder)
    }

    fn doors(&self) -> MutexGuard<'_, Doors> {
        // Every change is whole; a poisoned lock loses nothing.
        self.doors.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Where the pages are served, where they are.
    pub(crate) fn pages(&self) -> Option<String> {
        let told = self.config.web.address.clone();
        told.or_else(|| self.doors().web.as_ref().map(Web::origin))
    }

    /// Path of the admin socket.
    pub fn socket_path(&self) -> PathBuf {
        self.dir.join(&self.config.admin.socket)
    }

    /// Addresses that the node listens on.
    pub fn addresses(&self) -> Vec<String> {
        self.listening
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .iter()
            .map(ToString::to_string)
            .collect()
    }

    /// The relay that this node hosts, as it is now.
    pub(crate) fn hosted_relay(&self) -> Option<HostStatus> {
        let relay = self.relay.lock().unwrap_or_else(PoisonError::into_inner);
        relay.as_ref().map(RelayHost::status)
    }

    /// Whether a node is connected now.
    pub(crate) fn is_connected(&self, node: &NodeId) -> bool {
        self.connected.borrow().contains(node)
    }

    /// Waits until a node is connected, [`REACHED_WITHIN`] at most.
    pub(crate) async fn wait_connected(&self, node: &NodeId) {
        let mut connected = self.connected.subscribe();
        // Not connected in time is what the answer then shows.
        let _ = tokio::time::timeout(REACHED_WITHIN, connected.wait_for(|all| all.contains(node)))
            .await;
    }

    /// Stops everything, in order; what was committed stays.
    pub async fn stop(&self) {
        let doors = std::mem::take(&mut *self.doors());
        if let Some(socket) = doors.socket {
            socket.close();
        }
        if let Some(http) = doors.http {
            http.stop();
        }
        if let Some(web) = doors.web {
            web.stop().await;
        }
        self.peering.stop().await;
        self.network.shutdown().await;
        let relay = self
            .relay
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .take();
        if let Some(relay) = relay {
            relay.stop().await;
        }
        let tasks: Vec<_> =
            std::mem::take(&mut *self.tasks.lock().unwrap_or_else(PoisonError::into_inner));
        for task in &tasks {
            task.abort();
        }
        // Each holds this node until it is gone, and with it the database: one that is slow to notice is not waited for.
        let gone = futures::future::join_all(tasks);
        let _ = tokio::time::timeout(Duration::from_secs(2), gone).await;
        self.ledger.stop().await;
        // The files only say where doors are while the node runs.
        for door in ["http", "web"] {
            let _ = std::fs::remove_file(self.dir.join("run").join(door));
        }
        tracing::info!("stopped");
    }
}
