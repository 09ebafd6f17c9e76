//! How this node stands with its peers, for whoever administers it: the same for the socket and the pages.

use std::{collections::BTreeMap, time::Duration};

use maillon_protocol::{
    admin::{PeerLine, Relation},
    descriptor::Descriptor,
    ids::NodeId,
    replica::{Replica, Row, Rows},
    sign::Unverified,
};

use super::Node;
use crate::{
    audit::{About, By},
    network::{NodeStatus, Trouble, Via},
    peering::PeeringError,
};

/// A peer, and why it is not reached.
#[derive(Debug, Clone)]
pub(crate) struct PeerSeen {
    pub(crate) line: PeerLine,
    /// What the last attempt came to; none while it is connected, or where nobody tries.
    pub(crate) trouble: Option<Trouble>,
}

/// When a node was last heard from.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Heard {
    /// Whether it is connected now.
    pub(crate) now: bool,
    /// When something came from it last since this node started, Unix milliseconds.
    pub(crate) last_ms: Option<u64>,
}

impl Node {
    /// When nodes were last heard from; nothing of those that were not since this node started.
    pub(crate) async fn heard_from(&self, now_ms: u64) -> BTreeMap<NodeId, Heard> {
        let network = self.network.status().await.ok();
        let nodes = network.into_iter().flat_map(|all| all.nodes);
        let heard = |one: &NodeStatus| Heard {
            now: one.connected.is_some(),
            last_ms: one.last_seen.map(|ago| before(now_ms, ago)),
        };
        nodes.map(|one| (one.node, heard(&one))).collect()
    }

    /// Everybody who was paired, and all fellow members.
    pub(crate) async fn peers_seen(&self, now_ms: u64) -> Vec<PeerSeen> {
        let network = self.network.status().await.ok();
        let names = self.care.names();
        // A row that cannot be read is what `doctor` is for.
        let fates = Replica::fates(self.ledger.shared().rows()).unwrap_or_default();
        let replaced: BTreeMap<_, _> = fates
            .iter()
            .filter_map(|fate| Some((fate.node, fate.replaced_by()?)))
            .collect();
        let seen = |(node, relation): (NodeId, Relation)| {
            let status = network
                .as_ref()
                .and_then(|all| all.nodes.iter().find(|one| one.node == node));
            // Where nobody tries, nothing fails.
            let tried = status.filter(|one| one.connected.is_none() && is_tried(relation));
            let trouble = tried.and_then(|one| one.last_trouble);
            let trouble = trouble.map(|(trouble, _)| trouble);
            let line = PeerLine {
                node,
                replaced_by: replaced.get(&node).copied(),
                structure: names.of(&node),
                relation,
                connected: status.is_some_and(|one| one.connected.is_some()),
                relay: status.and_then(|one| match one.connected?.via {
                    Via::Relay(relay) => Some(names.of(&relay)),
                    Via::Quic | Via::Tcp => None,
                }),
                last_seen_ms: (status.and_then(|one| one.last_seen)).map(|ago| before(now_ms, ago)),
                waiting: self.care.waiting_for(&node),
                refused: self.scores.score(&node).problems.values().sum(),
                last_error: trouble.as_ref().map(ToString::to_string),
            };
            PeerSeen { line, trouble }
        };
        self.peering.peers().into_iter().map(seen).collect()
    }

    /// What this node says of itself.
    pub(crate) fn own_descriptor(&self) -> Descriptor {
        self.ledger.shared().descriptor().object
    }

    /// What a node says of itself; none where nothing is held that can be read.
    pub(crate) fn descriptor_of(&self, node: &NodeId) -> Option<Descriptor> {
        let row = self.ledger.shared().rows().get(&Row::Descriptor(*node));
        let bytes = row.ok().flatten()?;
        let descriptor = Unverified::<Descriptor>::parse(bytes).ok()?;
        Some(descriptor.object)
    }

    /// Tries to reach a peer without waiting for the next time, with a line in the trail; how that goes is seen at the peer.
    ///
    /// # Errors
    /// [`PeeringError::NotAPeer`] where nobody is tried, [`PeeringError::Network`].
    pub(crate) async fn try_again(&self, by: By, node: NodeId) -> Result<(), PeeringError> {
        if !self.peering.relation(&node).is_some_and(is_tried) {
            return Err(PeeringError::NotAPeer);
        }
        self.network.retry(node).await?;
        self.leave_lines(by, "peer.retry", vec![About::node(node)])
            .await;
        Ok(())
    }
}

fn before(now_ms: u64, ago: Duration) -> u64 {
    now_ms.saturating_sub(u64::try_from(ago.as_millis()).unwrap_or(u64::MAX))
}

/// Whether a node is dialled: nobody's silence was chosen here.
const fn is_tried(relation: Relation) -> bool {
    matches!(relation, Relation::Peer | Relation::Fellow)
}
