//! The demonstration in a browser: what a newcomer sees first. The README's pictures are taken here: `cp "$CARGO_TARGET_DIR"/screens/readme/* docs/` when the
//! pages have changed.

use maillon_node::{
    clock::now_ms,
    demo::{Demo, Place},
};
use maillon_tests::{
    browser::{Browser, Look},
    daemon::Trouble,
};
use tokio::runtime::Runtime;

use crate::{Story, folder, keep, picture, screens};

fn enter(browser: &Browser, origin: &str, login: &str) -> Story {
    browser.go(origin)?;
    browser.fill("#login", login)?;
    browser.fill("#password", Demo::PASSWORD)?;
    browser.click("main button[type=submit]")?;
    browser.until_it_says("Bonjour")
}

fn for_readme(browser: &Browser, name: &str) -> Story {
    let path = screens().join(format!("readme/{name}.webp"));
    keep(&path, &browser.window_picture()?)
}

fn search(browser: &Browser, origin: &str, name: &str) -> Story {
    browser.go(&format!("{origin}/patients"))?;
    browser.fill("#q", name)?;
    browser.click("[role=search] button")?;
    browser.until_it_says("1 personne trouvée")
}

#[test]
fn a_newcomer_signs_in_with_an_example_account_and_takes_charge_of_what_waits_next_door() -> Story {
    let (Some(desk), Some(phone)) = (Browser::open()?, Browser::open()?) else {
        return Ok(());
    };
    let root = folder()?;
    let runtime = Runtime::new().map_err(Trouble::io("a runtime"))?;
    let wrong = |error| Trouble::wrong(format!("the demonstration: {error}"));
    let demo = runtime
        .block_on(Demo::start(&root.path().join("demo"), now_ms()))
        .map_err(wrong)?;
    let seen = look_around(&demo, &desk, &phone);
    runtime.block_on(demo.stop());
    seen
}

fn look_around(demo: &Demo, desk: &Browser, phone: &Browser) -> Story {
    let wrong = |error| Trouble::wrong(format!("the demonstration: {error}"));
    let (small, large) = (Look::new(true, false), Look::new(false, false));
    phone.look(small)?;
    let cpts = demo.pages(Place::Cpts).map_err(wrong)?;
    phone.go(&cpts)?;
    picture(phone, "demo-connexion", small)?;
    enter(phone, &cpts, "yann")?;
    picture(phone, "demo-accueil", small)?;
    for_readme(phone, "phone")?;
    phone.go(&format!("{cpts}/patients"))?;
    picture(phone, "demo-patients", small)?;

    let dac = demo.pages(Place::Dac).map_err(wrong)?;
    enter(desk, &dac, "maelle")?;
    desk.until_it_says("Rougeur qui remonte jusqu’au genou")?;
    picture(desk, "demo-accueil", large)?;
    for_readme(desk, "home")?;
    // The most urgent stands first.
    desk.click("button[name=reponse][value=prise-en-charge]")?;
    desk.until_it_says("Une alerte est à traiter")?;
    search(desk, &dac, "Le Dantec")?;
    desk.click(".m-row__title a")?;
    desk.until_it_says("Fil du dossier")?;
    picture(desk, "demo-dossier", large)?;
    for_readme(desk, "file")?;
    search(phone, &cpts, "Perrot")?;
    phone.click(".m-row__title a")?;
    phone.until_it_says("Fil du dossier")?;
    let file = phone.here()?;
    phone.reload_until(
        &format!("{cpts}{file}"),
        "Prise en charge par Maëlle Le Goasduff",
    )?;
    picture(phone, "demo-dossier", small)?;
    phone.look(Look::new(true, true))?;
    for_readme(phone, "dark")
}
