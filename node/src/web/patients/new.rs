//! A new person: the identity, then whoever resembles them here, then the file with its reason and the person's information. Nothing is kept before the last
//! step; what was typed goes from one to the next in the form itself.

mod typed;

use askama::Template;
use axum::{
    extract::{Query, State, rejection::QueryRejection},
    http::StatusCode,
    response::Response,
};
use maillon_protocol::{
    content::{Consent, ConsentDecision, ConsentKind, PatientIdentity, Sex},
    ids::CircleId,
};

use super::super::{
    Site,
    door::{self, Who},
    dossier::{address, file},
    fields::Fields,
    person::{Person, day, spoken},
    problem::Problem,
    shell::{self, Place, Shell},
};
use crate::{
    care::{
        Actor, BirthPlace, CareError, Filed, Likeness, NewFile, UNKNOWN_PLACE, birth_place,
        birth_places_like,
    },
    clock::today,
};
use serde::Deserialize;
use typed::{Faults, Typed};

/// Characters of the reason.
const REASON: usize = 500;

#[derive(Template)]
#[template(path = "patients/identity.html")]
struct IdentityPage<'a> {
    shell: Shell<'a>,
    typed: Typed,
    faults: Faults,
}

/// What is typed into the field of the birth place.
#[derive(Deserialize)]
pub(in crate::web) struct SoughtPlace {
    #[serde(default)]
    lieu: String,
}

/// What a browser proposes under the field.
#[derive(Template)]
#[template(path = "patients/places.html")]
struct PlacesPage {
    places: Vec<BirthPlace>,
}

/// A trait of two persons side by side.
pub(in crate::web) struct Trait {
    pub(in crate::web) name: &'static str,
    pub(in crate::web) typed: String,
    pub(in crate::web) there: String,
}

impl Trait {
    pub(in crate::web) fn differs(&self) -> bool {
        self.typed != self.there
    }
}

/// Somebody who resembles the new person.
pub(in crate::web) struct Alike {
    pub(in crate::web) address: String,
    pub(in crate::web) name: String,
    pub(in crate::web) why: &'static str,
    followed: bool,
    pub(in crate::web) ended: bool,
    pub(in crate::web) traits: Vec<Trait>,
}

#[derive(Template)]
#[template(path = "patients/alike.html")]
struct AlikePage<'a> {
    shell: Shell<'a>,
    typed: Typed,
    alike: Vec<Alike>,
    /// Nothing was chosen.
    open: bool,
    /// One of them is the same person for certain: there is nothing to choose but their file.
    certain: bool,
    /// The files that are compared here.
    seen: String,
}

#[derive(Template)]
#[template(path = "patients/open.html")]
struct OpenPage<'a> {
    shell: Shell<'a>,
    typed: Typed,
    person: Person,
    referent: &'a str,
    structure: &'a str,
    reason: String,
    /// The files that were compared.
    seen: String,
    info: String,
    answered_by: String,
    faults: OpenFaults,
}

/// What is wrong on the last page.
#[derive(Default)]
struct OpenFaults {
    reason: &'static str,
    info: &'static str,
    answered_by: &'static str,
}

impl OpenFaults {
    /// The faults in the order of the form: the field, its name, what is wrong.
    fn all(&self) -> Vec<(&'static str, &'static str, &'static str)> {
        let all = [
            ("motif", "Pourquoi ce dossier", self.reason),
            ("info-1", "Comment la personne a été informée", self.info),
            ("par", "Représentant légal", self.answered_by),
        ];
        let all = all.into_iter().filter(|(.., fault)| !fault.is_empty());
        all.collect()
    }

    fn any(&self) -> bool {
        !self.all().is_empty()
    }
}

/// Who may open files, or why not.
pub(super) fn opener<'a>(site: &Site, who: &'a Who) -> Result<&'a Actor, Problem> {
    let actor = who.professional()?;
    if !site.node.care.may_open_files(actor)? {
        return Err(Problem::not_allowed());
    }
    Ok(actor)
}

/// `GET /patients/nouveau`
pub(in crate::web) async fn form(State(site): State<Site>, who: Who) -> Result<Response, Problem> {
    opener(&site, &who)?;
    Ok(identity_page(&who, Typed::default(), Faults::default()))
}

fn identity_page(who: &Who, typed: Typed, faults: Faults) -> Response {
    let wrong = faults.any();
    let page = IdentityPage {
        shell: Shell::of(who, Place::Patients, "Nouveau patient"),
        typed,
        faults,
    };
    shell::form(wrong, &page)
}

/// `GET /patients/lieux`: birth places, as one types. A part of a page.
pub(in crate::web) async fn places(
    State(site): State<Site>,
    who: Who,
    sought: Result<Query<SoughtPlace>, QueryRejection>,
) -> Result<Response, Problem> {
    opener(&site, &who)?;
    let sought = sought.map_or_else(|_| String::new(), |Query(sought)| sought.lieu);
    let places = birth_places_like(&sought);
    Ok(shell::html(StatusCode::OK, &PlacesPage { places }))
}

/// `POST /patients/nouveau`
pub(in crate::web) async fn create(
    State(site): State<Site>,
    who: Who,
    fields: Fields,
) -> Result<Response, Problem> {
    let actor = opener(&site, &who)?;
    let typed = Typed::of(&fields);
    if fields.word("etape") == "revenir" {
        return Ok(identity_page(&who, typed, Faults::default()));
    }
    let (identity, mut faults) = typed.read();
    for error in site.node.care.identity_faults(actor, &identity)? {
        faults.add(error);
    }
    if faults.any() {
        return Ok(identity_page(&who, typed, faults));
    }
    if !site.node.care.knows_everybody() {
        return Err(Problem::starting());
    }
    let alike = site.node.care.alike(&identity);
    // Whoever came meanwhile, by a colleague or by a second click on the same button, was not looked at yet.
    let seen = fields.word("vus");
    let all_seen = alike
        .iter()
        .all(|(one, _)| seen.contains(&address(&one.circle)));
    let chosen = fields.word("choix");
    // Whoever has the same qualified INS is that person: a second file is not opened beside theirs.
    let certain = alike
        .iter()
        .any(|(_, why)| *why == Likeness::SameQualifiedIns);
    let goes_on = chosen == "nouveau" && !certain && all_seen;
    if !alike.is_empty() && !goes_on {
        if let Some(chosen) = file(&site, chosen)
            && alike.iter().any(|(one, _)| one.circle == chosen.circle)
        {
            return Ok(door::go(&format!("/dossiers/{}", address(&chosen.circle))));
        }
        let open = fields.word("etape") == "doublon" && all_seen;
        site.node
            .care
            .looked_around(actor, "identity.compare")
            .await?;
        return alike_page(&site, &who, typed, &identity, alike, certain, open);
    }
    if fields.word("etape") != "ouvrir" {
        return Ok(open_page(
            &who,
            actor,
            typed,
            &identity,
            &fields,
            OpenFaults::default(),
        ));
    }
    let seen = alike.iter().map(|(one, _)| one.circle).collect();
    open(&site, &who, actor, typed, (identity, seen), &fields).await
}

/// Why two persons might be one, in words.
pub(super) const fn why(why: Likeness) -> &'static str {
    match why {
        Likeness::SameQualifiedIns => "Même matricule INS, qualifié\u{a0}: c’est la même personne",
        Likeness::SameIns => "Même matricule INS",
        Likeness::SameTraits => "Mêmes nom, prénom et date de naissance",
        Likeness::CloseTraits => "Identité proche",
    }
}

/// Who resembles a person, side by side with them.
pub(in crate::web) fn alike(
    site: &Site,
    who: &Who,
    identity: &PatientIdentity,
    alike: Vec<(std::sync::Arc<Filed>, Likeness)>,
) -> Result<Vec<Alike>, Problem> {
    let actor = who.professional()?;
    let today = today();
    let mut shown = Vec::new();
    for (filed, why) in alike {
        shown.push(Alike {
            address: address(&filed.circle),
            name: Person::of(&filed.identity, &today).name,
            why: self::why(why),
            followed: site.node.care.follows(actor, &filed.circle)?,
            ended: filed.ended,
            traits: compared(identity, &filed.identity),
        });
    }
    Ok(shown)
}

fn alike_page(
    site: &Site,
    who: &Who,
    typed: Typed,
    identity: &PatientIdentity,
    alike: Vec<(std::sync::Arc<Filed>, Likeness)>,
    certain: bool,
    open: bool,
) -> Result<Response, Problem> {
    let shown = self::alike(site, who, identity, alike)?;
    let seen: Vec<&str> = shown.iter().map(|one| one.address.as_str()).collect();
    let seen = seen.join(" ");
    let page = AlikePage {
        shell: Shell::of(who, Place::Patients, "Est-ce la même personne\u{a0}?"),
        typed,
        alike: shown,
        open,
        certain,
        seen,
    };
    let wrong = open;
    Ok(shell::form(wrong, &page))
}

/// A sex, in words.
const fn sex(sex: Sex) -> &'static str {
    match sex {
        Sex::Female => "Femme",
        Sex::Male => "Homme",
        Sex::Unknown => "Indéterminé",
    }
}

/// The traits of two persons side by side, but for the number; a row is left out where neither has anything.
pub(super) fn traits(typed: &PatientIdentity, there: &PatientIdentity) -> Vec<Trait> {
    let row = |name, of: &dyn Fn(&PatientIdentity) -> String| Trait {
        name,
        typed: of(typed),
        there: of(there),
    };
    let given = |one: &PatientIdentity| {
        let names: Vec<String> = one
            .birth_given_names
            .iter()
            .map(|name| spoken(name))
            .collect();
        names.join(" ")
    };
    let mut rows = vec![
        row("Nom de naissance", &|one| spoken(&one.birth_name)),
        row("Prénoms", &given),
        row("Nom utilisé", &|one| spoken(&one.used_name)),
        row("Naissance", &|one| {
            one.birth_date
                .as_ref()
                .map_or_else(String::new, |date| day(date).1)
        }),
        row("Sexe", &|one| sex(one.sex).to_owned()),
        row("Lieu de naissance", &|one| match one.birth_place.as_str() {
            UNKNOWN_PLACE => "inconnu".to_owned(),
            code => birth_place(code).map_or_else(|| code.to_owned(), |place| place.label()),
        }),
    ];
    rows.retain(|row| !row.typed.is_empty() || !row.there.is_empty());
    rows
}

/// The traits of what was typed and of somebody who is here. The number itself is not shown to whoever does not know it.
fn compared(typed: &PatientIdentity, there: &PatientIdentity) -> Vec<Trait> {
    let mut rows = traits(typed, there);
    let same = typed.ins.is_some() && typed.ins == there.ins;
    rows.push(Trait {
        name: "Matricule INS",
        typed: if typed.ins.is_some() {
            "saisi"
        } else {
            "non saisi"
        }
        .to_owned(),
        there: match &there.ins {
            _ if same => "saisi",
            Some(_) if typed.ins.is_none() => "renseigné",
            Some(_) => "un autre",
            None if typed.ins.is_none() => "non saisi",
            None => "non renseigné",
        }
        .to_owned(),
    });
    rows
}

fn open_page(
    who: &Who,
    actor: &Actor,
    typed: Typed,
    identity: &PatientIdentity,
    fields: &Fields,
    faults: OpenFaults,
) -> Response {
    let wrong = faults.any();
    let page = OpenPage {
        shell: Shell::of(who, Place::Patients, "Ouvrir le dossier"),
        typed,
        person: Person::of(identity, &today()),
        referent: &actor.professional.name,
        structure: &who.structure,
        reason: fields.get("motif").to_owned(),
        seen: fields.word("vus").to_owned(),
        info: fields.word("info").to_owned(),
        answered_by: fields.get("par").to_owned(),
        faults,
    };
    shell::form(wrong, &page)
}

async fn open(
    site: &Site,
    who: &Who,
    actor: &Actor,
    typed: Typed,
    (identity, seen): (PatientIdentity, Vec<CircleId>),
    fields: &Fields,
) -> Result<Response, Problem> {
    let mut faults = OpenFaults::default();
    let reason = fields.word("motif").replace("\r\n", "\n");
    if reason.is_empty() {
        faults.reason = "Écrivez en quelques mots pourquoi ce dossier est ouvert.";
    } else if reason.chars().count() > REASON {
        faults.reason = "Le motif a plus de 500 caractères\u{a0}: écrivez l’essentiel, la suite ira dans une note.";
    }
    let represented = fields.word("info") == "representant";
    let kind = match fields.word("info") {
        "informee" | "representant" => Some(ConsentKind::NonOpposition),
        "consent" => Some(ConsentKind::Consent),
        "oppose" => {
            faults.info = "Un dossier ne peut pas être ouvert tant que la personne s’oppose ou n’est pas informée. Informez-la, puis recommencez. Rien n’a été enregistré.";
            None
        }
        _ => {
            faults.info = "Dites comment la personne a été informée.";
            None
        }
    };
    let by = fields.word("par");
    if represented && by.is_empty() {
        faults.answered_by = "Écrivez qui représente la personne.";
    } else if by.chars().count() > 200 {
        faults.answered_by = "Ce nom a plus de 200 caractères.";
    }
    let Some(kind) = kind.filter(|_| !faults.any()) else {
        return Ok(open_page(who, actor, typed, &identity, fields, faults));
    };
    let file = NewFile {
        identity: identity.clone(),
        seen,
        consent: Consent {
            kind,
            decision: ConsentDecision::Given,
            answered_by: if represented {
                by.to_owned()
            } else {
                String::new()
            },
            how: String::new(),
        },
        reason,
    };
    match site.node.care.open_file(actor, file).await {
        Ok(circle) => Ok(door::go(&format!("/dossiers/{}", address(&circle)))),
        Err(CareError::Alike) => {
            let alike = site.node.care.alike(&identity);
            let same = |(_, why): &(_, Likeness)| *why == Likeness::SameQualifiedIns;
            let certain = alike.iter().any(same);
            alike_page(site, who, typed, &identity, alike, certain, false)
        }
        Err(error) => Err(error.into()),
    }
}
