//! One end of one connection.

use std::collections::{BTreeMap, BTreeSet, HashMap, VecDeque};
use std::sync::Arc;

use super::message::{CircleState, Message, MessageError, SentRecord, VERSION};
use crate::{
    cbor::Bytes,
    charter::{Entry, SealedSecret},
    circle::Circle,
    ids::{CircleId, EntryHash, Hash, LogId, NodeId, RecordId, Token},
    limits,
    record::{Header, Record},
    sign::{SignError, Unverified},
};

/// What a session reads: committed state, and nothing else.
pub trait View {
    /// This node.
    fn own(&self) -> NodeId;
    /// A circle, as committed.
    fn circle(&self, circle: &CircleId) -> Option<Arc<Circle>>;
    /// Circles whose charter lists or listed `peer` and that changed after `cursor`.
    fn changed_since(&self, peer: &NodeId, cursor: u64) -> Vec<CircleId>;
    /// The node's change counter.
    fn counter(&self) -> u64;
    /// Charter entries after number `after`, up to `up_to`, of about `bytes` bytes, at least one where there is one.
    fn entries(&self, circle: &CircleId, after: u64, up_to: u64, bytes: usize) -> Vec<Bytes>;
    /// Sealed copies held for `recipient`.
    fn seals(&self, circle: &CircleId, recipient: &NodeId) -> Vec<SealedSecret>;
    /// Records of a log from `from` to `up_to`, of about `bytes` bytes, at least one where there is one.
    fn records(
        &self,
        circle: &CircleId,
        log: &LogId,
        from: u64,
        up_to: u64,
        bytes: usize,
    ) -> Vec<Record>;
    /// Id of the record at a place of a log.
    fn record_id(&self, circle: &CircleId, log: &LogId, sequence: u64) -> Option<RecordId>;
    /// The newest acknowledgement of every member, this node's own included.
    fn acks(&self, circle: &CircleId) -> Vec<Bytes>;
    /// This node's own acknowledgement of what is committed.
    fn own_ack(&self, circle: &CircleId) -> Option<Bytes>;
    /// This node's own descriptor.
    fn descriptor(&self) -> Bytes;
    /// Marks of past exchanges with `peer` and the change counter that each stands for, newest first.
    fn marks(&self, peer: &NodeId) -> Vec<(Token, u64)>;
    /// A fresh random mark.
    fn new_mark(&self) -> Token;
    /// Invitations and acceptances that `peer` may not have yet.
    fn letters(&self, peer: &NodeId) -> Vec<Message>;
    /// Sealed chunks of an attachment that a record of the circle names, where they are here.
    fn chunks(
        &self,
        circle: &CircleId,
        record: &RecordId,
        address: &Hash,
        from: u64,
        count: u64,
    ) -> Vec<Bytes>;
}

/// What happens to a session.
#[derive(Debug)]
pub enum Event<'a> {
    /// The connection is up.
    Started,
    /// A frame arrived.
    Received(&'a [u8]),
    /// A [`Effect::Commit`] is done.
    Done(u64, Outcome),
    /// Something was committed, from wherever it came.
    Committed(&'a News),
    /// News were lost because the driver's queue was full: everything is compared again.
    NewsLost,
    /// All that was sent has left the driver's queue.
    Flushed,
    /// The time asked for by [`Effect::Timer`] has come.
    Timer,
}

/// What a commit changed, for every session.
#[derive(Debug, Clone)]
pub struct News {
    /// The circle; none for letters.
    pub circle: Option<CircleId>,
    /// What changed.
    pub change: Change,
    /// The peer from whom it came; none where it was written here.
    pub from: Option<NodeId>,
}

/// Kinds of changes.
#[derive(Debug, Clone)]
pub enum Change {
    /// New records.
    Records(Arc<Vec<Record>>),
    /// A longer charter, or secrets that opened.
    Charter,
    /// Newer acknowledgements.
    Acks,
    /// A letter to this peer.
    Letter(NodeId),
    /// This node's descriptor.
    Descriptor,
}

/// What a session asks of its driver.
#[derive(Debug)]
pub enum Effect {
    /// Send a message.
    Send(Message),
    /// Verify and commit; answer with [`Event::Done`] and the same number.
    Commit(u64, Batch),
    /// Wake the session at this time, Unix milliseconds; replaces the timer before.
    Timer(u64),
    /// Count and report.
    Report(Problem),
    /// Close the connection.
    Close(Problem),
}

/// What is to be verified and committed.
#[derive(Debug)]
pub enum Batch {
    /// Records of one circle; signatures are not verified yet.
    Records {
        /// The circle.
        circle: CircleId,
        /// Headers and bodies.
        records: Vec<(Unverified<Header>, Option<Vec<u8>>)>,
    },
    /// Charter entries of one circle and sealed copies; signatures are not verified yet.
    Entries {
        /// The circle.
        circle: CircleId,
        /// Entries.
        entries: Vec<Unverified<Entry>>,
        /// Copies.
        seals: Vec<SealedSecret>,
    },
    /// Acknowledgements.
    Acks(CircleId, Vec<Vec<u8>>),
    /// A descriptor.
    Descriptor(Vec<u8>),
    /// An invitation for this node.
    Invitation(Vec<u8>),
    /// An acceptance of this node's invitation.
    Acceptance(Vec<u8>),
    /// The exchange is finished up to this change counter.
    Mark(Token, u64),
    /// Chunks of an attachment.
    Chunks {
        /// Its address.
        address: Hash,
        /// First chunk.
        from: u64,
        /// Sealed chunks.
        chunks: Vec<Vec<u8>>,
    },
}

/// What became of a batch.
#[derive(Debug, Clone, Default)]
pub struct Outcome {
    /// Logs in which something is missing: the sequence that must come next and the last one seen.
    pub gaps: BTreeMap<LogId, (u64, u64)>,
    /// A record names a charter entry that is not here.
    pub unknown_entry: bool,
    /// Something in it was refused: counted by the driver, with its reason.
    pub refused: bool,
}

/// What a peer did wrong, for counters, the peer's line and `doctor`.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Problem {
    /// The frame is no message.
    #[error(transparent)]
    Message(#[from] MessageError),
    /// Something signed is not.
    #[error(transparent)]
    Sign(#[from] SignError),
    /// No common version.
    #[error(
        "the peer speaks versions {lowest} to {highest}, this node speaks {VERSION}: the older one must be updated"
    )]
    Version {
        /// Its lowest.
        lowest: u64,
        /// Its highest.
        highest: u64,
    },
    /// Something else came before the first message.
    #[error("the peer sent {0} before its hello")]
    BeforeHello(&'static str),
    /// Two charters with one number.
    #[error("the charters of circle {circle} differ at entry {entry}: it has forked")]
    CharterFork {
        /// The circle.
        circle: CircleId,
        /// The entry.
        entry: u64,
    },
    /// Something of a circle that the charter does not share with this peer.
    #[error("the peer sent {0} for a circle that is not shared with it")]
    NotShared(&'static str),
}

/// A session's bounds.
#[derive(Debug, Clone, Copy)]
pub struct Limits {
    /// Ranges asked for at a time.
    pub wants: usize,
    /// Bytes of records in one answer.
    pub answer_bytes: usize,
    /// Circles stated in one message.
    pub states: usize,
    /// Milliseconds between rounds while things change.
    pub round_ms: u64,
}

impl Default for Limits {
    fn default() -> Self {
        Self {
            wants: 16,
            answer_bytes: 512 << 10,
            states: 64,
            round_ms: 60_000,
        }
    }
}

/// How far a round of comparison has come.
#[derive(Debug, Default)]
struct Round {
    number: u64,
    cursor: u64,
    to_state: VecDeque<CircleId>,
    sent_compared: bool,
    got_compared: bool,
    sent_finished: bool,
    got_finished: bool,
}

#[derive(Debug)]
enum Pending {
    Records {
        circle: CircleId,
        logs: BTreeSet<LogId>,
        wanted: bool,
    },
    Other,
}

/// One end of one connection.
#[derive(Debug)]
pub struct Session {
    peer: NodeId,
    limits: Limits,
    greeted: bool,
    round: Round,
    mark: u64,
    /// Change counter of a circle when its state was last sent; 0 for "none that I may speak of".
    told: HashMap<CircleId, u64>,
    /// Circles of which the peer's charter is known to differ, or not known to be the same.
    behind: BTreeSet<CircleId>,
    /// Ranges still wanted: up to which sequence.
    targets: BTreeMap<(CircleId, LogId), u64>,
    waiting: VecDeque<(CircleId, LogId)>,
    asked: BTreeMap<(CircleId, LogId), u64>,
    commits: HashMap<u64, Pending>,
    next_commit: u64,
    effects: VecDeque<Effect>,
    closed: bool,
}

impl Session {
    /// A session with `peer`, not started yet.
    pub fn new(peer: NodeId, limits: Limits) -> Self {
        Self {
            peer,
            limits,
            greeted: false,
            round: Round::default(),
            mark: 0,
            told: HashMap::new(),
            behind: BTreeSet::new(),
            targets: BTreeMap::new(),
            waiting: VecDeque::new(),
            asked: BTreeMap::new(),
            commits: HashMap::new(),
            next_commit: 1,
            effects: VecDeque::new(),
            closed: false,
        }
    }

    /// The peer.
    pub const fn peer(&self) -> NodeId {
        self.peer
    }

    /// Whether everything that is known to differ has been exchanged.
    pub fn is_settled(&self) -> bool {
        self.greeted
            && self.round.to_state.is_empty()
            && self.targets.is_empty()
            && self.commits.is_empty()
            && self.round.sent_finished
            && self.round.got_finished
    }

    /// Takes an event; the effects, in order.
    pub fn handle(&mut self, event: Event<'_>, view: &impl View, now_ms: u64) -> Vec<Effect> {
        if !self.closed {
            match event {
                Event::Started => self.start(view),
                Event::Received(frame) => self.receive(frame, view, now_ms),
                Event::Done(number, outcome) => self.done(number, &outcome, view),
                Event::Committed(news) => self.news(news, view),
                Event::NewsLost => self.begin_round(self.round.number + 1, view),
                Event::Flushed => {}
                Event::Timer => self.timer(view, now_ms),
            }
            self.pump(view, now_ms);
        }
        self.effects.drain(..).collect()
    }

    fn send(&mut self, message: Message) {
        self.effects.push_back(Effect::Send(message));
    }

    fn commit(&mut self, batch: Batch, pending: Pending) {
        let number = self.next_commit;
        self.next_commit += 1;
        self.commits.insert(number, pending);
        self.effects.push_back(Effect::Commit(number, batch));
    }

    fn report(&mut self, problem: Problem) {
        self.effects.push_back(Effect::Report(problem));
    }

    fn close(&mut self, problem: Problem) {
        self.closed = true;
        self.effects.push_back(Effect::Close(problem));
    }

    fn start(&mut self, view: &impl View) {
        let marks = view
            .marks(&self.peer)
            .into_iter()
            .map(|(token, _)| token)
            .take(8)
            .collect();
        self.send(Message::Hello {
            lowest: VERSION,
            highest: VERSION,
            descriptor: view.descriptor(),
            marks,
        });
    }

    fn receive(&mut self, frame: &[u8], view: &impl View, now_ms: u64) {
        let message = match Message::decode(frame) {
            Ok(message) => message,
            Err(error) => return self.close(error.into()),
        };
        if !self.greeted && !matches!(message, Message::Hello { .. }) {
            return self.close(Problem::BeforeHello(message.name()));
        }
        match message {
            Message::Hello {
                lowest,
                highest,
                descriptor,
                marks,
            } => {
                self.hello(lowest, highest, descriptor, &marks, view, now_ms);
            }
            Message::States(states) => {
                for state in states {
                    self.state(&state, view);
                }
            }
            Message::Compared(number) => {
                if number > self.round.number {
                    self.begin_round(number, view);
                }
                self.round.got_compared |= number == self.round.number;
            }
            Message::Finished(number) => {
                self.round.got_finished |= number == self.round.number;
                self.make_mark(view);
            }
            Message::Mark(number, token) => {
                if number == self.round.number && self.round.sent_finished {
                    self.keep_mark(token);
                }
            }
            Message::Entries {
                circle,
                entries,
                seals,
                ..
            } => self.entries(circle, entries, seals),
            Message::Want {
                circle,
                log,
                after,
                up_to,
            } => self.answer(circle, log, after, up_to, view),
            Message::Records {
                circle,
                entry,
                entry_hash,
                records,
                wanted,
            } => {
                self.records(circle, (entry, entry_hash), records, wanted, view);
            }
            Message::Ack(bytes) => match Unverified::<crate::circle::Ack>::parse(bytes.0.clone()) {
                Ok(ack) => self.commit(
                    Batch::Acks(ack.object.circle, vec![bytes.0]),
                    Pending::Other,
                ),
                Err(error) => self.report(error.into()),
            },
            Message::Invitation(bytes) => self.commit(Batch::Invitation(bytes.0), Pending::Other),
            Message::Acceptance(bytes) => self.commit(Batch::Acceptance(bytes.0), Pending::Other),
            Message::Descriptor(bytes) => self.commit(Batch::Descriptor(bytes.0), Pending::Other),
            Message::WantChunks {
                circle,
                record,
                address,
                from,
                count,
            } => {
                let chunks = self
                    .shared(&circle, view)
                    .map(|_| view.chunks(&circle, &record, &address, from, count.min(8)))
                    .unwrap_or_default();
                self.send(Message::Chunks {
                    address,
                    from,
                    chunks,
                });
            }
            Message::Chunks {
                address,
                from,
                chunks,
            } => {
                let chunks = chunks.into_iter().map(|chunk| chunk.0).collect();
                self.commit(
                    Batch::Chunks {
                        address,
                        from,
                        chunks,
                    },
                    Pending::Other,
                );
            }
        }
    }

    fn hello(
        &mut self,
        lowest: u64,
        highest: u64,
        descriptor: Bytes,
        marks: &[Token],
        view: &impl View,
        now_ms: u64,
    ) {
        if lowest > VERSION || highest < VERSION {
            return self.close(Problem::Version { lowest, highest });
        }
        if self.greeted {
            return;
        }
        self.greeted = true;
        self.commit(Batch::Descriptor(descriptor.0), Pending::Other);
        self.mark = view
            .marks(&self.peer)
            .into_iter()
            .find(|(token, _)| marks.contains(token))
            .map_or(0, |(_, cursor)| cursor);
        for letter in view.letters(&self.peer) {
            self.send(letter);
        }
        if self.round.number == 0 {
            self.begin_round(1, view);
        }
        self.effects
            .push_back(Effect::Timer(now_ms + self.limits.round_ms));
    }

    // ---- rounds -------------------------------------------------------------------------------------------------

    fn begin_round(&mut self, number: u64, view: &impl View) {
        if !self.greeted {
            return;
        }
        self.round = Round {
            number,
            cursor: view.counter(),
            to_state: view.changed_since(&self.peer, self.mark).into(),
            ..Round::default()
        };
    }

    fn pump(&mut self, view: &impl View, _now_ms: u64) {
        if !self.greeted || self.closed {
            return;
        }
        while !self.round.to_state.is_empty() {
            let count = self.limits.states.min(self.round.to_state.len());
            let circles: Vec<_> = self.round.to_state.drain(..count).collect();
            let states: Vec<_> = circles
                .iter()
                .filter_map(|circle| self.own_state(circle, view))
                .collect();
            if !states.is_empty() {
                self.send(Message::States(states));
            }
        }
        if !self.round.sent_compared {
            self.round.sent_compared = true;
            self.send(Message::Compared(self.round.number));
        }
        self.ask(view);
        let idle = self.targets.is_empty() && self.asked.is_empty() && self.commits.is_empty();
        if self.round.got_compared && !self.round.sent_finished && idle {
            self.round.sent_finished = true;
            self.send(Message::Finished(self.round.number));
            self.make_mark(view);
        }
    }

    fn make_mark(&mut self, view: &impl View) {
        let both = self.round.sent_finished && self.round.got_finished;
        if both && view.own() < self.peer && self.mark != self.round.cursor {
            let token = view.new_mark();
            self.send(Message::Mark(self.round.number, token));
            self.keep_mark(token);
        }
    }

    fn keep_mark(&mut self, token: Token) {
        self.mark = self.round.cursor;
        self.commit(Batch::Mark(token, self.round.cursor), Pending::Other);
    }

    fn timer(&mut self, view: &impl View, now_ms: u64) {
        if self.greeted && !view.changed_since(&self.peer, self.mark).is_empty() {
            self.begin_round(self.round.number + 1, view);
        }
        self.effects
            .push_back(Effect::Timer(now_ms + self.limits.round_ms));
    }

    // ---- states -------------------------------------------------------------------------------------------------

    /// The circle, if both this node and the peer are members at its head.
    fn shared(&self, circle: &CircleId, view: &impl View) -> Option<Arc<Circle>> {
        let circle = view.circle(circle)?;
        let charter = &circle.charter;
        (charter.is_member(&self.peer) && charter.is_member(&view.own())).then_some(circle)
    }

    /// What may be said of a circle to this peer. Remembers that it was said.
    fn own_state(&mut self, id: &CircleId, view: &impl View) -> Option<CircleState> {
        let circle = view.circle(id)?;
        let charter = &circle.charter;
        if charter.is_member(&self.peer) {
            self.told.insert(*id, circle.changed);
            return Some(CircleState {
                circle: *id,
                entry: charter.number(),
                entry_hash: charter.head(),
                heights: circle.heights(),
                acks: view.acks(id),
            });
        }
        // A removed node learns of its removal, and nothing after it.
        let removal = charter.removed_by(&self.peer)?;
        self.told.insert(*id, circle.changed);
        Some(CircleState {
            circle: *id,
            entry: removal,
            entry_hash: charter.hash_of(removal)?,
            heights: Vec::new(),
            acks: Vec::new(),
        })
    }

    fn tell(&mut self, id: &CircleId, view: &impl View) {
        let changed = view.circle(id).map(|circle| circle.changed);
        if changed.is_some() && self.told.get(id).copied() == changed {
            return;
        }
        if let Some(state) = self.own_state(id, view) {
            self.send(Message::States(vec![state]));
        }
    }

    fn tell_nothing(&mut self, id: &CircleId) {
        if self.told.insert(*id, 0) != Some(0) {
            self.send(Message::States(vec![CircleState {
                circle: *id,
                entry: 0,
                entry_hash: EntryHash([0; 32]),
                heights: Vec::new(),
                acks: Vec::new(),
            }]));
        }
    }

    fn state(&mut self, theirs: &CircleState, view: &impl View) {
        let id = theirs.circle;
        let Some(circle) = view.circle(&id) else {
            if theirs.entry > 0 {
                self.tell_nothing(&id);
            }
            return;
        };
        let charter = &circle.charter;
        if !charter.ever_listed(&self.peer) {
            // "Unknown" and "not a member" are the same answer.
            if theirs.entry > 0 {
                self.tell_nothing(&id);
            }
            return;
        }
        let limit = charter.removed_by(&self.peer).unwrap_or(charter.number());
        if theirs.entry < limit {
            self.behind.insert(id);
            if theirs.entry == 0 || charter.hash_of(theirs.entry) == Some(theirs.entry_hash) {
                self.send_entries(&id, theirs.entry, limit, &circle, view);
            } else {
                self.report(Problem::CharterFork {
                    circle: id,
                    entry: theirs.entry,
                });
            }
            return;
        }
        if !charter.is_member(&self.peer) || !charter.is_member(&view.own()) {
            return;
        }
        self.take_acks(&circle, theirs, view);
        self.tell(&id, view);
        if theirs.entry > charter.number() {
            self.behind.insert(id);
            return;
        }
        if theirs.entry_hash != charter.head() {
            self.behind.insert(id);
            return self.report(Problem::CharterFork {
                circle: id,
                entry: theirs.entry,
            });
        }
        self.behind.remove(&id);
        for height in &theirs.heights {
            let (mine, head) = circle
                .logs
                .get(&height.log)
                .map_or((0, None), |tip| (tip.height, Some(tip.head)));
            // Of our own log, the peer may hold another record at a lower place: we wrote on an older copy of our disk.
            let forked = height.log.node == view.own()
                && height.height > 0
                && height.height < mine
                && view.record_id(&id, &height.log, height.height) != Some(height.head);
            if height.height > mine {
                self.want(id, height.log, height.height);
            } else if forked {
                self.send(Message::Want {
                    circle: id,
                    log: height.log,
                    after: height.height - 1,
                    up_to: height.height,
                });
            } else if height.height == mine && head != Some(height.head) {
                // Same height, another record: ask for it, as the proof of a fork.
                self.send(Message::Want {
                    circle: id,
                    log: height.log,
                    after: mine - 1,
                    up_to: mine,
                });
            }
        }
    }

    fn take_acks(&mut self, circle: &Circle, theirs: &CircleState, view: &impl View) {
        let held = view.acks(&circle.id());
        let fresh: Vec<_> = theirs
            .acks
            .iter()
            .filter(|ack| !held.contains(ack))
            .take(limits::MEMBERS)
            .map(|ack| ack.0.clone())
            .collect();
        if !fresh.is_empty() {
            self.commit(Batch::Acks(circle.id(), fresh), Pending::Other);
        }
    }

    // ---- charters -----------------------------------------------------------------------------------------------

    fn send_entries(
        &mut self,
        id: &CircleId,
        after: u64,
        up_to: u64,
        circle: &Circle,
        view: &impl View,
    ) {
        // Once these are committed there, everything is to be compared: our state must be told again.
        self.told.remove(id);
        let seals = if circle.charter.is_member(&self.peer) {
            view.seals(id, &self.peer)
        } else {
            Vec::new()
        };
        let mut after = after;
        let mut seals = Some(seals);
        loop {
            let entries = view.entries(id, after, up_to, self.limits.answer_bytes);
            after += entries.len() as u64;
            let more = !entries.is_empty() && after < up_to;
            let empty = entries.is_empty();
            let seals = if more {
                Vec::new()
            } else {
                seals.take().unwrap_or_default()
            };
            if !empty || !seals.is_empty() {
                self.send(Message::Entries {
                    circle: *id,
                    entries,
                    seals,
                    more,
                });
            }
            if !more {
                return;
            }
        }
    }

    fn entries(&mut self, circle: CircleId, entries: Vec<Bytes>, seals: Vec<SealedSecret>) {
        let parsed: Result<Vec<_>, _> = entries
            .into_iter()
            .map(|entry| Unverified::<Entry>::parse(entry.0))
            .collect();
        match parsed {
            Ok(entries) => self.commit(
                Batch::Entries {
                    circle,
                    entries,
                    seals,
                },
                Pending::Other,
            ),
            Err(error) => self.report(error.into()),
        }
    }

    // ---- records ------------------------------------------------------------------------------------------------

    fn want(&mut self, circle: CircleId, log: LogId, up_to: u64) {
        let target = self.targets.entry((circle, log)).or_insert(0);
        let known = *target != 0;
        *target = (*target).max(up_to);
        if !known {
            self.waiting.push_back((circle, log));
        }
    }

    fn ask(&mut self, view: &impl View) {
        while self.asked.len() < self.limits.wants {
            let Some(key) = self.waiting.pop_front() else {
                return;
            };
            let (id, log) = key;
            let Some(up_to) = self.targets.get(&key).copied() else {
                continue;
            };
            let Some(circle) = self.shared(&id, view) else {
                self.targets.remove(&key);
                continue;
            };
            let after = circle.logs.get(&log).map_or(0, |tip| tip.height);
            if after >= up_to {
                self.targets.remove(&key);
                continue;
            }
            self.asked.insert(key, after);
            self.send(Message::Want {
                circle: id,
                log,
                after,
                up_to,
            });
        }
    }

    fn answer(&mut self, id: CircleId, log: LogId, after: u64, up_to: u64, view: &impl View) {
        let records = self.answerable(&id, &log, after, up_to, view);
        let (entry, entry_hash) = view
            .circle(&id)
            .filter(|circle| circle.charter.is_member(&self.peer))
            .map_or((0, EntryHash([0; 32])), |circle| {
                (circle.charter.number(), circle.charter.head())
            });
        self.send(Message::Records {
            circle: id,
            entry,
            entry_hash,
            records,
            wanted: true,
        });
    }

    fn answerable(
        &mut self,
        id: &CircleId,
        log: &LogId,
        after: u64,
        up_to: u64,
        view: &impl View,
    ) -> Vec<SentRecord> {
        let Some(circle) = self.shared(id, view) else {
            self.report(Problem::NotShared("want"));
            return Vec::new();
        };
        if self.behind.contains(id) {
            return Vec::new();
        }
        let Some(tip) = circle.logs.get(log) else {
            return Vec::new();
        };
        let Some(first) = tip.first_for(&self.peer, log, &circle.charter) else {
            return Vec::new();
        };
        let from = first.max(after.saturating_add(1));
        if from > up_to.min(tip.height) {
            return Vec::new();
        }
        view.records(
            id,
            log,
            from,
            up_to.min(tip.height),
            self.limits.answer_bytes,
        )
        .into_iter()
        .map(|record| sent(&record, &circle, &self.peer))
        .collect()
    }

    fn records(
        &mut self,
        id: CircleId,
        head: (u64, EntryHash),
        records: Vec<SentRecord>,
        wanted: bool,
        view: &impl View,
    ) {
        let mut parsed = Vec::with_capacity(records.len());
        let mut logs = BTreeSet::new();
        for record in records {
            match Unverified::<Header>::parse(record.header.0) {
                Ok(header) if header.object.circle == id => {
                    logs.insert(header.object.log);
                    let body = (!record.body.0.is_empty()).then_some(record.body.0);
                    parsed.push((header, body));
                }
                Ok(_) => self.report(Problem::NotShared("records")),
                Err(error) => self.report(error.into()),
            }
        }
        if wanted && logs.is_empty() {
            // The peer has nothing (more) for what was asked: one range of this circle is answered.
            self.give_up_one(&id);
            return;
        }
        let Some(circle) = self.shared(&id, view) else {
            self.give_up(&id);
            return self.report(Problem::NotShared("records"));
        };
        if head != (circle.charter.number(), circle.charter.head()) {
            self.behind.insert(id);
            self.give_up(&id);
            self.told.remove(&id);
            return self.tell(&id, view);
        }
        // What is held already costs no signature check.
        parsed.retain(|(header, _)| {
            let Header { log, sequence, .. } = &header.object;
            let held = circle
                .logs
                .get(log)
                .is_some_and(|tip| *sequence <= tip.height && *sequence >= tip.first);
            !held || view.record_id(&id, log, *sequence) != Some(RecordId(header.id))
        });
        if parsed.is_empty() {
            for log in logs {
                self.progress(id, log, view);
            }
            return;
        }
        self.commit(
            Batch::Records {
                circle: id,
                records: parsed,
            },
            Pending::Records {
                circle: id,
                logs,
                wanted,
            },
        );
    }

    fn give_up_one(&mut self, id: &CircleId) {
        if let Some(key) = self.asked.keys().find(|(circle, _)| circle == id).copied() {
            self.asked.remove(&key);
            self.targets.remove(&key);
        }
    }

    fn give_up(&mut self, id: &CircleId) {
        self.asked.retain(|(circle, _), _| circle != id);
        self.targets.retain(|(circle, _), _| circle != id);
    }

    /// After records of a log were handled: asks for the rest, or lets go.
    fn progress(&mut self, id: CircleId, log: LogId, view: &impl View) {
        let key = (id, log);
        let before = self.asked.remove(&key);
        let Some(target) = self.targets.get(&key).copied() else {
            return;
        };
        let height = view
            .circle(&id)
            .and_then(|circle| circle.logs.get(&log).map(|tip| tip.height))
            .unwrap_or(0);
        if height >= target || before.is_some_and(|before| height <= before) {
            self.targets.remove(&key);
        } else if !self.waiting.contains(&key) {
            self.waiting.push_back(key);
        }
    }

    fn done(&mut self, number: u64, outcome: &Outcome, view: &impl View) {
        let Some(Pending::Records {
            circle,
            logs,
            wanted,
        }) = self.commits.remove(&number)
        else {
            return;
        };
        for log in &logs {
            if wanted {
                self.progress(circle, *log, view);
            }
        }
        for (log, (expected, last)) in &outcome.gaps {
            if *last >= *expected && !outcome.refused {
                self.want(circle, *log, *last);
            }
        }
        if outcome.unknown_entry {
            self.told.remove(&circle);
            self.tell(&circle, view);
        }
    }

    // ---- news ---------------------------------------------------------------------------------------------------

    fn news(&mut self, news: &News, view: &impl View) {
        if !self.greeted {
            return;
        }
        match (&news.change, news.circle) {
            (Change::Letter(to), _) if *to == self.peer => {
                for letter in view.letters(&self.peer) {
                    self.send(letter);
                }
            }
            (Change::Descriptor, _) => self.send(Message::Descriptor(view.descriptor())),
            (Change::Charter, Some(id)) => {
                // Until the peer says that it has the same head, nothing else of this circle is sent.
                self.behind.insert(id);
                self.tell(&id, view);
            }
            (Change::Records(records), Some(id)) => self.pass_on(&id, records, news.from, view),
            _ => {}
        }
    }

    fn pass_on(
        &mut self,
        id: &CircleId,
        records: &[Record],
        from: Option<NodeId>,
        view: &impl View,
    ) {
        let Some(circle) = self.shared(id, view) else {
            return;
        };
        if records
            .iter()
            .any(|record| record.header.object.log.node == self.peer)
            && let Some(ack) = view.own_ack(id)
        {
            self.send(Message::Ack(ack));
        }
        if from == Some(self.peer) {
            return;
        }
        // Before the peer has said what changed at its side, and while charters differ, states are compared instead.
        let settled = self.round.got_compared || self.round.number > 1;
        if from.is_some() || !settled || self.behind.contains(id) {
            return self.tell(id, view);
        }
        let (entry, entry_hash) = (circle.charter.number(), circle.charter.head());
        let mut batch = Vec::new();
        let mut bytes = 0;
        for record in records {
            let log = record.header.object.log;
            let allowed = circle
                .logs
                .get(&log)
                .and_then(|tip| tip.first_for(&self.peer, &log, &circle.charter))
                .is_some_and(|first| record.header.object.sequence >= first);
            if !allowed {
                continue;
            }
            let record = sent(record, &circle, &self.peer);
            bytes += record.header.0.len() + record.body.0.len();
            batch.push(record);
            if bytes >= self.limits.answer_bytes {
                let records = std::mem::take(&mut batch);
                bytes = 0;
                self.send(Message::Records {
                    circle: *id,
                    entry,
                    entry_hash,
                    records,
                    wanted: false,
                });
            }
        }
        if !batch.is_empty() {
            self.send(Message::Records {
                circle: *id,
                entry,
                entry_hash,
                records: batch,
                wanted: false,
            });
        }
    }
}

/// A record as `peer` may have it: without its body where its epoch is not granted.
fn sent(record: &Record, circle: &Circle, peer: &NodeId) -> SentRecord {
    let granted = circle
        .charter
        .epoch_of(record.header.object.entry)
        .is_some_and(|(epoch, _)| circle.charter.is_granted(peer, epoch));
    SentRecord {
        header: Bytes(record.header.bytes.clone()),
        body: Bytes(record.body.clone().filter(|_| granted).unwrap_or_default()),
    }
}
