//! Taking a document of one's own back.

use askama::Template;
use axum::{
    extract::{Path, State},
    response::Response,
};
use maillon_protocol::ids::RecordId;

use super::{Cover, Tab, amend::reason_fault, file, opened};
use crate::{
    care::Shown,
    web::{
        Site,
        door::{self, Who},
        fields::Fields,
        problem::Problem,
        shell::{self, Place, Shell},
    },
};

#[derive(Template)]
#[template(path = "dossier/withdraw.html")]
struct Page<'a> {
    shell: Shell<'a>,
    cover: Cover,
    document: RecordId,
    title: String,
    reason: &'a str,
    fault: &'static str,
}

async fn page(
    site: &Site,
    who: &Who,
    (at, document): (&str, RecordId),
    (reason, fault): (&str, &'static str),
) -> Result<Response, Problem> {
    let (filed, view) = opened(site, who, at, Shown::Form, None).await?;
    let care = &site.node.care;
    let stands = care.document_to_withdraw(who.professional()?, &filed.circle, &document)?;
    let stands = stands.ok_or_else(Problem::changed_meanwhile)?;
    let page = Page {
        shell: Shell::of(who, Place::Patients, "Retirer un document"),
        cover: Cover::new(&filed, &view, Tab::Documents),
        document,
        title: stands.title,
        reason,
        fault,
    };
    Ok(shell::form(!fault.is_empty(), &page))
}

/// `GET /dossiers/{file}/documents/{document}/retrait`
pub(in crate::web) async fn withdraw_form(
    State(site): State<Site>,
    who: Who,
    Path((at, document)): Path<(String, String)>,
) -> Result<Response, Problem> {
    let document = document.parse().map_err(|_| Problem::not_found())?;
    page(&site, &who, (&at, document), ("", "")).await
}

/// `POST /dossiers/{file}/documents/{document}/retrait`
pub(in crate::web) async fn withdraw(
    State(site): State<Site>,
    who: Who,
    Path((at, document)): Path<(String, String)>,
    fields: Fields,
) -> Result<Response, Problem> {
    let actor = who.professional()?;
    let document: RecordId = document.parse().map_err(|_| Problem::not_found())?;
    let filed = file(&site, &at).ok_or_else(Problem::not_found)?;
    let reason = fields.word("motif");
    let fault = reason_fault(reason, "Dites pourquoi vous le retirez.");
    if !fault.is_empty() {
        return page(&site, &who, (&at, document), (reason, fault)).await;
    }
    let care = &site.node.care;
    care.withdraw_document(actor, filed.circle, document, reason)
        .await?;
    Ok(door::go(&format!("/dossiers/{at}/documents?ecrit=retire")))
}
