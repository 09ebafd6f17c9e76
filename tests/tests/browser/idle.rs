//! A page goes when the session locks that nobody uses: it says so before, and stays for whoever works on it.

use maillon_tests::{
    browser::Browser,
    daemon::{Trouble, wait},
    ground::Ground,
};
use serde_json::json;

use crate::{Story, ensure};

/// Puts the page's clock on until half a minute is left.
const LATER: &str = r#"
    const now = Date.now, later = Number(document.body.dataset.locksIn) - 30000;
    Date.now = () => now() + later;
"#;
const WARNING: &str = "se verrouille dans moins d’une minute";

fn until_nothing_is_said(browser: &Browser) -> Result<(), Trouble> {
    wait::until("a page that stays", wait::LONG, || {
        Ok((!browser.text()?.contains(WARNING)).then_some(()))
    })
}

#[test]
fn a_page_says_that_it_locks_and_stays_for_whoever_writes_or_says_so() -> Story {
    let Some(browser) = Browser::open()? else {
        return Ok(());
    };
    let ground = Ground::lay()?;
    let origin = ground.dac.pages()?;
    browser.become_who(&origin, &ground.nurse)?;
    let page = format!("{}/note", ground.file);
    browser.go(&format!("{origin}{page}"))?;
    browser.run(LATER, &json!([]))?;
    browser.until_it_says(WARNING)?;
    // A text that the node keeps is the work of somebody.
    browser.fill("#texte", "A bien mangé, se lève seule.")?;
    browser.until_it_says("Brouillon enregistré.")?;
    until_nothing_is_said(&browser)?;
    // So is a click, where nothing is written.
    browser.run(LATER, &json!([]))?;
    browser.until_it_says(WARNING)?;
    browser.click("#toasts button")?;
    until_nothing_is_said(&browser)?;
    let here = browser.here()?;
    ensure(here == page, || format!("the page has gone to {here}"))
}
