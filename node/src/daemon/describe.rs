//! What the node says of itself: kept as it is while nothing changes, signed anew when something does.

use libp2p::{Multiaddr, multiaddr::Protocol};
use maillon_protocol::{
    descriptor::Descriptor,
    ids::Hash,
    keys::{NodeKey, SealPublic},
    replica::{Row, Rows, StorageError},
    seal::SUITE,
    sign::{Unverified, Verified, sign},
    sync::VERSION,
};

use super::{Node, relays};
use crate::{
    clock::now_ms, config::Config, ledger::StoreRows, recovery::recovery_that_rules, store::Store,
};

fn from_config(
    config: &Config,
    key: &NodeKey,
    seal: &SealPublic,
    recovery: Hash,
    addresses: Vec<String>,
) -> Descriptor {
    let structure = &config.structure;
    Descriptor {
        version: 1,
        node: key.id(),
        counter: 0,
        name: structure.name.clone(),
        kind: structure.kind,
        finess: structure.finess.clone(),
        territory: structure.territory.clone(),
        addresses,
        suite: SUITE.to_owned(),
        seal: seal.clone(),
        protocols: (VERSION, VERSION),
        administrator: structure.administrator.clone(),
        dpo: structure.dpo.clone(),
        recovery,
    }
}

/// The descriptor to start with: the stored one if it still says the same, otherwise a new one with its addresses.
pub(super) fn first(
    store: &Store,
    config: &Config,
    key: &NodeKey,
    seal: &SealPublic,
    recovery: Hash,
) -> Result<Verified<Descriptor>, StorageError> {
    let stored = StoreRows(store.clone())
        .get(&Row::Descriptor(key.id()))?
        .and_then(|bytes| Unverified::<Descriptor>::parse(bytes).ok())
        .map(Unverified::trust_stored);
    let direct = direct(config, &[], stored.as_ref());
    let addresses = with_relays(config, direct);
    let rules = recovery_that_rules(&StoreRows(store.clone()), &key.id(), recovery)?;
    let wanted = from_config(config, key, seal, rules.recovery, addresses);
    Ok(renew(stored.as_ref(), wanted, key))
}

/// `held` where it says what is wanted, otherwise `wanted` with the next counter, signed.
fn renew(
    held: Option<&Verified<Descriptor>>,
    wanted: Descriptor,
    key: &NodeKey,
) -> Verified<Descriptor> {
    let last = held.map_or(0, |held| held.object.counter);
    if let Some(held) = held.filter(|held| {
        Descriptor {
            counter: last,
            ..wanted.clone()
        } == held.object
    }) {
        return held.clone();
    }
    sign(
        Descriptor {
            counter: (last + 1).max(now_ms()),
            ..wanted
        },
        key,
    )
}

/// Addresses in a descriptor.
const MOST: usize = 16;

fn leads_through_a_relay(address: &str) -> bool {
    address.parse::<Multiaddr>().is_ok_and(|address| {
        address
            .iter()
            .any(|part| matches!(part, Protocol::P2pCircuit))
    })
}

/// Direct addresses first, as many as fit, then those through the relays that this node uses.
fn with_relays(config: &Config, mut direct: Vec<String>) -> Vec<String> {
    let circuits = relays::circuits(config);
    direct.truncate(MOST.saturating_sub(circuits.len()));
    direct.extend(circuits.iter().map(ToString::to_string));
    direct
}

fn is_loopback(address: &Multiaddr) -> bool {
    address.iter().any(|part| match part {
        Protocol::Ip4(ip) => ip.is_loopback(),
        Protocol::Ip6(ip) => ip.is_loopback(),
        _ => false,
    })
}

/// Takes away an address that the machine has lost. Whether the others are to be told: off the network it names what it named, until it has another one.
pub(super) fn without(listening: &mut Vec<Multiaddr>, lost: &Multiaddr) -> bool {
    listening.retain(|address| address != lost);
    listening.iter().any(|address| !is_loopback(address))
}

/// The addresses worth telling others: all that are not loopback, or the loopback ones where there are no others.
fn worth_telling(listening: &[Multiaddr]) -> Vec<String> {
    let all: Vec<&Multiaddr> = listening.iter().collect();
    let outside: Vec<&Multiaddr> = all
        .iter()
        .copied()
        .filter(|address| !is_loopback(address))
        .collect();
    let mut told: Vec<String> = if outside.is_empty() { all } else { outside }
        .into_iter()
        .map(ToString::to_string)
        .collect();
    told.sort();
    told
}

/// The addresses at which this node is reached without a relay: those that the administrator wrote, or those on which it listens. Until it hears on which,
/// those that it named last.
fn direct(
    config: &Config,
    listening: &[Multiaddr],
    held: Option<&Verified<Descriptor>>,
) -> Vec<String> {
    let network = &config.network;
    if !network.advertise.is_empty() {
        network.advertise.clone()
    } else if network.listen.is_empty() || !listening.is_empty() {
        worth_telling(listening)
    } else {
        let named = held.into_iter().flat_map(|held| &held.object.addresses);
        let direct = named.filter(|address| !leads_through_a_relay(address));
        direct.cloned().collect()
    }
}

impl Node {
    /// Signs a new descriptor where the addresses or the receive key have changed.
    pub(super) async fn describe(&self) {
        let (seal, first) = {
            let keyring = self.keyring.lock().await;
            (keyring.newest().clone(), keyring.recovery())
        };
        let shared = self.ledger.shared();
        let recovery = match recovery_that_rules(shared.rows(), &shared.own(), first) {
            Ok(rules) => rules.recovery,
            Err(error) => {
                tracing::error!(%error, "the node's descriptor could not be renewed");
                return;
            }
        };
        let held = shared.descriptor();
        let direct = {
            let listening = self.listening.lock();
            let listening = listening.unwrap_or_else(std::sync::PoisonError::into_inner);
            direct(&self.config, &listening, Some(&held))
        };
        let addresses = with_relays(&self.config, direct);
        let key = shared.key().clone();
        let wanted = from_config(&self.config, &key, &seal, recovery, addresses);
        let renewed = renew(Some(&held), wanted, &key);
        if renewed.id == held.id {
            return;
        }
        let job = self.ledger.run(move |tx| {
            tx.replica.describe(renewed);
            Ok::<(), std::convert::Infallible>(())
        });
        if job.await.is_err() {
            tracing::error!("the node's new descriptor could not be kept");
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_address_that_was_lent_and_is_gone_is_told_no_more_once_there_is_another_one() {
        let at = |text: &str| text.parse::<Multiaddr>().expect("an address");
        let old = at("/ip4/192.0.2.7/tcp/4001");
        let new = at("/ip4/192.0.2.9/tcp/4001");
        let mut listening = vec![at("/ip4/127.0.0.1/tcp/4001"), old.clone()];
        // Between the two the machine is off the network.
        assert!(!without(&mut listening, &old));
        listening.push(new.clone());
        assert_eq!(worth_telling(&listening), [new.to_string()]);
        // Or it has both for a while.
        listening.push(old.clone());
        assert!(without(&mut listening, &old));
        assert_eq!(worth_telling(&listening), [new.to_string()]);
    }
}
