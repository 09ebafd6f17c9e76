//! Schedules: what happens to a federation, step by step, and what it must have come to once all is healed.
//!
//! Node 0 is the first steward, those after it are or may become members, the last one is connected with everybody and in no circle.

mod healed;

use std::collections::BTreeSet;

use maillon_protocol::{
    cbor,
    charter::{Charter, Grant},
    content::Content,
    ids::{CircleId, RecordId},
    invite::InvitationReason,
    replica::{Memory, Replica, Row, Rows},
};
use rand_chacha::ChaCha20Rng;

use super::{Counted, Net, Weather, identity, note};

/// How much of the past an invitation grants.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Past {
    /// All of it.
    Whole,
    /// None of it.
    Nothing,
    /// From the newest epoch on.
    Now,
}

/// One thing that happens.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Step {
    /// Somebody writes a note at a node.
    Write(usize),
    /// Somebody corrects the patient's identity at a node.
    Amend(usize),
    /// The steward invites a node, which accepts as soon as it can.
    Invite(usize, Past),
    /// The steward removes a node.
    Remove(usize),
    /// A node leaves by its own word.
    Leave(usize),
    /// A node asks that its newest note be erased, or the steward that somebody's be.
    Erase(usize),
    /// A node lets go of the circle, where that has ended for it.
    Finish(usize),
    /// The steward starts a new epoch.
    Rotate,
    /// The steward makes a member that reads the whole past the steward.
    HandOver(usize),
    /// The steward closes the circle.
    Close,
    /// The steward opens it again.
    Reopen,
    /// Two nodes connect.
    Connect(usize, usize),
    /// Their connection breaks; what is under way is lost.
    Cut(usize, usize),
    /// Nothing arrives any more in one direction.
    Mute(usize, usize),
    /// It arrives again.
    Unmute(usize, usize),
    /// The network is bad: frames lost of a hundred, repeated of a hundred, milliseconds of jitter.
    Weather(u32, u32, u64),
    /// Time passes, milliseconds.
    Run(u64),
    /// A node stops without warning and starts again from what it had committed.
    Crash(usize),
    /// A node writes, and stops before the commit.
    CrashBeforeCommit(usize),
    /// Somebody makes a copy of a node's disk.
    Copy(usize),
    /// A node stops, its disk is put back from the newest copy, and it knows that.
    Restore(usize),
    /// From now on a member passes on something else than it holds.
    Lie(usize),
}

/// A whole schedule.
#[derive(Clone, PartialEq, Eq)]
pub struct Schedule {
    /// Seed of everything that is random.
    pub seed: u64,
    /// Nodes, the one that is in no circle not counted.
    pub nodes: usize,
    /// How long work waits for its commit, milliseconds.
    pub commit_ms: u64,
    /// Whether connections keep the order of frames, as streams do.
    pub ordered: bool,
    /// What happens.
    pub steps: Vec<Step>,
}

/// As Rust that can be pasted into a test, one step a line.
impl std::fmt::Debug for Schedule {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let Self {
            seed,
            nodes,
            commit_ms,
            ordered,
            steps,
        } = self;
        writeln!(
            f,
            "Schedule {{ seed: {seed}, nodes: {nodes}, commit_ms: {commit_ms}, ordered: {ordered}, steps: vec!["
        )?;
        for step in steps {
            writeln!(f, "    Step::{step:?},")?;
        }
        f.write_str("] }")
    }
}

/// Plays a schedule, heals everything, and looks at what it came to.
///
/// # Errors
/// The first thing that does not hold, in words.
pub fn play(schedule: &Schedule) -> Result<(), String> {
    let mut player = Player::new(schedule);
    for (number, step) in schedule.steps.iter().enumerate() {
        player.step(*step);
        player
            .look()
            .map_err(|broken| format!("after step {number}, {step:?}: {broken}"))?;
    }
    player.heal()
}

struct Player<'a> {
    schedule: &'a Schedule,
    net: Net,
    circle: CircleId,
    notes: usize,
    /// Records that each node has committed at some time.
    committed: Vec<BTreeSet<RecordId>>,
    /// The newest copy of each node's disk.
    copies: Vec<Memory>,
}

impl<'a> Player<'a> {
    fn new(schedule: &'a Schedule) -> Self {
        let mut net = Net::new(schedule.seed, schedule.nodes + 1);
        let circle = net.circle(0, &[1]);
        net.connect_all();
        net.commit_ms = schedule.commit_ms;
        net.weather.ordered = schedule.ordered;
        Self {
            schedule,
            circle,
            notes: 0,
            committed: vec![BTreeSet::new(); schedule.nodes + 1],
            copies: net.nodes.iter().map(|node| node.memory.clone()).collect(),
            net,
        }
    }

    /// A place among those who are or may become members.
    const fn member(&self, place: usize) -> usize {
        place % self.schedule.nodes
    }

    /// A place among those whom the steward may admit.
    fn guest(&self, place: usize) -> usize {
        (self.steward() + 1 + place % (self.schedule.nodes - 1)) % self.schedule.nodes
    }

    /// Who is the steward as far as it knows itself; while a new one has not heard of it, the node that knows the charter best.
    fn steward(&self) -> usize {
        let known = |place: &usize| {
            let node = &self.net.nodes[*place];
            let charter = &node.circles.get(&self.circle)?.charter;
            Some((charter.state().steward == node.id(), charter.number()))
        };
        // The first of those that know the same.
        (0..self.schedule.nodes)
            .rev()
            .max_by_key(known)
            .unwrap_or_default()
    }

    /// The steward does something, where it can.
    fn rules<T>(
        &mut self,
        act: impl FnOnce(&mut Replica, &Counted<'_>, &mut ChaCha20Rng, u64) -> T,
    ) -> T {
        let steward = self.steward();
        self.net.act(steward, |node, now| {
            node.with(|replica, rows, rng| act(replica, rows, rng, now))
        })
    }

    fn two(&self, a: usize, b: usize) -> Option<(usize, usize)> {
        let all = self.net.nodes.len();
        (a % all != b % all).then_some((a % all, b % all))
    }

    fn step(&mut self, step: Step) {
        let circle = self.circle;
        match step {
            Step::Write(place) => self.write(self.member(place)),
            Step::Amend(place) => self.amend(self.member(place)),
            Step::Invite(place, past) => self.invite(self.guest(place), past),
            Step::Remove(place) => {
                let gone = self.net.id(self.guest(place));
                let steward = self.steward();
                self.net.act(steward, |node, now| {
                    let _ = node.try_remove(&circle, gone, now);
                });
            }
            Step::Leave(place) => {
                let node = self.member(place);
                self.net.act(node, |node, now| {
                    let _ = node.with(|replica, rows, _| replica.depart(rows, &circle, now));
                });
            }
            Step::Erase(place) => self.erase(place),
            Step::Finish(place) => self.finish(place),
            Step::Rotate => {
                let steward = self.steward();
                self.net.act(steward, |node, now| {
                    let _ = node.rotate(&circle, now);
                });
            }
            Step::HandOver(place) => {
                let to = self.net.id(self.guest(place));
                self.rules(|replica, rows, rng, now| {
                    let held = replica.circle(&circle);
                    let member = held.and_then(|held| held.charter.member(&to));
                    if member.is_some_and(|member| member.grant == Grant::Whole) {
                        let _ = replica.hand_over(rows, &circle, to, now, rng);
                    }
                });
            }
            Step::Close => {
                self.rules(|replica, rows, rng, now| {
                    let _ = replica.close(rows, &circle, 0, now, rng);
                });
            }
            Step::Reopen => {
                self.rules(|replica, rows, rng, now| {
                    let _ = replica.reopen(rows, &circle, 0, now, rng);
                });
            }
            Step::Connect(a, b) => {
                if let Some((a, b)) = self.two(a, b) {
                    self.net.connect(a, b);
                }
            }
            Step::Cut(a, b) => {
                if let Some((a, b)) = self.two(a, b) {
                    self.net.cut(a, b);
                }
            }
            Step::Mute(a, b) => self.net.mute.extend(self.two(a, b)),
            Step::Unmute(a, b) => {
                if let Some(way) = self.two(a, b) {
                    self.net.mute.remove(&way);
                }
            }
            Step::Weather(loss, twice, jitter_ms) => {
                self.net.weather = Weather {
                    delay_ms: 5,
                    jitter_ms,
                    loss,
                    twice,
                    ordered: self.schedule.ordered,
                };
            }
            Step::Run(ms) => self.net.run(ms),
            Step::Crash(place) => self.crash(place),
            Step::Copy(place) => {
                let node = place % self.net.nodes.len();
                self.copies[node] = self.net.nodes[node].memory.clone();
            }
            Step::Restore(place) => {
                let node = place % self.net.nodes.len();
                if self.would_split(node) {
                    return;
                }
                let lines = self.net.lines_of(node);
                self.net.nodes[node].memory = self.copies[node].clone();
                self.committed[node].clear();
                self.net.crash(node);
                // Before it says anything to anybody.
                let now = self.net.now;
                let restored = &mut self.net.nodes[node];
                restored
                    .with(|replica, rows, rng| replica.restored(rows, now, rng))
                    .map(drop)
                    .unwrap_or_default();
                restored.commit();
                for (a, b) in lines {
                    self.net.connect(a, b);
                }
            }
            Step::Lie(place) => {
                self.net.liars.insert(self.member(place));
            }
            Step::CrashBeforeCommit(place) => {
                let text = self.text();
                let node = self.member(place);
                let now = self.net.now;
                let _ = self.net.nodes[node].write(&circle, note(&text), now);
                self.crash(node);
            }
        }
        self.answer();
    }

    /// Whether a node that is put back has forgotten an entry that it signed. Only some may have heard of it, and whoever confirms to it what it
    /// remembers lets it sign another: the circle splits, and people go on in a successor.
    fn would_split(&self, node: usize) -> bool {
        let row = Row::Charter(self.circle);
        let then = self.copies[node].get(&row).ok().flatten();
        let now = self.net.nodes[node].memory.get(&row).ok().flatten();
        let rules = |bytes: &Option<Vec<u8>>| {
            let charter = bytes.as_deref().map(cbor::decode::<Charter>);
            charter.is_some_and(|charter| {
                charter.is_ok_and(|charter| charter.state().steward == self.net.id(node))
            })
        };
        then != now && (rules(&then) || rules(&now))
    }

    fn crash(&mut self, place: usize) {
        let node = place % self.net.nodes.len();
        let lines = self.net.lines_of(node);
        self.net.crash(node);
        // Its peers dial it again at once.
        for (a, b) in lines {
            self.net.connect(a, b);
        }
    }

    fn text(&mut self) -> String {
        self.notes += 1;
        format!("Note {}", self.notes)
    }

    fn write(&mut self, node: usize) {
        let (text, circle) = (self.text(), self.circle);
        self.net.act(node, |node, now| {
            let _ = node.write(&circle, note(&text), now);
        });
    }

    /// A new version of the identity that supersedes those which the node shows.
    fn amend(&mut self, node: usize) {
        let circle = self.circle;
        let name = self.text();
        self.net.act(node, |node, now| {
            let Some((thing, standing)) = node.identity_thing(&circle) else {
                return;
            };
            let content = Content::PatientIdentity(maillon_protocol::content::PatientIdentity {
                used_name: name,
                ..identity()
            });
            let _ = node.supersede(&circle, thing, standing, content, now);
        });
    }

    fn invite(&mut self, guest: usize, past: Past) {
        let (to, circle) = (self.net.id(guest), self.circle);
        self.rules(|replica, rows, rng, now| {
            let Some(held) = replica.circle(&circle) else {
                return;
            };
            let grant = match past {
                Past::Whole => Grant::Whole,
                Past::Nothing => Grant::Nothing,
                Past::Now => Grant::From(held.charter.state().epoch.number),
            };
            let who = identity();
            let reason = InvitationReason::CareTeam;
            let _ = replica.invite(rows, &circle, to, reason, Some(&who), grant, now, rng);
        });
    }

    /// Asks that the newest note of a node be erased; the steward sometimes asks for that of another.
    fn erase(&mut self, place: usize) {
        let (steward, writer, circle) = (self.steward(), self.member(place), self.circle);
        let asks = if place.is_multiple_of(2) {
            writer
        } else {
            steward
        };
        let Some(record) = self.net.nodes[asks].newest_note(&circle, self.net.id(writer)) else {
            return;
        };
        self.net.act(asks, |node, now| {
            let _ = node.ask_erasure(&circle, record, now);
        });
    }

    /// A node lets go of the circle. Before what is left of it is swept away, it may crash.
    fn finish(&mut self, place: usize) {
        let (node, circle) = (self.member(place), self.circle);
        let finished = self.net.act(node, |node, now| {
            node.with(|replica, rows, _| replica.finish(rows, &circle, now))
        });
        if finished.is_err() {
            return;
        }
        self.net.run(self.schedule.commit_ms);
        if place.is_multiple_of(2) {
            self.crash(node);
        }
    }

    /// Goes on sweeping away what was let go of, as the daemon's worker does.
    fn sweep(&mut self) {
        let circle = self.circle;
        for place in 0..self.schedule.nodes {
            let left = Replica::finishing(&self.net.nodes[place].memory);
            if left.is_ok_and(|left| !left.is_empty()) {
                self.net.act(place, |node, _| {
                    let _ = node.with(|replica, rows, _| replica.sweep(rows, &circle));
                });
            }
        }
    }

    /// Each node decides about what is to be erased; some refuse.
    fn decide(&mut self) {
        let circle = self.circle;
        for place in 0..self.schedule.nodes {
            let node = &self.net.nodes[place];
            if Replica::erasures(&node.memory, &circle).is_ok_and(|all| all.is_empty()) {
                continue;
            }
            self.net.act(place, |node, now| {
                node.decide_erasures(
                    &circle,
                    |record| !(record.0[0] as usize + place).is_multiple_of(3),
                    now,
                );
            });
        }
    }

    /// Whoever has been invited accepts, and whoever is asked to erase decides.
    fn answer(&mut self) {
        self.decide();
        self.sweep();
        for node in 0..self.schedule.nodes {
            while self.net.nodes[node].undecided().is_some() {
                self.net.act(node, |node, now| node.accept_first(now));
                self.net.run(self.schedule.commit_ms);
            }
        }
    }

    /// What must hold at every moment, and that nothing that was committed has gone.
    fn look(&mut self) -> Result<(), String> {
        self.net.invariants()?;
        for (index, held) in self.committed.iter_mut().enumerate() {
            let now: BTreeSet<RecordId> = self.net.nodes[index]
                .memory
                .rows()
                .keys()
                .filter_map(|row| match row {
                    Row::Place(record) => Some(*record),
                    _ => None,
                })
                .collect();
            // What a node has let go of goes.
            let finished = Row::Finished(self.circle);
            let finished = self.net.nodes[index].memory.rows().contains_key(&finished);
            if !finished && !now.is_superset(held) {
                return Err(format!("node {index} has lost a committed record"));
            }
            *held = now;
        }
        Ok(())
    }
}
