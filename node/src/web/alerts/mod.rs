//! Alerts that wait for an answer, and the answers.

use askama::Template;
use axum::{
    extract::{Path, State},
    http::StatusCode,
    response::Response,
};
use maillon_protocol::{
    admin::{AlertLine, AlertView},
    content::{AlertStep, Severity},
};

use super::{
    Site,
    door::{self, From, Who, safe_return},
    dossier::{address, alert_state, file},
    fields::Fields,
    french::{self, Moment},
    person::Person,
    problem::Problem,
    shell::{Place, Shell, html},
};
use crate::{
    care::{Actor, CareError, Filed, Turn},
    clock::today,
};

/// An alert in a list.
pub(super) struct Line {
    pub(super) address: String,
    pub(super) person: Person,
    pub(super) record: String,
    pub(super) class: &'static str,
    pub(super) flag: &'static str,
    pub(super) flag_class: &'static str,
    /// « Sans prise en charge depuis 2 h », « Étienne Hauchecorne s’en charge, hier à 10 h 05 ».
    pub(super) state: String,
    /// « à traiter avant 16 h 00 »; empty where there is no moment, or somebody sees to it.
    pub(super) due: String,
    /// « Pour CPTS des Falaises »; empty where it names nobody.
    pub(super) to: String,
    /// Whether the reader has taken note of it already.
    pub(super) noted: bool,
    pub(super) text: String,
    pub(super) by: String,
    pub(super) when: Moment,
}

/// Lines of one list, and what is said of the others.
#[derive(Default)]
pub(super) struct Lines {
    pub(super) lines: Vec<Line>,
    /// How many more there are.
    pub(super) more: usize,
}

impl Lines {
    /// How many there are, with those that are not shown.
    pub(super) const fn count(&self) -> usize {
        self.lines.len() + self.more
    }
}

/// The alerts of the files that somebody follows.
#[derive(Default)]
pub(super) struct Waiting {
    /// Those that their structure is to answer, and nobody sees to.
    pub(super) asked: Lines,
    /// Those that somebody sees to.
    pub(super) taken: Lines,
    /// Those that others are to answer.
    pub(super) elsewhere: Lines,
    /// Those that were done with lately.
    pub(super) done: Lines,
    /// What came of those that the reader has sent, the newest first.
    pub(super) answered: Vec<Line>,
    /// The node has just started: there may be more.
    pub(super) partial: bool,
}

impl Waiting {
    /// The lists below those that are to be answered, each with its head.
    pub(super) const fn others(&self) -> [(&'static str, &'static str, &Lines); 3] {
        [
            ("h-elsewhere", "À d’autres de répondre", &self.elsewhere),
            ("h-taken", "Quelqu’un s’en charge", &self.taken),
            ("h-done", "Terminées ces trois derniers jours", &self.done),
        ]
    }
}

/// What came of the reader's own alerts is told on the first page for so long, milliseconds: a day.
const ANSWERED_MS: u64 = 24 * 3_600_000;
/// And so many of them.
const ANSWERED: usize = 5;

/// The alerts that wait, as pages show them.
pub(super) async fn waiting(site: &Site, actor: &Actor, now_ms: u64) -> Result<Waiting, Problem> {
    let care = &site.node.care;
    let mut waiting = Waiting {
        partial: !care.knows_everybody(),
        ..Waiting::default()
    };
    let mut board = match care.alert_board(actor, now_ms).await {
        Ok(board) => board,
        // Whoever may not read alerts has none.
        Err(CareError::NotReadable(_)) => return Ok(waiting),
        Err(error) => return Err(error.into()),
    };
    let own = &actor.professional.name;
    let mut answered: Vec<(u64, Line)> = Vec::new();
    for (turn, lines) in [
        (Turn::Asked, &mut waiting.asked),
        (Turn::Taken, &mut waiting.taken),
        (Turn::Elsewhere, &mut waiting.elsewhere),
        (Turn::Done, &mut waiting.done),
    ] {
        let list = board.take(turn);
        lines.more = list.more;
        for alert in &list.alerts {
            let Some(filed) = care.filed(&alert.circle)? else {
                continue;
            };
            let noted = list.answered.contains(&alert.record);
            let shown = || line(alert, &filed, noted, now_ms);
            let others = alert
                .alert
                .answers
                .iter()
                .filter(|answer| answer.by != *own);
            let latest = others.map(|answer| answer.at_ms).max();
            let latest = latest.filter(|at_ms| at_ms + ANSWERED_MS > now_ms);
            if let Some(at_ms) = latest.filter(|_| alert.by == *own) {
                answered.push((at_ms, shown()));
            }
            lines.lines.push(shown());
        }
    }
    answered.sort_by_key(|(at_ms, _)| std::cmp::Reverse(*at_ms));
    answered.truncate(ANSWERED);
    waiting.answered = answered.into_iter().map(|(_, line)| line).collect();
    Ok(waiting)
}

/// How grave it is: the class of its frame, the word on its flag, the flag's class.
pub(super) const fn gravity(severity: Severity) -> (&'static str, &'static str, &'static str) {
    match severity {
        Severity::High => ("m-alert--urgent", "Urgente", "m-flag--urgent"),
        Severity::Medium => ("m-alert--important", "Importante", "m-flag--important"),
        Severity::Low => ("", "À savoir", ""),
    }
}

/// « à traiter avant 16 h 00 », « échéance dépassée depuis 2 h »; empty where there is no moment, or it is closed.
pub(super) fn due(alert: &AlertView, now_ms: u64) -> String {
    let closed = alert.step == Some(AlertStep::Close);
    let Some(until) = alert.answer_by_ms.filter(|_| !closed) else {
        return String::new();
    };
    if until <= now_ms {
        let late = french::lasting(now_ms - until);
        return format!("échéance dépassée depuis {late}");
    }
    let until = french::moment(until, now_ms).said;
    // « avant 16 h 00 », and not « avant aujourd’hui à 16 h 00 ».
    let until = until.trim_start_matches("aujourd’hui à ");
    format!("à traiter avant {until}")
}

/// « Pour : CPTS des Falaises »: whom an alert asks; empty where it asks everybody.
pub(super) fn to(alert: &AlertView) -> String {
    let names: Vec<&str> = alert
        .addressees
        .iter()
        .map(|(_, name)| name.as_str())
        .collect();
    if names.is_empty() {
        return String::new();
    }
    format!("Pour\u{a0}: {}", names.join(", "))
}

fn line(alert: &AlertLine, filed: &Filed, noted: bool, now_ms: u64) -> Line {
    let (class, flag, flag_class) = gravity(alert.alert.severity);
    let by = [alert.by.as_str(), &alert.structure].into_iter();
    Line {
        address: address(&filed.circle),
        person: Person::of(&filed.identity, &today()),
        record: alert.record.to_string(),
        class,
        flag,
        flag_class,
        state: alert_state(&alert.alert, alert.written_ms, now_ms).words,
        due: due(&alert.alert, now_ms),
        to: to(&alert.alert),
        noted,
        text: if alert.text.is_empty() {
            "Alerte dont le texte n’est pas lisible ici".to_owned()
        } else {
            alert.text.clone()
        },
        by: by
            .filter(|part| !part.is_empty())
            .collect::<Vec<_>>()
            .join(", "),
        when: french::moment(alert.written_ms, now_ms),
    }
}

#[derive(Template)]
#[template(path = "alerts/page.html")]
struct Page<'a> {
    shell: Shell<'a>,
    waiting: Waiting,
    back: &'static str,
}

/// `GET /alertes`
pub(super) async fn page(
    State(site): State<Site>,
    From(arrival): From,
    who: Who,
) -> Result<Response, Problem> {
    let actor = who.professional()?;
    let page = Page {
        shell: Shell::of(&who, Place::Alerts, "Alertes"),
        waiting: waiting(&site, actor, arrival.now_ms).await?,
        back: "/alertes",
    };
    Ok(html(StatusCode::OK, &page))
}

/// `POST /dossiers/{file}/alerte/reponse`
pub(super) async fn answer(
    State(site): State<Site>,
    who: Who,
    Path(at): Path<String>,
    fields: Fields,
) -> Result<Response, Problem> {
    let actor = who.professional()?;
    let filed = file(&site, &at).ok_or_else(Problem::not_found)?;
    let alert = fields.word("alerte").parse();
    let alert = alert.map_err(|_| Problem::not_understood())?;
    let step = match fields.word("reponse") {
        "vue" => AlertStep::Acknowledge,
        "prise-en-charge" => AlertStep::TakeCharge,
        "close" => AlertStep::Close,
        _ => return Err(Problem::not_understood()),
    };
    let comment = fields.get("commentaire").trim().to_owned();
    if (step == AlertStep::Close && crate::signs::is_blank(&comment))
        || comment.chars().count() > 2_000
        || comment.len() > 4_096
    {
        return Err(Problem::no_outcome());
    }
    let care = &site.node.care;
    care.answer_alert_in(actor, filed.circle, alert, step, comment)
        .await?;
    let back = fields.word("retour");
    let own = format!("/dossiers/{at}");
    Ok(door::go(if back.is_empty() {
        &own
    } else {
        safe_return(back)
    }))
}
