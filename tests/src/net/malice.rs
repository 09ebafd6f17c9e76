//! Nodes whose program is somebody else's. (placeholder)

/// What kind of program it is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Malice {
    /// It states other heights than it holds, and acknowledges what it has not.
    WrongHeights,
    /// It answers half of what it is asked for, or nothing.
    WithheldRanges,
    /// It says again what it said long ago: old charters, old states, old acknowledgements.
    ReplayedCharter,
    /// It signs charter entries itself, though it is no steward.
    ForgedCharter,
    /// It passes sealed secrets on under another name, number or circle.
    RetargetedSeals,
    /// It sends bytes that are no message, and messages that are cut short.
    Garbage,
    /// It says everything a hundred times.
    Flood,
    /// It claims to know circles in which it is not, and asks for their records.
    StrangersClaims,
}
