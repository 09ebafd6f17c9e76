//! Must I do something? What the node knows, put together for one answer.

use maillon_protocol::admin::{ClockState, PeerLine, Status, Verdict};

use super::findings::Findings;
use crate::{daemon::Node, demo};

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
        if let Some(trouble) = self.ledger.shared().rows().0.trouble() {
            let sentence = format!("the last thing written was not kept: {trouble}");
            findings.add(Verdict::Act, sentence, Some("df -h"));
        }
        for live in self.config.test.live() {
            let sentence = format!(
                "this node is under test: {live}; take the section [test] out of maillon.toml and restart"
            );
            findings.add(Verdict::Act, sentence, None);
        }
        self.identities(&mut findings);
        self.requests(&mut findings);
        self.erasures(&mut findings);
        self.unconfirmed(&mut findings);
        self.waiting_too_long(&mut findings, &peers, now_ms);
        for peer in &peers {
            findings.suspended(peer);
        }
        findings.clocks(&clock);
        findings.workers(&self.workers.list());
        self.relays(&mut findings).await;
        self.confirmations(&mut findings, now_ms);
        let refused: u64 = peers.iter().map(|peer| peer.refused).sum();
        if refused > 0 {
            findings.add(
                Verdict::Look,
                match refused {
                    1 => "one thing that a peer sent was refused or kept aside since the start".to_owned(),
                    _ => format!(
                        "{refused} things that peers sent were refused or kept aside since the start"
                    ),
                },
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

    /// After a restore: circles for which this node signs nothing yet.
    fn unconfirmed(&self, findings: &mut Findings) {
        let circles = self.ledger.shared().circles();
        let own = self.ledger.shared().own();
        let waiting = circles
            .iter()
            .filter(|circle| circle.unconfirmed && circle.charter.state().steward == own)
            .count();
        let which = match waiting {
            0 => return,
            1 => "one circle waits".to_owned(),
            _ => format!("{waiting} circles wait"),
        };
        let sentence = format!(
            "this node was restored from a copy, and {which} until another member has been met: nobody is admitted or removed there before. Where no other structure has been in the circle since, confirm it yourself"
        );
        findings.add(
            Verdict::Look,
            sentence,
            Some("maillonctl circle confirm --all"),
        );
    }

    /// What members ask of this node, the steward of their circles.
    fn requests(&self, findings: &mut Findings) {
        // What cannot be read is what `doctor` is for.
        let which = match self.care.requests_here().unwrap_or(0) {
            0 => return,
            1 => "one request for a change of a circle waits".to_owned(),
            count => format!("{count} requests for changes of circles wait"),
        };
        findings.add(
            Verdict::Look,
            format!("{which} for the steward's answer"),
            Some("maillonctl circle requests"),
        );
    }

    /// What other structures ask this one to erase.
    fn erasures(&self, findings: &mut Findings) {
        let what = match self.care.erasures_here().unwrap_or(0) {
            0 => return,
            1 => "one record is to be erased, and waits".to_owned(),
            count => format!("{count} records are to be erased, and wait"),
        };
        findings.add(
            Verdict::Look,
            format!("{what} for this structure's word"),
            Some("maillonctl erasure list"),
        );
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
        let seen = self.peers_seen(now_ms).await.into_iter();
        seen.map(|one| one.line).collect()
    }
}
