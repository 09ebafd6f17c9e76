//! Nodes whose program is somebody else's: they hold real keys and are real members, and what they say is not what the protocol says.
//!
//! A malign node keeps an honest replica and an honest session; what its session sends passes through here and comes out as its [`Malice`]
//! wants. So it goes on taking part, which is worse than silence. It never tells strangers of circles that they could not know of, because it
//! might: what is looked at is that honest nodes agree, keep what they acknowledged, and give strangers nothing, whatever they hear.
//!
//! - `lies`: what is said otherwise than it is: heights, records, seals, frames.
//! - `forged`: charter entries of a hand that may not sign them.
//! - `claims`: what is said of circles in which the node is not.

mod claims;
mod forged;
mod lies;

use maillon_protocol::sync::Message;
use rand::RngExt;

use super::Net;

/// What kind of program it is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Malice {
    /// It states other heights than it holds, and acknowledges what it has not.
    WrongHeights,
    /// It answers half of what it is asked for, or nothing.
    WithheldRanges,
    /// It says again what it or the other one said long ago: old charters, old states, old acknowledgements.
    ReplayedCharter,
    /// It signs charter entries, though it is no steward, in its own name and in the steward's.
    ForgedCharter,
    /// It passes sealed secrets on under another name, number or sealer.
    RetargetedSeals,
    /// It sends bytes that are no message, and messages that are cut short.
    Garbage,
    /// It says everything many times.
    Flood,
    /// It claims to know circles in which it is not, and asks for their records.
    StrangersClaims,
}

/// How often a flood says everything.
const FLOOD: usize = 24;
/// How many frames a node says in a second that its session would not have said.
const MORE: usize = 60;

impl Malice {
    /// All of them.
    pub const ALL: [Self; 8] = [
        Self::WrongHeights,
        Self::WithheldRanges,
        Self::ReplayedCharter,
        Self::ForgedCharter,
        Self::RetargetedSeals,
        Self::Garbage,
        Self::Flood,
        Self::StrangersClaims,
    ];
}

impl Net {
    /// The frames that a node sends in the place of a message, where its program is somebody else's.
    pub(super) fn instead(&mut self, from: usize, to: usize, message: Message) -> Vec<Vec<u8>> {
        let Some(malice) = self.malign.get(&from).copied() else {
            return vec![message.encode()];
        };
        let honest = message.encode();
        // Whoever never says hello is heard by nobody.
        let hello = matches!(message, Message::Hello { .. });
        let frames = match malice {
            _ if hello => vec![honest.clone()],
            Malice::WrongHeights => vec![self.wrong_heights(from, message).encode()],
            Malice::WithheldRanges => self.withheld(message),
            Malice::ReplayedCharter => self.replayed(from, to, &message),
            Malice::ForgedCharter => self.forged(from, to, &message),
            Malice::RetargetedSeals => self.retargeted(from, to, message),
            Malice::Garbage => vec![self.garbage(&message)],
            Malice::Flood => vec![honest.clone(); FLOOD],
            Malice::StrangersClaims => self.claims(from, to, &message),
        };
        self.twisted += usize::from(frames != [honest]);
        self.afforded(from, frames)
    }

    /// A malign node's line is as narrow as another one's: beside what takes the place of the message, so much in a second.
    fn afforded(&mut self, from: usize, mut frames: Vec<Vec<u8>>) -> Vec<Vec<u8>> {
        let second = self.now / 1000;
        let (at, spent) = self.spent.entry(from).or_default();
        if *at != second {
            (*at, *spent) = (second, 0);
        }
        let left = MORE.saturating_sub(*spent);
        frames.truncate(1 + left);
        *spent += frames.len().saturating_sub(1);
        frames
    }

    /// Once in so many times.
    fn once_in(&mut self, times: u32) -> bool {
        self.rng.random_range(0..times) == 0
    }
}
