//! Everything with the keyboard alone: where the focus is can be seen, and nothing lies over it.

use std::time::Duration;

use maillon_tests::{
    browser::Browser,
    daemon::{Trouble, wait},
    ground::{Ground, NURSE, PASSWORD},
};
use serde_json::json;

use crate::{Story, ensure};

const TAB: &str = "\u{E004}";
const ENTER: &str = "\u{E007}";
const SPACE: &str = " ";
const RIGHT: &str = "\u{E014}";

const SCROLLS: Duration = Duration::from_secs(2);

/// More than any page has places for the focus.
const MOST: usize = 80;

/// The place that has the focus: whether it is the one that is meant, whether one sees that it has it, and whether
/// something lies over what of it is in the window.
const FOCUS: &str = r#"
    const one = document.activeElement;
    if (!one || one === document.body) return { there: false, seen: true, free: true, what: "nothing" };
    const style = getComputedStyle(one);
    const box = one.getBoundingClientRect();
const middle = (from, to, most) => (Math.max(from, 0) + Math.min(to, most)) / 2;
    const over = document.elementFromPoint(middle(box.left, box.right, innerWidth), middle(box.top, box.bottom, innerHeight));
    return {
        there: one.matches(arguments[0]),
        seen: style.outlineStyle !== "none" && parseFloat(style.outlineWidth) >= 2,
        free: !!over && (one.contains(over) || over.contains(one) || !!one.labels && [...one.labels].some(label => label.contains(over))),
        what: one.outerHTML.slice(0, 160) + (over ? " under " + over.outerHTML.slice(0, 80) : " outside, at " + [box.left, box.top, box.right, box.bottom].map(Math.round)),
    };
"#;

/// Tabs until the focus is there, and looks at every place on the way.
fn tab_to(browser: &Browser, css: &str) -> Story {
    for _ in 0..MOST {
        browser.press(TAB)?;
        if stands_on(browser, css)? {
            return Ok(());
        }
    }
    Err(Trouble::wrong(format!(
        "the keyboard does not come to {css} on {}",
        browser.here()?
    )))
}

fn stands_on(browser: &Browser, css: &str) -> Result<bool, Trouble> {
    // The page scrolls there with its next frame.
    let (there, _) = wait::until_seen("a focus that is seen", SCROLLS, || {
        let focus = browser.run(FOCUS, &json!([css]))?;
        let well = focus["seen"] == true && focus["free"] == true;
        Ok((well.then_some(focus["there"] == true), focus))
    })?;
    Ok(there)
}

/// Tabs there and presses Enter.
fn take(browser: &Browser, css: &str) -> Story {
    tab_to(browser, css)?;
    browser.press(ENTER)
}

#[test]
fn with_the_keyboard_alone_one_signs_in_writes_a_note_raises_an_alert_and_goes() -> Story {
    let Some(browser) = Browser::open()? else {
        return Ok(());
    };
    let ground = Ground::lay()?;
    let origin = ground.dac.pages()?;
    browser.go(&format!("{origin}/"))?;
    // The first field has the focus already.
    ensure(stands_on(&browser, "#login")?, || {
        "no field is ready".to_owned()
    })?;
    browser.press(NURSE.0)?;
    tab_to(&browser, "#password")?;
    browser.press(PASSWORD)?;
    browser.press(ENTER)?;
    browser.until_it_says("Bonjour")?;

    // The first stop of a page leads past its menus.
    browser.press(TAB)?;
    ensure(stands_on(&browser, ".skip-link")?, || {
        "no way past the menu".to_owned()
    })?;
    browser.press(ENTER)?;
    let main = browser.run("return document.activeElement.id", &json!([]))?;
    ensure(main == "main", || format!("the focus is on {main}"))?;

    browser.go(&format!("{origin}/patients"))?;
    tab_to(&browser, "#q")?;
    browser.press("dantec")?;
    browser.press(ENTER)?;
    browser.until_it_says("1 personne trouvée")?;
    take(&browser, &format!("[href='{}/note']", ground.file))?;
    browser.until_it_says("Nature de la note")?;
    tab_to(&browser, "[name=nature]")?;
    browser.press(RIGHT)?;
    tab_to(&browser, "#texte")?;
    browser.press("Mange de nouveau.")?;
    tab_to(&browser, "[name=urgence]")?;
    browser.press(SPACE)?;
    take(&browser, "main button[type=submit]")?;
    browser.until_it_says("Mange de nouveau.")?;
    ensure(browser.text()?.contains("Urgence"), || {
        "the mark is lost".to_owned()
    })?;

    take(&browser, &format!("[href='{}']", ground.file))?;
    browser.until_it_says("Fil du dossier")?;
    take(&browser, &format!("[href='{}/alerte']", ground.file))?;
    browser.until_it_says("Gravité")?;
    tab_to(&browser, "[name=gravite]")?;
    browser.press(RIGHT)?;
    tab_to(&browser, "#texte")?;
    browser.press("Tombe en se levant.")?;
    take(&browser, "main button[type=submit]")?;
    browser.until_it_says("Alerte envoyée")?;

    take(&browser, "[action='/deconnexion'] button")?;
    browser.until_it_says("Identifiant")
}

#[test]
fn on_every_page_of_a_phone_the_focus_is_seen_wherever_it_goes() -> Story {
    let Some(browser) = Browser::open()? else {
        return Ok(());
    };
    let mut ground = Ground::lay()?;
    let life = ground.live()?;
    let origin = ground.dac.pages()?;
    browser.look(crate::Look::new(true, false))?;
    browser.become_who(&origin, &ground.nurse)?;
    for page in ["", "/carnet", "/equipe", "/note", "/alerte"] {
        browser.go(&format!("{origin}{}{page}", ground.file))?;
        all_around(&browser)?;
    }
    let invitation = format!("/invitations/{}", life.invitation);
    for page in [
        "/",
        "/patients",
        "/patients/nouveau",
        "/compte",
        "/habilitations",
        &invitation,
    ] {
        browser.go(&format!("{origin}{page}"))?;
        all_around(&browser)?;
    }
    // A focus without its ring would have been seen.
    browser.run(
        "document.styleSheets[0].insertRule(':focus-visible { outline: 0 !important }', 0)",
        &json!([]),
    )?;
    ensure(all_around(&browser).is_err(), || {
        "a focus that nobody sees passes".to_owned()
    })
}

/// Once around the page.
fn all_around(browser: &Browser) -> Story {
    for _ in 0..MOST {
        browser.press(TAB)?;
        stands_on(browser, "*").map_err(|error| {
            Trouble::wrong(format!("{}: {error}", browser.here().unwrap_or_default()))
        })?;
        let around = browser.run(
            "return document.activeElement === document.body",
            &json!([]),
        )?;
        if around == true {
            break;
        }
    }
    Ok(())
}
