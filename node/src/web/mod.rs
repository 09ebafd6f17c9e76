//! Pages for professionals and for the node's administrator, over HTTPS.
//!
//! A handler parses what the browser sent, asks [`access`](crate::access) or [`care`](crate::care), and renders a template that stands beside it. It
//! decides nothing. Everything works without script; htmx makes it quicker where there is one.
//!
//! # What it promises
//!
//! - Whoever is not signed in sees [`PUBLIC`] and nothing else: the session is asked for by the router, not by handlers (`door`).
//! - Every answer, errors included, carries the same policy: nothing from elsewhere, nothing inline, no framing; pages with data are not stored (`policy`).
//! - What a page of another site makes a browser send changes nothing: one layer compares where each unsafe request comes from.
//! - An error has its status, says in French what happened and what to do, and names an id to quote (`problem`). Nothing identifying is logged.
//! - What the browser needs is in this program: no other host is asked for anything (`assets`).

mod account;
mod assets;
mod door;
mod fields;
mod french;
mod home;
mod policy;
mod problem;
mod serve;
mod shell;
mod sign_in;
mod tls;

pub use assets::LIBRARIES;
pub use door::PUBLIC;
pub use serve::{Settings, Web, WebError};

use std::sync::Arc;

use axum::{
    Router,
    middleware::{from_fn, from_fn_with_state},
    routing::{get, post},
};

use crate::daemon::Node;
use problem::Problem;

/// What handlers share.
#[derive(Clone)]
pub(crate) struct Site {
    node: Arc<Node>,
    /// How this site is spoken to.
    way: serve::Way,
}

/// All routes, with their layers.
fn router(site: Site) -> Router {
    let pages = Router::new()
        .route("/", get(home::page))
        .route("/compte", get(account::page))
        .route("/compte/mot-de-passe", post(account::password))
        .route("/compte/codes", post(account::codes))
        .route("/compte/sessions/fin", post(account::end_session))
        .route("/compte/situation", post(account::act_as))
        .route("/verrouiller", post(sign_in::lock))
        .route("/deconnexion", post(sign_in::out));
    let public = Router::new()
        .route("/connexion", get(sign_in::page).post(sign_in::enter))
        .route(
            "/premiere-connexion",
            get(sign_in::first_page).post(sign_in::first),
        )
        .route(
            "/secours",
            get(sign_in::recovery_page).post(sign_in::recover),
        )
        .route(
            "/deverrouiller",
            get(sign_in::locked_page).post(sign_in::unlock),
        )
        .route("/manifest.webmanifest", get(assets::manifest))
        .route("/assets/{name}", get(assets::asset));
    public
        .merge(pages)
        .fallback(async || Problem::not_found())
        .method_not_allowed_fallback(async || Problem::not_found())
        .layer(from_fn_with_state(site.clone(), door::guard))
        .layer(from_fn(policy::same_site))
        .layer(from_fn_with_state(site.clone(), policy::headers))
        .with_state(site)
}
