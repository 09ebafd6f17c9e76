//! A member whose program passes on something else than it holds.

use maillon_protocol::{cbor::Bytes, sync::Message};
use rand::RngExt;

use super::Net;

impl Net {
    /// The message as a liar sends it: now and then a body is another one or missing, a header or an entry has another byte, a record is left
    /// out.
    pub(super) fn spoilt(&mut self, from: usize, mut message: Message) -> Message {
        if !self.liars.contains(&from) {
            return message;
        }
        match &mut message {
            Message::Records { records, .. } => {
                for index in (0..records.len()).rev() {
                    match self.rng.random_range(0..8) {
                        0 => self.turn(&mut records[index].body),
                        1 => records[index].body = Bytes(Vec::new()),
                        2 => self.turn(&mut records[index].header),
                        3 => drop(records.remove(index)),
                        _ => {}
                    }
                }
            }
            Message::Entries { entries, seals, .. } => {
                for entry in entries {
                    if self.rng.random_range(0..4) == 0 {
                        self.turn(entry);
                    }
                }
                if self.rng.random_range(0..4) == 0 {
                    seals.clear();
                }
            }
            _ => {}
        }
        message
    }

    fn turn(&mut self, bytes: &mut Bytes) {
        if !bytes.0.is_empty() {
            let place = self.rng.random_range(0..bytes.0.len());
            bytes.0[place] ^= 1;
        }
    }
}
