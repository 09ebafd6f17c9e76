//! What was done to the node, and who came in; whether the trail holds. Nothing about any patient: lines about files are left out.

use std::collections::HashMap;

use askama::Template;
use axum::{
    extract::{Query, State, rejection::QueryRejection},
    http::StatusCode,
    response::Response,
};
use maillon_protocol::{admin::AuditLine, ids::ThingId};
use serde::Deserialize;

use super::{Administrator, Tab, words};
use crate::{
    audit::Wanted,
    web::{
        Site,
        door::From,
        french::{self, Moment},
        problem::Problem,
        shell::{Place, Shell, html},
    },
};

/// Lines of one page.
const LINES_IN_A_PAGE: usize = 60;
/// The check of the trail among those of the doctor.
const CHECK: &str = "audit.lines-follow";

/// From where on the past is looked at.
#[derive(Deserialize)]
pub(in crate::web) struct Asked {
    #[serde(default)]
    avant: String,
}

/// A line of the page.
struct Line {
    what: &'static str,
    about: String,
    who: String,
    when: Moment,
}

#[derive(Template)]
#[template(path = "administration/journal.html")]
struct Page<'a> {
    shell: Shell<'a>,
    tab: Tab,
    /// Whether the trail held when it was read last; none where it was not read since the start.
    holds: Option<bool>,
    checked: Option<Moment>,
    found: String,
    signed: Option<Moment>,
    signed_line: u64,
    lines: Vec<Line>,
    next: Option<u64>,
    past: bool,
}

/// The people and accounts of this node, by their ids in the trail.
struct Known {
    people: HashMap<ThingId, String>,
    accounts: HashMap<String, String>,
}

impl Known {
    fn of(site: &Site) -> Result<Self, Problem> {
        let people = site.node.care.professionals()?.into_iter();
        let mut people: HashMap<_, _> = people.map(|one| (one.id, one.professional.name)).collect();
        let mut accounts = HashMap::new();
        for account in site.node.access.accounts() {
            // Whoever acts in nobody's name stands in the trail by their account.
            people.insert(ThingId(account.id.0), account.name.clone());
            accounts.insert(account.id.to_string(), account.name.clone());
        }
        Ok(Self { people, accounts })
    }

    /// Who did it.
    fn who(&self, line: &AuditLine) -> String {
        let named = line.professional.and_then(|id| self.people.get(&id));
        match (named, line.professional, &line.name) {
            (Some(name), ..) => name.clone(),
            (None, Some(_), _) => "Quelqu’un que ce nœud ne connaît plus".to_owned(),
            (None, None, Some(_)) => "Le nœud, de lui-même".to_owned(),
            (None, None, None) => "Administration, par la ligne de commande".to_owned(),
        }
    }

    /// What it was about, where that has a name.
    fn about(&self, site: &Site, line: &AuditLine) -> String {
        if let Some(node) = &line.node {
            return site.node.care.structure_of(node);
        }
        let object = line
            .object
            .as_deref()
            .and_then(|object| object.split_once(' '));
        match object {
            Some(("account", id)) => self.accounts.get(id).cloned().unwrap_or_default(),
            Some(("professional", id)) => id
                .parse()
                .ok()
                .and_then(|id: ThingId| self.people.get(&id).cloned())
                .unwrap_or_default(),
            Some(("worker", name)) => words::worker(name).0.unwrap_or_default().to_owned(),
            Some(("line", number)) => format!("jusqu’à la ligne {number}"),
            _ => String::new(),
        }
    }
}

/// `GET /administration/journal`
pub(in crate::web) async fn page(
    State(site): State<Site>,
    From(arrival): From,
    Administrator(who): Administrator,
    asked: Result<Query<Asked>, QueryRejection>,
) -> Result<Response, Problem> {
    let Query(asked) = asked.map_err(|_| Problem::not_understood())?;
    let before = match asked.avant.as_str() {
        "" => None,
        typed => Some(typed.parse().map_err(|_| Problem::not_understood())?),
    };
    let (node, now_ms) = (&site.node, arrival.now_ms);
    let wanted = Wanted {
        before,
        limit: LINES_IN_A_PAGE,
        only: |action| words::act(action).is_some(),
        ..Wanted::default()
    };
    let page = node
        .trail_page(wanted, |_| None)
        .await
        .map_err(Problem::broken)?;
    let known = Known::of(&site)?;
    let line = |line: AuditLine| {
        let (who, about) = (known.who(&line), known.about(&site, &line));
        Some(Line {
            what: words::act(&line.action)?,
            // What somebody did with their own account names them once.
            about: if about == who { String::new() } else { about },
            who,
            when: french::moment(line.at_ms, now_ms),
        })
    };
    let signed = node.trail_signed();
    let found = node.latest.found();
    let checked_ms = found.as_ref().map(|found| found.at_ms);
    let check = found.and_then(|found| found.checks.into_iter().find(|one| one.name == CHECK));
    let page = Page {
        shell: Shell::of(&who, Place::Administration, "Journal"),
        tab: Tab::Journal,
        holds: check.as_ref().map(|check| check.holds),
        checked: checked_ms.map(|at_ms| french::moment(at_ms, now_ms)),
        found: check.map(|check| check.found).unwrap_or_default(),
        signed: signed.map(|signed| french::moment(signed.at_ms, now_ms)),
        signed_line: signed.map_or(0, |signed| signed.number),
        lines: page.lines.into_iter().filter_map(line).collect(),
        next: page.next,
        past: before.is_some(),
    };
    Ok(html(StatusCode::OK, &page))
}
