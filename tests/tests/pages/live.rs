//! Pages that are open hear what happens: counts, alerts, the file; and nothing that is not theirs.

use std::time::Duration;

use maillon_protocol::{admin::Call, content::Severity};
use maillon_tests::{
    daemon::{Trouble, professional},
    ground::until_it_says,
    visitor::{Event, Visitor},
};

use super::{
    Story, ensure,
    files::{add_to_team, colleague, nurse, open, open_another, says},
    folder, sign_in,
    team::term_of,
};

/// Longer than anything takes that comes at once.
const AT_ONCE: Duration = Duration::from_secs(5);
/// For so long nothing is to come.
const NOTHING: Duration = Duration::from_millis(1_500);

/// The last change that a page knows, and the address of its stream.
fn stream_of(visitor: &mut Visitor, page: &str) -> Result<String, Trouble> {
    let page = visitor.get(page)?;
    let address = page.text.split("hx-sse:connect=\"").nth(1);
    let address = address.and_then(|rest| rest.split('"').next());
    let address = address.ok_or_else(|| Trouble::wrong(format!("no stream: {page:?}")))?;
    Ok(address.replace("&amp;", "&"))
}

/// The same, of a page that was made after everything before it had been told: what a page shows may be told a moment later, and is then told twice.
pub(super) fn quiet_stream_of(visitor: &mut Visitor, page: &str) -> Result<String, Trouble> {
    let first = stream_of(visitor, page)?;
    let mut first = visitor.events(&first)?;
    while first.next(NOTHING)?.is_some() {}
    stream_of(visitor, page)
}

pub(super) fn named(event: Option<Event>, name: &str) -> Result<String, Trouble> {
    match event {
        Some(event) if event.name == name => Ok(event.data),
        other => Err(Trouble::wrong(format!("{name} expected: {other:?}"))),
    }
}

#[test]
fn an_alert_reaches_the_open_page_of_a_colleague_and_the_answer_the_open_file_of_who_sent_it()
-> Story {
    let root = folder()?;
    let (node, mut nurse) = nurse(&root)?;
    let address = open(&mut nurse)?;
    let mut other = colleague(&node)?;
    add_to_team(&mut nurse, &address)?;
    let home = quiet_stream_of(&mut other, "/")?;
    let mut home = other.events(&home)?;
    let nothing = named(home.next(AT_ONCE)?, "compte")?;
    ensure(nothing == r#"{"alertes":0,"invitations":0}"#, || {
        nothing.clone()
    })?;

    let fields = [("gravite", "urgente"), ("texte", "Refuse de manger.")];
    nurse.post(&format!("{address}/alerte"), &fields)?;
    let alert = named(home.next(AT_ONCE)?, "alerte")?;
    ensure(
        alert.contains("Rozenn") && alert.contains(&address) && !alert.contains("manger"),
        || alert.clone(),
    )?;
    let counts = named(home.next(AT_ONCE)?, "compte")?;
    ensure(counts.contains(r#""alertes":1"#), || counts.clone())?;
    let what = named(home.next(AT_ONCE)?, "nouveau")?;
    ensure(what == "attente", || what.clone())?;

    let file = stream_of(&mut nurse, &address)?;
    ensure(file.contains("&dossier="), || file.clone())?;
    let mut file = nurse.events(&file)?;
    named(file.next(AT_ONCE)?, "compte")?;
    let page = other.get("/")?;
    let record = page.text.split("name=\"alerte\" value=\"").nth(1);
    let record = record
        .and_then(|rest| rest.split('"').next())
        .unwrap_or_default();
    let fields = [("alerte", record), ("reponse", "prise-en-charge")];
    other.post(&format!("{address}/alerte/reponse"), &fields)?;
    loop {
        let event = file.next(AT_ONCE)?;
        let event = event.ok_or_else(|| Trouble::wrong("the file was not told"))?;
        if event.name == "nouveau" && event.data == "dossier" {
            break;
        }
    }
    says(&nurse.get(&address)?, &["Prise en charge par"])
}

#[test]
fn what_happened_between_a_page_and_its_stream_is_told_and_what_the_page_shows_is_not() -> Story {
    let root = folder()?;
    let (_node, mut nurse) = nurse(&root)?;
    let address = open(&mut nurse)?;
    let before = quiet_stream_of(&mut nurse, &address)?;
    let fields = [("nature", "observation"), ("texte", "Passage du matin.")];
    nurse.post(&format!("{address}/note"), &fields)?;
    let mut late = nurse.events(&before)?;
    named(late.next(AT_ONCE)?, "compte")?;
    ensure(named(late.next(AT_ONCE)?, "nouveau")? == "dossier", || {
        "what came between".to_owned()
    })?;
    // A stream that was cut goes on behind the last that it heard.
    let number = late.last_id().to_owned();
    drop(late);
    let mut again = nurse.events_after(&before, &number)?;
    named(again.next(AT_ONCE)?, "compte")?;
    let more = again.next(NOTHING)?;
    ensure(more.is_none(), || format!("{more:?}"))?;
    // From before the node's start: anything may have changed.
    let mut old = nurse.events(&before.replace("depuis=", "depuis=7&x="))?;
    // Counted at the beginning, and with what may have changed.
    named(old.next(AT_ONCE)?, "compte")?;
    named(old.next(AT_ONCE)?, "compte")?;
    for what in ["attente", "dossier"] {
        let heard = named(old.next(AT_ONCE)?, "nouveau")?;
        ensure(heard == what, || heard.clone())?;
    }
    Ok(())
}

#[test]
fn an_alert_that_was_closed_before_the_stream_began_leaves_the_list_and_alerts_of_others_do_not_touch_it()
-> Story {
    let root = folder()?;
    let (node, mut nurse) = nurse(&root)?;
    let address = open(&mut nurse)?;
    let mut other = colleague(&node)?;
    add_to_team(&mut nurse, &address)?;
    let raise = [("gravite", "urgente"), ("texte", "Refuse de manger.")];
    nurse.post(&format!("{address}/alerte"), &raise)?;
    let page = until_it_says(&mut other, "/", "Refuse de manger.")?;
    let record = page.text.split("name=\"alerte\" value=\"").nth(1);
    let record = record.and_then(|rest| rest.split('"').next());
    let close = [
        ("alerte", record.unwrap_or_default()),
        ("reponse", "close"),
        ("commentaire", "Vue ce matin."),
    ];
    let home = stream_of(&mut other, "/")?;
    let closed = nurse.post(&format!("{address}/alerte/reponse"), &close)?;
    ensure(closed.status == 303, || format!("{closed:?}"))?;
    let mut late = other.events(&home)?;
    loop {
        let event = late.next(AT_ONCE)?;
        let event = event.ok_or_else(|| Trouble::wrong("the list was not told"))?;
        if event.name == "nouveau" && event.data == "attente" {
            break;
        }
    }

    // One waits again; what happens in the file of somebody else does not make the page load itself.
    nurse.post(&format!("{address}/alerte"), &raise)?;
    while late.next(NOTHING)?.is_some() {}
    let elsewhere = open_another(&mut nurse)?;
    while late.next(NOTHING)?.is_some() {}
    nurse.post(&format!("{elsewhere}/alerte"), &raise)?;
    let heard = late.next(NOTHING)?;
    ensure(heard.is_none(), || format!("{heard:?}"))
}

#[test]
fn who_joins_a_team_hears_of_its_alerts_and_who_leaves_it_that_they_wait_no_more() -> Story {
    let root = folder()?;
    let (node, mut nurse) = nurse(&root)?;
    let address = open(&mut nurse)?;
    let mut other = colleague(&node)?;
    let raise = [("gravite", "urgente"), ("texte", "Refuse de manger.")];
    nurse.post(&format!("{address}/alerte"), &raise)?;
    let home = quiet_stream_of(&mut other, "/")?;
    let mut home = other.events(&home)?;
    let none = named(home.next(AT_ONCE)?, "compte")?;
    ensure(none.contains(r#""alertes":0"#), || none.clone())?;
    add_to_team(&mut nurse, &address)?;
    named(home.next(AT_ONCE)?, "alerte")?;
    let one = named(home.next(AT_ONCE)?, "compte")?;
    ensure(one.contains(r#""alertes":1"#), || one.clone())?;
    while home.next(NOTHING)?.is_some() {}

    let term = term_of(&mut nurse, &address, "Inès Delahaye")?;
    let end = [("geste", "terminer"), ("quand", "maintenant")];
    nurse.post(&term, &end)?;
    let none = named(home.next(AT_ONCE)?, "compte")?;
    ensure(none.contains(r#""alertes":0"#), || none.clone())?;
    let what = named(home.next(AT_ONCE)?, "nouveau")?;
    ensure(what == "attente", || what.clone())
}

#[test]
fn an_alert_that_was_late_before_the_stream_began_is_told_once() -> Story {
    let root = folder()?;
    let (node, mut nurse) = nurse(&root)?;
    open(&mut nurse)?;
    let circle = node.client()?.circles()?[0].circle;
    let writer = professional(&node, "Claire Vasseur", "10999003055", "330")?;
    let alert = Call::AlertSend {
        circle: circle.to_string(),
        severity: Severity::High,
        text: "Refuse de manger.".to_owned(),
        to: Vec::new(),
        within_s: 12,
    };
    node.client()?.acting_as(&writer).call(alert)?;
    until_it_says(&mut nurse, "/", "Refuse de manger.")?;
    let home = quiet_stream_of(&mut nurse, "/")?;
    // The page stays as it was, and has no stream meanwhile.
    until_it_says(&mut nurse, "/", "échéance dépassée")?;
    let mut late = nurse.events(&home)?;
    named(late.next(AT_ONCE)?, "compte")?;
    let what = named(late.next(AT_ONCE)?, "nouveau")?;
    ensure(what == "attente", || what.clone())?;
    let more = late.next(NOTHING)?;
    ensure(more.is_none(), || format!("{more:?}"))?;
    // A page that shows it so is not told.
    let home = stream_of(&mut nurse, "/")?;
    let mut shown = nurse.events(&home)?;
    named(shown.next(AT_ONCE)?, "compte")?;
    let more = shown.next(NOTHING)?;
    ensure(more.is_none(), || format!("{more:?}"))
}

#[test]
fn who_is_not_in_the_team_hears_nothing_of_a_file_and_who_has_left_hears_nothing_at_all() -> Story {
    let root = folder()?;
    let (node, mut nurse) = nurse(&root)?;
    let address = open(&mut nurse)?;
    let mut other = colleague(&node)?;
    let theirs = stream_of(&mut nurse, &address)?;
    let refused = other.get(&theirs)?;
    ensure(refused.status == 403, || format!("{refused:?}"))?;
    let home = stream_of(&mut other, "/")?;
    let mut home = other.events(&home)?;
    named(home.next(AT_ONCE)?, "compte")?;
    let fields = [("gravite", "urgente"), ("texte", "Refuse de manger.")];
    nurse.post(&format!("{address}/alerte"), &fields)?;
    let heard = home.next(NOTHING)?;
    ensure(heard.is_none(), || format!("{heard:?}"))?;

    let mut file = nurse.events(&theirs)?;
    // What happened since that page was made comes first.
    while file.next(NOTHING)?.is_some() {}
    let mut second = Visitor::new(&node.pages()?);
    sign_in(&mut second, super::PASSWORD)?;
    nurse.post("/deconnexion", &[])?;
    let fields = [("nature", "observation"), ("texte", "Passage du soir.")];
    second.post(&format!("{address}/note"), &fields)?;
    let end = file.next(AT_ONCE)?;
    named(end, "fin")?;
    // And without a session there is no stream.
    let mut nobody = Visitor::new(&node.pages()?);
    let sent_away = nobody.get(&theirs)?;
    ensure(sent_away.leads_to().starts_with("/connexion"), || {
        format!("{sent_away:?}")
    })
}
