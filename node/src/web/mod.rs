//! Pages for professionals and for the node's administrator, over HTTPS.
//!
//! A handler parses what the browser sent, asks [`access`](crate::access) or [`care`](crate::care), and renders a template that stands beside it. It
//! decides nothing. Everything works without script.
//!
//! # What it promises
//!
//! - Whoever is not signed in sees [`PUBLIC`] and nothing else: the session is asked for by the router, not by handlers (`door`).
//! - Every answer, errors included, carries the same policy: nothing from elsewhere, nothing inline, no framing; pages with data are not stored (`policy`).
//! - What a page of another site makes a browser send changes nothing: one layer compares where each unsafe request comes from. What was begun is finished,
//!   also where the browser goes away.
//! - An error has its status, says in French what happened and what to do, and names an id to quote (`problem`). Nothing identifying is logged.
//! - What the browser needs is in this program: no other host is asked for anything (`assets`). Pages that hold nothing of what the request said come packed
//!   (`packed`).

mod account;
mod administration;
mod alerts;
mod assets;
mod crowd;
mod dates;
mod door;
mod dossier;
mod escape;
mod fields;
mod french;
mod habilitations;
mod home;
mod invitations;
mod live;
mod packed;
mod patients;
mod person;
mod policy;
mod problem;
mod serve;
mod shell;
mod sign_in;
mod tls;
mod twice;
mod upload;

pub use assets::LIBRARIES;
pub use door::PUBLIC;
pub use serve::{Settings, Web, WebError};

use std::sync::Arc;

use axum::{
    Router,
    middleware::{from_fn, from_fn_with_state},
    routing::{MethodRouter, get, post},
};

use crate::daemon::Node;
use administration::Administrator;
use problem::Problem;

/// What handlers share.
#[derive(Clone)]
pub(crate) struct Site {
    node: Arc<Node>,
    /// How this site is spoken to.
    way: serve::Way,
    /// The pages that listen to what happens.
    streams: Arc<live::Streams>,
    /// What was sent lately.
    sent: Arc<twice::Sent>,
    /// Says when the node stops.
    stopped: tokio::sync::watch::Receiver<bool>,
}

/// The routes of those who are signed in, by address.
fn pages() -> Vec<(&'static str, MethodRouter<Site>)> {
    // Where a form was answered with its page, the address is asked for again.
    let back = async || door::go("/compte");
    vec![
        ("/", get(home::page)),
        ("/patients", get(patients::page).post(patients::search)),
        (
            "/patients/nouveau",
            get(patients::form).post(patients::create),
        ),
        ("/patients/lieux", get(patients::places)),
        (
            "/patients/doutes",
            get(patients::doubts).post(patients::decide),
        ),
        ("/dossiers/{file}", get(dossier::summary)),
        ("/dossiers/{file}/carnet", get(dossier::notebook)),
        (
            "/dossiers/{file}/documents",
            get(dossier::documents).post(dossier::add_document),
        ),
        (
            "/dossiers/{file}/documents/{document}",
            get(dossier::attached),
        ),
        (
            "/dossiers/{file}/documents/{document}/retrait",
            get(dossier::withdraw_form).post(dossier::withdraw),
        ),
        ("/dossiers/{file}/equipe", get(dossier::team)),
        (
            "/dossiers/{file}/equipe/professionnel",
            get(dossier::search_form).post(dossier::search),
        ),
        (
            "/dossiers/{file}/equipe/professionnel/{choisi}",
            get(dossier::member_form).post(dossier::add_member),
        ),
        (
            "/dossiers/{file}/equipe/proche",
            get(dossier::relative_form).post(dossier::add_relative),
        ),
        (
            "/dossiers/{file}/equipe/participation/{terme}",
            get(dossier::term_form).post(dossier::change_term),
        ),
        ("/dossiers/{file}/acces", get(dossier::looks)),
        (
            "/dossiers/{file}/cercle",
            get(dossier::circle_form).post(dossier::change_circle),
        ),
        (
            "/dossiers/{file}/note/{note}",
            get(dossier::amend_form).post(dossier::amend),
        ),
        ("/dossiers/{file}/brouillon", post(dossier::keep_draft)),
        (
            "/dossiers/{file}/favori",
            post(dossier::choose).get(async || door::go("/patients")),
        ),
        (
            "/dossiers/{file}/acces-exceptionnel",
            get(dossier::glass_form).post(dossier::break_it),
        ),
        (
            "/dossiers/{file}/alerte",
            get(dossier::alert_form).post(dossier::raise_alert),
        ),
        (
            "/dossiers/{file}/alerte/reponse",
            post(alerts::answer).get(async || door::go("/alertes")),
        ),
        ("/alertes", get(alerts::page)),
        ("/evenements", get(live::events)),
        ("/invitations", get(invitations::page)),
        (
            "/invitations/{invitation}",
            get(invitations::one).post(invitations::decide),
        ),
        (
            "/dossiers/{file}/note",
            get(dossier::note_form).post(dossier::write_note),
        ),
        ("/compte", get(account::page)),
        ("/compte/mot-de-passe", post(account::password).get(back)),
        ("/compte/codes", post(account::codes).get(back)),
        ("/compte/sessions/fin", post(account::end_session).get(back)),
        ("/compte/situation", post(account::act_as).get(back)),
        (
            "/habilitations",
            get(habilitations::page).post(habilitations::change),
        ),
        ("/administration", get(administration::overview)),
        (
            "/administration/verification",
            post(administration::check).get(async |_: Administrator| door::go("/administration")),
        ),
        ("/administration/comptes", get(administration::accounts)),
        (
            "/administration/comptes/nouveau",
            get(administration::account_form).post(administration::add),
        ),
        (
            "/administration/comptes/acte",
            post(administration::act)
                .get(async |_: Administrator| door::go("/administration/comptes")),
        ),
        ("/administration/structures", get(administration::peers)),
        (
            "/administration/structures/inviter",
            post(administration::invite)
                .get(async |_: Administrator| door::go("/administration/structures")),
        ),
        (
            "/administration/structures/accepter",
            get(administration::accept_form).post(administration::accept),
        ),
        (
            "/administration/structures/essai",
            post(administration::retry)
                .get(async |_: Administrator| door::go("/administration/structures")),
        ),
        (
            "/administration/appairages/{pairing}",
            get(administration::pairing).post(administration::decide),
        ),
        ("/administration/journal", get(administration::journal)),
        ("/verrouiller", post(sign_in::lock)),
        ("/deconnexion", post(sign_in::out)),
    ]
}

/// The addresses of those who are signed in: what a test walks as whoever may not see them.
pub fn closed_routes() -> Vec<&'static str> {
    pages().into_iter().map(|(path, _)| path).collect()
}

/// All routes, with their layers.
fn router(site: Site) -> Router {
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
    pages()
        .into_iter()
        .fold(public, |router, (path, page)| router.route(path, page))
        .fallback(async || Problem::not_found())
        .method_not_allowed_fallback(async || Problem::not_found())
        .layer(from_fn(packed::pages))
        .layer(from_fn_with_state(site.clone(), door::guard))
        .layer(from_fn(policy::readable))
        .layer(from_fn_with_state(site.clone(), policy::same_site))
        .layer(from_fn_with_state(site.clone(), policy::headers))
        .with_state(site)
}
