//! The circle of a person's file and the file itself: who is invited, removed, entrusted with it; closing and opening again.

use askama::Template;
use axum::{
    extract::{Path, State},
    response::Response,
};
use maillon_protocol::{
    admin::Relation,
    charter::{Grant, RemovalReason},
    content::AskedChange,
    ids::NodeId,
    invite::InvitationReason,
    replica::LetterError,
};

use super::{
    Cover, Tab, file, opened,
    team::{Structure, structures},
};
use crate::{
    care::{CareError, Made, Shown},
    clock::now_ms,
    web::{
        Site,
        door::{self, Who},
        fields::Fields,
        problem::Problem,
        shell::{self, Place, Shell},
    },
};

/// The reasons of an invitation, as the form names them.
pub(super) const WHY: [(&str, &str, InvitationReason); 3] = [
    (
        "soins",
        "Elle prend part aux soins",
        InvitationReason::CareTeam,
    ),
    (
        "appui",
        "Elle appuie la coordination",
        InvitationReason::Coordination,
    ),
    (
        "sejour",
        "Un séjour\u{a0}: admission, sortie, retour à domicile",
        InvitationReason::Stay,
    ),
];
/// What it may read of what was written before it came.
pub(super) const PAST: [(&str, &str, Grant); 2] = [
    ("tout", "Tout le dossier", Grant::Whole),
    ("rien", "Seulement ce qui s’écrit désormais", Grant::Nothing),
];
/// The reasons for closing a file, with the numbers that entries of the charter have for them.
const ENDS: [(&str, &str, u64); 5] = [
    ("fin", "Fin de la prise en charge", 0),
    ("depart", "Départ du territoire", 1),
    ("deces", "Décès", 2),
    ("opposition", "Opposition de la personne", 3),
    ("autre", "Autre raison", 4),
];
/// Characters that say why, for the structure that is asked.
pub(super) const WORDS: usize = 500;

/// A structure that may be chosen.
struct Choice {
    id: String,
    name: String,
}

#[derive(Template)]
#[template(path = "dossier/circle.html")]
struct Page<'a> {
    shell: Shell<'a>,
    cover: Cover,
    /// Whether this structure is the steward; otherwise the one that is.
    holds: bool,
    holder: String,
    /// Structures that could be invited, those that were and have not answered, and the other members.
    strangers: Vec<Choice>,
    invited: Vec<String>,
    structures: Vec<Structure>,
    others: Vec<Choice>,
    why: &'static [(&'static str, &'static str, InvitationReason)],
    past: &'static [(&'static str, &'static str, Grant)],
    ends: &'static [(&'static str, &'static str, u64)],
    /// Which form came back, and what is wrong with it.
    act: String,
    fault: &'static str,
    words: String,
}

async fn page(
    site: &Site,
    who: &Who,
    at: &str,
    typed: Option<&Fields>,
    fault: &'static str,
) -> Result<Response, Problem> {
    let (filed, view) = opened(site, who, at, Shown::Team, None).await?;
    if !view.manages {
        return Err(Problem::not_allowed());
    }
    let care = &site.node.care;
    let own = site.node.ledger.shared().own();
    let members = || view.circle.members.iter().filter(|member| !member.left);
    let choice = |node: NodeId| Choice {
        id: node.to_string(),
        name: care.structure_of(&node),
    };
    let peers = site.node.peering.peers().into_iter();
    let invited = care.invited_into(who.professional()?, filed.circle).await?;
    let stranger = |node: &NodeId| {
        let there = members().any(|member| member.node == *node);
        !there && !invited.contains(node)
    };
    let page = Page {
        shell: Shell::of(who, Place::Patients, "Cercle et dossier"),
        holds: care.is_steward(&filed.circle)?,
        holder: members()
            .find(|member| member.steward)
            .map_or_else(String::new, |member| member.structure.clone()),
        strangers: peers
            .filter(|(node, relation)| *relation == Relation::Peer && stranger(node))
            .map(|(node, _)| choice(node))
            .collect(),
        structures: structures(site, who.professional()?, &view, now_ms()).await?,
        invited: invited.iter().map(|node| care.structure_of(node)).collect(),
        others: members()
            .filter(|member| member.node != own)
            .map(|member| choice(member.node))
            .collect(),
        why: &WHY,
        past: &PAST,
        ends: &ENDS,
        act: typed.map_or("", |typed| typed.word("geste")).to_owned(),
        words: typed.map_or("", |typed| typed.get("motif")).to_owned(),
        cover: Cover::new(&filed, &view, Tab::Team),
        fault,
    };
    Ok(shell::form(!fault.is_empty(), &page))
}

/// `GET /dossiers/{file}/cercle`
pub(in crate::web) async fn circle_form(
    State(site): State<Site>,
    who: Who,
    Path(at): Path<String>,
) -> Result<Response, Problem> {
    page(&site, &who, &at, None, "").await
}

/// What the form asks for; what is missing otherwise.
fn change(fields: &Fields) -> Result<AskedChange, &'static str> {
    let node = |sentence| {
        let node = fields.word("structure").parse::<NodeId>();
        node.map_err(|_| sentence)
    };
    let chosen = |name: &str, sentence| {
        let word = fields.word(name);
        (!word.is_empty()).then_some(word).ok_or(sentence)
    };
    Ok(match fields.word("geste") {
        "inviter" => {
            let node = node("Choisissez la structure à inviter.")?;
            let why = chosen("raison", "Dites pourquoi elle est invitée.")?;
            let past = chosen("passe", "Dites ce qu’elle pourra lire.")?;
            let why = WHY.iter().find(|(word, ..)| *word == why);
            let past = PAST.iter().find(|(word, ..)| *word == past);
            let (Some((.., reason)), Some((.., grant))) = (why, past) else {
                return Err("Dites pourquoi elle est invitée, et ce qu’elle pourra lire.");
            };
            AskedChange::Invite {
                node,
                reason: *reason,
                grant: *grant,
            }
        }
        "retirer" => AskedChange::Remove {
            node: node("Choisissez la structure à retirer.")?,
            reason: RemovalReason::Ended,
        },
        "confier" => AskedChange::HandOver {
            to: node("Choisissez la structure à qui confier le cercle.")?,
        },
        "clore" => {
            let end = fields.word("raison");
            let end = ENDS.iter().find(|(word, ..)| *word == end);
            let (.., reason) = end.ok_or("Dites pourquoi le dossier est clos.")?;
            AskedChange::Close { reason: *reason }
        }
        _ => return Err("Choisissez ce qu’il y a à faire."),
    })
}

/// `POST /dossiers/{file}/cercle`
pub(in crate::web) async fn change_circle(
    State(site): State<Site>,
    who: Who,
    Path(at): Path<String>,
    fields: Fields,
) -> Result<Response, Problem> {
    let actor = who.professional()?;
    let filed = file(&site, &at).ok_or_else(Problem::not_found)?;
    let care = &site.node.care;
    // Whoever does not see who the person is does not see this page either.
    care.may_find(actor)?;
    let team = |said: &str| door::go(&format!("/dossiers/{at}/equipe?ecrit={said}"));
    if fields.word("geste") == "rouvrir" {
        care.reopen(actor, filed.circle, 0).await?;
        return Ok(team("rouvert"));
    }
    let change = match change(&fields) {
        Ok(change) => change,
        Err(fault) => return page(&site, &who, &at, Some(&fields), fault).await,
    };
    let words = fields.get("motif").trim().to_owned();
    if words.chars().count() > WORDS {
        let fault = "Ce motif a plus de 500 caractères\u{a0}: écrivez l’essentiel.";
        return page(&site, &who, &at, Some(&fields), fault).await;
    }
    let said = match change {
        AskedChange::Invite { .. } => "invitee",
        AskedChange::Remove { .. } => "retiree",
        AskedChange::HandOver { .. } => "confie",
        _ => "clos",
    };
    match care.change_or_ask(actor, filed.circle, change, words).await {
        Ok(Made::Done) => Ok(team(said)),
        Ok(Made::Asked) => Ok(team("demande")),
        Err(error) => match refusal(&error) {
            Some(fault) => page(&site, &who, &at, Some(&fields), fault).await,
            None => Err(error.into()),
        },
    }
}

/// What is to be said beside the form of a change that cannot be made.
pub(super) fn refusal(error: &CareError) -> Option<&'static str> {
    Some(match error {
        CareError::NotInIt | CareError::Letter(LetterError::Member) => {
            "Cette structure est déjà dans le cercle, ou n’y est plus."
        }
        CareError::NoConsent => {
            "L’information de la personne n’est pas notée\u{a0}: notez-la avant d’inviter."
        }
        CareError::Against(_) => {
            "La personne s’oppose au partage\u{a0}: aucune structure n’est invitée."
        }
        CareError::Steward(error) => {
            tracing::info!(%error, "a circle could not be changed");
            "Le cercle ne peut pas être modifié ainsi maintenant. Rien n’a changé\u{a0}; rechargez le dossier et recommencez."
        }
        _ => return None,
    })
}
