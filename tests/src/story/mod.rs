//! The main story: two structures that share a person's care, told with real daemons, one sentence a line.
//!
//! Each chapter is a file. A sentence that does not come true ends its chapter, because the next ones rest on it; the later chapters are
//! told all the same where the [`World`] that they need still stands.
//!
//! | chapter | what it shows |
//! |---|---|
//! | `meeting` | start, peer, import, consent, invite, accept, read |
//! | `alert` | waiting, delivered, acknowledged, with times |
//! | `document` | a file of several MiB, the same at the other side |
//! | `absence` | 1,000 records while B is away |
//! | `kills` | 20 × SIGKILL under 16 writers |
//! | `removal` | what a removed node never gets, and what it cannot read |
//! | `stranger` | what a peer outside the circle never learns |
//! | `demo` | the demonstration's pages, and its example accounts |

mod absence;
mod alert;
mod demo;
mod document;
mod kills;
mod meeting;
mod removal;
mod stranger;
mod teller;

use std::path::Path;

use maillon_protocol::ids::CircleId;

pub use teller::{Stopped, Teller};

use crate::{
    daemon::{Daemon, Two},
    examples::Examples,
};

/// Who is there, once everybody has met.
#[derive(Debug)]
pub struct World {
    /// A and B, and a professional at each.
    pub two: Two,
    /// Peered with A, in no circle.
    pub c: Daemon,
    /// The circle that the care circle's bundle opened.
    pub circle: CircleId,
    /// The circle that the liaison note's bundle opened.
    pub notebook: CircleId,
    /// What was imported.
    pub examples: Examples,
}

/// Tells the whole story, in folders below `root`. The seed chooses the instants of the kills.
pub fn tell(teller: &mut Teller, root: &Path, seed: u64) {
    let Ok(mut world) = meeting::tell(teller, root) else {
        return;
    };
    // What a chapter could not tell has been counted; the next one stands on its own.
    let _ = alert::tell(teller, &mut world);
    let _ = document::tell(teller, &mut world, root);
    let _ = absence::tell(teller, &mut world);
    let _ = kills::tell(teller, &mut world, seed);
    let _ = removal::tell(teller, &mut world);
    let _ = stranger::tell(teller, &mut world);
    let sentence = "every invariant holds at A, at B and at C, and they stop, with exit code 0";
    let _ = teller.tell_with(sentence, || {
        let mut checked = 0;
        for daemon in [&mut world.two.a, &mut world.two.b, &mut world.c] {
            checked += daemon.finish()?;
        }
        Ok(((), format!("{checked} checks")))
    });
    drop(world);
    let _ = demo::tell(teller, root);
}
