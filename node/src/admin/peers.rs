//! One peer in full.

use maillon_protocol::{
    admin::{ErrorCode, Peer},
    descriptor::{Descriptor, StructureKind},
    ids::NodeId,
    replica::{Row, Rows},
    sign::Unverified,
};

use super::errors::Refusal;
use crate::daemon::Node;

impl Node {
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
        let descriptor = self
            .ledger
            .shared()
            .rows()
            .get(&Row::Descriptor(*node))
            .ok()
            .flatten()
            .and_then(|bytes| Unverified::<Descriptor>::parse(bytes).ok())
            .map(|descriptor| descriptor.object);
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
            dpo: descriptor.map(|one| one.dpo).unwrap_or_default(),
            circles: self
                .ledger
                .shared()
                .circles()
                .iter()
                .filter(|circle| circle.charter.is_member(node) && circle.charter.is_member(&own))
                .count() as u64,
            transport: status
                .and_then(|one| one.connected.map(|connected| connected.via.to_string())),
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
