//! Breaking the glass: whoever must act and is not in the team says why, and opens the file for an hour.

use askama::Template;
use axum::{
    extract::{Path, State},
    response::Response,
};

use super::{address, file};
use crate::{
    care::{Filed, GlassReason},
    clock::today,
    web::{
        Site,
        door::{self, Who},
        fields::Fields,
        person::Person,
        problem::Problem,
        shell::{self, Place, Shell},
    },
};

/// Characters of the reason in words.
const WORDS: usize = 500;

/// The reasons: the word in the form, what it says, which one it is.
const REASONS: [(&str, &str, GlassReason); 3] = [
    (
        "danger",
        "La personne est en danger, je dois agir",
        GlassReason::Danger,
    ),
    (
        "remplacement",
        "Je remplace un membre de l’équipe, absent",
        GlassReason::Replacement,
    ),
    (
        "demande",
        "La personne me le demande, elle est devant moi",
        GlassReason::Asked,
    ),
];

#[derive(Template)]
#[template(path = "dossier/glass.html")]
struct Page<'a> {
    shell: Shell<'a>,
    address: String,
    person: Person,
    /// The word, what it says, whether it is chosen.
    reasons: Vec<(&'static str, &'static str, bool)>,
    words: String,
    reason_fault: &'static str,
    words_fault: &'static str,
}

fn page(
    who: &Who,
    filed: &Filed,
    (reason, words): (&str, &str),
    (reason_fault, words_fault): (&'static str, &'static str),
) -> Response {
    let page = Page {
        shell: Shell::of(who, Place::Patients, "Accès exceptionnel"),
        address: address(&filed.circle),
        person: Person::of(&filed.identity, &today()),
        reasons: REASONS
            .map(|(word, said, _)| (word, said, word == reason))
            .into(),
        words: words.to_owned(),
        reason_fault,
        words_fault,
    };
    let wrong = !reason_fault.is_empty() || !words_fault.is_empty();
    shell::form(wrong, &page)
}

/// `GET /dossiers/{file}/acces-exceptionnel`
pub(in crate::web) async fn glass_form(
    State(site): State<Site>,
    who: Who,
    Path(at): Path<String>,
) -> Result<Response, Problem> {
    let actor = who.professional()?;
    let care = &site.node.care;
    care.may_find(actor)?;
    let filed = file(&site, &at).ok_or_else(Problem::not_found)?;
    if care.opens(actor, &filed.circle)? {
        return Ok(door::go(&format!("/dossiers/{at}")));
    }
    Ok(page(&who, &filed, ("", ""), ("", "")))
}

/// `POST /dossiers/{file}/acces-exceptionnel`
pub(in crate::web) async fn break_it(
    State(site): State<Site>,
    who: Who,
    Path(at): Path<String>,
    fields: Fields,
) -> Result<Response, Problem> {
    let actor = who.professional()?;
    let care = &site.node.care;
    care.may_find(actor)?;
    let filed = file(&site, &at).ok_or_else(Problem::not_found)?;
    let back = door::go(&format!("/dossiers/{at}"));
    if care.opens(actor, &filed.circle)? {
        return Ok(back);
    }
    let (word, words) = (fields.word("motif"), fields.get("raison"));
    let reason = REASONS.iter().find(|(one, ..)| *one == word);
    let reason_fault = if reason.is_some() {
        ""
    } else {
        "Choisissez pourquoi vous ouvrez ce dossier."
    };
    let words_fault = match words.trim().chars().count() {
        _ if crate::signs::is_blank(words) => "Écrivez en quelques mots ce qui se passe.",
        length if length > WORDS => {
            "Cette raison a plus de 500 caractères\u{a0}: écrivez l’essentiel."
        }
        _ => "",
    };
    match reason {
        Some((.., reason)) if words_fault.is_empty() => {
            care.break_glass(actor, filed.circle, *reason, words)
                .await?;
            Ok(back)
        }
        _ => Ok(page(
            &who,
            &filed,
            (word, words),
            (reason_fault, words_fault),
        )),
    }
}
