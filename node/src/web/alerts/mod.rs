//! Alerts that wait for an answer, and the answers.

use askama::Template;
use axum::{
    extract::{Path, State},
    http::StatusCode,
    response::Response,
};
use maillon_protocol::{
    admin::AlertLine,
    content::{AlertStep, Severity},
};

use super::{
    Site,
    door::{self, From, Who, safe_return},
    dossier::{address, file},
    fields::Fields,
    french::{self, Moment},
    person::Person,
    problem::Problem,
    shell::{Place, Shell, html},
};
use crate::{
    care::{Actor, CareError},
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
    /// « Sans réponse depuis 2 h ».
    pub(super) age: String,
    /// « à traiter avant 16 h 00 »; empty where there is no moment.
    pub(super) due: String,
    /// Whether somebody has answered already.
    pub(super) answered: bool,
    pub(super) text: String,
    pub(super) by: String,
    pub(super) when: Moment,
}

/// The alerts that wait for somebody, as pages show them.
pub(super) async fn waiting(site: &Site, actor: &Actor, now_ms: u64) -> Result<Waiting, Problem> {
    let care = &site.node.care;
    let mut waiting = Waiting {
        partial: !care.knows_everybody(),
        ..Waiting::default()
    };
    let page = match care.alerts_to_answer(actor, now_ms).await {
        Ok(page) => page,
        // Whoever may not read alerts has none.
        Err(CareError::NotReadable(_)) => return Ok(waiting),
        Err(error) => return Err(error.into()),
    };
    waiting.more = page.next.is_some();
    let today = today();
    for alert in page.alerts {
        let Some(filed) = care.filed(&alert.circle)? else {
            continue;
        };
        let person = Person::of(&filed.identity, &today);
        let sent = care.others_answer(&alert);
        let line = line(alert, person, address(&filed.circle), now_ms);
        if sent {
            waiting.sent.push(line);
        } else {
            waiting.asked.push(line);
        }
    }
    Ok(waiting)
}

/// The alerts without an answer in the files that somebody follows.
#[derive(Default)]
pub(super) struct Waiting {
    /// Those that their structure is to answer.
    pub(super) asked: Vec<Line>,
    /// Those that their structure has sent, and others are to answer.
    pub(super) sent: Vec<Line>,
    /// There are more.
    pub(super) more: bool,
    /// The node has just started: there may be more.
    pub(super) partial: bool,
}

fn line(alert: AlertLine, person: Person, address: String, now_ms: u64) -> Line {
    let (class, flag, flag_class) = match alert.alert.severity {
        Severity::High => ("m-alert--urgent", "Urgente", "m-flag--urgent"),
        Severity::Medium => ("m-alert--important", "Importante", "m-flag--important"),
        Severity::Low => ("", "À savoir", ""),
    };
    let since = french::lasting(now_ms.saturating_sub(alert.written_ms));
    let due = alert.alert.answer_by_ms.map(|until| {
        if until <= now_ms {
            let late = french::lasting(now_ms - until);
            return format!("échéance dépassée depuis {late}");
        }
        let until = french::moment(until, now_ms).said;
        // « avant 16 h 00 », and not « avant aujourd’hui à 16 h 00 ».
        let until = until.trim_start_matches("aujourd’hui à ");
        format!("à traiter avant {until}")
    });
    let by = [alert.by, alert.structure].into_iter();
    Line {
        address,
        person,
        record: alert.record.to_string(),
        class,
        flag,
        flag_class,
        age: match alert.alert.step {
            None => format!("Sans réponse depuis {since}"),
            Some(AlertStep::TakeCharge) => "Prise en charge".to_owned(),
            Some(_) => "Quelqu’un en a pris connaissance".to_owned(),
        },
        due: due.unwrap_or_default(),
        answered: alert.alert.step.is_some(),
        text: if alert.text.is_empty() {
            "Alerte dont le texte n’est pas lisible ici".to_owned()
        } else {
            alert.text
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
    if (step == AlertStep::Close && comment.is_empty()) || comment.len() > 4096 {
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
