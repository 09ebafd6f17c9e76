//! What passed and what was lost, counted.

/// What one way of a wire saw. Counted at the moment when it is handed to the system for the other side.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Traffic {
    /// UDP datagrams that came in, whatever became of them.
    pub arrived: u64,
    /// UDP datagrams that passed.
    pub datagrams: u64,
    /// Bytes in those datagrams.
    pub datagram_bytes: u64,
    /// UDP datagrams that did not: by chance, by a cut, or because too many waited.
    pub lost: u64,
    /// Bytes of TCP streams that passed.
    pub stream_bytes: u64,
}

impl Traffic {
    /// All bytes that passed this way.
    pub fn bytes(&self) -> u64 {
        self.datagram_bytes + self.stream_bytes
    }
}

/// What a wire saw since it was opened.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Tally {
    /// From A to B.
    pub there: Traffic,
    /// From B to A.
    pub back: Traffic,
    /// TCP connections that were accepted, refused ones not counted.
    pub connections: u64,
    /// TCP connections that are open now.
    pub open: u64,
    /// TCP connections that were refused or reset by the wire.
    pub resets: u64,
}

impl Tally {
    pub(super) fn of(&mut self, way: super::Way) -> &mut Traffic {
        match way {
            super::Way::There => &mut self.there,
            super::Way::Back => &mut self.back,
        }
    }
}
