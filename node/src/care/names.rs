//! The names under which nodes are shown.
//!
//! A descriptor's name is what its node says of itself, and nothing keeps a node from saying another's. So a name that several nodes go by
//! is shown with the end of the PeerId, which nobody else has; only this node's own name is always shown as it is. This does not see names
//! that merely look alike.

use std::collections::BTreeMap;

use maillon_protocol::{descriptor::Descriptor, ids::NodeId, sign::Unverified};

use super::Care;
use crate::store::{Range, Table};

/// What stands before the end of a PeerId, here and nowhere else: a name that has it itself is marked too.
const MARK: char = '…';

/// The nodes that are known here, each with the name that its descriptor says, as of one moment.
pub(crate) struct Names {
    own: NodeId,
    said: BTreeMap<NodeId, String>,
    /// How many nodes go by a name, however it is written.
    bearers: BTreeMap<String, usize>,
}

/// Names that a person reads as the same are the same.
fn folded(name: &str) -> String {
    name.trim().to_lowercase()
}

impl Names {
    fn new(own: NodeId, said: BTreeMap<NodeId, String>) -> Self {
        let mut bearers = BTreeMap::new();
        for name in said.values() {
            *bearers.entry(folded(name)).or_default() += 1;
        }
        Self { own, said, bearers }
    }

    /// The name to show for a node: the end of its PeerId where it has not said one.
    pub(crate) fn of(&self, node: &NodeId) -> String {
        let end = node.short();
        match self.said.get(node) {
            None => format!("{MARK}{end}"),
            Some(name) if *node != self.own && self.may_mislead(name) => {
                format!("{} ({MARK}{end})", name.trim())
            }
            Some(name) => name.clone(),
        }
    }

    /// Whether a node goes by this name: as it is shown, or as the node says it.
    pub(crate) fn goes_by(&self, node: &NodeId, text: &str) -> bool {
        self.of(node).eq_ignore_ascii_case(text)
            || (self.said.get(node)).is_some_and(|name| name.eq_ignore_ascii_case(text))
    }

    fn may_mislead(&self, name: &str) -> bool {
        name.contains(MARK)
            || self
                .bearers
                .get(&folded(name))
                .is_some_and(|bearers| *bearers > 1)
    }
}

impl Care {
    /// The names of all nodes that are known here. A descriptor that cannot be read leaves its node without a name.
    pub(crate) fn names(&self) -> Names {
        let shared = self.shared();
        let mut said = BTreeMap::new();
        // Descriptors have the letter `d` among the rows of the peers.
        let rows = shared.rows().0.scan(Table::Peers, b"d", Range::all());
        for (_, bytes) in rows.into_iter().flatten().flatten() {
            if let Ok(descriptor) = Unverified::<Descriptor>::parse(bytes) {
                said.insert(descriptor.object.node, descriptor.object.name);
            }
        }
        let own = shared.own();
        said.insert(own, shared.descriptor().object.name);
        Names::new(own, said)
    }

    /// The name under which a node's structure is shown.
    pub fn structure_of(&self, node: &NodeId) -> String {
        self.names().of(node)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn names(said: &[(u8, &str)]) -> Names {
        let said = said
            .iter()
            .map(|(number, name)| (NodeId([*number; 32]), (*name).to_owned()));
        Names::new(NodeId([1; 32]), said.collect())
    }

    #[test]
    fn a_peer_that_takes_our_name_is_shown_with_the_end_of_its_own_id() {
        let names = names(&[
            (1, "DAC des Monts"),
            (2, " dac des monts "),
            (3, "CPTS du Vallon"),
        ]);
        let impostor = NodeId([2; 32]);
        assert_eq!(names.of(&NodeId([1; 32])), "DAC des Monts");
        assert_eq!(
            names.of(&impostor),
            format!("dac des monts (…{})", impostor.short())
        );
        assert_eq!(names.of(&NodeId([3; 32])), "CPTS du Vallon");
    }

    #[test]
    fn two_peers_of_one_name_are_told_apart_and_still_found_by_it() {
        let names = names(&[(1, "DAC des Monts"), (2, "Cabinet"), (3, "CABINET")]);
        let (one, other) = (NodeId([2; 32]), NodeId([3; 32]));
        assert!(names.of(&one).ends_with(&format!("(…{})", one.short())));
        assert!(names.of(&other).ends_with(&format!("(…{})", other.short())));
        assert!(names.goes_by(&one, "cabinet") && names.goes_by(&other, "cabinet"));
    }

    #[test]
    fn a_name_that_carries_the_mark_of_another_node_is_marked_with_its_own() {
        let forged = format!("Cabinet (…{})", NodeId([2; 32]).short());
        let names = names(&[(1, "DAC des Monts"), (3, &forged)]);
        let shown = names.of(&NodeId([3; 32]));
        assert!(shown.ends_with(&format!("(…{})", NodeId([3; 32]).short())));
    }
}
