//! The first page of a file on paper: who the person is, what matters, whom to call, when it was printed, and nothing that one would click.

use maillon_protocol::admin::{Call, TeamCall};
use maillon_tests::{
    browser::Browser,
    daemon::Settings,
    examples::Examples,
    ground::{self, COORDINATOR, NURSE, between, node},
    visitor::Visitor,
};
use serde_json::json;

use crate::{Story, ensure, folder, keep, screens};

/// What can be clicked or typed into and stands on the paper all the same.
const TO_CLICK: &str = r#"
    const all = document.querySelectorAll("button, input, textarea, select, form, nav, details, .btn, [popover]");
    return [...all].filter(one => one.checkVisibility()).map(one => one.localName + "." + one.className);
"#;

/// Every time that a page says in words, as paper has it: the size of the words, and what stands for them.
const DAYS: &str = r#"
    const all = [...document.querySelectorAll("time[title]")].filter(one => one.checkVisibility());
    return all.map(one => getComputedStyle(one).fontSize + " " + getComputedStyle(one, "::after").content);
"#;

/// A person whose family is in the team, and some weeks of care.
fn live(nurse: &mut Visitor, file: &str) -> Story {
    for day in 0..14 {
        let text = format!(
            "Passage {day} : a bien mangé, boit seule. Tension 128/76, pas de douleur au talon."
        );
        let fields = [("nature", "observation"), ("texte", text.as_str())];
        nurse.post(&format!("{file}/note"), &fields)?;
    }
    let urgent = [
        ("nature", "instruction"),
        ("texte", "Appeler le médecin au-dessous de 51 kg."),
        ("urgence", "1"),
    ];
    nurse.post(&format!("{file}/note"), &urgent)?;
    let text = "Refuse de manger depuis hier soir, et ne reconnaît pas sa fille.";
    let alert = [("gravite", "urgente"), ("texte", text)];
    let sent = nurse.post(&format!("{file}/alerte"), &alert)?;
    ensure(sent.status == 303, || format!("{sent:?}"))
}

#[test]
fn on_paper_the_first_page_says_who_what_matters_and_whom_to_call_and_has_nothing_to_click() -> Story
{
    let Some(browser) = Browser::open()? else {
        return Ok(());
    };
    let root = folder()?;
    let dac = node(Settings::dac(), root.path())?;
    let origin = dac.pages()?;
    let mut nurse = ground::signed_in(&dac, NURSE)?;
    let (_, name, rpps, profession) = COORDINATOR;
    let coordinator = maillon_tests::daemon::professional(&dac, name, rpps, profession)?;
    let mut client = dac.client()?.acting_as(&coordinator);
    let circle = client.import(&Examples::own()?.circle)?.circles[0].circle;
    let account = dac.client()?.account_list()?;
    client.call(Call::Team(TeamCall::Add {
        circle: circle.to_string(),
        professional: account[0].professionals[0].clone(),
    }))?;
    let list = nurse.get("/patients")?;
    let file = format!("/dossiers/{}", between(&list, "href=\"/dossiers/", "\""));
    live(&mut nurse, &file)?;

    browser.become_who(&origin, &nurse)?;
    browser.go(&format!("{origin}{file}"))?;
    browser.until_it_says("Fil du dossier")?;
    let pdf = browser.print()?;
    browser.as_on_paper()?;
    let height = browser.run("return document.documentElement.scrollHeight", &json!([]))?;
    let size = json!({ "x": 0, "y": 0, "width": 688, "height": height, "scale": 1 });
    let how = json!({ "format": "png", "captureBeyondViewport": true, "clip": size });
    keep(
        &screens().join("dossier-imprime.png"),
        &browser.capture(&how)?,
    )?;
    keep(&screens().join("dossier-imprime.pdf"), &pdf)?;

    let text = browser.text()?;
    for words in [
        "Odette Lefebvre",
        "née Marchand",
        "née le 12 mai 1938",
        "Identité",
        "Ce qui compte maintenant",
        "Refuse de manger depuis hier soir",
        "Sans prise en charge depuis",
        "Appeler le médecin au-dessous de 51 kg.",
        "Autour de la personne",
        NURSE.1,
        "06 39 98 12 44",
        "Imprimé le ",
        "Confidentiel : données de santé",
    ] {
        ensure(text.contains(words), || format!("no {words:?} in:\n{text}"))?;
    }
    // No « hier » on paper: the day and the year.
    let days = browser.run(DAYS, &json!([]))?;
    let days = days.as_array().map_or(&[][..], Vec::as_slice);
    ensure(!days.is_empty(), || text.clone())?;
    for day in days {
        let shown = day.as_str().unwrap_or_default();
        ensure(shown.starts_with("0px") && shown.contains(" 20"), || {
            format!("a time on paper: {shown}")
        })?;
    }
    let first = text.find("Ce qui compte maintenant");
    ensure(first < text.find("Fil du dossier"), || text.clone())?;
    let clicked = browser.run(TO_CLICK, &json!([]))?;
    ensure(clicked == json!([]), || format!("on paper: {clicked}"))?;
    // On A4, on more than one sheet: each has its number at its foot.
    let written = String::from_utf8_lossy(&pdf);
    let sheets = written.matches("/Type /Page\n").count();
    ensure(
        written.starts_with("%PDF") && sheets >= 2 && written.contains("/MediaBox [0 0 594"),
        || format!("{sheets} sheets"),
    )
}
