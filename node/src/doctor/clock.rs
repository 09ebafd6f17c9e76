//! Whether this node's own clock runs ahead of those who acknowledge what it writes, as committed rows tell it. Whose records came from ahead
//! of this node's clock is told by [`Care::clocks_ahead`](crate::care::Care::clocks_ahead). Nothing is refused for it; somebody should set a clock.

use maillon_protocol::{
    circle::Ack, ids::NodeId, sign::Unverified, sync::View, time::AHEAD_LIMIT_MS,
};

use crate::ledger::Shared;

/// By how many milliseconds this node's clock was ahead of another's at least, where that is more than ten minutes: a member acknowledged
/// a record of this node, by its own clock, before the record had been written by this one's.
pub(super) fn own_ahead(shared: &Shared, now_ms: u64) -> Option<(NodeId, u64)> {
    let own = shared.own();
    let mut worst: Option<(NodeId, u64)> = None;
    for circle in shared.circles() {
        let id = circle.id();
        // This node's own acknowledgement is signed when it is asked for: that needs the time.
        for bytes in shared.look(now_ms, |view| view.acks(&id)) {
            let Ok(ack) = Unverified::<Ack>::parse(bytes.0) else {
                continue;
            };
            let ack = ack.object;
            let mine = ack.heights.iter().filter(|held| held.log.node == own);
            for held in mine.filter(|held| ack.node != own && held.height > 0) {
                let last =
                    shared.read(|view| view.records(&id, &held.log, held.height, held.height, 1));
                let written = last.first().map(|record| record.header.object.time.ms());
                let ahead = written.unwrap_or(0).saturating_sub(ack.time_ms);
                if ahead > AHEAD_LIMIT_MS && worst.is_none_or(|(_, most)| ahead > most) {
                    worst = Some((ack.node, ahead));
                }
            }
        }
    }
    worst
}
