//! What passed, kept for the test to look at.
//!
//! The tape is bounded: when it is full the oldest goes. A search that finds nothing means something only on a tape
//! that is [`complete`](Tape::complete).

use std::collections::VecDeque;

use super::Way;

/// How something passed.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Carrier {
    /// A datagram.
    Udp,
    /// A piece of a stream.
    Tcp,
}

/// One datagram, or one piece of a stream, as it went on.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Passed {
    /// How it came.
    pub carrier: Carrier,
    /// Which way it went.
    pub way: Way,
    /// Which connection (TCP) or client address (UDP), counted from 0 for each carrier.
    pub flow: u64,
    /// What it was.
    pub bytes: Vec<u8>,
}

/// A bounded recording.
#[derive(Clone, Debug, Default)]
pub struct Tape {
    kept: VecDeque<Passed>,
    bytes: usize,
    limit: usize,
    forgotten: u64,
}

impl Tape {
    pub(super) fn new(limit: usize) -> Self {
        Self {
            limit,
            ..Self::default()
        }
    }

    pub(super) fn keep(&mut self, passed: impl FnOnce() -> Passed) {
        if self.limit == 0 {
            return;
        }
        let passed = passed();
        self.bytes += passed.bytes.len();
        self.kept.push_back(passed);
        while self.bytes > self.limit {
            let Some(oldest) = self.kept.pop_front() else {
                break;
            };
            self.bytes -= oldest.bytes.len();
            self.forgotten += 1;
        }
    }

    /// Everything on the tape, oldest first.
    pub fn passed(&self) -> impl Iterator<Item = &Passed> {
        self.kept.iter()
    }

    /// Whether nothing was forgotten for want of room since the recording began.
    pub fn complete(&self) -> bool {
        self.forgotten == 0
    }

    /// The bytes of one TCP connection in one way, in order.
    pub fn stream(&self, flow: u64, way: Way) -> Vec<u8> {
        self.kept
            .iter()
            .filter(|passed| {
                passed.carrier == Carrier::Tcp && passed.flow == flow && passed.way == way
            })
            .flat_map(|passed| passed.bytes.iter().copied())
            .collect()
    }

    /// The datagrams of one client address in one way, in the order in which they passed.
    pub fn datagrams(&self, flow: u64, way: Way) -> impl Iterator<Item = &[u8]> {
        self.kept
            .iter()
            .filter(move |passed| {
                passed.carrier == Carrier::Udp && passed.flow == flow && passed.way == way
            })
            .map(|passed| passed.bytes.as_slice())
    }

    /// The number of TCP connections of which something is on the tape, each once.
    pub fn streams(&self) -> Vec<u64> {
        self.flows(Carrier::Tcp)
    }

    /// The number of client addresses of which datagrams are on the tape, each once.
    pub fn clients(&self) -> Vec<u64> {
        self.flows(Carrier::Udp)
    }

    fn flows(&self, carrier: Carrier) -> Vec<u64> {
        let mut flows: Vec<u64> = self
            .kept
            .iter()
            .filter(|passed| passed.carrier == carrier)
            .map(|passed| passed.flow)
            .collect();
        flows.sort_unstable();
        flows.dedup();
        flows
    }

    /// Whether these bytes stand anywhere on the tape: within a datagram, or within a stream across its pieces. An
    /// empty needle is found nowhere.
    pub fn contains(&self, needle: &[u8]) -> bool {
        if needle.is_empty() {
            return false;
        }
        let found = |hay: &[u8]| hay.windows(needle.len()).any(|window| window == needle);
        let datagrams = self
            .kept
            .iter()
            .filter(|passed| passed.carrier == Carrier::Udp);
        datagrams.into_iter().any(|passed| found(&passed.bytes))
            || self
                .streams()
                .iter()
                .any(|flow| Way::BOTH.iter().any(|way| found(&self.stream(*flow, *way))))
    }
}

#[cfg(test)]
mod tests {
    use super::{Carrier, Passed, Tape};
    use crate::wire::Way;

    fn piece(carrier: Carrier, flow: u64, bytes: &[u8]) -> Passed {
        Passed {
            carrier,
            way: Way::There,
            flow,
            bytes: bytes.to_vec(),
        }
    }

    #[test]
    fn a_word_is_found_across_the_pieces_of_a_stream_but_not_across_datagrams_or_streams() {
        let mut tape = Tape::new(1000);
        tape.keep(|| piece(Carrier::Tcp, 0, b"con"));
        tape.keep(|| piece(Carrier::Tcp, 1, b"xx"));
        tape.keep(|| piece(Carrier::Tcp, 0, b"sent"));
        tape.keep(|| piece(Carrier::Udp, 0, b"no"));
        tape.keep(|| piece(Carrier::Udp, 0, b"te"));
        assert!(tape.contains(b"consent"));
        assert!(!tape.contains(b"note"));
        assert!(!tape.contains(b"conxx"));
        assert!(!tape.contains(b""));
        assert_eq!(tape.streams(), [0, 1]);
    }

    #[test]
    fn a_full_tape_forgets_the_oldest_and_says_so() {
        let mut tape = Tape::new(6);
        tape.keep(|| piece(Carrier::Udp, 0, b"old"));
        tape.keep(|| piece(Carrier::Udp, 0, b"new"));
        assert!(tape.complete() && tape.contains(b"old"));
        tape.keep(|| piece(Carrier::Udp, 0, b"!"));
        assert!(!tape.complete() && !tape.contains(b"old") && tape.contains(b"new"));
    }
}
