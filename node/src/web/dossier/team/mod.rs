//! The team and the circle of a person: who follows them, and which structures keep the file.
//!
//! - `search`, `member`: a professional is found by name, and added
//! - `relative`: somebody close is noted
//! - `term`: a term ends, or its professional becomes the referent
//! - `structures`: what each structure has received

mod member;
mod relative;
mod search;
mod structures;
mod term;

pub(in crate::web) use member::{add_member, member_form};
pub(in crate::web) use relative::{add_relative, relative_form};
pub(in crate::web) use search::{search, search_form};
pub(super) use structures::{Invited, Structure, structures};
pub(in crate::web) use term::{change_term, term_form};

use std::{collections::BTreeSet, sync::Arc};

use askama::Template;
use axum::{
    extract::{Path, Query, State, rejection::QueryRejection},
    http::StatusCode,
    response::Response,
};
use maillon_protocol::{
    admin::Relation,
    content::{Code, CodeSystem, Contact, Content, Party, Period},
    ids::NodeId,
};

use super::{Asked, Cover, Tab, entry::answered, file, opened};
use crate::{
    care::{Filed, Shown, TeamMember},
    web::{
        Site,
        door::{From, Who},
        french,
        person::day,
        problem::Problem,
        shell::{Place, Shell, html},
    },
};

/// Somebody in the team.
pub(super) struct Line {
    /// By what the term is changed.
    record: String,
    pub(super) name: String,
    initials: String,
    pub(super) role: String,
    pub(super) structure: String,
    period: String,
    phones: Vec<(String, String)>,
    close: bool,
    is_over: bool,
    /// Their structure is invited, and not in the circle yet.
    waits: bool,
    /// Whether the reader may end it.
    changes: bool,
}

/// What codes say, each label once: how somebody is related comes before what they are for.
fn said<'a>(codes: impl Iterator<Item = &'a Code>) -> Vec<String> {
    let mut codes: Vec<&Code> = codes.collect();
    codes.sort_by_key(|code| code.system != CodeSystem::RoleCode);
    let mut all: Vec<String> = Vec::new();
    for code in codes {
        // Labels come as each source writes them.
        let label = french::small(&code.label).replace('\'', "’");
        if !label.is_empty() && !all.contains(&label) {
            all.push(label);
        }
    }
    all
}

impl Line {
    pub(super) fn of(member: &TeamMember) -> Self {
        let part = &member.participation;
        let (name, structure, contacts) = match &part.party {
            Party::Professional(one) => (&one.name, one.structure.name.clone(), &[][..]),
            Party::Organisation(structure, contacts) => {
                (&structure.name, String::new(), &contacts[..])
            }
            Party::RelatedPerson { name, contacts, .. } => (name, String::new(), &contacts[..]),
        };
        let own = match &part.party {
            Party::Professional(one) => one.profession.as_slice(),
            Party::Organisation(..) => &[],
            Party::RelatedPerson { relationship, .. } => &relationship[..],
        };
        let mut words = said(own.iter().chain(&part.roles));
        if part.referent {
            words.insert(0, "référent du dossier".to_owned());
        }
        Self {
            record: member.record.to_string(),
            initials: initials(name),
            name: name.clone(),
            role: words.join(", "),
            structure,
            period: period(&part.period),
            phones: contacts.iter().filter_map(phone).collect(),
            close: matches!(part.party, Party::RelatedPerson { .. }),
            is_over: member.is_over,
            waits: false,
            changes: false,
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
                (_, "le") => format!("{} au {}", french::of(&of.1), to.1),
                _ => format!("{} à {}", french::of(&of.1), to.1),
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

/// What stands before a name and is none of it.
const TITLES: [&str; 9] = [
    "dr",
    "dr.",
    "pr",
    "pr.",
    "m.",
    "mme",
    "mlle",
    "docteur",
    "professeur",
];

fn initials(name: &str) -> String {
    let is_title = |word: &&str| TITLES.contains(&word.to_lowercase().as_str());
    let words = name.split_whitespace().skip_while(is_title);
    let words: Vec<&str> = words.collect();
    let ends = [words.first(), words.last()].into_iter().flatten();
    let count = if words.len() > 1 { 2 } else { 1 };
    ends.take(count)
        .filter_map(|word| word.chars().next())
        .collect()
}

/// The structures that could be invited.
fn linked(site: &Site) -> BTreeSet<NodeId> {
    let peers = site.node.peering.peers().into_iter();
    let peers = peers.filter(|(_, relation)| *relation == Relation::Peer);
    peers.map(|(node, _)| node).collect()
}

/// The file at an address in which something is to be written. Who may not open it is not told whether it has ended, nor an administrator whether it is there.
fn goes_on(site: &Site, who: &Who, at: &str) -> Result<Arc<Filed>, Problem> {
    let actor = who.professional()?;
    let filed = file(site, at).ok_or_else(Problem::not_found)?;
    if !site.node.care.opens(actor, &filed.circle)? {
        return Err(Problem::not_in_team());
    }
    match filed.ended {
        true => Err(Problem::ended()),
        false => Ok(filed),
    }
}

#[derive(Template)]
#[template(path = "dossier/team/page.html")]
struct Page<'a> {
    shell: Shell<'a>,
    cover: Cover,
    professionals: Vec<Line>,
    close: Vec<Line>,
    past: Vec<Line>,
    structures: Vec<Structure>,
    invited: Vec<Invited>,
    answers: Vec<String>,
    /// Whether professionals are added, and whether those who are close are noted.
    manages: bool,
    notes: bool,
    /// Whether the circle may be changed, or the file opened again.
    rules: bool,
    done: &'static str,
}

/// What is said once of what was done before.
fn done(word: &str) -> &'static str {
    match word {
        "equipe" => "Équipe mise à jour.",
        "membre-invite" => "Équipe mise à jour, et invitation envoyée à sa structure.",
        "membre-demande" => {
            "Équipe mise à jour. L’invitation de sa structure est demandée à celle qui tient le cercle."
        }
        "proche" => "Proche noté.",
        "terme" => "Participation terminée.",
        "reference" => "Le rôle de référent est confié.",
        "invitee" => "Invitation envoyée.",
        "retiree" => "Structure retirée du cercle.",
        "confie" => "Cercle confié.",
        "clos" => "Dossier clos.",
        "rouvert" => "Dossier rouvert.",
        "demande" => "Demande envoyée à la structure qui tient le cercle.",
        _ => "",
    }
}

/// `GET /dossiers/{file}/equipe`
pub(in crate::web) async fn team(
    State(site): State<Site>,
    From(arrival): From,
    who: Who,
    Path(at): Path<String>,
    asked: Result<Query<Asked>, QueryRejection>,
) -> Result<Response, Problem> {
    let Query(asked) = asked.map_err(|_| Problem::not_understood())?;
    let (filed, view) = opened(&site, &who, &at, Shown::Team, None).await?;
    let cover = Cover::new(&filed, &view, Tab::Team);
    let cover = cover.dated(&site, &filed, arrival.now_ms).await?;
    let (care, actor) = (&site.node.care, who.professional()?);
    let manages = view.manages && !filed.ended;
    let notes = view.writes_close && !filed.ended;
    let invited = if manages {
        care.invited_into(actor, filed.circle).await?
    } else {
        Vec::new()
    };
    let invited = invited.iter();
    let invited = invited.map(|one| Invited::of(&site, one, arrival.now_ms));
    let invited: Vec<Invited> = invited.collect();
    let lines = care.team_of(actor, &filed.circle)?;
    let lines = lines.iter().map(Line::of).map(|one| Line {
        changes: !one.is_over && if one.close { notes } else { manages },
        waits: !one.is_over && invited.iter().any(|asked| asked.name == one.structure),
        ..one
    });
    let (past, lasting): (Vec<Line>, Vec<Line>) = lines.partition(|one| one.is_over);
    let (close, professionals) = lasting.into_iter().partition(|one| one.close);
    let answers = view.circle.things.iter().flat_map(|thing| &thing.standing);
    let page = Page {
        shell: Shell::of(&who, Place::Patients, "Équipe et cercle"),
        cover,
        professionals,
        close,
        past,
        structures: structures(&site, actor, &view, arrival.now_ms).await?,
        invited,
        answers: answers
            .filter_map(|record| match &record.content {
                Content::Consent(consent) => Some(answered(consent)),
                _ => None,
            })
            .collect(),
        manages,
        notes,
        rules: view.manages,
        done: done(&asked.ecrit),
    };
    Ok(html(StatusCode::OK, &page))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_title_is_no_initial() {
        for (name, said) in [
            ("Dr Anne Le Goff", "AG"),
            ("Mme TANGUY", "T"),
            ("M. Émile Roux", "ÉR"),
            ("Marie Prigent", "MP"),
            ("Dr", ""),
        ] {
            assert_eq!(initials(name), said, "{name}");
        }
    }

    #[test]
    fn how_somebody_is_related_is_said_first_and_each_role_once() {
        let code = |system, label: &str| Code {
            system,
            code: label.to_owned(),
            label: label.to_owned(),
        };
        let codes = [
            code(CodeSystem::RoleClass, "Personne de confiance"),
            code(CodeSystem::RoleCode, "Fille"),
            code(CodeSystem::RoleClass, "Personne de confiance"),
            code(CodeSystem::RoleClass, "Aidant"),
            code(
                CodeSystem::RoleClass,
                "Personne à prévenir en cas d'urgence",
            ),
            code(CodeSystem::RoleClass, ""),
        ];
        assert_eq!(
            said(codes.iter()),
            [
                "fille",
                "personne de confiance",
                "aidant",
                "personne à prévenir en cas d’urgence",
            ]
        );
    }
}
