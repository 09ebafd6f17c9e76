//! A professional is looked for by name. What is typed is sent and stands in no address.

use askama::Template;
use axum::{
    extract::{Path, State},
    http::StatusCode,
    response::Response,
};

use super::{goes_on, linked};
use crate::{
    care::{Known, NameWanted, PEOPLE_IN_A_PAGE},
    clock::today,
    web::{
        Site,
        door::{self, Who},
        fields::Fields,
        french,
        person::Person,
        problem::Problem,
        shell::{Place, Shell, html},
    },
};

/// Somebody who was found.
struct Line {
    key: String,
    name: String,
    profession: String,
    structure: String,
    follows: bool,
    /// Their structure is not in the circle.
    outside: bool,
}

impl From<Known> for Line {
    fn from(known: Known) -> Self {
        let profession = known.professional.profession;
        Self {
            key: known.key,
            name: known.professional.name,
            profession: profession.map_or_else(String::new, |code| french::small(&code.label)),
            structure: known.professional.structure.name,
            follows: known.follows,
            outside: !known.in_circle,
        }
    }
}

#[derive(Template)]
#[template(path = "dossier/team/search.html")]
struct Page<'a> {
    shell: Shell<'a>,
    address: &'a str,
    person: Person,
    /// The structure that hosts this node.
    structure: &'a str,
    typed: &'a str,
    lines: Vec<Line>,
    head: String,
    shown: String,
    before: Option<usize>,
    next: Option<usize>,
    partial: bool,
}

async fn list(
    site: &Site,
    who: &Who,
    at: &str,
    (typed, page): (&str, usize),
) -> Result<Response, Problem> {
    let actor = who.professional()?;
    let filed = goes_on(site, who, at)?;
    let care = &site.node.care;
    let linked = linked(site);
    let wanted = NameWanted {
        typed,
        page,
        linked: &linked,
    };
    let found = care.known_by_name(actor, &filed.circle, wanted).await?;
    if found.people.is_empty() && page > 0 {
        return Ok(door::go(&format!("/dossiers/{at}/equipe/professionnel")));
    }
    let first = page.saturating_mul(PEOPLE_IN_A_PAGE);
    let last = first.saturating_add(found.people.len());
    let list = Page {
        shell: Shell::of(who, Place::Patients, "Ajouter un professionnel"),
        address: at,
        person: Person::of(&filed.identity, &today()),
        structure: &who.structure,
        typed,
        head: french::count(
            found.total,
            "professionnel trouvé",
            "professionnels trouvés",
        ),
        shown: format!("{} à {last} sur {}", first.saturating_add(1), found.total),
        before: page.checked_sub(1),
        next: (last < found.total).then_some(page.saturating_add(1)),
        partial: found.partial,
        lines: found.people.into_iter().map(Line::from).collect(),
    };
    Ok(html(StatusCode::OK, &list))
}

/// `GET /dossiers/{file}/equipe/professionnel`
pub(in crate::web) async fn search_form(
    State(site): State<Site>,
    who: Who,
    Path(at): Path<String>,
) -> Result<Response, Problem> {
    list(&site, &who, &at, ("", 0)).await
}

/// `POST /dossiers/{file}/equipe/professionnel`
pub(in crate::web) async fn search(
    State(site): State<Site>,
    who: Who,
    Path(at): Path<String>,
    fields: Fields,
) -> Result<Response, Problem> {
    let page = fields.word("page").parse().unwrap_or(0);
    list(&site, &who, &at, (fields.word("q"), page)).await
}
