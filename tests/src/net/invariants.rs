//! What must hold at every moment, whatever the network does: looked at when a frame leaves, and after every step.

use maillon_protocol::{
    charter::{Change, Entry, Grant, Start},
    circle::{Ack, Circle},
    ids::{CircleId, LogId, NodeId, RecordId},
    record::Header,
    replica::{Row, RowPrefix, Rows},
    sign::Unverified,
    sync::Message,
};

use super::{Net, Node, contains};

impl Net {
    /// Everything that must hold, now.
    ///
    /// # Errors
    /// What does not hold, in words.
    pub fn invariants(&self) -> Result<(), String> {
        if let Some(broken) = self.broken.first() {
            return Err(broken.clone());
        }
        for index in 0..self.nodes.len() {
            for circle in self.nodes[index].circles.values() {
                self.whole_logs(index, circle)?;
                self.no_secret_too_many(index, circle)?;
            }
        }
        Ok(())
    }

    /// Every log is committed as far as its height says.
    fn whole_logs(&self, index: usize, circle: &Circle) -> Result<(), String> {
        let id = circle.id();
        for (log, tip) in &circle.logs {
            if self.held(index, &id, log, tip.height) != Some(tip.head) {
                return Err(format!(
                    "node {index} has no record at the height {} of a log",
                    tip.height
                ));
            }
        }
        Ok(())
    }

    fn held(&self, node: usize, circle: &CircleId, log: &LogId, sequence: u64) -> Option<RecordId> {
        let row = Row::Record(*circle, *log, sequence);
        self.nodes[node].memory.get(&row).ok().flatten()?;
        self.nodes[node].record_at(circle, log, sequence)
    }

    /// The node that knows the circle's charter furthest, of those that have it as `circle` has. Right after a hand over, the new steward may not
    /// be it.
    fn furthest(&self, circle: &Circle) -> Option<&Node> {
        let charter = &circle.charter;
        let known = |node: &&Node| {
            let other = &node.circles.get(&circle.id())?.charter;
            let same = other.hash_of(charter.number()) == Some(charter.head());
            same.then(|| other.number())
        };
        self.nodes.iter().max_by_key(known)
    }

    /// Nobody has opened an epoch that no entry ever granted to it.
    fn no_secret_too_many(&self, index: usize, circle: &Circle) -> Result<(), String> {
        let own = self.id(index);
        let id = circle.id();
        let furthest = self.furthest(circle).ok_or("a federation without nodes")?;
        let newest = furthest.circles.get(&id).map_or(circle, |held| &**held);
        let mut granted_from = Vec::new();
        for bytes in furthest
            .memory
            .scan(&RowPrefix::Entries(id, 0))
            .map_err(|error| error.to_string())?
        {
            let entry = Unverified::<Entry>::parse(bytes).map_err(|error| error.to_string())?;
            if let Change::Admit { node, grant, .. } = &entry.object.change
                && *node == own
            {
                let from = match grant {
                    Grant::Whole => 1,
                    Grant::Nothing => entry.object.number,
                    Grant::From(from) => *from,
                };
                granted_from.push((entry.object.number, from));
            }
            // Who takes another one's place reads what that one could.
            if let Change::Replace { new, .. } = &entry.object.change
                && *new == own
                && let Some(member) = entry.object.state.members.last()
            {
                let from = match member.grant {
                    Grant::From(from) => from,
                    Grant::Whole | Grant::Nothing => 1,
                };
                granted_from.push((entry.object.number, from));
            }
        }
        for epoch in circle.secrets.keys() {
            let member = newest.charter.was_member(&own, *epoch);
            let granted = granted_from
                .iter()
                .any(|(admitted, from)| epoch < admitted && epoch >= from);
            // Of a charter that has forked, either branch grants what was before it.
            let mut rivals = newest
                .charter
                .rivals()
                .iter()
                .chain(circle.charter.rivals());
            let beside = rivals.any(|rival| rival.is_granted(&own, *epoch));
            if !member && !granted && !beside {
                return Err(format!(
                    "node {index} has opened epoch {epoch}, which nobody granted it"
                ));
            }
        }
        Ok(())
    }

    /// Looks at a message as it leaves `from`, whose commit is what it may speak from.
    pub(super) fn watch(&mut self, from: usize, to: usize, message: &Message) {
        if let Err(broken) = self.may_say(from, to, message) {
            self.broken
                .push(format!("{} from {from} to {to}: {broken}", message.name()));
        }
    }

    fn may_say(&self, from: usize, to: usize, message: &Message) -> Result<(), String> {
        let peer = self.id(to);
        let bytes = self.beside_echoes(to, message).encode();
        for (id, circle) in &self.nodes[from].circles {
            let listed = circle.charter.ever_listed(&peer);
            let known = self.nodes[to].circles.contains_key(id);
            if !listed && !known && contains(&bytes, &id.0) {
                return Err("names a circle to a node that was never in it".to_owned());
            }
        }
        match message {
            Message::States(states) => {
                for state in states {
                    let Some(circle) = self.nodes[from].circles.get(&state.circle) else {
                        continue;
                    };
                    self.may_state(from, &peer, circle, state)?;
                }
            }
            Message::Ack(ack) => self.is_held(from, &ack.0)?,
            Message::Records {
                circle, records, ..
            } => {
                let Some(circle) = self.nodes[from].circles.get(circle) else {
                    return Ok(());
                };
                for record in records {
                    let header = Unverified::<Header>::parse(record.header.0.clone())
                        .map_err(|error| error.to_string())?
                        .object;
                    may_have(circle, &peer, &header, !record.body.0.is_empty())?;
                }
            }
            Message::Entries {
                circle,
                entries,
                seals,
                ..
            } => {
                let Some(circle) = self.nodes[from].circles.get(circle) else {
                    return Ok(());
                };
                let charter = &circle.charter;
                let removed = charter.removed_by(&peer);
                for entry in entries {
                    let number = Unverified::<Entry>::parse(entry.0.clone())
                        .map_err(|error| error.to_string())?
                        .object
                        .number;
                    if removed.is_some_and(|removed| number > removed) {
                        return Err("an entry after the removal".to_owned());
                    }
                }
                for seal in seals {
                    let named = charter.naming(seal.number, seal.epoch);
                    let granted = named.is_some_and(|named| named.is_granted(&peer, seal.number));
                    if !granted || seal.recipient != peer {
                        return Err("a sealed copy that is not granted".to_owned());
                    }
                }
            }
            _ => {}
        }
        Ok(())
    }

    /// What a message says beside "no such circle" to a node that has named that circle itself, as one whose program is somebody else's may.
    fn beside_echoes(&self, to: usize, message: &Message) -> Message {
        let mut message = message.clone();
        let claims = self.malign.contains_key(&to);
        match &mut message {
            Message::States(states) if claims => {
                states.retain(|state| state.entry != 0 || !state.heights.is_empty());
            }
            Message::Records {
                circle,
                entry: 0,
                records,
                ..
            } if claims && records.is_empty() => *circle = CircleId([0; 32]),
            _ => {}
        }
        message
    }

    fn may_state(
        &self,
        from: usize,
        peer: &NodeId,
        circle: &Circle,
        state: &maillon_protocol::sync::CircleState,
    ) -> Result<(), String> {
        if state.entry == 0 {
            return Ok(());
        }
        if let Some(removed) = circle.charter.removed_by(peer)
            && (state.entry > removed || !state.heights.is_empty() || !state.acks.is_empty())
        {
            return Err("states more than its removal to a removed node".to_owned());
        }
        for height in &state.heights {
            if self.held(from, &state.circle, &height.log, height.height) != Some(height.head) {
                return Err("states a height that is not committed".to_owned());
            }
        }
        for ack in &state.acks {
            self.is_held(from, &ack.0)?;
        }
        Ok(())
    }

    /// What a node acknowledges in its own name is committed.
    fn is_held(&self, from: usize, ack: &[u8]) -> Result<(), String> {
        let ack = Unverified::<Ack>::parse(ack.to_vec())
            .map_err(|error| error.to_string())?
            .object;
        if ack.node != self.id(from) {
            return Ok(());
        }
        for height in &ack.heights {
            if self.held(from, &ack.circle, &height.log, height.height) != Some(height.head) {
                return Err("acknowledges what is not committed".to_owned());
            }
        }
        Ok(())
    }
}

/// Whether a record may be sent to `peer` by a node that holds `circle`.
fn may_have(circle: &Circle, peer: &NodeId, header: &Header, body: bool) -> Result<(), String> {
    let charter = &circle.charter;
    match charter.start_for(peer, &header.log) {
        None => return Err("a record to a node that is no member".to_owned()),
        Some(Start::Sequence(first)) if header.sequence < first => {
            return Err("a record from before the granted past".to_owned());
        }
        Some(Start::Entry(entry)) if header.entry < entry => {
            return Err("a record that names an entry before the admission".to_owned());
        }
        Some(_) => {}
    }
    // Of a charter that has forked, the branch that the record names says who may read it.
    let granted = charter
        .naming(header.entry, header.entry_hash)
        .and_then(|named| {
            let (epoch, _) = named.epoch_of(header.entry)?;
            Some(named.is_granted(peer, epoch))
        });
    if body && granted != Some(true) {
        return Err("a body of an epoch that is not granted".to_owned());
    }
    Ok(())
}
