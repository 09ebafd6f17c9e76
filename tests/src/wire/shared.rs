//! What the tasks of one wire share with its handle.

use std::sync::{Mutex, PoisonError};

use tokio::sync::watch;

use super::tally::Tally;
use super::tape::{Carrier, Passed, Tape};
use super::weather::{Sky, Way};

/// The state of a wire: knobs on one side, counters and the tape on the other.
#[derive(Debug)]
pub(super) struct Shared {
    pub(super) seed: u64,
    pub(super) sky: watch::Sender<Sky>,
    pub(super) tally: watch::Sender<Tally>,
    pub(super) tape: Mutex<Tape>,
}

impl Shared {
    pub(super) fn new(seed: u64, sky: Sky) -> Self {
        Self {
            seed,
            sky: watch::Sender::new(sky),
            tally: watch::Sender::new(Tally::default()),
            tape: Mutex::new(Tape::default()),
        }
    }

    /// Notes what is about to be handed to the system. Before, not after: whoever receives it finds it counted.
    pub(super) fn passed(&self, carrier: Carrier, way: Way, flow: u64, bytes: &[u8]) {
        self.tape
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .keep(|| Passed {
                carrier,
                way,
                flow,
                bytes: bytes.to_vec(),
            });
        let length = bytes.len() as u64;
        self.tally.send_modify(|tally| {
            let traffic = tally.of(way);
            match carrier {
                Carrier::Udp => {
                    traffic.datagrams += 1;
                    traffic.datagram_bytes += length;
                }
                Carrier::Tcp => traffic.stream_bytes += length,
            }
        });
    }

    pub(super) fn arrived(&self, way: Way) {
        self.tally.send_modify(|tally| tally.of(way).arrived += 1);
    }

    pub(super) fn lost(&self, way: Way) {
        self.tally.send_modify(|tally| tally.of(way).lost += 1);
    }
}
