//! Pairings and peers; one peer in full.

use maillon_protocol::{
    admin::{Answer, Call, ErrorCode, Peer, Peers},
    descriptor::StructureKind,
    ids::NodeId,
};

use super::{calls::misrouted, errors::Refusal};
use crate::{care::Actor, daemon::Node, network::Via};

impl Node {
    /// Calls about pairings and peers.
    pub(super) async fn peer_call(
        &self,
        actor: &Actor,
        call: Call,
        now_ms: u64,
    ) -> Result<Answer, Refusal> {
        let by = actor.by();
        Ok(match call {
            Call::PeerInvite => Answer::PeerInvitation(self.peering.invite(by).await?),
            Call::PeerAccept { invitation } => {
                Answer::Pairing(self.peering.accept(by, &invitation).await?)
            }
            Call::PeerConfirm { pairing, words } => {
                Answer::Pairing(self.peering.confirm(by, &pairing, &words).await?)
            }
            Call::PeerReject { pairing } => {
                Answer::Pairing(self.peering.reject(by, &pairing).await?)
            }
            Call::PeerList => Answer::Peers(Peers {
                peers: self.peer_lines(now_ms).await,
                // What has become a peer stands among the peers.
                pairings: self
                    .peering
                    .pairings(now_ms)
                    .into_iter()
                    .filter(|one| !one.paired)
                    .collect(),
            }),
            Call::PeerShow { peer } => {
                Answer::Peer(self.peer(&self.node_named(&peer)?, now_ms).await?)
            }
            Call::PeerTest { peer } => {
                let node = self.node_named(&peer)?;
                self.reach(by, &node).await?;
                Answer::Peer(self.peer(&node, now_ms).await?)
            }
            Call::PeerRetry { peer } => {
                let nodes = match peer {
                    Some(peer) => {
                        let node = self.node_named(&peer)?;
                        self.may_be_tried(&node)?;
                        vec![node]
                    }
                    None => {
                        let peers = self.peering.peers().into_iter().map(|(node, _)| node);
                        peers
                            .filter(|node| self.may_be_tried(node).is_ok())
                            .collect()
                    }
                };
                if nodes.is_empty() {
                    return Err(Refusal::new(
                        ErrorCode::NotFound,
                        "there is no peer that may be tried",
                        "see `maillonctl peer list`",
                    ));
                }
                for node in nodes {
                    let _ = self.network.retry(node).await;
                }
                Answer::Ok
            }
            Call::PeerSuspend { peer } => {
                self.peering.suspend(by, &self.node_named(&peer)?).await?;
                Answer::Ok
            }
            Call::PeerResume { peer } => {
                self.peering.resume(by, &self.node_named(&peer)?).await?;
                Answer::Ok
            }
            Call::PeerEnd { peer } => {
                self.peering.end(by, &self.node_named(&peer)?).await?;
                Answer::Ok
            }
            Call::PeerReplace { old, new, circles } => {
                let (old, new) = (self.node_named(&old)?, self.node_named(&new)?);
                Answer::Replaced(self.replace_peer(actor, old, new, circles).await?)
            }
            _ => return Err(misrouted()),
        })
    }

    pub(super) async fn peer(&self, node: &NodeId, now_ms: u64) -> Result<Peer, Refusal> {
        let line = self
            .peer_lines(now_ms)
            .await
            .into_iter()
            .find(|line| line.node == *node)
            .ok_or_else(|| {
                Refusal::new(
                    ErrorCode::NotFound,
                    "no peer has this name",
                    "see `maillonctl peer list`",
                )
            })?;
        let descriptor = self.descriptor_of(node);
        let network = self.network.status().await.ok();
        let status = network
            .as_ref()
            .and_then(|all| all.nodes.iter().find(|one| one.node == *node));
        let score = self.scores.score(node);
        let own = self.ledger.shared().own();
        let mut frames: Vec<(String, u64)> = score.frames.into_iter().collect();
        if let Some(status) = status {
            for (name, flow) in [
                ("identify", &status.traffic.identify),
                ("ping", &status.traffic.ping),
            ] {
                frames.push((format!("{name}.streams"), flow.streams));
            }
            frames.push(("sync.in.bytes".to_owned(), status.frames.bytes_in));
            frames.push(("sync.out.bytes".to_owned(), status.frames.bytes_out));
        }
        Ok(Peer {
            kind: descriptor
                .as_ref()
                .map_or(StructureKind::Other, |one| one.kind),
            finess: descriptor
                .as_ref()
                .map(|one| one.finess.clone())
                .unwrap_or_default(),
            territory: descriptor
                .as_ref()
                .map(|one| one.territory.clone())
                .unwrap_or_default(),
            addresses: descriptor
                .as_ref()
                .map(|one| one.addresses.clone())
                .unwrap_or_default(),
            administrator: descriptor
                .as_ref()
                .map(|one| one.administrator.clone())
                .unwrap_or_default(),
            recovery: descriptor.as_ref().map(|one| one.recovery),
            dpo: descriptor.map(|one| one.dpo).unwrap_or_default(),
            circles: self
                .ledger
                .shared()
                .circles()
                .iter()
                .filter(|circle| circle.charter.is_member(node) && circle.charter.is_member(&own))
                .count() as u64,
            transport: status
                .and_then(|one| one.connected)
                .map(|connected| match connected.via {
                    Via::Relay(_) => "relay".to_owned(),
                    direct => direct.to_string(),
                }),
            round_trip_us: status
                .and_then(|one| one.rtt)
                .map(|rtt| u64::try_from(rtt.as_micros()).unwrap_or(u64::MAX)),
            next_attempt_ms: status
                .and_then(|one| one.next_attempt)
                .map(|wait| u64::try_from(wait.as_millis()).unwrap_or(u64::MAX)),
            frames,
            problems: score.problems.into_iter().collect(),
            line,
        })
    }
}
