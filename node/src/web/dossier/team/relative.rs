//! Somebody close to the person is noted: who, how they are related, what they are for, and how they are reached.

use askama::Template;
use axum::{
    extract::{Path, State},
    response::Response,
};

use super::goes_on;
use crate::{
    care::{KIN, Kin, NewRelative, PhoneNumber, RelativeRole, Shown},
    signs::is_invisible,
    web::{
        Site,
        door::{self, Who},
        dossier::{Cover, Tab, opened},
        fields::Fields,
        problem::Problem,
        shell::{self, Place, Shell},
    },
};

/// What somebody is for: the field, what it says, which role it is.
const ROLES: [(&str, &str, &str, RelativeRole); 4] = [
    (
        "aidant",
        "Aidante ou aidant",
        "Aide la personne chaque jour ou souvent",
        RelativeRole::Carer,
    ),
    (
        "confiance",
        "Personne de confiance",
        "Désignée par écrit, par la personne elle-même",
        RelativeRole::Trusted,
    ),
    (
        "urgence",
        "À prévenir en cas d’urgence",
        "",
        RelativeRole::Emergency,
    ),
    (
        "legal",
        "Responsable légal",
        "Tutelle, curatelle, habilitation familiale",
        RelativeRole::Guardian,
    ),
];
/// Characters of a name.
const NAME: usize = 100;

/// What is wrong, beside each field.
#[derive(Default)]
struct Faults {
    name: &'static str,
    kin: &'static str,
    roles: &'static str,
    phone: &'static str,
}

impl Faults {
    /// The faults in the order of the form: the field, its name, what is wrong.
    fn all(&self) -> Vec<(&'static str, &'static str, &'static str)> {
        let all = [
            ("nom", "Prénom et nom", self.name),
            ("lien", "Lien avec la personne", self.kin),
            ("aidant", "Rôle", self.roles),
            ("telephone", "Téléphone", self.phone),
        ];
        let all = all.into_iter().filter(|(.., fault)| !fault.is_empty());
        all.collect()
    }

    fn any(&self) -> bool {
        !self.all().is_empty()
    }
}

/// One role, as the form offers it.
struct Choice {
    field: &'static str,
    said: &'static str,
    small: &'static str,
    chosen: bool,
}

#[derive(Template)]
#[template(path = "dossier/team/relative.html")]
struct Page<'a> {
    shell: Shell<'a>,
    cover: Cover,
    name: String,
    /// The code, its label, whether it is chosen.
    kin: Vec<(&'static str, &'static str, bool)>,
    roles: Vec<Choice>,
    phone: String,
    faults: Faults,
}

async fn page(
    site: &Site,
    who: &Who,
    at: &str,
    typed: &Fields,
    faults: Faults,
) -> Result<Response, Problem> {
    let (filed, view) = opened(site, who, at, Shown::Team, None).await?;
    if !view.writes_close {
        return Err(Problem::not_allowed());
    }
    let kin = typed.word("lien");
    let page = Page {
        shell: Shell::of(who, Place::Patients, "Ajouter un proche"),
        cover: Cover::new(&filed, &view, Tab::Team),
        name: typed.get("nom").to_owned(),
        kin: KIN.map(|(code, label)| (code, label, code == kin)).into(),
        roles: ROLES
            .map(|(field, said, small, _)| Choice {
                field,
                said,
                small,
                chosen: typed.word(field) == "1",
            })
            .into(),
        phone: typed.get("telephone").to_owned(),
        faults,
    };
    Ok(shell::form(page.faults.any(), &page))
}

/// `GET /dossiers/{file}/equipe/proche`
pub(in crate::web) async fn relative_form(
    State(site): State<Site>,
    who: Who,
    Path(at): Path<String>,
) -> Result<Response, Problem> {
    goes_on(&site, &who, &at)?;
    page(&site, &who, &at, &Fields::default(), Faults::default()).await
}

/// Who is noted, or what is wrong.
fn read(fields: &Fields) -> Result<NewRelative, Faults> {
    let mut faults = Faults::default();
    let name = fields.word("nom");
    if !name.chars().any(char::is_alphabetic) {
        faults.name = "Écrivez son prénom et son nom.";
    } else if name.chars().count() > NAME {
        faults.name = "Ce nom a plus de 100 caractères\u{a0}: écrivez le prénom et le nom seuls.";
    } else if name
        .chars()
        .any(|sign| sign.is_control() || is_invisible(sign))
    {
        faults.name =
            "Ce nom contient des signes invisibles\u{a0}: écrivez-le de nouveau au clavier.";
    }
    let asked = fields.word("lien");
    let kin = Kin::of(asked);
    if kin.is_none() && !asked.is_empty() {
        faults.kin = "Choisissez un lien de la liste.";
    }
    let roles = ROLES.iter().filter(|(field, ..)| fields.word(field) == "1");
    let roles: Vec<RelativeRole> = roles.map(|(.., role)| *role).collect();
    if roles.is_empty() {
        faults.roles = "Cochez au moins un rôle.";
    }
    let typed = fields.word("telephone");
    let phone = PhoneNumber::read(typed);
    if phone.is_none() {
        faults.phone = match typed.is_empty() {
            true => "Écrivez un numéro où l’appeler.",
            false => {
                "Ce numéro ne peut pas être appelé. Un numéro français a dix chiffres\u{a0}; un autre commence par + et l’indicatif du pays."
            }
        };
    }
    match phone {
        Some(phone) if !faults.any() => Ok(NewRelative {
            name: name.to_owned(),
            kin,
            roles,
            phone,
        }),
        _ => Err(faults),
    }
}

/// `POST /dossiers/{file}/equipe/proche`
pub(in crate::web) async fn add_relative(
    State(site): State<Site>,
    who: Who,
    Path(at): Path<String>,
    fields: Fields,
) -> Result<Response, Problem> {
    let filed = goes_on(&site, &who, &at)?;
    let actor = who.professional()?;
    match read(&fields) {
        Ok(relative) => {
            let care = &site.node.care;
            care.add_relative(actor, filed.circle, relative).await?;
            Ok(door::go(&format!("/dossiers/{at}/equipe?ecrit=proche")))
        }
        Err(faults) => page(&site, &who, &at, &fields, faults).await,
    }
}
