//! What waits for whom.

use std::collections::BTreeSet;

use maillon_protocol::{
    admin::OutboxLine,
    cbor,
    ids::NodeId,
    replica::{AwaitedRow, Row, RowPrefix, Rows},
    sign::Unverified,
};

use super::{Care, CareError, read::waiting};

impl Care {
    /// For each member of each circle, what it has not acknowledged of what is here.
    ///
    /// # Errors
    /// [`CareError`].
    pub fn outbox(&self) -> Result<Vec<OutboxLine>, CareError> {
        let shared = self.shared();
        let own = shared.own();
        let names = self.names();
        let mut lines = Vec::new();
        for circle in shared.circles() {
            if !circle.charter.is_member(&own) {
                continue;
            }
            let id = circle.id();
            let mut acks = std::collections::BTreeMap::new();
            for bytes in shared.rows().scan(&RowPrefix::Acks(id))? {
                if let Ok(ack) = Unverified::<maillon_protocol::circle::Ack>::parse(bytes) {
                    acks.insert(ack.object.node, ack.object);
                }
            }
            for member in circle.charter.members().filter(|member| member.node != own) {
                let ack = acks.get(&member.node);
                let records = waiting(shared, &circle, &member.node, ack);
                if records == 0 {
                    continue;
                }
                let oldest_ms = self.oldest_waiting(&circle, &member.node, ack);
                lines.push(OutboxLine {
                    node: member.node,
                    structure: names.of(&member.node),
                    circle: id,
                    records,
                    oldest_ms,
                    alert: self.alert_waits_for(&id, &member.node)?,
                });
            }
        }
        Ok(lines)
    }

    /// Records that one node has not acknowledged, over all circles.
    pub fn waiting_for(&self, node: &NodeId) -> u64 {
        let shared = self.shared();
        shared
            .circles()
            .iter()
            .filter(|circle| {
                circle.charter.is_member(node) && circle.charter.is_member(&shared.own())
            })
            .map(|circle| {
                let ack = shared
                    .rows()
                    .get(&Row::Ack(circle.id(), *node))
                    .ok()
                    .flatten()
                    .and_then(|bytes| {
                        Unverified::<maillon_protocol::circle::Ack>::parse(bytes).ok()
                    });
                waiting(shared, circle, node, ack.map(|ack| ack.object).as_ref())
            })
            .sum()
    }

    /// The other members of all circles: looks at each circle.
    pub fn fellows(&self) -> BTreeSet<NodeId> {
        let own = self.shared().own();
        let circles = self.shared().circles();
        let members = circles
            .iter()
            .flat_map(|circle| circle.charter.members().map(|member| member.node));
        members.filter(|node| *node != own).collect()
    }

    /// Those of these nodes for which an alert of ours waits.
    ///
    /// # Errors
    /// [`CareError`].
    pub fn urgent(&self, fellows: &BTreeSet<NodeId>) -> Result<BTreeSet<NodeId>, CareError> {
        let mut urgent = BTreeSet::new();
        for node in fellows {
            let mut waits = false;
            let prefix = RowPrefix::AwaitedOf(*node);
            self.shared().rows().each(&prefix, &mut |bytes| {
                // Of a circle in which it is no more, nothing is awaited.
                waits = cbor::decode::<AwaitedRow>(&bytes).is_ok_and(|row| {
                    let circle = self.shared().circle(&row.circle);
                    circle.is_some_and(|circle| circle.charter.is_member(node))
                });
                !waits
            })?;
            if waits {
                urgent.insert(*node);
            }
        }
        Ok(urgent)
    }

    fn alert_waits_for(
        &self,
        circle: &maillon_protocol::ids::CircleId,
        node: &NodeId,
    ) -> Result<bool, CareError> {
        let mut waits = false;
        let prefix = RowPrefix::AwaitedIn(*node, *circle);
        self.shared().rows().each(&prefix, &mut |_| {
            waits = true;
            false
        })?;
        Ok(waits)
    }
}
