//! Invitations from other territories: who asks and why, whether the person is known here, and what is decided.

use askama::Template;
use axum::{
    extract::{Path, State},
    http::StatusCode,
    response::Response,
};
use maillon_protocol::{ids::InvitationId, invite::InvitationReason};

use super::{
    Site,
    door::{self, From, Who},
    dossier::{address, file},
    fields::Fields,
    french::{self, Moment},
    patients::{Alike, alike},
    person::Person,
    problem::Problem,
    shell::{self, Place, Shell, html},
};
use crate::{
    care::{Accepted, CareError, DECLINE_WORDS, DeclineReason, InvitationShown, Invited, Likeness},
    clock::today,
};

/// Why somebody declines: the word in the form, what it says, which one it is.
const REASONS: [(&str, &str, DeclineReason); 4] = [
    (
        "inconnue",
        "Nous ne connaissons pas cette personne",
        DeclineReason::Unknown,
    ),
    (
        "pas-suivie",
        "Nous ne la suivons pas, ou plus",
        DeclineReason::NotFollowed,
    ),
    ("refus", "Elle ne le souhaite pas", DeclineReason::Refused),
    (
        "pas-possible",
        "Nous ne pouvons pas y prendre part en ce moment",
        DeclineReason::Unable,
    ),
];

/// An invitation that was declined, in the list.
struct DeclinedLine {
    structure: String,
    by: String,
    when: Moment,
    why: &'static str,
    words: String,
}

impl DeclinedLine {
    /// What ends the sentence with the words.
    fn stop(&self) -> &'static str {
        french::stop(&self.words)
    }
}

/// The file to which an invitation leads that was accepted a moment ago.
struct Joined {
    /// Its address; empty until it is here.
    address: String,
    name: String,
}

/// Where the invitation with this id stands, for whoever has just accepted it.
fn accepted(site: &Site, who: &Who, id: &str) -> Result<Option<Joined>, Problem> {
    let Ok(id) = id.parse::<InvitationId>() else {
        return Ok(None);
    };
    let found = site.node.care.accepted(who.professional()?, id)?;
    Ok(found.map(|found| match found {
        Accepted::Coming => Joined {
            address: String::new(),
            name: String::new(),
        },
        Accepted::Here(filed) => Joined {
            address: address(&filed.circle),
            name: Person::of(&filed.identity, &today()).name,
        },
    }))
}

/// What was declined lately, for whoever may see it.
fn declined(site: &Site, who: &Who, now_ms: u64) -> Result<Vec<DeclinedLine>, Problem> {
    let found = match site.node.care.declined(who.professional()?, now_ms) {
        Ok(found) => found,
        Err(CareError::NotReadable(_)) => Vec::new(),
        Err(error) => return Err(error.into()),
    };
    let said = |why| REASONS.iter().find(|(.., one)| *one == why);
    let lines = found.into_iter().map(|one| DeclinedLine {
        structure: one.structure,
        by: one
            .by
            .unwrap_or_else(|| "Quelqu’un de la structure".to_owned()),
        when: french::moment(one.at_ms, now_ms),
        why: said(one.why).map_or("Sans raison notée", |(_, said, _)| said),
        words: one.words,
    });
    Ok(lines.collect())
}

/// What came back with the form.
#[derive(Default)]
struct Typed {
    /// No person was chosen.
    open: bool,
    reason: String,
    words: String,
    reason_fault: &'static str,
    words_fault: &'static str,
}

/// An invitation in the list.
pub(super) struct Line {
    id: String,
    structure: String,
    why: &'static str,
    until: Moment,
}

const fn why(reason: InvitationReason) -> &'static str {
    match reason {
        InvitationReason::CareTeam => "à prendre part aux soins d’une personne",
        InvitationReason::Coordination => "à appuyer la coordination d’une situation complexe",
        InvitationReason::Stay => "à suivre un séjour\u{a0}: admission, sortie, retour à domicile",
        InvitationReason::Successor => "à reprendre un cercle que plus aucune structure ne tient",
        InvitationReason::Community => "à rejoindre une communauté",
    }
}

fn line(one: InvitationShown, now_ms: u64) -> Line {
    Line {
        id: one.id.to_string(),
        structure: one.structure,
        why: why(one.reason),
        until: french::moment(one.expires_ms, now_ms),
    }
}

#[derive(Template)]
#[template(path = "invitations/page.html")]
struct Page<'a> {
    shell: Shell<'a>,
    /// What became of the one that the reader has just accepted.
    accepted: Option<Joined>,
    lines: Vec<Line>,
    declined: Vec<DeclinedLine>,
    done: &'static str,
}

#[derive(Template)]
#[template(path = "invitations/one.html")]
struct OnePage<'a> {
    shell: Shell<'a>,
    line: Line,
    person: Person,
    alike: Vec<Alike>,
    /// The same qualified INS is here: it is that person.
    proposed: bool,
    /// The reasons to decline: the word, what it says, whether it is chosen.
    reasons: Vec<(&'static str, &'static str, bool)>,
    typed: Typed,
}

/// The invitations that wait, for whoever may see them.
pub(super) async fn waiting(site: &Site, who: &Who) -> Result<Vec<InvitationShown>, Problem> {
    match site.node.care.invitations(who.professional()?).await {
        Ok(waiting) => Ok(waiting),
        Err(CareError::NotReadable(_)) => Ok(Vec::new()),
        Err(error) => Err(error.into()),
    }
}

/// `GET /invitations`
pub(super) async fn page(
    State(site): State<Site>,
    From(arrival): From,
    who: Who,
    uri: axum::http::Uri,
) -> Result<Response, Problem> {
    let waiting = waiting(&site, &who).await?.into_iter();
    let query = uri.query().unwrap_or_default();
    let page = Page {
        shell: Shell::of(&who, Place::Invitations, "Invitations"),
        declined: declined(&site, &who, arrival.now_ms)?,
        lines: waiting.map(|one| line(one, arrival.now_ms)).collect(),
        accepted: match query.strip_prefix("acceptee=") {
            Some(id) => accepted(&site, &who, id)?,
            None => None,
        },
        done: match query {
            "fait=declinee" => "Invitation déclinée.",
            _ => "",
        },
    };
    Ok(html(StatusCode::OK, &page))
}

async fn invited(site: &Site, who: &Who, id: &str) -> Result<Invited, Problem> {
    let id: InvitationId = id.parse().map_err(|_| Problem::not_found())?;
    let found = site.node.care.invitation(who.professional()?, id).await?;
    found.ok_or_else(Problem::not_found)
}

fn one_page(
    site: &Site,
    who: &Who,
    invited: Invited,
    now_ms: u64,
    typed: Typed,
) -> Result<Response, Problem> {
    let same = |(_, why): &(_, Likeness)| *why == Likeness::SameQualifiedIns;
    let page = OnePage {
        shell: Shell::of(who, Place::Invitations, "Invitation"),
        proposed: invited.alike.iter().any(same),
        person: Person::of(&invited.identity, &today()),
        alike: alike(site, who, &invited.identity, invited.alike)?,
        line: line(invited.invitation, now_ms),
        reasons: REASONS
            .map(|(word, said, _)| (word, said, word == typed.reason))
            .into(),
        typed,
    };
    let typed = &page.typed;
    let wrong = typed.open || !typed.reason_fault.is_empty() || !typed.words_fault.is_empty();
    Ok(shell::form(wrong, &page))
}

/// `GET /invitations/{invitation}`
pub(super) async fn one(
    State(site): State<Site>,
    From(arrival): From,
    who: Who,
    Path(id): Path<String>,
) -> Result<Response, Problem> {
    let invited = invited(&site, &who, &id).await?;
    one_page(&site, &who, invited, arrival.now_ms, Typed::default())
}

/// `POST /invitations/{invitation}`
pub(super) async fn decide(
    State(site): State<Site>,
    From(arrival): From,
    who: Who,
    Path(id): Path<String>,
    fields: Fields,
) -> Result<Response, Problem> {
    let actor = who.professional()?;
    let found = invited(&site, &who, &id).await?;
    let (care, invitation) = (&site.node.care, found.invitation.id);
    match fields.word("reponse") {
        "decliner" => {
            let reason = REASONS
                .iter()
                .find(|(word, ..)| *word == fields.word("motif"));
            let words = fields.get("raison");
            let long = words.trim().chars().count() > DECLINE_WORDS;
            let Some((.., reason)) = reason.filter(|_| !long) else {
                let typed = Typed {
                    open: false,
                    reason: fields.word("motif").to_owned(),
                    words: words.to_owned(),
                    reason_fault: if reason.is_some() {
                        ""
                    } else {
                        "Choisissez pourquoi vous déclinez."
                    },
                    words_fault: if long {
                        "Cette précision a plus de 300 caractères\u{a0}: écrivez l’essentiel."
                    } else {
                        ""
                    },
                };
                return one_page(&site, &who, found, arrival.now_ms, typed);
            };
            care.decline(actor, invitation, *reason, words).await?;
            return Ok(door::go("/invitations?fait=declinee"));
        }
        "accepter" => {}
        _ => return Err(Problem::not_understood()),
    }
    if !care.knows_everybody() {
        return Err(Problem::starting());
    }
    let certain = found
        .alike
        .iter()
        .any(|(_, why)| *why == Likeness::SameQualifiedIns);
    let same_as = match fields.word("personne") {
        // Whoever has the same qualified INS is that person.
        "nouvelle" if !certain => None,
        chosen => {
            let chosen = file(&site, chosen).map(|filed| filed.circle);
            let known =
                chosen.filter(|one| found.alike.iter().any(|(filed, _)| filed.circle == *one));
            if known.is_none() {
                let typed = Typed {
                    open: true,
                    ..Typed::default()
                };
                return one_page(&site, &who, found, arrival.now_ms, typed);
            }
            known
        }
    };
    care.accept(actor, invitation, same_as.or(found.continues))
        .await?;
    Ok(door::go(&format!("/invitations?acceptee={invitation}")))
}

/// For the page of whoever comes in: where an invitation is.
impl Line {
    pub(super) fn address(&self) -> String {
        format!("/invitations/{}", self.id)
    }
}
