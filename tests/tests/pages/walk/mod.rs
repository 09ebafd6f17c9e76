//! A walk of every route as everybody, compared with the matrix that the node shows; with ids that are true and with ids that are guessed. What is refused leaves
//! nothing, not even a line, and does not say whether what was asked for is there.
//!
//! A node is one structure: whoever is of another one is at another node, and walks there as somebody outside the team (`circle`).

mod forged;
mod routes;
mod scene;

use std::collections::BTreeSet;

use maillon_node::{care::Level, web::closed_routes};
use maillon_tests::{daemon::Trouble, ground::between, visitor::Visitor};

use self::{
    routes::{DOCUMENTS, Gate, MESSAGES, ROUTES, Standing},
    scene::{How, NAMES, NOTE, Scene, TITLE, own_row},
};
use crate::{PASSWORD, Story, administration::administrator, ensure, folder, sign_in};

/// A professional outside of every team, with everything that a profession may have.
const OUTSIDE: Standing = Standing {
    professional: true,
    administrator: false,
    team: false,
    glass: false,
    rights: [Level::Write; 8],
};

/// One of each row of the matrix: login, name, profession.
const PROFESSIONS: [(&str, &str, Option<&str>); 9] = [
    ("m.kermarrec", "Maud Kermarrec", Some("10")),
    ("i.delahaye", "Inès Delahaye", Some("60")),
    ("p.lebihan", "Paul Le Bihan", Some("21")),
    ("a.morvan", "Anne Morvan", Some("35")),
    ("k.riou", "Kevin Riou", Some("70")),
    ("c.vasseur", "Claire Vasseur", Some("330")),
    ("s.guillou", "Sonia Guillou", Some("41")),
    ("b.tanguy", "Brigitte Tanguy", Some("350")),
    ("j.cadiou", "Jeanne Cadiou", None),
];

/// The categories as the form of the matrix names them.
const FIELDS: [&str; 8] = [
    "identite",
    "social",
    "medical",
    "plan",
    "agenda",
    "messages",
    "documents",
    "gestion",
];

#[test]
fn every_route_stands_in_the_list_of_the_walk() -> Story {
    let all: BTreeSet<_> = closed_routes().into_iter().collect();
    let listed: BTreeSet<_> = ROUTES.iter().map(|(path, ..)| *path).collect();
    ensure(all == listed && listed.len() == ROUTES.len(), || {
        let lacking: Vec<_> = all.symmetric_difference(&listed).collect();
        format!("not in both the router and ROUTES (tests/tests/pages/walk/routes.rs): {lacking:?}")
    })
}

/// Walks every route as somebody, and says what is other than it should be.
fn walk(scene: &Scene, visitor: &mut Visitor, who: &Standing) -> Result<Vec<String>, Trouble> {
    let mut wrong = Vec::new();
    for (path, reads, sends) in ROUTES {
        for (how, gate) in [(How::Read, reads), (How::Send, sends)] {
            let refusal = gate.refuses(who);
            // What ends the session of whoever may do it is another story (`door`).
            if refusal.is_none() && ["/verrouiller", "/deconnexion"].contains(path) {
                continue;
            }
            let mut say = |what: String| wrong.push(format!("{how:?} {path}: {what}"));
            let Some(refusal) = refusal else {
                let page = scene.ask(visitor, path, how, false, false)?;
                if [401, 403].contains(&page.status) || page.status >= 500 {
                    say(format!("kept out with {}", page.status));
                }
                for (words, category) in [(NOTE, MESSAGES), (TITLE, DOCUMENTS)] {
                    let reads = who.opens() && who.has((category, Level::Read));
                    if page.text.contains(words) && !reads {
                        say(format!("tells {words:?}"));
                    }
                }
                continue;
            };
            let mut before = scene.kept()?;
            let page = scene.ask(visitor, path, how, true, false)?;
            let guess = scene.ask(visitor, path, how, true, true)?;
            if page.status != refusal {
                say(format!("{} and not {refusal}", page.status));
            }
            let title = |page| between(page, "<h1", "</h1>").to_owned();
            if (guess.status, title(&guess)) != (page.status, title(&page)) {
                say(format!("a guess is answered with {}", guess.status));
            }
            for words in NAMES.iter().chain(&[NOTE, TITLE]) {
                if page.text.contains(words) || guess.text.contains(words) {
                    say(format!("refused, and tells {words:?}"));
                }
            }
            let mut after = scene.kept()?;
            // Whoever opens the file is told what of it they may not change: that stands in the trail as any look does.
            if how == How::Read && who.opens() {
                (before, after) = (before.without_lines(), after.without_lines());
            }
            if after != before {
                say(format!("refused, and leaves {after:?} after {before:?}"));
            }
        }
    }
    Ok(wrong)
}

fn nothing_wrong(wrong: Vec<String>) -> Story {
    ensure(wrong.is_empty(), || wrong.join("\n"))
}

#[test]
fn whoever_is_nobody_or_has_locked_the_page_is_sent_away_from_every_route() -> Story {
    let root = folder()?;
    let scene = Scene::lay(&root)?;
    let mut nobody = Visitor::new(&scene.node.pages()?);
    let mut locked = nobody.clone();
    sign_in(&mut locked, PASSWORD)?;
    locked.post("/verrouiller", &[])?;
    let before = scene.kept()?;
    for (path, ..) in ROUTES {
        for (visitor, to) in [(&mut nobody, "/connexion"), (&mut locked, "/deverrouiller")] {
            // Whoever stands before a locked page may at least end it.
            if *path == "/deconnexion" && to == "/deverrouiller" {
                continue;
            }
            let page = visitor.get(&scene.at(path, false))?;
            ensure(
                page.status == 303 && page.leads_to().starts_with(to) && page.text.is_empty(),
                || format!("{path}: {page:?}"),
            )?;
            let page = scene.ask(visitor, path, How::Send, true, false)?;
            ensure(page.status == 401, || format!("{path}: {page:?}"))?;
        }
    }
    let after = scene.kept()?;
    ensure(after == before, || format!("{after:?} after {before:?}"))
}

#[test]
fn whoever_is_not_in_the_team_or_only_administers_walks_every_route_and_finds_no_patient() -> Story
{
    let root = folder()?;
    let mut scene = Scene::lay(&root)?;
    let mut other = scene.comes("i.delahaye", "Inès Delahaye", Some("60"), false)?;
    let mut hugo = administrator(&scene.node)?;
    let mut wrong = walk(&scene, &mut other, &OUTSIDE)?;
    let administers = Standing {
        professional: false,
        administrator: true,
        rights: [Level::Nothing; 8],
        ..OUTSIDE
    };
    wrong.extend(walk(&scene, &mut hugo, &administers)?);
    // A file that is nobody's is nowhere, by every address alike.
    let nowhere = "0".repeat(24);
    for (path, reads, sends) in ROUTES.iter().filter(|(path, ..)| path.contains("{file}")) {
        let at = scene.at(&path.replace("{file}", &nowhere), false);
        for (gate, page) in [(reads, other.get(&at)?), (sends, other.post(&at, &[])?)] {
            if !matches!(gate, Gate::Anybody) && page.status != 404 {
                wrong.push(format!("{at}: {}", page.status));
            }
        }
    }
    nothing_wrong(wrong)
}

#[test]
fn whoever_has_broken_the_glass_goes_where_it_leads_and_no_further() -> Story {
    let root = folder()?;
    let mut scene = Scene::lay(&root)?;
    let mut other = scene.comes("i.delahaye", "Inès Delahaye", Some("60"), false)?;
    let at = format!("{}/acces-exceptionnel", scene.address);
    other.post(&at, &[("motif", "danger"), ("raison", "Chute à domicile.")])?;
    let broken = Standing {
        glass: true,
        ..OUTSIDE
    };
    nothing_wrong(walk(&scene, &mut other, &broken)?)
}

#[test]
fn in_the_team_each_profession_walks_every_route_as_the_matrix_says() -> Story {
    let root = folder()?;
    let mut scene = Scene::lay(&root)?;
    let mut wrong = Vec::new();
    for (login, name, profession) in PROFESSIONS {
        let mut visitor = scene.comes(login, name, profession, true)?;
        let rights = own_row(&mut visitor)?;
        let who = Standing {
            team: true,
            rights,
            ..OUTSIDE
        };
        let found = walk(&scene, &mut visitor, &who)?.into_iter();
        wrong.extend(found.map(|line| format!("{name}: {line}")));
        // What may be read is there: the walk does not pass by finding nothing.
        let summary = visitor.get(&scene.address)?;
        for (words, category) in [(NOTE, MESSAGES), (TITLE, DOCUMENTS)] {
            if summary.text.contains(words) != who.has((category, Level::Read)) {
                wrong.push(format!("{name}: {words:?} in {summary:?}"));
            }
        }
    }
    nothing_wrong(wrong)
}

#[test]
fn whoever_lacks_one_category_is_kept_out_of_it_on_every_route() -> Story {
    let root = folder()?;
    let mut scene = Scene::lay(&root)?;
    let mut hugo = administrator(&scene.node)?;
    let mut jeanne = scene.comes("j.cadiou", "Jeanne Cadiou", None, true)?;
    let mut wrong = Vec::new();
    for (revision, lacking) in FIELDS.into_iter().enumerate() {
        let revision = revision.to_string();
        let mut fields = vec![("metier", "other"), ("revision", revision.as_str())];
        let level = |field| if field == lacking { "rien" } else { "ecrit" };
        fields.extend(FIELDS.map(|field| (field, level(field))));
        let done = hugo.post("/habilitations", &fields)?;
        ensure(done.status == 303, || format!("{done:?}"))?;
        let rights = own_row(&mut jeanne)?;
        let none = rights.iter().filter(|one| **one == Level::Nothing).count();
        ensure(none == 1, || format!("{lacking}: {rights:?}"))?;
        let who = Standing {
            team: true,
            rights,
            ..OUTSIDE
        };
        let found = walk(&scene, &mut jeanne, &who)?.into_iter();
        wrong.extend(found.map(|line| format!("without {lacking}: {line}")));
    }
    nothing_wrong(wrong)
}
