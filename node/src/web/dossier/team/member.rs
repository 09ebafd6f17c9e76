//! Somebody who was found is added to the team, with a role and a period; where their structure is not in the circle it is invited first.

use askama::Template;
use axum::{
    extract::{Path, State},
    response::Response,
};
use maillon_protocol::{
    charter::Grant,
    content::{AskedChange, PartialDate, Party},
    ids::NodeId,
    invite::InvitationReason,
};

use super::{goes_on, linked};
use crate::{
    care::{CareError, Filed, Known, KnownBy, Made, MemberRole, NewTerm, Shown, TeamMember},
    clock::today,
    web::{
        Site, dates,
        door::{self, Who},
        dossier::{
            Cover, Tab,
            circle::{PAST, WHY, WORDS, refusal},
            opened,
        },
        fields::Fields,
        french,
        problem::Problem,
        shell::{self, Place, Shell},
    },
};

/// How a day of a term is written.
pub(super) const DAY: &str =
    "Écrivez le jour, le mois et l’année, par exemple 27/11/2026\u{a0}; ou 11/2026, ou 2026.";

/// What is wrong, beside each field.
#[derive(Default)]
struct Faults {
    whole: &'static str,
    role: &'static str,
    start: String,
    end: String,
    referent: &'static str,
    reason: &'static str,
    past: &'static str,
    words: &'static str,
}

impl Faults {
    /// The faults in the order of the form: the field, its name, what is wrong.
    fn all(&self) -> Vec<(&'static str, &'static str, &str)> {
        let all = [
            ("fonction", "Fonction", self.role),
            ("debut", "Premier jour", self.start.as_str()),
            ("fin", "Dernier jour", self.end.as_str()),
            ("reference", "Référent du dossier", self.referent),
            ("raison-1", "Pourquoi", self.reason),
            ("passe-1", "Ce qu’elle pourra lire", self.past),
            ("motif", "Un mot", self.words),
        ];
        let all = all.into_iter().filter(|(.., fault)| !fault.is_empty());
        all.collect()
    }

    fn any(&self) -> bool {
        !self.whole.is_empty() || !self.all().is_empty()
    }

    /// Why the service refuses, beside its field; given back where it is about none.
    fn add(&mut self, error: CareError) -> Result<(), CareError> {
        match error {
            CareError::InTeam => {
                self.whole = "Cette participation en recouvre une autre de la même personne."
            }
            CareError::Period => {
                "Corrigez les dates\u{a0}: le dernier jour est avant le premier."
                    .clone_into(&mut self.end);
            }
            CareError::Role => {
                self.role = "Choisissez une autre fonction\u{a0}: seul un médecin peut être médecin traitant."
            }
            CareError::Referent => {
                self.referent = "Ce rôle se confie à quelqu’un qui est dans l’équipe dès aujourd’hui, sans dernier jour. Corrigez les dates, ou décochez.";
            }
            other => {
                self.whole = refusal(&other).ok_or(other)?;
            }
        }
        Ok(())
    }
}

/// What asks for the invitation of a structure.
struct Invitation {
    /// The word, what it says, whether it is chosen.
    why: Vec<(&'static str, &'static str, bool)>,
    past: Vec<(&'static str, &'static str, bool)>,
    /// The structure that holds the circle, where it is another one.
    holder: String,
    words: String,
}

#[derive(Template)]
#[template(path = "dossier/team/member.html")]
struct Page<'a> {
    shell: Shell<'a>,
    cover: Cover,
    key: &'a str,
    name: &'a str,
    profession: String,
    structure: &'a str,
    follows: bool,
    /// The code, its label, whether it is chosen.
    roles: Vec<(String, String, bool)>,
    start: String,
    end: String,
    referent: bool,
    /// Who the referent is; empty where nobody is.
    present: String,
    invitation: Option<Invitation>,
    /// Their structure has been invited and has not answered.
    invited: bool,
    faults: Faults,
}

/// The name of the referent among a team.
fn referent(team: &[TeamMember]) -> String {
    let mut all = team.iter().filter(|one| one.lasts);
    let found = all.find(|one| one.participation.referent);
    match found.map(|one| &one.participation.party) {
        Some(Party::Professional(one)) => one.name.clone(),
        _ => String::new(),
    }
}

/// The structure that is to be invited for somebody, and whether it has been already.
async fn outside(
    site: &Site,
    who: &Who,
    filed: &Filed,
    known: &Known,
) -> Result<Option<(NodeId, bool)>, Problem> {
    let KnownBy::Files(node) = known.by else {
        return Ok(None);
    };
    if known.in_circle {
        return Ok(None);
    }
    let care = &site.node.care;
    let invited = care.invited_into(who.professional()?, filed.circle).await?;
    let is_invited = invited.iter().any(|one| one.node == node);
    Ok(Some((node, is_invited)))
}

async fn page(
    site: &Site,
    who: &Who,
    (at, known): (&str, &Known),
    typed: Option<&Fields>,
    faults: Faults,
) -> Result<Response, Problem> {
    let (filed, view) = opened(site, who, at, Shown::Team, None).await?;
    let (care, actor) = (&site.node.care, who.professional()?);
    let team = care.team_of(actor, &filed.circle)?;
    let word = |name: &str| typed.map_or("", |typed| typed.get(name));
    let outside = outside(site, who, &filed, known).await?;
    let holder = match care.is_steward(&filed.circle)? {
        true => String::new(),
        false => {
            let mut members = view.circle.members.iter();
            let holder = members.find(|member| member.steward);
            holder.map_or_else(String::new, |member| member.structure.clone())
        }
    };
    // Nothing is chosen beforehand: what a structure has received stays with it.
    let invitation = matches!(outside, Some((_, false))).then(|| Invitation {
        why: WHY
            .map(|(one, said, _)| (one, said, word("raison") == one))
            .into(),
        past: PAST
            .map(|(one, said, _)| (one, said, word("passe") == one))
            .into(),
        holder,
        words: word("motif").to_owned(),
    });
    let one = &known.professional;
    let profession = one.profession.as_ref();
    let roles = MemberRole::ALL.into_iter().filter(|role| role.suits(one));
    let page = Page {
        shell: Shell::of(who, Place::Patients, "Ajouter à l’équipe"),
        cover: Cover::new(&filed, &view, Tab::Team),
        key: &known.key,
        name: &one.name,
        profession: profession.map_or_else(String::new, |code| french::small(&code.label)),
        structure: &one.structure.name,
        follows: known.follows,
        roles: roles
            .map(|role| {
                let code = role.code();
                let is_chosen = word("fonction") == code.code;
                (code.code, code.label, is_chosen)
            })
            .collect(),
        start: match typed {
            Some(typed) => typed.get("debut").to_owned(),
            None => dates::typed(&today()),
        },
        end: word("fin").to_owned(),
        referent: word("reference") == "1",
        present: referent(&team),
        invitation,
        invited: matches!(outside, Some((_, true))),
        faults,
    };
    Ok(shell::form(page.faults.any(), &page))
}

fn known(site: &Site, who: &Who, filed: &Filed, key: &str) -> Result<Known, Problem> {
    let care = &site.node.care;
    let known = care.known_as(who.professional()?, &filed.circle, key, &linked(site))?;
    known.ok_or_else(Problem::not_found)
}

/// `GET /dossiers/{file}/equipe/professionnel/{choisi}`
pub(in crate::web) async fn member_form(
    State(site): State<Site>,
    who: Who,
    Path((at, key)): Path<(String, String)>,
) -> Result<Response, Problem> {
    let filed = goes_on(&site, &who, &at)?;
    let known = known(&site, &who, &filed, &key)?;
    page(&site, &who, (&at, &known), None, Faults::default()).await
}

/// The term that the form asks for.
fn term(fields: &Fields, faults: &mut Faults) -> NewTerm {
    let day = |name: &str, fault: &mut String| -> Option<PartialDate> {
        let typed = fields.word(name);
        if typed.is_empty() {
            return None;
        }
        match dates::read(typed, DAY) {
            Ok(day) => Some(day),
            Err(said) => {
                *fault = said;
                None
            }
        }
    };
    let start = day("debut", &mut faults.start);
    if start.is_none() && faults.start.is_empty() {
        "Écrivez le premier jour de la participation.".clone_into(&mut faults.start);
    }
    let asked = fields.word("fonction");
    let role = MemberRole::ALL.into_iter();
    let role = role.into_iter().find(|role| role.code().code == asked);
    if role.is_none() && !asked.is_empty() {
        faults.role = "Choisissez une fonction de la liste.";
    }
    NewTerm {
        role,
        start,
        end: day("fin", &mut faults.end),
        referent: fields.word("reference") == "1",
    }
}

/// Why a structure is invited, and what it may read.
fn invitation(fields: &Fields, faults: &mut Faults) -> Option<(InvitationReason, Grant)> {
    let (why, past) = (fields.word("raison"), fields.word("passe"));
    let why = WHY.iter().find(|(word, ..)| *word == why);
    let past = PAST.iter().find(|(word, ..)| *word == past);
    if why.is_none() {
        faults.reason = "Dites pourquoi elle est invitée.";
    }
    if past.is_none() {
        faults.past = "Dites ce qu’elle pourra lire.";
    }
    let ((.., reason), (.., grant)) = (why?, past?);
    Some((*reason, *grant))
}

/// `POST /dossiers/{file}/equipe/professionnel/{choisi}`
pub(in crate::web) async fn add_member(
    State(site): State<Site>,
    who: Who,
    Path((at, key)): Path<(String, String)>,
    fields: Fields,
) -> Result<Response, Problem> {
    let filed = goes_on(&site, &who, &at)?;
    let known = known(&site, &who, &filed, &key)?;
    let (care, actor) = (&site.node.care, who.professional()?);
    let mut faults = Faults::default();
    let term = term(&fields, &mut faults);
    let mut invites = None;
    if let Some((node, false)) = outside(&site, &who, &filed, &known).await? {
        let invited = invitation(&fields, &mut faults);
        invites = invited.map(|(reason, grant)| AskedChange::Invite {
            node,
            reason,
            grant,
        });
    }
    let words = fields.get("motif").trim().to_owned();
    if words.chars().count() > WORDS {
        faults.words = "Ce mot a plus de 500 caractères\u{a0}: écrivez l’essentiel.";
    }
    if !faults.any()
        && let Err(error) = care.may_add_member(actor, &filed.circle, &known, &term)
    {
        faults.add(error)?;
    }
    if faults.any() {
        return page(&site, &who, (&at, &known), Some(&fields), faults).await;
    }
    // Invited first: where that cannot be, nobody is in a team whose file they will not have.
    let mut said = "equipe";
    if let Some(change) = invites {
        match care.change_or_ask(actor, filed.circle, change, words).await {
            Ok(Made::Done) => said = "membre-invite",
            Ok(Made::Asked) => said = "membre-demande",
            Err(error) => {
                faults.add(error)?;
                return page(&site, &who, (&at, &known), Some(&fields), faults).await;
            }
        }
    }
    match care.add_member(actor, filed.circle, &known, term).await {
        Ok(()) => Ok(door::go(&format!("/dossiers/{at}/equipe?ecrit={said}"))),
        Err(error) => {
            faults.add(error)?;
            page(&site, &who, (&at, &known), Some(&fields), faults).await
        }
    }
}
