//! Doubts about who somebody is: two files side by side, and whether they are of two people.

use askama::Template;
use axum::{extract::State, http::StatusCode, response::Response};

use super::{
    super::{
        Site,
        door::{self, Who},
        dossier::{address, file},
        fields::Fields,
        french,
        person::Person,
        problem::Problem,
        shell::{Place, Shell, html},
    },
    new::{Trait, opener, traits, why},
};
use crate::{
    care::{Doubt, Filed, Likeness},
    clock::today,
};

/// A file of the two.
struct Side {
    address: String,
    name: String,
    followed: bool,
}

/// Two files that might be of one person.
struct Shown {
    why: &'static str,
    /// It is one person, whatever somebody says.
    certain: bool,
    sides: [Side; 2],
    traits: Vec<Trait>,
}

#[derive(Template)]
#[template(path = "patients/doubts.html")]
struct Page<'a> {
    shell: Shell<'a>,
    head: String,
    doubts: Vec<Shown>,
    partial: bool,
}

/// `GET /patients/doutes`
pub(in crate::web) async fn page(State(site): State<Site>, who: Who) -> Result<Response, Problem> {
    let actor = opener(&site, &who)?;
    let care = &site.node.care;
    let found = care.doubts(actor)?;
    let mut doubts = Vec::new();
    for doubt in &found.doubts {
        let side = |filed: &Filed| {
            Ok::<_, Problem>(Side {
                address: address(&filed.circle),
                name: Person::of(&filed.identity, &today()).name,
                followed: care.follows(actor, &filed.circle)?,
            })
        };
        doubts.push(Shown {
            why: why(doubt.why),
            certain: doubt.why == Likeness::SameQualifiedIns,
            sides: [side(&doubt.one)?, side(&doubt.other)?],
            traits: compared(doubt),
        });
    }
    if !doubts.is_empty() {
        care.looked_around(actor, "identity.compare").await?;
    }
    let page = Page {
        shell: Shell::of(&who, Place::Patients, "Doutes d’identité"),
        head: french::count(found.total, "doute", "doutes"),
        doubts,
        partial: found.partial,
    };
    Ok(html(StatusCode::OK, &page))
}

/// `POST /patients/doutes`: these are two people.
pub(in crate::web) async fn decide(
    State(site): State<Site>,
    who: Who,
    fields: Fields,
) -> Result<Response, Problem> {
    let actor = opener(&site, &who)?;
    let side = |name: &str| file(&site, fields.word(name)).ok_or_else(Problem::not_found);
    let (one, other) = (side("un")?, side("autre")?);
    site.node
        .care
        .keep_apart(actor, one.circle, other.circle)
        .await?;
    Ok(door::go("/patients/doutes"))
}

/// The traits side by side. The numbers themselves are not shown: whether they are the same is what counts.
fn compared(doubt: &Doubt) -> Vec<Trait> {
    let (one, other) = (&doubt.one.identity, &doubt.other.identity);
    let mut rows = traits(one, other);
    let said = |has: bool| if has { "renseigné" } else { "non renseigné" };
    let number = match (&one.ins, &other.ins) {
        (Some(a), Some(b)) if a.number == b.number => ("le même", "le même"),
        (Some(_), Some(_)) => ("un matricule", "un autre"),
        (a, b) => (said(a.is_some()), said(b.is_some())),
    };
    rows.push(Trait {
        name: "Matricule INS",
        typed: number.0.to_owned(),
        there: number.1.to_owned(),
    });
    rows
}
