//! Whom a relay serves, and what it counts: the hooks that libp2p's relay asks before it grants, and the numbers for `status` and `/metrics`.

use std::{
    collections::{HashMap, HashSet},
    sync::{
        Arc, Mutex, MutexGuard, PoisonError,
        atomic::{AtomicU64, Ordering::Relaxed},
    },
};

use libp2p::{Multiaddr, PeerId};

use super::RelayConfig;
use crate::network::AllowList;

/// What a relay refused since it started, by reason.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Refusals {
    /// Connections of nodes that are not on its list.
    pub strangers: u64,
    /// Connections beyond a limit.
    pub connections: u64,
    /// Reservations beyond the limit.
    pub reservations: u64,
    /// Circuits beyond a limit, of all or of the node that asked.
    pub circuits: u64,
    /// Circuits to a node that holds no place here.
    pub not_there: u64,
    /// Circuits that the node at the other end did not take.
    pub not_taken: u64,
}

/// A relay, as it is now.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct HostStatus {
    /// Where it listens.
    pub listening: Vec<Multiaddr>,
    /// Nodes that it would serve.
    pub allowed: usize,
    /// Nodes that are connected to it.
    pub connected: usize,
    /// Nodes that hold a place.
    pub reservations: usize,
    /// Circuits that stand.
    pub circuits: usize,
    /// Circuits since the start.
    pub circuits_so_far: u64,
    /// Circuits that ended because their bytes were used up.
    pub ended_by_bytes: u64,
    /// Circuits that ended because their time was over.
    pub ended_by_time: u64,
    /// Bytes that nodes have sent into it since the start.
    pub bytes: u64,
    /// What it refused.
    pub refused: Refusals,
}

/// Who holds what.
#[derive(Default)]
pub(super) struct Book {
    pub(super) listening: Vec<Multiaddr>,
    pub(super) connected: usize,
    /// Nodes whose reservation was granted, until it times out or their last connection ends.
    pub(super) places: HashSet<PeerId>,
    /// Circuits that stand, by who asked and for whom.
    pub(super) circuits: HashMap<(PeerId, PeerId), u32>,
    pub(super) circuits_so_far: u64,
    pub(super) ended_by_bytes: u64,
    pub(super) ended_by_time: u64,
    pub(super) refused: Refusals,
}

/// What the relay's loop, its hooks and its handle know together.
pub(super) struct Register {
    pub(super) list: AllowList,
    pub(super) bytes: AtomicU64,
    book: Mutex<Book>,
}

impl Register {
    pub(super) fn new(list: AllowList) -> Arc<Self> {
        Arc::new(Self {
            list,
            bytes: AtomicU64::new(0),
            book: Mutex::default(),
        })
    }

    pub(super) fn book(&self) -> MutexGuard<'_, Book> {
        // Every change is whole; a poisoned lock loses nothing.
        self.book.lock().unwrap_or_else(PoisonError::into_inner)
    }

    pub(super) fn status(&self) -> HostStatus {
        let book = self.book();
        HostStatus {
            listening: book.listening.clone(),
            allowed: self.list.len(),
            connected: book.connected,
            reservations: book.places.len(),
            circuits: book.circuits.values().sum::<u32>() as usize,
            circuits_so_far: book.circuits_so_far,
            ended_by_bytes: book.ended_by_bytes,
            ended_by_time: book.ended_by_time,
            bytes: self.bytes.load(Relaxed),
            refused: book.refused,
        }
    }

    /// Whether a node gets a place, asked last of all conditions: what is granted here is granted.
    fn grants_place(&self, peer: &PeerId, most: usize) -> bool {
        let mut book = self.book();
        let granted =
            self.list.admits(peer) && (book.places.contains(peer) || book.places.len() < most);
        match granted {
            true => drop(book.places.insert(*peer)),
            false => book.refused.reservations += 1,
        }
        granted
    }
}

impl Book {
    /// A circuit has ended.
    pub(super) fn ended(&mut self, source: PeerId, destination: PeerId) {
        if let Some(count) = self.circuits.get_mut(&(source, destination)) {
            *count = count.saturating_sub(1);
            if *count == 0 {
                self.circuits.remove(&(source, destination));
            }
        }
    }

    /// A node's last connection has ended: what it held goes with it.
    pub(super) fn left(&mut self, peer: &PeerId) {
        self.places.remove(peer);
        self.circuits
            .retain(|(source, destination), _| source != peer && destination != peer);
    }
}

/// libp2p's relay, with our limits and hooks. The gate has refused strangers before; the hooks ask the list again, because it is the
/// promise that matters most here.
pub(super) fn limits(config: &RelayConfig, register: &Arc<Register>) -> libp2p::relay::Config {
    let (places, sources) = (Arc::clone(register), Arc::clone(register));
    let most = config.reservations as usize;
    libp2p::relay::Config {
        // Its own count refuses a node that renews while all places are taken, so the count is ours, in the hook.
        max_reservations: usize::MAX,
        max_reservations_per_peer: usize::MAX,
        reservation_duration: config.reservation,
        reservation_rate_limiters: vec![Box::new(move |peer, _: &Multiaddr, _| {
            places.grants_place(&peer, most)
        })],
        max_circuits: config.circuits as usize,
        // It refuses what is above this number before the new circuit is counted.
        max_circuits_per_peer: config.circuits_a_node.saturating_sub(1) as usize,
        max_circuit_duration: config.circuit_time,
        max_circuit_bytes: config.circuit_bytes,
        circuit_src_rate_limiters: vec![Box::new(move |peer, _: &Multiaddr, _| {
            sources.list.admits(&peer)
        })],
    }
}

#[cfg(test)]
mod tests {
    use libp2p::identity::Keypair;

    use super::*;
    use crate::network::node_id;

    fn peers<const N: usize>() -> [PeerId; N] {
        std::array::from_fn(|_| Keypair::generate_ed25519().public().to_peer_id())
    }

    #[test]
    fn a_place_is_for_nodes_of_the_list_and_renewed_when_all_are_taken() {
        let [a, b, c, stranger] = peers();
        let list = [a, b, c].map(|peer| node_id(&peer).expect("an Ed25519 key"));
        let register = Register::new(AllowList::new(list));
        assert!(!register.grants_place(&stranger, 2));
        assert!(register.grants_place(&a, 2) && register.grants_place(&b, 2));
        assert!(!register.grants_place(&c, 2), "the third of two");
        assert!(
            register.grants_place(&a, 2),
            "a renewal takes no more place"
        );
        assert_eq!(register.status().refused.reservations, 2);
        register.book().left(&b);
        assert!(register.grants_place(&c, 2));
    }

    #[test]
    fn what_a_node_held_goes_with_it_and_a_circuit_ends_once() {
        let [a, b, c] = peers();
        let register = Register::new(AllowList::new([]));
        let mut book = register.book();
        book.circuits.insert((a, b), 2);
        book.circuits.insert((c, a), 1);
        book.circuits.insert((c, b), 1);
        book.left(&a);
        book.ended(a, b);
        book.ended(c, b);
        assert!(book.circuits.is_empty());
    }
}
