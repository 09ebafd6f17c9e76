//! One end of one connection: what it remembers, and which part of it takes what.
//!
//! `rounds` says when all has been compared, `states` compares a circle, `charters` and `records` move what differs, `branches` looks after logs that have forked, `files` fetches what records name, `news` passes on what
//! is committed while the connection stands.

mod branches;
mod charters;
mod files;
mod news;
mod records;
mod rounds;
mod states;

use std::{
    collections::{BTreeMap, BTreeSet, HashMap, VecDeque},
    sync::Arc,
};

use super::{Batch, Effect, Event, Message, Problem, View};
use crate::{
    circle::{Ack, Circle},
    ids::{CircleId, EntryHash, Hash, LogId, NodeId},
    sign::Unverified,
};
use branches::Branch;
use files::{ChunkRange, Files};
use records::Range;
use rounds::Round;

/// A session's bounds.
#[derive(Debug, Clone, Copy)]
pub struct Limits {
    /// Ranges asked for at a time.
    pub wants: usize,
    /// Logs of which something is wanted and not asked for yet: what a peer says beyond that is heard again in a later round.
    pub wanted: usize,
    /// Bytes of records in one answer.
    pub answer_bytes: usize,
    /// Circles stated in one message.
    pub states: usize,
    /// Bytes of what is stated in one message, from which on no further circle is added: one alone has less than a frame.
    pub stated_bytes: usize,
    /// Attachments asked for at a time.
    pub files: usize,
    /// Chunks of an attachment in one answer.
    pub chunks: u64,
    /// Milliseconds between rounds while things change.
    pub round_ms: u64,
    /// Milliseconds after which a round that left something open is followed by the next one; twice as many each time, up to
    /// [`round_ms`](Self::round_ms).
    pub again_ms: u64,
    /// Milliseconds between sweeps, which compare every circle whatever the marks say.
    pub sweep_ms: u64,
    /// Bytes of a charter's entries that are kept until its last one has come, for a circle that is not here yet.
    pub founding_bytes: usize,
}

impl Default for Limits {
    fn default() -> Self {
        Self {
            wants: 16,
            wanted: 1 << 18,
            answer_bytes: 512 << 10,
            states: 64,
            stated_bytes: 128 << 10,
            files: 2,
            chunks: 4,
            round_ms: 60_000,
            again_ms: 1_000,
            sweep_ms: 3_600_000,
            founding_bytes: 32 << 20,
        }
    }
}

#[derive(Debug)]
enum Pending {
    Records {
        circle: CircleId,
        logs: BTreeSet<LogId>,
        wanted: bool,
    },
    Chunks(Hash),
    Other,
}

/// A range that was asked for: what was held then, and the place among the questions.
#[derive(Debug, Clone, Copy)]
struct Asked {
    after: u64,
    turn: u64,
    /// The answer is here and not committed yet.
    answered: bool,
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
    /// The head of a circle's charter that the peer last said it holds: of circles that are here and list it.
    stated: HashMap<CircleId, (u64, EntryHash)>,
    /// Circles of which the peer's charter is known to differ, or not known to be the same.
    behind: BTreeSet<CircleId>,
    /// Circles of which the peer holds another charter entry than this node.
    forked: BTreeSet<CircleId>,
    /// The head of our branch of a forked charter when it was last sent to the peer.
    shown: BTreeMap<CircleId, EntryHash>,
    /// The heads of a charter's other branches when they were last shown to the peer.
    rivals: BTreeMap<CircleId, Vec<EntryHash>>,
    /// Circles of which the peer has let go: nothing of them is said until it says otherwise.
    let_go: BTreeSet<CircleId>,
    /// Epochs, by circle and number, whose sealed copies were sent on this connection in the last minute.
    sealed: BTreeSet<(CircleId, u64)>,
    /// Entries of a circle that is not here yet, until the last of them has come.
    founding: Option<charters::Founding>,
    sweep_at: u64,
    /// Ranges still wanted: up to which sequence.
    targets: BTreeMap<(CircleId, LogId), u64>,
    waiting: VecDeque<(CircleId, LogId)>,
    /// What the peer has of removed nodes' logs beyond what counts: asked for where that comes to count by this node's act.
    late: BTreeMap<(CircleId, LogId), u64>,
    /// Of that, what came and did not come to count: not asked for again on this connection until it is more, or the charter another.
    not_taken: BTreeMap<(CircleId, LogId), u64>,
    asked: BTreeMap<(CircleId, LogId), Asked>,
    /// Logs of which the peer stands on another branch that is being looked for.
    branches: BTreeMap<(CircleId, LogId), Branch>,
    /// Those whose branch is not asked for again on this connection, up to this place.
    given_up: BTreeMap<(CircleId, LogId), u64>,
    /// Change counter of what was kept aside of a circle when it was last given to the peer.
    given: BTreeMap<CircleId, u64>,
    next_ask: u64,
    /// The next question's place when open questions were last looked at: what was asked before and is still open at the next look, a minute
    /// later, will not be answered.
    asked_by_look: u64,
    /// When open questions are looked at next.
    look_due: u64,
    /// Ranges that the peer wants, not answered yet.
    to_answer: VecDeque<Range>,
    /// Chunks that the peer wants, after all ranges.
    chunks_to_answer: VecDeque<ChunkRange>,
    /// Bytes of answers that have not left the driver's queue.
    unflushed: usize,
    commits: HashMap<u64, Pending>,
    next_commit: u64,
    files: Files,
    /// When the next round may begin, and for when the driver was asked to wake this session; Unix milliseconds.
    round_due: u64,
    /// How long the next round waits where this one leaves something open, milliseconds.
    again_ms: u64,
    timer: Option<u64>,
    /// What the clock showed with the last event, Unix milliseconds.
    latest_ms: u64,
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
            stated: HashMap::new(),
            behind: BTreeSet::new(),
            forked: BTreeSet::new(),
            shown: BTreeMap::new(),
            rivals: BTreeMap::new(),
            let_go: BTreeSet::new(),
            sealed: BTreeSet::new(),
            founding: None,
            sweep_at: u64::MAX,
            targets: BTreeMap::new(),
            waiting: VecDeque::new(),
            late: BTreeMap::new(),
            not_taken: BTreeMap::new(),
            asked: BTreeMap::new(),
            branches: BTreeMap::new(),
            given_up: BTreeMap::new(),
            given: BTreeMap::new(),
            next_ask: 0,
            asked_by_look: 0,
            look_due: 0,
            to_answer: VecDeque::new(),
            chunks_to_answer: VecDeque::new(),
            unflushed: 0,
            commits: HashMap::new(),
            next_commit: 1,
            files: Files::default(),
            round_due: 0,
            again_ms: limits.again_ms,
            timer: None,
            latest_ms: 0,
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
            && self.branches.is_empty()
            && self.commits.is_empty()
            && self.files.asked.is_empty()
            && self.round.sent_finished
            && self.round.got_finished
    }

    /// Logs of which something is wanted of the peer.
    pub fn wanted_logs(&self) -> usize {
        self.targets.len()
    }

    /// Takes an event; the effects, in order.
    pub fn handle(&mut self, event: Event<'_>, view: &impl View, now_ms: u64) -> Vec<Effect> {
        if now_ms < self.latest_ms {
            self.clock_went_back(self.latest_ms - now_ms);
        }
        self.latest_ms = now_ms;
        if !self.closed {
            match event {
                Event::Started => self.start(view),
                Event::Received(frame) => self.receive(frame, view, now_ms),
                Event::Done(number, outcome) => self.done(number, &outcome, view, now_ms),
                Event::Committed(news) => self.news(news, view, now_ms),
                Event::NewsLost => self.begin_round(self.round.number + 1, view),
                Event::Flushed => self.unflushed = 0,
                Event::Timer => self.timer(view, now_ms),
            }
            self.pump(view, now_ms);
            self.set_timer();
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

    fn receive(&mut self, frame: &[u8], view: &impl View, now_ms: u64) {
        let message = match Message::decode(frame) {
            Ok(message) => message,
            Err(error) => return self.close(error.into()),
        };
        let first = matches!(message, Message::Hello { .. } | Message::Replacement(_));
        if !self.greeted && !first {
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
                let ours = number == self.round.number && self.round.sent_finished;
                if ours && !self.reopens(view) {
                    self.keep_mark(token);
                }
            }
            Message::Entries {
                circle,
                entries,
                seals,
                more,
            } => self.entries(circle, entries, seals, more, view),
            Message::Want {
                circle,
                log,
                after,
                up_to,
            } => self.wanted((circle, log, after, up_to)),
            Message::Records {
                circle,
                entry,
                entry_hash,
                records,
                wanted,
            } => {
                self.records(circle, (entry, entry_hash), records, wanted, view);
            }
            Message::Ack(bytes) => match Unverified::<Ack>::parse(bytes.0.clone()) {
                Ok(ack) => self.commit(
                    Batch::Acks(ack.object.circle, vec![bytes.0]),
                    Pending::Other,
                ),
                Err(error) => self.report(error.into()),
            },
            Message::Invitation(bytes) => self.commit(Batch::Invitation(bytes.0), Pending::Other),
            Message::Acceptance(bytes) => self.commit(Batch::Acceptance(bytes.0), Pending::Other),
            Message::Cancelled(id) => self.commit(Batch::Cancelled(id), Pending::Other),
            Message::Descriptor(bytes) => self.commit(Batch::Descriptor(bytes.0), Pending::Other),
            Message::Replacement(bytes) => self.commit(Batch::Replacement(bytes.0), Pending::Other),
            Message::Revocation(bytes) => self.commit(Batch::Revocation(bytes.0), Pending::Other),
            Message::WantChunks {
                circle,
                record,
                address,
                from,
                count,
            } => self.chunks_wanted(ChunkRange {
                circle,
                record,
                address,
                from,
                count,
            }),
            Message::Chunks {
                address,
                from,
                chunks,
            } => {
                self.chunks(address, from, chunks, view, now_ms);
            }
        }
    }

    /// Something came of a circle that is not shared. What was on its way while this node let go of the circle is nobody's fault.
    fn not_shared(&mut self, id: &CircleId, what: &'static str, view: &impl View) {
        if view.finished(id, &self.peer).is_none() {
            self.report(Problem::NotShared(what));
        }
    }

    /// The circle, if records of `log` pass from one of the two nodes to the other.
    fn passing(
        &self,
        id: &CircleId,
        log: &LogId,
        (giver, taker): (&NodeId, &NodeId),
        view: &impl View,
    ) -> Option<Arc<Circle>> {
        let passes = |circle: &Arc<Circle>| circle.charter.passes(log, giver, taker);
        view.circle(id).filter(passes)
    }

    /// The circle, if both this node and the peer are members at its head, and the peer has not let go of it.
    fn shared(&self, circle: &CircleId, view: &impl View) -> Option<Arc<Circle>> {
        let circle = view
            .circle(circle)
            .filter(|_| !self.let_go.contains(circle))?;
        let charter = &circle.charter;
        (charter.is_member(&self.peer) && charter.is_member(&view.own())).then_some(circle)
    }
}
