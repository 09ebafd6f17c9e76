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
    /// An administrator who acts in no professional's name.
    administers: bool,
}

/// `GET /`
pub(super) async fn page(From(arrival): From, who: Who) -> Response {
    let page = Page {
        shell: Shell::of(&who, Place::Home, "Accueil"),
        name: &who.account().name,
        today: french::capital(&french::today(arrival.now_ms)),
        administers: who.actor.is_none() && who.account().administrator,
    };
    html(StatusCode::OK, &page)
}
