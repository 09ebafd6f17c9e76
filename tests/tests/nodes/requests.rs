//! A member asks the steward for a change of the circle, between whole nodes: a person answers, or the node by itself.

use maillon_protocol::{
    admin::{Answer, Call, ErrorCode, RequestCall, RequestLine, Wish},
    charter::{Grant, RemovalReason, RotationReason},
    ids::CircleId,
    invite::InvitationReason,
};
use maillon_tests::daemon::{
    Client, Daemon, Settings, Shared, Trouble, Two, invite, pair, professional, wait,
};

use crate::{Story, ensure, folder};

fn call(client: &mut Client, call: RequestCall) -> Result<Answer, Trouble> {
    client.call(Call::Request(call))
}

fn ask(client: &mut Client, circle: CircleId, wish: Wish, why: &str) -> Result<String, Trouble> {
    let asked = RequestCall::Ask {
        circle: circle.to_string(),
        wish,
        why: why.to_owned(),
    };
    match call(client, asked)? {
        Answer::Written(written) => Ok(written.record.to_string()),
        other => Err(Trouble::wrong(format!("{other:?}"))),
    }
}

fn waiting(client: &mut Client) -> Result<Vec<RequestLine>, Trouble> {
    match call(client, RequestCall::List { circle: None })? {
        Answer::Requests(lines) => Ok(lines),
        other => Err(Trouble::wrong(format!("{other:?}"))),
    }
}

/// Waits until so many requests wait at a node, and gives them.
fn until_waiting(client: &mut Client, count: usize) -> Result<Vec<RequestLine>, Trouble> {
    wait::until_seen("the requests", wait::LONG, || {
        let lines = waiting(client)?;
        Ok(((lines.len() == count).then(|| lines.clone()), lines))
    })
    .map(|(lines, _)| lines)
}

fn is_refused(answer: Result<Answer, Trouble>, words: &str) -> Story {
    match answer {
        Err(no) if no.code() == Some(ErrorCode::Conflict) => {
            ensure(no.to_string().contains(words), || no.to_string())
        }
        other => Err(Trouble::wrong(format!("{other:?}"))),
    }
}

fn grant(request: &str) -> RequestCall {
    RequestCall::Grant {
        request: request.to_owned(),
    }
}

#[test]
fn the_steward_grants_one_request_and_refuses_another_and_all_hear_of_it() -> Story {
    let root = folder()?;
    let Shared { two, circle } =
        Two::peered(root.path(), Settings::dac(), Settings::cpts())?.share()?;
    let third = Daemon::new(root.path(), Settings::hospital())?;
    pair(&two.a, &third)?;
    let at_third = professional(&third, "Inès Carpentier", "10999003014", "60")?;
    let mut a = two.a.client()?.acting_as(&two.at_a);
    let mut b = two.b.client()?.acting_as(&two.at_b);
    let mut c = third.client()?.acting_as(&at_third);
    let hospital = third.node()?;
    invite(&mut a, &mut c, hospital, circle)?;
    wait::until("the hospital, at B", wait::LONG, || {
        Ok((b.circle_show(circle)?.members.len() == 3).then_some(()))
    })?;

    let remove = || Wish::Remove {
        member: hospital.to_string(),
        reason: RemovalReason::Ended,
    };
    let rotate = || Wish::Rotate {
        reason: RotationReason::Suspected,
    };
    is_refused(
        ask(&mut a, circle, remove(), "").map(|_| Answer::Ok),
        "make the change itself",
    )?;
    let first = ask(&mut b, circle, remove(), "Le séjour est terminé.")?;
    let second = ask(&mut b, circle, rotate(), "Un téléphone perdu.")?;
    let seen = until_waiting(&mut a, 2)?;
    ensure(seen.iter().all(|line| line.here && !line.ours), || {
        format!("{seen:?}")
    })?;
    ensure(
        seen[0].why == "Le séjour est terminé." && seen[0].by == "Yann Le Goff",
        || format!("{seen:?}"),
    )?;
    ensure(
        a.status()?
            .reasons
            .iter()
            .any(|reason| reason.sentence.contains("2 requests")),
        || "status says nothing of them".to_owned(),
    )?;
    is_refused(call(&mut b, grant(&first)), "not the circle's steward")?;

    call(&mut a, grant(&first))?;
    call(
        &mut a,
        RequestCall::Refuse {
            request: second.clone(),
            why: "Après la réunion de jeudi.".to_owned(),
        },
    )?;
    wait::until("the removal, at B", wait::LONG, || {
        Ok((b.circle_show(circle)?.members.len() == 2).then_some(()))
    })?;
    until_waiting(&mut b, 0)?;
    is_refused(call(&mut a, grant(&second)), "answered or withdrawn")?;
    // One that is taken back is granted by nobody.
    let third = ask(&mut b, circle, rotate(), "")?;
    until_waiting(&mut a, 1)?;
    let taken_back = RequestCall::Withdraw {
        request: third.clone(),
    };
    is_refused(call(&mut a, taken_back.clone()), "another structure's")?;
    call(&mut b, taken_back)?;
    until_waiting(&mut a, 0)?;
    is_refused(call(&mut a, grant(&third)), "answered or withdrawn")
}

#[test]
fn a_nodes_configuration_lets_it_grant_some_changes_by_itself() -> Story {
    let root = folder()?;
    let mut dac = Settings::dac();
    dac.grant_by_itself = vec!["rotate".to_owned(), "invite".to_owned()];
    let Shared { two, circle } = Two::peered(root.path(), dac, Settings::cpts())?.share()?;
    let third = Daemon::new(root.path(), Settings::hospital())?;
    pair(&two.b, &third)?;
    let mut a = two.a.client()?.acting_as(&two.at_a);
    let mut b = two.b.client()?.acting_as(&two.at_b);
    let before = a.circle_show(circle)?.line.entry;
    let rotate = Wish::Rotate {
        reason: RotationReason::Precaution,
    };
    ask(&mut b, circle, rotate, "")?;
    wait::until("the new epoch, at B", wait::LONG, || {
        Ok((b.circle_show(circle)?.line.entry > before).then_some(()))
    })?;
    // The steward's node knows nothing of the hospital: that waits for a person, and is said to be so.
    let invite = Wish::Invite {
        peer: third.node()?.to_string(),
        reason: InvitationReason::Stay,
        grant: Grant::Nothing,
    };
    let asked = ask(&mut b, circle, invite, "Hospitalisation prévue lundi.")?;
    let close = Wish::Close { reason: 0 };
    let closing = ask(&mut b, circle, close, "")?;
    until_waiting(&mut a, 2)?;
    match call(&mut a, grant(&asked)) {
        Err(no) if no.to_string().contains("peer with it first") => {}
        other => return Err(Trouble::wrong(format!("{other:?}"))),
    }
    until_waiting(&mut a, 2)?;
    // What is closed takes no answer: it is written before.
    call(&mut a, grant(&closing))?;
    wait::until("the closing, at B", wait::LONG, || {
        Ok(b.circle_show(circle)?.line.closed.then_some(()))
    })?;
    let audit = ["audit", "list", "--json"].map(std::ffi::OsStr::new);
    let trail = two.a.ctl(&two.at_a, &audit)?.words;
    for action in ["request.grant", "circle.rotate", "circle.close"] {
        ensure(trail.contains(action), || trail.clone())?;
    }
    Ok(())
}
