//! A circle whose steward is lost: another one that continues it, between whole nodes.

use std::ffi::OsStr;

use maillon_protocol::{
    admin::{Call, CircleLine, ErrorCode},
    ids::CircleId,
};
use maillon_tests::daemon::{
    Client, Daemon, Settings, Shared, Trouble, Two, invite, pair, professional, wait,
};

use crate::{Story, ensure, folder};

/// A circle as a node lists it, where it does.
fn listed(
    client: &mut Client,
    is: impl Fn(&CircleLine) -> bool,
) -> Result<Option<CircleLine>, Trouble> {
    Ok(client.circles()?.into_iter().find(|line| is(line)))
}

/// Waits until a node goes on with a circle in another one; which that is.
fn goes_on(client: &mut Client, old: CircleId) -> Result<CircleId, Trouble> {
    wait::until("the circle that continues it", wait::LONG, || {
        let line = listed(client, |line| line.circle == old)?;
        Ok(line.and_then(|line| line.continued))
    })
}

#[test]
fn the_steward_is_lost_and_its_deputy_goes_on_with_the_others() -> Story {
    let root = folder()?;
    let Shared { mut two, circle } =
        Two::peered(root.path(), Settings::dac(), Settings::cpts())?.share()?;
    let third = Daemon::new(root.path(), Settings::hospital())?;
    pair(&two.a, &third)?;
    let at_third = professional(&third, "Inès Carpentier", "10999003014", "60")?;
    let mut a = two.a.client()?.acting_as(&two.at_a);
    let mut b = two.b.client()?.acting_as(&two.at_b);
    let mut c = third.client()?.acting_as(&at_third);
    invite(&mut a, &mut c, third.node()?, circle)?;
    a.call(Call::CircleDeputies {
        circle: circle.to_string(),
        deputies: vec![two.b.node()?.to_string()],
    })?;
    let before = a.note_add(circle, "Écrit avant la panne.")?.record;
    for client in [&mut b, &mut c] {
        wait::until("the note, and the deputy", wait::LONG, || {
            let members = client.circle_show(circle)?.members;
            let deputy = members.iter().any(|member| member.deputy);
            Ok((deputy && client.shows(before)?).then_some(()))
        })?;
    }

    // The steward's machine is gone. The others never paired: they know each other as members.
    two.a.kill()?;
    let name = circle.to_string();
    let words = ["circle", "continue", &name, "--yes"].map(OsStr::new);
    let ended = two.b.ctl(&two.at_b, &words)?;
    ensure(ended.status.success(), || ended.words.clone())?;
    ensure(ended.words.contains("The file goes on in circle"), || {
        ended.words.clone()
    })?;
    let new = goes_on(&mut b, circle)?;
    // C is not asked, for the charter had named B.
    ensure(goes_on(&mut c, circle)? == new, || "another one".to_owned())?;
    let audit = ["audit", "list", "--json"].map(OsStr::new);
    let trail = third.ctl(&at_third, &audit)?.words;
    ensure(trail.contains("invitation.accept"), || trail.clone())?;
    let trail = two.b.ctl(&two.at_b, &audit)?.words;
    ensure(trail.contains("circle.continue"), || trail.clone())?;

    // What is new goes there; what was written is read where it is.
    let after = b.note_add(new, "Écrit après la panne.")?.record;
    wait::until("what B writes then, at C", wait::LONG, || {
        Ok((c.shows(after)? && c.shows(before)?).then_some(()))
    })?;
    match c.note_add(circle, "Au mauvais endroit.") {
        Err(no) if no.code() == Some(ErrorCode::Conflict) => {
            ensure(no.to_string().contains("continued by another one"), || {
                no.to_string()
            })?;
        }
        other => return Err(Trouble::wrong(format!("{other:?}"))),
    }
    let shown = ["circle", "show", &name].map(OsStr::new);
    let words = third.ctl(&at_third, &shown)?.words;
    ensure(words.contains("It goes on in circle"), || words.clone())?;

    // The old steward's machine is repaired. Its people are asked, and see which circle that is about.
    two.a.start()?;
    let mut a = two.a.client()?.acting_as(&two.at_a);
    let asked = wait::until("the invitation at the old steward", wait::LONG, || {
        let all = a.invitations(true)?;
        Ok(all
            .into_iter()
            .find(|line| line.received && line.continues == Some(circle)))
    })?;
    let shown = asked.invitation.to_string();
    let words = ["circle", "candidates", &shown].map(OsStr::new);
    let words = two.a.ctl(&two.at_a, &words)?.words;
    ensure(words.contains("continues this circle"), || words.clone())?;
    a.circle_accept(asked.invitation)?;
    ensure(goes_on(&mut a, circle)? == new, || "another one".to_owned())?;
    wait::until("what was written meanwhile, at A", wait::LONG, || {
        Ok(a.shows(after)?.then_some(()))
    })?;
    let twice = ["circle", "continue", &name, "--yes"].map(OsStr::new);
    let refused = third.ctl(&at_third, &twice)?;
    ensure(!refused.status.success(), || refused.words.clone())?;
    ensure(
        refused.words.contains("continued by another one already"),
        || refused.words.clone(),
    )
}

#[test]
fn who_joins_the_circle_that_goes_on_reads_what_the_structures_tell_again() -> Story {
    let root = folder()?;
    let Shared { mut two, circle } =
        Two::peered(root.path(), Settings::dac(), Settings::cpts())?.share()?;
    let mut a = two.a.client()?.acting_as(&two.at_a);
    let mut b = two.b.client()?.acting_as(&two.at_b);
    let by_a = a
        .note_add(circle, "Écrit par le DAC avant la panne.")?
        .record;
    let by_b = "Écrit par la CPTS avant la panne.";
    b.note_add(circle, by_b)?;
    wait::until("the note of A at B", wait::LONG, || {
        Ok(b.shows(by_a)?.then_some(()))
    })?;
    two.a.kill()?;
    let said = |daemon: &Daemon, who: &str, words: &[&str]| {
        let words: Vec<&OsStr> = words.iter().map(OsStr::new).collect();
        daemon.ctl(who, &words)
    };
    let old = circle.to_string();
    let without = two.a.node()?.to_string();
    let words = ["circle", "continue", &old, "--without", &without, "--yes"];
    said(&two.b, &two.at_b, &words)?;
    let new = goes_on(&mut b, circle)?;
    let third = Daemon::new(root.path(), Settings::hospital())?;
    pair(&two.b, &third)?;
    let at_third = professional(&third, "Inès Carpentier", "10999003014", "60")?;
    let mut c = third.client()?.acting_as(&at_third);
    invite(&mut b, &mut c, third.node()?, new)?;

    let wrong = said(&two.b, &two.at_b, &["circle", "carry-over", &old, "--yes"])?;
    ensure(wrong.words.contains("continues no other one"), || {
        wrong.words.clone()
    })?;
    let name = new.to_string();
    let told = said(&two.b, &two.at_b, &["circle", "carry-over", &name, "--yes"])?;
    // B is the steward there, and A is not asked into it: B tells what A wrote, too.
    ensure(told.words.contains("2 records were written again"), || {
        told.words.clone()
    })?;
    let shown = ["circle", "show", &name].map(OsStr::new);
    wait::until_seen("what was before, at the third", wait::LONG, || {
        let words = third.ctl(&at_third, &shown)?.words;
        let all = words.contains(by_b) && words.contains("Écrit par le DAC avant la panne.");
        Ok((all.then_some(()), words))
    })?;
    let here = listed(&mut c, |line| line.circle == circle)?;
    ensure(here.is_none(), || format!("{here:?}"))?;
    let audit = ["audit", "list", "--json"].map(OsStr::new);
    let trail = two.b.ctl(&two.at_b, &audit)?.words;
    ensure(trail.contains("record.carry-over"), || trail.clone())
}
