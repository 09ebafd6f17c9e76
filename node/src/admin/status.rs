//! Must I do something? Reasons, each with its weight and, where there is one, the command to type; and notices, which weigh nothing.

use maillon_protocol::admin::{ClockState, PeerLine, Reason, Relation, Status, Verdict, Worker};

use crate::{daemon::Node, demo};

/// Free bytes below which the administrator must act.
const DISK_ACT: u64 = 200 << 20;
/// Free bytes below which the administrator should look.
const DISK_LOOK: u64 = 2 << 30;
const DAY_MS: u64 = 24 * 3600 * 1000;
/// How long something may wait for a peer that is away before the administrator should look.
const AWAY_MS: u64 = 3 * DAY_MS;
/// For how long a clock that ran ahead is a reason to look; what is older is a line of the past.
const AHEAD_MS: u64 = 7 * DAY_MS;

/// What was found, each with its weight; [`Verdict::Good`] for a notice.
#[derive(Default)]
struct Findings(Vec<(Verdict, Reason)>);

impl Findings {
    fn add(&mut self, weight: Verdict, sentence: impl Into<String>, command: Option<&str>) {
        self.0.push((
            weight,
            Reason {
                sentence: sentence.into(),
                command: command.map(str::to_owned),
            },
        ));
    }

    fn disk(&mut self, free: u64) {
        let weight = match free {
            0..DISK_ACT => Verdict::Act,
            DISK_ACT..DISK_LOOK => Verdict::Look,
            _ => return,
        };
        let sentence = format!(
            "the disk of the data folder has {} MB left: make room; a full disk refuses what people write",
            free >> 20
        );
        self.add(weight, sentence, Some("df -h"));
    }

    /// `since` says for how long something has been waiting for a peer.
    fn away(&mut self, peer: &PeerLine, since: u64) {
        if !peer.connected && peer.relation != Relation::Ended && since > AWAY_MS {
            let sentence = format!(
                "{} records have been waiting for {} for {} days: call its administrator",
                peer.waiting,
                peer.structure,
                since / DAY_MS
            );
            let command = format!("maillonctl peer show {}", peer.node);
            self.add(Verdict::Look, sentence, Some(&command));
        }
    }

    fn clocks(&mut self, clock: &ClockState) {
        let recent: Vec<_> = clock
            .ahead
            .iter()
            .filter(|one| one.last_ms + AHEAD_MS > clock.now_ms)
            .collect();
        if let [one] = recent[..] {
            let sentence = format!(
                "the clock of {} runs ahead of this one, by {} minutes when it last wrote: call its administrator",
                one.structure,
                one.by_ms / 60_000
            );
            let command = format!("maillonctl peer show {}", one.node);
            self.add(Verdict::Look, sentence, Some(&command));
        } else if recent.len() > 1 {
            let sentence = format!(
                "the clocks of {} structures run ahead of this one: it is this machine's clock that is behind",
                recent.len()
            );
            self.add(Verdict::Look, sentence, Some("timedatectl"));
        }
    }

    fn workers(&mut self, workers: &[Worker]) {
        for worker in workers {
            let failed = worker.last_error.as_ref().filter(|(at_ms, _)| {
                worker
                    .last_success_ms
                    .is_none_or(|success| success < *at_ms)
            });
            if let Some((_, error)) = failed {
                let sentence = format!("the worker {} failed: {error}", worker.name);
                self.add(Verdict::Look, sentence, Some("maillonctl worker list"));
            }
        }
    }

    /// Verdict, sentence, reasons with the most serious first, notices.
    fn judged(mut self) -> (Verdict, String, Vec<Reason>, Vec<Reason>) {
        self.0.sort_by_key(|(weight, _)| std::cmp::Reverse(*weight));
        let verdict = self.0.first().map_or(Verdict::Good, |(weight, _)| *weight);
        let of = |wanted: Verdict| {
            self.0
                .iter()
                .filter(|(weight, _)| *weight == wanted)
                .count()
        };
        let sentence = match (verdict, of(verdict)) {
            (Verdict::Good, _) => "the node runs".to_owned(),
            (Verdict::Look, 1) => "the node runs, and one thing wants a look".to_owned(),
            (Verdict::Look, count) => format!("the node runs, and {count} things want a look"),
            (Verdict::Act, 1) => "one thing cannot wait".to_owned(),
            (Verdict::Act, count) => format!("{count} things cannot wait"),
        };
        let (reasons, notices): (Vec<_>, Vec<_>) = self
            .0
            .into_iter()
            .partition(|(weight, _)| *weight > Verdict::Good);
        let plain = |all: Vec<(Verdict, Reason)>| all.into_iter().map(|(_, one)| one).collect();
        (verdict, sentence, plain(reasons), plain(notices))
    }
}

impl Node {
    pub(super) async fn status(&self, now_ms: u64) -> Status {
        let own = self.ledger.shared().descriptor().object;
        let peers = self.peer_lines(now_ms).await;
        let disk_free = self.disk_free();
        let clock = ClockState {
            now_ms,
            // A row that cannot be read is what `doctor` is for.
            ahead: self.care.clocks_ahead().unwrap_or_default(),
        };
        let mut findings = Findings::default();
        findings.disk(disk_free);
        self.waiting_too_long(&mut findings, &peers, now_ms);
        findings.clocks(&clock);
        findings.workers(&self.workers.list());
        self.confirmations(&mut findings, now_ms);
        let refused: u64 = peers.iter().map(|peer| peer.refused).sum();
        if refused > 0 {
            findings.add(
                Verdict::Look,
                format!(
                    "{refused} things that peers sent were refused or kept aside since the start"
                ),
                Some("maillonctl doctor"),
            );
        }
        self.care_commands(&mut findings);
        let (verdict, sentence, reasons, notices) = findings.judged();
        Status {
            verdict,
            sentence,
            reasons,
            notices,
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
            clock,
            last_backup_ms: None,
            care_commands: self.config.admin.care_commands,
        }
    }

    /// Peers for whom something has been waiting for days. What waits is dated by the records themselves, so a restart forgets nothing.
    fn waiting_too_long(&self, findings: &mut Findings, peers: &[PeerLine], now_ms: u64) {
        let concerned = |peer: &&PeerLine| !peer.connected && peer.waiting > 0;
        if !peers.iter().any(|peer| concerned(&peer)) {
            return;
        }
        // What cannot be read is what `doctor` is for.
        let outbox = self.care.outbox().unwrap_or_default();
        for peer in peers.iter().filter(concerned) {
            let oldest = outbox
                .iter()
                .filter(|line| line.node == peer.node)
                .map(|line| line.oldest_ms)
                .min();
            let last_seen = peer.last_seen_ms.unwrap_or(0);
            if let Some(oldest) = oldest {
                findings.away(peer, now_ms.saturating_sub(oldest.max(last_seen)));
            }
        }
    }

    fn confirmations(&self, findings: &mut Findings, now_ms: u64) {
        let here = self.peering.pairings(now_ms);
        for pairing in here
            .iter()
            .filter(|one| one.words.is_some() && !one.confirmed_here && one.failed.is_none())
        {
            let with = pairing.structure.as_deref().unwrap_or("another structure");
            let name: String = pairing.pairing.chars().take(12).collect();
            findings.add(
                Verdict::Look,
                format!("a pairing with {with} waits until the five words have been compared"),
                Some(&format!("maillonctl peer confirm {name}")),
            );
        }
    }

    fn care_commands(&self, findings: &mut Findings) {
        if !self.config.admin.care_commands {
            return;
        }
        if demo::holds(&self.dir) {
            findings.add(
                Verdict::Good,
                "this is the demonstration: care content is shown on this socket, and nobody in it exists",
                None,
            );
        } else {
            let path = self.dir.join(crate::config::FILE_NAME);
            let path = std::path::absolute(&path).unwrap_or(path);
            findings.add(
                Verdict::Look,
                format!(
                    "care content is shown and written on this socket, which is right for people who do not exist only: set care_commands = false in [admin] of {} and restart",
                    path.display()
                ),
                None,
            );
        }
    }

    pub(super) async fn peer_lines(&self, now_ms: u64) -> Vec<PeerLine> {
        let network = self.network.status().await.ok();
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
                        now_ms.saturating_sub(u64::try_from(ago.as_millis()).unwrap_or(u64::MAX))
                    }),
                    waiting: self.care.waiting_for(&node),
                    refused: self.scores.score(&node).problems.values().sum(),
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

#[cfg(test)]
mod tests {
    use maillon_protocol::{admin::ClockAhead, ids::NodeId};

    use super::*;

    const NOW: u64 = 1_795_348_800_000;

    fn ahead(node: u8, last_ms: u64) -> ClockAhead {
        ClockAhead {
            node: NodeId([node; 32]),
            structure: "CPTS du Vallon".to_owned(),
            records: 3,
            last_ms,
            by_ms: 55 * 60_000,
        }
    }

    fn of_clocks(ahead: Vec<ClockAhead>) -> (Verdict, Vec<Reason>) {
        let mut findings = Findings::default();
        findings.clocks(&ClockState { now_ms: NOW, ahead });
        let (verdict, _, reasons, _) = findings.judged();
        (verdict, reasons)
    }

    #[test]
    fn one_clock_ahead_is_theirs_and_several_mean_that_ours_is_behind() {
        assert_eq!(of_clocks(Vec::new()).0, Verdict::Good);
        let (verdict, theirs) = of_clocks(vec![ahead(1, NOW)]);
        assert_eq!(verdict, Verdict::Look);
        assert!(theirs[0].sentence.contains("55 minutes"), "{theirs:?}");
        let (_, ours) = of_clocks(vec![ahead(1, NOW), ahead(2, NOW)]);
        assert_eq!(ours[0].command.as_deref(), Some("timedatectl"));
        assert_eq!(of_clocks(vec![ahead(1, NOW - 8 * DAY_MS)]).0, Verdict::Good);
    }

    #[test]
    fn a_notice_weighs_nothing_and_the_most_serious_reason_comes_first() {
        let mut findings = Findings::default();
        findings.add(Verdict::Good, "worth knowing", None);
        assert!(
            matches!(findings.judged(), (Verdict::Good, _, reasons, notices)
            if reasons.is_empty() && notices.len() == 1)
        );
        let mut findings = Findings::default();
        findings.add(Verdict::Look, "later", None);
        findings.disk(DISK_ACT - 1);
        let (verdict, sentence, reasons, _) = findings.judged();
        assert_eq!((verdict, reasons.len()), (Verdict::Act, 2));
        assert_eq!(sentence, "one thing cannot wait");
        assert_eq!(reasons[0].command.as_deref(), Some("df -h"));
    }

    #[test]
    fn a_worker_that_has_succeeded_since_its_error_is_no_reason() {
        let worker = |success, error| Worker {
            name: "verify".to_owned(),
            does: String::new(),
            state: "idle".to_owned(),
            queue: 0,
            last_success_ms: success,
            last_error: Some((error, "a row does not open".to_owned())),
            tranquillity: 0,
        };
        let verdict = |worker| {
            let mut findings = Findings::default();
            findings.workers(&[worker]);
            findings.judged().0
        };
        assert_eq!(verdict(worker(Some(2), 1)), Verdict::Good);
        assert_eq!(verdict(worker(Some(1), 2)), Verdict::Look);
        assert_eq!(verdict(worker(None, 2)), Verdict::Look);
    }
}
