//! A relay as the administrator of a node that uses it names it: where it is, and who it is.

use std::{fmt, str::FromStr};

use libp2p::{Multiaddr, multiaddr::Protocol};
use maillon_protocol::ids::NodeId;

use crate::network::{
    allow::{node_id, peer_id},
    transport::is_direct,
};

/// Why a text names no relay.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum RelayNameError {
    /// It is no address, or not one that can be dialled.
    #[error(
        "must be an address such as \"/dns/relay.example.fr/tcp/443/p2p/12D3KooW…\": /ip4, /ip6 or /dns, then /udp/…/quic-v1 or /tcp/…, then /p2p/ and the relay's node"
    )]
    Address,
    /// The address does not end with who is expected there.
    #[error(
        "must end with /p2p/ and the name of the relay's node, which its administrator reads in `maillonctl status`"
    )]
    Nobody,
}

/// A relay that this node uses.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NamedRelay {
    /// Who is expected there.
    pub node: NodeId,
    /// Where, without the node's name.
    pub address: Multiaddr,
}

impl FromStr for NamedRelay {
    type Err = RelayNameError;

    fn from_str(text: &str) -> Result<Self, RelayNameError> {
        let address: Multiaddr = text.parse().map_err(|_| RelayNameError::Address)?;
        let mut parts: Vec<Protocol<'_>> = address.iter().collect();
        let node = match parts.pop() {
            Some(Protocol::P2p(peer)) => node_id(&peer).ok_or(RelayNameError::Nobody)?,
            Some(_) if is_direct(&address) => return Err(RelayNameError::Nobody),
            _ => return Err(RelayNameError::Address),
        };
        let address: Multiaddr = parts.into_iter().collect();
        match is_direct(&address) {
            true => Ok(Self { node, address }),
            false => Err(RelayNameError::Address),
        }
    }
}

impl fmt::Display for NamedRelay {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}/p2p/{}", self.address, self.node)
    }
}

impl NamedRelay {
    /// The address at which others reach this node through the relay: `/…/p2p/RELAY/p2p-circuit`.
    pub fn circuit(&self) -> Multiaddr {
        self.address
            .clone()
            .with(Protocol::P2p(peer_id(&self.node)))
            .with(Protocol::P2pCircuit)
    }
}

/// The relay in an address that leads through one: the node before `/p2p-circuit`. The form before that is not looked at, because nobody
/// dials it: a relay is dialled where its user's administrator says that it is.
pub(in crate::network) fn relay_in(address: &Multiaddr) -> Option<NodeId> {
    let mut last = None;
    for part in address {
        match part {
            Protocol::P2pCircuit => return last,
            Protocol::P2p(peer) => last = node_id(&peer),
            _ => {}
        }
    }
    None
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_relay_is_named_by_where_it_is_and_who_it_is() {
        let node = NodeId::from_peer_id_bytes(
            &libp2p::identity::Keypair::generate_ed25519()
                .public()
                .to_peer_id()
                .to_bytes(),
        )
        .expect("an Ed25519 key");
        let text = format!("/dns/relay.example.org/tcp/443/p2p/{node}");
        let relay: NamedRelay = text.parse().expect("a relay");
        assert_eq!((relay.node, relay.to_string()), (node, text.clone()));
        let circuit = relay.circuit();
        assert_eq!(circuit.to_string(), format!("{text}/p2p-circuit"));
        assert_eq!(relay_in(&circuit), Some(node));
        assert_eq!(relay_in(&relay.address), None);

        let wrong = |text: &str| text.parse::<NamedRelay>().expect_err("no relay");
        assert_eq!(wrong("relay.example.org"), RelayNameError::Address);
        assert_eq!(wrong("/dns/a.example/tcp/443"), RelayNameError::Nobody);
        for text in [
            format!("/p2p/{node}"),
            format!("/memory/7/p2p/{node}"),
            format!("{text}/p2p-circuit/p2p/{node}"),
        ] {
            assert_eq!(wrong(&text), RelayNameError::Address, "{text}");
        }
    }
}
