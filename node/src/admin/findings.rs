//! Reasons to do something, each with its weight and, where there is one, the command to type; and notices, which weigh nothing.

use maillon_protocol::admin::{ClockState, PeerLine, Reason, Relation, Verdict, Worker};

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
pub(super) struct Findings(Vec<(Verdict, Reason)>);

impl Findings {
    pub(super) fn add(
        &mut self,
        weight: Verdict,
        sentence: impl Into<String>,
        command: Option<&str>,
    ) {
        self.0.push((
            weight,
            Reason {
                sentence: sentence.into(),
                command: command.map(str::to_owned),
            },
        ));
    }

    pub(super) fn disk(&mut self, free: u64) {
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

    /// A suspended peer is silent because a person decided it: worth knowing, and nothing to do, however much waits.
    pub(super) fn suspended(&mut self, peer: &PeerLine) {
        if peer.relation != Relation::Suspended {
            return;
        }
        let waits = match peer.waiting {
            0 => String::new(),
            1 => "; 1 record waits for it".to_owned(),
            count => format!("; {count} records wait for it"),
        };
        let sentence = format!(
            "the peering with {} is suspended here: nothing is sent to it or taken from it{waits}",
            peer.structure
        );
        let command = format!("maillonctl peer resume {}", peer.node);
        self.add(Verdict::Good, sentence, Some(&command));
    }

    /// `since` says for how long something has been waiting for a peer.
    pub(super) fn away(&mut self, peer: &PeerLine, since: u64) {
        let chosen = !matches!(peer.relation, Relation::Peer | Relation::Fellow);
        if !peer.connected && !chosen && since > AWAY_MS {
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

    pub(super) fn clocks(&mut self, clock: &ClockState) {
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

    pub(super) fn workers(&mut self, workers: &[Worker]) {
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
    pub(super) fn judged(mut self) -> (Verdict, String, Vec<Reason>, Vec<Reason>) {
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

    fn silent(relation: Relation) -> PeerLine {
        PeerLine {
            node: NodeId([8; 32]),
            structure: "CPTS du Vallon".to_owned(),
            relation,
            connected: false,
            relay: None,
            last_seen_ms: None,
            waiting: 12,
            refused: 0,
            last_error: None,
            replaced_by: None,
        }
    }

    #[test]
    fn a_suspended_peer_is_told_with_how_to_resume_it_and_is_never_work_to_do() {
        let judged = |relation| {
            let mut findings = Findings::default();
            findings.suspended(&silent(relation));
            findings.away(&silent(relation), 30 * DAY_MS);
            findings.judged()
        };
        let (verdict, _, reasons, notices) = judged(Relation::Suspended);
        assert_eq!(verdict, Verdict::Good, "{reasons:?}");
        let [notice] = &notices[..] else {
            panic!("{notices:?}");
        };
        let resume = format!("maillonctl peer resume {}", NodeId([8; 32]));
        assert_eq!(notice.command.as_deref(), Some(resume.as_str()));
        assert!(
            notice.sentence.contains("suspended here") && notice.sentence.contains("12 records"),
            "{notice:?}"
        );

        let (verdict, _, _, notices) = judged(Relation::Peer);
        assert!(verdict == Verdict::Look && notices.is_empty());
        let (verdict, _, _, notices) = judged(Relation::Ended);
        assert!(verdict == Verdict::Good && notices.is_empty());
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
