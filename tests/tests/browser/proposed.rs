//! What a field proposes as one types.

use std::time::Duration;

use maillon_tests::{
    browser::Browser,
    daemon::{Settings, wait},
    ground::{self, NURSE, node},
};
use serde_json::json;

use crate::{Story, folder};

/// The lines below the field of the birth place.
const LINES: &str =
    "return [...document.querySelector('#lieu').list.options].map(one => one.value)";

#[test]
fn places_of_birth_are_proposed_as_one_types_and_the_last_letters_count() -> Story {
    let Some(browser) = Browser::open()? else {
        return Ok(());
    };
    let root = folder()?;
    let dac = node(Settings::dac(), root.path())?;
    let origin = dac.pages()?;
    let nurse = ground::signed_in(&dac, NURSE)?;
    browser.become_who(&origin, &nurse)?;
    browser.go(&format!("{origin}/patients/nouveau"))?;
    for (typed, first) in [
        ("quimp", "Quimper (29232)"),
        ("st malo", "Saint-Malo (35288)"),
        ("alg", "Algérie (99352)"),
    ] {
        browser.fill("#lieu", typed)?;
        wait::until_seen("the lines", Duration::from_secs(5), || {
            let lines = browser.run(LINES, &json!([]))?;
            Ok(((lines[0] == first).then_some(()), lines))
        })?;
    }
    Ok(())
}
