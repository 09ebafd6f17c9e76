//! Who may connect: active peers and fellow members, without those whom this node has suspended or whose peering has ended.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::PoisonError;

use libp2p::Multiaddr;
use maillon_protocol::{
    admin::Relation,
    cbor,
    descriptor::Descriptor,
    ids::NodeId,
    replica::{Replica, Row, Rows},
    sign::Unverified,
};

use super::{
    PeeringError, PeeringEvent,
    room::Room,
    rows::{self, PeerRow, Standing},
};
use crate::{
    audit::{self, About, By},
    network::NetworkError,
    store::Table,
};

impl Room {
    fn standing(&self, node: &NodeId) -> Option<Standing> {
        let peers = self.peers.read().unwrap_or_else(PoisonError::into_inner);
        peers.get(node).map(|row| row.standing)
    }

    /// Those whom the circles list that list this node, without itself. Who has left is among them until an entry says so: its word and what it
    /// wrote last pass on.
    fn fellows(&self) -> BTreeSet<NodeId> {
        let me = self.ledger.shared().own();
        let circles = self.ledger.shared().circles();
        let ours = circles
            .iter()
            .filter(|circle| circle.charter.listed(&me).is_some());
        ours.flat_map(|circle| circle.charter.state().members.iter())
            .map(|member| member.node)
            .filter(|node| *node != me)
            .collect()
    }

    /// Nodes that are refused whatever else they are: revoked by themselves, or replaced by an administrator's word.
    fn refused(&self) -> BTreeMap<NodeId, Relation> {
        // What cannot be read, `doctor` tells; sessions look at the same rows again.
        let fates = Replica::fates(self.ledger.shared().rows()).unwrap_or_default();
        let refused = fates.iter().filter(|fate| fate.is_refused());
        refused
            .map(|fate| {
                let replaced = fate.confirmed_ms != 0;
                let relation = if replaced {
                    Relation::Replaced
                } else {
                    Relation::Revoked
                };
                (fate.node, relation)
            })
            .collect()
    }

    pub(super) fn relation(&self, node: &NodeId) -> Option<Relation> {
        let known = match self.standing(node) {
            Some(standing) => Some(relation(standing)),
            None => self.fellows().contains(node).then_some(Relation::Fellow),
        };
        known.map(|known| self.refused().get(node).copied().unwrap_or(known))
    }

    pub(super) fn relations(&self) -> BTreeMap<NodeId, Relation> {
        let fellows = self.fellows().into_iter();
        let mut all: BTreeMap<_, _> = fellows.map(|node| (node, Relation::Fellow)).collect();
        let peers = self.peers.read().unwrap_or_else(PoisonError::into_inner);
        all.extend(peers.values().map(|row| (row.node, relation(row.standing))));
        for (node, refused) in self.refused() {
            all.entry(node).and_modify(|known| *known = refused);
        }
        all
    }

    /// Reads a peer's row again after its commit: whoever comes last has read the newest.
    pub(super) fn reread(&self, node: &NodeId) -> Result<(), PeeringError> {
        let key = rows::peer_key(self.store().namer(), node);
        let mut peers = self.peers.write().unwrap_or_else(PoisonError::into_inner);
        match self.store().get(Table::Peers, &key)? {
            Some(bytes) => {
                let row = cbor::decode(&bytes).map_err(|_| PeeringError::Damaged("peer"))?;
                peers.insert(*node, row);
            }
            None => {
                peers.remove(node);
            }
        }
        Ok(())
    }

    /// Changes how a peer stands. An ended peering stays ended until both pair again.
    pub(super) async fn stand(
        &self,
        by: By,
        node: NodeId,
        to: Standing,
    ) -> Result<(), PeeringError> {
        let key = rows::peer_key(self.store().namer(), &node);
        let changed = self.ledger.run(move |tx| {
            let held = tx.get(Table::Peers, &key)?.ok_or(PeeringError::NotAPeer)?;
            let held: PeerRow = cbor::decode(&held).map_err(|_| PeeringError::Damaged("peer"))?;
            if held.standing == to {
                return Ok(());
            }
            if held.standing == Standing::Ended {
                return Err(PeeringError::NotAPeer);
            }
            let row = PeerRow {
                node,
                standing: to,
                since_ms: tx.now_ms,
            };
            tx.put(Table::Peers, key, row.to_bytes());
            let action = match to {
                Standing::Active => "peer.resume",
                Standing::Suspended => "peer.suspend",
                Standing::Ended => "peer.end",
            };
            Ok(audit::note(tx, by, action, About::node(node))?)
        });
        changed.await?;
        self.reread(&node)?;
        tracing::info!(node = %node.short(), standing = ?to, "a peering has changed");
        self.renew().await;
        Ok(())
    }

    /// As [`Self::refresh`], where a failure is nobody's answer.
    pub(super) async fn renew(&self) {
        if let Err(error) = self.refresh().await {
            tracing::warn!(%error, "the connections could not all be brought in line with the peers");
        }
    }

    /// Brings the list and the dials in line with who may connect. The list comes first: it is what closes connections.
    pub(super) async fn refresh(&self) -> Result<(), PeeringError> {
        let mut kept = self.kept.lock().await;
        let all = self.relations();
        let may = |relation: &Relation| matches!(relation, Relation::Peer | Relation::Fellow);
        let allowed: BTreeSet<NodeId> = all
            .iter()
            .filter(|(_, relation)| may(relation))
            .map(|(node, _)| *node)
            .collect();
        self.allow.replace(allowed.iter().copied());
        let gone: Vec<NodeId> = kept
            .keys()
            .filter(|node| !allowed.contains(node))
            .copied()
            .collect();
        for node in gone {
            self.network.forget(node).await?;
            kept.remove(&node);
        }
        let mut first_error = None;
        for node in allowed {
            let addresses = match self.addresses(&node) {
                Ok(addresses) => addresses,
                Err(error) => {
                    first_error.get_or_insert(error);
                    continue;
                }
            };
            if kept.get(&node) == Some(&addresses) {
                continue;
            }
            match self.network.keep(node, &addresses).await {
                Ok(()) => {}
                Err(NetworkError::NoUsableAddress { .. }) => {
                    tracing::warn!(node = %node.short(), "no address can be dialled; this node waits for that one");
                    self.network.keep(node, &[]).await?;
                }
                Err(error) => return Err(error.into()),
            }
            kept.insert(node, addresses);
        }
        self.tell(PeeringEvent::Peers);
        first_error.map_or(Ok(()), Err)
    }

    /// Where a node is reached, by its newest descriptor; nowhere where none is held.
    fn addresses(&self, node: &NodeId) -> Result<Vec<Multiaddr>, PeeringError> {
        let Some(bytes) = self.ledger.shared().rows().get(&Row::Descriptor(*node))? else {
            return Ok(Vec::new());
        };
        let descriptor = Unverified::<Descriptor>::parse(bytes)
            .map_err(|_| PeeringError::Damaged("descriptor"))?
            .trust_stored();
        let addresses = descriptor.object.addresses.iter();
        Ok(addresses
            .filter_map(|address| address.parse().ok())
            .collect())
    }
}

const fn relation(standing: Standing) -> Relation {
    match standing {
        Standing::Active => Relation::Peer,
        Standing::Suspended => Relation::Suspended,
        Standing::Ended => Relation::Ended,
    }
}
