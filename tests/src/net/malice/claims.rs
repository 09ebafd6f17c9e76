//! What is said of circles in which a node is not.

use maillon_protocol::{
    ids::{CircleId, EntryHash, LogId},
    sync::{CircleState, Message},
};

use super::Net;

impl Net {
    /// Beside each message: that this node knows the circles of the peer in which it is not, that it lacks all their records, and that it has
    /// some. Somebody has told it their names; or nobody has, and it makes one up.
    pub(super) fn claims(&mut self, from: usize, to: usize, message: &Message) -> Vec<Vec<u8>> {
        let mut frames = vec![message.encode()];
        if self.once_in(2) {
            return frames;
        }
        let own = self.id(from);
        let circles: Vec<_> = self.nodes[to].circles.values().cloned().collect();
        let others = circles.iter().filter(|circle| {
            let charter = &circle.charter;
            !charter.ever_listed(&own) && !self.nodes[from].circles.contains_key(&circle.id())
        });
        let mut said = Vec::new();
        for circle in others {
            let charter = &circle.charter;
            let entries = [1, charter.number(), charter.number() + 1];
            let heads = entries.map(|entry| (entry, charter.hash_of(entry)));
            let heads = heads.map(|(entry, hash)| (entry, hash.unwrap_or_else(|| charter.head())));
            let logs = circle.logs.iter().map(|(log, tip)| (*log, tip.height));
            said.extend(claim(circle.id(), &heads, logs));
        }
        let never = CircleId(*b"a circle that nobody ever opened");
        let log = self.nodes[from].replica.own_log();
        let head = EntryHash(never.0);
        said.extend(claim(never, &[(1, head), (7, head)], [(log, 9)]));
        frames.extend(said.iter().map(Message::encode));
        frames
    }
}

/// That there is a circle with these heads, and that everything of these logs is wanted.
fn claim(
    circle: CircleId,
    heads: &[(u64, EntryHash)],
    logs: impl IntoIterator<Item = (LogId, u64)>,
) -> Vec<Message> {
    let states = heads.iter().map(|(entry, entry_hash)| {
        Message::States(vec![CircleState {
            circle,
            entry: *entry,
            entry_hash: *entry_hash,
            heights: Vec::new(),
            acks: Vec::new(),
            departures: Vec::new(),
            finished: false,
        }])
    });
    let wants = logs.into_iter().map(|(log, up_to)| Message::Want {
        circle,
        log,
        after: 0,
        up_to,
    });
    let (entry, entry_hash) = heads[heads.len() - 1];
    let records = Message::Records {
        circle,
        entry,
        entry_hash,
        records: Vec::new(),
        wanted: true,
    };
    states.chain(wants).chain([records]).collect()
}
