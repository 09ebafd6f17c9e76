//! The rows: what they are called and how they are read.
//!
//! In [`Table::Peers`]: `p` and the node's name hold a [`PeerRow`], `q` and the pairing's name hold a [`Pending`].

use maillon_protocol::{
    cbor,
    ids::{NodeId, PairingId},
    pairing::Pending,
};
use minicbor::{Decode, Encode};

use super::PeeringError;
use crate::store::{Namer, Range, Store, Table};

/// How a node that was paired stands here.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Encode, Decode)]
#[cbor(index_only)]
pub(super) enum Standing {
    /// May connect.
    #[n(0)]
    Active,
    /// Refused until it is resumed.
    #[n(1)]
    Suspended,
    /// Refused until both pair again.
    #[n(2)]
    Ended,
}

/// A node that was paired.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Encode, Decode)]
#[cbor(array)]
pub(super) struct PeerRow {
    /// The node.
    #[n(0)]
    pub(super) node: NodeId,
    /// How it stands.
    #[n(1)]
    pub(super) standing: Standing,
    /// Since when, Unix milliseconds.
    #[n(2)]
    pub(super) since_ms: u64,
}

impl PeerRow {
    pub(super) fn to_bytes(self) -> Vec<u8> {
        cbor::encode(&self)
    }
}

pub(super) fn peer_key(namer: &Namer, node: &NodeId) -> Vec<u8> {
    [&b"p"[..], &namer.name("node", &[&node.0])].concat()
}

pub(super) fn pairing_key(namer: &Namer, id: &PairingId) -> Vec<u8> {
    [&b"q"[..], &namer.name("pairing", &[&id.0])].concat()
}

/// Every node that was paired.
pub(super) fn peers(store: &Store) -> Result<Vec<PeerRow>, PeeringError> {
    let mut peers = Vec::new();
    for row in store.scan(Table::Peers, b"p", Range::all())? {
        let (_, bytes) = row?;
        peers.push(cbor::decode(&bytes).map_err(|_| PeeringError::Damaged("peer"))?);
    }
    Ok(peers)
}

/// Every pairing that is kept.
pub(super) fn pairings(store: &Store) -> Result<Vec<Pending>, PeeringError> {
    let mut pairings = Vec::new();
    for row in store.scan(Table::Peers, b"q", Range::all())? {
        pairings.push(pending(row?.1)?);
    }
    Ok(pairings)
}

/// One pairing.
pub(super) fn pairing(store: &Store, id: &PairingId) -> Result<Option<Pending>, PeeringError> {
    store
        .get(Table::Peers, &pairing_key(store.namer(), id))?
        .map(pending)
        .transpose()
}

fn pending(bytes: Vec<u8>) -> Result<Pending, PeeringError> {
    // It may hold the secret.
    let bytes = zeroize::Zeroizing::new(bytes);
    Pending::from_bytes(&bytes).map_err(|_| PeeringError::Damaged("pairing"))
}
