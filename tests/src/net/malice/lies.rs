//! What is said otherwise than it is.

use maillon_protocol::{
    cbor::Bytes,
    charter::SealedSecret,
    circle::{Ack, LogHeight},
    ids::RecordId,
    replica::{RowPrefix, Rows},
    sign::{Unverified, sign},
    sync::Message,
};
use rand::{Rng, RngExt};

use super::Net;

impl Net {
    /// Heights that are too great, too small, of another record, or missing; in its own acknowledgements too, which it signs anew.
    pub(super) fn wrong_heights(&mut self, from: usize, mut message: Message) -> Message {
        match &mut message {
            Message::States(states) => {
                for state in states {
                    self.turn_heights(&mut state.heights);
                    for ack in &mut state.acks {
                        self.turn_ack(from, ack);
                    }
                }
            }
            Message::Ack(ack) => self.turn_ack(from, ack),
            _ => {}
        }
        message
    }

    fn turn_heights(&mut self, heights: &mut Vec<LogHeight>) {
        for index in (0..heights.len()).rev() {
            let height = &mut heights[index];
            match self.rng.random_range(0..6) {
                0 => height.height += self.rng.random_range(1..50),
                1 => height.height = height.height.saturating_sub(1).max(1),
                2 => height.head = RecordId(self.rng.random()),
                3 => drop(heights.remove(index)),
                _ => {}
            }
        }
    }

    fn turn_ack(&mut self, from: usize, bytes: &mut Bytes) {
        let Ok(ack) = Unverified::<Ack>::parse(bytes.0.clone()) else {
            return;
        };
        let mut ack = ack.object;
        if ack.node == self.id(from) {
            self.turn_heights(&mut ack.heights);
            ack.exceptions.clear();
            bytes.0 = sign(ack, self.nodes[from].key()).bytes;
        }
    }

    /// Some of the records, or none.
    pub(super) fn withheld(&mut self, mut message: Message) -> Vec<Vec<u8>> {
        match &mut message {
            Message::Records { .. } | Message::Chunks { .. } | Message::Entries { .. }
                if self.once_in(3) =>
            {
                Vec::new()
            }
            Message::Records { records, .. } => {
                records.retain(|_| !self.once_in(2));
                vec![message.encode()]
            }
            _ => vec![message.encode()],
        }
    }

    /// Beside each message, one that this node sent to the same peer before, or that it had from it.
    pub(super) fn replayed(&mut self, from: usize, to: usize, message: &Message) -> Vec<Vec<u8>> {
        let mut frames = vec![message.encode()];
        for way in [(from, to), (to, from)] {
            let said = self.frames.get(&way).map_or(0, Vec::len);
            if said == 0 || self.once_in(2) {
                continue;
            }
            let old = self.frames[&way][self.rng.random_range(0..said)].clone();
            let name = Message::decode(&old).map_or("", |old| old.name());
            // The first message is said once.
            if [
                "states",
                "entries",
                "ack",
                "records",
                "acceptance",
                "invitation",
            ]
            .contains(&name)
            {
                frames.push(old);
            }
        }
        frames
    }

    /// Sealed copies for another one, of another epoch, by another hand; and those that were for this node itself.
    pub(super) fn retargeted(
        &mut self,
        from: usize,
        to: usize,
        mut message: Message,
    ) -> Vec<Vec<u8>> {
        let (own, peer) = (self.id(from), self.id(to));
        if let Message::Entries { circle, seals, .. } = &mut message {
            let held = self.nodes[from]
                .memory
                .scan(&RowPrefix::Seals(*circle, own));
            let mine = held.into_iter().flatten();
            let mine = mine.filter_map(|bytes| maillon_protocol::cbor::decode(&bytes).ok());
            seals.extend(mine.take(4).map(|seal: SealedSecret| SealedSecret {
                recipient: peer,
                ..seal
            }));
            for index in 0..seals.len() {
                let other = seals[self.rng.random_range(0..seals.len())].clone();
                let seal = &mut seals[index];
                match self.rng.random_range(0..6) {
                    0 => seal.recipient = own,
                    1 => seal.sealer = own,
                    2 => (seal.number, seal.epoch) = (other.number, other.epoch),
                    3 => seal.sealed = other.sealed,
                    4 => seal.key = other.key,
                    _ => {}
                }
            }
        }
        vec![message.encode()]
    }

    /// The message, cut short, with a bit turned, or nothing like it.
    pub(super) fn garbage(&mut self, message: &Message) -> Vec<u8> {
        let mut bytes = message.encode();
        match self.rng.random_range(0..12) {
            0 => bytes.truncate(self.rng.random_range(0..bytes.len())),
            1 | 2 => {
                let place = self.rng.random_range(0..bytes.len());
                bytes[place] ^= 1 << self.rng.random_range(0..8);
            }
            3 => {
                bytes = vec![0; self.rng.random_range(0..300)];
                self.rng.fill_bytes(&mut bytes);
            }
            4 => bytes.push(0),
            _ => {}
        }
        bytes
    }
}
