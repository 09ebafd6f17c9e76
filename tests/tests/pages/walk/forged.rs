//! What a page of another site makes a browser send, to every route: nothing comes of it.

use maillon_node::web::PUBLIC;

use super::{
    routes::ROUTES,
    scene::{How, Scene},
};
use crate::{Story, administration::administrator, ensure, folder};

/// Where else a request may come from: the origin that the browser names, and what it says of it.
const ELSEWHERE: [(Option<&str>, Option<&'static str>); 5] = [
    (Some("https://attaque.example"), Some("cross-site")),
    (Some("https://attaque.example"), None),
    (Some("null"), None),
    (None, None),
    (None, Some("same-site")),
];

#[test]
fn on_every_route_what_another_sites_page_sends_changes_nothing() -> Story {
    let root = folder()?;
    let scene = Scene::lay(&root)?;
    let mut hugo = administrator(&scene.node)?;
    let mut nurse = scene.nurse.clone();
    let before = scene.kept()?;
    let closed = ROUTES.iter().map(|(path, ..)| *path);
    for path in closed.chain(PUBLIC.iter().copied()) {
        for (from, site) in ELSEWHERE {
            for visitor in [&mut nurse, &mut hugo] {
                visitor.from = from.map(ToOwned::to_owned);
                visitor.site = site;
                let page = scene.ask(visitor, path, How::Send, true, false)?;
                ensure(
                    page.status == 403 && page.text.contains("ne vient pas d’une page de ce site"),
                    || format!("{path} from {from:?}, {site:?}: {page:?}"),
                )?;
            }
        }
    }
    let after = scene.kept()?;
    ensure(after == before, || format!("{after:?} after {before:?}"))?;
    // Both are still in, and may do what they were made to.
    for visitor in [&mut nurse, &mut hugo] {
        ensure(visitor.get("/compte")?.status == 200, || "out".to_owned())?;
    }
    Ok(())
}

#[test]
fn what_is_only_read_changes_nothing() -> Story {
    let root = folder()?;
    let scene = Scene::lay(&root)?;
    let mut nurse = scene.nurse.clone();
    // The newest line is that of a reading: what else stands is compared.
    let before = scene.kept()?.without_lines();
    for (path, ..) in ROUTES {
        scene.ask(&mut nurse, path, How::Read, false, false)?;
        // Nor by words in the address that a form would send.
        let at = scene.at(path, false);
        if *path != "/evenements" {
            nurse.get(&format!(
                "{at}?geste=clore&raison=fin&reponse=vue&effacer=1"
            ))?;
        }
    }
    let after = scene.kept()?.without_lines();
    ensure(after == before, || format!("{after:?} after {before:?}"))
}
