//! A stranger presents the end of a charter, outside any session.

use maillon_protocol::sync::Presentation;

use super::Net;

impl Net {
    /// What `from` would present to `to` now.
    pub fn presentation(&mut self, from: usize, to: usize, turn: usize) -> Option<Presentation> {
        let (now, to) = (self.clock(from), self.id(to));
        self.nodes[from].view(now, |view| Presentation::of(view, &to, turn))
    }

    /// Lets `from` present this frame at `to`. Whether it was taken; nobody but the test hears of it.
    pub fn present(&mut self, from: usize, to: usize, frame: &[u8]) -> bool {
        let (stranger, now) = (self.id(from), self.clock(to));
        let checked = Presentation::decode(frame)
            .and_then(|said| self.nodes[to].view(now, |view| said.check(view, &stranger)));
        let Ok(presented) = checked else {
            return false;
        };
        self.act(to, |node, now| {
            node.with(|replica, rows, rng| {
                replica
                    .take_presented(rows, stranger, presented, now, rng)
                    .is_ok()
            })
        })
    }
}
