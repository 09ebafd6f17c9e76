//! Raising an alert.

use askama::Template;
use axum::{
    extract::{Path, Request, State},
    response::Response,
};
use maillon_protocol::{
    content::{Alert, Severity},
    ids::NodeId,
};

use super::{Cover, Tab, draft, file, opened};
use crate::{
    care::{CareError, Category, Form, Shown},
    web::{
        Site,
        door::{self, From, Who},
        fields::Fields,
        french::Moment,
        problem::Problem,
        shell::{self, Place, Shell},
        upload,
    },
};

/// Characters of an alert.
const TEXT: usize = 2000;
const HOUR_MS: u64 = 3_600_000;

/// The severities: the word in the form, what it means, within which time an answer is awaited.
const SEVERITIES: [(&str, Severity, u64); 3] = [
    ("urgente", Severity::High, 2 * HOUR_MS),
    ("importante", Severity::Medium, 24 * HOUR_MS),
    ("savoir", Severity::Low, 0),
];

/// A structure that may be asked.
struct Structure {
    /// The field's name.
    field: String,
    name: String,
    chosen: bool,
}

#[derive(Template)]
#[template(path = "dossier/alert.html")]
struct Page<'a> {
    shell: Shell<'a>,
    cover: Cover,
    severity: String,
    text: String,
    structures: Vec<Structure>,
    fault: &'static str,
    file_fault: &'static str,
    /// When what stands in the form was written, where it was begun before.
    begun: Option<Moment>,
}

impl Page<'_> {
    fn is(&self, severity: &str) -> bool {
        self.severity == severity
    }
}

/// The field in which a structure is chosen.
fn field(node: &NodeId) -> String {
    format!("structure-{node}")
}

async fn page(
    site: &Site,
    who: &Who,
    at: &str,
    (typed, begun): (Option<&Fields>, Option<Moment>),
    fault: &'static str,
    file_fault: &'static str,
) -> Result<Response, Problem> {
    let wrong = !fault.is_empty() || !file_fault.is_empty();
    let (filed, view) = opened(site, who, at, Shown::Alerts, None).await?;
    let cover = Cover::new(&filed, &view, Tab::Summary);
    // What was typed is shown, whatever became of the file meanwhile.
    if !cover.writes && !wrong {
        return Err(if filed.ended {
            Problem::ended()
        } else {
            Problem::not_allowed()
        });
    }
    let own = site.node.ledger.shared().own();
    let members = view.circle.members.iter().filter(|member| !member.left);
    let others = members.filter(|member| member.node != own);
    let chosen = |field: &str| typed.is_some_and(|typed| typed.word(field) == "1");
    let word = |name: &str| typed.map_or("", |typed| typed.get(name)).to_owned();
    let severity = word("gravite");
    let page = Page {
        shell: Shell::of(who, Place::Patients, "Lancer une alerte"),
        severity: if severity.is_empty() {
            "urgente".to_owned()
        } else {
            severity
        },
        text: word("texte"),
        structures: others
            .map(|member| {
                let field = field(&member.node);
                Structure {
                    chosen: chosen(&field),
                    name: member.structure.clone(),
                    field,
                }
            })
            .collect(),
        cover,
        fault,
        file_fault,
        begun,
    };
    Ok(shell::form(wrong, &page))
}

/// `GET /dossiers/{file}/alerte`
pub(in crate::web) async fn alert_form(
    State(site): State<Site>,
    From(arrival): From,
    who: Who,
    Path(at): Path<String>,
) -> Result<Response, Problem> {
    let kept = draft::kept(&site, &who, &at, Form::Alert, arrival.now_ms)?;
    let (typed, begun) = kept.map(|kept| (kept.fields, kept.when)).unzip();
    page(&site, &who, &at, (typed.as_ref(), begun), "", "").await
}

/// `POST /dossiers/{file}/alerte`
pub(in crate::web) async fn raise_alert(
    State(site): State<Site>,
    From(arrival): From,
    who: Who,
    Path(at): Path<String>,
    request: Request,
) -> Result<Response, Problem> {
    let actor = who.professional()?;
    let filed = file(&site, &at).ok_or_else(Problem::not_found)?;
    let others = site.node.care.others_in(actor, &filed.circle)?.into_iter();
    let mut sent = upload::read(&site, request, actor, filed.circle, Category::Messages).await?;
    let fields = &sent.fields;
    let severity = fields.word("gravite");
    let severity = SEVERITIES.into_iter().find(|(word, ..)| *word == severity);
    let text = fields.get("texte").replace("\r\n", "\n");
    let fault = match text.trim().chars().count() {
        _ if crate::signs::is_blank(&text) => {
            "Écrivez ce que vous avez vu et ce que vous demandez."
        }
        length if length > TEXT => {
            "Cette alerte a plus de 2\u{a0}000 caractères\u{a0}: écrivez l’essentiel, la suite ira dans une note."
        }
        _ => "",
    };
    let whole = fault.is_empty() && sent.fault.is_empty();
    let Some((_, severity, within_ms)) = severity.filter(|_| whole) else {
        let again = sent.give_up(&site).await;
        if severity.is_none() {
            return Err(Problem::not_understood());
        }
        return page(&site, &who, &at, (Some(&sent.fields), None), fault, again).await;
    };
    let chosen = others.filter(|node| fields.word(&field(node)) == "1");
    let alert = Alert {
        severity,
        text: text.trim().to_owned(),
        addressees: chosen.collect(),
        answer_by_ms: match within_ms {
            0 => 0,
            within_ms => arrival.now_ms + within_ms,
        },
    };
    // Its moment moves with the clock.
    let said = maillon_protocol::cbor::encode(&Alert {
        answer_by_ms: within_ms,
        ..alert.clone()
    });
    let name = sent.file.as_ref().map_or("", |file| file.name.as_str());
    let turn = site
        .sent
        .turn(&[
            &who.account().id.0,
            &filed.circle.0,
            b"alert",
            &said,
            name.as_bytes(),
        ])
        .await;
    if let Some(led) = turn.led() {
        let again = door::go(led);
        sent.give_up(&site).await;
        site.node.care.may_tell(actor, &filed.circle)?;
        return Ok(again);
    }
    let file = sent.file.take();
    let chosen = file.is_some();
    let again = if chosen { upload::AGAIN } else { "" };
    let care = &site.node.care;
    match care.send_alert_with(actor, filed.circle, alert, file).await {
        Ok(_) => {
            draft::sent(&site, actor, &filed.circle, Form::Alert).await;
            let to = format!("/dossiers/{at}?fil=alertes&ecrit=alerte");
            turn.leads(&to);
            Ok(door::go(&to))
        }
        Err(CareError::Commit(error)) => {
            tracing::error!(%error, "an alert was not kept");
            let fault = "L’alerte n’est pas partie\u{a0}: rien ne peut être enregistré en ce moment. Appelez vous-même les personnes à prévenir, puis votre administrateur.";
            page(&site, &who, &at, (Some(&sent.fields), None), fault, again).await
        }
        Err(CareError::Write(error)) => {
            tracing::warn!(%error, "an alert could not be written");
            let fault = "L’alerte n’est pas partie\u{a0}: on ne peut plus écrire ici dans ce dossier. Appelez vous-même les personnes à prévenir.";
            page(&site, &who, &at, (Some(&sent.fields), None), fault, again).await
        }
        Err(error) if chosen => {
            let fault = upload::fault(error)?;
            page(&site, &who, &at, (Some(&sent.fields), None), "", fault).await
        }
        Err(error) => Err(error.into()),
    }
}
