//! What a real browser fetches: on its first visit, and for the next page.

use super::{fill::File, readers::Reader, work};
use crate::{
    browser::Browser,
    daemon::{Trouble, ensure},
    visitor::Visitor,
};
use serde_json::json;

/// Bytes of the first page and of the next.
pub(super) struct Weight {
    /// The heavier of the door and the first page behind it, with an empty cache.
    pub(super) first: u64,
    /// The heaviest of the pages that one goes to from there.
    pub(super) next: u64,
}

/// A browser, or the reason why there is no figure.
pub(super) fn browser() -> Result<Browser, Trouble> {
    Browser::counting()?.ok_or_else(|| Trouble::wrong("chromium is not installed"))
}

/// Weighs pages of a reader, of whose files `file` is one.
pub(super) fn weigh(origin: &str, reader: &Reader, file: &File) -> Result<Weight, Trouble> {
    let browser = browser()?;
    let mut who = Visitor::new(origin);
    reader.at(&mut who);
    let visit = |path: &str, says: &str| {
        browser.fetched()?;
        browser.go(&format!("{origin}{path}"))?;
        browser.until_it_says(says)?;
        let bytes = browser.fetched()?;
        ensure(bytes > 0, || format!("{path} came from nowhere"))?;
        Ok::<_, Trouble>(bytes)
    };
    let door = visit("/connexion", "Première connexion")?;
    browser.become_who(origin, &who)?;
    browser.devtools("Network.clearBrowserCache", &json!({}))?;
    let home = visit("/", "Bonjour")?;
    let at = work::address(file);
    let pages = [
        ("/patients".to_owned(), "Par dernière activité"),
        (at.clone(), "Fil du dossier"),
        (format!("{at}/carnet"), "Carnet"),
        (format!("{at}/equipe"), "Équipe de prise en charge"),
        (format!("{at}/note"), "Nature de la note"),
    ];
    let mut next = 0;
    for (path, says) in pages {
        next = next.max(visit(&path, says)?);
    }
    Ok(Weight {
        first: door.max(home),
        next,
    })
}
