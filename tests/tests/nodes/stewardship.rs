//! Who rules a circle: the steward, whom it hands over to, and who may go on in its place.

use std::ffi::OsStr;

use maillon_protocol::{
    admin::{Answer, Call, ErrorCode, MemberLine},
    charter::RemovalReason,
    ids::{CircleId, NodeId},
};
use maillon_tests::daemon::{
    Client, Daemon, Settings, Shared, Trouble, Two, invite, pair, professional, wait,
};

use crate::{Story, ensure, folder};

/// A call that answers nothing but that it was done.
fn done(client: &mut Client, call: Call) -> Story {
    match client.call(call)? {
        Answer::Ok => Ok(()),
        other => Err(Trouble::wrong(format!("{other:?}"))),
    }
}

fn is_refused(client: &mut Client, call: Call, words: &str) -> Story {
    match client.call(call) {
        Err(no) if no.code() == Some(ErrorCode::Conflict) => {
            ensure(no.to_string().contains(words), || no.to_string())
        }
        other => Err(Trouble::wrong(format!("{other:?}"))),
    }
}

/// Waits until a node shows a member of a circle as the steward, or as a deputy.
fn is_shown(
    client: &mut Client,
    circle: CircleId,
    what: &str,
    node: NodeId,
    role: fn(&MemberLine) -> bool,
) -> Story {
    wait::until_seen(what, wait::LONG, || {
        let members = client.circle_show(circle)?.members;
        let shown = members
            .iter()
            .any(|member| member.node == node && role(member));
        Ok((shown.then_some(()), members))
    })
    .map(drop)
}

#[test]
fn the_steward_hands_over_and_the_new_one_admits_a_third_structure() -> Story {
    let root = folder()?;
    let Shared { two, circle } =
        Two::peered(root.path(), Settings::dac(), Settings::cpts())?.share()?;
    let [a_node, b_node] = [two.a.node()?, two.b.node()?];
    let mut a = two.a.client()?.acting_as(&two.at_a);
    let mut b = two.b.client()?.acting_as(&two.at_b);
    let named = circle.to_string();
    let hand_over = |to: NodeId| Call::CircleHandOver {
        circle: named.clone(),
        to: to.to_string(),
    };
    let deputies = |deputies: Vec<String>| Call::CircleDeputies {
        circle: named.clone(),
        deputies,
    };
    // Named before, so that somebody may go on where the steward is lost.
    done(&mut a, deputies(vec![b_node.to_string()]))?;
    is_shown(&mut b, circle, "the deputy at B", b_node, |member| {
        member.deputy
    })?;
    is_refused(&mut b, hand_over(a_node), "not the circle's steward")?;
    for itself in [hand_over(a_node), deputies(vec![a_node.to_string()])] {
        match a.call(itself) {
            Err(no) if no.code() == Some(ErrorCode::BadRequest) => {}
            other => return Err(Trouble::wrong(format!("{other:?}"))),
        }
    }

    done(&mut a, hand_over(b_node))?;
    is_shown(&mut b, circle, "the new steward at B", b_node, |member| {
        member.steward && !member.deputy
    })?;
    is_refused(
        &mut a,
        Call::CircleRotate {
            circle: named.clone(),
            reason: maillon_protocol::charter::RotationReason::Precaution,
        },
        "not the circle's steward",
    )?;
    let third = Daemon::new(root.path(), Settings::hospital())?;
    pair(&two.b, &third)?;
    let at_third = professional(&third, "Inès Carpentier", "10999003014", "60")?;
    let before = a.note_add(circle, "Avant l'arrivée de l'hôpital.")?.record;
    wait::until("the note at B", wait::LONG, || {
        Ok(b.shows(before)?.then_some(()))
    })?;
    let mut c = third.client()?.acting_as(&at_third);
    invite(&mut b, &mut c, third.node()?, circle)?;
    // From the one that rules now, and from the one that did: it goes on as a member.
    wait::until("what was written before, at the third", wait::LONG, || {
        Ok(c.shows(before)?.then_some(()))
    })?;
    let after = a.note_add(circle, "Bienvenue à l'hôpital.")?.record;
    wait::until("what A writes then, at the third", wait::LONG, || {
        Ok(c.shows(after)?.then_some(()))
    })?;
    let audit = ["audit", "list", "--json"].map(std::ffi::OsStr::new);
    let ended = two.a.ctl(&two.at_a, &audit)?;
    for action in ["circle.deputies", "circle.hand-over"] {
        ensure(ended.words.contains(action), || ended.words.clone())?;
    }
    Ok(())
}

#[test]
fn a_file_that_was_closed_by_mistake_is_opened_again_for_all_its_members() -> Story {
    let root = folder()?;
    let Shared { two, circle } =
        Two::peered(root.path(), Settings::dac(), Settings::cpts())?.share()?;
    let mut a = two.a.client()?.acting_as(&two.at_a);
    let mut b = two.b.client()?.acting_as(&two.at_b);
    let named = circle.to_string();
    let reopen = || Call::CircleReopen {
        circle: named.clone(),
        reason: 1,
    };
    let close = || Call::CircleClose {
        circle: named.clone(),
        reason: 0,
    };
    is_refused(&mut a, reopen(), "not closed")?;
    done(&mut a, close())?;
    is_refused(&mut a, close(), "closed")?;
    wait::until("the closing at B", wait::LONG, || {
        Ok(b.circle_show(circle)?.line.closed.then_some(()))
    })?;
    match b.note_add(circle, "Trop tard.") {
        Err(no) if no.code() == Some(ErrorCode::Conflict) => {}
        other => return Err(Trouble::wrong(format!("{other:?}"))),
    }
    is_refused(&mut b, reopen(), "not the circle's steward")?;
    done(&mut a, reopen())?;
    wait::until("the opening at B", wait::LONG, || {
        Ok((!b.circle_show(circle)?.line.closed).then_some(()))
    })?;
    let written = b.note_add(circle, "Reprise des visites.")?.record;
    wait::until("what B writes then, at A", wait::LONG, || {
        Ok(a.shows(written)?.then_some(()))
    })
}

#[test]
fn what_a_removed_structure_wrote_in_good_time_counts_by_itself_or_after_a_word_where_its_key_was_stolen()
-> Story {
    let root = folder()?;
    let Shared { two, circle } =
        Two::peered(root.path(), Settings::dac(), Settings::cpts())?.share()?;
    let Two {
        mut a,
        mut b,
        at_a,
        at_b,
        ..
    } = two;
    let mut third = Daemon::new(root.path(), Settings::hospital())?;
    for peer in [&a, &b] {
        pair(peer, &third)?;
    }
    let at_third = professional(&third, "Inès Carpentier", "10999003014", "60")?;
    let gone = third.node()?;
    for (times, reason) in [RemovalReason::Ended, RemovalReason::Compromised]
        .into_iter()
        .enumerate()
    {
        let mut of_a = a.client()?.acting_as(&at_a);
        let mut of_b = b.client()?.acting_as(&at_b);
        let mut c = third.client()?.acting_as(&at_third);
        invite(&mut of_a, &mut c, gone, circle)?;
        wait::until("the third structure, at B", wait::LONG, || {
            let members = of_b.circle_show(circle)?.members;
            Ok(members.iter().any(|line| line.node == gone).then_some(()))
        })?;
        // The steward's machine is off: what is written now reaches B alone, and then the third is off for good.
        a.stop()?;
        let late = c
            .note_add(circle, &format!("Écrit à temps, {times}."))?
            .record;
        wait::until("what came in time, at B", wait::LONG, || {
            Ok(of_b.shows(late)?.then_some(()))
        })?;
        third.stop()?;
        // B is off when A comes back, or A would have it before the removal.
        b.stop()?;
        a.start()?;
        let mut of_a = a.client()?.acting_as(&at_a);
        let (named, member) = (circle.to_string(), gone.to_string());
        done(
            &mut of_a,
            Call::CircleRemove {
                circle: named.clone(),
                member: member.clone(),
                reason,
            },
        )?;
        b.start()?;
        let mut of_b = b.client()?.acting_as(&at_b);
        if reason == RemovalReason::Compromised {
            wait::until("the removal, at B", wait::LONG, || {
                let members = of_b.circle_show(circle)?.members;
                Ok(members.iter().all(|line| line.node != gone).then_some(()))
            })?;
            ensure(!of_a.shows(late)?, || "nobody has decided".to_owned())?;
            // Where it had been read it stays, marked.
            let things = of_b.circle_show(circle)?.things;
            let marked = things.iter().find(|thing| thing.after_removal);
            let shown = marked.and_then(|thing| thing.standing.first());
            ensure(shown.is_some_and(|shown| shown.record == late), || {
                format!("{things:?}")
            })?;
            let words = ["circle", "count-late", &named, &member, "--yes"].map(OsStr::new);
            let ended = a.ctl(&at_a, &words)?;
            ensure(ended.status.success(), || ended.words.clone())?;
            let audit = ["audit", "list", "--json"].map(OsStr::new);
            let said = a.ctl(&at_a, &audit)?.words;
            ensure(said.contains("circle.count-late"), || said.clone())?;
        }
        wait::until("what came in time, at the steward", wait::LONG, || {
            Ok(of_a.shows(late)?.then_some(()))
        })?;
        wait::until("it without a mark, at B", wait::LONG, || {
            let things = of_b.circle_show(circle)?.things;
            Ok(things
                .iter()
                .all(|thing| !thing.after_removal)
                .then_some(()))
        })?;
        third.start()?;
    }
    Ok(())
}
