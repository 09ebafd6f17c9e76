//! Which machines are up, and who is connected with whom.
//!
//! As with the daemon's list of who may enter: two nodes connect where each of them has the other for a peer, or for a fellow member by the
//! charters that it holds itself. A connection that may be is made at once; one that may be no more is closed.

use maillon_protocol::ids::CircleId;

use super::Country;

impl Country {
    /// Whether a node can be reached by anybody.
    fn is_reached(&self, node: usize) -> bool {
        self.on[node] && self.dark != Some(self.map.region[node])
    }

    fn may_connect(&self, a: usize, b: usize) -> bool {
        let fellow = |one: usize, other: usize| self.fellows[one].contains_key(&other);
        let allowed = self.map.peers[a].contains(&b) || fellow(a, b) && fellow(b, a);
        allowed && self.is_reached(a) && self.is_reached(b)
    }

    /// Makes the connections of a node those that may be.
    pub(super) fn reconnect(&mut self, node: usize) {
        let peers = self.map.peers[node].iter();
        let mut others: Vec<usize> = peers.chain(self.fellows[node].keys()).copied().collect();
        others.extend(self.net.nodes[node].sessions.keys());
        others.sort_unstable();
        others.dedup();
        for other in others {
            self.join(node, other);
        }
    }

    /// Connects two nodes that may be connected, and cuts two that may not.
    fn join(&mut self, a: usize, b: usize) {
        match self.may_connect(a, b) {
            true => self.net.connect(a, b),
            false if self.net.nodes[a].sessions.contains_key(&b) => self.net.cut(a, b),
            false => {}
        }
    }

    /// A node has another charter of a circle: its fellow members there may be others.
    pub(super) fn meet(&mut self, node: usize, circle: &CircleId) {
        let own = self.net.id(node);
        let mut now = Vec::new();
        if let Some(held) = self.net.nodes[node].circles.get(circle)
            && held.charter.listed(&own).is_some()
        {
            let members = held.charter.state().members.iter();
            now.extend(members.map(|member| self.places[&member.node]));
            now.retain(|member| *member != node);
        }
        let before = self.seen.insert((node, *circle), now.clone());
        let before = before.unwrap_or_default();
        for other in now.iter().filter(|other| !before.contains(other)) {
            *self.fellows[node].entry(*other).or_default() += 1;
            self.join(node, *other);
        }
        for other in before.iter().filter(|other| !now.contains(other)) {
            if let Some(shared) = self.fellows[node].get_mut(other) {
                *shared -= 1;
                if *shared == 0 {
                    self.fellows[node].remove(other);
                }
            }
            self.join(node, *other);
        }
    }

    /// A machine is switched off, without warning.
    pub(super) fn switch_off(&mut self, node: usize) {
        self.on[node] = false;
        self.net.crash(node);
    }

    /// A machine is switched on.
    pub(super) fn switch_on(&mut self, node: usize) {
        self.on[node] = true;
        self.reconnect(node);
    }

    /// Nobody reaches a region's nodes, and they reach nobody; or the line is back.
    pub(super) fn set_dark(&mut self, region: Option<usize>) {
        let which = region.or(self.dark);
        self.dark = region;
        for node in 0..self.size.nodes {
            if Some(self.map.region[node]) == which {
                self.reconnect(node);
            }
        }
    }
}
