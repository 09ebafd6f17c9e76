//! Patients: the list, the search, and a new person (`new`).

mod new;

pub(super) use new::{Alike, alike, create, form};

use std::sync::Arc;

use askama::Template;
use axum::{
    extract::{Query, State, rejection::QueryRejection},
    http::StatusCode,
    response::Response,
};
use percent_encoding::{NON_ALPHANUMERIC, utf8_percent_encode};
use serde::Deserialize;

use super::{
    Site,
    door::{From, Who},
    dossier::address,
    french::{self, Moment},
    person::Person,
    problem::Problem,
    shell::{Place, Shell, html},
};
use crate::{
    care::{FILES_IN_A_PAGE, FilesWanted, Listed},
    clock::today,
};

/// A line of the list.
pub(super) struct Line {
    pub(super) address: String,
    pub(super) person: Person,
    pub(super) latest: Moment,
    followed: bool,
    contested: bool,
}

/// Which patients are wanted: what was typed, which ones, which page.
#[derive(Deserialize)]
pub(super) struct Asked {
    #[serde(default)]
    q: String,
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
    before: Option<String>,
    next: Option<String>,
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
}

/// Which ones.
#[derive(Clone, Copy, PartialEq, Eq)]
enum View {
    Mine,
    All,
    Ended,
}

impl View {
    fn read(word: &str) -> Option<Self> {
        Some(match word {
            "" => Self::Mine,
            "structure" => Self::All,
            "clos" => Self::Ended,
            _ => return None,
        })
    }

    const fn word(self) -> &'static str {
        match self {
            Self::Mine => "",
            Self::All => "structure",
            Self::Ended => "clos",
        }
    }

    fn is(&self, word: &str) -> bool {
        self.word() == word
    }
}

/// The address of a page of the list.
fn place(typed: &str, view: View, page: usize) -> String {
    let mut parts = Vec::new();
    if !typed.is_empty() {
        parts.push(format!(
            "q={}",
            utf8_percent_encode(typed, NON_ALPHANUMERIC)
        ));
    }
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
    let actor = who.professional()?;
    let view = View::read(&asked.voir).ok_or_else(Problem::not_understood)?;
    let typed = asked.q.trim();
    let wanted = FilesWanted {
        typed,
        followed: view == View::Mine,
        ended: view == View::Ended,
        page: asked.page,
    };
    let care = &site.node.care;
    let files = care.files(actor, wanted)?;
    let (today, now_ms) = (today(), arrival.now_ms);
    let shown = files.files.len();
    let first = asked.page.saturating_mul(FILES_IN_A_PAGE);
    let more = first + shown < files.total;
    let lines = files.files.into_iter();
    let page = Page {
        shell: Shell::of(&who, Place::Patients, "Patients"),
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
            before: (asked.page > 0).then(|| place(typed, view, asked.page - 1)),
            next: more.then(|| place(typed, view, asked.page + 1)),
        },
        partial: files.partial,
        creates: care.may_open_files(actor)?,
    };
    Ok(html(StatusCode::OK, &page))
}
