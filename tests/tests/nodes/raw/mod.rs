//! Clients that are not ours: libp2p alone, with a new key or with that of a node that was stopped.

mod bare;
mod hostile;
mod impostor;
mod listing;
mod objects;
mod offences;
mod tireless;

use std::net::SocketAddr;

use libp2p::{Multiaddr, PeerId, identity::Keypair};
use maillon_node::{
    keystore::{Keystore, Secrets, Unlock},
    ledger::StoreRows,
    store::{Options, StorageKey, Store},
};
use maillon_protocol::{
    cbor::Bytes,
    ids::NodeId,
    keys::NodeKey,
    replica::{Row, Rows},
};
use maillon_tests::daemon::{Daemon, Trouble};
use tokio::runtime::Runtime;

fn runtime() -> Result<Runtime, Trouble> {
    Runtime::new().map_err(Trouble::io("a runtime"))
}

/// Both ways to a daemon, QUIC first.
fn ways(address: SocketAddr) -> Result<[Multiaddr; 2], Trouble> {
    let (ip, port) = (address.ip(), address.port());
    let parse = |text: String| {
        text.parse::<Multiaddr>()
            .map_err(|error| Trouble::wrong(format!("{text}: {error}")))
    };
    Ok([
        parse(format!("/ip4/{ip}/udp/{port}/quic-v1"))?,
        parse(format!("/ip4/{ip}/tcp/{port}"))?,
    ])
}

/// The secrets and the database of a stopped node.
pub(crate) fn opened(daemon: &Daemon) -> Result<(Secrets, Store), Trouble> {
    let dir = daemon.folder();
    let unlock = Unlock::KeyFile(daemon.key_file());
    let (_, secrets): (_, Secrets) =
        Keystore::open(&dir, &unlock).map_err(|error| Trouble::wrong(error.to_string()))?;
    let storage = StorageKey::new(secrets.storage_key.expose());
    let store = Store::open(&dir, &storage, Options::default())
        .map_err(|error| Trouble::wrong(error.to_string()))?;
    Ok((secrets, store))
}

/// What a node is made of, taken from the folder of one that is stopped: whoever has it is that node.
struct Taken {
    keys: Keypair,
    key: NodeKey,
    descriptor: Bytes,
}

impl Taken {
    /// Takes over a stopped node.
    fn of(daemon: &Daemon) -> Result<Self, Trouble> {
        let wrong = |what: &str| Trouble::wrong(format!("{what} of a stopped node"));
        let (secrets, store) = opened(daemon)?;
        let mut seed = *secrets.identity_seed.expose();
        let key = NodeKey::from_seed(&seed);
        let keys = Keypair::ed25519_from_bytes(&mut seed).map_err(|_| wrong("the key"))?;
        let descriptor = StoreRows(store)
            .get(&Row::Descriptor(key.id()))
            .map_err(|error| Trouble::wrong(error.to_string()))?
            .ok_or_else(|| wrong("the descriptor"))?;
        Ok(Self {
            keys,
            key,
            descriptor: Bytes(descriptor),
        })
    }
}

fn peer_id(node: &NodeId) -> Result<PeerId, Trouble> {
    PeerId::from_bytes(&node.peer_id_bytes()).map_err(|error| Trouble::wrong(error.to_string()))
}
