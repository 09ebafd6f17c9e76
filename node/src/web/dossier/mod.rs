//! A person's file: its summary with the timeline, the liaison notebook, its documents, the team and the circle, who looked at it (`looks`), and writing a note (`note`).
//!
//! - `attached`: files that somebody sent, and how they are given back
//! - `entry`: what is written in a file, as pages show it
//! - `reach`: how far it got, in words
//! - `team`: the team and the circle, and who is added to the team
//! - `amend`, `withdraw`: what its writer corrects or takes back

mod acts;
mod alert;
mod amend;
mod around;
mod attached;
mod circle;
mod documents;
mod draft;
mod entry;
mod favourite;
mod glass;
mod looks;
mod note;
mod reach;
mod team;
mod withdraw;

pub(super) use alert::{alert_form, raise_alert};
pub(super) use amend::{amend, amend_form};
pub(super) use attached::attached;
pub(super) use circle::{change_circle, circle_form};
pub(super) use documents::{add as add_document, documents};
pub(super) use draft::keep_draft;
pub(super) use entry::{alert_state, by};
pub(super) use favourite::choose;
pub(super) use glass::{break_it, glass_form};
pub(super) use looks::looks;
pub(super) use note::{note_form, write_note};
pub(super) use team::{
    add_member, add_relative, change_term, member_form, relative_form, search, search_form, team,
    term_form,
};
pub(super) use withdraw::{withdraw, withdraw_form};

use std::sync::Arc;

use askama::Template;
use axum::{
    extract::{Path, Query, State, rejection::QueryRejection},
    http::StatusCode,
    response::Response,
};
use data_encoding::HEXLOWER_PERMISSIVE;
use maillon_protocol::{
    admin::{AlertLine, Sharing},
    ids::CircleId,
};
use serde::Deserialize;

use super::{
    Site,
    alerts::{due, gravity, to},
    door::{From, Who},
    french::{self, Moment},
    person::Person,
    problem::Problem,
    shell::{Place, Shell, html},
};
use crate::{
    care::{FileView, Filed, Shown, ThingMark},
    clock::today,
};
use around::Near;
use entry::{Day, Entry};

/// Digits of a circle's id that make the address of its file: ninety-six bits, which nobody makes meet another file's.
const DIGITS: usize = 24;

/// The address of a file.
pub(super) fn address(circle: &CircleId) -> String {
    let mut whole = circle.to_string();
    whole.truncate(DIGITS);
    whole
}

/// The file at an address; none where there is none.
pub(super) fn file(site: &Site, address: &str) -> Option<Arc<Filed>> {
    if address.len() != DIGITS {
        return None;
    }
    let begins = HEXLOWER_PERMISSIVE.decode(address.as_bytes()).ok()?;
    site.node.care.file_at(&begins)
}

/// What stands above every page of a file.
struct Cover {
    address: String,
    person: Person,
    /// Whether notes may be written here, by this reader.
    writes: bool,
    /// Whether documents may be added here, by this reader.
    adds: bool,
    /// Structures say different things of who the person is.
    contested: bool,
    /// The file is closed, or goes on without this structure.
    ended: bool,
    /// Which of the two.
    closed: bool,
    /// Since when, where the page says so.
    since: Option<Moment>,
    /// The structure that may open it again, and whether the reader may, there.
    holder: String,
    reopens: bool,
    /// The person's answer stands against sharing.
    refused: bool,
    /// Until when it is open by a broken glass; empty for whoever is in the team.
    glass: String,
    /// Whether the reader has chosen it as a favourite; none where they cannot.
    favourite: Option<bool>,
    tab: Tab,
}

/// The pages of a file.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Tab {
    Summary,
    Notebook,
    Documents,
    Team,
    Looks,
}

impl Cover {
    fn new(filed: &Filed, view: &FileView, tab: Tab) -> Self {
        let line = &view.circle.line;
        let mut members = view.circle.members.iter();
        let holder = members.find(|member| member.steward);
        Self {
            address: address(&filed.circle),
            person: Person::of(&filed.identity, &today()),
            writes: view.writes_messages && !filed.ended,
            adds: view.writes_documents && !filed.ended,
            contested: filed.contested,
            ended: filed.ended,
            closed: line.closed,
            since: None,
            holder: holder.map_or_else(String::new, |member| member.structure.clone()),
            reopens: line.closed && line.steward && view.manages,
            refused: matches!(view.circle.sharing, Sharing::Refused(_)),
            glass: view.glass_ms.map_or_else(String::new, french::hour),
            favourite: view.favourite,
            tab,
        }
    }

    /// The same with the moment since which the file has ended, where it has.
    async fn dated(mut self, site: &Site, filed: &Filed, now_ms: u64) -> Result<Self, Problem> {
        if self.ended {
            let ended_ms = site.node.care.ended_ms(filed.circle).await?;
            self.since = ended_ms.map(|at_ms| french::moment(at_ms, now_ms));
        }
        Ok(self)
    }

    /// The address of the page that is open.
    fn here(&self) -> String {
        let page = match self.tab {
            Tab::Summary => "",
            Tab::Notebook => "/carnet",
            Tab::Documents => "/documents",
            Tab::Team => "/equipe",
            Tab::Looks => "/acces",
        };
        format!("/dossiers/{}{page}", self.address)
    }

    fn at_summary(&self) -> bool {
        self.tab == Tab::Summary
    }

    fn at_notebook(&self) -> bool {
        self.tab == Tab::Notebook
    }

    fn at_documents(&self) -> bool {
        self.tab == Tab::Documents
    }

    fn at_team(&self) -> bool {
        self.tab == Tab::Team
    }

    fn at_looks(&self) -> bool {
        self.tab == Tab::Looks
    }
}

/// Which part of the time is looked at.
#[derive(Deserialize)]
pub(in crate::web) struct Asked {
    #[serde(default)]
    avant: String,
    #[serde(default)]
    fil: String,
    #[serde(default)]
    ecrit: String,
}

impl Asked {
    fn before(&self) -> Result<Option<ThingMark>, Problem> {
        if self.avant.is_empty() {
            return Ok(None);
        }
        let mark = self.avant.parse().map_err(|_| Problem::not_understood())?;
        Ok(Some(mark))
    }
}

/// A page of what was written, newest first.
struct Journal {
    days: Vec<Day>,
    /// Where what is older begins, and how much that is.
    older: Option<(String, String)>,
    /// Whether this is not the newest page.
    past: bool,
    /// What follows the file's address where one comes back to it: `?fil=alertes&`.
    here: String,
}

impl Journal {
    fn of(view: &FileView, address: &str, tab: &str, past: bool, now_ms: u64) -> Self {
        let circle = &view.circle;
        let older = circle.next.as_ref().map(|next| {
            let left = french::count(
                usize::try_from(circle.older).unwrap_or(usize::MAX),
                "événement plus ancien",
                "événements plus anciens",
            );
            (format!("/dossiers/{address}{tab}avant={next}"), left)
        });
        Self {
            days: entry::days(view, address, now_ms),
            older,
            past,
            here: tab.to_owned(),
        }
    }

    /// The urgent notes among it.
    fn urgent_notes(&self) -> Vec<&Entry> {
        let entries = self.days.iter().flat_map(|day| &day.entries);
        entries.filter(|one| one.is_urgent_note()).collect()
    }
}

/// An alert that nobody has closed, as the summary names it.
struct Unclosed {
    flag: &'static str,
    flag_class: &'static str,
    text: String,
    state: String,
    /// Whom it asks, until when, who sent it.
    asks: String,
    by: String,
    when: Moment,
}

impl Unclosed {
    fn of(alert: &AlertLine, now_ms: u64) -> Self {
        let (_, flag, flag_class) = gravity(alert.alert.severity);
        let asks = [to(&alert.alert), due(&alert.alert, now_ms)].into_iter();
        let asks: Vec<_> = asks.filter(|part| !part.is_empty()).collect();
        let by = [alert.by.as_str(), &alert.structure].into_iter();
        let by: Vec<_> = by.filter(|part| !part.is_empty()).collect();
        Self {
            flag,
            flag_class,
            text: alert.text.clone(),
            state: alert_state(&alert.alert, alert.written_ms, now_ms).words,
            asks: french::capital(&asks.join(", ")),
            by: by.join(", "),
            when: french::moment(alert.written_ms, now_ms),
        }
    }
}

#[derive(Template)]
#[template(path = "dossier/summary.html")]
struct SummaryPage<'a> {
    shell: Shell<'a>,
    cover: Cover,
    /// Alerts that nobody has closed.
    unclosed: Vec<Unclosed>,
    /// Whom to call first.
    call: Vec<Near>,
    around: Vec<Near>,
    structures: Vec<String>,
    filters: Vec<(&'static str, &'static str, bool)>,
    journal: Journal,
    printed: Moment,
    done: &'static str,
    reader: &'a str,
    structure: &'a str,
}

impl SummaryPage<'_> {
    /// Whether a place in the team is beyond what the screen names.
    const fn is_beyond(place: &usize) -> bool {
        *place >= AROUND
    }

    /// Whether everything is looked at, from now on backwards: then what matters now stands above it.
    fn is_whole(&self) -> bool {
        let whole = self.filters.first().is_some_and(|(.., chosen)| *chosen);
        whole && !self.journal.past
    }
}

#[derive(Template)]
#[template(path = "dossier/notebook.html")]
struct NotebookPage<'a> {
    shell: Shell<'a>,
    cover: Cover,
    journal: Journal,
    printed: Moment,
    done: &'static str,
    reader: &'a str,
    structure: &'a str,
}

/// A file that somebody opens at an address.
async fn opened(
    site: &Site,
    who: &Who,
    address: &str,
    part: Shown,
    before: Option<ThingMark>,
) -> Result<(Arc<Filed>, FileView), Problem> {
    let actor = who.professional()?;
    let filed = file(site, address).ok_or_else(Problem::not_found)?;
    let view = site
        .node
        .care
        .read_file(actor, filed.circle, part, before)
        .await?;
    Ok((filed, view))
}

/// People whom the screen names in the summary; the others are on the page of the team. Paper has all of them.
const AROUND: usize = 6;

/// The filters of the timeline: the word in the address, the name, what they show.
const FILTERS: [(&str, &str, Shown); 5] = [
    ("", "Tout", Shown::All),
    ("notes", "Notes", Shown::Notes),
    ("alertes", "Alertes", Shown::Alerts),
    ("documents", "Documents", Shown::Documents),
    ("equipe", "Équipe et cercle", Shown::Team),
];

/// `GET /dossiers/{file}`
pub(super) async fn summary(
    State(site): State<Site>,
    From(arrival): From,
    who: Who,
    Path(at): Path<String>,
    asked: Result<Query<Asked>, QueryRejection>,
) -> Result<Response, Problem> {
    let Query(asked) = asked.map_err(|_| Problem::not_understood())?;
    let filter = FILTERS.into_iter().find(|(word, ..)| *word == asked.fil);
    let (word, _, part) = filter.ok_or_else(Problem::not_understood)?;
    let before = asked.before()?;
    let (filed, view) = opened(&site, &who, &at, part, before).await?;
    let cover = Cover::new(&filed, &view, Tab::Summary);
    let cover = cover.dated(&site, &filed, arrival.now_ms).await?;
    let around = site.node.care.team_of(who.professional()?, &filed.circle)?;
    let tab = format!("?fil={word}&");
    let members = view.circle.members.iter();
    let page = SummaryPage {
        shell: Shell::of(&who, Place::Patients, "Dossier"),
        unclosed: view
            .unclosed
            .iter()
            .map(|alert| Unclosed::of(alert, arrival.now_ms))
            .collect(),
        call: around
            .iter()
            .filter(|one| one.lasts)
            .map(Near::of)
            .filter(|one| one.first && !one.phones.is_empty())
            .collect(),
        around: around
            .iter()
            .filter(|one| one.lasts)
            .map(Near::of)
            .collect(),
        structures: members
            .filter(|member| !member.left)
            .map(|member| member.structure.clone())
            .collect(),
        filters: FILTERS
            .map(|(one, name, _)| (one, name, one == word))
            .into(),
        journal: Journal::of(
            &view,
            &address(&filed.circle),
            &tab,
            before.is_some(),
            arrival.now_ms,
        ),
        cover,
        printed: french::moment(arrival.now_ms, arrival.now_ms),
        done: match asked.ecrit.as_str() {
            "alerte" => "Alerte envoyée au cercle.",
            "reponse" => "Réponse enregistrée.",
            _ => "",
        },
        reader: &who.account().name,
        structure: &who.structure,
    };
    Ok(html(StatusCode::OK, &page))
}

/// `GET /dossiers/{file}/carnet`
pub(super) async fn notebook(
    State(site): State<Site>,
    From(arrival): From,
    who: Who,
    Path(at): Path<String>,
    asked: Result<Query<Asked>, QueryRejection>,
) -> Result<Response, Problem> {
    let Query(asked) = asked.map_err(|_| Problem::not_understood())?;
    let before = asked.before()?;
    let (filed, view) = opened(&site, &who, &at, Shown::Notes, before).await?;
    let now_ms = arrival.now_ms;
    let cover = Cover::new(&filed, &view, Tab::Notebook);
    let cover = cover.dated(&site, &filed, now_ms).await?;
    let page = NotebookPage {
        shell: Shell::of(&who, Place::Patients, "Carnet de liaison"),
        journal: Journal::of(&view, &cover.address, "/carnet?", before.is_some(), now_ms),
        cover,
        printed: french::moment(now_ms, now_ms),
        reader: &who.account().name,
        structure: &who.structure,
        done: match asked.ecrit.as_str() {
            "note" => "Note envoyée au cercle.",
            "reponse" => "Réponse envoyée au cercle.",
            "corrigee" => "Note corrigée.",
            "retiree" => "Note retirée.",
            _ => "",
        },
    };
    Ok(html(StatusCode::OK, &page))
}
