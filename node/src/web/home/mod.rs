//! Accueil: what needs me now.

use askama::Template;
use axum::{http::StatusCode, response::Response};

use super::{
    door::{From, Who},
    french,
    shell::{Place, Shell, html},
};

#[derive(Template)]
#[template(path = "home/page.html")]
struct Page<'a> {
    shell: Shell<'a>,
    name: &'a str,
    today: String,
    /// Whether they act in a professional's name.
    acts: bool,
}

/// `GET /`
pub(super) async fn page(From(arrival): From, who: Who) -> Response {
    let page = Page {
        shell: Shell::of(&who, Place::Home, "Accueil"),
        name: &who.account().name,
        today: french::capital(&french::today(arrival.now_ms)),
        acts: who.actor.is_some(),
    };
    html(StatusCode::OK, &page)
}
