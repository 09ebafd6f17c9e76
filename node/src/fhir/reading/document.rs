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

#[cfg(test)]
mod tests {
    use maillon_protocol::content::Content;
    use serde_json::json;

    use super::*;
    use crate::fhir::{ImportLimits, read};

    fn letter(hash: &str) -> crate::fhir::Import {
        let file = json!({"resourceType": "Bundle", "type": "transaction", "entry": [
            {"fullUrl": "urn:uuid:p", "resource": {"resourceType": "Patient", "name": [{"use": "official", "family": "Roy"}]}},
            {"fullUrl": "urn:uuid:b", "resource": {"resourceType": "Binary", "contentType": "application/pdf", "data": "JVBERi0xLjQ="}},
            {"fullUrl": "urn:uuid:d", "resource": {
                "resourceType": "DocumentReference", "status": "current", "subject": {"reference": "urn:uuid:p"},
                "type": {"coding": [{"system": "http://loinc.org", "code": "11490-0", "display": "Lettre de liaison à la sortie"}]},
                "securityLabel": [{"coding": [{"system": "http://terminology.hl7.org/CodeSystem/v3-Confidentiality", "code": "N"}]}],
                "content": [{"attachment": {"url": "urn:uuid:b", "size": 9, "hash": hash}}],
            }},
        ]});
        read(file.to_string().as_bytes(), &ImportLimits::default()).expect("goes in")
    }

    #[test]
    fn a_letter_whose_bytes_are_in_another_entry_comes_out_with_them() {
        // SHA-1 of the eight bytes, as `sha1sum` and base64 say it.
        let import = letter("GChKT9CWeATJoCy1voZ5i1RQkVM=");
        assert!(!import.report.warns(WarningKind::HashDiffers));
        assert!(
            letter("4h9xPErsmZB8D0ILu9TJlTwSjLQ=")
                .report
                .warns(WarningKind::HashDiffers)
        );
        assert!(letter("%").report.warns(WarningKind::HashDiffers));
        let item = &import.subjects[0].items[0];
        let Content::Document(document) = &item.content else {
            panic!("a document")
        };
        assert_eq!(document.title, "Lettre de liaison à la sortie");
        assert_eq!(
            document.type_code.as_ref().map(|code| &code.system),
            Some(&CodeSystem::DocumentType)
        );
        assert_eq!(document.confidentiality.len(), 1);
        assert_eq!(
            (
                item.attachments[0].media_type.as_str(),
                item.attachments[0].bytes.as_slice()
            ),
            ("application/pdf", b"%PDF-1.4" as &[u8])
        );
        assert!(import.report.warns(WarningKind::SizeDiffers));
    }
}
