//! How the node is: what the last look at everything found, and what its workers do.

use askama::Template;
use axum::{extract::State, http::StatusCode, response::Response};
use maillon_protocol::admin::Worker;

use super::{Administrator, Tab, fingerprint, words};
use crate::web::{
    Site,
    door::{From, go},
    fields::Fields,
    french::{self, Moment},
    problem::Problem,
    shell::{Place, Shell, html},
};

/// Something that does not hold.
struct Fault {
    happened: &'static str,
    todo: &'static str,
    /// What was found, as the doctor says it.
    found: String,
}

/// A worker.
struct Task {
    name: String,
    does: &'static str,
    class: &'static str,
    icon: &'static str,
    state: String,
    last: Option<Moment>,
}

#[derive(Template)]
#[template(path = "administration/overview.html")]
struct Page<'a> {
    shell: Shell<'a>,
    tab: Tab,
    checked: Option<Moment>,
    looking: bool,
    faults: Vec<Fault>,
    /// What holds, counted.
    good: String,
    good_count: usize,
    workers: Vec<Task>,
    structure: &'a str,
    kind: &'static str,
    fingerprint: String,
    started: Moment,
    version: &'static str,
    free: String,
}

fn task(worker: Worker, now_ms: u64) -> Task {
    let failed_ms = worker.last_error.as_ref().map(|(at_ms, _)| *at_ms);
    let failed = failed_ms.filter(|at| worker.last_success_ms.is_none_or(|good| good < *at));
    let (class, icon, state) = match (failed, worker.state.as_str()) {
        (Some(at_ms), _) => {
            let at = french::moment(at_ms, now_ms).said;
            ("m-mark--fault", "error", format!("A échoué {at}"))
        }
        (None, "busy") => ("m-mark--wait", "hourglass", "Au travail".to_owned()),
        (None, _) => ("m-mark--done", "check", "Au repos".to_owned()),
    };
    let (name, does) = words::worker(&worker.name);
    Task {
        // One that has no words yet has its own name.
        name: name.map_or(worker.name, str::to_owned),
        does,
        class,
        icon,
        state,
        last: worker
            .last_success_ms
            .map(|at_ms| french::moment(at_ms, now_ms)),
    }
}

/// « 12 Go »: what is free on the disk.
fn free(bytes: u64) -> String {
    match bytes >> 20 {
        0 if bytes == 0 => "inconnue".to_owned(),
        mega @ 0..=2047 => format!("{mega}\u{a0}Mo"),
        mega => format!("{}\u{a0}Go", mega >> 10),
    }
}

/// `GET /administration`
pub(in crate::web) async fn page(
    State(site): State<Site>,
    From(arrival): From,
    Administrator(who): Administrator,
) -> Result<Response, Problem> {
    let (node, now_ms) = (&site.node, arrival.now_ms);
    let found = node.latest.found();
    let at_ms = found.as_ref().map(|found| found.at_ms);
    let checks = found.map(|found| found.checks).unwrap_or_default();
    let (good, bad): (Vec<_>, Vec<_>) = checks.into_iter().partition(|check| check.holds);
    let fault = |check: maillon_protocol::admin::Check| {
        let (happened, todo) = words::check(&check.name);
        Fault {
            happened,
            todo,
            found: check.found,
        }
    };
    let descriptor = node.own_descriptor();
    let page = Page {
        shell: Shell::of(&who, Place::Administration, "Administration"),
        tab: Tab::Overview,
        checked: at_ms.map(|at_ms| french::moment(at_ms, now_ms)),
        looking: node.latest.is_looking(),
        faults: bad.into_iter().map(fault).collect(),
        good: french::count(good.len(), "point vérifié", "points vérifiés"),
        good_count: good.len(),
        workers: node
            .workers
            .list()
            .into_iter()
            .map(|one| task(one, now_ms))
            .collect(),
        structure: &who.structure,
        kind: words::kind(descriptor.kind),
        fingerprint: fingerprint(&descriptor.node),
        started: french::moment(node.started_ms, now_ms),
        version: env!("CARGO_PKG_VERSION"),
        free: free(node.disk_free()),
    };
    Ok(html(StatusCode::OK, &page))
}

/// `POST /administration/verification`
pub(in crate::web) async fn check(
    State(site): State<Site>,
    _: Administrator,
    fields: Fields,
) -> Response {
    site.node.check_again().await;
    match fields.word("retour") {
        "journal" => go("/administration/journal"),
        _ => go("/administration"),
    }
}
