//! Patients: the list, the search, a new person (`new`), and those who might be one (`doubts`).

mod doubts;
mod new;

pub(super) use doubts::{decide, page as doubts};
pub(super) use new::{Alike, alike, create, form, places};

use std::sync::Arc;

use askama::Template;
use axum::{
    extract::{Query, State, rejection::QueryRejection},
    http::StatusCode,
    response::Response,
};
use serde::Deserialize;

use super::{
    Site,
    door::{self, From, Who},
    dossier::address,
    fields::Fields,
    french::{self, Moment},
    person::Person,
    problem::Problem,
    shell::{Place, Shell, html},
};
use crate::{
    access::Arrival,
    care::{FILES_IN_A_PAGE, FilesWanted, Listed},
    clock::today,
};

/// A line of the list.
pub(super) struct Line {
    pub(super) address: String,
    pub(super) person: Person,
    pub(super) latest: Moment,
    followed: bool,
    pub(super) favourite: bool,
    contested: bool,
}

/// Which patients are wanted: which ones, which page.
#[derive(Deserialize)]
pub(super) struct Asked {
    #[serde(default)]
    voir: String,
    #[serde(default)]
    page: usize,
}

/// A page of patients.
struct Found {
    lines: Vec<Line>,
    head: String,
    shown: String,
    /// The page before this one, and the next.
    before: Option<usize>,
    next: Option<usize>,
}

#[derive(Template)]
#[template(path = "patients/page.html")]
struct Page<'a> {
    shell: Shell<'a>,
    typed: &'a str,
    view: View,
    found: Found,
    partial: bool,
    /// A person who exists already was chosen instead of a new one, or a file was opened.
    creates: bool,
    /// « 2 doutes d’identité »; empty where there are none that the reader decides.
    doubts: String,
}

/// Which ones.
#[derive(Clone, Copy, PartialEq, Eq)]
enum View {
    Mine,
    Favourites,
    All,
    Ended,
}

impl View {
    fn read(word: &str) -> Option<Self> {
        Some(match word {
            "" => Self::Mine,
            "favoris" => Self::Favourites,
            "structure" => Self::All,
            "clos" => Self::Ended,
            _ => return None,
        })
    }

    const fn word(self) -> &'static str {
        match self {
            Self::Mine => "",
            Self::Favourites => "favoris",
            Self::All => "structure",
            Self::Ended => "clos",
        }
    }

    fn is(&self, word: &str) -> bool {
        self.word() == word
    }

    /// The address of another page of the list.
    fn page(&self, page: &usize) -> String {
        place(*self, *page)
    }
}

/// The address of the list without a search: what is looked for is sent and never stands in an address, which browsers keep.
fn place(view: View, page: usize) -> String {
    let mut parts = Vec::new();
    if view != View::Mine {
        parts.push(format!("voir={}", view.word()));
    }
    if page > 0 {
        parts.push(format!("page={page}"));
    }
    if parts.is_empty() {
        return "/patients".to_owned();
    }
    format!("/patients?{}", parts.join("&"))
}

pub(super) fn line(listed: Listed, today: &str, now_ms: u64) -> Line {
    let filed = Arc::clone(&listed.filed);
    Line {
        address: address(&filed.circle),
        person: Person::of(&filed.identity, today),
        latest: french::moment(filed.latest_ms, now_ms),
        followed: listed.followed,
        favourite: listed.favourite,
        contested: filed.contested,
    }
}

/// `GET /patients`
pub(super) async fn page(
    State(site): State<Site>,
    From(arrival): From,
    who: Who,
    asked: Result<Query<Asked>, QueryRejection>,
) -> Result<Response, Problem> {
    let Query(asked) = asked.map_err(|_| Problem::not_understood())?;
    let view = View::read(&asked.voir).ok_or_else(Problem::not_understood)?;
    list(&site, &arrival, &who, view, "", asked.page).await
}

/// `POST /patients`: a search.
pub(super) async fn search(
    State(site): State<Site>,
    From(arrival): From,
    who: Who,
    fields: Fields,
) -> Result<Response, Problem> {
    let view = View::read(fields.word("voir")).ok_or_else(Problem::not_understood)?;
    let page = fields.word("page").parse().unwrap_or(0);
    list(&site, &arrival, &who, view, fields.word("q"), page).await
}

async fn list(
    site: &Site,
    arrival: &Arrival,
    who: &Who,
    view: View,
    typed: &str,
    page: usize,
) -> Result<Response, Problem> {
    let actor = who.professional()?;
    // A search without a word asks for nothing.
    let typed = if typed.chars().any(char::is_alphanumeric) {
        typed
    } else {
        ""
    };
    let wanted = FilesWanted {
        typed,
        followed: matches!(view, View::Mine | View::Favourites),
        favourites: view == View::Favourites,
        ended: view == View::Ended,
        page,
    };
    let care = &site.node.care;
    let files = care.files(actor, wanted)?;
    if files.files.is_empty() && page > 0 {
        return Ok(door::go(&place(view, 0)));
    }
    if files.files.iter().any(|one| !one.followed) {
        care.looked_around(actor, "file.search").await?;
    }
    let (today, now_ms) = (today(), arrival.now_ms);
    let shown = files.files.len();
    let first = page.saturating_mul(FILES_IN_A_PAGE);
    let more = first + shown < files.total;
    let lines = files.files.into_iter();
    let list = Page {
        shell: Shell::of(who, Place::Patients, "Patients"),
        typed,
        view,
        found: Found {
            lines: lines.map(|one| line(one, &today, now_ms)).collect(),
            head: if typed.is_empty() {
                french::count(files.total, "dossier", "dossiers")
            } else {
                french::count(files.total, "personne trouvée", "personnes trouvées")
            },
            shown: format!("{} à {} sur {}", first + 1, first + shown, files.total),
            before: page.checked_sub(1),
            next: more.then_some(page + 1),
        },
        partial: files.partial,
        creates: care.may_open_files(actor)?,
        doubts: match care.doubts_count(actor)? {
            0 => String::new(),
            total => french::count(total, "doute d’identité", "doutes d’identité"),
        },
    };
    Ok(html(StatusCode::OK, &list))
}
