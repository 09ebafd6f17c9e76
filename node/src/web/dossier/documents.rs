//! The documents of a file: which there are, and adding one.

use askama::Template;
use axum::{
    extract::{Path, Query, Request, State, rejection::QueryRejection},
    response::Response,
};
use maillon_protocol::{
    admin::ThingView,
    content::{Code, CodeSystem, Content},
};

use super::{
    Asked, Cover, Tab,
    attached::{self, Joined},
    entry, file, opened,
};
use crate::{
    care::{Category, FileView, NewDocument, Shown, ThingMark},
    signs::{is_blank, is_left_out},
    web::{
        Site,
        door::{self, From, Who},
        french::{self, Moment},
        problem::Problem,
        shell::{self, Place, Shell},
        upload::{self, Sent},
    },
};

/// Kinds of documents that a coordination adds: code and name (JDV_J07; `ehealth.md`, section 7).
const KINDS: [(&str, &str); 12] = [
    ("18776-5", "Plan personnalisé de soins"),
    ("60591-5", "Synthèse médicale"),
    ("34133-9", "Synthèse d’épisode de soins"),
    ("SYNTH", "Synthèse"),
    ("11490-0", "Lettre de liaison à la sortie de l’hôpital"),
    ("18761-7", "Lettre d’entrée ou note de transfert"),
    ("96349-6", "Lettre d’adressage"),
    ("34842-5", "Grille d’évaluation médico-sociale"),
    ("BIL_AUTO", "Bilan de perte d’autonomie"),
    ("80788-3", "Projet personnalisé d’accompagnement"),
    ("28653-4", "Document social ou médico-social"),
    ("59284-0", "Consentement"),
];
/// What a document of no kind is called.
const OTHER: &str = "Autre document";
/// Bytes of a title.
const TITLE: usize = 500;

/// A document in the list.
struct Line {
    title: String,
    kind: String,
    by: String,
    when: Moment,
    files: Vec<Joined>,
    /// Why it was withdrawn; empty while it stands.
    withdrawn: String,
    /// By what its writer takes it back.
    own: Option<String>,
}

impl Line {
    /// Where its file is, as soon as that is here.
    fn opens(&self) -> Option<&str> {
        let first = self.files.first().filter(|one| one.here);
        first.map(|one| one.address.as_str())
    }

    /// What ends the sentence with the reason.
    fn stop(&self) -> &'static str {
        french::stop(&self.withdrawn)
    }
}

/// A kind in the form.
struct Choice {
    code: &'static str,
    name: &'static str,
    chosen: bool,
}

#[derive(Template)]
#[template(path = "dossier/documents.html")]
struct Page<'a> {
    shell: Shell<'a>,
    cover: Cover,
    lines: Vec<Line>,
    /// Where what is older begins, and how much that is.
    older: Option<(String, String)>,
    past: bool,
    kinds: Vec<Choice>,
    title: String,
    title_fault: &'static str,
    file_fault: &'static str,
    done: &'static str,
}

/// What was typed, and what is wrong with it.
#[derive(Default)]
struct Typed {
    title: String,
    kind: String,
    title_fault: &'static str,
    file_fault: &'static str,
}

/// The name of a kind; a code that no name came with and that is not known here has none.
fn kind(code: &Code) -> &str {
    let known = KINDS.iter().find(|(known, _)| *known == code.code);
    match known {
        Some((_, name)) if code.system == CodeSystem::DocumentType => name,
        _ => code.label.trim(),
    }
}

fn line(view: &FileView, address: &str, thing: &ThingView, now_ms: u64) -> Option<Line> {
    let Some(record) = thing.standing.first() else {
        let erased = thing.erased.first()?;
        return Some(Line {
            title: "Document effacé".to_owned(),
            kind: String::new(),
            by: erased.structure.clone(),
            when: french::moment(erased.occurred_ms, now_ms),
            files: Vec::new(),
            withdrawn: String::new(),
            own: None,
        });
    };
    let Content::Document(document) = &record.content else {
        return None;
    };
    let named = document.type_code.as_ref().map_or("", kind);
    let named = if named.is_empty() { OTHER } else { named };
    Some(Line {
        title: document.title.clone(),
        kind: named.to_owned(),
        by: entry::by(&record.author),
        when: french::moment(record.occurred_ms, now_ms),
        files: attached::joined(view, address, record),
        withdrawn: document.withdrawn.clone(),
        own: (view.own.contains(&record.record)).then(|| record.record.to_string()),
    })
}

async fn page(
    site: &Site,
    who: &Who,
    at: &str,
    now_ms: u64,
    before: Option<ThingMark>,
    typed: Typed,
    done: &'static str,
) -> Result<Response, Problem> {
    let (filed, view) = opened(site, who, at, Shown::Documents, before).await?;
    let cover = Cover::new(&filed, &view, Tab::Documents);
    let cover = cover.dated(site, &filed, now_ms).await?;
    let wrong = !typed.title_fault.is_empty() || !typed.file_fault.is_empty();
    let older = view.circle.next.as_ref().map(|next| {
        let number = usize::try_from(view.circle.older).unwrap_or(usize::MAX);
        let left = french::count(number, "document plus ancien", "documents plus anciens");
        let address = format!("/dossiers/{}/documents?avant={next}", cover.address);
        (address, left)
    });
    let things = view.circle.things.iter().rev();
    let page = Page {
        shell: Shell::of(who, Place::Patients, "Documents"),
        lines: things
            .filter_map(|thing| line(&view, &cover.address, thing, now_ms))
            .collect(),
        older,
        past: before.is_some(),
        kinds: KINDS
            .map(|(code, name)| Choice {
                code,
                name,
                chosen: code == typed.kind,
            })
            .into(),
        title: typed.title,
        title_fault: typed.title_fault,
        file_fault: typed.file_fault,
        cover,
        done,
    };
    Ok(shell::form(wrong, &page))
}

/// `GET /dossiers/{file}/documents`
pub(in crate::web) async fn documents(
    State(site): State<Site>,
    From(arrival): From,
    who: Who,
    Path(at): Path<String>,
    asked: Result<Query<Asked>, QueryRejection>,
) -> Result<Response, Problem> {
    let Query(asked) = asked.map_err(|_| Problem::not_understood())?;
    let before = asked.before()?;
    let done = match asked.ecrit.as_str() {
        "document" => "Document envoyé au cercle.",
        "retire" => "Document retiré.",
        _ => "",
    };
    let typed = Typed::default();
    page(&site, &who, &at, arrival.now_ms, before, typed, done).await
}

/// `POST /dossiers/{file}/documents`
pub(in crate::web) async fn add(
    State(site): State<Site>,
    From(arrival): From,
    who: Who,
    Path(at): Path<String>,
    request: Request,
) -> Result<Response, Problem> {
    let actor = who.professional()?;
    let filed = file(&site, &at).ok_or_else(Problem::not_found)?;
    let mut sent = upload::read(&site, request, actor, filed.circle, Category::Documents).await?;
    let mut typed = typed(&sent);
    if sent.file.is_none() && sent.fault.is_empty() {
        typed.file_fault = "Choisissez le fichier à ajouter.";
    }
    let kind = KINDS.into_iter().find(|(code, _)| *code == typed.kind);
    let unknown = kind.is_none() && !typed.kind.is_empty();
    let whole = typed.title_fault.is_empty() && typed.file_fault.is_empty() && !unknown;
    let Some(named) = sent.file.take_if(|_| whole) else {
        let again = sent.give_up(&site).await;
        if unknown {
            return Err(Problem::not_understood());
        }
        if typed.file_fault.is_empty() {
            typed.file_fault = again;
        }
        return page(&site, &who, &at, arrival.now_ms, None, typed, "").await;
    };
    let document = NewDocument {
        title: typed.title.clone(),
        type_code: kind.map(|(code, name)| Code {
            system: CodeSystem::DocumentType,
            code: code.to_owned(),
            label: name.to_owned(),
        }),
    };
    let care = &site.node.care;
    match care
        .add_document(actor, filed.circle, document, named)
        .await
    {
        Ok(_) => Ok(door::go(&format!(
            "/dossiers/{at}/documents?ecrit=document"
        ))),
        Err(error) => {
            typed.file_fault = upload::fault(error)?;
            page(&site, &who, &at, arrival.now_ms, None, typed, "").await
        }
    }
}

fn typed(sent: &Sent) -> Typed {
    let title = sent.fields.word("titre").to_owned();
    let title_fault = match title.len() {
        _ if is_blank(&title) => {
            "Donnez un titre : c’est par lui que l’équipe retrouve le document."
        }
        length
            if length > TITLE
                || title
                    .chars()
                    .any(|sign| sign.is_control() || is_left_out(sign)) =>
        {
            "Donnez un titre plus court, d’une ligne."
        }
        _ => "",
    };
    Typed {
        title,
        kind: sent.fields.word("type").to_owned(),
        title_fault,
        file_fault: sent.fault,
    }
}
