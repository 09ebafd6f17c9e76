//! `peer test`: one peer is tried now, and where it cannot be reached, what was tried and what to do about it.
//!
//! A silence that was chosen at this node is told apart from one that was not: nothing is tried then.

use maillon_protocol::{
    admin::{ErrorCode, Relation},
    ids::NodeId,
};

use super::errors::Refusal;
use crate::{
    audit::{About, By},
    daemon::{Node, REACHED_WITHIN},
    network::{DialTrouble, Trouble},
    peering::PeeringError,
};

impl Node {
    /// Refuses a peer whose silence was chosen at this node.
    ///
    /// # Errors
    /// [`ErrorCode::Unreachable`], with how to end it.
    pub(super) fn may_be_tried(&self, node: &NodeId) -> Result<(), Refusal> {
        chosen(self.peering.relation(node), node).map_or(Ok(()), Err)
    }

    /// Tries to reach a peer now, and waits for it.
    ///
    /// # Errors
    /// [`ErrorCode::Unreachable`], with what was tried; the attempt has its line of the audit trail then.
    pub(super) async fn reach(&self, by: By, node: &NodeId) -> Result<(), Refusal> {
        self.may_be_tried(node)?;
        self.network
            .retry(*node)
            .await
            .map_err(PeeringError::from)?;
        self.wait_connected(node).await;
        if self.is_connected(node) {
            return Ok(());
        }
        self.leave_lines(by, "peer.test", vec![About::node(*node)])
            .await;
        let addresses = self
            .descriptor_of(node)
            .map(|descriptor| descriptor.addresses)
            .unwrap_or_default();
        let status = self.network.status().await.map_err(PeeringError::from)?;
        let trouble = status
            .nodes
            .iter()
            .find(|one| one.node == *node)
            .and_then(|one| one.last_trouble)
            // What went wrong before is no answer to this attempt.
            .filter(|(_, ago)| *ago <= REACHED_WITHIN)
            .map(|(trouble, _)| trouble);
        Err(unreached(&addresses, trouble, node))
    }
}

/// A silence that an administrator of this node has chosen.
fn chosen(relation: Option<Relation>, node: &NodeId) -> Option<Refusal> {
    let (cause, action) = match relation? {
        Relation::Suspended => (
            "the peering is suspended at this node, so nothing was tried: nothing is sent to this peer or taken from it",
            format!("to take the suspension back: `maillonctl peer resume {node}`"),
        ),
        Relation::Ended => (
            "the peering has ended at this node, so nothing was tried",
            "to link the two again, both administrators pair them anew: `maillonctl peer invite`"
                .to_owned(),
        ),
        Relation::Replaced => (
            "another node stands in this one's place, so nothing was tried",
            "`maillonctl peer show` of this node names the other".to_owned(),
        ),
        Relation::Revoked => (
            "the node has said itself that its identity is used no more, so nothing was tried",
            "call its administrator: a new node takes its place, and both administrators pair it"
                .to_owned(),
        ),
        Relation::Peer | Relation::Fellow => return None,
    };
    Some(Refusal::new(ErrorCode::Unreachable, cause, action))
}

/// What was tried, what came of it, and what to do.
fn unreached(addresses: &[String], trouble: Option<Trouble>, node: &NodeId) -> Refusal {
    let trouble = trouble.unwrap_or(Trouble::Dial(DialTrouble::NoAnswer));
    let cause = if addresses.is_empty() {
        "this peer cannot be reached: no address of it is known, so that this node can only wait for it"
            .to_owned()
    } else {
        format!(
            "this peer cannot be reached; tried for {} seconds at {}: {trouble}",
            REACHED_WITHIN.as_secs(),
            addresses.join(" and ")
        )
    };
    let whom = format!("their administrator, whom `maillonctl peer show {node}` names");
    let advice = match trouble {
        Trouble::Dial(DialTrouble::NothingListens) => {
            format!("their node is down, or its address or port has changed: call {whom}")
        }
        Trouble::Dial(DialTrouble::NoAddress) => format!(
            "an address that can be dialled belongs into [network] advertise at their side: call {whom}"
        ),
        Trouble::Dial(DialTrouble::NoAnswer | DialTrouble::Unreachable | DialTrouble::GivenUp) => {
            format!(
                "look at this machine's way out and at the address, then call {whom}, and ask whether their node runs and their firewall lets it be dialled"
            )
        }
        Trouble::Dial(DialTrouble::AnotherNode) => format!(
            "the address belongs to another node now, or somebody stands in between: call {whom}"
        ),
        Trouble::Dial(DialTrouble::RefusedThere) => {
            format!("they have suspended or ended the peering at their side: call {whom}")
        }
        Trouble::Dial(DialTrouble::OtherRelay) => format!(
            "the relay in its address belongs into [relay] through at this node, or another way to them must be agreed on: call {whom}"
        ),
        Trouble::Dial(DialTrouble::NotAtRelay) => {
            format!("their node is down, or cut off from the relay too: call {whom}")
        }
        Trouble::Dial(DialTrouble::RelayFull) => {
            "call the relay's administrator: `maillonctl doctor` names the relay".to_owned()
        }
        Trouble::Dial(DialTrouble::RelayFailed) => format!(
            "see `maillonctl doctor` for what this node hears of its relays, then call {whom}"
        ),
        Trouble::Dial(DialTrouble::Limit) => {
            "this node has no room for more connections: look at its log".to_owned()
        }
        Trouble::Dial(DialTrouble::NotAllowed) => "see `maillonctl peer list`".to_owned(),
        Trouble::NotSpoken | Trouble::Unruly => {
            format!("one of the two nodes needs an update: call {whom}")
        }
        Trouble::Silent | Trouble::Ended | Trouble::Link(_) => {
            format!("they stopped or restarted it; if it stays away, call {whom}")
        }
    };
    Refusal::new(
        ErrorCode::Unreachable,
        cause,
        format!("{advice}. This node goes on trying by itself, and nothing that waits is lost"),
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    const NODE: NodeId = NodeId([7; 32]);

    #[test]
    fn a_silence_that_was_chosen_here_is_told_with_how_to_end_it() {
        let suspended = chosen(Some(Relation::Suspended), &NODE).expect("refused");
        assert_eq!(suspended.code, ErrorCode::Unreachable);
        assert!(suspended.cause.contains("suspended at this node"));
        let resume = format!("maillonctl peer resume {NODE}");
        assert!(suspended.action.contains(&resume), "{}", suspended.action);
        let ended = chosen(Some(Relation::Ended), &NODE).expect("refused");
        assert!(ended.action.contains("maillonctl peer invite"));
        assert!(chosen(Some(Relation::Peer), &NODE).is_none());
        assert!(chosen(Some(Relation::Fellow), &NODE).is_none());
    }

    #[test]
    fn what_was_tried_and_what_came_of_it_is_said_with_whom_to_call() {
        let addresses = ["/ip4/192.0.2.1/udp/4001/quic-v1", "/ip4/192.0.2.1/tcp/4001"];
        let addresses = addresses.map(str::to_owned);
        for (trouble, cause, action) in [
            (Some(DialTrouble::NothingListens), "nothing listens", "down"),
            (
                Some(DialTrouble::RefusedThere),
                "refuses",
                "suspended or ended",
            ),
            (None, "no answer in time", "firewall"),
        ] {
            let said = unreached(&addresses, trouble.map(Trouble::Dial), &NODE);
            assert_eq!(said.code, ErrorCode::Unreachable);
            assert!(said.cause.contains("10 seconds"), "{}", said.cause);
            assert!(
                said.cause.contains(&addresses.join(" and ")),
                "{}",
                said.cause
            );
            assert!(said.cause.contains(cause), "{}", said.cause);
            assert!(said.action.contains(action), "{}", said.action);
            let whom = format!("maillonctl peer show {NODE}");
            assert!(said.action.contains(&whom), "{}", said.action);
        }
        let nowhere = unreached(&[], Some(Trouble::Dial(DialTrouble::NoAddress)), &NODE);
        assert!(nowhere.cause.contains("no address of it is known"));
    }
}
