//! Must I do something?

use maillon_protocol::admin::{PeerLine, Reason, Relation, Status, Verdict};

use crate::{clock::now_ms, clocks, daemon::Node};

/// Free bytes below which the administrator must act.
const DISK_ACT: u64 = 200 << 20;
/// Free bytes below which the administrator should look.
const DISK_LOOK: u64 = 2 << 30;
/// How long a peer may be away with something waiting before the administrator should look: three days.
const AWAY_MS: u64 = 3 * 24 * 3600 * 1000;

impl Node {
    pub(super) async fn status(&self) -> Status {
        let own = self.ledger.shared().descriptor().object;
        let peers = self.peer_lines().await;
        let mut reasons = Vec::new();
        let mut verdict = Verdict::Good;
        let mut reason = |level: Verdict, sentence: String, command: &str| {
            verdict = verdict.max(level);
            reasons.push(Reason {
                sentence,
                command: command.to_owned(),
            });
        };
        let disk_free = self.disk_free();
        if disk_free < DISK_ACT {
            reason(
                Verdict::Act,
                format!("the disk has {} MB left", disk_free >> 20),
                "df -h",
            );
        } else if disk_free < DISK_LOOK {
            reason(
                Verdict::Look,
                format!("the disk has {} MB left", disk_free >> 20),
                "df -h",
            );
        }
        if let Some(trouble) = self.ledger.shared().rows().0.trouble() {
            reason(
                Verdict::Act,
                format!("the last thing written was not kept: {trouble}"),
                "df -h",
            );
        }
        let now = now_ms();
        for peer in peers.iter().filter(|peer| peer.relation != Relation::Ended) {
            let away = peer
                .last_seen_ms
                .map_or(now - self.started_ms, |seen| now.saturating_sub(seen));
            if !peer.connected && peer.waiting > 0 && away > AWAY_MS {
                reason(
                    Verdict::Look,
                    format!(
                        "{} has not been reached for {} days and {} records wait",
                        peer.structure,
                        away / 86_400_000,
                        peer.waiting
                    ),
                    "maillonctl peer list",
                );
            }
        }
        if self.config.admin.care_commands {
            reason(
                Verdict::Look,
                "commands on this socket may show and write care content: right for tests and demonstrations only".to_owned(),
                "set care_commands = false in maillon.toml and restart",
            );
        }
        let ahead = clocks::from_ahead(self.ledger.shared(), now);
        let ahead = ahead.map_or(0, |found| found.recent.len());
        if ahead > 0 {
            reason(
                Verdict::Look,
                format!("{ahead} records of the last week came from a clock that runs ahead"),
                "maillonctl doctor",
            );
        }
        for live in self.config.test.live() {
            reason(
                Verdict::Act,
                format!("this node is under test: {live}"),
                "take the section [test] out of maillon.toml and restart",
            );
        }
        let mut kept_aside = 0;
        for peer in &peers {
            kept_aside += self.scores.score(&peer.node).problems.values().sum::<u64>();
        }
        if kept_aside > 0 {
            reason(
                Verdict::Look,
                format!("{kept_aside} things that peers sent were refused or kept aside"),
                "maillonctl doctor",
            );
        }
        let sentence = match verdict {
            Verdict::Good => "Nothing to do.",
            Verdict::Look => "Running; look at this in the next days.",
            Verdict::Act => "Do something now.",
        };
        Status {
            verdict,
            sentence: sentence.to_owned(),
            reasons,
            node: own.node,
            structure: own.name,
            kind: own.kind,
            version: env!("CARGO_PKG_VERSION").to_owned(),
            started_ms: self.started_ms,
            addresses: self.addresses(),
            peers,
            circles: self
                .ledger
                .shared()
                .circles()
                .iter()
                .filter(|circle| circle.charter.is_member(&own.node))
                .count() as u64,
            records: self.ledger.shared().records(),
            disk_free,
            disk_used: self.disk_used(),
            last_backup_ms: None,
            care_commands: self.config.admin.care_commands,
        }
    }

    pub(super) async fn peer_lines(&self) -> Vec<PeerLine> {
        let network = self.network.status().await.ok();
        let now = now_ms();
        self.peering
            .peers()
            .into_iter()
            .map(|(node, relation)| {
                let status = network
                    .as_ref()
                    .and_then(|all| all.nodes.iter().find(|one| one.node == node));
                PeerLine {
                    node,
                    structure: self.care.structure_of(&node),
                    relation,
                    connected: status.is_some_and(|one| one.connected.is_some()),
                    last_seen_ms: status.and_then(|one| one.last_seen).map(|ago| {
                        now.saturating_sub(u64::try_from(ago.as_millis()).unwrap_or(u64::MAX))
                    }),
                    waiting: self.care.waiting_for(&node),
                    last_error: status
                        .filter(|one| one.connected.is_none())
                        .and_then(|one| {
                            one.last_trouble
                                .as_ref()
                                .map(|(trouble, _)| trouble.to_string())
                        }),
                }
            })
            .collect()
    }
}
