//! A structure leaves a circle by its own word, between whole nodes.

use std::ffi::OsStr;

use maillon_protocol::admin::{Call, ErrorCode};
use maillon_tests::daemon::{Client, Daemon, Settings, Shared, Trouble, Two, invite, wait};

use crate::{Story, ensure, folder};

fn is_refused<T: std::fmt::Debug>(answer: Result<T, Trouble>, words: &str) -> Story {
    match answer {
        Err(no) if no.code() == Some(ErrorCode::Conflict) => {
            ensure(no.to_string().contains(words), || no.to_string())
        }
        other => Err(Trouble::wrong(format!("{other:?}"))),
    }
}

/// What `maillonctl` prints at a node.
fn says(daemon: &Daemon, who: &str, words: &[&str]) -> Result<String, Trouble> {
    let words: Vec<&OsStr> = words.iter().map(OsStr::new).collect();
    let ended = daemon.ctl(who, &words)?;
    ensure(ended.status.success(), || ended.words.clone())?;
    Ok(ended.words)
}

#[test]
fn a_structure_leaves_while_the_steward_is_off_and_comes_back_by_a_new_invitation() -> Story {
    let root = folder()?;
    let Shared { mut two, circle } =
        Two::peered(root.path(), Settings::dac(), Settings::cpts())?.share()?;
    let mut a = two.a.client()?.acting_as(&two.at_a);
    let mut b = two.b.client()?.acting_as(&two.at_b);
    let name = circle.to_string();
    let before = a.note_add(circle, "Écrit avant le départ.")?.record;
    wait::until("the note at B", wait::LONG, || {
        Ok(b.shows(before)?.then_some(()))
    })?;
    let leave = || Call::CircleLeave {
        circle: name.clone(),
    };
    is_refused(a.call(leave()), "hand it over first")?;

    // What B writes last goes nowhere: the steward is off.
    two.a.kill()?;
    let last = b.note_add(circle, "Dernier passage du cabinet.")?.record;
    let words = ["circle", "leave", &name, "--yes"];
    let said = says(&two.b, &two.at_b, &words)?;
    ensure(said.contains("has left the circle"), || said.clone())?;
    is_refused(b.note_add(circle, "Trop tard."), "has left the circle")?;
    is_refused(b.call(leave()), "not in the circle any more")?;
    two.b.kill()?;
    two.b.start()?;
    let mut b = two.b.client()?.acting_as(&two.at_b);
    is_refused(b.note_add(circle, "Trop tard."), "has left the circle")?;

    // The steward hears of it with the next contact, takes what B wrote last, and signs by itself.
    two.a.start()?;
    let mut a = two.a.client()?.acting_as(&two.at_a);
    wait::until("what B wrote last, at A", wait::LONG, || {
        Ok(a.shows(last)?.then_some(()))
    })?;
    let alone = |client: &mut Client| {
        wait::until("the entry that follows", wait::LONG, || {
            let members = client.circle_show(circle)?.members;
            Ok((members.len() == 1).then_some(()))
        })
    };
    alone(&mut a)?;
    alone(&mut b)?;
    for (daemon, who, action) in [
        (&two.a, &two.at_a, "circle.remove"),
        (&two.b, &two.at_b, "circle.leave"),
    ] {
        let trail = says(daemon, who, &["audit", "list", "--json"])?;
        ensure(trail.contains(action), || trail.clone())?;
    }
    let after = a.note_add(circle, "Écrit après le départ.")?.record;

    // A person asks it back: it reads all, and writes again.
    invite(&mut a, &mut b, two.b.node()?, circle)?;
    wait::until("what A wrote meanwhile", wait::LONG, || {
        Ok(b.shows(after)?.then_some(()))
    })?;
    let back = b.note_add(circle, "De retour.")?.record;
    wait::until("what B writes then", wait::LONG, || {
        Ok(a.shows(back)?.then_some(()))
    })
}
