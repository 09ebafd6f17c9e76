//! A note of the liaison notebook (CDL profile of DocumentReference).

use maillon_protocol::{
    content::{Content, LiaisonNote, NoteKind, Professional},
    limits::within,
};

use super::{attachment, parties::as_author, people::People, time};
use crate::fhir::{
    Cause, ImportLimits, Item,
    report::{KeptReason, RefusedReason, WarningKind},
    source::{At, Resource, Source, Target},
};

const NOTE_TYPES: &str = "https://mos.esante.gouv.fr/NOS/TRE_R234-";
const PROFILE: &str =
    "https://interop.esante.gouv.fr/ig/fhir/cdl/StructureDefinition/cdl-document-reference";
const EMERGENCY: &str =
    "https://interop.esante.gouv.fr/ig/fhir/cdl/StructureDefinition/cdl-ext-is-emergency";

/// Whether a DocumentReference is a note: its type is of the notes' list, or it says that it follows the notes' profile.
pub(crate) fn is_note(at: At<'_>) -> bool {
    let profiles = at
        .get("meta")
        .map(|meta| meta.peek_texts("profile"))
        .unwrap_or_default();
    note_type(at).is_some()
        || profiles
            .iter()
            .any(|profile| profile.split('|').next() == Some(PROFILE))
}

fn note_type(at: At<'_>) -> Option<At<'_>> {
    let codings = at.object("type")?.list("coding");
    codings.into_iter().find(|coding| {
        coding
            .peek("system")
            .is_some_and(|system| system.starts_with(NOTE_TYPES))
    })
}

/// Reads a note. `patient` is the place of its patient's resource.
pub(crate) fn note<'a>(
    source: &Source<'a>,
    of: &Resource<'a>,
    patient: Option<usize>,
    limits: &ImportLimits,
) -> Option<Item> {
    let at = of.at;
    let kind = kind(at);
    let written_by = authors(source, of, patient);
    let (text, attachments) = content(source, of, limits);
    let (parent, replaces) = related(source, of);
    at.keep_at("description", KeptReason::SaidElsewhere);
    at.warn_at("securityLabel", WarningKind::VisibilityNotCarried);
    let occurred_ms = occurred(at);
    let emergencies = at.extensions(EMERGENCY);
    let emergency = emergencies
        .iter()
        .any(|extension| extension.flag("valueBoolean") == Some(true));
    emergencies
        .iter()
        .for_each(|extension| extension.map_at("valueBoolean"));
    Some(Item {
        source_key: of.key(),
        parent,
        replaces,
        occurred_ms,
        content: Content::LiaisonNote(LiaisonNote {
            note: kind?,
            text,
            emergency,
            written_by,
            attachments: Vec::new(),
            withdrawn: withdrawn(at),
        }),
        attachments,
    })
}

fn kind(at: At<'_>) -> Option<NoteKind> {
    let Some(coding) = note_type(at) else {
        at.get("type").unwrap_or(at).problem(Cause::Missing);
        return None;
    };
    let kind = coding.peek("code").and_then(NoteKind::from_code);
    match kind {
        Some(_) => coding.map(),
        None => coding.problem(Cause::UnknownCode),
    }
    kind
}

/// Everybody who wrote it. A practitioner who is also named in a role is that role. A note by nobody would look as if whoever
/// imports it had written it: that is a problem.
fn authors<'a>(
    source: &Source<'a>,
    of: &Resource<'a>,
    patient: Option<usize>,
) -> Vec<Professional> {
    let people = People { source };
    let mut authors: Vec<(String, bool, Professional)> = Vec::new();
    for reference in of.at.list("author") {
        let Some(found) = people.party(of, reference, patient) else {
            if reference.peek("reference").is_some() || reference.get("identifier").is_some() {
                reference.warn(WarningKind::NotInFile);
            }
            continue;
        };
        let (key, bare) = (found.key, found.bare);
        let author = as_author(found.party);
        let same = |other: &String| !key.is_empty() && *other == key;
        match authors.iter_mut().find(|(other, ..)| same(other)) {
            // The same person again: the one in a role stays; two roles in two structures are two.
            Some((_, known_bare, known)) if *known_bare => (*known_bare, *known) = (bare, author),
            Some((_, _, known)) if bare || *known == author => {}
            _ => authors.push((key, bare, author)),
        }
    }
    let authors: Vec<Professional> = authors
        .into_iter()
        .map(|(.., author)| author)
        .filter(|author| !author.name.is_empty() || !author.identifiers.is_empty())
        .collect();
    if authors.is_empty() {
        let cause = if of.at.get("author").is_some() {
            Cause::NoAuthor
        } else {
            Cause::Missing
        };
        of.at.get("author").unwrap_or(of.at).problem(cause);
    }
    authors
}

/// The text, plain pieces one after the other, and the other files.
fn content<'a>(
    source: &Source<'a>,
    of: &Resource<'a>,
    limits: &ImportLimits,
) -> (String, Vec<crate::fhir::AttachmentBytes>) {
    let (pieces, links) = attachment::pieces(source, of);
    let (mut texts, mut files) = (Vec::new(), Vec::new());
    for (at, piece) in pieces {
        match piece.text(at) {
            Some(text) => {
                // A title says what the text is about and has no other place in a note.
                texts.extend(at.text("title").map(str::to_owned));
                texts.push(text);
            }
            None => files.push(piece.file),
        }
    }
    let mut text = texts.join("\n\n");
    if text.trim().is_empty() {
        text = of.at.text("description").unwrap_or_default().to_owned();
    }
    if text.is_empty() && files.is_empty() && !links {
        of.at
            .get("content")
            .unwrap_or(of.at)
            .problem(Cause::NothingToRead);
    }
    let limit = within(
        "the text of a note in bytes",
        text.len() as u64,
        limits.string as u64,
    );
    limit.unwrap_or_else(|limit| of.at.get("content").unwrap_or(of.at).problem(limit.into()));
    (text, files)
}

/// The note that this one answers (`appends`), and the one that it replaces.
pub(crate) fn related<'a>(
    source: &Source<'a>,
    of: &Resource<'a>,
) -> (Option<String>, Option<String>) {
    let (mut parent, mut replaces) = (None, None);
    for relation in of.at.list("relatesTo") {
        let place = match relation.peek("code") {
            Some("appends") => &mut parent,
            Some("replaces") => &mut replaces,
            _ => continue,
        };
        let Some(reference) = relation.object("target") else {
            relation.problem(Cause::Missing);
            continue;
        };
        let key = match source.follow(of, reference) {
            Target::Here(other) if other.kind == of.kind => other.key(),
            Target::Here(_) => {
                reference.problem(Cause::WrongTarget);
                continue;
            }
            Target::Elsewhere(key, _) if !key.is_empty() => {
                reference.map_at("reference");
                key
            }
            _ => continue,
        };
        if place.is_none() {
            relation.map_at("code");
            if relation.peek("code") == Some("replaces") {
                relation.warn(WarningKind::Replaces);
            }
            *place = Some(key);
        }
    }
    (parent, replaces)
}

/// When it was written: its date, else the creation of its first piece, else the last change at the source.
pub(crate) fn occurred(at: At<'_>) -> Option<u64> {
    let creation = || {
        let first = at
            .list("content")
            .into_iter()
            .find_map(|content| content.object("attachment"))?;
        let ms = time::instant_ms(first.peek("creation")?)?;
        first.map_at("creation");
        Some(ms)
    };
    time::instant_at(at, "date")
        .or_else(creation)
        .or_else(|| time::last_updated(at))
}

/// Why it no longer stands, as the source's status says; empty while it stands.
pub(crate) fn withdrawn(at: At<'_>) -> String {
    let reason = match at.peek("status") {
        Some("current") => "",
        Some("superseded") => "Remplacé, d'après le logiciel d'origine",
        Some("entered-in-error") => "Saisi par erreur, d'après le logiciel d'origine",
        Some(_) => {
            at.get("status")
                .unwrap_or(at)
                .refuse(RefusedReason::UnknownCode);
            return String::new();
        }
        None => {
            at.problem(Cause::Missing);
            return String::new();
        }
    };
    at.map_at("status");
    reason.to_owned()
}

#[cfg(test)]
mod tests;
