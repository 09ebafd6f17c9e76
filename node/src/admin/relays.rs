//! What the administrator hears of relays: of those that this node uses, of the one that it hosts, and who is reached through one.

use maillon_protocol::admin::Verdict;

use super::findings::Findings;
use crate::{
    daemon::Node,
    network::{
        NetworkStatus, Via,
        relay::{HostStatus, RelayStatus, RelayTrouble},
    },
};

/// A relay that was lost a moment ago is on its way back.
const PATIENCE: std::time::Duration = std::time::Duration::from_secs(60);

impl Node {
    /// What a person should know of relays.
    pub(super) async fn relays(&self, findings: &mut Findings) {
        let Ok(status) = self.network.status().await else {
            return;
        };
        let names = self.care.names();
        for relay in &status.relays {
            let name = names.of(&relay.relay.node);
            match &relay.held {
                Some(_) => findings.add(
                    Verdict::Good,
                    format!("this node can be reached through the relay of {name}"),
                    None,
                ),
                None => findings.add(weight(relay), away(relay, &name), Some("maillonctl doctor")),
            }
        }
        if let Some(host) = self.hosted_relay() {
            findings.hosted_relay(&host);
        }
    }

    /// The relays that this node uses, for `doctor`: those at which it holds a place and who is reached through them, or those that are away.
    pub(crate) fn relays_hold(&self, status: &NetworkStatus) -> Result<String, String> {
        let names = self.care.names();
        let away: Vec<String> = status
            .relays
            .iter()
            .filter(|relay| weight(relay) > Verdict::Good)
            .map(|relay| away(relay, &names.of(&relay.relay.node)))
            .collect();
        if !away.is_empty() {
            return Err(away.join("; "));
        }
        let reached: Vec<String> = status
            .nodes
            .iter()
            .filter_map(|node| match node.connected?.via {
                Via::Relay(relay) => Some(format!(
                    "{} is reached through the relay of {}",
                    names.of(&node.node),
                    names.of(&relay)
                )),
                Via::Quic | Via::Tcp => None,
            })
            .collect();
        Ok(match (status.relays.len(), reached.is_empty()) {
            (0, _) => "no relay is used".to_owned(),
            (_, true) => {
                "every relay takes this node; nobody is reached through one now".to_owned()
            }
            (_, false) => reached.join("; "),
        })
    }
}

fn weight(relay: &RelayStatus) -> Verdict {
    match (&relay.held, relay.last_trouble) {
        (Some(_), _) | (None, None) => Verdict::Good,
        (None, Some((RelayTrouble::Ended, ago))) if ago < PATIENCE => Verdict::Good,
        (None, Some(_)) => Verdict::Look,
    }
}

/// That a relay does not take this node, and why.
fn away(relay: &RelayStatus, name: &str) -> String {
    let why = relay.last_trouble.map_or_else(
        || "no answer so far".to_owned(),
        |(trouble, _)| trouble.to_string(),
    );
    format!("this node holds no place at the relay of {name}: {why}")
}

impl Findings {
    /// The relay that this node hosts.
    fn hosted_relay(&mut self, host: &HostStatus) {
        if host.allowed == 0 {
            self.add(
                Verdict::Look,
                "this node hosts a relay and allows nobody to use it: name nodes in [relay] allow of maillon.toml and restart, or take [relay] listen out",
                None,
            );
            return;
        }
        let refused = host.refused;
        let limited = refused.connections + refused.reservations + refused.circuits;
        self.add(
            Verdict::Good,
            format!(
                "this node relays for others: {} of {} allowed nodes hold a place, {} connections pass, {} MB since the start, {} strangers refused",
                host.reservations,
                host.allowed,
                host.circuits,
                host.bytes >> 20,
                refused.strangers
            ),
            None,
        );
        if limited > 0 {
            self.add(
                Verdict::Look,
                format!(
                    "the relay of this node has refused {limited} times because a limit was reached: {} connections, {} places, {} circuits; see [relay] in maillon.toml",
                    refused.connections, refused.reservations, refused.circuits
                ),
                None,
            );
        }
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;
    use crate::network::{DialTrouble, relay::Refusals};

    fn relay(trouble: RelayTrouble, ago: u64) -> RelayStatus {
        let node = maillon_protocol::keys::NodeKey::from_seed(&[7; 32]).id();
        RelayStatus {
            relay: format!("/dns/relay.example.org/tcp/443/p2p/{node}")
                .parse()
                .expect("a relay"),
            held: None,
            last_trouble: Some((trouble, Duration::from_secs(ago))),
            next_attempt: None,
        }
    }

    #[test]
    fn a_relay_that_does_not_take_this_node_wants_a_look_and_one_that_was_just_lost_does_not() {
        let unreachable = RelayTrouble::Dial(DialTrouble::NothingListens);
        for trouble in [RelayTrouble::NotTaken, RelayTrouble::Full, unreachable] {
            let status = relay(trouble, 1);
            assert_eq!(weight(&status), Verdict::Look);
            let sentence = away(&status, "CPTS du Vallon");
            assert!(sentence.contains("CPTS du Vallon"), "{sentence}");
            assert!(sentence.contains(&trouble.to_string()), "{sentence}");
        }
        assert_eq!(weight(&relay(RelayTrouble::Ended, 1)), Verdict::Good);
        assert_eq!(weight(&relay(RelayTrouble::Ended, 61)), Verdict::Look);
    }

    #[test]
    fn a_relay_that_serves_nobody_or_has_reached_a_limit_wants_a_look() {
        let judged = |host: &HostStatus| {
            let mut findings = Findings::default();
            findings.hosted_relay(host);
            findings.judged()
        };
        let mut host = HostStatus::default();
        assert_eq!(judged(&host).0, Verdict::Look);
        host.allowed = 2;
        let (verdict, _, _, notices) = judged(&host);
        assert_eq!(verdict, Verdict::Good);
        assert!(notices[0].sentence.contains("0 of 2"), "{notices:?}");
        host.refused = Refusals {
            strangers: 9,
            not_there: 3,
            ..Refusals::default()
        };
        assert_eq!(judged(&host).0, Verdict::Good, "nothing to do about these");
        host.refused.circuits = 4;
        let (verdict, _, reasons, _) = judged(&host);
        assert_eq!(verdict, Verdict::Look);
        assert!(reasons[0].sentence.contains("4 circuits"), "{reasons:?}");
    }
}
