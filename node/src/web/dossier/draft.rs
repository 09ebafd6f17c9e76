//! What somebody is writing and has not sent: the page's script keeps it on the node while they type, and the form shows it again.

use axum::{
    extract::{Path, State},
    http::StatusCode,
    response::{IntoResponse, Response},
};
use maillon_protocol::ids::{CircleId, ThingId};

use super::file;
use crate::{
    care::{Actor, CareError, Form},
    web::{
        Site,
        door::{self, Who},
        fields::Fields,
        french::{self, Moment},
        problem::Problem,
    },
};

/// Fields of the forms that are kept, and what those begin with that name a structure.
const KEPT: [&str; 4] = ["nature", "texte", "urgence", "gravite"];
const STRUCTURE: &str = "structure-";

/// A draft as a form shows it.
pub(super) struct Kept {
    /// What was typed.
    pub(super) fields: Fields,
    /// When it was written last.
    pub(super) when: Moment,
}

/// What somebody has begun in a form and not sent, where they may write there.
pub(super) fn kept(
    site: &Site,
    who: &Who,
    at: &str,
    form: Form,
    now_ms: u64,
) -> Result<Option<Kept>, Problem> {
    let actor = who.professional()?;
    let filed = file(site, at).ok_or_else(Problem::not_found)?;
    let unsent = site.node.care.unsent(actor, &filed.circle, form)?;
    Ok(unsent.map(|unsent| {
        let mut fields = Fields::default();
        for (name, value) in unsent.fields {
            fields.add(name, value);
        }
        Kept {
            fields,
            when: french::moment(unsent.written_ms, now_ms),
        }
    }))
}

/// What was begun was sent. That it stays until it is too old is no reason to say that the sending failed.
pub(super) async fn sent(site: &Site, actor: &Actor, circle: &CircleId, form: Form) {
    if let Err(error) = site.node.care.drop_unsent(actor, circle, form).await {
        tracing::warn!(%error, "a text that was sent is still kept as begun");
    }
}

/// `POST /dossiers/{file}/brouillon`: 204, or back to the form where it is to be dropped.
pub(in crate::web) async fn keep_draft(
    State(site): State<Site>,
    who: Who,
    Path(at): Path<String>,
    fields: Fields,
) -> Result<Response, Problem> {
    let actor = who.professional()?;
    let filed = file(&site, &at).ok_or_else(Problem::not_found)?;
    let answers = fields.word("reponse");
    let answered = match answers {
        "" => None,
        answered => Some(answered.parse::<ThingId>()),
    };
    let answered = answered
        .transpose()
        .map_err(|_| Problem::not_understood())?;
    let (form, page) = match fields.word("forme") {
        "note" => (Form::Note(answered), "note"),
        "alerte" => (Form::Alert, "alerte"),
        _ => return Err(Problem::not_understood()),
    };
    let care = &site.node.care;
    if fields.word("effacer") == "1" {
        care.drop_unsent(actor, &filed.circle, form).await?;
        let asked = if answers.is_empty() {
            String::new()
        } else {
            format!("?reponse={answers}")
        };
        return Ok(door::go(&format!("/dossiers/{at}/{page}{asked}")));
    }
    let kept = fields
        .all()
        .filter(|(name, _)| KEPT.contains(name) || name.starts_with(STRUCTURE));
    let kept = kept.map(|(name, value)| (name.to_owned(), value.to_owned()));
    match care
        .keep_unsent(actor, filed.circle, form, kept.collect())
        .await
    {
        Ok(()) => Ok(StatusCode::NO_CONTENT.into_response()),
        Err(CareError::Text(_)) => Err(Problem::too_large()),
        Err(error) => Err(error.into()),
    }
}
