//! What can happen to a federation, one thing at a time.

use crate::net::malice::Malice;

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

/// What the person at a node does when it is invited.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Manner {
    /// Accepts at once.
    Accepts,
    /// Declines.
    Declines,
    /// Does nothing, until the invitation expires.
    Waits,
}

/// One thing that happens. What is done to a circle is done to the one in hand: the first one, until another is founded, continued or taken up.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Step {
    /// Somebody writes a note at a node.
    Write(usize),
    /// Somebody corrects the patient's identity at a node.
    Amend(usize),
    /// The steward invites a node, which answers as soon as it can.
    Invite(usize, Past),
    /// From now on the person at a node answers invitations in this way.
    Answers(usize, Manner),
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
    /// A node opens a circle of its own, which is then in hand.
    Found(usize),
    /// Another circle is taken in hand.
    TakeUp(usize),
    /// A member continues the circle without its steward; the new one is then in hand.
    Succeed(usize),
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
    /// A node's clock jumps by so many seconds.
    Clock(usize, i64),
    /// A node stops without warning and starts again from what it had committed.
    Crash(usize),
    /// A node writes, and stops before the commit.
    CrashBeforeCommit(usize),
    /// Somebody makes a copy of a node's disk.
    Copy(usize),
    /// A node stops, its disk is put back from the newest copy, and it knows that.
    Restore(usize),
    /// A node's disk is copied into a second machine, which runs beside the first one; one of them at a time is reached by the others.
    Clone(usize),
    /// Of two machines with one key the other one is reached from now on.
    Swap(usize),
    /// Somebody writes a note at the machine that is not reached.
    WriteApart(usize),
    /// A node's machine is gone for good, and there is no copy.
    Lose(usize),
    /// From now on a member passes on something else than it holds, until all is healed.
    Lie(usize),
    /// From now on a node's program is somebody else's, for good.
    Turn(usize, Malice),
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
