//! C is a peer of A, and a stranger to both circles.

use std::path::PathBuf;

use maillon_protocol::ids::NodeId;

use super::{Stopped, Teller, World};
use crate::{
    daemon::{Daemon, Trouble},
    sift::{Found, Needle, Sieve},
};

/// Protocols that two peers speak about themselves; a circle has no word in them.
const PROTOCOLS: [&str; 3] = ["identify", "ping", "pairing"];
/// Messages of the exchange that two peers without a common circle may send.
const MESSAGES: [&str; 5] = ["hello", "descriptor", "compared", "finished", "mark"];

pub(super) fn tell(teller: &mut Teller, world: &mut World) -> Result<(), Stopped> {
    let World { two, c, .. } = &*world;
    let sentence = "C's frame counters show identify, ping and what two peers say of themselves, and nothing of a circle";
    teller.tell_with(sentence, || {
        let here = frames(c, two.a.node()?)?;
        let there = frames(&two.a, c.node()?)?;
        let spoken = |frames: &[(String, u64)], word: &str| -> u64 {
            let named = frames.iter().filter(|(name, _)| last(name) == word);
            named.map(|(_, count)| count).sum()
        };
        for (name, count) in here.iter().chain(&there) {
            let protocol = name.split('.').next().unwrap_or(name);
            let allowed = match protocol {
                "sync" => MESSAGES.contains(&last(name)),
                other => PROTOCOLS.contains(&other),
            };
            if *count > 0 && !allowed {
                return Err(Trouble::wrong(format!("{count} frames {name} with C")));
            }
        }
        // The counters count: C was greeted, and B was sent records.
        if spoken(&here, "hello") == 0 {
            return Err(Trouble::wrong(format!(
                "no hello was counted at C: {here:?}"
            )));
        }
        if spoken(&frames(&two.a, two.b.node()?)?, "records") == 0 {
            return Err(Trouble::wrong("no records to B were counted at A"));
        }
        Ok(((), format!("{} kinds", here.len())))
    })?;
    let sentence = "no circle's id stands in C's folder, in its log or among its frames; in B's frames it does";
    teller.tell(sentence, || {
        let sieve = Sieve::new(&[
            Needle::bytes("the circle's id", world.circle.as_bytes()),
            Needle::bytes("the notebook's id", world.notebook.as_bytes()),
        ]);
        let look = |paths: &[PathBuf]| -> Result<Vec<Found>, Trouble> {
            let mut found = Vec::new();
            for path in paths {
                found.extend(sieve.path(path).map_err(Trouble::io("a search"))?);
            }
            Ok(found)
        };
        let at_c = look(&[c.folder(), c.log(), c.tap()])?;
        if let Some(found) = at_c.first() {
            return Err(Trouble::wrong(found.to_string()));
        }
        if std::fs::metadata(c.tap()).map_or(0, |tap| tap.len()) == 0 {
            return Err(Trouble::wrong("C's tap is empty, so it shows nothing"));
        }
        for name in ["the circle's id", "the notebook's id"] {
            if !look(&[two.b.tap()])?.iter().any(|found| found.name == name) {
                return Err(Trouble::wrong(format!("{name} is not found at B either")));
            }
        }
        Ok(())
    })
}

fn frames(at: &Daemon, peer: NodeId) -> Result<Vec<(String, u64)>, Trouble> {
    let mut frames = at.client()?.peer_show(peer)?.frames;
    frames.retain(|(name, _)| last(name) != "bytes");
    Ok(frames)
}

/// `records` of `sync.in.records`.
fn last(name: &str) -> &str {
    name.rsplit('.').next().unwrap_or(name)
}
