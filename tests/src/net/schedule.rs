//! Schedules: what happens to a federation, step by step, and what it must have come to once all is healed.
//!
//! Node 0 is the first steward, those after it are or may become members, the last one is connected with everybody and in no circle. The
//! [model](super::model) is told of each step and of what was signed, and has the last word about who knows what.
//!
//! - `steps`: what can happen; a schedule.
//! - `acts`: what people do: write, invite, remove, erase, let go.
//! - `circles`: circles that are founded, continued, handed over and closed.
//! - `trouble`: machines that stop, go back, run twice, are lost or turn; clocks that jump.
//! - `answers`: what people do when they are asked, and what the daemon's workers do.
//! - `told`: what the model hears of; what holds after each step.
//! - `healed`: that the members agree with each other in the end.
//! - `known`: that they know what the model says, and nobody else does.

mod acts;
mod answers;
mod circles;
mod healed;
mod known;
mod steps;
mod told;
mod trouble;

use std::collections::{BTreeMap, BTreeSet};

use maillon_protocol::{
    ids::{CircleId, RecordId},
    replica::{Memory, Replica},
};
use rand_chacha::ChaCha20Rng;

use super::{
    Counted, Net, Node, Weather,
    model::{Model, Tally},
};
pub use steps::{Manner, Past, Schedule, Step};

/// Plays a schedule, heals everything, and looks at what it came to.
///
/// # Errors
/// The first thing that does not hold, in words.
pub fn play(schedule: &Schedule) -> Result<(), String> {
    play_counted(schedule).map(drop)
}

/// The same, and how much of it the model could say for sure.
///
/// # Errors
/// As [`play`].
pub fn play_counted(schedule: &Schedule) -> Result<Tally, String> {
    let mut player = Player::new(schedule);
    for (number, step) in schedule.steps.iter().enumerate() {
        player.step(*step);
        player
            .look()
            .map_err(|broken| format!("after step {number}, {step:?}: {broken}"))?;
    }
    player.heal()
}

/// The machine of two with one key that is not reached.
struct Twin {
    node: Node,
    /// 1: the second one; 0: the first one, while the second one is reached.
    number: usize,
    committed: BTreeSet<RecordId>,
    copy: Memory,
}

struct Player<'a> {
    schedule: &'a Schedule,
    net: Net,
    model: Model,
    /// Every circle, in the order in which they were opened.
    circles: Vec<CircleId>,
    /// The one in hand.
    circle: CircleId,
    notes: usize,
    /// Records that each node has committed at some time.
    committed: Vec<BTreeSet<RecordId>>,
    /// The newest copy of each node's disk.
    copies: Vec<Memory>,
    manners: Vec<Manner>,
    twins: BTreeMap<usize, Twin>,
    /// Of two machines with one key one was switched off.
    switched_off: bool,
    /// Notes that were written and are not known to be on their author's disk, by record.
    staged: BTreeMap<RecordId, usize>,
    /// The first thing that was signed and that nobody wanted.
    unwanted: Option<String>,
}

impl<'a> Player<'a> {
    fn new(schedule: &'a Schedule) -> Self {
        let mut net = Net::new(schedule.seed, schedule.nodes + 1);
        let circle = net.circle(0, &[1]);
        net.connect_all();
        net.commit_ms = schedule.commit_ms;
        net.weather.ordered = schedule.ordered;
        let mut player = Self {
            schedule,
            model: Model::default(),
            circles: vec![circle],
            circle,
            notes: 0,
            committed: vec![BTreeSet::new(); schedule.nodes + 1],
            copies: net.nodes.iter().map(|node| node.memory.clone()).collect(),
            manners: vec![Manner::Accepts; schedule.nodes + 1],
            twins: BTreeMap::new(),
            switched_off: false,
            staged: BTreeMap::new(),
            unwanted: None,
            net,
        };
        player.was_opened();
        player
    }

    /// A place among those who are or may become members.
    const fn member(&self, place: usize) -> usize {
        place % self.schedule.nodes
    }

    /// A place among those whom the steward may admit.
    fn guest(&self, place: usize) -> usize {
        (self.steward() + 1 + place % (self.schedule.nodes - 1)) % self.schedule.nodes
    }

    /// The steward of the circle in hand.
    fn steward(&self) -> usize {
        self.steward_of(&self.circle)
    }

    /// Who is the steward as far as it knows itself; while a new one has not heard of it, or where it is lost, the node that knows the charter
    /// best.
    fn steward_of(&self, circle: &CircleId) -> usize {
        let known = |place: &usize| {
            let node = &self.net.nodes[*place];
            let charter = &node.circles.get(circle)?.charter;
            Some((charter.state().steward == node.id(), charter.number()))
        };
        // The first of those that know the same.
        (0..self.schedule.nodes)
            .rev()
            .filter(|place| self.model.is_honest(*place))
            .max_by_key(known)
            .unwrap_or_default()
    }

    /// Who knows the charter best of those who are there, the steward before others.
    fn furthest_of(&self, circle: &CircleId) -> usize {
        let known = |place: &usize| {
            let node = &self.net.nodes[*place];
            let charter = &node.circles.get(circle)?.charter;
            // Who has left knows the charter as well as the others, and not what they have written since.
            let own = node.id();
            Some((
                charter.number(),
                charter.state().steward == own,
                charter.is_member(&own),
            ))
        };
        (0..self.schedule.nodes)
            .rev()
            .filter(|place| self.model.is_honest(*place))
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

    /// Whether it would happen at a machine that is gone for good.
    fn is_gone(&self, step: Step) -> bool {
        match step {
            Step::Write(place)
            | Step::Amend(place)
            | Step::Leave(place)
            | Step::Erase(place)
            | Step::Finish(place)
            | Step::CrashBeforeCommit(place) => self.model.lost.contains(&self.member(place)),
            _ => false,
        }
    }

    fn two(&self, a: usize, b: usize) -> Option<(usize, usize)> {
        let all = self.net.nodes.len();
        (a % all != b % all).then_some((a % all, b % all))
    }

    fn step(&mut self, step: Step) {
        if self.is_gone(step) {
            return;
        }
        match step {
            Step::Write(place) => self.write(self.member(place)),
            Step::Amend(place) => self.amend(self.member(place)),
            Step::Invite(place, past) => self.invite(self.guest(place), past),
            Step::Answers(place, manner) => {
                let node = self.member(place);
                self.manners[node] = manner;
            }
            Step::Remove(place) => self.remove(self.guest(place)),
            Step::Leave(place) => self.leave(self.member(place)),
            Step::Erase(place) => self.erase(place),
            Step::Finish(place) => self.finish(place),
            Step::Rotate => self.rotate(),
            Step::HandOver(place) => self.hand_over(self.guest(place)),
            Step::Close => self.close(),
            Step::Reopen => self.reopen(),
            Step::Found(place) => self.found(self.member(place)),
            Step::TakeUp(number) => self.circle = self.circles[number % self.circles.len()],
            Step::Succeed(place) => self.succeed(self.member(place)),
            Step::Connect(a, b) => {
                if let Some((a, b)) = self.two(a, b) {
                    self.connect(a, b);
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
            Step::Clock(place, seconds) => {
                let node = place % self.net.nodes.len();
                *self.net.clocks.entry(node).or_default() += seconds * 1000;
            }
            Step::Crash(place) => self.crash(place),
            Step::CrashBeforeCommit(place) => self.crash_before_commit(self.member(place)),
            Step::Copy(place) => {
                let node = place % self.net.nodes.len();
                self.copies[node] = self.net.nodes[node].memory.clone();
            }
            Step::Restore(place) => self.restore(place),
            Step::Clone(place) => self.clone_machine(self.member(place)),
            Step::Swap(place) => self.swap(self.member(place)),
            Step::WriteApart(place) => self.write_apart(self.member(place)),
            Step::Lose(place) => self.lose(self.member(place)),
            Step::Lie(place) => {
                self.net.liars.insert(self.member(place));
            }
            Step::Turn(place, malice) => {
                let node = place % self.net.nodes.len();
                self.model.malign.insert(node);
                self.net.malign.entry(node).or_insert(malice);
            }
        }
        self.answer();
    }
}
