//! Any other DocumentReference: a document with its files.

use maillon_protocol::content::{CodeSystem, Content, Document};

use super::{attachment, note};
use crate::fhir::{
    Cause, Item, codes,
    report::{KeptReason, WarningKind},
    source::{Resource, Source},
};

/// Reads a document.
pub(crate) fn document<'a>(source: &Source<'a>, of: &Resource<'a>) -> Item {
    let at = of.at;
    let type_code = at
        .object("type")
        .and_then(|concept| codes::code(concept, &[CodeSystem::DocumentType]));
    let labels = at.list("securityLabel");
    let confidentiality = labels
        .into_iter()
        .filter_map(|label| codes::code(label, &[CodeSystem::Confidentiality]))
        .collect();
    let (pieces, links) = attachment::pieces(source, of);
    if pieces.is_empty() && !links {
        at.get("content")
            .unwrap_or(at)
            .problem(Cause::NothingToRead);
    }
    let titled = pieces.iter().find_map(|(at, _)| at.peek("title"));
    let title = at
        .text("description")
        .or(titled)
        .map(str::to_owned)
        .or_else(|| {
            type_code
                .as_ref()
                .map(|code| code.label.clone())
                .filter(|label| !label.is_empty())
        })
        .unwrap_or_else(|| "Document".to_owned());
    at.warn_at("author", WarningKind::AuthorNotCarried);
    for author in at.list("author") {
        // Whoever wrote it counts as used, so that the report does not call them forgotten.
        if let crate::fhir::source::Target::Here(resource) = source.follow(of, author) {
            resource.at.keep(KeptReason::NoPlace);
        }
        author.keep(KeptReason::NoPlace);
    }
    let (_, replaces) = note::related(source, of);
    Item {
        source_key: of.key(),
        parent: None,
        replaces,
        occurred_ms: note::occurred(at),
        content: Content::Document(Document {
            title,
            type_code,
            confidentiality,
            attachments: Vec::new(),
            withdrawn: note::withdrawn(at),
        }),
        attachments: pieces.into_iter().map(|(_, piece)| piece.file).collect(),
    }
}
