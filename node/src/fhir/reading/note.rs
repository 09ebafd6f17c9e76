//! A note of the liaison notebook (CDL profile of DocumentReference).

use maillon_protocol::{
    content::{Content, LiaisonNote, NoteKind, Professional},
    limits::within,
};

use super::{
    attachment,
    people::{People, as_author},
    time,
};
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
mod tests {
    use serde_json::{Value, json};

    use super::*;
    use crate::fhir::{Import, ImportError, read};

    fn a_note() -> Value {
        json!({
            "resourceType": "DocumentReference", "id": "n1", "status": "current",
            "type": {"coding": [{"system": "https://mos.esante.gouv.fr/NOS/TRE_R234-TypeNote/FHIR/TRE-R234-TypeNote", "code": "GEN"}]},
            "subject": {"reference": "Patient/1"}, "date": "2026-01-05T10:00:00+01:00",
            "author": [{"reference": "Practitioner/7", "display": "Karim Benali"}],
            "content": [{"attachment": {"contentType": "text/plain", "data": "UGFzc2FnZSBmYWl0Lg=="}}],
        })
    }

    fn taken(file: &Value) -> Import {
        let limits = ImportLimits::default();
        read(file.to_string().as_bytes(), &limits)
            .unwrap_or_else(|error| panic!("goes in: {error}"))
    }

    fn refused(file: &Value) -> Vec<Cause> {
        match read(file.to_string().as_bytes(), &ImportLimits::default()) {
            Err(ImportError::Refused(problems)) => {
                problems.iter().map(|problem| problem.cause).collect()
            }
            other => panic!("refused: {other:?}"),
        }
    }

    fn first(import: &Import) -> (&Item, &LiaisonNote) {
        let item = &import.subjects[0].items[0];
        match &item.content {
            Content::LiaisonNote(note) => (item, note),
            other => panic!("a note: {other:?}"),
        }
    }

    #[test]
    fn an_answer_names_its_note_and_a_replacement_names_what_it_replaces() {
        let mut file = a_note();
        file["relatesTo"] = json!([
            {"code": "appends", "target": {"reference": "https://serveur.example/fhir/DocumentReference/n0/_history/3"}},
            {"code": "replaces", "target": {"reference": "DocumentReference/brouillon"}},
        ]);
        let import = taken(&file);
        let item = first(&import).0;
        assert_eq!(item.parent.as_deref(), Some("DocumentReference/n0"));
        assert_eq!(
            item.replaces.as_deref(),
            Some("DocumentReference/brouillon")
        );
        assert!(import.report.warns(WarningKind::Replaces));
    }

    #[test]
    fn an_answer_that_stands_before_its_note_comes_out_after_it_and_a_ring_is_cut() {
        let entry = |id: &str, to: &str| {
            let mut note = a_note();
            note["id"] = id.into();
            note["relatesTo"] = json!([{"code": "appends", "target": {"reference": format!("DocumentReference/{to}")}}]);
            json!({"resource": note})
        };
        let patient = json!({"resource": {"resourceType": "Patient", "id": "1", "name": [{"use": "official", "family": "Roy"}]}});
        let bundle = |entries: Value| json!({"resourceType": "Bundle", "type": "transaction", "entry": entries});
        let keys = |import: &Import| -> Vec<_> {
            import.subjects[0]
                .items
                .iter()
                .map(|item| (item.source_key.clone(), item.parent.clone()))
                .collect()
        };
        let line = |id: &str, parent: Option<&str>| {
            (
                format!("DocumentReference/{id}"),
                parent.map(|id| format!("DocumentReference/{id}")),
            )
        };
        let import = taken(&bundle(json!([patient, entry("c", "b"), entry("b", "a")])));
        assert_eq!(keys(&import), [line("b", Some("a")), line("c", Some("b"))]);
        let import = taken(&bundle(json!([patient, entry("a", "b"), entry("b", "a")])));
        assert_eq!(keys(&import), [line("a", None), line("b", Some("a"))]);
        assert!(import.report.warns(WarningKind::AnswersInARing));
    }

    #[test]
    fn a_note_that_nobody_wrote_does_not_go_in_as_if_the_importer_had_written_it() {
        let mut file = a_note();
        file["author"] = json!([{"reference": "Practitioner/7"}]);
        assert_eq!(refused(&file), [Cause::NoAuthor]);
        file["author"] = Value::Null;
        assert_eq!(refused(&file), [Cause::Missing]);
    }

    #[test]
    fn a_note_by_a_relative_or_by_the_patient_says_what_they_are() {
        let mut file = a_note();
        file["contained"] = json!([{
            "resourceType": "RelatedPerson", "id": "fille", "name": [{"family": "Roy", "given": ["Claire"]}],
            "relationship": [{"coding": [{"system": "https://mos.esante.gouv.fr/NOS/TRE_R260-HL7RoleClass/FHIR/TRE-R260-HL7RoleClass", "code": "CAREGIVER"}]}],
        }]);
        file["author"] =
            json!([{"reference": "#fille"}, {"reference": "Patient/1", "display": "Jeanne Roy"}]);
        let import = taken(&file);
        let authors: Vec<_> = first(&import)
            .1
            .written_by
            .iter()
            .map(|author| {
                (
                    author.name.as_str(),
                    author.profession.as_ref().map(|code| code.code.as_str()),
                )
            })
            .collect();
        assert_eq!(
            authors,
            [
                ("Claire Roy", Some("CAREGIVER")),
                ("Jeanne Roy", Some("PAT"))
            ]
        );
    }

    #[test]
    fn a_link_is_not_followed_and_a_note_with_nothing_at_all_is_refused() {
        let mut file = a_note();
        file["content"] = json!([{"attachment": {"contentType": "text/plain", "url": "https://serveur.example/Binary/1"}}]);
        let import = taken(&file);
        assert!(import.report.warns(WarningKind::LinkNotFollowed));
        file["content"] = json!([{"attachment": {"contentType": "text/plain"}}]);
        assert_eq!(refused(&file), [Cause::NothingToRead]);
        file["content"] =
            json!([{"attachment": {"contentType": "text/plain", "data": "pas du base64"}}]);
        assert!(refused(&file).contains(&Cause::NotBase64));
    }

    #[test]
    fn a_kind_of_note_outside_the_national_list_is_refused_and_a_note_withdrawn_at_the_source_is_withdrawn_here()
     {
        let mut file = a_note();
        file["status"] = "entered-in-error".into();
        assert!(
            first(&taken(&file))
                .1
                .withdrawn
                .starts_with("Saisi par erreur")
        );
        file["type"]["coding"][0]["code"] = "AUTRE".into();
        assert_eq!(refused(&file), [Cause::UnknownCode]);
    }

    #[test]
    fn what_may_turn_the_meaning_around_is_not_guessed() {
        let mut file = a_note();
        file["modifierExtension"] =
            json!([{"url": "https://exemple.fr/negation", "valueBoolean": true}]);
        assert_eq!(refused(&file), [Cause::UnknownModifier]);
    }

    #[test]
    fn a_note_about_nobody_who_could_be_known_says_to_bring_the_patient() {
        let mut file = a_note();
        file["subject"] = json!({"display": "Mme Roy"});
        assert_eq!(refused(&file), [Cause::NoPatient]);
        assert!(
            Cause::NoPatient
                .remedy()
                .contains("together with its patient")
        );
        // A national number is no key: nobody has checked it yet.
        file["subject"] = json!({"type": "Patient", "identifier": {"system": "urn:oid:1.2.250.1.213.1.4.8", "value": "123456789012244"}});
        assert_eq!(refused(&file), [Cause::NoPatient]);
        file["subject"] = json!({"type": "Patient", "identifier": {"system": "https://ch.example/ipp", "value": "42"}});
        assert_eq!(taken(&file).subjects[0].key, "https://ch.example/ipp|42");
    }
}
