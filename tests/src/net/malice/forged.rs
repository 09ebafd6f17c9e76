//! Charter entries of a hand that may not sign them.

use maillon_protocol::{
    cbor::Bytes,
    charter::{Change, Charter, Entry, Grant, Member, RemovalReason, RotationReason},
    ids::{Hash, NodeId},
    sign::sign,
    sync::Message,
    time::Timestamp,
};
use rand::RngExt;

use super::Net;

impl Net {
    /// Beside what is said of circles, an entry that this node has made up for each that both are in.
    pub(super) fn forged(&mut self, from: usize, to: usize, message: &Message) -> Vec<Vec<u8>> {
        let mut frames = vec![message.encode()];
        if !matches!(message, Message::States(_) | Message::Entries { .. }) || self.once_in(2) {
            return frames;
        }
        let (own, peer) = (self.id(from), self.id(to));
        let circles: Vec<_> = self.nodes[from].circles.values().cloned().collect();
        for circle in circles {
            let charter = &circle.charter;
            // What a steward signs is valid, whatever it is.
            let may = charter.state().steward == own;
            if may || !charter.ever_listed(&peer) {
                continue;
            }
            let entry = self.made_up(from, to, charter);
            let message = Message::Entries {
                circle: circle.id(),
                entries: vec![entry],
                seals: Vec::new(),
                more: false,
            };
            frames.push(message.encode());
        }
        frames
    }

    /// An entry after the head, or in its place, signed by this node in its own name or in the steward's.
    fn made_up(&mut self, from: usize, to: usize, charter: &Charter) -> Bytes {
        let own = self.id(from);
        let state = charter.state();
        let rival = charter.number() > 1 && self.once_in(2);
        let number = charter.number() + u64::from(!rival);
        let (change, steward) = self.wish(own, self.id(to), state.steward);
        let mut entry = Entry {
            version: 1,
            circle: Some(charter.circle()),
            number,
            previous: charter.hash_of(number - 1),
            time: Timestamp::from_ms(self.now),
            signer: own,
            state: state.clone(),
            change,
        };
        match &entry.change {
            Change::Admit { node, .. } => {
                let since = number;
                let grant = Grant::Whole;
                let member = Member {
                    node: *node,
                    since,
                    grant,
                };
                entry.state.members.retain(|member| member.node != *node);
                entry.state.members.push(member);
            }
            Change::Remove { node, .. } => {
                let gone = *node;
                entry.state.members.retain(|member| member.node != gone);
            }
            _ => {}
        }
        entry.state.steward = steward;
        if entry.change.starts_epoch() {
            entry.state.epoch.number = number;
            entry.state.epoch.commitment = Hash(self.rng.random());
        }
        let mut bytes = sign(entry, self.nodes[from].key()).bytes;
        if self.once_in(2) {
            // Its own name stands there first as the signer's.
            let place = bytes.windows(32).position(|window| window == own.0);
            if let Some(place) = place {
                bytes[place..place + 32].copy_from_slice(&state.steward.0);
            }
        }
        Bytes(bytes)
    }

    /// What it would like, and who is the steward then.
    fn wish(&mut self, own: NodeId, peer: NodeId, steward: NodeId) -> (Change, NodeId) {
        let descriptor = Bytes(self.nodes[0].descriptor().bytes.clone());
        match self.rng.random_range(0..4) {
            0 => (Change::HandOver { to: own }, own),
            1 => {
                let (node, reason) = (steward, RemovalReason::Compromised);
                let cuts = Vec::new();
                (Change::Remove { node, reason, cuts }, own)
            }
            2 => {
                let change = Change::Admit {
                    node: peer,
                    descriptor,
                    acceptance: Bytes(Vec::new()),
                    grant: Grant::Whole,
                    starts: Vec::new(),
                };
                (change, steward)
            }
            _ => {
                let reason = RotationReason::Precaution;
                (Change::Rotate { reason }, steward)
            }
        }
    }
}
