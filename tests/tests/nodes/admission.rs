//! Who is in a circle is decided by people, each time.

use std::time::Duration;

use maillon_protocol::{
    admin::{
        Answer, Call, CircleView, ErrorCode, PeerLine, Relation, Sharing, WatchEvent, Written,
    },
    charter::Grant,
    content::{ConsentDecision, ConsentKind},
    ids::{CircleId, InvitationId},
    invite::InvitationReason,
};
use maillon_tests::daemon::{
    Client, Daemon, Settings, Shared, Trouble, Two, Watch, pair, person, professional, wait,
};

use crate::{Story, ensure, folder};

/// For how long nothing may happen.
const QUIET: Duration = Duration::from_secs(2);

fn is_admitted_again(two: &Two, circle: CircleId) -> Result<bool, Trouble> {
    let b = two.b.node()?;
    let view = two.a.client()?.acting_as(&two.at_a).circle_show(circle)?;
    Ok(view.members.iter().any(|member| member.node == b))
}

/// Waits until a node that is watched has an invitation.
fn is_invited(watch: &mut Watch, wanted: InvitationId) -> Story {
    watch.until(
        "the invitation",
        wait::LONG,
        |event| matches!(event, WatchEvent::Invited { invitation } if *invitation == wanted),
    )?;
    Ok(())
}

/// Nothing happens for a while, although both nodes talk.
fn stays_out(two: &Two, circle: CircleId) -> Story {
    two.a.client()?.retry_all()?;
    let end = std::time::Instant::now() + QUIET;
    while std::time::Instant::now() < end {
        ensure(!is_admitted_again(two, circle)?, || {
            String::from("it was admitted, and nobody had agreed")
        })?;
        std::thread::sleep(Duration::from_millis(50));
    }
    Ok(())
}

#[test]
fn a_removed_structure_does_not_come_back_by_an_invitation_from_before() -> Story {
    let root = folder()?;
    let mut two = Two::peered(root.path(), Settings::dac(), Settings::cpts())?;
    let mut a = two.a.client()?.acting_as(&two.at_a);
    let circle = a.circle_open(person())?.line.circle;
    a.consent_given(circle)?;
    let mut at_b = two.b.watch()?;
    let first = a.circle_invite(circle, two.b.node()?)?.invitation;
    let second = a.circle_invite(circle, two.b.node()?)?.invitation;
    for wanted in [first, second] {
        is_invited(&mut at_b, wanted)?;
    }
    let mut b = two.b.client()?.acting_as(&two.at_b);
    // The second took the place of the first, and B may have heard of it.
    match b.circle_accept(first) {
        Err(no) if no.code() != Some(ErrorCode::Conflict) => return Err(no),
        _ => {}
    }
    b.circle_accept(second)?;
    at_b.until(
        "the charter that lists B",
        wait::LONG,
        |event| matches!(event, WatchEvent::Charter { circle: named, member: true, .. } if *named == circle),
    )?;
    a.circle_remove(circle, two.b.node()?)?;
    drop(at_b);
    two.b.stop()?;
    two.b.start()?;
    stays_out(&two, circle)?;
    // Asked anew, it is in again: people decide.
    let mut at_b = two.b.watch()?;
    let third = a.circle_invite(circle, two.b.node()?)?.invitation;
    is_invited(&mut at_b, third)?;
    two.b.client()?.acting_as(&two.at_b).circle_accept(third)?;
    wait::until("B is in again", wait::LONG, || {
        Ok(is_admitted_again(&two, circle)?.then_some(()))
    })
}

#[test]
fn who_no_longer_agrees_is_not_shared_by_an_invitation_from_before() -> Story {
    let root = folder()?;
    let two = Two::peered(root.path(), Settings::dac(), Settings::cpts())?;
    let mut a = two.a.client()?.acting_as(&two.at_a);
    let circle = a.circle_open(person())?.line.circle;
    a.consent_given(circle)?;
    let mut at_b = two.b.watch()?;
    let sent = a.circle_invite(circle, two.b.node()?)?.invitation;
    is_invited(&mut at_b, sent)?;
    // B hears nothing for a while, and accepts what its people see.
    let other = two.a.node()?.to_string();
    let mut b = two.b.client()?.acting_as(&two.at_b);
    b.call(Call::PeerSuspend {
        peer: other.clone(),
    })?;
    withdraw(&mut a, circle)?;
    b.circle_accept(sent)?;
    b.call(Call::PeerResume { peer: other })?;
    stays_out(&two, circle)?;
    is_cancelled(&mut b, sent)
}

/// The person tells this structure that they no longer agree.
fn withdraw(client: &mut Client, circle: CircleId) -> Result<Written, Trouble> {
    let call = Call::ConsentRecord {
        circle: circle.to_string(),
        kind: ConsentKind::NonOpposition,
        decision: ConsentDecision::Withdrawn,
        answered_by: String::new(),
        how: "Par téléphone".to_owned(),
    };
    match client.call(call)? {
        Answer::Written(written) => Ok(written),
        other => Err(Trouble::wrong(format!("{other:?}"))),
    }
}

/// Waits until an invitation is shown as taken back at the node that it asked.
fn is_cancelled(client: &mut Client, wanted: InvitationId) -> Story {
    wait::until_seen("the invitation is taken back", wait::LONG, || {
        let all = client.invitations(true)?;
        let line = all.into_iter().find(|line| line.invitation == wanted);
        let state = line.map(|line| line.state);
        Ok(((state.as_deref() == Some("cancelled")).then_some(()), state))
    })
    .map(drop)
}

#[test]
fn an_invitation_that_was_taken_back_is_shown_so_and_cannot_be_accepted() -> Story {
    let root = folder()?;
    let two = Two::peered(root.path(), Settings::dac(), Settings::cpts())?;
    let mut a = two.a.client()?.acting_as(&two.at_a);
    let circle = a.circle_open(person())?.line.circle;
    a.consent_given(circle)?;
    let mut at_b = two.b.watch()?;
    let sent = a.circle_invite(circle, two.b.node()?)?.invitation;
    is_invited(&mut at_b, sent)?;
    withdraw(&mut a, circle)?;
    at_b.until(
        "that it was taken back",
        wait::LONG,
        |event| matches!(event, WatchEvent::Cancelled { invitation } if *invitation == sent),
    )?;
    let mut b = two.b.client()?.acting_as(&two.at_b);
    is_cancelled(&mut b, sent)?;
    match b.circle_accept(sent) {
        Err(no) if no.code() == Some(ErrorCode::Conflict) => Ok(()),
        other => Err(Trouble::wrong(format!("{other:?}"))),
    }
}

#[test]
fn who_joins_without_the_past_sees_whose_file_it_is_and_that_the_person_agreed() -> Story {
    let root = folder()?;
    let two = Two::peered(root.path(), Settings::dac(), Settings::cpts())?;
    let mut a = two.a.client()?.acting_as(&two.at_a);
    let circle = a.circle_open(person())?.line.circle;
    a.consent_given(circle)?;
    let before = a.note_add(circle, "Avant l'arrivée du cabinet.")?.record;
    let mut at_b = two.b.watch()?;
    let call = Call::CircleInvite {
        circle: circle.to_string(),
        peer: two.b.node()?.to_string(),
        reason: InvitationReason::CareTeam,
        grant: Grant::Nothing,
    };
    let Answer::Invitation(sent) = a.call(call)? else {
        return Err(Trouble::wrong("an answer of another kind"));
    };
    is_invited(&mut at_b, sent.invitation)?;
    let mut b = two.b.client()?.acting_as(&two.at_b);
    b.circle_accept(sent.invitation)?;
    let (view, _) = wait::until_seen("who it is, at B", wait::LONG, || {
        let view = match b.circle_show(circle) {
            Ok(view) => Some(view),
            Err(no) if no.code() == Some(ErrorCode::NotFound) => None,
            Err(other) => return Err(other),
        };
        let whole =
            |view: &CircleView| view.identity == [person()] && view.sharing == Sharing::Allowed;
        Ok((view.clone().filter(whole), view.map(|view| view.sharing)))
    })?;
    ensure(!b.shows(before)?, || "it reads the past".to_owned())?;
    ensure(view.doubts.is_empty() && view.line.member, || {
        format!("{view:?}")
    })?;
    // The steward's node did this by itself, and says so.
    let ended = two.a.ctl(
        &two.at_a,
        &["audit", "list", "--json"].map(std::ffi::OsStr::new),
    )?;
    ensure(ended.words.matches("record.renew").count() == 2, || {
        ended.words
    })
}

#[test]
fn what_was_written_for_weeks_beside_an_admission_is_written_again_in_parts_and_after_a_kill()
-> Story {
    const VISITS: usize = 350;
    let root = folder()?;
    let Shared { mut two, circle } =
        Two::peered(root.path(), Settings::dac(), Settings::cpts())?.share()?;
    let third = Daemon::new(root.path(), Settings::hospital())?;
    pair(&two.a, &third)?;
    let at_third = professional(&third, "Inès Carpentier", "10999003014", "60")?;
    // B hears nothing of A while it writes; meanwhile a third structure is admitted without the past.
    let other = two.a.node()?.to_string();
    let mut b = two.b.client()?.acting_as(&two.at_b);
    let past = b.note_add(circle, "Première visite.")?.record;
    let mut a = two.a.client()?.acting_as(&two.at_a);
    wait::until("the first visit at A", wait::LONG, || {
        Ok(a.shows(past)?.then_some(()))
    })?;
    b.call(Call::PeerSuspend {
        peer: other.clone(),
    })?;
    for visit in 1..=VISITS {
        b.note_add(circle, &format!("Visite {visit}, rien à signaler."))?;
    }
    let mut watch = third.watch()?;
    let call = Call::CircleInvite {
        circle: circle.to_string(),
        peer: third.node()?.to_string(),
        reason: InvitationReason::CareTeam,
        grant: Grant::Nothing,
    };
    let Answer::Invitation(sent) = a.call(call)? else {
        return Err(Trouble::wrong("an answer of another kind"));
    };
    is_invited(&mut watch, sent.invitation)?;
    let mut c = third.client()?.acting_as(&at_third);
    c.circle_accept(sent.invitation)?;
    wait::until("the circle at the third", wait::LONG, || {
        Ok(c.circles()?
            .iter()
            .any(|line| line.circle == circle)
            .then_some(()))
    })?;
    // B hears of it. After its first part its worker rests for long, and is killed meanwhile.
    let tranquillity = |value| Call::WorkerSet {
        worker: "renewal".to_owned(),
        tranquillity: value,
    };
    b.call(tranquillity(1000))?;
    let before = b.records(circle)?.len();
    b.call(Call::PeerResume { peer: other })?;
    let first = wait::until("the first parts", wait::LONG, || {
        let again = b.records(circle)?.len() - before;
        Ok((again >= 100).then_some(again))
    })?;
    ensure(first < VISITS, || format!("{first} at once"))?;
    b.call(tranquillity(0))?;
    two.b.kill()?;
    two.b.start()?;
    let b_node = two.b.node()?;
    let read = wait::until_seen("all of them at the third", wait::LONG, || {
        let all = c.records(circle)?;
        let of_b = all.iter().filter(|line| line.log.node == b_node);
        let mut read = 0;
        for line in of_b {
            read += usize::from(c.shows(line.record)?);
        }
        Ok(((read >= VISITS).then_some(read), read))
    })?;
    ensure(read.0 == VISITS && !c.shows(past)?, || format!("{read:?}"))?;
    let worker = (two.b.client()?.call(Call::WorkerList)).map(|answer| format!("{answer:?}"))?;
    ensure(worker.contains("renewal"), || worker.clone())
}

#[test]
fn the_persons_last_word_counts_whichever_structure_writes_it_down() -> Story {
    let root = folder()?;
    let Shared { two, circle } =
        Two::peered(root.path(), Settings::dac(), Settings::cpts())?.share()?;
    let mut a = two.a.client()?.acting_as(&two.at_a);
    let mut b = two.b.client()?.acting_as(&two.at_b);
    wait::until("the first answer at B", wait::LONG, || {
        let sharing = b.circle_show(circle)?.sharing;
        Ok((sharing == Sharing::Allowed).then_some(()))
    })?;
    ensure(
        a.note_add(circle, "Tout va bien.")?.against.is_none(),
        || "a warning, and nobody has refused".to_owned(),
    )?;
    let withdrawn = withdraw(&mut b, circle)?;
    ensure(withdrawn.against.is_some(), || format!("{withdrawn:?}"))?;
    let refused = wait::until("the withdrawal at A", wait::LONG, || {
        Ok(match a.circle_show(circle)?.sharing {
            Sharing::Refused(refused) => Some(refused),
            _ => None,
        })
    })?;
    ensure(
        refused.withdrawn && refused.by == "Yann Le Goff" && refused.record == withdrawn.record,
        || format!("{refused:?}"),
    )?;
    // Whoever writes there is told that others read it; nobody is invited; and both hear who said so.
    wait::until("the warning", wait::LONG, || {
        Ok(a.note_add(circle, "Pansement refait.")?.against.map(drop))
    })?;
    match a.circle_invite(circle, two.b.node()?) {
        Err(no) if no.code() == Some(ErrorCode::NotAllowed) => {
            let words = no.to_string();
            ensure(
                words.contains("Yann Le Goff") && words.contains("withdrew"),
                || words,
            )?;
        }
        other => return Err(Trouble::wrong(format!("{other:?}"))),
    }
    a.consent_given(circle)?;
    for client in [&mut a, &mut b] {
        wait::until_seen("the new answer", wait::LONG, || {
            let sharing = client.circle_show(circle)?.sharing;
            Ok(((sharing == Sharing::Allowed).then_some(()), sharing))
        })?;
    }
    wait::until("no warning any more", wait::LONG, || {
        Ok(b.note_add(circle, "Revue ce soir.")?
            .against
            .is_none()
            .then_some(()))
    })
}

#[test]
fn a_withdrawal_that_another_structure_wrote_down_takes_back_what_was_asked_of_a_third() -> Story {
    let root = folder()?;
    let Shared { two, circle } =
        Two::peered(root.path(), Settings::dac(), Settings::cpts())?.share()?;
    let third = Daemon::new(root.path(), Settings::hospital())?;
    pair(&two.a, &third)?;
    let mut watch = third.watch()?;
    let mut a = two.a.client()?.acting_as(&two.at_a);
    let sent = a.circle_invite(circle, third.node()?)?.invitation;
    is_invited(&mut watch, sent)?;
    let mut b = two.b.client()?.acting_as(&two.at_b);
    withdraw(&mut b, circle)?;
    is_cancelled(&mut third.client()?, sent)
}

#[test]
fn a_suspended_peer_is_cut_off_where_a_circle_is_shared_too() -> Story {
    let root = folder()?;
    let Shared { two, circle } =
        Two::peered(root.path(), Settings::dac(), Settings::cpts())?.share()?;
    let (mut a, b) = (two.a.client()?, two.b.node()?);
    a.call(Call::PeerSuspend {
        peer: b.to_string(),
    })?;
    wait::until_seen("B is cut off", wait::LONG, || {
        let peer = a.peer_list()?.peers.into_iter().find(|line| line.node == b);
        let off = |line: &&PeerLine| line.relation == Relation::Suspended && !line.connected;
        let off = peer.as_ref().filter(off).map(drop);
        Ok((off, peer))
    })?;
    let written = two
        .a
        .client()?
        .acting_as(&two.at_a)
        .note_add(circle, "Après la suspension.")?;
    two.b.client()?.retry_all()?;
    let end = std::time::Instant::now() + QUIET;
    while std::time::Instant::now() < end {
        let mut b = two.b.client()?.acting_as(&two.at_b);
        ensure(!b.shows(written.record)?, || {
            String::from("it went to who is suspended")
        })?;
        std::thread::sleep(Duration::from_millis(50));
    }
    let ended = two.a.ctl(
        &two.at_a,
        &["audit", "list", "--json"].map(std::ffi::OsStr::new),
    )?;
    ensure(ended.words.contains("peer.suspend"), || ended.words)
}

#[test]
fn an_admission_leaves_a_line_in_the_audit_trail() -> Story {
    let root = folder()?;
    let Shared { two, circle } =
        Two::peered(root.path(), Settings::dac(), Settings::cpts())?.share()?;
    let ended = two.a.ctl(
        &two.at_a,
        &["audit", "list", "--json"].map(std::ffi::OsStr::new),
    )?;
    let admitted = ended
        .words
        .contains("circle.admit")
        .then(|| ended.words.contains(&circle.to_string()));
    ensure(admitted == Some(true), || ended.words.clone())
}
