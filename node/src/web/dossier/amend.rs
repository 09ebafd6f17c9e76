//! Correcting a note of one's own, or taking it back.

use std::collections::BTreeSet;

use askama::Template;
use axum::{
    extract::{Path, State},
    response::Response,
};
use maillon_protocol::ids::RecordId;

use super::{
    Cover, Tab, file,
    note::{Choice, KINDS, TEXT, choices},
    opened,
};
use crate::{
    care::{Amendment, Shown},
    web::{
        Site,
        door::{self, Who},
        fields::Fields,
        problem::Problem,
        shell::{self, Place, Shell},
    },
};

/// Characters of the reason for which something is taken back.
const WORDS: usize = 500;

/// What is wrong with the reason for which something is taken back; nothing where it can stand. `missing` asks for it.
pub(super) fn reason_fault(reason: &str, missing: &'static str) -> &'static str {
    match reason.chars().count() {
        _ if crate::signs::is_blank(reason) => missing,
        length if length > WORDS => "Ce motif a plus de 500 caractères\u{a0}: écrivez l’essentiel.",
        _ => "",
    }
}

#[derive(Template)]
#[template(path = "dossier/amend.html")]
struct Page<'a> {
    shell: Shell<'a>,
    cover: Cover,
    note: RecordId,
    kinds: Vec<Choice>,
    text: String,
    urgent: bool,
    /// Its files, and whether each of them stays.
    files: Vec<File>,
    reason: String,
    fault: &'static str,
    reason_fault: &'static str,
}

/// A file of the note.
struct File {
    name: String,
    stays: bool,
}

impl Page<'_> {
    /// A note keeps its kind in sight.
    const fn answers_something(&self) -> bool {
        false
    }

    const fn nature(&self) -> &'static str {
        ""
    }
}

/// The files that are to be left out, by their places.
fn without(typed: Option<&Fields>) -> BTreeSet<usize> {
    let names = typed
        .into_iter()
        .flat_map(|typed| typed.all().map(|(name, _)| name));
    let places = names.filter_map(|name| name.strip_prefix("sans-"));
    places.filter_map(|place| place.parse().ok()).collect()
}

async fn page(
    site: &Site,
    who: &Who,
    (at, note): (&str, RecordId),
    typed: Option<&Fields>,
    (fault, reason_fault): (&'static str, &'static str),
) -> Result<Response, Problem> {
    let (filed, view) = opened(site, who, at, Shown::Form, None).await?;
    let care = &site.node.care;
    let stands = care.note_to_amend(who.professional()?, &filed.circle, &note)?;
    let stands = stands.ok_or_else(Problem::changed_meanwhile)?;
    let own = KINDS.iter().find(|(_, kind)| *kind == stands.note);
    let own = own.map_or("", |(word, _)| *word);
    let word = |name: &str| typed.map(|typed| typed.get(name).to_owned());
    // The form that takes back has no kind and no text: the other keeps what stands.
    let correcting = typed.is_some_and(|typed| typed.word("geste") == "corriger");
    let page = Page {
        shell: Shell::of(who, Place::Patients, "Corriger une note"),
        cover: Cover::new(&filed, &view, Tab::Notebook),
        note,
        kinds: choices(&match word("nature") {
            Some(word) if correcting => word,
            _ => own.to_owned(),
        }),
        files: stands
            .attachments
            .iter()
            .zip(0_usize..)
            .map(|(one, place)| File {
                name: one.name.clone(),
                stays: !correcting || !without(typed).contains(&place),
            })
            .collect(),
        text: match word("texte") {
            Some(text) if correcting => text,
            _ => stands.text,
        },
        urgent: match word("urgence") {
            Some(word) if correcting => word == "1",
            _ => stands.emergency,
        },
        reason: word("motif").unwrap_or_default(),
        fault,
        reason_fault,
    };
    let wrong = !fault.is_empty() || !reason_fault.is_empty();
    Ok(shell::form(wrong, &page))
}

/// `GET /dossiers/{file}/note/{note}`
pub(in crate::web) async fn amend_form(
    State(site): State<Site>,
    who: Who,
    Path((at, note)): Path<(String, String)>,
) -> Result<Response, Problem> {
    let note = note.parse().map_err(|_| Problem::not_found())?;
    page(&site, &who, (&at, note), None, ("", "")).await
}

/// `POST /dossiers/{file}/note/{note}`
pub(in crate::web) async fn amend(
    State(site): State<Site>,
    who: Who,
    Path((at, note)): Path<(String, String)>,
    fields: Fields,
) -> Result<Response, Problem> {
    let actor = who.professional()?;
    let note: RecordId = note.parse().map_err(|_| Problem::not_found())?;
    let filed = file(&site, &at).ok_or_else(Problem::not_found)?;
    let again = async |fault, reason_fault| {
        page(
            &site,
            &who,
            (&at, note),
            Some(&fields),
            (fault, reason_fault),
        )
        .await
    };
    let (amendment, said) = match fields.word("geste") {
        "corriger" => {
            let text = fields.get("texte").replace("\r\n", "\n");
            let word = fields.word("nature");
            let Some((_, kind)) = KINDS.iter().find(|(value, _)| *value == word) else {
                return again("Choisissez la nature de la note.", "").await;
            };
            match text.len() {
                _ if crate::signs::is_blank(&text) => {
                    return again(
                        "Écrivez le texte corrigé. Pour enlever la note, retirez-la.",
                        "",
                    )
                    .await;
                }
                length if length > TEXT => {
                    return again("Cette note est trop longue\u{a0}: coupez-la en deux.", "").await;
                }
                _ => {}
            }
            let corrected = Amendment::Corrected {
                kind: *kind,
                text,
                emergency: fields.word("urgence") == "1",
                without: without(Some(&fields)),
            };
            (corrected, "corrigee")
        }
        "retirer" => {
            let reason = fields.word("motif");
            let fault = reason_fault(reason, "Dites pourquoi vous la retirez.");
            if !fault.is_empty() {
                return again("", fault).await;
            }
            (Amendment::Withdrawn(reason.to_owned()), "retiree")
        }
        _ => return Err(Problem::not_understood()),
    };
    let care = &site.node.care;
    care.amend_note(actor, filed.circle, note, amendment)
        .await?;
    Ok(door::go(&format!("/dossiers/{at}/carnet?ecrit={said}")))
}
