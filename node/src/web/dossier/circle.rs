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
    team::{Invited, Structure, structures},
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
    chosen: bool,
}

/// What is wrong with the form that came back.
#[derive(Default)]
struct Faults {
    /// What no field is to blame for.
    whole: &'static str,
    /// In the order of the form: the field, its name, what is wrong.
    beside: Vec<(&'static str, &'static str, &'static str)>,
}

impl Faults {
    /// Where no field is to blame.
    fn of_all(whole: &'static str) -> Self {
        Self {
            whole,
            ..Self::default()
        }
    }

    /// What is wrong with a field; empty where nothing is.
    fn of(&self, field: &str) -> &'static str {
        let mut all = self.beside.iter();
        let found = all.find(|(one, ..)| *one == field);
        found.map_or("", |(.., said)| *said)
    }

    fn any(&self) -> bool {
        !self.whole.is_empty() || !self.beside.is_empty()
    }
}

#[derive(Template)]
#[template(path = "dossier/circle.html")]
struct Page<'a> {
    shell: Shell<'a>,
    cover: Cover,
    /// Whether this structure is the steward; otherwise the one that is.
    holds: bool,
    holder: String,
    /// Structures that could be invited, those that were and have not answered, and the members.
    strangers: Vec<Choice>,
    invited: Vec<Invited>,
    structures: Vec<Structure>,
    /// Those that could be removed, and those that could hold the circle.
    removed: Vec<Choice>,
    entrusted: Vec<Choice>,
    /// The word, what it says, whether it is chosen.
    why: Vec<(&'static str, &'static str, bool)>,
    past: Vec<(&'static str, &'static str, bool)>,
    ends: Vec<(&'static str, &'static str, bool)>,
    /// What was said to the structure that holds the circle, in the form that invites and in the one that removes.
    words: [String; 2],
    faults: Faults,
}

async fn page(
    site: &Site,
    who: &Who,
    at: &str,
    typed: Option<&Fields>,
    faults: Faults,
) -> Result<Response, Problem> {
    let (filed, view) = opened(site, who, at, Shown::Team, None).await?;
    if !view.manages {
        return Err(Problem::not_allowed());
    }
    let care = &site.node.care;
    let own = site.node.ledger.shared().own();
    let members = || view.circle.members.iter().filter(|member| !member.left);
    // What the form that came back says; the others are empty.
    let kept = |act: &str, name: &str| match typed {
        Some(typed) if typed.word("geste") == act => typed.get(name),
        _ => "",
    };
    let choice = |act: &str, node: NodeId| {
        let id = node.to_string();
        Choice {
            name: care.structure_of(&node),
            chosen: kept(act, "structure") == id,
            id,
        }
    };
    let others = |act: &str| -> Vec<Choice> {
        let others = members().filter(|member| member.node != own);
        others.map(|member| choice(act, member.node)).collect()
    };
    let peers = site.node.peering.peers().into_iter();
    let invited = care.invited_into(who.professional()?, filed.circle).await?;
    let stranger = |node: &NodeId| {
        let there = members().any(|member| member.node == *node);
        !there && !invited.iter().any(|one| one.node == *node)
    };
    let page = Page {
        shell: Shell::of(who, Place::Patients, "Cercle et dossier"),
        holds: care.is_steward(&filed.circle)?,
        holder: members()
            .find(|member| member.steward)
            .map_or_else(String::new, |member| member.structure.clone()),
        strangers: peers
            .filter(|(node, relation)| *relation == Relation::Peer && stranger(node))
            .map(|(node, _)| choice("inviter", node))
            .collect(),
        structures: structures(site, who.professional()?, &view, now_ms()).await?,
        invited: invited
            .iter()
            .map(|one| Invited::of(site, one, now_ms()))
            .collect(),
        removed: others("retirer"),
        entrusted: others("confier"),
        why: WHY
            .map(|(word, said, _)| (word, said, kept("inviter", "raison") == word))
            .into(),
        past: PAST
            .map(|(word, said, _)| (word, said, kept("inviter", "passe") == word))
            .into(),
        ends: ENDS
            .map(|(word, said, _)| (word, said, kept("clore", "raison") == word))
            .into(),
        words: ["inviter", "retirer"].map(|act| kept(act, "motif").to_owned()),
        cover: Cover::new(&filed, &view, Tab::Team),
        faults,
    };
    Ok(shell::form(page.faults.any(), &page))
}

/// `GET /dossiers/{file}/cercle`
pub(in crate::web) async fn circle_form(
    State(site): State<Site>,
    who: Who,
    Path(at): Path<String>,
) -> Result<Response, Problem> {
    page(&site, &who, &at, None, Faults::default()).await
}

/// What the form asks for; what is missing or wrong otherwise.
fn change(fields: &Fields) -> Result<AskedChange, Faults> {
    let act = fields.word("geste");
    let node = fields.word("structure").parse::<NodeId>().ok();
    let mut faults = Faults::default();
    let mut wrong = |field, name, said| faults.beside.push((field, name, said));
    let change = match act {
        "inviter" => {
            let (why, past) = (fields.word("raison"), fields.word("passe"));
            let why = WHY.iter().find(|(word, ..)| *word == why);
            let past = PAST.iter().find(|(word, ..)| *word == past);
            if node.is_none() {
                wrong("invitee", "Structure", "Choisissez la structure à inviter.");
            }
            if why.is_none() {
                wrong("raison-1", "Pourquoi", "Dites pourquoi elle est invitée.");
            }
            if past.is_none() {
                let said = "Dites ce qu’elle pourra lire.";
                wrong("passe-1", "Ce qu’elle pourra lire", said);
            }
            match (node, why, past) {
                (Some(node), Some((.., reason)), Some((.., grant))) => Some(AskedChange::Invite {
                    node,
                    reason: *reason,
                    grant: *grant,
                }),
                _ => None,
            }
        }
        "retirer" => {
            if node.is_none() {
                wrong("retiree", "Structure", "Choisissez la structure à retirer.");
            }
            node.map(|node| AskedChange::Remove {
                node,
                reason: RemovalReason::Ended,
            })
        }
        "confier" => {
            if node.is_none() {
                let said = "Choisissez la structure à qui confier le cercle.";
                wrong("confiee", "Structure", said);
            }
            node.map(|to| AskedChange::HandOver { to })
        }
        "clore" => {
            let end = fields.word("raison");
            let end = ENDS.iter().find(|(word, ..)| *word == end);
            if end.is_none() {
                wrong("fin", "Pourquoi", "Dites pourquoi le dossier est clos.");
            }
            end.map(|(.., reason)| AskedChange::Close { reason: *reason })
        }
        _ => return Err(Faults::of_all("Choisissez ce qu’il y a à faire.")),
    };
    if fields.get("motif").trim().chars().count() > WORDS {
        let field = match act {
            "retirer" => "motif-r",
            _ => "motif-i",
        };
        let said = "Ce mot a plus de 500 caractères\u{a0}: écrivez l’essentiel.";
        wrong(field, "Un mot", said);
    }
    match change {
        Some(change) if !faults.any() => Ok(change),
        _ => Err(faults),
    }
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
        Err(faults) => return page(&site, &who, &at, Some(&fields), faults).await,
    };
    let words = fields.get("motif").trim().to_owned();
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
            Some(whole) => page(&site, &who, &at, Some(&fields), Faults::of_all(whole)).await,
            None => Err(error.into()),
        },
    }
}

/// What is to be said beside the form of a change that cannot be made.
pub(super) fn refusal(error: &CareError) -> Option<&'static str> {
    Some(match error {
        CareError::NotInIt | CareError::Letter(LetterError::Member) => {
            "La composition du cercle a changé entre-temps\u{a0}: rechargez la page et vérifiez."
        }
        CareError::NoConsent => {
            "Il n’est pas noté que la personne a été informée. Informez-la, puis demandez à votre administrateur de l’enregistrer."
        }
        CareError::Against(_) => {
            "La personne s’oppose au partage\u{a0}: aucune structure n’est invitée."
        }
        CareError::Steward(error) => {
            tracing::info!(%error, "a circle could not be changed");
            "Ce changement n’est pas possible pour l’instant\u{a0}: rechargez le dossier et recommencez."
        }
        _ => return None,
    })
}
