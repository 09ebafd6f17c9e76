//! What two nodes with 10,000 circles in common say to each other when they meet again.

use std::{path::Path, thread, time::Duration};

use super::{
    Figure, Goal, Scale,
    territory::{compared, same_records, share_many},
};
use crate::daemon::{Settings, Trouble, Two};

/// Everything that a contact brings has been said by then.
const QUIET: Duration = Duration::from_secs(3);
/// Once a minute a node marks for its peer what both know to be complete. A contact before that compares every circle:
/// right after ten thousand admissions the figure would be theirs, not the reconnection's.
pub(super) const MARKED: Duration = Duration::from_secs(130);
const KIB: f64 = 1_024.0;

pub(super) fn measure(root: &Path, scale: Scale) -> Result<Vec<Figure>, Trouble> {
    let mut two = Two::peered(root, Settings::dac(), Settings::cpts())?;
    let circles = share_many(&two, scale.circles * 10)?;
    thread::sleep(MARKED);
    let nothing = said(&mut two, |_| Ok(()))?;
    let circle = circles[circles.len() / 2];
    let one = said(&mut two, |two| {
        let mut a = two.a.client()?.acting_as(&two.at_a);
        a.note_add(circle, "A bien dormi.").map(drop)
    })?;
    Ok(vec![
        Figure::new(
            "reconnect_idle",
            nothing,
            "bytes",
            None,
            Goal::AtMost(4.0 * KIB),
        ),
        Figure::new("reconnect_one", one, "bytes", None, Goal::AtMost(8.0 * KIB)),
    ])
}

/// Bytes of both ways of the sync stream, from B's start on, after something happened at A while B was away.
pub(super) fn said(
    two: &mut Two,
    meanwhile: impl FnOnce(&Two) -> Result<(), Trouble>,
) -> Result<f64, Trouble> {
    // What was said before is acknowledged.
    thread::sleep(QUIET);
    two.b.stop()?;
    meanwhile(two)?;
    two.b.start()?;
    compared(two)?;
    same_records(&mut two.a.client()?, &mut two.b.client()?)?;
    thread::sleep(QUIET);
    let a = two.a.node()?;
    let frames = two.b.client()?.peer_show(a)?.frames;
    let bytes = frames
        .iter()
        .filter(|(name, _)| matches!(name.as_str(), "sync.in.bytes" | "sync.out.bytes"));
    let bytes: u64 = bytes.map(|(_, bytes)| bytes).sum();
    Ok(bytes as f64)
}
