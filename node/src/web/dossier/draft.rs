//! What somebody is writing and has not sent: the page's script keeps it on the node while they type, and the form shows it again.

use std::collections::BTreeMap;

use axum::{
    extract::{Path, State},
    http::StatusCode,
    response::{IntoResponse, Response},
};
use maillon_protocol::ids::ThingId;

use super::file;
use crate::{
    care::{Form, Unsent},
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
    fields: BTreeMap<String, String>,
    /// When it was written last.
    pub(super) when: Moment,
}

impl Kept {
    pub(super) fn of(unsent: Unsent, now_ms: u64) -> Self {
        Self {
            when: french::moment(unsent.written_ms, now_ms),
            fields: unsent.fields,
        }
    }

    /// What was typed into a field.
    pub(super) fn get(&self, name: &str) -> &str {
        self.fields.get(name).map_or("", String::as_str)
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
    care.keep_unsent(actor, filed.circle, form, kept.collect())
        .await?;
    Ok(StatusCode::NO_CONTENT.into_response())
}
