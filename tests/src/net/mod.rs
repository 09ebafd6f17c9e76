//! Nodes in memory, a network in virtual time.
//!
//! [`Net`] drives the protocol's own machines ([`Replica`](maillon_protocol::replica::Replica) and
//! [`Session`](maillon_protocol::sync::Session)) over maps instead of RocksDB and a queue of events instead of sockets. Latency, loss,
//! duplication, reordering, partitions and crashes are knobs; everything follows from one seed, so a failure replays exactly.

mod counted;
pub mod country;
mod erasing;
mod invariants;
mod liar;
pub mod malice;
pub mod model;
mod node;
mod opened;
mod people;
mod presenting;
pub mod schedule;

pub use counted::Counted;
pub use node::{Node, Traffic};
pub use opened::Opened;
pub use people::{identity, note, professional};

use std::{
    collections::{BTreeMap, BTreeSet, BinaryHeap},
    time::Instant,
};

use maillon_protocol::{
    charter::Grant,
    content::Content,
    descriptor::StructureKind,
    ids::{CircleId, NodeId, RecordId},
    replica::Memory,
    sync::{Effect, Event, Message, News},
};
use rand::{Rng, RngExt, SeedableRng};
use rand_chacha::ChaCha20Rng;

/// How bad the network is.
#[derive(Debug, Clone, Copy)]
pub struct Weather {
    /// Least delay of a frame, milliseconds.
    pub delay_ms: u64,
    /// Up to so much more, at random: frames overtake each other where this is not 0.
    pub jitter_ms: u64,
    /// Frames lost, of 100.
    pub loss: u32,
    /// Frames that arrive twice, of 100.
    pub twice: u32,
    /// As streams are: frames keep their order, and after a lost one nothing arrives until the next connection.
    pub ordered: bool,
}

impl Weather {
    /// A good line.
    pub const FINE: Self = Self {
        delay_ms: 5,
        jitter_ms: 0,
        loss: 0,
        twice: 0,
        ordered: true,
    };
}

#[derive(Debug, PartialEq, Eq)]
enum What {
    Frame {
        from: usize,
        to: usize,
        line: u64,
        bytes: Vec<u8>,
    },
    Done {
        node: usize,
        peer: usize,
        line: u64,
        number: u64,
    },
    Timer {
        node: usize,
        peer: usize,
        line: u64,
    },
    Flushed {
        node: usize,
        peer: usize,
        line: u64,
    },
    Commit {
        node: usize,
    },
}

/// One direction of a connection, while it is up.
#[derive(Debug, Default)]
struct Way {
    /// When the last frame arrives: no later one overtakes it where the weather keeps order.
    last: u64,
    /// A frame was lost: nothing more arrives where the weather keeps order.
    broken: bool,
}

#[derive(Debug, PartialEq, Eq)]
struct Due {
    at: u64,
    order: u64,
    what: What,
}

impl Ord for Due {
    fn cmp(&self, other: &Self) -> std::cmp::Ordering {
        (other.at, other.order).cmp(&(self.at, self.order))
    }
}

impl PartialOrd for Due {
    fn partial_cmp(&self, other: &Self) -> Option<std::cmp::Ordering> {
        Some(self.cmp(other))
    }
}

/// A federation in memory.
pub struct Net {
    /// The nodes.
    pub nodes: Vec<Node>,
    /// How bad the network is.
    pub weather: Weather,
    /// Virtual time, Unix milliseconds.
    pub now: u64,
    /// Whether frames are kept, and looked at as they leave: see [`Net::frames`] and [`Net::broken`].
    pub watched: bool,
    /// Every frame that was handed to the network, by (from, to): what an eavesdropper or a stranger has seen.
    pub frames: BTreeMap<(usize, usize), Vec<Vec<u8>>>,
    queue: BinaryHeap<Due>,
    order: u64,
    /// Connections that are up, with their number: frames of an older connection are dropped.
    lines: BTreeMap<(usize, usize), u64>,
    next_line: u64,
    ways: BTreeMap<(usize, usize), Way>,
    /// Directions, from and to, in which nothing arrives although the connection is up.
    pub mute: BTreeSet<(usize, usize)>,
    /// How long staged work waits for its commit, milliseconds; 0: not at all. A crash in between loses it.
    pub commit_ms: u64,
    /// Nodes whose programs spoil what they pass on: bodies, headers, entries.
    pub liars: BTreeSet<usize>,
    /// Nodes whose programs are somebody else's.
    pub malign: BTreeMap<usize, malice::Malice>,
    /// How many of their messages went out as something else.
    pub twisted: usize,
    /// The second in which each of them said more than its session last, and how many frames.
    spent: BTreeMap<usize, (u64, usize)>,
    /// By how many milliseconds a node's clock is wrong, where it is.
    pub clocks: BTreeMap<usize, i64>,
    /// What a frame told that it must not have told; see [`invariants`](Net::invariants).
    pub broken: Vec<String>,
    rng: ChaCha20Rng,
}

fn pair(a: usize, b: usize) -> (usize, usize) {
    (a.min(b), a.max(b))
}

impl Net {
    /// `count` nodes that know each other's descriptors and are not connected.
    pub fn new(seed: u64, count: usize) -> Self {
        let mut net = Self::of_strangers(seed, &vec![StructureKind::Dac; count]);
        net.watched = true;
        let descriptors: Vec<_> = net
            .nodes
            .iter()
            .map(|node| node.replica.descriptor().clone())
            .collect();
        for node in &mut net.nodes {
            for descriptor in &descriptors {
                node.with(|replica, rows, _| replica.take_descriptor(rows, descriptor))
                    .unwrap();
            }
        }
        net
    }

    /// Nodes of these kinds that know nobody: two that connect tell each other who they are. Frames are not kept, so there may be many.
    pub fn of_strangers(seed: u64, kinds: &[StructureKind]) -> Self {
        let mut rng = ChaCha20Rng::seed_from_u64(seed);
        let now = 1_780_000_000_000;
        let nodes = kinds
            .iter()
            .enumerate()
            .map(|(index, kind)| Node::new(index, *kind, now, rng.next_u64()))
            .collect();
        Self {
            nodes,
            weather: Weather::FINE,
            now,
            watched: false,
            frames: BTreeMap::new(),
            queue: BinaryHeap::new(),
            order: 0,
            lines: BTreeMap::new(),
            next_line: 1,
            ways: BTreeMap::new(),
            mute: BTreeSet::new(),
            commit_ms: 0,
            liars: BTreeSet::new(),
            malign: BTreeMap::new(),
            twisted: 0,
            spent: BTreeMap::new(),
            clocks: BTreeMap::new(),
            broken: Vec::new(),
            rng,
        }
    }

    /// Name of a node.
    pub fn id(&self, node: usize) -> NodeId {
        self.nodes[node].id()
    }

    /// Opens a connection.
    pub fn connect(&mut self, a: usize, b: usize) {
        if self.lines.contains_key(&pair(a, b)) {
            return;
        }
        let line = self.next_line;
        self.next_line += 1;
        self.lines.insert(pair(a, b), line);
        for (node, peer) in [(a, b), (b, a)] {
            let id = self.id(peer);
            self.nodes[node].open_session(peer, id);
            self.event(node, peer, Event::Started);
        }
    }

    /// Connects everybody with everybody.
    pub fn connect_all(&mut self) {
        for a in 0..self.nodes.len() {
            for b in a + 1..self.nodes.len() {
                self.connect(a, b);
            }
        }
    }

    /// Cuts a connection; what is under way is lost.
    pub fn cut(&mut self, a: usize, b: usize) {
        self.lines.remove(&pair(a, b));
        for (node, peer) in [(a, b), (b, a)] {
            let id = self.id(peer);
            self.nodes[node].close_session(peer, id);
        }
        self.ways.remove(&(a, b));
        self.ways.remove(&(b, a));
    }

    /// Cuts everything.
    pub fn cut_all(&mut self) {
        let lines: Vec<_> = self.lines.keys().copied().collect();
        for (a, b) in lines {
            self.cut(a, b);
        }
    }

    /// The connections of a node that are up.
    pub fn lines_of(&self, node: usize) -> Vec<(usize, usize)> {
        let peers = self.nodes[node].sessions.keys();
        peers.map(|peer| pair(node, *peer)).collect()
    }

    /// The node stops without warning and starts again from what it had committed.
    pub fn crash(&mut self, node: usize) {
        for (a, b) in self.lines_of(node) {
            self.cut(a, b);
        }
        self.nodes[node].restart();
        self.renew_further(node);
    }

    /// A node's disk is put back to `copy`, and the node knows it.
    pub fn put_back(&mut self, node: usize, copy: Memory) {
        self.nodes[node].memory = copy;
        self.crash(node);
        self.act(node, |node, now| {
            node.with(|replica, rows, rng| replica.restored(rows, now, rng))
        })
        .expect("a replica that was just read");
    }

    /// The disk of a node is copied, and a second machine runs with the copy, in the same name; which node that is.
    pub fn twin(&mut self, of: usize) -> usize {
        let seed = self.rng.next_u64();
        let twin = self.nodes[of].twin(seed);
        self.nodes.push(twin);
        self.nodes.len() - 1
    }

    /// The texts of the notes that stand at a node.
    pub fn notes(&self, node: usize, circle: &CircleId) -> BTreeSet<String> {
        self.notes_where(node, circle, |_| true)
    }

    /// Those of them that are marked as from a log that has forked.
    pub fn marked(&self, node: usize, circle: &CircleId) -> BTreeSet<String> {
        self.notes_where(node, circle, |parted| parted)
    }

    fn notes_where(
        &self,
        node: usize,
        circle: &CircleId,
        which: impl Fn(bool) -> bool,
    ) -> BTreeSet<String> {
        let shown = self.nodes[node].shown(circle).into_iter();
        let chosen = shown.filter(|(_, parted)| which(*parted));
        chosen
            .filter_map(|(content, _)| match content {
                Content::LiaisonNote(note) => Some(note.text),
                _ => None,
            })
            .collect()
    }

    /// `from` says something to `to` that its own session would not say.
    pub fn say(&mut self, from: usize, to: usize, message: &Message) {
        if let Some(line) = self.lines.get(&pair(from, to)).copied() {
            let bytes = message.encode();
            self.push(
                self.now,
                What::Frame {
                    from,
                    to,
                    line,
                    bytes,
                },
            );
        }
    }

    /// What a node's clock shows, Unix milliseconds.
    pub fn clock(&self, node: usize) -> u64 {
        let wrong = self.clocks.get(&node).copied().unwrap_or(0);
        self.now.saturating_add_signed(wrong)
    }

    fn event(&mut self, node: usize, peer: usize, event: Event<'_>) {
        let now = self.clock(node);
        let effects = self.nodes[node].handle(peer, event, now);
        self.carry_out(node, peer, effects);
    }

    fn push(&mut self, at: u64, what: What) {
        self.order += 1;
        self.queue.push(Due {
            at,
            order: self.order,
            what,
        });
    }

    fn carry_out(&mut self, node: usize, peer: usize, effects: Vec<Effect>) {
        let Some(line) = self.lines.get(&pair(node, peer)).copied() else {
            return;
        };
        if effects
            .iter()
            .any(|effect| matches!(effect, Effect::Send(_)))
        {
            self.push(self.now + 1, What::Flushed { node, peer, line });
        }
        for effect in effects {
            match effect {
                Effect::Send(message) => {
                    if self.watched {
                        self.watch(node, peer, &message);
                    }
                    let message = self.spoilt(node, message);
                    for frame in self.instead(node, peer, message) {
                        self.send(node, peer, line, frame);
                    }
                }
                Effect::Commit(number, batch) => {
                    self.nodes[node].waiting.insert((peer, number), batch);
                    self.push(
                        self.now + 1,
                        What::Done {
                            node,
                            peer,
                            line,
                            number,
                        },
                    );
                }
                Effect::Timer(at) => {
                    // As the daemon does: so long from now, whatever the clock shows then.
                    let wait = at.saturating_sub(self.clock(node));
                    self.push(self.now + wait, What::Timer { node, peer, line });
                }
                Effect::Report(problem) => self.nodes[node].problems.push(problem),
                Effect::Close(problem) => {
                    self.nodes[node].problems.push(problem);
                    self.cut(node, peer);
                    return;
                }
            }
        }
    }

    fn send(&mut self, from: usize, to: usize, line: u64, bytes: Vec<u8>) {
        if self.watched {
            let said = self.frames.entry((from, to)).or_default();
            said.push(bytes.clone());
        }
        let traffic = &mut self.nodes[from].traffic;
        traffic.sent += 1;
        traffic.bytes_sent += bytes.len() as u64;
        let weather = self.weather;
        let twice = self.rng.random_range(0..100) < weather.twice && !weather.ordered;
        for _ in 0..=u32::from(twice) {
            let lost =
                self.rng.random_range(0..100) < weather.loss || self.mute.contains(&(from, to));
            let jitter = match weather.jitter_ms {
                0 => 0,
                most => self.rng.random_range(0..=most),
            };
            let mut at = self.now + weather.delay_ms + jitter;
            let way = self.ways.entry((from, to)).or_default();
            way.broken |= lost;
            if lost || (weather.ordered && way.broken) {
                continue;
            }
            if weather.ordered {
                at = at.max(way.last);
            }
            way.last = way.last.max(at);
            let bytes = bytes.clone();
            self.push(
                at,
                What::Frame {
                    from,
                    to,
                    line,
                    bytes,
                },
            );
        }
    }

    /// Makes what a node has staged durable, now or after [`Net::commit_ms`].
    fn commit(&mut self, node: usize) {
        if self.commit_ms > 0 {
            return self.push(self.now + self.commit_ms, What::Commit { node });
        }
        self.commit_now(node);
    }

    fn commit_now(&mut self, node: usize) {
        let news = self.nodes[node].commit();
        for (peer, line, number, outcome) in std::mem::take(&mut self.nodes[node].held) {
            if self.lines.get(&pair(node, peer)) == Some(&line) {
                self.event(node, peer, Event::Done(number, outcome));
            }
        }
        self.publish(node, news);
        self.renew_further(node);
    }

    fn renew_further(&mut self, node: usize) {
        let now = self.clock(node);
        if self.nodes[node].renew_further(now) {
            self.commit(node);
        }
    }

    /// Tells a node's sessions what was committed.
    fn publish(&mut self, node: usize, news: Vec<News>) {
        let peers: Vec<_> = self.nodes[node].sessions.keys().copied().collect();
        for one in &news {
            for peer in &peers {
                self.event(node, *peer, Event::Committed(one));
            }
        }
    }

    /// Something a person does at a node, committed at once and told to its sessions.
    pub fn act<T>(&mut self, node: usize, act: impl FnOnce(&mut Node, u64) -> T) -> T {
        let now = self.clock(node);
        let begun = Instant::now();
        let result = act(&mut self.nodes[node], now);
        self.nodes[node].traffic.busy += begun.elapsed();
        self.commit(node);
        result
    }

    fn step(&mut self) -> bool {
        let Some(due) = self.queue.pop() else {
            return false;
        };
        self.now = self.now.max(due.at);
        match due.what {
            What::Frame {
                from,
                to,
                line,
                bytes,
            } => {
                if self.lines.get(&pair(from, to)) == Some(&line) {
                    let traffic = &mut self.nodes[to].traffic;
                    traffic.received += 1;
                    traffic.bytes_received += bytes.len() as u64;
                    self.event(to, from, Event::Received(&bytes));
                }
            }
            What::Done {
                node,
                peer,
                line,
                number,
            } => {
                if self.lines.get(&pair(node, peer)) != Some(&line) {
                    self.nodes[node].waiting.remove(&(peer, number));
                    return true;
                }
                let now = self.clock(node);
                let Some(batch) = self.nodes[node].waiting.remove(&(peer, number)) else {
                    return true;
                };
                let id = self.id(peer);
                let outcome = self.nodes[node].take(id, batch, now);
                self.nodes[node].held.push((peer, line, number, outcome));
                self.commit(node);
            }
            What::Commit { node } => self.commit_now(node),
            What::Timer { node, peer, line } => {
                if self.lines.get(&pair(node, peer)) == Some(&line) {
                    self.event(node, peer, Event::Timer);
                }
            }
            What::Flushed { node, peer, line } => {
                if self.lines.get(&pair(node, peer)) == Some(&line) {
                    self.event(node, peer, Event::Flushed);
                }
            }
        }
        true
    }

    /// Lets `ms` of virtual time pass.
    pub fn run(&mut self, ms: u64) {
        let end = self.now + ms;
        while self.queue.peek().is_some_and(|due| due.at <= end) {
            self.step();
        }
        self.now = end;
    }

    /// Lets time pass until `done`, ten virtual minutes at most; says whether it came true.
    pub fn run_until(&mut self, mut done: impl FnMut(&Self) -> bool) -> bool {
        let end = self.now + 600_000;
        loop {
            if done(self) {
                return true;
            }
            if self.queue.peek().is_none_or(|due| due.at > end) || !self.step() {
                return done(self);
            }
        }
    }

    /// `host` opens a circle and everybody in `guests` is invited, accepts and is admitted.
    pub fn circle(&mut self, host: usize, guests: &[usize]) -> CircleId {
        let circle = self.act(host, |node, now| node.found(now));
        for guest in guests {
            self.connect(host, *guest);
            self.invite(host, *guest, circle);
            assert!(
                self.run_until(|net| net.nodes[*guest].circles.contains_key(&circle)),
                "the guest receives the charter"
            );
        }
        self.run_until(|net| guests.iter().all(|guest| net.same(host, *guest, &circle)));
        circle
    }

    /// `host` invites `guest` with the whole past, who accepts as soon as the invitation is there.
    pub fn invite(&mut self, host: usize, guest: usize, circle: CircleId) {
        self.invite_with(host, guest, circle, Grant::Whole);
    }

    /// The same with so much of the past.
    pub fn invite_with(&mut self, host: usize, guest: usize, circle: CircleId, past: Grant) {
        let to = self.id(guest);
        self.act(host, |node, now| node.invite_with(&circle, to, past, now));
        assert!(
            self.run_until(|net| net.nodes[guest].undecided().is_some()),
            "the invitation arrives"
        );
        self.act(guest, |node, now| node.accept_first(now));
    }

    /// Writes a note.
    pub fn write(&mut self, node: usize, circle: &CircleId, text: &str) -> RecordId {
        self.act(node, |node, now| node.write(circle, note(text), now))
            .unwrap()
    }

    /// Whether two nodes show the same of a circle: the same charter, the same digest of all things.
    pub fn same(&self, a: usize, b: usize, circle: &CircleId) -> bool {
        let (Some(x), Some(y)) = (
            self.nodes[a].circles.get(circle),
            self.nodes[b].circles.get(circle),
        ) else {
            return false;
        };
        x.charter.head() == y.charter.head()
            && x.heights() == y.heights()
            && self.nodes[a].digest(circle) == self.nodes[b].digest(circle)
    }

    /// Whether any of `bytes` occurs in what a node holds or has been sent.
    pub fn knows(&self, node: usize, needle: &[u8]) -> bool {
        let sent = self
            .frames
            .iter()
            .filter(|((_, to), _)| *to == node)
            .flat_map(|(_, frames)| frames)
            .any(|frame| contains(frame, needle));
        sent || self.nodes[node].holds(needle)
    }

    /// Whether `needle` occurs in what `from` has sent to `to`.
    pub fn said(&self, from: usize, to: usize, needle: &[u8]) -> bool {
        let frames = self.frames.get(&(from, to)).into_iter().flatten();
        frames.into_iter().any(|frame| contains(frame, needle))
    }

    /// All note texts that a node can read in a circle.
    pub fn texts(&self, node: usize, circle: &CircleId) -> BTreeSet<String> {
        self.nodes[node]
            .contents(circle)
            .into_iter()
            .filter_map(|content| match content {
                Content::LiaisonNote(note) => Some(note.text),
                _ => None,
            })
            .collect()
    }
}

fn contains(haystack: &[u8], needle: &[u8]) -> bool {
    haystack
        .windows(needle.len())
        .any(|window| window == needle)
}
