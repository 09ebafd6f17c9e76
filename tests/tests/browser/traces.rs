//! What is left in the browser when somebody has gone.

use maillon_tests::{browser::Browser, ground::Ground};
use serde_json::json;

use crate::{Story, alert::sign_in, ensure};

/// Everything that a page can leave behind.
const LEFT: &str = r#"
    const done = arguments[arguments.length - 1];
    Promise.all([indexedDB.databases(), caches.keys(), navigator.serviceWorker.getRegistrations()]).then(
        ([databases, stored, workers]) => done(localStorage.length + sessionStorage.length + databases.length + stored.length + workers.length),
        error => done(String(error)));
"#;

#[test]
fn after_signing_out_nothing_is_left_in_the_browser_and_going_back_shows_nobody() -> Story {
    let Some(browser) = Browser::open()? else {
        return Ok(());
    };
    let mut ground = Ground::lay()?;
    ground.live()?;
    let origin = ground.dac.pages()?;
    sign_in(&browser, &origin)?;
    let pages = ["/patients", &ground.file, "/alertes"].map(ToOwned::to_owned);
    let others = ["/carnet", "/equipe", "/note"].map(|page| format!("{}{page}", ground.file));
    for page in pages.into_iter().chain(others) {
        browser.go(&format!("{origin}{page}"))?;
        // Not only at the end: a machine may lose its power.
        let left = browser.run_until_done(LEFT)?;
        ensure(left == 0, || format!("{page} leaves {left}"))?;
    }
    browser.fill("#texte", "Rozenn a commencé à parler de")?;
    browser.click("[action='/deconnexion'] button")?;
    browser.until_it_says("Identifiant")?;
    let left = browser.run_until_done(LEFT)?;
    ensure(left == 0 && browser.cookies()? == 0, || {
        format!("{left} things are left, or a cookie")
    })?;
    for _ in 0..4 {
        browser.back()?;
        let source = browser.run("return document.documentElement.outerHTML", &json!([]))?;
        let source = source.as_str().unwrap_or_default();
        ensure(
            !source.contains("Rozenn") && !source.contains("Dantec"),
            || "the way back shows a file".to_owned(),
        )?;
    }
    // And it would have been seen.
    browser.run("localStorage.setItem('draft', 'Rozenn')", &json!([]))?;
    let left = browser.run_until_done(LEFT)?;
    ensure(left == 1, || {
        format!("{left} things are found where one is")
    })
}
