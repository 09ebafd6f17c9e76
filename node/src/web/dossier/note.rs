//! Writing a note.

use askama::Template;
use axum::{
    extract::{Path, Query, Request, State, rejection::QueryRejection},
    response::Response,
};
use maillon_protocol::{
    content::NoteKind,
    ids::{CircleId, ThingId},
};
use serde::Deserialize;

use super::{
    Cover, Tab, by, draft,
    entry::{lines, note_kind},
    file, opened,
};
use crate::{
    care::{CareError, Category, Form, NewNote, Shown},
    clock::now_ms,
    signs,
    web::{
        Site,
        door::{self, From, Who},
        french::{self, Moment},
        problem::Problem,
        shell::{self, Place, Shell},
        upload,
    },
};

/// The kinds, as the form names them.
pub(super) const KINDS: [(&str, NoteKind); 5] = [
    ("generale", NoteKind::General),
    ("observation", NoteKind::Observation),
    ("instruction", NoteKind::Instruction),
    ("intervention", NoteKind::Intervention),
    ("avis", NoteKind::AdviceRequest),
];

/// Bytes of a note.
pub(super) const TEXT: usize = 64 << 10;

/// A kind in the form.
pub(super) struct Choice {
    pub(super) value: &'static str,
    pub(super) name: &'static str,
    pub(super) chosen: bool,
}

/// The kinds, one of them chosen by its word.
pub(super) fn choices(chosen: &str) -> Vec<Choice> {
    let choice = |(value, kind): (&'static str, NoteKind)| Choice {
        value,
        name: note_kind(kind).1,
        chosen: value == chosen,
    };
    KINDS.map(choice).into()
}

#[derive(Template)]
#[template(path = "dossier/note.html")]
struct Page<'a> {
    shell: Shell<'a>,
    cover: Cover,
    /// Other structures that will read it.
    readers: usize,
    kinds: Vec<Choice>,
    text: String,
    urgent: bool,
    /// By what the note or the alert is named that is answered; empty where nothing is.
    answers: String,
    quoted: Option<Quoted>,
    fault: &'static str,
    file_fault: &'static str,
    /// When what stands in the form was written, where it was begun before.
    begun: Option<Moment>,
}

impl Page<'_> {
    /// Whether it is an answer: then nobody is asked of which kind it is.
    const fn answers_something(&self) -> bool {
        self.quoted.is_some()
    }

    /// The kind that is chosen.
    fn nature(&self) -> &'static str {
        let chosen = self.kinds.iter().find(|kind| kind.chosen);
        chosen.map_or("", |kind| kind.value)
    }
}

/// What is answered, as the form shows it.
struct Quoted {
    alert: bool,
    by: String,
    when: Moment,
    lines: Vec<String>,
}

/// What a form answers; none where it answers nothing, or what stands no more.
fn quoted(
    site: &Site,
    who: &Who,
    circle: &CircleId,
    answers: &str,
) -> Result<Option<Quoted>, Problem> {
    let Ok(thing) = answers.parse() else {
        return Ok(None);
    };
    let actor = who.professional()?;
    let answered = site.node.care.answered(actor, circle, &thing)?;
    Ok(answered.map(|answered| Quoted {
        alert: answered.alert,
        by: by(&answered.by),
        when: french::moment(answered.at_ms, now_ms()),
        lines: lines(&answered.text),
    }))
}

/// Which note is answered.
#[derive(Deserialize)]
pub(in crate::web) struct Asked {
    #[serde(default)]
    reponse: String,
}

/// What was typed.
struct Typed {
    kind: String,
    text: String,
    urgent: bool,
    answers: String,
    /// When it was written, where it comes from a draft.
    begun: Option<Moment>,
}

async fn page(
    site: &Site,
    who: &Who,
    at: &str,
    typed: Typed,
    fault: &'static str,
    file_fault: &'static str,
) -> Result<Response, Problem> {
    let wrong = !fault.is_empty() || !file_fault.is_empty();
    let (filed, view) = opened(site, who, at, Shown::Form, None).await?;
    let cover = Cover::new(&filed, &view, Tab::Notebook);
    // What was typed is shown, whatever became of the file meanwhile.
    if !cover.writes && !wrong {
        return Err(if filed.ended {
            Problem::ended()
        } else {
            Problem::not_allowed()
        });
    }
    let quoted = quoted(site, who, &filed.circle, &typed.answers)?;
    let page = Page {
        shell: Shell::of(who, Place::Patients, "Écrire une note"),
        quoted,
        cover,
        readers: view
            .circle
            .members
            .iter()
            .filter(|member| !member.left)
            .count()
            .saturating_sub(1),
        kinds: choices(&typed.kind),
        text: typed.text,
        urgent: typed.urgent,
        answers: typed.answers,
        fault,
        file_fault,
        begun: typed.begun,
    };
    Ok(shell::form(wrong, &page))
}

/// `GET /dossiers/{file}/note`
pub(in crate::web) async fn note_form(
    State(site): State<Site>,
    From(arrival): From,
    who: Who,
    Path(at): Path<String>,
    asked: Result<Query<Asked>, QueryRejection>,
) -> Result<Response, Problem> {
    let Query(asked) = asked.map_err(|_| Problem::not_understood())?;
    let answered = match asked.reponse.as_str() {
        "" => Ok(None),
        answered => answered.parse::<ThingId>().map(Some),
    };
    let answered = answered.map_err(|_| Problem::not_understood())?;
    let kept = draft::kept(&site, &who, &at, Form::Note(answered), arrival.now_ms)?;
    let word = |name: &str| {
        let kept = kept.as_ref();
        kept.map_or("", |kept| kept.fields.get(name)).to_owned()
    };
    let known = KINDS.iter().any(|(value, _)| *value == word("nature"));
    let typed = Typed {
        kind: if known {
            word("nature")
        } else {
            "observation".to_owned()
        },
        text: word("texte"),
        urgent: word("urgence") == "1",
        answers: asked.reponse,
        begun: kept.map(|kept| kept.when),
    };
    page(&site, &who, &at, typed, "", "").await
}

/// `POST /dossiers/{file}/note`
pub(in crate::web) async fn write_note(
    State(site): State<Site>,
    who: Who,
    Path(at): Path<String>,
    request: Request,
) -> Result<Response, Problem> {
    let actor = who.professional()?;
    let filed = file(&site, &at).ok_or_else(Problem::not_found)?;
    let mut sent = upload::read(&site, request, actor, filed.circle, Category::Messages).await?;
    let fields = &sent.fields;
    let typed = Typed {
        kind: fields.word("nature").to_owned(),
        text: fields.get("texte").replace("\r\n", "\n"),
        urgent: fields.word("urgence") == "1",
        answers: fields.word("reponse").to_owned(),
        begun: None,
    };
    let kind = KINDS.iter().find(|(value, _)| *value == typed.kind);
    let fault = match typed.text.len() {
        _ if kind.is_none() => "Choisissez la nature de la note.",
        _ if signs::is_blank(&typed.text) => "Écrivez la note avant de l’envoyer.",
        length if length > TEXT => {
            "Cette note est trop longue\u{a0}: coupez-la en deux, ou joignez un document."
        }
        _ => "",
    };
    let answered = match typed.answers.as_str() {
        "" => Ok(None),
        answered => answered.parse::<ThingId>().map(Some),
    };
    let whole = fault.is_empty() && sent.fault.is_empty();
    let (Some((_, kind)), Ok(answers)) = (kind.filter(|_| whole), &answered) else {
        let again = sent.give_up(&site).await;
        if answered.is_err() {
            return Err(Problem::not_understood());
        }
        return page(&site, &who, &at, typed, fault, again).await;
    };
    let note = NewNote {
        kind: *kind,
        text: typed.text.clone(),
        emergency: typed.urgent,
        answers: *answers,
    };
    let care = &site.node.care;
    let name = sent.file.as_ref().map_or("", |file| file.name.as_str());
    let turn = site
        .sent
        .turn(&[
            &who.account().id.0,
            &filed.circle.0,
            b"note",
            typed.kind.as_bytes(),
            typed.text.as_bytes(),
            &[u8::from(typed.urgent)],
            typed.answers.as_bytes(),
            name.as_bytes(),
        ])
        .await;
    if let Some(led) = turn.led() {
        let again = door::go(led);
        sent.give_up(&site).await;
        care.may_tell(actor, &filed.circle)?;
        return Ok(again);
    }
    let is_alert = quoted(&site, &who, &filed.circle, &typed.answers)?.map(|quoted| quoted.alert);
    let chosen = sent.file.is_some();
    let again = if chosen { upload::AGAIN } else { "" };
    match care
        .add_note_with(actor, filed.circle, note, sent.file.take())
        .await
    {
        Ok(_) => {
            draft::sent(&site, actor, &filed.circle, Form::Note(*answers)).await;
            let (page, said) = match is_alert {
                Some(true) => ("?fil=alertes&", "reponse"),
                Some(false) => ("/carnet?", "reponse"),
                None => ("/carnet?", "note"),
            };
            let to = format!("/dossiers/{at}{page}ecrit={said}");
            turn.leads(&to);
            Ok(door::go(&to))
        }
        Err(CareError::Write(error)) => {
            tracing::warn!(%error, "a note could not be written");
            page(&site, &who, &at, typed, "La note n’a pas pu être enregistrée\u{a0}: ce dossier n’accepte plus d’écriture ici. Copiez votre texte, puis rechargez le dossier.", again).await
        }
        Err(CareError::Commit(error)) => {
            tracing::error!(%error, "a note was not kept");
            page(&site, &who, &at, typed, "La note n’a pas pu être enregistrée\u{a0}: rien ne peut l’être en ce moment. Copiez votre texte et prévenez votre administrateur.", again).await
        }
        Err(CareError::NoRecord) => {
            let fault = "Ce à quoi vous répondez n’est plus ici. Envoyez votre texte comme une note à part.";
            let alone = Typed {
                answers: String::new(),
                ..typed
            };
            page(&site, &who, &at, alone, fault, again).await
        }
        Err(error) if chosen => {
            let fault = upload::fault(error)?;
            page(&site, &who, &at, typed, "", fault).await
        }
        Err(error) => Err(error.into()),
    }
}
