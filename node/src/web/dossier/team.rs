//! The team and the circle of a person: who follows them, and which structures keep the file.

use askama::Template;
use axum::{
    extract::{Path, Query, State, rejection::QueryRejection},
    http::StatusCode,
    response::Response,
};
use maillon_protocol::content::{Contact, Party, Period};

use super::{
    Asked, Cover, Tab,
    entry::{answered, roles},
    file, opened,
};
use crate::{
    care::{Shown, TeamMember},
    web::{
        Site,
        door::{self, Who},
        fields::Fields,
        french,
        person::day,
        problem::Problem,
        shell::{Place, Shell, html},
    },
};

/// Somebody in the team.
pub(super) struct Line {
    pub(super) name: String,
    initials: String,
    pub(super) role: String,
    pub(super) structure: String,
    period: String,
    phones: Vec<(String, String)>,
    close: bool,
    lasts: bool,
}

impl Line {
    pub(super) fn of(member: &TeamMember) -> Self {
        let part = &member.participation;
        let (name, mut said, structure, contacts) = match &part.party {
            Party::Professional(one) => {
                let profession = one.profession.as_ref();
                let profession =
                    profession.map_or_else(String::new, |code| french::small(&code.label));
                (
                    one.name.clone(),
                    profession,
                    one.structure.name.clone(),
                    &[][..],
                )
            }
            Party::Organisation(structure, contacts) => (
                structure.name.clone(),
                String::new(),
                String::new(),
                &contacts[..],
            ),
            Party::RelatedPerson {
                name,
                relationship,
                contacts,
                ..
            } => (
                name.clone(),
                roles(relationship),
                String::new(),
                &contacts[..],
            ),
        };
        let further = roles(&part.roles);
        if !further.is_empty() && further != said {
            said = [said, further]
                .into_iter()
                .filter(|one| !one.is_empty())
                .collect::<Vec<_>>()
                .join(", ");
        }
        if part.referent {
            said = if said.is_empty() {
                "référence du dossier".to_owned()
            } else {
                format!("référence du dossier, {said}")
            };
        }
        Self {
            initials: initials(&name),
            name,
            role: said,
            structure,
            period: period(&part.period),
            phones: contacts.iter().filter_map(phone).collect(),
            close: matches!(part.party, Party::RelatedPerson { .. }),
            lasts: member.lasts,
        }
    }
}

/// « depuis le 3 septembre 2026 », « du 1er octobre au 31 décembre 2026 ».
fn period(period: &Period) -> String {
    match (&period.start, &period.end) {
        (Some(start), Some(end)) => {
            let (of, to) = (day(start), day(end));
            match (of.0, to.0) {
                ("le", "le") => format!("du {} au {}", of.1, to.1),
                ("le", _) => format!("du {} à {}", of.1, to.1),
                (_, "le") => format!("de {} au {}", of.1, to.1),
                _ => format!("de {} à {}", of.1, to.1),
            }
        }
        (Some(start), None) => {
            let (the, start) = day(start);
            format!("depuis {the} {start}").replace("depuis en ", "depuis ")
        }
        (None, Some(end)) => match day(end) {
            ("le", end) => format!("jusqu’au {end}"),
            (_, end) => format!("jusqu’en {end}"),
        },
        (None, None) => String::new(),
    }
}

/// A number as it is written and as a telephone dials it.
fn phone(contact: &Contact) -> Option<(String, String)> {
    let Contact::Phone(number) = contact else {
        return None;
    };
    let dialled = number
        .chars()
        .filter(|sign| sign.is_ascii_digit() || *sign == '+');
    Some((number.clone(), dialled.collect()))
}

fn initials(name: &str) -> String {
    let words: Vec<&str> = name.split_whitespace().collect();
    let ends = [words.first(), words.last()].into_iter().flatten();
    let count = if words.len() > 1 { 2 } else { 1 };
    ends.take(count)
        .filter_map(|word| word.chars().next())
        .collect()
}

/// A structure of the circle.
struct Structure {
    name: String,
    here: bool,
    steward: bool,
    waiting: Option<String>,
}

/// A professional of this structure who could be added.
struct Candidate {
    id: String,
    name: String,
    role: String,
}

#[derive(Template)]
#[template(path = "dossier/team.html")]
struct Page<'a> {
    shell: Shell<'a>,
    cover: Cover,
    professionals: Vec<Line>,
    close: Vec<Line>,
    past: usize,
    structures: Vec<Structure>,
    answers: Vec<String>,
    candidates: Vec<Candidate>,
    manages: bool,
    /// Whether the circle may be changed, or the file opened again.
    rules: bool,
    done: &'static str,
}

/// `GET /dossiers/{file}/equipe`
pub(in crate::web) async fn team(
    State(site): State<Site>,
    who: Who,
    Path(at): Path<String>,
    asked: Result<Query<Asked>, QueryRejection>,
) -> Result<Response, Problem> {
    let Query(asked) = asked.map_err(|_| Problem::not_understood())?;
    let (filed, view) = opened(&site, &who, &at, Shown::Team, None).await?;
    let care = &site.node.care;
    let team = care.team_of(who.professional()?, &filed.circle)?;
    let past = team.iter().filter(|one| !one.lasts).count();
    let lasting = team.iter().map(Line::of).filter(|one| one.lasts);
    let (close, professionals) = lasting.partition(|one| one.close);
    let own = site.node.ledger.shared().own();
    let manages = view.manages && !filed.ended;
    let candidates = if manages {
        care.outside_the_team(&filed.circle)?
    } else {
        Vec::new()
    };
    let answers = view.circle.things.iter().flat_map(|thing| &thing.standing);
    let page = Page {
        shell: Shell::of(&who, Place::Patients, "Équipe et cercle"),
        cover: Cover::new(&filed, &view, Tab::Team),
        professionals,
        close,
        past,
        structures: view
            .circle
            .members
            .iter()
            .filter(|member| !member.left)
            .map(|member| Structure {
                name: member.structure.clone(),
                here: member.node == own,
                steward: member.steward,
                waiting: (member.waiting > 0).then(|| {
                    let waiting = usize::try_from(member.waiting).unwrap_or(usize::MAX);
                    french::count(waiting, "élément en attente", "éléments en attente")
                }),
            })
            .collect(),
        answers: answers
            .filter_map(|record| match &record.content {
                maillon_protocol::content::Content::Consent(consent) => Some(answered(consent)),
                _ => None,
            })
            .collect(),
        candidates: candidates
            .into_iter()
            .map(|actor| Candidate {
                id: actor.id.to_string(),
                role: actor
                    .professional
                    .profession
                    .map_or_else(String::new, |code| french::small(&code.label)),
                name: actor.professional.name,
            })
            .collect(),
        manages,
        rules: view.manages,
        done: match asked.ecrit.as_str() {
            "equipe" => "Équipe mise à jour.",
            "invitee" => "Invitation envoyée.",
            "retiree" => "Structure retirée du cercle.",
            "confie" => "Cercle confié.",
            "clos" => "Dossier clos.",
            "rouvert" => "Dossier rouvert.",
            "demande" => "Demande envoyée à la structure qui tient le cercle.",
            _ => "",
        },
    };
    Ok(html(StatusCode::OK, &page))
}

/// `POST /dossiers/{file}/equipe`
pub(in crate::web) async fn add(
    State(site): State<Site>,
    who: Who,
    Path(at): Path<String>,
    fields: Fields,
) -> Result<Response, Problem> {
    let actor = who.professional()?;
    let filed = file(&site, &at).ok_or_else(Problem::not_found)?;
    let whom = fields.word("professionnel").parse();
    let care = &site.node.care;
    let whom = care.actor_of(whom.map_err(|_| Problem::not_understood())?)?;
    let whom = whom.ok_or_else(Problem::not_understood)?;
    care.add_to_team(actor, filed.circle, &whom).await?;
    Ok(door::go(&format!("/dossiers/{at}/equipe?ecrit=equipe")))
}
