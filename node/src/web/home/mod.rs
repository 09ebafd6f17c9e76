//! Accueil: what needs me now.

use askama::Template;
use axum::{extract::State, http::StatusCode, response::Response};

use super::{
    Site, alerts,
    door::{From, Who},
    dossier::{address, by},
    french::{self, Moment},
    invitations, patients,
    person::Person,
    problem::Problem,
    shell::{Place, Shell, html},
};
use crate::{
    care::{Actor, CareError, FilesWanted, Listed},
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
    unread: Vec<Unread>,
    patients: Vec<patients::Line>,
    back: &'static str,
}

/// Patients on this page; all of them are in the list.
const PATIENTS: usize = 6;
/// Favourites on it.
const FAVOURITES: usize = 12;

/// A file in which notes wait to be read.
struct Unread {
    address: String,
    person: Person,
    /// « 2 nouvelles notes ».
    notes: String,
    /// Who wrote the newest: « d’Inès Bodéan », « du Dr Tréguer ».
    by: String,
    when: Moment,
}

/// The files in which notes wait to be read.
fn unread(site: &Site, actor: &Actor, now_ms: u64) -> Result<Vec<Unread>, Problem> {
    let today = today();
    let files = site.node.care.unread(actor, now_ms)?.into_iter();
    Ok(files
        .map(|one| Unread {
            address: address(&one.filed.circle),
            person: Person::of(&one.filed.identity, &today),
            notes: match one.more {
                true => format!("Plus de {}", french::count(one.notes, "note", "notes")),
                false => french::count(one.notes, "nouvelle note", "nouvelles notes"),
            },
            by: french::of(&by(&one.by)),
            when: french::moment(one.at_ms, now_ms),
        })
        .collect())
}

/// The favourites, then those in which something happened last.
fn patients(site: &Site, actor: &Actor, now_ms: u64) -> Result<Vec<patients::Line>, Problem> {
    let mut shown: Vec<Listed> = Vec::new();
    for (favourites, most) in [(true, FAVOURITES), (false, PATIENTS)] {
        let wanted = FilesWanted {
            typed: "",
            followed: true,
            favourites,
            ended: false,
            page: 0,
        };
        let found = match site.node.care.files(actor, wanted) {
            Ok(found) => found.files,
            Err(CareError::NotReadable(_)) => Vec::new(),
            Err(error) => return Err(error.into()),
        };
        let more = found.into_iter().filter(|one| one.favourite == favourites);
        let room = most.saturating_sub(shown.len());
        shown.extend(more.take(room));
    }
    let today = today();
    let lines = shown.into_iter();
    Ok(lines
        .map(|one| patients::line(one, &today, now_ms))
        .collect())
}

/// What waits, as one would say it.
fn sentence(alerts: usize, invitations: usize) -> String {
    let alerts = match alerts {
        0 => None,
        1 => Some("une alerte est à traiter".to_owned()),
        _ => Some(format!("{alerts}\u{a0}alertes sont à traiter")),
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
        unread: Vec::new(),
        patients: Vec::new(),
        back: "/",
    };
    if let Some(actor) = &who.actor {
        let now_ms = arrival.now_ms;
        page.waiting = alerts::waiting(&site, actor, now_ms).await?;
        page.invitations = invitations::waiting(&site, &who).await?.len();
        page.unread = unread(&site, actor, now_ms)?;
        page.sentence = sentence(page.waiting.asked.count(), page.invitations);
        page.patients = patients(&site, actor, now_ms)?;
    }
    Ok(html(StatusCode::OK, &page))
}
