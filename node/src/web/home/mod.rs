//! Accueil: what needs me now.

use askama::Template;
use axum::{extract::State, http::StatusCode, response::Response};

use super::{
    Site, alerts,
    door::{From, Who},
    french, invitations, patients,
    problem::Problem,
    shell::{Place, Shell, html},
};
use crate::{
    care::{CareError, FilesWanted},
    clock::today,
};

#[derive(Template)]
#[template(path = "home/page.html")]
struct Page<'a> {
    shell: Shell<'a>,
    name: &'a str,
    today: String,
    /// An administrator who acts in no professional's name.
    administers: bool,
    /// What needs the reader now, in one sentence.
    sentence: String,
    waiting: alerts::Waiting,
    invitations: usize,
    patients: Vec<patients::Line>,
    back: &'static str,
}

/// Patients on this page; all of them are in the list.
const PATIENTS: usize = 6;

/// What waits, as one would say it.
fn sentence(alerts: usize, invitations: usize) -> String {
    let alerts = match alerts {
        0 => None,
        1 => Some("une alerte attend une réponse".to_owned()),
        _ => Some(format!("{alerts}\u{a0}alertes attendent une réponse")),
    };
    let invitations = match invitations {
        0 => None,
        1 => Some("une invitation attend votre décision".to_owned()),
        _ => Some(format!(
            "{invitations}\u{a0}invitations attendent votre décision"
        )),
    };
    let waiting: Vec<String> = alerts.into_iter().chain(invitations).collect();
    if waiting.is_empty() {
        return "Rien n’attend votre réponse.".to_owned();
    }
    format!("{}.", french::capital(&waiting.join(", ")))
}

/// `GET /`
pub(super) async fn page(
    State(site): State<Site>,
    From(arrival): From,
    who: Who,
) -> Result<Response, Problem> {
    let mut page = Page {
        shell: Shell::of(&who, Place::Home, "Accueil"),
        name: &who.account().name,
        today: french::capital(&french::today(arrival.now_ms)),
        administers: who.actor.is_none() && who.account().administrator,
        sentence: String::new(),
        waiting: alerts::Waiting::default(),
        invitations: 0,
        patients: Vec::new(),
        back: "/",
    };
    if let Some(actor) = &who.actor {
        let now_ms = arrival.now_ms;
        page.waiting = alerts::waiting(&site, actor, now_ms).await?;
        page.invitations = invitations::waiting(&site, &who).await?.len();
        page.sentence = sentence(page.waiting.asked.len(), page.invitations);
        let wanted = FilesWanted {
            typed: "",
            followed: true,
            ended: false,
            page: 0,
        };
        let files = match site.node.care.files(actor, wanted) {
            Ok(found) => found.files,
            Err(CareError::NotReadable(_)) => Vec::new(),
            Err(error) => return Err(error.into()),
        };
        let today = today();
        let files = files.into_iter().take(PATIENTS);
        page.patients = files
            .map(|one| patients::line(one, &today, now_ms))
            .collect();
    }
    Ok(html(StatusCode::OK, &page))
}
