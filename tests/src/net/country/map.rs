//! Who there is, in which region, and who is peered with whom.

use std::collections::BTreeSet;

use maillon_protocol::descriptor::StructureKind;
use rand::RngExt;
use rand_chacha::ChaCha20Rng;

/// Fewest and most peers of a node.
pub(super) const PEERS: (usize, usize) = (5, 30);
/// Nodes and regions of the whole country.
const WHOLE: (usize, usize) = (279, 18);
/// DAC, CPTS and article 51 groups among [`WHOLE`].
const KINDS: [(StructureKind, usize); 3] = [
    (StructureKind::Dac, 119),
    (StructureKind::Cpts, 131),
    (StructureKind::Article51, 29),
];

/// A country's nodes. A smaller country has fewer regions of the same size, so that a node's neighbourhood is the same.
pub(super) struct Map {
    pub(super) kinds: Vec<StructureKind>,
    /// The region of each node.
    pub(super) region: Vec<usize>,
    pub(super) regions: usize,
    /// With whom each is peered; mutual.
    pub(super) peers: Vec<BTreeSet<usize>>,
    /// The same, those first with whom it works most.
    pub(super) liked: Vec<Vec<usize>>,
}

impl Map {
    pub(super) fn draw(nodes: usize, rng: &mut ChaCha20Rng) -> Self {
        let regions = (nodes * WHOLE.1).div_ceil(WHOLE.0).max(2);
        let mut map = Self {
            kinds: kinds(nodes, rng),
            region: (0..nodes).map(|node| node * regions / nodes).collect(),
            regions,
            peers: vec![BTreeSet::new(); nodes],
            liked: Vec::new(),
        };
        let wanted: Vec<usize> = (0..nodes).map(|_| wanted(rng)).collect();
        for node in 0..nodes {
            let mut candidates = map.around(node);
            while map.peers[node].len() < wanted[node] && !candidates.is_empty() {
                // Three of four are of the same region, as long as it has any.
                let beside = |other: &usize| map.region[*other] != map.region[node];
                let near = candidates
                    .iter()
                    .position(beside)
                    .unwrap_or(candidates.len());
                let chance = near > 0 && rng.random_range(0..4) > 0;
                let among = match chance || near == candidates.len() {
                    true => 0..near,
                    false => near..candidates.len(),
                };
                let other = candidates.remove(rng.random_range(among));
                if map.peers[other].len() < wanted[other].max(PEERS.0 + 3) {
                    map.peers[node].insert(other);
                    map.peers[other].insert(node);
                }
            }
        }
        for peers in &map.peers {
            let mut liked: Vec<usize> = peers.iter().copied().collect();
            shuffle(&mut liked, rng);
            map.liked.push(liked);
        }
        map
    }

    /// The other nodes of the same region, then those of the regions beside it.
    fn around(&self, node: usize) -> Vec<usize> {
        let region = self.region[node];
        let beside = [
            (region + 1) % self.regions,
            (region + self.regions - 1) % self.regions,
        ];
        let others = || (0..self.region.len()).filter(|other| *other != node);
        let near = others().filter(|other| self.region[*other] == region);
        let far = others()
            .filter(|other| self.region[*other] != region && beside.contains(&self.region[*other]));
        near.chain(far)
            .filter(|other| !self.peers[node].contains(other))
            .collect()
    }
}

/// How many peers a node looks for: most a dozen, few thirty.
fn wanted(rng: &mut ChaCha20Rng) -> usize {
    let chance: f64 = rng.random();
    PEERS.0 + ((PEERS.1 - PEERS.0 + 1) as f64 * chance.powi(3)) as usize
}

/// As many of each kind as in the whole country, in any order.
fn kinds(nodes: usize, rng: &mut ChaCha20Rng) -> Vec<StructureKind> {
    let mut kinds: Vec<StructureKind> = KINDS
        .iter()
        .flat_map(|(kind, count)| vec![*kind; (count * nodes).div_ceil(WHOLE.0)])
        .collect();
    shuffle(&mut kinds, rng);
    kinds.truncate(nodes);
    kinds
}

fn shuffle<T>(all: &mut [T], rng: &mut ChaCha20Rng) {
    for last in (1..all.len()).rev() {
        all.swap(last, rng.random_range(0..=last));
    }
}

#[cfg(test)]
mod tests {
    use rand::SeedableRng;

    use super::*;

    #[test]
    fn a_country_of_any_size_has_five_to_thirty_peers_a_node_and_neighbourhoods_alike() {
        for nodes in [30, 90, 279] {
            let map = Map::draw(nodes, &mut ChaCha20Rng::seed_from_u64(7));
            for node in 0..nodes {
                let peers = &map.peers[node];
                assert!(
                    (PEERS.0..=PEERS.1).contains(&peers.len()),
                    "{nodes}: {peers:?}"
                );
                assert!(peers.iter().all(|peer| map.peers[*peer].contains(&node)));
            }
            let mean = map.peers.iter().map(BTreeSet::len).sum::<usize>() / nodes;
            assert!((9..=14).contains(&mean), "{nodes}: {mean}");
        }
        let map = Map::draw(279, &mut ChaCha20Rng::seed_from_u64(7));
        let count = |kind| map.kinds.iter().filter(|one| **one == kind).count();
        assert_eq!(
            KINDS.map(|(kind, _)| count(kind)),
            KINDS.map(|(_, count)| count)
        );
    }
}
