//! One term of somebody in the team: it ends, or its professional becomes the referent.

use askama::Template;
use axum::{
    extract::{Path, State},
    response::Response,
};
use maillon_protocol::{content::Party, ids::RecordId};

use super::{Line, goes_on, member::DAY};
use crate::{
    care::{CareError, Shown, TermEnd},
    web::{
        Site, dates,
        door::{self, Who},
        dossier::{Cover, Tab, opened},
        fields::Fields,
        problem::Problem,
        shell::{self, Place, Shell},
    },
};

#[derive(Template)]
#[template(path = "dossier/team/term.html")]
struct Page<'a> {
    shell: Shell<'a>,
    cover: Cover,
    one: Line,
    is_referent: bool,
    /// Whether they may become the referent.
    may_refer: bool,
    /// The end is on a day that is typed.
    on_a_day: bool,
    day: String,
    fault: String,
}

async fn page(
    site: &Site,
    who: &Who,
    (at, record): (&str, RecordId),
    typed: Option<&Fields>,
    fault: String,
) -> Result<Response, Problem> {
    goes_on(site, who, at)?;
    let (filed, view) = opened(site, who, at, Shown::Team, None).await?;
    let care = &site.node.care;
    let term = care.term(who.professional()?, &filed.circle, &record)?;
    let term = term.ok_or_else(Problem::changed_meanwhile)?;
    let part = &term.participation;
    let is_professional = matches!(part.party, Party::Professional(_));
    let page = Page {
        shell: Shell::of(who, Place::Patients, "Modifier une participation"),
        cover: Cover::new(&filed, &view, Tab::Team),
        one: Line::of(&term),
        is_referent: part.referent && term.lasts,
        may_refer: is_professional && term.lasts && !part.referent,
        on_a_day: typed.is_some_and(|typed| typed.word("quand") == "date"),
        day: typed.map_or("", |typed| typed.get("jour")).to_owned(),
        fault,
    };
    Ok(shell::form(!page.fault.is_empty(), &page))
}

/// `GET /dossiers/{file}/equipe/participation/{terme}`
pub(in crate::web) async fn term_form(
    State(site): State<Site>,
    who: Who,
    Path((at, term)): Path<(String, String)>,
) -> Result<Response, Problem> {
    let record = term.parse().map_err(|_| Problem::not_found())?;
    page(&site, &who, (&at, record), None, String::new()).await
}

/// When the form ends it; what is wrong otherwise.
fn end(fields: &Fields) -> Result<TermEnd, String> {
    match fields.word("quand") {
        "maintenant" => Ok(TermEnd::Now),
        "date" => Ok(TermEnd::On(dates::read(fields.word("jour"), DAY)?)),
        _ => Err("Dites quand elle se termine.".to_owned()),
    }
}

/// `POST /dossiers/{file}/equipe/participation/{terme}`
pub(in crate::web) async fn change_term(
    State(site): State<Site>,
    who: Who,
    Path((at, term)): Path<(String, String)>,
    fields: Fields,
) -> Result<Response, Problem> {
    let record = term.parse().map_err(|_| Problem::not_found())?;
    let filed = goes_on(&site, &who, &at)?;
    let (care, actor) = (&site.node.care, who.professional()?);
    let again = async |fault: String| page(&site, &who, (&at, record), Some(&fields), fault).await;
    let (done, said) = match fields.word("geste") {
        "reference" => {
            let done = care.hand_reference(actor, filed.circle, record).await;
            (done, "reference")
        }
        "terminer" => match end(&fields) {
            Ok(end) => {
                let done = care.end_term(actor, filed.circle, record, end).await;
                (done, "terme")
            }
            Err(fault) => return again(fault).await,
        },
        _ => return Err(Problem::not_understood()),
    };
    match done {
        Ok(()) => {}
        Err(CareError::Period) => {
            return again("Elle se terminerait avant d’avoir commencé.".to_owned()).await;
        }
        Err(CareError::Referent) if fields.word("geste") != "terminer" => {
            let fault = "Ce rôle se confie à quelqu’un qui est dans l’équipe dès aujourd’hui, sans dernier jour.";
            return again(fault.to_owned()).await;
        }
        Err(CareError::Referent) => return Err(Problem::changed_meanwhile()),
        Err(error) => return Err(error.into()),
    }
    // Whoever has ended their own term does not open the file any more.
    if !care.opens(actor, &filed.circle)? {
        return Ok(door::go("/patients"));
    }
    Ok(door::go(&format!("/dossiers/{at}/equipe?ecrit={said}")))
}
