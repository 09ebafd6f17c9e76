//! An alert, from a phone in one territory to a desk in another, and what the nurse sees while nothing gets through.

use std::{sync::Arc, time::Duration};

use maillon_tests::{
    browser::{Browser, Look},
    daemon::{Cable, Carriers, Daemon, Settings, Trouble, wait},
    ground::{Ground, NURSE, PASSWORD},
};
use serde_json::json;
use tokio::runtime::Runtime;

use crate::{Story, ensure, folder, picture, screens};

/// A lost connection is noticed by its pings, and tried again with growing waits.
const PATIENCE: Duration = Duration::from_secs(120);

/// Signs in as a person does.
pub(crate) fn sign_in(browser: &Browser, origin: &str) -> Story {
    browser.go(&format!("{origin}/"))?;
    browser.fill("#login", NURSE.0)?;
    browser.fill("#password", PASSWORD)?;
    browser.click("main button[type=submit]")?;
    browser.until_it_says("Bonjour")
}

#[test]
fn a_nurse_finds_her_patient_on_a_phone_and_a_doctor_elsewhere_takes_charge_of_her_alert() -> Story
{
    let (Some(phone), Some(desk)) = (Browser::open()?, Browser::open()?) else {
        return Ok(());
    };
    let ground = Ground::lay()?;
    let small = Look::new(true, false);
    phone.look(small)?;
    let dac = ground.dac.pages()?;
    sign_in(&phone, &dac)?;

    // From the list of patients, a note is two taps: the pencil, and the button.
    phone.go(&format!("{dac}/patients"))?;
    phone.fill("#q", "le dan")?;
    phone.click("[role=search] button")?;
    phone.until_it_says("1 personne trouvée")?;
    phone.click("[aria-label='Écrire une note pour Rozenn Le Dantec']")?;
    phone.fill("#texte", "A bien déjeuné, se lève seule.")?;
    phone.click("main button[type=submit]")?;
    phone.until_it_says("se lève seule")?;

    // The doctor's page is open meanwhile, and stays as it is opened.
    let cpts = ground.cpts.pages()?;
    desk.become_who(&cpts, &ground.doctor)?;
    desk.go(&format!("{cpts}/"))?;

    phone.go(&format!("{dac}{}", ground.file))?;
    phone.click(&format!("a[href='{}/alerte']", ground.file))?;
    phone.click("[name=gravite][value=urgente]")?;
    phone.fill("#texte", "Refuse de manger depuis hier soir.")?;
    picture(&phone, "recit-alerte-ecrite", small)?;
    let photo = screens().join(format!("recit-alerte-ecrite-{}.png", small.word()));
    phone.choose("#fichier", &photo)?;
    phone.click("main form button[type=submit]")?;
    phone.until_it_says("Sans prise en charge depuis")?;

    desk.until_it_says("Refuse de manger depuis hier soir.")?;
    picture(&desk, "recit-alerte-recue", Look::new(false, false))?;
    desk.click("button[name=reponse][value=prise-en-charge]")?;
    desk.until_it_says("Rien n’attend votre réponse")?;
    phone.until_it_says("Prise en charge par Étienne Hauchecorne")?;
    picture(&phone, "recit-alerte-prise-en-charge", small)?;
    // The photo came with it, and is drawn at the other side.
    wait::until("the photo", wait::LONG, || {
        desk.go(&format!("{cpts}{}", ground.file))?;
        let drawn = "return [...document.querySelectorAll('main img')].filter(i => i.naturalWidth > 0).length";
        desk.run(
            "document.querySelectorAll('main img').forEach(i => i.loading = 'eager')",
            &json!([]),
        )?;
        let drawn = || {
            desk.run(drawn, &json!([]))
                .map(|count| count.as_u64() > Some(0))
        };
        let seen = wait::until("a drawn photo", Duration::from_secs(2), || {
            Ok(drawn()?.then_some(()))
        });
        Ok(seen.ok())
    })
}

#[test]
fn what_does_not_get_through_is_shown_as_waiting_and_as_received_when_the_way_heals() -> Story {
    let Some(browser) = Browser::open()? else {
        return Ok(());
    };
    let root = folder()?;
    let runtime = Arc::new(Runtime::new().map_err(Trouble::io("a runtime"))?);
    let started = |mut settings: Settings| -> Result<(Daemon, Cable), Trouble> {
        settings.web = Some("127.0.0.1:0".to_owned());
        let mut node = Daemon::init(root.path(), settings)?;
        let cable = Cable::lay(&mut node, Carriers::Tcp, &runtime)?;
        node.start()?;
        Ok((node, cable))
    };
    let (dac, to_dac) = started(Settings::dac())?;
    let (cpts, to_cpts) = started(Settings::cpts())?;
    let mut ground = Ground::between(dac, cpts, root)?;
    let origin = ground.dac.pages()?;
    let file = format!("{origin}{}", ground.file);
    let small = Look::new(true, false);
    browser.look(small)?;
    browser.become_who(&origin, &ground.nurse)?;

    to_dac.cut();
    to_cpts.cut();
    browser.go(&format!("{file}/alerte"))?;
    browser.click("[name=gravite][value=importante]")?;
    browser.fill("#texte", "Chute dans le couloir, sans gravité.")?;
    browser.click("main button[type=submit]")?;
    browser.until_it_says("en attente pour 1")?;
    browser.click(".m-reach summary")?;
    browser.until_it_says("En attente depuis")?;
    picture(&browser, "recit-coupure", small)?;
    let home = ground.doctor.get("/")?;
    ensure(!home.text.contains("Chute dans le couloir"), || {
        "it crossed the cut".to_owned()
    })?;

    to_dac.heal();
    to_cpts.heal();
    wait::until("the alert at the other side", PATIENCE, || {
        let home = ground.doctor.get("/")?;
        Ok(home.text.contains("Chute dans le couloir").then_some(()))
    })?;
    browser.reload_until(
        &format!("{file}?fil=alertes"),
        "Reçue par l’autre structure",
    )
}
