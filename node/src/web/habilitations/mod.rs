//! Habilitations: what each profession reads and writes. Everybody reads the matrix; whoever administers the node changes it, one profession at a time.

use askama::Template;
use axum::{
    extract::{Query, State, rejection::QueryRejection},
    http::StatusCode,
    response::Response,
};
use serde::Deserialize;

use super::{
    Site,
    door::{From, Who},
    fields::Fields,
    french::{self, Moment},
    problem::Problem,
    shell::{Place, Shell, html},
};
use crate::care::{Category, Habilitation, Level, Role};

/// A right in the matrix.
struct Right {
    category: &'static str,
    level: Level,
}

impl Right {
    fn reads(&self) -> bool {
        self.level == Level::Read
    }

    fn writes(&self) -> bool {
        self.level == Level::Write
    }
}

/// A row of the matrix.
struct Line {
    name: &'static str,
    role: &'static str,
    rights: Vec<Right>,
    /// What the reader is.
    own: bool,
}

#[derive(Template)]
#[template(path = "habilitations/page.html")]
struct Page<'a> {
    shell: Shell<'a>,
    structure: &'a str,
    categories: Vec<&'static str>,
    lines: Vec<Line>,
    changed: Option<Moment>,
    administers: bool,
    done: String,
}

/// A right in the form.
struct Choice {
    category: &'static str,
    /// The field's name.
    field: &'static str,
    level: Option<Level>,
}

impl Choice {
    const fn is_open(&self) -> bool {
        self.level.is_none()
    }

    fn is(&self, level: Level) -> bool {
        self.level == Some(level)
    }
}

#[derive(Template)]
#[template(path = "habilitations/form.html")]
struct Form<'a> {
    shell: Shell<'a>,
    name: &'static str,
    role: &'static str,
    choices: Vec<Choice>,
    /// The matrix that the person saw when they began.
    revision: u64,
    /// Somewhere nothing is chosen.
    wrong: bool,
}

/// Which profession is to be changed, or was.
#[derive(Deserialize)]
pub(super) struct Asked {
    #[serde(default)]
    metier: String,
    #[serde(default)]
    enregistre: String,
}

const fn category(category: Category) -> &'static str {
    match category {
        Category::Identity => "Identité",
        Category::Social => "Social",
        Category::Medical => "Médical",
        Category::Plan => "Plan de soins",
        Category::Agenda => "Agenda",
        Category::Messages => "Notes et alertes",
        Category::Documents => "Documents",
        Category::Administration => "Gestion du dossier",
    }
}

const fn field(category: Category) -> &'static str {
    match category {
        Category::Identity => "identite",
        Category::Social => "social",
        Category::Medical => "medical",
        Category::Plan => "plan",
        Category::Agenda => "agenda",
        Category::Messages => "messages",
        Category::Documents => "documents",
        Category::Administration => "gestion",
    }
}

const fn profession(role: Role) -> &'static str {
    match role {
        Role::Physician => "Médecin, chirurgien-dentiste, sage-femme",
        Role::Nurse => "Infirmier",
        Role::Pharmacist => "Pharmacien",
        Role::Auxiliary => "Aide-soignant",
        Role::OtherHealth => "Autre professionnel de santé",
        Role::Coordinator => "Coordonnateur de parcours",
        Role::Social => "Travailleur social",
        Role::HomeHelp => "Aide à domicile",
        Role::Other => "Profession non précisée",
    }
}

fn level(typed: &str) -> Option<Level> {
    Some(match typed {
        "rien" => Level::Nothing,
        "lit" => Level::Read,
        "ecrit" => Level::Write,
        _ => return None,
    })
}

fn line(who: &Who, role: Role, row: Habilitation) -> Line {
    let right = |one| Right {
        category: category(one),
        level: row.level(one),
    };
    let actor = who.actor.as_ref();
    Line {
        name: profession(role),
        role: role.name(),
        rights: Category::ALL.map(right).into(),
        own: actor.is_some_and(|actor| Role::of(&actor.professional) == role),
    }
}

/// The form of one profession, with the levels that are kept or typed; none where nothing was chosen.
fn form<'a>(who: &'a Who, role: Role, levels: &[Option<Level>], revision: u64) -> Form<'a> {
    let choice = |(one, level): (Category, &Option<Level>)| Choice {
        category: category(one),
        field: field(one),
        level: *level,
    };
    let choices: Vec<Choice> = Category::ALL.into_iter().zip(levels).map(choice).collect();
    Form {
        shell: Shell::of(who, Place::Habilitations, "Modifier une habilitation"),
        name: profession(role),
        role: role.name(),
        wrong: choices.iter().any(Choice::is_open),
        choices,
        revision,
    }
}

/// `GET /habilitations`; with `?metier=`, for who administers, the form of that profession.
pub(super) async fn page(
    State(site): State<Site>,
    From(arrival): From,
    who: Who,
    asked: Result<Query<Asked>, QueryRejection>,
) -> Result<Response, Problem> {
    let Query(asked) = asked.map_err(|_| Problem::not_understood())?;
    let rights = site.node.care.habilitations()?;
    if !asked.metier.is_empty() {
        if !who.account().administrator {
            return Err(Problem::reserved());
        }
        let role = Role::named(&asked.metier).ok_or_else(Problem::not_found)?;
        let row = rights.row(role);
        let levels = Category::ALL.map(|one| Some(row.level(one)));
        let form = form(&who, role, &levels, rights.revision);
        return Ok(html(StatusCode::OK, &form));
    }
    let lines = Role::ALL.map(|role| line(&who, role, rights.row(role)));
    let done = Role::named(&asked.enregistre);
    let page = Page {
        shell: Shell::of(&who, Place::Habilitations, "Habilitations"),
        structure: &who.structure,
        categories: Category::ALL.map(category).into(),
        lines: lines.into(),
        changed: rights
            .changed_ms
            .map(|at| french::moment(at, arrival.now_ms)),
        administers: who.account().administrator,
        done: done.map_or_else(String::new, |role| {
            format!("Habilitation enregistrée\u{a0}: {}.", profession(role))
        }),
    };
    Ok(html(StatusCode::OK, &page))
}

/// `POST /habilitations`
pub(super) async fn change(
    State(site): State<Site>,
    who: Who,
    fields: Fields,
) -> Result<Response, Problem> {
    if !who.account().administrator {
        return Err(Problem::reserved());
    }
    let role = Role::named(fields.word("metier")).ok_or_else(Problem::not_understood)?;
    let seen: u64 = fields
        .word("revision")
        .parse()
        .map_err(|_| Problem::not_understood())?;
    let typed = Category::ALL.map(|one| level(fields.word(field(one))));
    let chosen: Vec<Level> = typed.iter().flatten().copied().collect();
    let Ok(levels) = chosen.try_into() else {
        let form = form(&who, role, &typed, seen);
        return Ok(html(StatusCode::UNPROCESSABLE_ENTITY, &form));
    };
    let care = &site.node.care;
    care.set_habilitation(who.by(), role, Habilitation::new(levels), seen)
        .await?;
    let to = format!("/habilitations?enregistre={}", role.name());
    Ok(super::door::go(&to))
}
