//! What every page must hold, at both widths, light and dark: nothing from elsewhere, nothing inline, no error, nobody kept out, nothing beside the page.

use std::{fs, path::Path};

use maillon_tests::{
    browser::{Browser, Look},
    daemon::{Settings, Trouble},
    ground::{Ground, PASSWORD, first, node, signed_in},
    visitor::Visitor,
};
use serde_json::{Value, json};

use crate::{
    Story, ensure, folder, picture,
    shown::{PAGES, Shown, Who},
};

/// Opened with the page: who asked for what, and what stands in the page that its policy forbids.
const STANDING: &str = r#"
    const wrong = [];
    for (const entry of performance.getEntries()) {
        const from = /^(https?|wss?):/.test(entry.name) && new URL(entry.name).host;
        if (from && from !== location.host) wrong.push("asked " + from);
    }
    for (const one of document.querySelectorAll("*")) {
        const name = one.localName;
        if (name === "style" || name === "script" && !one.src) wrong.push("inline " + name);
        for (const { name: attribute, value } of one.attributes) {
            const acts = attribute === "style" || attribute.startsWith("on") || attribute.startsWith("hx-on");
            if (acts || /^\s*javascript:/i.test(value)) wrong.push(name + " with " + attribute);
        }
    }
    return wrong;
"#;

/// What lies beside the page, where it can be scrolled sideways.
const BESIDE: &str = r#"
    const page = document.documentElement;
    if (page.scrollWidth <= page.clientWidth) return [];
    const far = [...document.body.querySelectorAll("*")].filter(one => one.getBoundingClientRect().right > page.clientWidth + 1);
    return ["wider than the window: " + far.slice(0, 3).map(one => one.localName + "." + one.className).join(", ")];
"#;

/// WCAG 2.2 AA, and what axe holds good practice.
const AXE: &str = r#"
    const done = arguments[arguments.length - 1];
    const tags = ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa", "best-practice"];
    const said = found => found.violations.map(one => one.id + ": " + one.nodes.slice(0, 3).map(node => node.target.join(" ")).join(" | "));
    axe.run(document, { runOnly: tags, resultTypes: ["violations"] }).then(found => done(said(found)), error => done([String(error)]));
"#;

/// The checker, as npm brought it.
fn axe() -> Result<String, Trouble> {
    let path =
        Path::new(env!("CARGO_MANIFEST_DIR")).join("../node/node_modules/axe-core/axe.min.js");
    fs::read_to_string(&path).map_err(Trouble::io("axe-core (deploy/assets.sh brings it)"))
}

fn sentences(found: &Value) -> Vec<String> {
    let all = found.as_array().into_iter().flatten();
    all.map(|one| one.as_str().unwrap_or_default().to_owned())
        .collect()
}

/// Whatever is wrong with the page that is open; `seen` is called with each look at it.
fn judged(
    browser: &Browser,
    axe: &str,
    error: bool,
    seen: impl Fn(Look) -> Story,
) -> Result<Vec<String>, Trouble> {
    let mut wrong = sentences(&browser.run(STANDING, &json!([]))?);
    let complaints = browser.complaints()?.into_iter();
    // An answer that is an error by its status is one that the browser tells of.
    let expected = |line: &String| error && line.contains("responded with a status of 4");
    wrong.extend(complaints.filter(|line| !expected(line)));
    browser.run(axe, &json!([]))?;
    for look in Look::ALL {
        browser.look(look)?;
        seen(look)?;
        let mut found = sentences(&browser.run_until_done(AXE)?);
        found.extend(sentences(&browser.run(BESIDE, &json!([]))?));
        let word = look.word();
        wrong.extend(found.into_iter().map(|line| format!("{word}: {line}")));
    }
    wrong.extend(browser.complaints()?);
    Ok(wrong)
}

/// Walks some of the pages, and says everything that is wrong with any.
fn walk(chosen: impl Fn(&Shown) -> bool) -> Story {
    let Some(browser) = Browser::open()? else {
        return Ok(());
    };
    let axe = axe()?;
    let mut ground = Ground::lay()?;
    let life = ground.live()?;
    let origin = ground.dac.pages()?;
    let made = ground
        .dac
        .client()?
        .account_administer("hugo", "Hugo Lecarpentier")?;
    let administrator = first(&ground.dac, "hugo", &made.code)?;
    let newcomer = signed_in(
        &ground.dac,
        ("nathan", "Nathan Grouard", "10999007098", "60"),
    )?;
    let mut locked = Visitor::new(&origin);
    locked.post("/connexion", &[("login", "maelle"), ("password", PASSWORD)])?;
    locked.post("/verrouiller", &[])?;
    let nobody = Visitor::new(&origin);
    let mut wrong = Vec::new();
    for page in PAGES.iter().filter(|page| chosen(page)) {
        let who = match page.who {
            Who::Nobody => &nobody,
            Who::Nurse => &ground.nurse,
            Who::Newcomer => &newcomer,
            Who::Locked => &locked,
            Who::Administrator => &administrator,
        };
        browser.look(Look::new(true, false))?;
        browser.become_who(&origin, who)?;
        match page.open(&browser, &origin, &ground.file, &life) {
            Ok(()) => {
                let keep = |look| picture(&browser, page.name, look);
                let found = judged(&browser, &axe, page.error, keep)?.into_iter();
                wrong.extend(found.map(|line| format!("{}: {line}", page.name)));
            }
            Err(error) => wrong.push(error.to_string()),
        }
    }
    ensure(wrong.is_empty(), || wrong.join("\n"))
}

/// What no page may have, one of each.
const FAULTS: &str = r#"
    document.querySelector("main").insertAdjacentHTML("beforeend",
        "<p style='color: red'>a</p><a href='javascript:void 0'>b</a><button onclick='c()'></button>" +
        "<img src='http://127.0.0.1:9/d.png' alt=''><table width='3000'><tr><td>e</td></tr></table>");
    setTimeout(arguments[arguments.length - 1], 300);
"#;

#[test]
fn the_gates_see_each_fault_that_they_are_there_for() -> Story {
    let Some(browser) = Browser::open()? else {
        return Ok(());
    };
    let root = folder()?;
    let node = node(Settings::dac(), root.path())?;
    browser.go(&format!("{}/connexion", node.pages()?))?;
    browser.run_until_done(FAULTS)?;
    let found = judged(&browser, &axe()?, false, |_| Ok(()))?.join("\n");
    for fault in [
        "p with style",
        "a with href",
        "button with onclick",
        "127.0.0.1:9",
        "button-name",
        "360-light: wider than the window",
        "1280-dark: wider than the window",
    ] {
        ensure(found.contains(fault), || format!("no {fault} in:\n{found}"))?;
    }
    Ok(())
}

#[test]
fn the_pages_before_signing_in_and_those_of_newcomers_and_administrators_hold_every_gate() -> Story
{
    walk(|page| page.who != Who::Nurse)
}

/// What the pages of a nurse are about.
#[derive(PartialEq, Eq)]
enum About {
    /// The list of patients, and who is new in it.
    Patients,
    /// What happens in a file.
    File,
    /// Who works with a file, and who reads it.
    Team,
    Else,
}

fn about(page: &Shown) -> About {
    const TEAM: [&str; 4] = ["/equipe", "/cercle", "/acces", "/documents"];
    if page.at.starts_with("/patients") {
        About::Patients
    } else if !page.at.starts_with("/dossiers") {
        About::Else
    } else if TEAM.iter().any(|part| page.at.contains(part)) {
        About::Team
    } else {
        About::File
    }
}

fn walk_as_nurse(meant: About) -> Story {
    walk(|page| page.who == Who::Nurse && about(page) == meant)
}

#[test]
fn the_pages_of_patients_hold_every_gate() -> Story {
    walk_as_nurse(About::Patients)
}

#[test]
fn the_pages_of_files_hold_every_gate() -> Story {
    walk_as_nurse(About::File)
}

#[test]
fn the_pages_of_teams_circles_and_documents_hold_every_gate() -> Story {
    walk_as_nurse(About::Team)
}

#[test]
fn the_other_pages_of_whoever_cares_hold_every_gate() -> Story {
    walk_as_nurse(About::Else)
}
