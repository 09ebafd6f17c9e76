//! The star of a file: whether its reader looks for it first.

use axum::{
    extract::{Path, State},
    response::Response,
};

use super::file;
use crate::web::{
    Site,
    door::{self, Who, safe_return},
    fields::Fields,
    problem::Problem,
};

/// `POST /dossiers/{file}/favori`
pub(in crate::web) async fn choose(
    State(site): State<Site>,
    who: Who,
    Path(at): Path<String>,
    fields: Fields,
) -> Result<Response, Problem> {
    let actor = who.professional()?;
    let filed = file(&site, &at).ok_or_else(Problem::not_found)?;
    let chosen = match fields.word("favori") {
        "oui" => true,
        "non" => false,
        _ => return Err(Problem::not_understood()),
    };
    site.node.care.choose(actor, filed.circle, chosen).await?;
    Ok(door::go(safe_return(fields.word("retour"))))
}
