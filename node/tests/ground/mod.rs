//! The ground that tests of one node stand on: a real database in a folder, without a network.

use std::path::Path;

use maillon_node::{
    ledger::Ledger,
    store::{Options, StorageKey, Store},
};
use maillon_protocol::{
    descriptor::{Descriptor, StructureKind},
    ids::Hash,
    keys::{NodeKey, SealKey},
    replica::Keys,
    seal::SUITE,
    sign::sign,
};

/// Until when the sealing key is good, Unix milliseconds: past the end of any test.
const LATER_MS: u64 = 4_000_000_000_000;

/// The ledger of a structure in a folder; the same seed gives the same node.
pub(crate) fn ledger(folder: &Path, seed: u8, name: &str) -> Ledger {
    let key = StorageKey::new(&[seed; 32]);
    let store = Store::open(folder, &key, Options::default()).expect("a store");
    let key = NodeKey::from_seed(&[seed; 32]);
    let seal = SealKey::from_seed(&[seed; 32], LATER_MS);
    let descriptor = Descriptor {
        version: 1,
        node: key.id(),
        counter: 1,
        name: name.to_owned(),
        kind: StructureKind::Dac,
        finess: String::new(),
        territory: String::new(),
        addresses: Vec::new(),
        suite: SUITE.to_owned(),
        seal: seal.public().clone(),
        protocols: (1, 1),
        administrator: String::new(),
        dpo: String::new(),
        recovery: Hash([7; 32]),
    };
    let descriptor = sign(descriptor, &key);
    let keys = Keys {
        node: key,
        seals: vec![seal],
    };
    Ledger::start(store, keys, descriptor).expect("a ledger")
}
