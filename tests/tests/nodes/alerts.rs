//! Alerts until somebody has answered: in sight, in the right order, answered by whom and when, and answered once.

use std::collections::BTreeSet;

use maillon_protocol::{
    admin::{AlertLine, AlertPage, Answer, AuditPage, Call, ErrorCode, Written},
    content::{AlertStep, Severity},
    dossier::Delivery,
    ids::{CircleId, RecordId},
};
use maillon_tests::daemon::{
    Client, Daemon, Settings, Trouble, person, professional, same_digests, wait,
};

use crate::{Story, ensure, folder, shared};

fn send(
    client: &mut Client,
    circle: CircleId,
    text: &str,
    within_s: u64,
) -> Result<RecordId, Trouble> {
    let call = Call::AlertSend {
        circle: circle.to_string(),
        severity: Severity::High,
        text: text.to_owned(),
        to: Vec::new(),
        within_s,
    };
    match client.call(call)? {
        Answer::Written(written) => Ok(written.record),
        other => Err(Trouble::wrong(format!("{other:?}"))),
    }
}

fn answer(
    client: &mut Client,
    alert: RecordId,
    step: AlertStep,
    comment: &str,
) -> Result<Written, Trouble> {
    let call = Call::AlertAnswer {
        alert: alert.to_string(),
        step,
        comment: comment.to_owned(),
    };
    match client.call(call)? {
        Answer::Written(written) => Ok(written),
        other => Err(Trouble::wrong(format!("{other:?}"))),
    }
}

fn page(
    client: &mut Client,
    circle: Option<CircleId>,
    open: bool,
    after: Option<String>,
    limit: u32,
) -> Result<AlertPage, Trouble> {
    let call = Call::AlertList {
        circle: circle.map(|circle| circle.to_string()),
        open,
        after,
        limit,
    };
    match client.call(call)? {
        Answer::Alerts(page) => Ok(page),
        other => Err(Trouble::wrong(format!("{other:?}"))),
    }
}

/// All alerts, read one by one so that each is a page.
fn list(
    client: &mut Client,
    circle: Option<CircleId>,
    open: bool,
) -> Result<Vec<AlertLine>, Trouble> {
    let mut all = Vec::new();
    let mut after = None;
    loop {
        let page = page(client, circle, open, after, 1)?;
        all.extend(page.alerts);
        after = page.next;
        if after.is_none() {
            return Ok(all);
        }
    }
}

fn records(lines: &[AlertLine]) -> Vec<RecordId> {
    lines.iter().map(|line| line.record).collect()
}

/// What a refusal says, if it is the one that is due.
fn refused(answered: Result<Written, Trouble>, code: ErrorCode) -> Result<String, Trouble> {
    match answered {
        Err(Trouble::Refused(error)) if error.code == code && !error.action.is_empty() => {
            Ok(error.cause)
        }
        other => Err(Trouble::wrong(format!("{:?}", other.map(|_| "written")))),
    }
}

#[test]
fn an_alert_that_nobody_answered_stays_in_sight_and_the_most_urgent_one_comes_first() -> Story {
    let root = folder()?;
    let shared = shared(&root, |_| ())?;
    let (two, circle) = (&shared.two, shared.circle);
    let mut at_a = two.a.client()?.acting_as(&two.at_a);
    let mut at_b = two.b.client()?.acting_as(&two.at_b);
    let other = at_a.circle_open(person())?.line.circle;
    let first = send(&mut at_a, circle, "Chute dans la nuit.", 0)?;
    let elsewhere = send(&mut at_a, other, "Plus de traitement.", 3600)?;
    let short = send(&mut at_a, circle, "Malaise au lever.", 1)?;
    let last = send(&mut at_a, circle, "Porte fermée.", 0)?;

    wait::until("the deadline passes", wait::LONG, || {
        let lines = page(&mut at_a, None, true, None, 50)?.alerts;
        Ok(lines[0].overdue.then_some(()))
    })?;
    let open = list(&mut at_a, None, true)?;
    ensure(records(&open) == [short, first, elsewhere, last], || {
        format!("{:?}", records(&open))
    })?;
    let overdue: Vec<bool> = open.iter().map(|line| line.overdue).collect();
    ensure(overdue == [true, false, false, false], || {
        format!("{overdue:?}")
    })?;
    let line = &open[1];
    ensure(line.patient == "QUESNEVILLE Léontine", || {
        format!("{line:?}")
    })?;
    let said = (line.by.as_str(), line.text.as_str(), line.alert.severity);
    ensure(
        said == ("Claire Vasseur", "Chute dans la nuit.", Severity::High)
            && line.structure == "DAC du Pays de Caux"
            && line.alert.answer_by_ms.is_none()
            && open[2].alert.answer_by_ms.is_some(),
        || format!("{line:?}"),
    )?;
    let of_one = list(&mut at_a, Some(other), true)?;
    ensure(records(&of_one) == [elsewhere], || format!("{of_one:?}"))?;

    wait::until("the alert is delivered at B", wait::LONG, || {
        let lines = list(&mut at_a, Some(circle), true)?;
        let there = lines.iter().all(|line| {
            let first = line.alert.structures.first();
            first.is_some_and(|(.., delivery)| matches!(delivery, Delivery::Delivered { .. }))
        });
        Ok(there.then_some(()))
    })?;
    // The sender's own structure does not answer for others; B does.
    let colleague = professional(&two.a, "Anne Morel", "10999001034", "60")?;
    let mut anne = two.a.client()?.acting_as(&colleague);
    answer(&mut anne, first, AlertStep::Acknowledge, "Vu ici aussi.")?;
    ensure(
        records(&list(&mut at_a, None, true)?).contains(&first),
        || String::from("a colleague of the sender answered for everybody"),
    )?;
    answer(&mut at_b, first, AlertStep::Acknowledge, "Je passe.")?;
    let told = wait::until("the answer at A", wait::LONG, || {
        let open = list(&mut at_a, None, true)?;
        let gone = !records(&open).contains(&first);
        let all = list(&mut at_a, None, false)?;
        Ok(gone.then_some(all))
    })?;
    ensure(told.len() == 4, || format!("{:?}", records(&told)))?;
    let line = told.iter().find(|line| line.record == first);
    let line = line.ok_or_else(|| Trouble::wrong("the answered alert is not listed"))?;
    let at_b_node = two.b.node()?;
    let by = line.alert.answers.iter().find(|one| one.node == at_b_node);
    let by = by.ok_or_else(|| Trouble::wrong(format!("{line:?}")))?;
    ensure(
        by.by == "Yann Le Goff" && by.structure == "CPTS des Falaises" && by.at_ms > 0,
        || format!("{by:?}"),
    )?;
    ensure(
        matches!(
            line.alert.structures[0].2,
            Delivery::Answered {
                step: AlertStep::Acknowledge,
                ..
            }
        ),
        || format!("{line:?}"),
    )?;
    // What is made anew from the records says the same.
    at_a.call(Call::SyncRebuild)?;
    ensure(list(&mut at_a, None, false)? == told, || {
        String::from("another list after the rebuild")
    })?;
    // Nobody can answer in a circle that is closed: its alerts are still told, and no longer wait.
    at_a.call(Call::CircleClose {
        circle: other.to_string(),
        reason: 0,
    })?;
    let (open, all) = (list(&mut at_a, None, true)?, list(&mut at_a, None, false)?);
    ensure(
        !records(&open).contains(&elsewhere) && records(&all).contains(&elsewhere),
        || format!("{:?}, {:?}", records(&open), records(&all)),
    )
}

#[test]
fn a_look_at_the_alerts_stands_in_the_trail_of_each_circle_that_was_shown() -> Story {
    let root = folder()?;
    let daemon = Daemon::new(root.path(), Settings::dac())?;
    let who = professional(&daemon, "Claire Vasseur", "10999001018", "60")?;
    let mut client = daemon.client()?.acting_as(&who);
    let mut circles = BTreeSet::new();
    for text in ["Chute.", "Malaise."] {
        let circle = client.circle_open(person())?.line.circle;
        send(&mut client, circle, text, 0)?;
        circles.insert(circle);
    }
    page(&mut client, None, true, None, 50)?;
    let mut looked = BTreeSet::new();
    for circle in &circles {
        let call = Call::AuditList {
            circle: Some(circle.to_string()),
            since_ms: None,
            before: None,
            limit: 50,
        };
        let Answer::Audit(AuditPage { lines, .. }) = client.call(call)? else {
            return Err(Trouble::wrong("an answer of another kind"));
        };
        let line = lines.into_iter().find(|line| line.action == "alert.list");
        let line = line.ok_or_else(|| Trouble::wrong("the look left no line"))?;
        ensure(line.name.as_deref() == Some("Claire Vasseur"), || {
            format!("{line:?}")
        })?;
        looked.extend(line.circle);
    }
    ensure(looked == circles, || format!("{looked:?}"))
}

#[test]
fn who_answers_what_is_answered_is_told_by_whom_and_when_and_a_closed_alert_stays_closed() -> Story
{
    let root = folder()?;
    let shared = shared(&root, |_| ())?;
    let (two, circle) = (&shared.two, shared.circle);
    let mut at_a = two.a.client()?.acting_as(&two.at_a);
    let mut at_b = two.b.client()?.acting_as(&two.at_b);
    let other = professional(&two.b, "Maël Riou", "10999001034", "60")?;
    let mut colleague = two.b.client()?.acting_as(&other);
    let alert = send(&mut at_a, circle, "Malaise au lever.", 3600)?;
    wait::until("the alert at B", wait::LONG, || {
        Ok(at_b.shows(alert)?.then_some(()))
    })?;

    answer(&mut at_b, alert, AlertStep::TakeCharge, "Je pars.")?;
    for step in [AlertStep::TakeCharge, AlertStep::Acknowledge] {
        let cause = refused(answer(&mut at_b, alert, step, ""), ErrorCode::Conflict)?;
        let begins = "Yann Le Goff of CPTS des Falaises took charge of";
        ensure(cause.starts_with(begins) && cause.ends_with(" UTC"), || {
            cause.clone()
        })?;
    }
    // Somebody else may do the same, and closing needs an outcome.
    answer(&mut colleague, alert, AlertStep::Acknowledge, "")?;
    refused(
        answer(&mut colleague, alert, AlertStep::Close, "  "),
        ErrorCode::BadRequest,
    )?;
    answer(
        &mut colleague,
        alert,
        AlertStep::Close,
        "Sur place, stable.",
    )?;
    same_digests(&two.a, &two.b, circle)?;
    for client in [&mut at_a, &mut at_b, &mut colleague] {
        let late = answer(client, alert, AlertStep::Close, "Encore.");
        let cause = refused(late, ErrorCode::Conflict)?;
        let begins = "Maël Riou of CPTS des Falaises closed this alert";
        ensure(cause.starts_with(begins), || cause.clone())?;
    }

    let view = at_a.record_show(alert)?;
    let shown = view.alert.ok_or_else(|| Trouble::wrong("no alert"))?;
    let answers: Vec<_> = shown
        .answers
        .iter()
        .map(|one| (one.by.as_str(), one.step, one.comment.as_str()))
        .collect();
    ensure(
        answers
            == [
                ("Yann Le Goff", AlertStep::TakeCharge, "Je pars."),
                ("Maël Riou", AlertStep::Acknowledge, ""),
                ("Maël Riou", AlertStep::Close, "Sur place, stable."),
            ]
            && shown.answer_by_ms.is_some()
            && shown.addressees.is_empty()
            && !shown.open,
        || format!("{shown:?}"),
    )
}

#[test]
fn two_structures_that_close_an_alert_without_knowing_of_each_other_are_both_right() -> Story {
    let root = folder()?;
    let shared = shared(&root, |_| ())?;
    let (two, circle) = (&shared.two, shared.circle);
    let mut at_a = two.a.client()?.acting_as(&two.at_a);
    let mut at_b = two.b.client()?.acting_as(&two.at_b);
    let alert = send(&mut at_a, circle, "Malaise au lever.", 0)?;
    wait::until("the alert at B", wait::LONG, || {
        Ok(at_b.shows(alert)?.then_some(()))
    })?;
    let peer = two.b.node()?.to_string();
    at_a.call(Call::PeerSuspend { peer: peer.clone() })?;
    answer(&mut at_a, alert, AlertStep::Close, "La fille est là.")?;
    answer(&mut at_b, alert, AlertStep::Close, "Vu par le médecin.")?;
    at_a.call(Call::PeerResume { peer })?;
    at_a.retry_all()?;
    same_digests(&two.a, &two.b, circle)?;
    let mut seen = Vec::new();
    for client in [&mut at_a, &mut at_b] {
        let view = client.record_show(alert)?.alert;
        let view = view.ok_or_else(|| Trouble::wrong("no alert"))?;
        ensure(view.step == Some(AlertStep::Close), || format!("{view:?}"))?;
        let words: Vec<String> = view.answers.into_iter().map(|one| one.comment).collect();
        seen.push(words);
    }
    ensure(seen[0] == seen[1] && seen[0].len() == 2, || {
        format!("{seen:?}")
    })
}
